//! Judges a failback: whether each side has, by content, what its flow promises.

use super::equality::Difference;
use super::{Era, RecordId};
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
    /// Records that were acknowledged and that it was never given, on neither side.
    pub skipped: u64,
}

/// What of the acknowledged records a group was given on the target and then on the source, in order.
pub fn returned(
    group: &str,
    acknowledged: &BTreeSet<(Era, RecordId)>,
    there: &[(Era, RecordId)],
    home: &[(Era, RecordId)],
) -> GroupReturn {
    let mut given: BTreeSet<(Era, RecordId)> = there.iter().copied().collect();
    let again = home.iter().filter(|record| !given.insert(**record)).count();
    GroupReturn {
        group: group.to_owned(),
        again: again as u64,
        skipped: acknowledged.difference(&given).count() as u64,
    }
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
    let of_group = |one: &GroupReturn| Kept {
        promise: Promise::NothingSkipped {
            group: one.group.clone(),
        },
        held: one.skipped == 0,
    };
    let of_flows = flows.iter().flat_map(of_one);
    of_flows.chain(groups.iter().map(of_group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_group_is_given_records_again_or_never() {
        let record = |era, sequence| {
            let partition = 0;
            (
                era,
                RecordId {
                    partition,
                    sequence,
                },
            )
        };
        let before = |sequence| record(Era::Before, sequence);
        let after = |sequence| record(Era::After, sequence);
        let acknowledged: BTreeSet<_> = (0..4).flat_map(|at| [before(at), after(at)]).collect();
        let there = [before(0), before(1), before(1)];
        let home = [before(1), before(2), after(0), after(0), after(1), after(2)];
        let group = returned("g", &acknowledged, &there, &home);
        // before 1 and after 0; before 3 and after 3
        assert_eq!((group.again, group.skipped), (2, 2));
        let kept = promises(&[], &[group]);
        assert!(!kept[0].held);
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
