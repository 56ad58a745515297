//! The words for what stands in the way of a deploy.

use super::{CliError, Exit};
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::lab::preflight::Problem;
use kafka_mirror_kit::core::topology::{
    KAFKA_VERSION, KafkaImage, OFFICIAL_IMAGE, OLDEST_OFFICIAL, RELAY_IMAGE_VARIABLE, RelayImage,
    Version,
};

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        let usage = Self::of(Exit::Usage, &problem);
        let unusable = Self::of(Exit::Unusable, &problem);
        match problem {
            Problem::Docker(error) => error.into(),
            Problem::Workdir(error) => error.into(),
            Problem::Image(error) => error.into(),
            Problem::ComposeTooOld { .. } | Problem::ComposeTooOldForRemote { .. } => {
                unusable.hint("update Docker Desktop, or Docker's compose plugin")
            }
            Problem::NoBind { host, .. } => {
                let address = host.map_or_else(|| "ADDRESS".to_owned(), |host| host.to_string());
                usage.hint(format!(
                    "publish them on the address by which clients reach that machine: --bind {address}; anyone who reaches it can then read and write"
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
                "set it for kmk, for example with `export {name}=...`: only its name is passed on"
            )),
            Problem::Memory { .. } => unusable.hint(
                "stop something else, or give Docker more memory (Docker Desktop: Settings, Resources)",
            ),
            Problem::Disk { .. } => unusable.hint("`docker system df` shows what takes the space"),
            Problem::NoAnswer { .. } => unusable
                .hint("kmk does not start this cluster: start it yourself, or correct `bootstrap` in the lab file"),
            Problem::OneCluster { bootstrap, .. } => usage.hint(format!(
                "name it once; if two clusters were formatted with the same id, create a topic on one of them so that kmk can tell them apart: `kmk topic create NAME --bootstrap {}`",
                bootstrap[1]
            )),
            Problem::Advertised { address, .. } if address.starts_with("localhost") => unusable.hint(
                "if it runs on this machine, use `bootstrap: localhost:PORT`; otherwise let it advertise an address that leads to it",
            ),
            Problem::Advertised { .. } => unusable.hint(
                "let the broker advertise `localhost`, which kmk maps to this machine in the container, or this machine's name; an IP address cannot be mapped",
            ),
            Problem::OnlyLoopback { .. } => unusable.hint(
                "let the broker listen on all addresses (listeners=PLAINTEXT://:PORT), or publish its port without 127.0.0.1: before it",
            ),
            Problem::OtherMachine { .. } => unusable.hint(
                "use an address of this machine that the engine's machine can reach, and let the broker advertise it too",
            ),
            Problem::LeftBehind { bootstrap, topics, .. } => {
                let commands = topics
                    .iter()
                    .map(|topic| format!("`kmk topic delete {topic} --force --bootstrap {bootstrap}`"));
                unusable.hint(format!(
                    "unless another lab uses them, delete them: {}",
                    commands.collect::<Vec<_>>().join(", ")
                ))
            }
            Problem::NotOurs { .. } => unusable
                .hint("choose another name with --lab, or remove the project with docker if it is yours"),
        }
    }
}

impl From<ImageError> for CliError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Docker(error) => error.into(),
            ImageError::NotFound { ref image, .. } if never_was(image) => {
                Self::of(Exit::Unusable, &error).hint(format!(
                    "{OFFICIAL_IMAGE} starts at {}.{}.0; choose another image of that version with --image",
                    OLDEST_OFFICIAL.0, OLDEST_OFFICIAL.1
                ))
            }
            ImageError::NotFound { ref image, .. } if *image == RelayImage::name() => {
                Self::of(Exit::Unusable, &error).hint(format!(
                    "relays of a link run it: check the network, or name a local image of toxiproxy in {RELAY_IMAGE_VARIABLE}"
                ))
            }
            ImageError::NotFound { .. } => Self::of(Exit::Unusable, &error).hint(
                "check the name and the network, or choose a local image with --image (`docker images` lists them)",
            ),
            ImageError::TooOld { .. } => Self::of(Exit::Usage, &error).hint(format!(
                "leave --image and --kafka-version out, or choose a later version such as --kafka-version {KAFKA_VERSION}"
            )),
            ImageError::NoKafka { .. } => Self::of(Exit::Usage, &error)
                .hint("kmk runs apache/kafka, or an image with the same layout"),
        }
    }
}

/// Whether it is an official image of a Kafka that there is none of.
fn never_was(image: &str) -> bool {
    let image = KafkaImage::new(Some(image));
    let is_older = |version: Version| version.is_below(OLDEST_OFFICIAL);
    image.stand_in().is_some() && image.version().is_some_and(is_older)
}
