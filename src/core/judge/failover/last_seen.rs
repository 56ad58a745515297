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
    /// Where it would go on at the target, if an offset is committed there.
    pub target: Option<i64>,
}

/// Judges such a failover: it may have read on since. With it, about how many records would be delivered again if it did
/// not, told where the last record copied, `noted`, has the same offset on both sides: then none was copied twice, as far as
/// can be seen, and each offset is a record.
pub fn outlook_last_seen(
    target: Bounds,
    noted: Option<i64>,
    place: LastSeen,
) -> (Outlook, Option<u64>) {
    let LastSeen { checkpoint, .. } = place;
    let placed = place.target.filter(|at| target.holds(*at));
    let from = placed.unwrap_or(target.first);
    let there = count(target.end - from);
    let agrees = noted.is_some_and(|noted| noted.saturating_add(1) == target.end);
    let unread = count(target.end - checkpoint.upstream);
    let as_seen = agrees.then(|| there.saturating_sub(unread));
    let again = Amount::between(0, there);
    let outlook = match placed {
        // every record from its offset on is behind MirrorMaker's position
        Some(at) => {
            let further = Amount::between(0, count(at - checkpoint.downstream));
            Outlook::at_its_place(again, further)
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
        let told = |target_place, upstream, downstream| {
            let checkpoint = Checkpoint {
                upstream,
                downstream,
                time: Some(1),
            };
            let place = LastSeen {
                checkpoint,
                target: target_place,
            };
            let (outlook, as_seen) = outlook_last_seen(target, Some(499), place);
            let differs = outlook_last_seen(target, Some(510), place);
            assert_eq!(
                differs,
                (outlook, None),
                "markers of transactions lie there"
            );
            (outlook.begins, outlook.again, outlook.further, as_seen)
        };
        let (placed, choosing) = (Begins::AtCommittedOffset, Begins::ByAutoOffsetReset);
        assert_eq!(
            told(Some(287), 300, 287),
            (placed, AtMost(213), Exactly(0), Some(13))
        );
        assert_eq!(
            told(Some(500), 500, 500),
            (placed, Exactly(0), Exactly(0), Some(0))
        );
        // it was read there
        assert_eq!(
            told(Some(400), 300, 287),
            (placed, AtMost(100), AtMost(113), Some(0))
        );
        assert_eq!(
            told(None, 300, 287),
            (choosing, AtMost(500), Exactly(0), Some(300))
        );
    }
}
