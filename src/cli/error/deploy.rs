//! The words for a deploy that failed.

use super::{CliError, Exit, LAB};
use kafka_mirror_kit::core::lab::deploy::{
    Aftermath, DeployError, Failure as DeployFailure, Suspect,
};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::{OFFICIAL_IMAGE, STAND_IN_IMAGE, Version};
use kmk_kafka::wait::Stop;

impl From<DeployFailure> for CliError {
    fn from(failure: DeployFailure) -> Self {
        let mut told = Self::from(*failure.cause);
        told.after.extend(match failure.aftermath {
            Aftermath::NothingMade => None,
            Aftermath::RolledBack(left) if left.is_empty() => {
                Some("Rolled back: nothing from this deploy is left.".to_owned())
            }
            Aftermath::RolledBack(left) => {
                let left: Vec<String> = left.iter().map(ToString::to_string).collect();
                Some(format!("Rolled back, but {}", left.join("; ")))
            }
            Aftermath::Kept => Some(format!(
                "Kept for inspection: `kmk logs{LAB}`, `kmk status{LAB}`; `kmk destroy{LAB}` removes it."
            )),
            Aftermath::LabStays => Some(format!(
                "The lab existed before and is kept: `kmk status{LAB}` shows its health, `kmk deploy{LAB}` tries again."
            )),
            Aftermath::LabIsLess(why) => Some(format!(
                "The lab existed before, and not all of it runs now: {why}\nRepair it with `kmk deploy{LAB}`."
            )),
            Aftermath::RollbackFailed(why) => Some(format!(
                "Rolling back failed too: {why}\nTry again with `kmk destroy{LAB}`."
            )),
        });
        told
    }
}

impl From<DeployError> for CliError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Spec(problems) => Self::all(problems.iter().map(Self::from)),
            DeployError::Preflight(problems) => Self::all(problems.into_iter().map(Self::from)),
            DeployError::Lab(error) => error.into(),
            DeployError::Relay(error) => error.into(),
            DeployError::Lock(error) => error.into(),
            DeployError::Workdir(error) => error.into(),
            DeployError::Docker(error) => error.into(),
            DeployError::Interrupted => Stop::Interrupted.into(),
            DeployError::OtherScenario { ref lab, asked, .. } => Self::of(Exit::Usage, &error).hint(format!(
                "`kmk destroy{}` removes it with its records; `kmk deploy --scenario {asked} --lab NAME --any-port` creates another lab beside it",
                in_lab(lab)
            )),
            DeployError::NoNetworkLeft => Self::of(Exit::Unusable, &error)
                .hint("a lab needs one network per cluster, and Docker has about 30: destroy a lab (`kmk list` shows them), or remove a network with `docker network rm`"),
            DeployError::NotReady { ref suspect, .. } => {
                let mut told = Self::of(Exit::Unusable, &error)
                    .hint("give it more time with --timeout 300s, or keep everything for inspection with --keep");
                told.after = suspect.as_deref().map_or_else(Vec::new, log);
                told
            }
            DeployError::DataIsNewer { ref cluster, ref before, ref suspect, .. } => {
                let back = before.as_ref().map_or_else(
                    || "the Kafka it ran before".to_owned(),
                    |before| asking_for(cluster, before),
                );
                let mut told = Self::of(Exit::Unusable, &error).hint(format!(
                    "its records are still there: continue with {back}, or destroy the lab and deploy it again"
                ));
                told.after = log(suspect);
                told
            }
        }
    }
}

fn log(suspect: &Suspect) -> Vec<String> {
    let heading = format!(
        "Container {} {}; the last lines of its log:",
        suspect.container, suspect.state
    );
    [heading]
        .into_iter()
        .chain(suspect.log.iter().map(|line| format!("  | {line}")))
        .collect()
}

/// The flag that asks for an image; a stand-in stays what it stands in for.
fn asking_for(cluster: &str, image: &str) -> String {
    let tag = [OFFICIAL_IMAGE, STAND_IN_IMAGE]
        .iter()
        .find_map(|name| image.strip_prefix(name)?.strip_prefix(':'));
    match tag.filter(|tag| Version::parse(tag).is_some()) {
        Some(version) => format!("--kafka-version {cluster}={version}"),
        None => format!("--image {}", shell::word(&format!("{cluster}={image}"))),
    }
}
