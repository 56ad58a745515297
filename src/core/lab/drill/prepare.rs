//! Makes the topics of a drill, and waits until the flow shows them on the target.

use super::DrillError;
use super::plan::Plan;
use crate::core::lab::verify::look;
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError, NewTopic};
use std::time::Duration;

/// How often the target is looked at for the topic.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn topics(plan: &Plan<'_>, partitions: i32, limit: &Limit) -> Result<(), DrillError> {
    let new = |name: &str| NewTopic {
        name: name.to_owned(),
        partitions: Some(partitions),
        ..NewTopic::default()
    };
    let mut source = Admin::connect_patiently(&plan.source.endpoints, limit)?;
    source.create_topic(&new(&plan.topic), limit)?;
    let mut target = Admin::connect_patiently(&plan.target.endpoints, limit)?;
    // there before it is needed, as it would be where a failover is prepared for
    if plan.target_topic != plan.mirrored {
        target.create_topic(&new(&plan.target_topic), limit)?;
    }
    let shown = limit.until(LOOK, || match target.topics(limit) {
        Ok(topics) => Ok(
            look(topics.get(&plan.mirrored), partitions).map_or(Probe::Ready(()), Probe::NotYet)
        ),
        Err(error) if error.is_retriable() => Ok(Probe::NotYet(error.to_string())),
        Err(error) => Err(error),
    });
    shown.map_err(|error| match error {
        KafkaError::Stopped(Stop::Deadline { allowed, last_seen }) => DrillError::NotSteady {
            seen: format!("`{}` on {} is {last_seen}", plan.mirrored, plan.target.name),
            waited: allowed,
        },
        other => other.into(),
    })
}
