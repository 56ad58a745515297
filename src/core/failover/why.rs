//! Why a group would not go on exactly where it stopped. Knows nothing of how many records that are.

use super::store::translate;
use super::{Begins, Outlook, Partition, Place};
use serde::Serialize;

/// What MirrorMaker does with the places of a group in one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirroring {
    /// It notes them on the target.
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
    InStep,
    /// MirrorMaker translates to an earlier offset on purpose: it keeps few offset syncs, and never guesses between two.
    SparseSyncs,
    /// The place is right, and behind it lie records that were copied once more (at least once, after a crash).
    CopiedAgain,
    /// MirrorMaker has not noted it yet.
    NotSyncedYet,
    /// MirrorMaker has no sync that far back, and notes nothing until the group has read past one.
    NoSync,
    /// It stands further on than MirrorMaker put it: someone read there, or moved it. MirrorMaker never moves it back.
    Ahead,
    /// Someone reads for the group on the target, and MirrorMaker leaves it alone.
    ActiveOnTarget,
    /// `sync.group.offsets.enabled = false` of the flow.
    SyncOff,
    /// `emit.checkpoints.enabled = false` of the flow.
    CheckpointsOff,
    /// The group is not among those of the flow.
    Excluded,
    /// The place lies beyond the end of the source: someone set it, or records are lost.
    BeyondTheEnd,
    /// The place on the target is not there: its record is deleted already, or never came.
    OutOfRange,
    /// The target has no copy of the topic, or of that partition of it.
    NoCopy,
    /// The flow does not take the topic.
    TopicLeftOut,
    /// The topic is a copy from that target: MirrorMaker brings no places back.
    CameFromThere,
}

impl Why {
    /// Judges one place, of a topic that has a copy.
    pub fn of(
        outlook: Outlook,
        partition: &Partition<'_>,
        place: Place,
        mirroring: Mirroring,
    ) -> Self {
        if mirroring == Mirroring::Active {
            return Self::ActiveOnTarget;
        }
        if place.source > partition.source.end {
            return Self::BeyondTheEnd;
        }
        if outlook.is_in_step() {
            return Self::InStep;
        }
        if outlook.begins == Begins::AtItsPlace && outlook.skipped.most() > 0 {
            return Self::Ahead;
        }
        match mirroring {
            Mirroring::SyncOff => return Self::SyncOff,
            Mirroring::CheckpointsOff => return Self::CheckpointsOff,
            Mirroring::Excluded => return Self::Excluded,
            Mirroring::On | Mirroring::Active => {}
        }
        if place.target.is_some() && outlook.begins == Begins::WhereItsClientsChoose {
            return Self::OutOfRange;
        }
        let best = translate(partition.syncs, place.source);
        if best.is_none() && !partition.syncs.is_empty() {
            return Self::NoSync;
        }
        let Some(at) = place.target else {
            return Self::NotSyncedYet;
        };
        let written = place.checkpoint.map(|checkpoint| checkpoint.downstream);
        if written.is_none_or(|written| written > at) || best > Some(at) {
            return Self::NotSyncedYet;
        }
        if nearest(partition, place.source).is_some_and(|nearest| at >= nearest) {
            Self::CopiedAgain
        } else {
            Self::SparseSyncs
        }
    }
}

/// Where a group at `source` would go on if no record was copied twice after the sync before it.
fn nearest(partition: &Partition<'_>, source: i64) -> Option<i64> {
    let before = partition.syncs.iter().filter(|one| one.upstream <= source);
    let last = before.max_by_key(|one| one.downstream)?;
    Some(last.downstream + (source - last.upstream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::failover::tests::sync;
    use crate::core::failover::{Bounds, Gaps, Writers, outlook};
    use crate::core::mirror_state::{Checkpoint, OffsetSync};

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
            noted: Some(499),
            target: Bounds { first: 0, end },
            source: Bounds { first: 0, end: 500 },
            gaps: Gaps::None,
            target_gaps: Gaps::None,
            writers: Writers::MirrorMaker,
        };
        let checkpoint = checkpoint.map(|(upstream, downstream)| Checkpoint {
            upstream,
            downstream,
            time: None,
        });
        let place = Place {
            source,
            target,
            checkpoint,
        };
        Why::of(outlook(&partition, place), &partition, place, mirroring)
    }

    #[test]
    fn each_reason() {
        use Mirroring::{Active, CheckpointsOff, Excluded, On, SyncOff};
        let some = [sync(0, 0), sync(286, 286), sync(499, 499)];
        assert_eq!(why(&some, Some(300), None, On), Why::InStep);
        let told = Some((300, 287));
        assert_eq!(why(&some, Some(287), told, On), Why::SparseSyncs);
        // a checkpoint, and not noted for the group
        assert_eq!(why(&some, Some(200), told, On), Why::NotSyncedYet);
        assert_eq!(why(&some, None, told, On), Why::NotSyncedYet);
        // a sync, and no checkpoint by it
        let old = Some((200, 1));
        assert_eq!(why(&some, Some(1), old, On), Why::NotSyncedYet);
        assert_eq!(why(&some, Some(1), None, On), Why::NotSyncedYet);
        assert_eq!(why(&some[1..], None, None, On), Why::NotSyncedYet);
        assert_eq!(why(&some[2..], None, None, On), Why::NoSync);
        assert_eq!(why(&some[2..], Some(1), old, On), Why::NoSync);
        assert_eq!(why(&[], None, None, On), Why::NotSyncedYet);
        assert_eq!(why(&some, Some(310), told, On), Why::Ahead);
        assert_eq!(why(&some, Some(310), told, SyncOff), Why::Ahead);
        assert_eq!(why(&some, Some(600), told, On), Why::OutOfRange);
        assert_eq!(why(&some, Some(287), told, SyncOff), Why::SyncOff);
        assert_eq!(why(&some, None, None, CheckpointsOff), Why::CheckpointsOff);
        assert_eq!(why(&some, None, None, Excluded), Why::Excluded);
        assert_eq!(why(&some, Some(300), None, Excluded), Why::InStep);
        assert_eq!(why(&some, Some(300), told, Active), Why::ActiveOnTarget);
        assert_eq!(of(501, &some, Some(500), told, On), Why::BeyondTheEnd);
    }

    #[test]
    fn a_place_that_is_right_and_records_that_came_twice() {
        let syncs = [sync(0, 0), sync(310, 310), sync(290, 320), sync(499, 529)];
        let told = Some((300, 300));
        assert_eq!(why(&syncs, Some(330), told, Mirroring::On), Why::InStep);
        assert_eq!(
            why(&syncs[..2], Some(300), told, Mirroring::On),
            Why::InStep
        );
        let syncs = [sync(0, 0), sync(300, 300), sync(290, 320), sync(499, 529)];
        assert_eq!(
            why(&syncs, Some(331), Some((301, 331)), Mirroring::On),
            Why::Ahead
        );
    }
}
