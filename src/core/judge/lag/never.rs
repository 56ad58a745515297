//! Counts offsets that a source removed before they were mirrored, and how many of them were records.

/// Offsets of a partition that the source dropped before they were mirrored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NeverCopied {
    /// Taken for records, at most this many.
    pub records: u64,
    /// Of which it is unknown whether they held a record.
    pub unknown: u64,
    /// Of records that were removed, those before which MirrorMaker's position was first seen, and then behind all of them: it
    /// was committed late, or MirrorMaker skipped them.
    pub late: u64,
}

impl NeverCopied {
    /// Where producers use transactions, the markers that end them have offsets, and so have aborted records, which a flow
    /// may leave out. MirrorMaker's position stays before them; so where nothing `is_left` behind them, there may have been
    /// no record. Where some is, MirrorMaker was behind; but for a single marker.
    pub fn of(dropped: u64, is_left: bool, has_transactions: bool) -> Self {
        if has_transactions && (dropped == 1 || !is_left) {
            return Self {
                unknown: dropped,
                ..Self::default()
            };
        }
        Self {
            records: dropped,
            ..Self::default()
        }
    }

    /// Of what was removed when the source came to begin at `now` instead of `was`: its `end`, and MirrorMaker's position, which
    /// must be older than the end.
    pub fn among_removed(
        (was, now): (i64, i64),
        end: i64,
        position: Option<i64>,
        has_transactions: bool,
    ) -> Self {
        // one beyond the end is of another topic of that name
        let position = position.filter(|position| *position < end);
        let next = position.map_or(was, |position| position.saturating_add(1).max(was));
        let dropped = u64::try_from(now.saturating_sub(next)).unwrap_or(0);
        Self::of(dropped, now < end, has_transactions)
    }

    /// What a later look makes of this one; `is_past` says whether MirrorMaker's position is by then behind records that were
    /// not removed. Where it found those it was to copy removed, it goes on there too.
    #[must_use]
    pub fn seen_again(self, later: Self, is_past: bool) -> Self {
        if is_past && later == Self::default() {
            return Self {
                records: 0,
                unknown: self.unknown,
                late: self.records,
            };
        }
        later
    }
}

impl std::iter::Sum for NeverCopied {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |all, one| Self {
            records: all.records + one.records,
            unknown: all.unknown + one.unknown,
            late: all.late + one.late,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_transactions_are_not_told_as_lost_records() {
        let never = |dropped, is_left, has_transactions| {
            let never = NeverCopied::of(dropped, is_left, has_transactions);
            (never.records, never.unknown)
        };
        assert_eq!(never(0, false, true), (0, 0));
        // several markers, or an aborted transaction
        assert_eq!(never(1, false, true), (0, 1));
        assert_eq!(never(20, false, true), (0, 20));
        assert_eq!(
            (never(1, true, true), never(2, true, true)),
            ((0, 1), (2, 0))
        );
        assert_eq!(
            (never(1, false, false), never(1, true, false)),
            ((1, 0), (1, 0))
        );
    }

    #[test]
    fn what_is_removed_is_judged_by_the_position() {
        let never = |was, now, end, position, has_transactions| {
            let never = NeverCopied::among_removed((was, now), end, position, has_transactions);
            (never.records, never.unknown)
        };
        assert_eq!(never(0, 25, 25, Some(24), false), (0, 0));
        assert_eq!(never(0, 25, 25, Some(9), false), (15, 0));
        assert_eq!(never(20, 25, 25, Some(9), false), (5, 0), "gone before");
        assert_eq!(never(0, 25, 25, None, false), (25, 0));
        assert_eq!(
            never(0, 25, 25, Some(99), false),
            (25, 0),
            "of another topic"
        );
        // records up to 24, and two markers
        assert_eq!(never(0, 27, 27, Some(24), true), (0, 2));
        assert_eq!(never(0, 27, 40, Some(9), true), (17, 0));
    }

    #[test]
    fn a_position_that_has_come_past_what_was_removed_proves_nothing() {
        let records = |records| NeverCopied {
            records,
            ..NeverCopied::default()
        };
        let late = |late| NeverCopied {
            late,
            ..NeverCopied::default()
        };
        assert_eq!(records(15).seen_again(records(0), true), late(15));
        // up to the last one that was removed
        assert_eq!(records(15).seen_again(records(0), false), records(0));
        assert_eq!(records(15).seen_again(records(5), false), records(5));
        assert_eq!(records(0).seen_again(records(0), true), records(0));
        let unknown = NeverCopied::of(20, false, true);
        assert_eq!(unknown.seen_again(records(0), true), unknown);
        assert_eq!(unknown.seen_again(records(0), false), records(0));
    }
}
