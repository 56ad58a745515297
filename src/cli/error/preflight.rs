//! The words for what stands in the way of a deploy.

use super::{CliError, Exit};
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::lab::preflight::Problem;
use kafka_mirror_kit::core::topology::{
    KAFKA_VERSION, KafkaImage, OFFICIAL_IMAGE, OLDEST_OFFICIAL, Version,
};

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        let usage = Self::of(Exit::Usage, &problem);
        let unusable = Self::of(Exit::Unusable, &problem);
        match problem {
            Problem::Docker(error) => error.into(),
            Problem::Workdir(error) => error.into(),
            Problem::Image(error) => error.into(),
            Problem::ComposeTooOld { .. } | Problem::ComposeTooOldElsewhere { .. } => {
                unusable.hint("update Docker Desktop, or Docker's compose plugin")
            }
            Problem::NoBind { host, .. } => {
                let address = host.map_or_else(|| "ADDRESS".to_owned(), |host| host.to_string());
                usage.hint(format!(
                    "publish them on the address by which clients reach that machine: --bind {address}; whoever reaches it can then read and write"
                ))
            }
            Problem::NotItsAddress { .. } => {
                usage.hint("give --bind an address that `ip address` shows on that machine")
            }
            Problem::Port { cluster, port, .. } => unusable.hint(format!(
                "choose another with --port {cluster}={}, or let kmk choose with --any-port",
                if port < 40_000 {
                    port + 10_000
                } else {
                    port - 10_000
                }
            )),
            Problem::Variable { name, .. } => usage.hint(format!(
                "set it for kmk, such as with `export {name}=...`: it is passed on by its name"
            )),
            Problem::Memory { .. } => unusable.hint(
                "end something else, or give Docker more memory (Docker Desktop: Settings, Resources)",
            ),
            Problem::Disk { .. } => unusable.hint("see what takes space with `docker system df`"),
            Problem::NoAnswer { .. } => unusable
                .hint("kmk does not start it: bring it up, or correct `bootstrap` in the lab file"),
            Problem::OneCluster { bootstrap, .. } => usage.hint(format!(
                "name it once; two that were formatted with one id are told apart as soon as one of them has a topic: `kmk topic create NAME --bootstrap {}`",
                bootstrap[1]
            )),
            Problem::Advertised { address, .. } if address.starts_with("localhost") => unusable.hint(
                "if it runs on this machine, say `bootstrap: localhost:PORT`; else let it advertise an address that leads to it",
            ),
            Problem::Advertised { .. } => unusable.hint(
                "let the broker advertise `localhost`, which kmk leads to this machine there too, or this machine's name; a number cannot be led elsewhere",
            ),
            Problem::OnlyLoopback { .. } => unusable.hint(
                "let the broker listen on all addresses (listeners=PLAINTEXT://:PORT), or publish its port without 127.0.0.1: before it",
            ),
            Problem::OtherMachine { .. } => unusable.hint(
                "write an address of this machine that the engine's machine reaches, and let the broker advertise it too",
            ),
            Problem::LeftBehind { bootstrap, topics, .. } => {
                let commands = topics
                    .iter()
                    .map(|topic| format!("`kmk topic delete {topic} --force --bootstrap {bootstrap}`"));
                unusable.hint(format!(
                    "unless another lab uses them, remove them: {}",
                    commands.collect::<Vec<_>>().join(", ")
                ))
            }
            Problem::NotOurs { .. } => unusable
                .hint("choose another name with --lab, or remove it with docker if it is yours"),
        }
    }
}

impl From<ImageError> for CliError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Docker(error) => error.into(),
            ImageError::NotFound { ref image, .. } if never_was(image) => {
                Self::of(Exit::Unusable, &error).hint(format!(
                    "{OFFICIAL_IMAGE} begins with {}.{}.0; name another image of that version with --image",
                    OLDEST_OFFICIAL.0, OLDEST_OFFICIAL.1
                ))
            }
            ImageError::NotFound { .. } => Self::of(Exit::Unusable, &error).hint(
                "check the name and the network, or name one that is here with --image (`docker images` lists them)",
            ),
            ImageError::TooOld { .. } => Self::of(Exit::Usage, &error).hint(format!(
                "leave --image and --kafka-version out, or ask for a later one such as --kafka-version {KAFKA_VERSION}"
            )),
            ImageError::NoKafka { .. } => Self::of(Exit::Usage, &error)
                .hint("kmk runs apache/kafka, or an image that is laid out like it"),
        }
    }
}

/// Whether it is an official image of a Kafka that there is none of.
fn never_was(image: &str) -> bool {
    let image = KafkaImage::new(Some(image));
    let is_older = |version: Version| version.is_below(OLDEST_OFFICIAL);
    image.stand_in().is_some() && image.version().is_some_and(is_older)
}
