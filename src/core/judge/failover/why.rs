//! Why a group would not continue exactly where it stopped.

use super::store::translate;
use super::target_log::TargetLog;
use super::{Amount, Begins, Committed, Gaps, NONE, Outlook, Partition, Writers};
use serde::Serialize;

/// What MirrorMaker does with the offsets of a group in one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirroring {
    /// It commits them on the target.
    On,
    /// Someone reads for the group on the target: what they note is not touched (KIP-545).
    Active,
    /// It works out where the group is to go on, and does not note it (`sync.group.offsets.enabled = false`).
    SyncOff,
    /// It does not even work it out (`emit.checkpoints.enabled = false`).
    CheckpointsOff,
    /// The group is not among those of the flow (`groups`, `groups.exclude`).
    Excluded,
}

/// The reason, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There is none: it would go on exactly where it stopped.
    InSync,
    /// MirrorMaker translates to an earlier offset on purpose: it keeps few offset syncs, and never guesses between two.
    SparseSyncs,
    /// The offset is right, and after it come records that were copied once more (at least once, after a crash).
    MirroredTwice,
    /// The offset may be right: offsets without a record (what ends a transaction, what compaction took away) leave a bound only.
    OffsetsWithoutRecords,
    /// The offset may be right: others write to the mirrored topic too, which leaves a bound only.
    OtherWriters,
    /// MirrorMaker has not committed it yet.
    NotSyncedYet,
    /// MirrorMaker has no sync that far back, and notes nothing until the group has read past one.
    NoOffsetSync,
    /// It stands further on there: it was read there, or moved. MirrorMaker never moves it back.
    Ahead,
    /// Someone reads for the group on the target, and MirrorMaker leaves it alone.
    ActiveOnTarget,
    /// `sync.group.offsets.enabled = false` of the flow.
    SyncOff,
    /// `emit.checkpoints.enabled = false` of the flow.
    CheckpointsOff,
    /// The group is not among those of the flow.
    Excluded,
    /// The offset is beyond the end of the source: someone set it, or records are lost.
    BeyondEnd,
    /// The offset on the target does not exist: its record is deleted already, or never came.
    OutOfRange,
    /// The target has no copy of the topic, or of that partition of it.
    NoMirroredTopic,
    /// The flow does not take the topic.
    TopicNotMirrored,
    /// The topic is mirrored from that target: MirrorMaker syncs no offsets back.
    MirroredFromTarget,
    /// The source does not answer: it is told from where MirrorMaker last committed the group.
    LastSeen,
}

impl Why {
    /// Judges one committed offset, of a topic that has a mirrored topic.
    pub fn of(
        outlook: Outlook,
        partition: &Partition<'_>,
        committed: Committed,
        mirroring: Mirroring,
    ) -> Self {
        if mirroring == Mirroring::Active {
            return Self::ActiveOnTarget;
        }
        if committed.source > partition.source.end {
            return Self::BeyondEnd;
        }
        if outlook.is_in_step() {
            return Self::InSync;
        }
        if outlook.further != NONE {
            return Self::Ahead;
        }
        match mirroring {
            Mirroring::SyncOff => return Self::SyncOff,
            Mirroring::CheckpointsOff => return Self::CheckpointsOff,
            Mirroring::Excluded => return Self::Excluded,
            Mirroring::On | Mirroring::Active => {}
        }
        if committed.target.is_some() && outlook.begins == Begins::ByAutoOffsetReset {
            return Self::OutOfRange;
        }
        let best = translate(partition.syncs, committed.source);
        if best.is_none() && !partition.syncs.is_empty() {
            return Self::NoOffsetSync;
        }
        let Some(at) = committed.target else {
            return Self::NotSyncedYet;
        };
        let written = committed.checkpoint.map(|checkpoint| checkpoint.downstream);
        if written.is_none_or(|written| written > at) || best > Some(at) {
            return Self::NotSyncedYet;
        }
        if !is_nearest(partition, committed.source, at) {
            return Self::SparseSyncs;
        }
        // what makes the number then is told only where it was seen
        let others_write = partition.writers == Writers::Anyone;
        if !others_write && TargetLog::of(partition).repeats(at) {
            return Self::MirroredTwice;
        }
        match outlook.again {
            Amount::AtMost(_) if has_gaps(partition) => Self::OffsetsWithoutRecords,
            _ if others_write => Self::OtherWriters,
            _ => Self::MirroredTwice,
        }
    }

    /// Judges a group that goes back to where a topic was copied from.
    pub fn of_back(outlook: Outlook, mirroring: Mirroring) -> Self {
        if outlook.is_in_step() {
            Self::InSync
        } else if mirroring == Mirroring::Active {
            Self::ActiveOnTarget
        } else if outlook.further != NONE && outlook.again == NONE {
            Self::Ahead
        } else {
            Self::MirroredFromTarget
        }
    }
}

fn has_gaps(partition: &Partition<'_>) -> bool {
    [partition.gaps, partition.target_gaps].contains(&Gaps::Possible)
}

/// Whether no better offset than `at` can be known, if no record was copied twice after the sync before it.
fn is_nearest(partition: &Partition<'_>, source: i64, at: i64) -> bool {
    let before = partition.syncs.iter().filter(|one| one.upstream <= source);
    let Some(last) = before.max_by_key(|one| one.downstream) else {
        return false;
    };
    let further = source - last.upstream;
    // how many records are between two syncs is not known where offsets may have none
    if has_gaps(partition) && further > 1 {
        let mut syncs = partition.syncs.iter();
        return syncs.any(|one| one.upstream >= source && one.downstream == at);
    }
    at >= last.downstream + further
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::failover::tests::sync;
    use crate::core::judge::failover::{Bounds, Gaps, Writers, outlook};
    use crate::core::mirrormaker::state::{Checkpoint, OffsetSync};

    /// Of a group that read 300 of 500 records.
    fn why(
        syncs: &[OffsetSync],
        target: Option<i64>,
        checkpoint: Option<(i64, i64)>,
        mirroring: Mirroring,
    ) -> Why {
        of(300, syncs, target, checkpoint, mirroring)
    }

    fn of(
        source: i64,
        syncs: &[OffsetSync],
        target: Option<i64>,
        checkpoint: Option<(i64, i64)>,
        mirroring: Mirroring,
    ) -> Why {
        let end = syncs.last().map_or(0, |last| last.downstream + 1);
        let partition = Partition {
            syncs,
            position: Some(499),
            target: Bounds { first: 0, end },
            source: Bounds { first: 0, end: 500 },
            gaps: Gaps::None,
            target_gaps: Gaps::None,
            writers: Writers::MirrorMaker,
            target_records: None,
        };
        let checkpoint = checkpoint.map(|(upstream, downstream)| Checkpoint {
            upstream,
            downstream,
            time: None,
        });
        let committed = Committed {
            source,
            target,
            checkpoint,
        };
        Why::of(
            outlook(&partition, committed),
            &partition,
            committed,
            mirroring,
        )
    }

    #[test]
    fn each_reason() {
        use Mirroring::{Active, CheckpointsOff, Excluded, On, SyncOff};
        let some = [sync(0, 0), sync(286, 286), sync(499, 499)];
        assert_eq!(why(&some, Some(300), None, On), Why::InSync);
        let told = Some((300, 287));
        assert_eq!(why(&some, Some(287), told, On), Why::SparseSyncs);
        // a checkpoint, and not committed for the group
        assert_eq!(why(&some, Some(200), told, On), Why::NotSyncedYet);
        assert_eq!(why(&some, None, told, On), Why::NotSyncedYet);
        // a sync, and no checkpoint by it
        let old = Some((200, 1));
        assert_eq!(why(&some, Some(1), old, On), Why::NotSyncedYet);
        assert_eq!(why(&some, Some(1), None, On), Why::NotSyncedYet);
        assert_eq!(why(&some[1..], None, None, On), Why::NotSyncedYet);
        assert_eq!(why(&some[2..], None, None, On), Why::NoOffsetSync);
        assert_eq!(why(&some[2..], Some(1), old, On), Why::NoOffsetSync);
        assert_eq!(why(&[], None, None, On), Why::NotSyncedYet);
        assert_eq!(why(&some, Some(310), told, On), Why::Ahead);
        assert_eq!(why(&some, Some(310), told, SyncOff), Why::Ahead);
        assert_eq!(why(&some, Some(600), told, On), Why::OutOfRange);
        assert_eq!(why(&some, Some(287), told, SyncOff), Why::SyncOff);
        assert_eq!(why(&some, None, None, CheckpointsOff), Why::CheckpointsOff);
        assert_eq!(why(&some, None, None, Excluded), Why::Excluded);
        assert_eq!(why(&some, Some(300), None, Excluded), Why::InSync);
        assert_eq!(why(&some, Some(300), told, Active), Why::ActiveOnTarget);
        assert_eq!(of(501, &some, Some(500), told, On), Why::BeyondEnd);
    }

    #[test]
    fn an_offset_that_is_right_and_records_that_came_twice() {
        let syncs = [sync(0, 0), sync(310, 310), sync(290, 320), sync(499, 529)];
        let told = Some((300, 300));
        assert_eq!(why(&syncs, Some(330), told, Mirroring::On), Why::InSync);
        assert_eq!(
            why(&syncs[..2], Some(300), told, Mirroring::On),
            Why::InSync
        );
        let syncs = [sync(0, 0), sync(300, 300), sync(290, 320), sync(499, 529)];
        assert_eq!(
            why(&syncs, Some(331), Some((301, 331)), Mirroring::On),
            Why::Ahead
        );
    }

    /// Ten records and what ends their transaction, again and again: 500 offsets of which 455 are copied.
    fn transactions() -> Vec<OffsetSync> {
        let begins = (0..46).map(|number| sync(number * 11, number * 10));
        begins.collect()
    }

    #[test]
    fn transactions_are_no_records_that_were_copied_twice() {
        let syncs = transactions();
        let mut partition = Partition {
            syncs: &syncs,
            position: Some(499),
            target: Bounds { first: 0, end: 455 },
            source: Bounds { first: 0, end: 500 },
            gaps: Gaps::Possible,
            target_gaps: Gaps::None,
            writers: Writers::MirrorMaker,
            target_records: None,
        };
        let why = |partition: &Partition<'_>, source, at: i64| {
            let committed = Committed {
                source,
                target: Some(at),
                checkpoint: Some(Checkpoint {
                    upstream: source,
                    downstream: at,
                    time: None,
                }),
            };
            let outlook = outlook(partition, committed);
            // MirrorMaker put it there: nothing is skipped
            assert_eq!(outlook.further, NONE, "{committed:?}");
            Why::of(outlook, partition, committed, Mirroring::On)
        };
        // right behind what ends the 31st transaction, whose first record is the last that MirrorMaker has a sync of
        assert_eq!(why(&partition, 341, 310), Why::OffsetsWithoutRecords);
        assert_eq!(why(&partition, 349, 311), Why::SparseSyncs);
        partition.writers = Writers::Anyone;
        partition.gaps = Gaps::None;
        partition.source.end = 455;
        let copied = [sync(0, 0), sync(300, 300)];
        partition.syncs = &copied;
        assert_eq!(why(&partition, 300, 300), Why::OtherWriters);
    }

    #[test]
    fn a_group_that_goes_back() {
        let back = |again, further| {
            let outlook = Outlook::at_committed(again, further);
            Why::of_back(outlook, Mirroring::On)
        };
        let some = Amount::Exactly(2_000);
        assert_eq!(back(some, NONE), Why::MirroredFromTarget);
        assert_eq!(back(NONE, NONE), Why::InSync);
        assert_eq!(back(NONE, some), Why::Ahead);
    }
}
