//! Works out what a consumer group would read again, and what it would skip, if it continued at the target now. Pure:
//! offsets in, verdict out.
//!
//! What is said here stands in `docs/groups.md`, with where each number comes from.

mod back;
mod last_seen;
#[cfg(test)]
mod simulated;
mod store;
mod target_log;
mod why;

pub use back::{Back, outlook_back};
pub use last_seen::{LastSeen, outlook_last_seen};
pub use why::{Mirroring, Why};

use crate::core::mirrormaker::state::{Checkpoint, OffsetSync};
use serde::Serialize;
use target_log::TargetLog;

/// Offsets of a partition from the first that is there, to the one that the next record will get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The first record that is still there.
    pub first: i64,
    /// Where the next record will go.
    pub end: i64,
}

impl Bounds {
    fn holds(self, offset: i64) -> bool {
        (self.first..=self.end).contains(&offset)
    }
}

/// Whether a partition may have offsets without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// No: it is not compacted, and its cluster never saw a transaction, whose end takes an offset.
    None,
    /// It may.
    Possible,
}

/// Who may have written to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// MirrorMaker alone: the copy has a name of its own.
    MirrorMaker,
    /// Others too: it is called as on the source, and applications may have moved over already.
    Anyone,
}

/// A partition of the source and its copy, as far as brokers and MirrorMaker's internal topics tell.
///
/// The order in which this is asked for matters: `position`, then `target`, then all else. What is written meanwhile makes
/// less certain then, and nothing wrong.
#[derive(Debug, Clone, Copy)]
pub struct Partition<'a> {
    /// Offset syncs in the order in which they were written.
    pub syncs: &'a [OffsetSync],
    /// The offset of the last record of the source that MirrorMaker committed as copied.
    pub position: Option<i64>,
    /// The copy.
    pub target: Bounds,
    /// The source.
    pub source: Bounds,
    /// Of the source.
    pub gaps: Gaps,
    /// Of the copy.
    pub target_gaps: Gaps,
    /// Of the copy.
    pub writers: Writers,
    /// The offsets of the copy that have a record, where they were looked for.
    pub target_records: Option<&'a [i64]>,
}

impl Partition<'_> {
    /// No more than the records of the copy that are there from `at` on.
    fn at_most_there(&self, amount: Amount, at: i64) -> Amount {
        let there = self.target_records.map(|offsets| {
            let before = offsets.partition_point(|offset| *offset < at);
            (offsets.len() - before) as u64
        });
        match (amount, there) {
            (Amount::AtMost(most), Some(there)) => Amount::between(0, most.min(there)),
            (amount, _) => amount,
        }
    }
}

/// The committed offsets of a group in such a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// On the source: all records before it are read.
    pub source: i64,
    /// On the target, if one is committed there.
    pub target: Option<i64>,
    /// What MirrorMaker last worked out for it.
    pub checkpoint: Option<Checkpoint>,
}

/// A number of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// This many.
    Exactly(u64),
    /// This many, or fewer.
    AtMost(u64),
}

impl Amount {
    fn between(low: u64, high: u64) -> Self {
        if low >= high {
            Self::Exactly(low)
        } else {
            Self::AtMost(high)
        }
    }

    /// The number, or the most that it can be.
    pub fn most(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::AtMost(number) => number,
        }
    }

    /// Whether it is only a bound.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::AtMost(_))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = self.most().saturating_add(other.most());
        if self.is_bound() || other.is_bound() {
            Self::AtMost(sum)
        } else {
            Self::Exactly(sum)
        }
    }
}

const NONE: Amount = Amount::Exactly(0);

/// Where the group's clients would begin on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Begins {
    /// At the offset that is committed there.
    AtCommittedOffset,
    /// Where they choose to (`auto.offset.reset`): no offset is committed there, or one that the partition does not hold.
    /// Then `again` is told for those that begin at the first record, and `skipped` for those that begin at the end.
    ByAutoOffsetReset,
}

/// What would happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Where reading would begin.
    pub begins: Begins,
    /// Records in the log of the target that the group has read on the source, and would be given again.
    pub again: Amount,
    /// Records that it has not read, and would not be given; none where that cannot be known, as it stands further on there.
    pub skipped: Option<Amount>,
    /// Records from its offset on the source to its offset on the target, where that is further on: they were read there,
    /// or someone moved the group. Kafka keeps no note of which.
    pub further: Amount,
}

impl Outlook {
    /// Whether it would go on exactly where it stopped.
    pub fn is_in_step(self) -> bool {
        self.begins == Begins::AtCommittedOffset && self.again == NONE && self.further == NONE
    }

    fn at_committed(again: Amount, further: Amount) -> Self {
        Self {
            begins: Begins::AtCommittedOffset,
            again,
            skipped: (further == NONE).then_some(NONE),
            further,
        }
    }

    fn where_its_clients_choose(again: Amount, skipped: Amount) -> Self {
        Self {
            begins: Begins::ByAutoOffsetReset,
            again,
            skipped: Some(skipped),
            further: NONE,
        }
    }
}

/// Judges a failover of one group in one partition.
pub fn outlook(partition: &Partition<'_>, committed: Committed) -> Outlook {
    let copies = TargetLog::of(partition);
    if let Some(at) = committed.target.filter(|at| partition.target.holds(*at)) {
        return Outlook::at_committed(
            partition.at_most_there(copies.before(committed.source, at), at),
            copies.missed(committed.source, at),
        );
    }
    let first = partition.target.first;
    let again = copies.before(committed.source, first);
    let all = partition.target.end.abs_diff(first);
    let unread = match again {
        Amount::Exactly(again) if partition.target_gaps == Gaps::None => {
            Amount::Exactly(all - again)
        }
        _ => Amount::between(0, all - copies.surely_before(committed.source, first)),
    };
    Outlook::where_its_clients_choose(
        partition.at_most_there(again, first),
        partition.at_most_there(unread, first),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const fn sync(upstream: i64, downstream: i64) -> OffsetSync {
        OffsetSync {
            upstream,
            downstream,
        }
    }

    fn partition(syncs: &[OffsetSync], end: i64) -> Partition<'_> {
        Partition {
            syncs,
            position: None,
            target: Bounds { first: 0, end },
            source: Bounds { first: 0, end: 500 },
            gaps: Gaps::None,
            target_gaps: Gaps::None,
            writers: Writers::MirrorMaker,
            target_records: None,
        }
    }

    fn at(source: i64, target: Option<i64>) -> Committed {
        Committed {
            source,
            target,
            checkpoint: None,
        }
    }

    #[track_caller]
    fn expect(partition: &Partition<'_>, committed: Committed, again: Amount, skipped: Amount) {
        let seen = outlook(partition, committed);
        let passed_over = match seen.begins {
            Begins::AtCommittedOffset => seen.further,
            Begins::ByAutoOffsetReset => seen.skipped.unwrap(),
        };
        assert_eq!((seen.again, passed_over), (again, skipped), "{committed:?}");
    }

    use Amount::{AtMost, Exactly};

    #[test]
    fn a_group_at_the_end_reads_nothing_again() {
        let syncs = [sync(0, 0), sync(499, 499)];
        let partition = partition(&syncs, 500);
        assert!(outlook(&partition, at(500, Some(500))).is_in_step());
        expect(&partition, at(500, Some(490)), Exactly(10), Exactly(0));
    }

    #[test]
    fn between_two_syncs_that_agree_every_record_is_known() {
        let syncs = [sync(0, 0), sync(286, 286), sync(499, 499)];
        let partition = partition(&syncs, 500);
        expect(&partition, at(300, Some(287)), Exactly(13), Exactly(0));
        // someone moved it on
        expect(&partition, at(300, Some(310)), Exactly(0), Exactly(10));
    }

    #[test]
    fn where_syncs_do_not_agree_only_a_bound_is_told() {
        // ten records more than there should be
        let syncs = [sync(0, 0), sync(100, 110), sync(499, 509)];
        let partition = partition(&syncs, 510);
        expect(&partition, at(50, Some(0)), AtMost(60), Exactly(0));
        expect(&partition, at(200, Some(110)), Exactly(100), Exactly(0));
        expect(&partition, at(50, Some(60)), AtMost(10), AtMost(10));
    }

    #[test]
    fn what_was_copied_twice_is_delivered_twice() {
        // read to 9, copied to 12, killed, and copied again from 5
        let syncs = [sync(0, 0), sync(5, 13), sync(99, 107)];
        let mut partition = partition(&syncs, 108);
        partition.source.end = 100;
        expect(&partition, at(100, Some(10)), Exactly(98), Exactly(0));
        expect(&partition, at(9, Some(13)), Exactly(4), Exactly(0));
        expect(&partition, at(5, Some(5)), AtMost(8), Exactly(0));
    }

    #[test]
    fn where_there_may_be_gaps_two_syncs_prove_nothing() {
        let syncs = [sync(0, 0), sync(10, 10), sync(399, 399)];
        let mut partition = partition(&syncs, 400);
        partition.gaps = Gaps::Possible;
        expect(&partition, at(5, Some(0)), AtMost(398), Exactly(0));
        expect(&partition, at(5, Some(5)), AtMost(393), AtMost(5));
        // a sync is a fact all the same
        expect(&partition, at(400, Some(399)), Exactly(1), Exactly(0));
        expect(&partition, at(399, Some(399)), Exactly(0), Exactly(0));
    }

    #[test]
    fn where_no_sync_reaches_the_beginning_the_numbers_that_agree_do() {
        let syncs = [sync(299, 299), sync(499, 499)];
        let mut partition = partition(&syncs, 500);
        expect(&partition, at(200, Some(1)), Exactly(199), Exactly(0));
        partition.syncs = &[];
        partition.position = Some(499);
        expect(&partition, at(200, None), Exactly(200), Exactly(300));
        // MirrorMaker began at 100, and came to 299 with 100 records too many
        partition.syncs = &syncs;
        partition.source.first = 100;
        expect(&partition, at(200, Some(1)), AtMost(298), AtMost(99));
        // what could no longer be copied is not counted as missed
        expect(&partition, at(50, Some(500)), Exactly(0), AtMost(450));
        // there is nothing before the first of all offsets
        expect(&partition, at(0, None), Exactly(0), Exactly(500));
    }

    #[test]
    fn what_others_wrote_to_a_copy_is_not_taken_for_copies() {
        let syncs = [sync(0, 0), sync(499, 499)];
        let mut partition = partition(&syncs, 505);
        expect(&partition, at(500, Some(490)), Exactly(15), Exactly(0));
        partition.writers = Writers::Anyone;
        expect(&partition, at(500, Some(490)), AtMost(15), Exactly(0));
        expect(&partition, at(500, Some(500)), AtMost(5), Exactly(0));
    }

    #[test]
    fn without_an_offset_both_choices_of_its_clients_are_told() {
        let syncs = [sync(0, 0), sync(499, 499)];
        let partition = partition(&syncs, 500);
        let seen = outlook(&partition, at(300, None));
        assert_eq!(seen.begins, Begins::ByAutoOffsetReset);
        assert_eq!(
            (seen.again, seen.skipped),
            (Exactly(300), Some(Exactly(200)))
        );
        // and so with an offset that is not there
        assert_eq!(outlook(&partition, at(300, Some(501))), seen);
    }

    #[test]
    fn an_offset_without_a_record_is_not_delivered() {
        // compaction has left the last of each of 51 keys
        let syncs = [sync(0, 0), sync(1_000, 1_000), sync(2_020, 2_020)];
        let mut partition = partition(&syncs, 2_021);
        partition.source.end = 2_030;
        (partition.gaps, partition.target_gaps) = (Gaps::Possible, Gaps::Possible);
        let records: Vec<i64> = (1_970..2_021).collect();
        expect(&partition, at(2_021, Some(1)), AtMost(2_020), Exactly(0));
        partition.target_records = Some(&records);
        expect(&partition, at(2_021, Some(1)), AtMost(51), Exactly(0));
        expect(&partition, at(2_021, Some(2_001)), AtMost(20), Exactly(0));
        expect(&partition, at(2_021, None), AtMost(51), AtMost(51));
    }

    #[test]
    fn what_is_said_of_two_partitions_together() {
        assert_eq!(Exactly(1).plus(Exactly(2)), Exactly(3));
        assert_eq!(Exactly(1).plus(AtMost(2)), AtMost(3));
    }
}
