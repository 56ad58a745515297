//! Which offset MirrorMaker itself would translate an offset to: it keeps only a few of its offset syncs.
//!
//! After `OffsetSyncStore`, as it is from Kafka 3.5.2 on: 64 slots, in which syncs stand further apart the further back they
//! lie (KAFKA-15202). `offset.lag.max` makes them rarer still.

use crate::core::mirrormaker::state::OffsetSync;

/// One for each power of two that fits into an offset.
const SLOTS: usize = i64::BITS as usize;

/// The syncs that MirrorMaker remembers of those written, the latest first; empty where there are none.
fn remembered(written: &[OffsetSync]) -> Vec<OffsetSync> {
    let mut kept: Vec<OffsetSync> = Vec::new();
    for &sync in written {
        let is_forward = kept
            .first()
            .is_some_and(|latest| latest.upstream <= sync.upstream);
        if is_forward {
            remember(&mut kept, sync);
        } else {
            kept = vec![sync; SLOTS];
        }
    }
    kept
}

/// Puts the latest sync first, and moves those back that it displaces, as far as they stand at the right distances.
fn remember(kept: &mut [OffsetSync], sync: OffsetSync) {
    let before = kept.to_vec();
    let (mut replacement, mut candidate) = (sync, 0);
    kept[0] = sync;
    for slot in 1..SLOTS {
        let previous = kept[slot - 1];
        loop {
            let old = before[candidate];
            let is_apart = is_apart(previous, old, slot - 1);
            let leaves_room = kept
                .get(slot + 1)
                .is_none_or(|next| self::is_apart(old, *next, slot));
            let fits = is_apart && leaves_room && is_near(previous, old, slot);
            if fits {
                replacement = old;
            }
            let is_passed_over = !is_apart || before.get(candidate + 1) == Some(&old);
            if fits || is_passed_over {
                candidate += 1;
            }
            if candidate >= slot || !is_passed_over {
                break;
            }
        }
        if is_near(previous, kept[slot], slot) {
            return;
        }
        kept[slot] = replacement;
    }
}

/// Whether the sync of a slot is recent enough to stand behind the one before it.
fn is_near(before: OffsetSync, sync: OffsetSync, slot: usize) -> bool {
    let reach = (1_i64 << slot).wrapping_sub(1 << (slot - 1));
    let bound = sync.upstream.wrapping_add(reach);
    before == sync || bound < 0 || before.upstream <= bound
}

/// Whether the sync of a slot is as far from the one behind it as it must be.
fn is_apart(sync: OffsetSync, behind: OffsetSync, slot: usize) -> bool {
    let bound = behind.upstream.wrapping_add(1 << slot.saturating_sub(2));
    sync == behind || (bound >= 0 && sync.upstream >= bound)
}

/// Where MirrorMaker would have a group go on that stands at `source`; none where it has no sync so old.
pub(super) fn translate(written: &[OffsetSync], source: i64) -> Option<i64> {
    let kept = remembered(written);
    let nearest = kept.iter().find(|sync| sync.upstream <= source)?;
    Some(nearest.downstream + i64::from(nearest.upstream < source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::failover::tests::sync;

    #[test]
    fn syncs_are_rarer_the_further_back() {
        let written: Vec<OffsetSync> = (0..500)
            .map(|offset| OffsetSync {
                upstream: offset,
                downstream: offset,
            })
            .collect();
        for (source, downstream) in [
            (500, 500),
            (499, 499),
            (497, 497),
            (490, 489),
            (450, 449),
            (400, 385),
            (300, 257),
            (200, 1),
            (0, 0),
        ] {
            assert_eq!(translate(&written, source), Some(downstream), "{source}");
        }
        assert_eq!(translate(&written[100..], 99), None);
        assert_eq!(translate(&[], 0), None);
    }

    #[test]
    fn it_is_what_kafkas_own_class_answers() {
        let number = |text: &str| text.parse::<i64>().unwrap();
        let lines = include_str!("../../../../tests/fixtures/offset-sync-store.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (given, asked) = line.split_once('|').unwrap();
            let written: Vec<OffsetSync> = given
                .split_whitespace()
                .map(|sync| sync.split_once(':').unwrap())
                .map(|(upstream, downstream)| OffsetSync {
                    upstream: number(upstream),
                    downstream: number(downstream),
                })
                .collect();
            for (source, answer) in asked
                .split_whitespace()
                .map(|pair| pair.split_once('=').unwrap())
            {
                let answer = Some(number(answer)).filter(|&answer| answer != -1);
                assert_eq!(
                    translate(&written, number(source)),
                    answer,
                    "{source}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_step_back_makes_it_forget() {
        let written = [sync(0, 0), sync(9, 9), sync(5, 13), sync(8, 16)];
        assert_eq!(translate(&written, 4), None);
        assert_eq!(translate(&written, 6), Some(14));
        assert_eq!(translate(&written, 12), Some(17));
    }
}
