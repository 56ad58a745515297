//! The words for topics and groups that are not there or cannot be changed, and for a lag that is not known.

use super::{CliError, Exit, LAB, did_you_mean};
use crate::cli::consume::topics_there_are;
use kafka_mirror_kit::core::lab::delete::DeleteError;
use kafka_mirror_kit::core::lab::groups::GroupError;
use kafka_mirror_kit::core::lab::lag::LagError;
use kafka_mirror_kit::core::lab::lock::LockError;
use kafka_mirror_kit::core::lab::positions::PositionError;
use kafka_mirror_kit::core::lab::topics::TopicError;
use kafka_mirror_kit::core::nearest::nearest;

impl From<TopicError> for CliError {
    fn from(error: TopicError) -> Self {
        match error {
            TopicError::Kafka(error) => error.into(),
            TopicError::NoTopic {
                ref topic,
                ref topics,
            } => Self::of(Exit::Usage, &error).hint(another_topic(topic, topics)),
            TopicError::NoSetting {
                ref name,
                ref known,
            } => Self::of(Exit::Usage, &error).hint(did_you_mean("setting", name, known)),
            TopicError::BeyondEnd { .. } => Self::of(Exit::Usage, &error)
                .hint("`end` deletes all records of each partition; --partition chooses one"),
        }
    }
}

impl From<GroupError> for CliError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Topic(error) => error.into(),
            GroupError::Kafka(error) => error.into(),
            GroupError::NoGroup {
                ref group,
                ref groups,
            } => Self::of(Exit::Usage, &error).hint(did_you_mean("group", group, groups)),
            GroupError::Active { .. } => Self::of(Exit::No, &error)
                .hint("stop its members first: they keep committing offsets"),
            GroupError::NoPlace { .. } => Self::of(Exit::No, &error),
        }
    }
}

impl From<DeleteError> for CliError {
    fn from(error: DeleteError) -> Self {
        let what = error.to_string();
        match error {
            DeleteError::Topic(error) => error.into(),
            DeleteError::OutOfReach { cause, .. } => Self::from(cause)
                .what(format!("{what}; nothing was deleted"))
                .hint("with that position, MirrorMaker would skip the first records of the next topic with this name; --force deletes it anyway"),
            DeleteError::NotRestarted { cause, .. } => {
                let hint = match cause {
                    PositionError::Lock(LockError::Held { .. }) => "wait until it has finished".to_owned(),
                    PositionError::Lock(_)
                    | PositionError::Docker(_)
                    | PositionError::Kafka(_)
                    | PositionError::Runs(_) => {
                        format!("`kmk deploy{LAB}` restarts MirrorMaker")
                    }
                };
                Self::from(cause).what(what).hint(hint)
            }
            DeleteError::NotReset { cause, .. } => Self::from(cause)
                .what(what)
                .hint(format!("`kmk deploy{LAB}` resets it once the cluster answers; until then, MirrorMaker would skip the first records of the next topic with this name")),
        }
    }
}

impl From<PositionError> for CliError {
    fn from(error: PositionError) -> Self {
        match error {
            PositionError::Kafka(error) => error.into(),
            PositionError::Docker(error) => error.into(),
            PositionError::Lock(error) => error.into(),
            PositionError::Runs(_) => Self::of(Exit::Unusable, &error),
        }
    }
}

impl From<LagError> for CliError {
    fn from(error: LagError) -> Self {
        match error {
            LagError::Kafka(error) => error.into(),
            LagError::Stopped(stop) => stop.into(),
        }
    }
}

/// The topic that is probably meant, or those there are; Kafka's and MirrorMaker's own only where it is one.
pub(super) fn another_topic(topic: &str, topics: &[String]) -> String {
    match nearest(topic, topics.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => topics_there_are(topics),
    }
}
