//! Judges a failback: whether each side has, by content, what its flow promises.

use super::equality::Difference;
use super::groups::{bound, outcome};
use super::{Acknowledged, Era, Facts, GroupFacts, RecordId};
use crate::core::judge::failover::Amount;
use serde::Serialize;
use std::collections::BTreeSet;

/// All partitions of one flow together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FlowDifference {
    /// `source->target`.
    pub flow: String,
    /// Records of the source.
    pub source: u64,
    /// Records of the target.
    pub target: u64,
    /// Records that the target does not have.
    pub missing: u64,
    /// Copies beyond the first of a record.
    pub surplus: u64,
    /// Records of the target that the source does not have.
    pub foreign: u64,
    /// Records that overtook another.
    pub out_of_order: u64,
    /// Partitions that could not be compared, and why.
    pub unknown: Vec<String>,
}

impl FlowDifference {
    /// Of the differences of partitions, each with what it is called, and why it is not known where it is not.
    pub fn of<'a>(
        flow: &str,
        partitions: impl IntoIterator<Item = (String, Result<&'a Difference, &'a str>)>,
    ) -> Self {
        let mut sum = Self {
            flow: flow.to_owned(),
            ..Self::default()
        };
        for (partition, difference) in partitions {
            match difference {
                Ok(one) => {
                    sum.source += one.source;
                    sum.target += one.target;
                    sum.missing += one.missing;
                    sum.surplus += one.surplus;
                    sum.foreign += one.foreign;
                    sum.out_of_order += one.out_of_order;
                }
                Err(why) => sum.unknown.push(format!("{partition}: {why}")),
            }
        }
        sum
    }
}

/// What a group was given of the records that were written during the failback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupReturn {
    /// The group.
    pub group: String,
    /// Records that it was given again after the switch back, as often as it was.
    pub again: u64,
    /// What was predicted just before the switch back; none where it had not committed an offset.
    #[serde(serialize_with = "bound")]
    pub again_predicted: Option<Amount>,
    /// Records that were acknowledged and that it was never given, on neither side.
    pub skipped: u64,
    /// What was predicted.
    #[serde(serialize_with = "bound")]
    pub skipped_predicted: Option<Amount>,
    /// Whether both are as predicted, partition by partition.
    pub as_predicted: bool,
}

/// A group that moved from the target back to the source.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Of the topic that was written to on the target: what it was given there, then of the mirrored one.
    pub group: &'a GroupFacts,
    /// What the target acknowledged.
    pub written: &'a [Acknowledged],
    /// What both sides acknowledged.
    pub acknowledged: &'a BTreeSet<(Era, RecordId)>,
    /// What it was given on the target, of all its topics, in order.
    pub there: &'a [(Era, RecordId)],
    /// The same on the source, after that.
    pub home: &'a [(Era, RecordId)],
}

/// What of the acknowledged records a group was given, and whether that was predicted.
pub fn returned(moved: &Moved<'_>) -> GroupReturn {
    let mut given: BTreeSet<(Era, RecordId)> = moved.there.iter().copied().collect();
    let home = moved.home.iter();
    let again = home.filter(|record| !given.insert(**record)).count();
    let predicted = outcome(&as_failover(moved.written), moved.group);
    GroupReturn {
        group: moved.group.name.clone(),
        again: again as u64,
        again_predicted: predicted.again_predicted,
        skipped: moved.acknowledged.difference(&given).count() as u64,
        skipped_predicted: predicted.skipped_predicted,
        as_predicted: predicted.as_predicted,
    }
}

/// The switch back as a failover of what the target acknowledged: all of it was mirrored.
fn as_failover(written: &[Acknowledged]) -> Facts {
    let mut facts = Facts::default();
    for one in written {
        let sent = facts.sent.entry(one.partition).or_default();
        *sent = one.sequences.end.max(*sent);
        let records = one.sequences.clone().map(|sequence| RecordId {
            partition: one.partition,
            sequence,
        });
        facts
            .sides
            .target
            .extend(records.map(|record| (record, vec![0])));
    }
    facts
}

/// What has to hold after a failback. Copies beyond the first do not break it: MirrorMaker delivers at least once. They are
/// counted and told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "expectation")]
pub enum Promise {
    /// Every partition could be compared.
    Compared {
        /// The flow.
        flow: String,
    },
    /// Every record of the source is on the target.
    NothingMissing {
        /// The flow.
        flow: String,
    },
    /// The target has no record that the source does not have.
    NothingForeign {
        /// The flow.
        flow: String,
    },
    /// Each partition has the order of its source.
    InOrder {
        /// The flow.
        flow: String,
    },
    /// The group was given every record.
    NothingSkipped {
        /// The group.
        group: String,
    },
    /// The group was given again, and skipped, what was predicted.
    AsPredicted {
        /// The group.
        group: String,
    },
    /// What was acknowledged while records were written is there to be compared: a comparison of nothing proves nothing.
    Written {
        /// The flow.
        flow: String,
        /// Records acknowledged on its source.
        acknowledged: u64,
    },
}

/// A promise, and whether it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What has to hold.
    #[serde(flatten)]
    pub promise: Promise,
    /// Whether it does.
    pub held: bool,
}

/// Judges both flows after the switch back, with how many records each source acknowledged at least, and the groups.
pub fn promises(flows: &[(&FlowDifference, u64)], groups: &[GroupReturn]) -> Vec<Kept> {
    let of_one = |(one, acknowledged): &(&FlowDifference, u64)| {
        let flow = || one.flow.clone();
        let all = [
            (Promise::Compared { flow: flow() }, one.unknown.is_empty()),
            (Promise::NothingMissing { flow: flow() }, one.missing == 0),
            (Promise::NothingForeign { flow: flow() }, one.foreign == 0),
            (Promise::InOrder { flow: flow() }, one.out_of_order == 0),
            (
                Promise::Written {
                    flow: flow(),
                    acknowledged: *acknowledged,
                },
                *acknowledged > 0 && one.source >= *acknowledged,
            ),
        ];
        all.map(|(promise, held)| Kept { promise, held })
    };
    let of_group = |one: &GroupReturn| {
        let group = || one.group.clone();
        let all = [
            (Promise::NothingSkipped { group: group() }, one.skipped == 0),
            (Promise::AsPredicted { group: group() }, one.as_predicted),
        ];
        all.map(|(promise, held)| Kept { promise, held })
    };
    let of_flows = flows.iter().flat_map(of_one);
    of_flows.chain(groups.iter().flat_map(of_group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::drill::{Given, Predicted};

    fn broken(difference: &FlowDifference, acknowledged: u64) -> Vec<Promise> {
        let kept = promises(&[(difference, acknowledged)], &[]);
        let broken = kept.into_iter().filter(|one| !one.held);
        broken.map(|one| one.promise).collect()
    }

    #[test]
    fn every_difference_but_copies_breaks_a_promise() {
        let flow = || "a->b".to_owned();
        let same = Difference {
            source: 10,
            target: 13,
            surplus: 3,
            ..Difference::default()
        };
        let of = |change: fn(&mut Difference)| {
            let mut one = same.clone();
            change(&mut one);
            FlowDifference::of(
                "a->b",
                [("p".to_owned(), Ok(&one)), ("q".to_owned(), Ok(&same))],
            )
        };
        let good = of(|_| ());
        assert_eq!((good.source, good.target, good.surplus), (20, 26, 6));
        assert_eq!(broken(&good, 20), []);
        assert_eq!(
            broken(&of(|one| one.missing = 1), 20),
            [Promise::NothingMissing { flow: flow() }]
        );
        assert_eq!(
            broken(&of(|one| one.foreign = 1), 20),
            [Promise::NothingForeign { flow: flow() }]
        );
        assert_eq!(
            broken(&of(|one| one.out_of_order = 1), 20),
            [Promise::InOrder { flow: flow() }]
        );
    }

    fn record(era: Era, sequence: u64) -> (Era, RecordId) {
        let partition = 0;
        (
            era,
            RecordId {
                partition,
                sequence,
            },
        )
    }

    fn broken_by(group: GroupReturn) -> Vec<Promise> {
        let kept = promises(&[], &[group]);
        let broken = kept.into_iter().filter(|one| !one.held);
        broken.map(|one| one.promise).collect()
    }

    #[test]
    fn a_group_is_given_records_again_or_never() {
        let before = |sequence| record(Era::Before, sequence);
        let after = |sequence| record(Era::After, sequence);
        let acknowledged: BTreeSet<_> = (0..4).flat_map(|at| [before(at), after(at)]).collect();
        let there = [before(0), before(1), before(1)];
        let home = [before(1), before(2), after(0), after(0), after(1), after(2)];
        let name = || "g".to_owned();
        let group = returned(&Moved {
            group: &GroupFacts {
                name: name(),
                ..GroupFacts::default()
            },
            written: &[],
            acknowledged: &acknowledged,
            there: &there,
            home: &home,
        });
        // before 1 and after 0; before 3 and after 3
        assert_eq!((group.again, group.skipped), (2, 2));
        assert_eq!(
            broken_by(group),
            [Promise::NothingSkipped { group: name() }]
        );
    }

    /// A group that committed 3 of 5 records, and was predicted to be given this many again.
    fn moved(predicted: u64, home: &[u64]) -> GroupReturn {
        let given = |sequence: u64| Given {
            at: 0,
            era: Era::Before,
            record: record(Era::Before, sequence).1,
            offset: i64::try_from(sequence).unwrap(),
            key: 0,
        };
        let predicted = Predicted {
            again: Amount::Exactly(predicted),
            skipped: Amount::Exactly(0),
            committed: 3,
            synced: Some(2),
            target_end: 5,
        };
        let group = GroupFacts {
            name: "g".to_owned(),
            before: (0..3).map(given).collect(),
            after: home.iter().copied().map(given).collect(),
            committed: [(0, 3)].into(),
            asked: [(0, 3)].into(),
            predicted: [(0, predicted)].into(),
            synced: [(0, 2)].into(),
        };
        let written = Acknowledged {
            partition: 0,
            sequences: 0..5,
            offset: Some(0),
            at: 0,
        };
        let all: BTreeSet<_> = (0..5).map(|at| record(Era::Before, at)).collect();
        let there: Vec<_> = (0..3).map(|at| record(Era::Before, at)).collect();
        let home: Vec<_> = home.iter().map(|at| record(Era::Before, *at)).collect();
        returned(&Moved {
            group: &group,
            written: &[written],
            acknowledged: &all,
            there: &there,
            home: &home,
        })
    }

    #[test]
    fn what_a_group_is_given_again_after_the_switch_back_is_held_against_the_prediction() {
        let group = "g".to_owned();
        let as_told = moved(1, &[2, 3, 4]);
        assert_eq!(as_told.again_predicted, Some(Amount::Exactly(1)));
        assert_eq!(broken_by(as_told), []);
        let more = moved(0, &[2, 3, 4]);
        assert_eq!((more.again, more.skipped), (1, 0));
        assert_eq!(broken_by(more), [Promise::AsPredicted { group }]);
        let fewer = moved(2, &[2, 3, 4]);
        assert!(!fewer.as_predicted);
        let skips = moved(1, &[2, 4]);
        assert_eq!((skips.skipped, broken_by(skips).len()), (1, 2));
    }

    #[test]
    fn what_was_not_compared_or_not_written_proves_nothing() {
        let flow = || "a->b".to_owned();
        let unknown = FlowDifference::of("a->b", [("orders-1".to_owned(), Err("no leader"))]);
        assert_eq!(unknown.unknown, ["orders-1: no leader"]);
        let written = |acknowledged| Promise::Written {
            flow: flow(),
            acknowledged,
        };
        assert_eq!(
            broken(&unknown, 5),
            [Promise::Compared { flow: flow() }, written(5)]
        );
        let empty = FlowDifference::of("a->b", []);
        assert_eq!(broken(&empty, 0), [written(0)]);
    }
}
