//! How large a batch MirrorMaker may send to a topic.

use super::cluster::Cluster;
use super::flow::Mirror;
use super::version::Version;

/// The largest record batch that brokers take (`message.max.bytes`), in bytes; Kafka's default is 1 MiB.
pub const MAX_RECORD_BYTES: u32 = 16 * 1024 * 1024;
/// Bytes of a batch where every topic accepts this many: fuller batches under load. Kafka's default is 16 KiB.
pub const FULL_BATCH: u32 = 262_144;
/// The first Kafka whose producer halves a batch that is too large for a topic until it fits (KAFKA-8350): those before
/// split it to `batch.size`, again and again where that is too large.
const HALVES: (u32, u32) = (4, 2);
/// What of a topic limits a batch: what it takes, and what one file of its log holds.
pub const BATCH_LIMITS: [&str; 2] = ["max.message.bytes", "segment.bytes"];
/// The same, as brokers call it for topics that say nothing.
pub const BATCH_LIMITS_OF_BROKERS: [&str; 2] = ["message.max.bytes", "log.segment.bytes"];

impl Mirror {
    /// Whether a batch above the limit of that name, of [`BATCH_LIMITS`], does not get to a topic.
    pub fn heeds(&self, limit: &str) -> bool {
        let halves = |version: Version| !version.is_below(HALVES);
        // what a segment does not hold is refused permanently, and ends the task
        limit != BATCH_LIMITS[0] || !self.image.version().is_some_and(halves)
    }

    /// Makes its batches as small as this, where they are larger.
    pub fn narrow(&mut self, bytes: u64) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.batch = self.batch.min(bytes);
    }

    /// Heeds what the brokers of its target are told of all topics.
    pub(super) fn heed(mut self, target: &Cluster) -> Self {
        for (of_brokers, of_topics) in BATCH_LIMITS_OF_BROKERS.into_iter().zip(BATCH_LIMITS) {
            let said = target.settings.get(of_brokers);
            if let Some(bytes) = said.and_then(|said| said.trim().parse().ok())
                && self.heeds(of_topics)
            {
                self.narrow(bytes);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::core::spec::scenario;
    use crate::core::topology::{Topology, official_image};

    #[test]
    fn batches_are_full_unless_the_brokers_of_the_target_take_less() {
        let batch = |image: Option<&str>, settings: &[(&str, &str)]| {
            let mut spec = scenario::dr("demo");
            spec.image = image.map(official_image);
            let owned = settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            spec.clusters[1].settings = owned.collect();
            Topology::new(&spec).mirrors[0].batch
        };
        assert_eq!(batch(None, &[]), 262_144);
        assert_eq!(batch(None, &[("message.max.bytes", "1000000")]), 262_144);
        assert_eq!(batch(None, &[("message.max.bytes", "100000")]), 100_000);
        assert_eq!(
            batch(Some("4.1.1"), &[("message.max.bytes", "9000")]),
            9_000
        );
        assert_eq!(
            batch(Some("4.2.0"), &[("message.max.bytes", "9000")]),
            262_144
        );
        assert_eq!(
            batch(Some("4.2.0"), &[("log.segment.bytes", "9000")]),
            9_000
        );
        assert_eq!(batch(Some("4.2.0"), &[("log.segment.bytes", "x")]), 262_144);
    }
}
