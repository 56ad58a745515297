//! What MirrorMaker itself would translate an offset to: it keeps few of its syncs. Knows nothing of what is true.
//!
//! After `OffsetSyncStore`: of each range of offsets that begins at a multiple of a power of two it keeps one sync, so
//! that they become rarer the further back they lie. `offset.lag.max` makes them rarer still.

use crate::core::mirror_state::OffsetSync;

/// Powers of two that fit into an offset.
const RANGES: u32 = i64::BITS;

/// The syncs that MirrorMaker remembers of those written, the latest first.
fn remembered(written: &[OffsetSync]) -> Vec<OffsetSync> {
    let mut kept: Vec<OffsetSync> = Vec::new();
    for &sync in written {
        if kept
            .first()
            .is_none_or(|latest| latest.upstream > sync.upstream)
        {
            kept = vec![sync; RANGES as usize];
            continue;
        }
        kept[0] = sync;
        for range in 1..RANGES {
            let slot = &mut kept[range as usize];
            if (slot.upstream >> range) == (sync.upstream >> range) {
                break;
            }
            *slot = sync;
        }
    }
    kept
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
            (498, 498),
            (497, 497),
            (490, 481),
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
    fn a_step_back_makes_it_forget() {
        let sync = |upstream, downstream| OffsetSync {
            upstream,
            downstream,
        };
        let written = [sync(0, 0), sync(9, 9), sync(5, 13), sync(8, 16)];
        assert_eq!(translate(&written, 4), None);
        assert_eq!(translate(&written, 6), Some(14));
        assert_eq!(translate(&written, 12), Some(17));
    }
}
