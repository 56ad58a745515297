//! How far one partition has been read, and what an answer to a fetch means for it.

use std::ops::Range;

/// The most that is asked of one partition at once. A batch larger than this cannot be read.
pub(super) const LARGEST_FETCH: i32 = 128 * 1024 * 1024;

/// A position in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Which partition.
    pub(super) partition: i32,
    /// The offset to read next.
    pub(super) next: i64,
    /// Where to stop, exclusive; none to go on for ever.
    pub(super) end: Option<i64>,
    /// The partition's end (high watermark) when it was last looked at.
    pub(super) high: i64,
    /// How many bytes to ask for.
    size: i32,
    /// How many bytes to ask for as a rule.
    usual: i32,
}

/// What an answer without an error held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visible {
    /// Offsets of the first and last visible record at or after the offset that was asked for.
    pub(super) visible: Option<(i64, i64)>,
    /// The partition's end.
    pub(super) high: i64,
}

/// What to do about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchStep {
    /// Hand over the records with offsets in this range; the cursor has moved past them.
    Deliver(Range<i64>),
    /// Nothing to hand over; fetch again, as the cursor now says.
    Again,
    /// The first record is beyond the offset asked for: look closer before believing it, see `fetch::first_batch`.
    Doubt,
}

impl Cursor {
    /// Starts at `next`, asking for `usual` bytes at a time (the first time less, for a caller that wants only a few records).
    pub(super) fn new(partition: i32, next: i64, end: Option<i64>, usual: i32) -> Self {
        Self {
            partition,
            next,
            end,
            high: i64::MAX,
            size: usual.min(64 * 1024),
            usual,
        }
    }

    /// How many bytes to ask for next.
    pub(super) fn size(&self) -> i32 {
        self.size
    }

    /// Whether there is nothing more to read, ever.
    pub(super) fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// Whether records are known to wait.
    pub(super) fn is_behind(&self) -> bool {
        self.next < self.high
    }

    /// Takes note of an answer. `certain` when a gap before the first record has been looked into.
    pub(super) fn take(&mut self, seen: Visible, certain: bool) -> FetchStep {
        self.high = seen.high;
        match seen.visible {
            Some((first, _)) if first > self.next && !certain => FetchStep::Doubt,
            Some((first, last)) => {
                let end = self.end.map_or(last + 1, |end| end.min(last + 1));
                let range = first..end.max(first);
                self.next = last + 1;
                self.size = self.usual;
                FetchStep::Deliver(range)
            }
            None => {
                self.look_further();
                FetchStep::Again
            }
        }
    }

    /// Nothing visible here although the partition goes on: either a batch larger than what was asked for, or records
    /// that are not for readers (the markers that end a transaction, what compaction has removed).
    fn look_further(&mut self) {
        if !self.is_behind() {
            return;
        }
        if self.size < LARGEST_FETCH {
            self.size = self.size.saturating_mul(8).min(LARGEST_FETCH);
        } else {
            self.next += 1;
            self.size = self.usual;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: i32 = 1024 * 1024;

    fn seen(visible: Option<(i64, i64)>, high: i64) -> Visible {
        Visible { visible, high }
    }

    #[test]
    fn stops_where_it_was_told_to() {
        let mut cursor = Cursor::new(0, 5, Some(8), MIB);
        assert_eq!(
            cursor.take(seen(Some((5, 20)), 30), false),
            FetchStep::Deliver(5..8)
        );
        assert!(cursor.is_done());
    }

    #[test]
    fn a_gap_is_believed_only_at_the_second_look() {
        let mut cursor = Cursor::new(0, 5, None, MIB);
        assert_eq!(
            cursor.take(seen(Some((9, 10)), 11), false),
            FetchStep::Doubt
        );
        assert_eq!(cursor.next, 5);
        assert_eq!(
            cursor.take(seen(Some((9, 10)), 11), true),
            FetchStep::Deliver(9..11)
        );
        assert_eq!(cursor.next, 11);
    }

    #[test]
    fn asks_for_more_until_a_large_record_fits() {
        let mut cursor = Cursor::new(0, 0, None, MIB);
        while cursor.size() < 100 * MIB {
            assert_eq!(cursor.take(seen(None, 1), false), FetchStep::Again);
            assert_eq!(cursor.next, 0);
        }
        assert_eq!(
            cursor.take(seen(Some((0, 0)), 1), false),
            FetchStep::Deliver(0..1)
        );
        assert_eq!(cursor.size(), MIB);
    }

    #[test]
    fn waits_at_the_end_without_asking_for_more() {
        let mut cursor = Cursor::new(0, 7, None, MIB);
        let size = cursor.size();
        assert_eq!(cursor.take(seen(None, 7), false), FetchStep::Again);
        assert_eq!((cursor.next, cursor.size()), (7, size));
        assert!(!cursor.is_behind());
    }

    proptest! {
        /// A partition in which only some offsets are visible (compaction, transaction markers at the end), read with
        /// answers that may be cut anywhere: everything visible is delivered once, in order, and it ends.
        #[test]
        fn everything_visible_is_delivered_once(
            visible in proptest::collection::btree_set(0i64..60, 0..40), high in 60i64..64, cut in 1usize..9
        ) {
            let mut cursor = Cursor::new(0, 0, Some(high), MIB);
            let mut delivered = Vec::new();
            for _ in 0..2_000 {
                if cursor.is_done() {
                    break;
                }
                let answer: Vec<i64> = visible.range(cursor.next..).take(cut).copied().collect();
                let shown = answer.first().copied().zip(answer.last().copied());
                let mut verdict = cursor.take(seen(shown, high), false);
                if verdict == FetchStep::Doubt {
                    verdict = cursor.take(seen(shown, high), true);
                }
                if let FetchStep::Deliver(range) = verdict {
                    delivered.extend(answer.into_iter().filter(|offset| range.contains(offset)));
                }
            }
            prop_assert!(cursor.is_done());
            prop_assert_eq!(delivered, visible.into_iter().collect::<Vec<_>>());
        }
    }
}
