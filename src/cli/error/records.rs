//! The words for records that are not sent, read or verified.

use super::topics::another_topic;
use super::{CliError, Exit, LAB};
use crate::cli::consume::topics_there_are;
use kafka_mirror_kit::core::lab::verify::{Refusal, VerifyError};
use kafka_mirror_kit::core::records::consume::ConsumeError;
use kafka_mirror_kit::core::records::produce::ProduceError;

impl From<ProduceError> for CliError {
    fn from(error: ProduceError) -> Self {
        match error {
            ProduceError::Kafka(error) => error.into(),
            ProduceError::TopicName(_) | ProduceError::Stamped { .. } => {
                Self::of(Exit::Usage, &error)
            }
            ProduceError::Thread(_) => Self::of(Exit::Unusable, &error),
        }
    }
}

impl From<ConsumeError> for CliError {
    fn from(error: ConsumeError) -> Self {
        match error {
            ConsumeError::Kafka(error) => error.into(),
            ConsumeError::NoTopic { ref topics, .. } => {
                Self::of(Exit::No, &error).hint(topics_there_are(topics))
            }
            ConsumeError::Sink(_) => Self::of(Exit::Unusable, &error),
        }
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(refusal) => refusal.into(),
            VerifyError::Lock(error) => error.into(),
            VerifyError::Kafka(error) => error.into(),
            VerifyError::NoTopic {
                ref topic,
                ref cluster,
                ref topics,
            } => {
                let hint = if topics.is_empty() {
                    format!("create it first: `kmk topic create{LAB} {topic} --cluster {cluster}`")
                } else {
                    another_topic(topic, topics)
                };
                Self::of(Exit::Usage, &error).hint(hint)
            }
            VerifyError::NotShown(ref not_shown) => {
                let hint = format!("`kmk explain{LAB} {}` says why", not_shown.topic);
                Self::of(Exit::No, &error).hint(hint)
            }
            VerifyError::Busy { .. } => Self::of(Exit::Unusable, &error).hint(
                "wait until it has finished, or use a topic of your own with --topic, which can run at the same time",
            ),
            VerifyError::Thread(_) => Self::of(Exit::Unusable, &error),
        }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        let hint = match &refusal {
            Refusal::NoFlow { name, known } => return Self::unknown("flow", name, known),
            Refusal::NoFlows => "verify needs a flow: add one to kmk.yml and deploy",
            Refusal::Internal { .. } => {
                "choose a topic of your own with --topic, or leave it out: kmk has one for this"
            }
            Refusal::Excluded { .. } | Refusal::NotIncluded { .. } => {
                "choose a topic of the flow with --topic: see its `topics` and `exclude` in kmk.yml"
            }
            Refusal::Copy {
                of, source_cluster, ..
            } => &format!("verify the flow from {source_cluster} with --topic {of}"),
            Refusal::Uninvited { .. } => {
                "choose a topic of your own with --topic, or set `canary: true` for that cluster in kmk.yml"
            }
            Refusal::Cycle { .. } => "choose a topic with another name with --topic",
            Refusal::TooLong { .. } => "choose a topic with a shorter name",
        };
        Self::of(Exit::Usage, &refusal).hint(hint)
    }
}
