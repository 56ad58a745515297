//! Why a deploy failed, and what is left of it.

use crate::core::docker::DockerError;
use crate::core::lab::link::RelayError;
use crate::core::lab::lock::LockError;
use crate::core::lab::preflight;
use crate::core::lab::workdir::WorkdirError;
use crate::core::lab::{LabError, Leftover};
use crate::core::spec;
use crate::core::spec::scenario::Scenario;
use kmk_kafka::wait::Stop;

/// Why a lab did not come up.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// What is asked for is not a valid lab file.
    #[error("{}", list(.0))]
    Spec(Vec<spec::Problem>),
    /// Something prevents the deploy.
    #[error("{}", list(.0))]
    Preflight(Vec<preflight::Problem>),
    /// The lab that is there cannot be described.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A relay does not do what is asked of it.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// There is a lab of that name, and it is another than the scenario that was asked for.
    #[error(
        "lab `{lab}` already exists with {} ({}), not with scenario `{asked}`",
        .found.map_or_else(|| "other flows".to_owned(), |found| format!("scenario `{found}`")),
        .flows.join(", ")
    )]
    OtherScenario {
        /// The lab.
        lab: String,
        /// What was asked for.
        asked: Scenario,
        /// What it is, if it is any.
        found: Option<Scenario>,
        /// The names of its flows.
        flows: Vec<String>,
    },
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The files cannot be written.
    #[error(transparent)]
    Workdir(#[from] WorkdirError),
    /// Docker has no network left to give.
    #[error("Docker has no free address range for another network")]
    NoNetworkLeft,
    /// Docker refused or failed.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A container ended, a broker did not answer, or a canary did not arrive.
    #[error("{what}: {why}")]
    NotReady {
        /// What was waited for.
        what: String,
        /// What was last seen, or what happened.
        why: String,
        /// The container that is most likely the cause.
        suspect: Option<Box<Suspect>>,
    },
    /// A newer Kafka formatted the data of a cluster that is to run an older one.
    #[error(
        "cluster `{cluster}` cannot be downgraded to {}: its data was written by a newer Kafka, and the format of its metadata (`metadata.version`) cannot be lowered",
        suspect.image
    )]
    DataIsNewer {
        /// The cluster.
        cluster: String,
        /// The image that it ran before, where that is known.
        before: Option<String>,
        /// The broker that ended.
        suspect: Box<Suspect>,
    },
    /// The person interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl DeployError {
    /// Whether it is only that someone else has a port.
    pub(super) fn is_a_busy_port(&self) -> bool {
        let is_port =
            |problem: &preflight::Problem| matches!(problem, preflight::Problem::Port { .. });
        matches!(self, Self::Preflight(problems) if problems.iter().all(is_port))
    }
}

fn list<T: ToString>(problems: &[T]) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    problems.join("\n")
}

/// A container, as it was when a deploy failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Its name.
    pub container: String,
    /// The image that it runs.
    pub image: String,
    /// What it was doing, such as "exited with code 137 (out of memory)".
    pub state: String,
    /// The end of its log.
    pub log: Vec<String>,
}

impl Suspect {
    /// Whether the end of its log has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        self.log.iter().any(|line| line.contains(words))
    }
}

/// A failed deploy, and what became of what it had made.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failure {
    /// Why.
    #[source]
    pub cause: Box<DeployError>,
    /// What is left.
    pub aftermath: Aftermath,
}

impl Failure {
    pub(super) fn new(cause: DeployError, aftermath: Aftermath) -> Self {
        Self {
            cause: Box::new(cause),
            aftermath,
        }
    }

    /// Before anything was made.
    pub(in crate::core::lab) fn early(cause: DeployError) -> Self {
        Self::new(cause, Aftermath::NothingMade)
    }
}

/// What is left after a failed deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aftermath {
    /// It had made nothing.
    NothingMade,
    /// All that it had made is gone again, but for this on existing clusters.
    RolledBack(Vec<Leftover>),
    /// All that it had made is still there, as was asked.
    Kept,
    /// The lab existed before, and stays.
    LabStays,
    /// The lab existed before; not everything that ran could be restored, and why.
    LabIsLess(String),
    /// The rollback failed too, and why.
    RollbackFailed(String),
}

impl From<Stop> for DeployError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            Stop::Deadline { last_seen, .. } => Self::NotReady {
                what: "the lab is not ready".to_owned(),
                why: last_seen,
                suspect: None,
            },
        }
    }
}
