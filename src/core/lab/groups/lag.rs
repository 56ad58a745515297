//! How much a group has left to read of a partition. Pure.

use serde::Serialize;

/// What is between a group's committed offset and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lag {
    /// This many offsets are left. Those without a record (markers of transactions, compacted ones) count too: Kafka does
    /// not tell them apart.
    Behind(u64),
    /// The committed offset is this far beyond the end: someone set it, or records are lost.
    Ahead(u64),
}

impl Lag {
    /// From a committed offset and the one that the next record will get.
    pub fn of(committed: i64, end: i64) -> Self {
        if committed > end {
            Self::Ahead(committed.abs_diff(end))
        } else {
            Self::Behind(end.abs_diff(committed))
        }
    }

    /// What is left to read: nothing for a group that is ahead.
    pub fn left(self) -> u64 {
        match self {
            Self::Behind(left) => left,
            Self::Ahead(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_offset_behind_the_end_is_said_to_be_there() {
        assert_eq!(Lag::of(3, 10), Lag::Behind(7));
        assert_eq!(Lag::of(10, 10), Lag::Behind(0));
        assert_eq!(Lag::of(12, 10), Lag::Ahead(2));
        assert_eq!(Lag::of(12, 10).left(), 0);
    }

    proptest! {
        #[test]
        fn committed_and_lag_lead_back_to_the_end(committed: i64, end: i64) {
            let end_again = match Lag::of(committed, end) {
                Lag::Behind(left) => i128::from(committed) + i128::from(left),
                Lag::Ahead(over) => i128::from(committed) - i128::from(over),
            };
            prop_assert_eq!(end_again, i128::from(end));
        }
    }
}
