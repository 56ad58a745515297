//! The fence of a planned failover: nobody writes to the source any more, and what was written is copied.

use super::DrillError;
use super::plan::{Plan, Side};
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::wait::{Limit, Probe, Stop, seconds};
use kmk_kafka::{Admin, At, KafkaError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// For so long the ends of all topics have to stand still.
const STANDSTILL: Duration = Duration::from_secs(3);
/// How often it is looked whether all is copied.
const LOOK: Duration = Duration::from_millis(50);

/// Ends of topics, by topic and partition.
type Ends = BTreeMap<(String, i32), i64>;

/// Watches the ends of all topics that the flow mirrors; those that stood still.
///
/// # Errors
/// [`DrillError::NotFenced`] with each topic that moved.
pub(super) fn verify(
    topology: &Topology,
    flow: &Flow,
    source: &Side,
    limit: &Limit,
) -> Result<usize, DrillError> {
    let mut admin = Admin::connect_patiently(&source.endpoints, limit)?;
    let rules = Rules::of_flow(flow);
    let mut topics: Vec<String> = admin.topics(limit)?.into_keys().collect();
    topics.retain(|topic| {
        let selection = rules.select(topic);
        let is_mirrored = matches!(selection, Selection::Included | Selection::NotEvaluated(_));
        is_mirrored && !topology.is_internal(topic)
    });
    let begun = Instant::now();
    let before = admin.offsets(&topics, At::Latest, limit)?;
    limit.pause(STANDSTILL)?;
    let after = admin.offsets(&topics, At::Latest, limit)?;
    let moving = moving(&before, &after, begun.elapsed());
    if moving.is_empty() {
        return Ok(topics.len());
    }
    Err(DrillError::NotFenced { moving })
}

/// The topics whose ends moved, with how fast they did.
fn moving(before: &Ends, after: &Ends, time: Duration) -> Vec<String> {
    let mut moved: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, end) in after {
        let by = end.abs_diff(before.get(place).copied().unwrap_or(0));
        *moved.entry(&place.0).or_default() += by;
    }
    let moved = moved.into_iter().filter(|(_, by)| *by > 0);
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let told = moved.map(|(topic, by)| {
        let rate = by as f64 / time.as_secs_f64();
        format!(
            "topic `{topic}` still grows by {rate:.1} records/s ({by} in {})",
            seconds(time)
        )
    });
    told.collect()
}

/// Waits until every partition of the drill's topic is on the target to its end.
///
/// # Errors
/// [`DrillError::NotCopied`].
pub(super) fn copied(plan: &Plan<'_>, limit: &Limit) -> Result<(), DrillError> {
    let mut source = Admin::connect_patiently(&plan.source.endpoints, limit)?;
    let mut target = Admin::connect_patiently(&plan.target.endpoints, limit)?;
    let wanted = source.offsets(std::slice::from_ref(&plan.topic), At::Latest, limit)?;
    let copied = limit.until(LOOK, || {
        let there = target.offsets(std::slice::from_ref(&plan.mirrored), At::Latest, limit)?;
        let short = wanted.iter().find_map(|((_, partition), end)| {
            let at = there
                .get(&(plan.mirrored.clone(), *partition))
                .copied()
                .unwrap_or(0);
            (at < *end).then(|| format!("partition {partition} ends at {at} of {end}"))
        });
        Ok::<_, KafkaError>(short.map_or(Probe::Ready(()), Probe::NotYet))
    });
    copied.map_err(|error| match error {
        KafkaError::Stopped(Stop::Deadline { allowed, last_seen }) => DrillError::NotCopied {
            seen: last_seen,
            waited: allowed,
        },
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_is_named_with_its_rate() {
        let ends = |orders: i64, idle: i64| {
            let at = |topic: &str, partition| (topic.to_owned(), partition);
            Ends::from([
                (at("idle", 0), idle),
                (at("orders", 0), orders),
                (at("orders", 1), 7),
            ])
        };
        let time = Duration::from_secs(3);
        assert_eq!(moving(&ends(10, 5), &ends(10, 5), time), [""; 0]);
        let told = "topic `orders` still grows by 10.0 records/s (30 in 3.0 s)";
        assert_eq!(moving(&ends(10, 5), &ends(40, 5), time), [told]);
        let before = Ends::new();
        assert_eq!(
            moving(&before, &ends(3, 0), time).len(),
            1,
            "a topic that is new"
        );
    }
}
