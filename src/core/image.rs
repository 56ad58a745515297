//! The images of a lab: whether they are here, where they come from, and how old they are.

use crate::core::docker::{Docker, DockerError};
use crate::core::event::{Event, Observer, step};
use crate::core::topology::{KafkaImage, OLDEST_KAFKA, RELAY_IMAGE_VARIABLE, RelayImage, Version};
use kmk_kafka::wait::{Limit, Stop};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

/// How long a registry may take to say whether it has the image, where there is a stand-in.
const REGISTRY: Duration = Duration::from_secs(5);

/// How long fetching an image may take: half a gigabyte, over a slow line too.
const PULL: Duration = Duration::from_secs(30 * 60);

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Neither here nor in a registry.
    #[error("image {image} is not available locally and cannot be pulled: {said}")]
    NotFound {
        /// The image.
        image: String,
        /// What the registry, or docker, said.
        said: String,
    },
    /// A Kafka from before it could do without `ZooKeeper` (KIP-833).
    #[error(
        "image {image} is Kafka {version}: kmk runs Kafka without ZooKeeper (KRaft), which is ready for production from {}.{} on (KIP-833)",
        OLDEST_KAFKA.0, OLDEST_KAFKA.1
    )]
    TooOld {
        /// The image.
        image: String,
        /// Its Kafka.
        version: String,
    },
    /// The image has no Kafka where the official one has it.
    #[error("image {image} is not a Kafka image: {said}")]
    NoKafka {
        /// The image.
        image: String,
        /// What looking into it showed.
        said: String,
    },
    /// Docker cannot be used.
    #[error(transparent)]
    Docker(#[from] DockerError),
}

/// What runs for each image that a lab asks for.
#[derive(Debug, Clone)]
pub(crate) struct Images(Vec<(Asked, String)>);

/// What an image is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Kafka(KafkaImage),
    Relay,
}

impl Asked {
    /// The variable of the compose file that names it.
    fn variable(&self) -> Option<String> {
        match self {
            Self::Kafka(image) => image.variable(),
            Self::Relay => Some(RELAY_IMAGE_VARIABLE.to_owned()),
        }
    }
}

impl Images {
    /// What compose is told, so that it runs these.
    pub(crate) fn variables(&self) -> Vec<(String, OsString)> {
        let variable = |(asked, name): &(Asked, String)| Some((asked.variable()?, name.into()));
        self.0.iter().filter_map(variable).collect()
    }

    /// Each name once.
    pub(crate) fn names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.iter().map(|(_, name)| name).collect();
        names.into_iter().cloned().collect()
    }
}

/// An image, and whether it has to be fetched.
#[derive(Debug, Clone)]
struct Image {
    /// For what: the default image and one that was asked for may have the same name.
    asked_for: Vec<Asked>,
    name: String,
    is_here: bool,
    /// What may take its place.
    stand_in: Option<String>,
}

/// The images of a lab, found and not fetched yet: each name once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search(Vec<Image>);

impl Search {
    /// Looks for an image: the one that is `in_use` for it already and still here, else the one of its name.
    pub(crate) fn add(
        &mut self,
        docker: &Docker,
        image: &KafkaImage,
        in_use: Option<&str>,
        limit: &Limit,
    ) -> Result<(), ImageError> {
        let in_use = still_here(docker, in_use, limit)?;
        let name = in_use.map_or_else(|| image.name(), str::to_owned);
        if in_use.is_none() {
            refuse_too_old(&name, image.version())?;
        }
        let asked = Asked::Kafka(image.clone());
        if let Some(known) = self.0.iter_mut().find(|known| known.name == name) {
            known.asked_for.push(asked);
            return Ok(());
        }
        let found = Image {
            asked_for: vec![asked],
            is_here: in_use.is_some() || docker.has_image(&name, limit)?,
            stand_in: image.stand_in(),
            name,
        };
        self.0.push(found);
        Ok(())
    }

    /// The same of the image of relays; `asked_for` is one of another name.
    pub(crate) fn add_relay(
        &mut self,
        docker: &Docker,
        asked_for: Option<&str>,
        in_use: Option<&str>,
        limit: &Limit,
    ) -> Result<(), ImageError> {
        let in_use = still_here(docker, in_use.filter(|_| asked_for.is_none()), limit)?;
        let name = in_use
            .or(asked_for)
            .map_or_else(RelayImage::name, str::to_owned);
        self.0.push(Image {
            asked_for: vec![Asked::Relay],
            is_here: in_use.is_some() || docker.has_image(&name, limit)?,
            stand_in: asked_for.is_none().then(RelayImage::stand_in),
            name,
        });
        Ok(())
    }

    /// Whether several have to be fetched: then it is worth asking first whether all can be had.
    pub(crate) fn lacks_several(&self) -> bool {
        self.0.iter().filter(|image| !image.is_here).count() > 1
    }

    /// Why [`Search::fetch`] would fail, as far as that can be known without fetching.
    pub(crate) fn problems(&self, docker: &Docker, limit: &Limit) -> Vec<ImageError> {
        let problems = self.0.iter().map(|image| image.can_be_had(docker, limit));
        problems.filter_map(Result::err).collect()
    }

    /// Pulls what is not here; what cannot be pulled is replaced by its local stand-in.
    pub(crate) fn fetch(
        self,
        docker: &Docker,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Images, Vec<ImageError>> {
        let (mut names, mut problems) = (Vec::new(), Vec::new());
        for image in self.0 {
            match image.fetch(docker, limit, observer) {
                Ok(name) => {
                    let one = |asked_for| (asked_for, name.clone());
                    names.extend(image.asked_for.into_iter().map(one));
                }
                Err(error) => problems.push(error),
            }
        }
        if problems.is_empty() {
            Ok(Images(names))
        } else {
            Err(problems)
        }
    }
}

impl Image {
    fn can_be_had(&self, docker: &Docker, limit: &Limit) -> Result<(), ImageError> {
        if self.is_here || self.stand_in(docker, limit)?.is_some() {
            return Ok(());
        }
        docker
            .can_pull(&self.name, limit)
            .map_err(|error| not_found(&self.name, error))
    }

    /// Returns the name of what there is.
    fn fetch(
        &self,
        docker: &Docker,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<String, ImageError> {
        if !self.is_here {
            if let Some(name) = self.stand_in(docker, limit)?
                && let Err(error) = docker.can_pull(&self.name, &limit.at_most(REGISTRY))
            {
                if limit.interrupt().is_raised() {
                    return Err(error.into());
                }
                observer.on(Event::Note(format!(
                    "{} cannot be pulled: using the local stand-in {name}",
                    self.name
                )));
                return Ok(name);
            }
            self.pull(docker, limit, observer)?;
        }
        let is_kafka = !self.asked_for.contains(&Asked::Relay);
        if is_kafka && Version::in_tag(&self.name).is_none() {
            refuse_too_old(&self.name, version_inside(docker, &self.name, limit)?)?;
        }
        Ok(self.name.clone())
    }

    fn pull(
        &self,
        docker: &Docker,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), ImageError> {
        let name = &self.name;
        let limit = Limit::new(PULL, limit.interrupt());
        step(
            observer,
            &format!("Pulling {name}"),
            &format!("Pulled {name}"),
            || {
                let pulled = docker.pull(name, &limit, |line| observer.on(Event::Child(line)));
                pulled.map_err(|error| not_found(name, error))
            },
        )
    }

    /// Its stand-in, if that is here.
    fn stand_in(&self, docker: &Docker, limit: &Limit) -> Result<Option<String>, DockerError> {
        match &self.stand_in {
            Some(name) if docker.has_image(name, limit)? => Ok(Some(name.clone())),
            _ => Ok(None),
        }
    }
}

/// What runs already, where its image has not been removed since.
fn still_here<'a>(
    docker: &Docker,
    in_use: Option<&'a str>,
    limit: &Limit,
) -> Result<Option<&'a str>, DockerError> {
    match in_use {
        Some(name) if docker.has_image(name, limit)? => Ok(Some(name)),
        _ => Ok(None),
    }
}

fn not_found(image: &str, error: DockerError) -> ImageError {
    match error {
        DockerError::Failed { said, .. } => ImageError::NotFound {
            image: image.to_owned(),
            said: said
                .lines()
                .last()
                .unwrap_or("docker did not say why")
                .to_owned(),
        },
        DockerError::Stopped {
            stop: stop @ Stop::Deadline { .. },
            ..
        } => ImageError::NotFound {
            image: image.to_owned(),
            said: stop.to_string(),
        },
        other => other.into(),
    }
}

fn refuse_too_old(image: &str, version: Option<Version>) -> Result<(), ImageError> {
    match version.filter(|version| version.is_below(OLDEST_KAFKA)) {
        Some(version) => Err(ImageError::TooOld {
            image: image.to_owned(),
            version: version.to_string(),
        }),
        None => Ok(()),
    }
}

/// The version of the Kafka client library inside: for tags such as `latest`.
fn version_inside(
    docker: &Docker,
    image: &str,
    limit: &Limit,
) -> Result<Option<Version>, ImageError> {
    let no_kafka = |said: String| ImageError::NoKafka {
        image: image.to_owned(),
        said,
    };
    let files = match docker.libraries(image, limit) {
        Ok(files) => files,
        Err(DockerError::Failed { said, .. }) => return Err(no_kafka(said)),
        Err(other) => return Err(other.into()),
    };
    let found = files
        .iter()
        .find_map(|file| Version::leading(file.strip_prefix("kafka-clients-")?));
    match found {
        Some(version) => Ok(Some(version)),
        None => Err(no_kafka(
            "there is no kafka-clients library in /opt/kafka/libs".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kafka_without_kraft_is_refused() {
        let refused = |image: &str| refuse_too_old(image, Version::in_tag(image)).err();
        let error = refused("a:3.2.3").unwrap();
        assert!(error.to_string().contains("from 3.3 on (KIP-833)"));
        assert!(refused("a:2.8").is_some());
        for image in ["a:3.3", "a:3.9.2", "a:3.10.0", "a:4.2.0", "a:latest"] {
            assert!(refused(image).is_none(), "{image}");
        }
    }

    #[test]
    fn compose_is_told_what_stands_in_for_what() {
        let image = |name: &str| KafkaImage::new(Some(name));
        let kafka = |asked: KafkaImage, name: &str| (Asked::Kafka(asked), name.to_owned());
        let images = Images(vec![
            kafka(KafkaImage::default(), "apache/kafka:3.9.2"),
            kafka(image("apache/kafka:3.9.2"), "apache/kafka:3.9.2"),
            kafka(image("apache/kafka:4.2.0"), "kmk-kafka:4.2.0"),
            kafka(image("my/kafka:1"), "my/kafka:1"),
            (Asked::Relay, "kmk-toxiproxy:2.5.0".to_owned()),
        ]);
        let variables = images.variables();
        let variables: Vec<_> = variables
            .iter()
            .map(|(v, i)| (v.as_str(), i.to_str().unwrap()))
            .collect();
        assert_eq!(
            variables,
            [
                ("KMK_KAFKA_IMAGE", "apache/kafka:3.9.2"),
                ("KMK_KAFKA_IMAGE_3_9_2", "apache/kafka:3.9.2"),
                ("KMK_KAFKA_IMAGE_4_2_0", "kmk-kafka:4.2.0"),
                ("KMK_TOXIPROXY_IMAGE", "kmk-toxiproxy:2.5.0"),
            ]
        );
        assert_eq!(
            images.names(),
            [
                "apache/kafka:3.9.2",
                "kmk-kafka:4.2.0",
                "kmk-toxiproxy:2.5.0",
                "my/kafka:1"
            ]
        );
    }
}
