//! The fence of a planned failover: nothing is written to the source any more, and what was written is copied.

use super::DrillError;
use super::plan::Side;
use crate::core::judge::lag::FlowLag;
use crate::core::lab::{Lab, lag};
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::wait::{Limit, Probe, Stop, seconds};
use kmk_kafka::{Admin, At};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// For this long no topic may grow.
const STANDSTILL: Duration = Duration::from_secs(3);
/// How often it is looked whether all is copied.
const LOOK: Duration = Duration::from_millis(50);
/// How long one look may take.
const ANSWER: Duration = Duration::from_secs(10);

/// Ends of topics, by topic and partition.
type Ends = BTreeMap<(String, i32), i64>;

/// Ends of all topics that the flow mirrors, which stood still.
#[derive(Debug)]
pub(super) struct Fence {
    ends: Ends,
    seen: Instant,
}

/// Watches the ends of all topics that the flow mirrors.
///
/// # Errors
/// [`DrillError::NotFenced`] with each topic that moved.
pub(super) fn verify(
    topology: &Topology,
    flow: &Flow,
    source: &Side,
    limit: &Limit,
) -> Result<Fence, DrillError> {
    let mut admin = Admin::connect_patiently(&source.endpoints, limit)?;
    let rules = Rules::of_flow(flow);
    let mut topics: Vec<String> = admin.topics(limit)?.into_keys().collect();
    topics.retain(|topic| {
        let selection = rules.select(topic);
        let is_mirrored = matches!(selection, Selection::Included | Selection::NotEvaluated(_));
        is_mirrored && !topology.is_internal(topic)
    });
    let seen = Instant::now();
    let ends = admin.offsets(&topics, At::Latest, limit)?;
    limit.pause(STANDSTILL)?;
    let fence = Fence { ends, seen };
    fence.holds(source, limit)?;
    Ok(fence)
}

impl Fence {
    /// Looks whether nothing has been written since.
    ///
    /// # Errors
    /// [`DrillError::NotFenced`] with each topic that moved.
    pub(super) fn holds(&self, source: &Side, limit: &Limit) -> Result<(), DrillError> {
        let mut admin = Admin::connect_patiently(&source.endpoints, limit)?;
        let topics: BTreeSet<String> = self.ends.keys().map(|(topic, _)| topic.clone()).collect();
        let topics: Vec<String> = topics.into_iter().collect();
        let now = admin.offsets(&topics, At::Latest, limit)?;
        let moving = moving(&self.ends, &now, self.seen.elapsed());
        if moving.is_empty() {
            return Ok(());
        }
        Err(DrillError::NotFenced { moving })
    }
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

/// Waits until every partition of every topic that the flow mirrors is copied to its end, by MirrorMaker's positions.
///
/// # Errors
/// [`DrillError::NotCopied`].
pub(super) fn copied(lab: &Lab, flow: &Flow, limit: &Limit) -> Result<(), DrillError> {
    let copied = limit.until(LOOK, || {
        // one look is not cut short: what it does not come to would be unknown
        let whole = Limit::new(ANSWER, limit.interrupt());
        let flows = lag::glance(lab, &whole);
        let lag = flows.iter().find(|lag| lag.name == flow.name());
        let left = lag.map_or_else(|| Some("the flow is gone".to_owned()), left);
        Ok::<_, Stop>(left.map_or(Probe::Ready(()), Probe::NotYet))
    });
    copied.map_err(|stop| match stop {
        Stop::Deadline { allowed, last_seen } => DrillError::NotCopied {
            seen: last_seen,
            waited: allowed,
        },
        Stop::Interrupted => stop.into(),
    })
}

/// What is left to copy of a flow, or not known of it.
fn left(flow: &FlowLag) -> Option<String> {
    let left = flow.topics.iter().filter(|topic| topic.behind > 0);
    let left: Vec<String> = left
        .map(|topic| {
            let behind = topic.partitions.iter().filter(|one| one.behind > 0);
            let partitions: Vec<String> = behind.map(|one| one.partition.to_string()).collect();
            let (name, behind, partitions) = (&topic.source, topic.behind, partitions.join(", "));
            format!(
                "records of topic `{name}` that are not copied: {behind} (partition {partitions})"
            )
        })
        .collect();
    if left.is_empty() {
        return flow.problem.clone();
    }
    Some(left.join("; "))
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
