//! Why a drill did not come to its end.

use super::finding::Unfit;
use crate::core::docker::DockerError;
use crate::core::lab::LabError;
use crate::core::lab::deploy::DeployError;
use crate::core::lab::journal::JournalError;
use crate::core::lab::lag::LagError;
use crate::core::lab::link::RelayError;
use crate::core::lab::lock::LockError;
use crate::core::lab::positions::PositionError;
use crate::core::lab::verify::VerifyError;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::{Stop, seconds};
use std::io;
use std::time::Duration;

/// Why a drill did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// It cannot be drilled, and nothing was touched.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Something happened on the way; the lab is as it was before, or not.
    #[error("{cause}")]
    TakenBack {
        /// What happened.
        cause: Box<DrillError>,
        /// Why the lab is not as it was; none where it is.
        problem: Option<String>,
    },
    /// Before the fault, records did not cross or a group did not read.
    #[error("no steady state within {}: {seen}", seconds(*.waited))]
    NotSteady {
        /// What is missing.
        seen: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Applications did not notice that anything was wrong.
    #[error("the fault was not detected within {}: records are still acknowledged, or arrive", seconds(*.waited))]
    NotDetected {
        /// How long it was waited for.
        waited: Duration,
    },
    /// Somebody still writes to the source.
    #[error("the fence does not hold: {}", moving.join(", "))]
    NotFenced {
        /// The topics, with their rates.
        moving: Vec<String>,
    },
    /// What was written to the source was not copied in time.
    #[error("not everything was copied within {}: {seen}", seconds(*.waited))]
    NotCopied {
        /// What is missing.
        seen: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A group did not read to the end on the target.
    #[error("after the switch, {seen} within {}", seconds(*.waited))]
    NotRead {
        /// What did not happen, such as "group lagging did not read partition 3 to its end".
        seen: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The workload's producer was refused.
    #[error("the producer on {cluster} was refused: {cause}")]
    Load {
        /// The cluster.
        cluster: String,
        /// Why.
        cause: KafkaError,
    },
    /// What never crossed cannot be determined, so that it could get lost.
    #[error("cannot tell which records never crossed: {}", unknown.join("; "))]
    StrandedUnknown {
        /// The partitions, and why.
        unknown: Vec<String>,
    },
    /// Stranded records cannot be written to where they are to be kept.
    #[error("cannot export the stranded records: {0}")]
    Salvage(io::Error),
    /// Some of them are gone already.
    #[error("only {exported} of {wanted} stranded records could be read")]
    NotSalvaged {
        /// Records that could be read.
        exported: u64,
        /// All of them.
        wanted: u64,
    },
    /// The target does not take the stranded records.
    #[error("cannot write the stranded records to {target}: {cause}")]
    NotReplayed {
        /// The target.
        target: String,
        /// Why.
        cause: String,
    },
    /// There is no drill to take back.
    #[error("lab `{lab}` has no drill that is under way or failed over")]
    NoDrill {
        /// The lab.
        lab: String,
    },
    /// It did not die before its end.
    #[error("the drill of flow {flow} cannot be resumed: {why}")]
    NothingToResume {
        /// Its flow.
        flow: String,
        /// Why.
        why: &'static str,
    },
    /// There is no such lab, or it cannot be described.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What was done to the lab cannot be noted, or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Docker refused or failed.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A relay does not do what is asked of it.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A broker does not do what it is asked.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// MirrorMaker cannot be told where to begin.
    #[error("cannot write where MirrorMaker is to begin: {0}")]
    Positions(#[from] PositionError),
    /// The lab does not come back.
    #[error(transparent)]
    NotUp(#[from] Box<DeployError>),
    /// The records of a drill could not be sent.
    #[error(transparent)]
    Verify(#[from] Box<VerifyError>),
    /// The operating system allows no further thread.
    #[error("no thread can be started: {0}")]
    Thread(io::Error),
}

impl From<Stop> for DrillError {
    fn from(stop: Stop) -> Self {
        Self::Kafka(stop.into())
    }
}

impl From<LagError> for DrillError {
    fn from(error: LagError) -> Self {
        match error {
            LagError::Kafka(error) => error.into(),
            LagError::Stopped(stop) => stop.into(),
        }
    }
}

impl DrillError {
    /// Whether a person interrupted it.
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::TakenBack { cause, .. } => cause.is_interruption(),
            Self::Kafka(KafkaError::Stopped(Stop::Interrupted))
            | Self::Relay(RelayError::Stopped(Stop::Interrupted))
            | Self::Positions(PositionError::Kafka(KafkaError::Stopped(Stop::Interrupted))) => true,
            Self::Verify(error) => matches!(
                **error,
                VerifyError::Kafka(KafkaError::Stopped(Stop::Interrupted))
            ),
            Self::NotUp(error) => matches!(**error, DeployError::Interrupted),
            Self::Docker(error)
            | Self::Lab(LabError::Docker(error))
            | Self::Journal(JournalError::Docker(error)) => error.is_interruption(),
            _ => false,
        }
    }
}
