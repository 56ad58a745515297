//! The Kafka image of a lab: which one, whether it is there, where it comes from, and how old it is.

use crate::core::docker::{Docker, DockerError};
use crate::core::event::{Event, Observer};
use crate::core::spec::Spec;
use crate::core::topology::{KAFKA_VERSION, STAND_IN_IMAGE, official_image};
use crate::core::wait::{Limit, Stop};
use std::time::{Duration, Instant};

/// How long a registry may take to say whether it has the image, where there is a stand-in.
const REGISTRY: Duration = Duration::from_secs(5);

/// How long fetching an image may take: half a gigabyte, over a slow line too.
const PULL: Duration = Duration::from_secs(30 * 60);

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Neither here nor in a registry.
    #[error("image {image} is not here, and cannot be pulled: {said}")]
    NotFound {
        /// The image.
        image: String,
        /// What the registry, or docker, said.
        said: String,
    },
    /// Kafka 4 dropped the protocol versions that the `kafka` crate speaks (KIP-896).
    #[error(
        "image {image} is Kafka {version}: kmk cannot talk to Kafka 4 and later yet, for its client speaks protocol version 0, which Kafka 4 dropped (KIP-896)"
    )]
    TooNew {
        /// The image.
        image: String,
        /// Its Kafka.
        version: String,
    },
    /// The image has no Kafka where the official one has it.
    #[error("image {image} is no Kafka image: {said}")]
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

/// An image, and whether it has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    name: String,
    is_here: bool,
    /// Whether it is the one that nobody asked for.
    is_default: bool,
}

/// The image that is `in_use` already and still here; else the one that a spec asks for, or the default one.
pub(crate) fn find(
    docker: &Docker,
    spec: &Spec,
    in_use: Option<&str>,
    limit: &Limit,
) -> Result<Image, ImageError> {
    if let Some(name) = in_use
        && docker.has_image(name, limit)?
    {
        return Ok(Image {
            name: name.to_owned(),
            is_here: true,
            is_default: false,
        });
    }
    let name = spec
        .image
        .clone()
        .unwrap_or_else(|| official_image(KAFKA_VERSION));
    refuse_too_new(&name, version_in_tag(&name))?;
    Ok(Image {
        is_here: docker.has_image(&name, limit)?,
        is_default: spec.image.is_none(),
        name,
    })
}

/// Whether [`fetch`] would succeed, as far as that can be known without fetching.
pub(crate) fn can_be_had(docker: &Docker, image: &Image, limit: &Limit) -> Result<(), ImageError> {
    if image.is_here || stand_in(docker, image, limit)?.is_some() {
        return Ok(());
    }
    docker
        .can_pull(&image.name, limit)
        .map_err(|error| not_found(&image.name, error))
}

/// Pulls the image if it is not here; where that fails, a local stand-in takes the default image's place. Returns the name of what there is.
pub(crate) fn fetch(
    docker: &Docker,
    image: Image,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<String, ImageError> {
    if !image.is_here {
        if let Some(name) = stand_in(docker, &image, limit)?
            && let Err(error) = docker.can_pull(&image.name, &limit.at_most(REGISTRY))
        {
            if limit.interrupt().is_raised() {
                return Err(error.into());
            }
            observer.on(Event::Note(format!(
                "{} cannot be pulled: using the local stand-in {name}",
                image.name
            )));
            return Ok(name);
        }
        let begun = Instant::now();
        observer.on(Event::Started(format!("Pulling {}", image.name)));
        let limit = Limit::new(PULL, limit.interrupt());
        let pulled = docker.pull(&image.name, &limit, |line| {
            observer.on(Event::Child(line));
        });
        pulled.map_err(|error| not_found(&image.name, error))?;
        observer.on(Event::Done {
            what: format!("Pulled {}", image.name),
            took: begun.elapsed(),
        });
    }
    if version_in_tag(&image.name).is_none() {
        refuse_too_new(&image.name, version_inside(docker, &image.name, limit)?)?;
    }
    Ok(image.name)
}

fn stand_in(docker: &Docker, image: &Image, limit: &Limit) -> Result<Option<String>, DockerError> {
    let name = format!("{STAND_IN_IMAGE}:{KAFKA_VERSION}");
    Ok((image.is_default && docker.has_image(&name, limit)?).then_some(name))
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

fn refuse_too_new(image: &str, version: Option<String>) -> Result<(), ImageError> {
    let major = |version: &String| version.split('.').next()?.parse::<u32>().ok();
    match version.filter(|version| major(version).is_some_and(|major| major >= 4)) {
        Some(version) => Err(ImageError::TooNew {
            image: image.to_owned(),
            version,
        }),
        None => Ok(()),
    }
}

/// The version that an image's tag names: `3.9.2` of `apache/kafka:3.9.2-rc1`, and nothing of `latest`.
fn version_in_tag(image: &str) -> Option<String> {
    let name = image.rsplit('/').next()?.split('@').next()?;
    let (_, tag) = name.split_once(':')?;
    version(tag)
}

fn version(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    let is_version =
        version.contains('.') && version.split('.').all(|part| part.parse::<u32>().is_ok());
    is_version.then(|| version.to_owned())
}

/// The version of the Kafka client library inside: for tags such as `latest`.
fn version_inside(
    docker: &Docker,
    image: &str,
    limit: &Limit,
) -> Result<Option<String>, ImageError> {
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
        .find_map(|file| version(file.strip_prefix("kafka-clients-")?));
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
    fn a_tag_that_names_a_version() {
        for (image, expected) in [
            ("apache/kafka:3.9.2", Some("3.9.2")),
            ("localhost:5000/kafka:4.0.0-rc1", Some("4.0.0")),
            ("apache/kafka:4.2", Some("4.2")),
            ("apache/kafka:latest", None),
            ("apache/kafka", None),
            ("localhost:5000/kafka", None),
            ("kafka:3.9.2@sha256:00", Some("3.9.2")),
            ("kafka:3..9", None),
            ("kafka:4", None),
        ] {
            assert_eq!(version_in_tag(image).as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn kafka_4_is_refused_with_its_reason() {
        let error = refuse_too_new("a:4.1.0", version_in_tag("a:4.1.0")).unwrap_err();
        assert!(error.to_string().contains("KIP-896"));
        assert!(refuse_too_new("a:3.9.2", version_in_tag("a:3.9.2")).is_ok());
        assert!(refuse_too_new("a:latest", None).is_ok());
    }

    #[test]
    fn the_version_of_a_library() {
        assert_eq!(version("3.9.2.jar").as_deref(), Some("3.9.2"));
    }
}
