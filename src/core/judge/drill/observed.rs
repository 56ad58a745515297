//! Judges a failover around producers and consumers of a person's own: by ends and committed offsets, without a ledger.

use super::checks::{Budget, Check, Expectation};
use super::facts::{Micros, Times};
use super::rto::Part;
use super::seconds;
use serde::Serialize;
use std::collections::BTreeMap;

/// Offsets by partition.
pub type Offsets = BTreeMap<i32, i64>;

/// All that was seen.
#[derive(Debug, Clone, Default)]
pub struct ObservedFacts {
    /// When what happened; `switched` and `first_write` are not known.
    pub times: Times,
    /// Whether the failover was planned.
    pub is_planned: bool,
    /// The topics.
    pub topics: Vec<TopicFacts>,
    /// The groups.
    pub groups: Vec<CommitFacts>,
}

/// What is known of a topic.
#[derive(Debug, Clone, Default)]
pub struct TopicFacts {
    /// On the source.
    pub topic: String,
    /// As it is mirrored to the target.
    pub mirrored: String,
    /// Where the source begins.
    pub first: Offsets,
    /// Where the source ends, with all that it acknowledged before the fault.
    pub ends: Offsets,
    /// MirrorMaker's positions once it had ended: the last offsets that it had committed as mirrored.
    pub positions: Offsets,
    /// When the first record was written to the target after the switch; none where there was none.
    pub written: Option<Micros>,
}

/// What is known of a group.
#[derive(Debug, Clone, Default)]
pub struct CommitFacts {
    /// Its name.
    pub group: String,
    /// Where it stood.
    pub offsets: Vec<PartitionOffsets>,
    /// When it first committed on the target after the switch; none where it did not.
    pub committed: Option<Micros>,
}

/// Where a group stood in a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PartitionOffsets {
    /// The topic on the source.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Its committed offset on the source, before the switch.
    pub committed: Option<i64>,
    /// Its committed offset in the mirrored topic when MirrorMaker had ended.
    pub synced: Option<i64>,
    /// The same at the end of the drill.
    pub after: Option<i64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observed {
    /// Offsets of all topics that the source had before the fault, and that MirrorMaker had not committed as mirrored: no more
    /// records than this were lost.
    pub rpo_at_most: u64,
    /// From the fault to the last of all topics that was written to, and of all groups that committed; none where one was or did not.
    pub rto_seconds: Option<f64>,
    /// What it consists of.
    pub rto_parts: Vec<Part>,
    /// In the order in which they were named.
    pub topics: Vec<ObservedTopic>,
    /// Likewise.
    pub groups: Vec<ObservedGroup>,
    /// What had to hold.
    pub checks: Vec<Check>,
}

/// What came of a topic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObservedTopic {
    /// On the source.
    pub topic: String,
    /// As it is mirrored to the target.
    pub mirrored: String,
    /// Of all partitions.
    pub missing_at_most: u64,
    /// By partition.
    pub partitions: Vec<ObservedPartition>,
    /// From the fault to the first record that was written to the target after the switch.
    pub first_write_seconds: Option<f64>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObservedPartition {
    /// Its number.
    pub partition: i32,
    /// Where the source ended.
    pub source_end: i64,
    /// The next offset that MirrorMaker would have copied, as far as it had committed that; none where it had committed nothing.
    pub copied_to: Option<i64>,
    /// Offsets between these.
    pub missing_at_most: u64,
}

/// What came of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObservedGroup {
    /// Its name.
    pub group: String,
    /// Where it stood, by topic and partition.
    pub offsets: Vec<PartitionOffsets>,
    /// From the fault to its first commit on the target after the switch.
    pub first_commit_seconds: Option<f64>,
}

impl Observed {
    /// Whether everything held that had to.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }
}

/// Judges a drill that is over.
pub fn observed(facts: &ObservedFacts, budget: &Budget) -> Observed {
    let since = |at: Micros| seconds(at.saturating_sub(facts.times.fault.from));
    let topics: Vec<ObservedTopic> = facts
        .topics
        .iter()
        .map(|topic| {
            let partitions: Vec<ObservedPartition> = partitions(topic).collect();
            ObservedTopic {
                topic: topic.topic.clone(),
                mirrored: topic.mirrored.clone(),
                missing_at_most: partitions.iter().map(|one| one.missing_at_most).sum(),
                partitions,
                first_write_seconds: topic.written.map(since),
            }
        })
        .collect();
    let groups = facts.groups.iter().map(|group| ObservedGroup {
        group: group.group.clone(),
        offsets: group.offsets.clone(),
        first_commit_seconds: group.committed.map(since),
    });
    let groups: Vec<ObservedGroup> = groups.collect();
    let rpo_at_most = topics.iter().map(|topic| topic.missing_at_most).sum();
    let (rto_seconds, rto_parts) = rto(facts);
    Observed {
        checks: checks(facts, budget, rpo_at_most, rto_seconds),
        rpo_at_most,
        rto_seconds,
        rto_parts,
        topics,
        groups,
    }
}

fn partitions(topic: &TopicFacts) -> impl Iterator<Item = ObservedPartition> {
    topic.ends.iter().map(|(&partition, &source_end)| {
        let copied_to = topic.positions.get(&partition).map(|last| last + 1);
        let first = topic.first.get(&partition).copied().unwrap_or(0);
        let from = copied_to.unwrap_or(0).max(first);
        ObservedPartition {
            partition,
            source_end,
            copied_to,
            missing_at_most: u64::try_from(source_end - from).unwrap_or(0),
        }
    })
}

fn rto(facts: &ObservedFacts) -> (Option<f64>, Vec<Part>) {
    let written: Option<Vec<Micros>> = facts.topics.iter().map(|topic| topic.written).collect();
    let committed: Option<Vec<Micros>> = facts.groups.iter().map(|group| group.committed).collect();
    let (Some(written), Some(committed)) = (written, committed) else {
        return (None, Vec::new());
    };
    let times = &facts.times;
    let last = |moments: Vec<Micros>| moments.into_iter().max().unwrap_or(0);
    let marks = [
        ("detected", times.detected),
        ("decided", times.decided),
        ("fenced", times.fenced),
        ("producers_switched", last(written)),
        ("consumers_switched", last(committed)),
    ];
    let mut now = times.fault.from;
    let mut parts = Vec::new();
    for (name, mark) in marks {
        let reached = mark.max(now);
        let seconds = seconds(reached - now);
        parts.push(Part { name, seconds });
        now = reached;
    }
    (Some(seconds(now - times.fault.from)), parts)
}

fn checks(facts: &ObservedFacts, budget: &Budget, rpo: u64, rto: Option<f64>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut check = |expectation, held| checks.push(Check { expectation, held });
    for topic in &facts.topics {
        let name = topic.topic.clone();
        check(
            Expectation::Written { topic: name },
            topic.written.is_some(),
        );
    }
    for group in &facts.groups {
        let name = group.group.clone();
        check(
            Expectation::Committed { group: name },
            group.committed.is_some(),
        );
    }
    if facts.is_planned {
        check(Expectation::NothingLost, rpo == 0);
    }
    if let Some(records) = budget.rpo {
        check(Expectation::RpoMax { records }, rpo <= records);
    }
    if let Some(most) = budget.rto {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let held = rto.is_some_and(|rto| rto <= most.as_secs_f64());
        check(Expectation::RtoMax { millis }, held);
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::Bracket;
    use super::*;
    use std::time::Duration;

    fn facts() -> ObservedFacts {
        ObservedFacts {
            times: Times {
                fault: Bracket {
                    from: 1_000_000,
                    until: 1_100_000,
                },
                detected: 3_000_000,
                decided: 3_000_000,
                fenced: 3_500_000,
                ..Times::default()
            },
            is_planned: false,
            topics: vec![TopicFacts {
                topic: "orders".to_owned(),
                mirrored: "primary.orders".to_owned(),
                // of the third nothing was copied, and what came first is gone
                first: Offsets::from([(0, 0), (1, 0), (2, 40)]),
                ends: Offsets::from([(0, 100), (1, 10), (2, 50)]),
                positions: Offsets::from([(0, 89), (1, 9)]),
                written: Some(9_000_000),
            }],
            groups: vec![CommitFacts {
                group: "billing".to_owned(),
                offsets: Vec::new(),
                committed: Some(11_000_000),
            }],
        }
    }

    #[test]
    fn what_is_missing_lies_between_the_position_and_the_end() {
        let told = observed(&facts(), &Budget::default());
        let missing = told.topics[0].partitions.iter();
        let missing: Vec<u64> = missing.map(|one| one.missing_at_most).collect();
        assert_eq!(missing, [10, 0, 10]);
        assert_eq!((told.rpo_at_most, told.topics[0].missing_at_most), (20, 20));
        assert!(told.passed(), "a loss is a result");
    }

    #[test]
    fn it_is_over_when_the_last_of_all_has_switched() {
        let told = observed(&facts(), &Budget::default());
        assert_eq!(told.rto_seconds, Some(10.0));
        let parts: Vec<f64> = told.rto_parts.iter().map(|part| part.seconds).collect();
        assert_eq!(parts, [2.0, 0.0, 0.5, 5.5, 2.0]);
        let mut open = facts();
        open.groups[0].committed = None;
        let told = observed(&open, &Budget::default());
        assert_eq!((told.rto_seconds, told.rto_parts.len()), (None, 0));
        assert!(!told.passed());
        open = facts();
        open.topics[0].written = None;
        assert!(!observed(&open, &Budget::default()).passed());
    }

    #[test]
    fn budgets_are_compared_with_the_most_that_may_be() {
        let held = |rpo, rto| {
            let rto = Some(Duration::from_secs(rto));
            observed(
                &facts(),
                &Budget {
                    rpo: Some(rpo),
                    rto,
                },
            )
            .passed()
        };
        assert!(held(20, 10));
        assert!(!held(19, 10) && !held(20, 9));
        let planned = ObservedFacts {
            is_planned: true,
            ..facts()
        };
        assert!(!observed(&planned, &Budget::default()).passed());
    }
}
