//! Which Kafka a service runs, and every difference between Kafka versions that kmk cares about.
//!
//! Of what kmk sets on brokers and on MirrorMaker, everything holds from 3.9 to 4.2: nothing is deprecated or unknown,
//! and the words by which `mirror.sh` knows a failed task are the same. What differs is inside the images (4.0 moved
//! from log4j 1 to log4j 2, and the console producer to another package) and in what brokers still understand: 4.0 no
//! longer speaks the protocol versions that the `kafka` crate does (KIP-896).

use super::version::Version;

/// The Kafka that a lab runs unless another is asked for. The one place that says so.
pub const KAFKA_VERSION: &str = "3.9.2";
/// The other Kafka that every release of kmk is tried with. The one place that says so.
pub const NEXT_KAFKA_VERSION: &str = "4.2.0";
/// The oldest Kafka that can run a lab: before it, Kafka without `ZooKeeper` was a preview (KIP-833).
pub const OLDEST_KAFKA: (u32, u32) = (3, 3);
/// The first Kafka that there is an official image of.
pub const OLDEST_OFFICIAL: (u32, u32) = (3, 7);
/// The official image; its tags are Kafka's versions.
pub const OFFICIAL_IMAGE: &str = "apache/kafka";
/// What `dev/kafka-image.sh` builds where no image registry answers.
pub const STAND_IN_IMAGE: &str = "kmk-kafka";
/// Names another image; also understood by the rendered compose file.
pub const IMAGE_VARIABLE: &str = "KMK_KAFKA_IMAGE";
/// The toxiproxy that relays run: the newest one that `dev/toxiproxy-image.sh` can build a stand-in from. The one place
/// that says so.
pub const TOXIPROXY_VERSION: &str = "2.5.0";
/// The official image of toxiproxy; its tags are its versions.
const OFFICIAL_RELAY_IMAGE: &str = "ghcr.io/shopify/toxiproxy";
/// What `dev/toxiproxy-image.sh` builds where no image registry answers.
const STAND_IN_RELAY_IMAGE: &str = "kmk-toxiproxy";
/// Names another image for relays; also understood by the rendered compose file.
pub const RELAY_IMAGE_VARIABLE: &str = "KMK_TOXIPROXY_IMAGE";
/// What a broker says before it ends, when a newer Kafka formatted its data: `metadata.version` only goes up, and a
/// broker knows none above its own. Data that an older Kafka formatted is understood: that is how clusters are upgraded.
pub const DATA_IS_NEWER: &str = "No MetadataVersion with feature level";

/// A Kafka image: one that was asked for, or the default one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KafkaImage(Option<String>);

impl KafkaImage {
    /// The image that was asked for, if any.
    pub fn new(asked_for: Option<&str>) -> Self {
        Self(asked_for.map(str::to_owned))
    }

    /// Its name: what runs, unless a stand-in or [`IMAGE_VARIABLE`] takes its place.
    pub fn name(&self) -> String {
        let default = || official_image(KAFKA_VERSION);
        self.0.clone().unwrap_or_else(default)
    }

    /// The Kafka in it, as far as its tag tells.
    pub fn version(&self) -> Option<Version> {
        Version::in_tag(&self.name())
    }

    /// What takes its place where it can neither be found nor pulled: official images have one.
    pub fn stand_in(&self) -> Option<String> {
        let name = self.name();
        let tag = official_tag(&name)?;
        Some(format!("{STAND_IN_IMAGE}:{tag}"))
    }

    /// The variable of the rendered compose file that replaces it: the default image has [`IMAGE_VARIABLE`], other
    /// official ones have one a version, so that a stand-in for one of them leaves the others alone.
    pub fn variable(&self) -> Option<String> {
        match &self.0 {
            None => Some(IMAGE_VARIABLE.to_owned()),
            Some(name) => {
                let tag = official_tag(name)?;
                Some(format!("{IMAGE_VARIABLE}_{}", tag.replace('.', "_")))
            }
        }
    }

    /// As the compose file writes it.
    pub fn expression(&self) -> String {
        let name = self.name();
        match self.variable() {
            Some(variable) => format!("${{{variable}:-{name}}}"),
            None => name,
        }
    }

    /// What of it makes a difference to a container: not whether a variable could replace an image that was asked for.
    pub(crate) fn identity(&self) -> String {
        self.0.clone().unwrap_or_else(|| self.expression())
    }

    /// The image of a MirrorMaker that writes to a cluster with the image `target` and reads the others: the newest
    /// Kafka among them, the target's where tags do not tell.
    ///
    /// Brokers serve clients that are older or newer, but it is the old clients that new brokers drop (KIP-896), while
    /// those of 4.2 still speak to brokers from 2.1 on, long before [`OLDEST_KAFKA`]. So the newest is the side on which
    /// nothing is missing, today and with versions to come; and a migration gets the MirrorMaker that it ends up with.
    pub(super) fn of_mirror<'a>(
        target: &'a Self,
        sources: impl IntoIterator<Item = &'a Self>,
    ) -> &'a Self {
        sources.into_iter().fold(target, |newest, source| {
            match (source.version(), newest.version()) {
                (Some(one), Some(other)) if one > other => source,
                _ => newest,
            }
        })
    }
}

/// The image of relays; there is one, as nothing of it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayImage;

impl RelayImage {
    /// Its name: what runs, unless a stand-in or [`RELAY_IMAGE_VARIABLE`] takes its place.
    pub fn name() -> String {
        format!("{OFFICIAL_RELAY_IMAGE}:{TOXIPROXY_VERSION}")
    }

    /// What takes its place where it can neither be found nor pulled.
    pub fn stand_in() -> String {
        format!("{STAND_IN_RELAY_IMAGE}:{TOXIPROXY_VERSION}")
    }

    /// As the compose file writes it.
    pub fn expression() -> String {
        format!("${{{RELAY_IMAGE_VARIABLE}:-{}}}", Self::name())
    }
}

/// The official image of a Kafka version.
pub fn official_image(version: &str) -> String {
    format!("{OFFICIAL_IMAGE}:{version}")
}

/// The tag of an official image that names its version in full.
fn official_tag(image: &str) -> Option<&str> {
    let tag = image.strip_prefix(OFFICIAL_IMAGE)?.strip_prefix(':')?;
    Version::parse(tag).map(|_| tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(name: &str) -> KafkaImage {
        KafkaImage::new(Some(name))
    }

    #[test]
    fn what_the_compose_file_writes() {
        for (image, expected) in [
            (
                KafkaImage::default(),
                "${KMK_KAFKA_IMAGE:-apache/kafka:3.9.2}",
            ),
            (
                image("apache/kafka:4.2.0"),
                "${KMK_KAFKA_IMAGE_4_2_0:-apache/kafka:4.2.0}",
            ),
            (image("apache/kafka:latest"), "apache/kafka:latest"),
            (image("apache/kafka:4.0.0-rc1"), "apache/kafka:4.0.0-rc1"),
            (image("my/kafka:4.2.0"), "my/kafka:4.2.0"),
            (image("kmk-kafka:4.2.0"), "kmk-kafka:4.2.0"),
        ] {
            assert_eq!(image.expression(), expected);
            assert_eq!(image.stand_in().is_some(), expected.starts_with('$'));
        }
    }

    #[test]
    fn a_mirror_is_as_new_as_the_newest_cluster_that_it_joins() {
        let [old, new, custom, unknown] = [
            KafkaImage::default(),
            image("apache/kafka:4.2.0"),
            image("my/kafka:3.9.2"),
            image("apache/kafka:latest"),
        ];
        for (target, sources, expected) in [
            (&old, vec![&new], &new),
            (&new, vec![&old], &new),
            (&custom, vec![&old], &custom),
            (&unknown, vec![&old, &new], &unknown),
            (&old, vec![&unknown], &old),
            (&old, vec![&unknown, &new], &new),
            (&old, vec![], &old),
        ] {
            let found = KafkaImage::of_mirror(target, sources.iter().copied());
            assert_eq!(found, expected, "{target:?} {sources:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_images_share_a_variable(
            a in "[0-9]{1,2}(\\.[0-9]{1,2}){1,2}", b in "[0-9]{1,2}(\\.[0-9]{1,2}){1,2}"
        ) {
            let [one, other] = [&a, &b].map(|version| image(&official_image(version)));
            prop_assert!(one.variable().is_some());
            prop_assert_eq!(one.variable() == other.variable(), a == b);
            prop_assert!(one.variable() != KafkaImage::default().variable());
        }
    }
}
