//! How fast records are produced and copied, from two looks.

use super::report::{FlowLag, PartitionLag};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records a second of all topics that a flow copies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Written to the source.
    pub inward: f64,
    /// Noted by MirrorMaker as written to the target.
    pub outward: f64,
}

/// The pace between two looks at the same flow. Partitions that were not there before, and those that were recreated, do not
/// count.
pub fn pace(before: &FlowLag, now: &FlowLag, between: Duration) -> Pace {
    let was: BTreeMap<_, _> = places(before).collect();
    let (mut inward, mut outward) = (0i64, 0i64);
    for (place, now) in places(now) {
        let Some(was) = was.get(&place) else {
            continue;
        };
        inward = inward.saturating_add(now.end.saturating_sub(was.end).max(0));
        let next = |one: &PartitionLag| {
            one.position
                .map_or(one.first, |position| position.saturating_add(1))
        };
        outward = outward.saturating_add(next(now).saturating_sub(next(was)).max(0));
    }
    // as many as a partition can hold lose nothing that anybody sees
    #[allow(clippy::cast_precision_loss)]
    let a_second = |records: i64| match between.as_secs_f64() {
        0.0 => 0.0,
        seconds => records as f64 / seconds,
    };
    Pace {
        inward: a_second(inward),
        outward: a_second(outward),
    }
}

fn places(flow: &FlowLag) -> impl Iterator<Item = ((&str, i32), &PartitionLag)> {
    let copied = flow.topics.iter().filter(|topic| topic.state.is_copied());
    copied.flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|one| ((topic.source.as_str(), one.partition), one))
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::flow;
    use super::*;

    #[test]
    fn what_came_and_went_between_two_looks() {
        let before = flow(&[(0, 10, Some(4)), (0, 7, None)]);
        let now = flow(&[(0, 30, Some(14)), (0, 9, Some(1)), (0, 99, Some(98))]);
        let pace = pace(&before, &now, Duration::from_secs(2));
        assert_eq!((pace.inward, pace.outward), (11.0, 6.0));
    }

    #[test]
    fn a_topic_recreated_does_not_run_backwards() {
        let before = flow(&[(0, 100, Some(99))]);
        let now = flow(&[(0, 5, Some(4))]);
        assert_eq!(pace(&before, &now, Duration::from_secs(1)), Pace::default());
        assert_eq!(pace(&now, &before, Duration::ZERO), Pace::default());
    }
}
