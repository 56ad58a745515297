//! A group that moves back to the cluster from which the records that it reads were copied. MirrorMaker syncs offsets along
//! with records, one way: back there it continues at the offset that it had committed when it left.

use super::target_log::{TargetLog, count};
use super::{Amount, NONE, Outlook, Partition};
use crate::core::mirrormaker::state::Checkpoint;

/// A group in a topic that was copied, and in the one that it was copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// Where it goes on in the copy.
    pub away: i64,
    /// Where it would go on in the original, if an offset is committed there.
    pub home: Option<i64>,
    /// What MirrorMaker last worked out for it on the way out.
    pub checkpoint: Option<Checkpoint>,
}

impl Back {
    /// What MirrorMaker committed for it, where it has read nothing beyond that.
    fn as_it_was_put(self) -> Option<Checkpoint> {
        self.checkpoint
            .filter(|checkpoint| self.away <= checkpoint.downstream)
    }
}

/// Judges such a return. The partition is that of the flow that made the copy: its source is where the group goes back to.
pub fn outlook_back(partition: &Partition<'_>, committed: Back) -> Outlook {
    let copies = TargetLog::of(partition);
    let home = partition.source;
    let (low, high) = copies.reached(committed.away);
    let known_from = copies.known_from().unwrap_or(i64::MAX).max(home.first);
    // an offset of the original is a record only where it has no gaps
    let surely = |from: i64, to: i64| {
        if copies.is_gapless() {
            count(to - from)
        } else {
            0
        }
    };
    let read_from = |from: i64| {
        let surely = surely(from.max(known_from), low);
        Amount::between(surely, count(high - from.max(home.first)))
    };
    let unread_to = |to: i64| {
        let surely = surely(high.max(home.first), to);
        Amount::between(surely, count(to - low.max(home.first)))
    };
    let Some(at) = committed.home.filter(|at| home.holds(*at)) else {
        return Outlook::where_its_clients_choose(read_from(home.first), unread_to(home.end));
    };
    match committed.as_it_was_put() {
        // it has consumed nothing on the target, and resumes from its committed offset on the source
        Some(put) if at >= put.upstream => Outlook::at_committed(NONE, NONE),
        Some(_) => Outlook::at_committed(read_from(at), NONE),
        None => Outlook::at_committed(read_from(at), unread_to(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::failover::tests::sync;
    use crate::core::judge::failover::{Begins, Bounds, Gaps, Writers};
    use Amount::{AtMost, Exactly};

    /// 5000 records, all copied once.
    fn partition(syncs: &[crate::core::mirrormaker::state::OffsetSync]) -> Partition<'_> {
        let all = Bounds {
            first: 0,
            end: 5_000,
        };
        Partition {
            syncs,
            position: Some(4_999),
            target: all,
            source: all,
            gaps: Gaps::None,
            target_gaps: Gaps::None,
            writers: Writers::MirrorMaker,
            target_records: None,
        }
    }

    fn put(upstream: i64, downstream: i64) -> Checkpoint {
        Checkpoint {
            upstream,
            downstream,
            time: None,
        }
    }

    #[test]
    fn what_it_read_away_from_home_is_delivered_again_there() {
        let syncs = [sync(0, 0), sync(4_999, 4_999)];
        let partition = partition(&syncs);
        let back = |home, away, checkpoint| {
            let committed = Back {
                away,
                home,
                checkpoint,
            };
            let told = outlook_back(&partition, committed);
            (told.begins, told.again, told.skipped, told.further)
        };
        let none = Exactly(0);
        let (valid, choosing) = (Begins::AtCommittedOffset, Begins::ByAutoOffsetReset);
        assert_eq!(
            back(Some(3_000), 5_000, Some(put(3_000, 3_000))),
            (valid, Exactly(2_000), Some(none), none)
        );
        // it never left: MirrorMaker put it there, a little further back
        assert_eq!(
            back(Some(3_000), 2_900, Some(put(3_000, 2_900))),
            (valid, none, Some(none), none)
        );
        // it left, came back, and read on at home
        assert_eq!(
            back(Some(4_000), 3_500, Some(put(3_000, 2_900))),
            (valid, none, None, Exactly(500))
        );
        // it was moved back at home since
        assert_eq!(
            back(Some(10), 2_900, Some(put(3_000, 2_900))),
            (valid, Exactly(2_890), Some(none), none)
        );
        // it never was at home
        assert_eq!(
            back(None, 500, None),
            (choosing, Exactly(500), Some(Exactly(4_500)), none)
        );
    }

    #[test]
    fn where_offsets_have_no_record_only_a_bound_is_told() {
        let syncs = [sync(0, 0), sync(4_999, 4_499)];
        let mut partition = partition(&syncs);
        partition.target.end = 4_500;
        partition.gaps = Gaps::Possible;
        let committed = |home, away| Back {
            away,
            home: Some(home),
            checkpoint: Some(put(3_000, 2_700)),
        };
        let told = outlook_back(&partition, committed(3_000, 4_500));
        assert_eq!((told.again, told.further), (AtMost(2_000), Exactly(0)));
        let told = outlook_back(&partition, committed(3_000, 2_700));
        assert!(told.is_in_step(), "{told:?}");
    }
}
