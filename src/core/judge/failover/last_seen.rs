//! A failover while the source does not answer: what the target and MirrorMaker's topics on it still tell. Where the group
//! stands is not known then, only where it was when MirrorMaker last committed it.

use super::target_log::count;
use super::{Amount, Bounds, Outlook};
use crate::core::mirrormaker::state::Checkpoint;

/// A group in a partition of which only the mirrored topic can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeen {
    /// What MirrorMaker last worked out for it.
    pub checkpoint: Checkpoint,
    /// On the target, if one is committed there.
    pub target: Option<i64>,
}

/// Judges such a failover: it may have read on since. With it, about how many records would be delivered again if it did
/// not, told where the last record copied, `position`, has the same offset on both sides: then none was copied twice, as far as
/// can be seen, and each offset is a record.
pub fn outlook_last_seen(
    target: Bounds,
    position: Option<i64>,
    committed: LastSeen,
) -> (Outlook, Option<u64>) {
    let LastSeen { checkpoint, .. } = committed;
    let valid = committed.target.filter(|at| target.holds(*at));
    let from = valid.unwrap_or(target.first);
    let there = count(target.end - from);
    let agrees = position.is_some_and(|position| position.saturating_add(1) == target.end);
    let unread = count(target.end - checkpoint.upstream);
    let as_seen = agrees.then(|| there.saturating_sub(unread));
    let again = Amount::between(0, there);
    let outlook = match valid {
        // every record from its offset on is behind MirrorMaker's position
        Some(at) => {
            let further = Amount::between(0, count(at - checkpoint.downstream));
            Outlook::at_committed(again, further)
        }
        None => Outlook::where_its_clients_choose(again, again),
    };
    (outlook, as_seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::failover::Begins;
    use Amount::{AtMost, Exactly};

    #[test]
    fn only_what_the_target_holds_can_be_delivered_again() {
        let target = Bounds { first: 0, end: 500 };
        let told = |committed_there, upstream, downstream| {
            let checkpoint = Checkpoint {
                upstream,
                downstream,
                time: Some(1),
            };
            let committed = LastSeen {
                checkpoint,
                target: committed_there,
            };
            let (outlook, as_seen) = outlook_last_seen(target, Some(499), committed);
            let differs = outlook_last_seen(target, Some(510), committed);
            assert_eq!(
                differs,
                (outlook, None),
                "markers of transactions lie there"
            );
            (outlook.begins, outlook.again, outlook.further, as_seen)
        };
        let (valid, choosing) = (Begins::AtCommittedOffset, Begins::ByAutoOffsetReset);
        assert_eq!(
            told(Some(287), 300, 287),
            (valid, AtMost(213), Exactly(0), Some(13))
        );
        assert_eq!(
            told(Some(500), 500, 500),
            (valid, Exactly(0), Exactly(0), Some(0))
        );
        // it was read there
        assert_eq!(
            told(Some(400), 300, 287),
            (valid, AtMost(100), AtMost(113), Some(0))
        );
        assert_eq!(
            told(None, 300, 287),
            (choosing, AtMost(500), Exactly(0), Some(300))
        );
    }
}
