//! A partition in which things go wrong, and what of that has to be told.

use proptest::collection::btree_set;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What is done in one partition.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// Records sent; the last ones are not acknowledged.
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    /// Sequence numbers that never reach the target.
    pub(super) lost: BTreeSet<u64>,
    /// Those that are copied twice.
    pub(super) twice: BTreeSet<u64>,
    /// Those that the source does not have any more.
    pub(super) gone: BTreeSet<u64>,
    /// What a group had read on the source, and committed of it.
    pub(super) read: u64,
    pub(super) committed: u64,
    /// Where it begins in the log of the target.
    pub(super) begins: usize,
    /// Sequence numbers that are hidden from it there.
    pub(super) hidden: BTreeSet<u64>,
}

pub(super) fn world() -> impl Strategy<Value = World> {
    let few = || btree_set(0..30_u64, 0..8);
    let numbers = (1..30_u64, 0..30_u64, 0..30_u64, 0..30_u64, 0..30_usize);
    (numbers, few(), few(), few(), few()).prop_map(
        |((sent, open, read, committed, begins), lost, twice, gone, hidden)| {
            let read = read.min(sent);
            World {
                sent,
                acknowledged: sent - open.min(sent),
                lost,
                twice,
                gone,
                read,
                committed: committed.min(read),
                begins,
                hidden,
            }
        },
    )
}

impl World {
    /// The target's log: sequence numbers in the order of their offsets.
    pub(super) fn log(&self) -> Vec<u64> {
        let there = (0..self.sent).filter(|number| !self.lost.contains(number));
        there
            .flat_map(|number| vec![number; 1 + usize::from(self.twice.contains(&number))])
            .collect()
    }

    /// What the group is given of it, with offsets.
    pub(super) fn given(&self) -> Vec<(i64, u64)> {
        let log = (0..).zip(self.log()).skip(self.begins);
        log.filter(|(_, number)| !self.hidden.contains(number))
            .collect()
    }

    pub(super) fn again_at(&self) -> Vec<i64> {
        let again = self
            .given()
            .into_iter()
            .filter(|(_, number)| *number < self.committed);
        again.map(|(offset, _)| offset).collect()
    }

    pub(super) fn again(&self) -> u64 {
        self.again_at().len() as u64
    }

    /// The first copy of each record that is skipped.
    pub(super) fn skipped_at(&self) -> Vec<i64> {
        let mut skipped = self.skipped();
        let log = (0..).zip(self.log());
        let first = log.filter(|(_, number)| skipped.remove(number));
        first.map(|(offset, _)| offset).collect()
    }

    pub(super) fn second_copies(&self) -> Vec<i64> {
        let log = self.log();
        let second = (1..log.len()).filter(|at| log[at - 1] == log[*at]);
        second.map(|at| i64::try_from(at).unwrap()).collect()
    }

    pub(super) fn skipped(&self) -> BTreeSet<u64> {
        let given: BTreeSet<u64> = self.given().into_iter().map(|(_, number)| number).collect();
        let log = self.log().into_iter();
        log.filter(|number| *number >= self.committed && !given.contains(number))
            .collect()
    }

    pub(super) fn missing(&self) -> Vec<u64> {
        let missing = (0..self.acknowledged).filter(|number| self.lost.contains(number));
        missing.collect()
    }
}
