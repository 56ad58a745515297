//! Sequence numbers: records of one producer in one partition, counted.

/// The number behind `first` and the `records` from there on. Numbers begin again at 0 after the largest
/// (`DefaultRecordBatch.incrementSequence`).
pub(super) fn after(first: i32, records: usize) -> i32 {
    let numbers = i64::from(i32::MAX) + 1;
    let records = i64::try_from(records).unwrap_or(i64::MAX) % numbers;
    i32::try_from((i64::from(first) + records) % numbers).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_begin_again_at_zero() {
        assert_eq!(after(0, 3), 3);
        assert_eq!(after(i32::MAX - 1, 1), i32::MAX);
        assert_eq!(after(i32::MAX, 1), 0);
        assert_eq!(after(i32::MAX - 2, 10), 7);
    }

    proptest! {
        #[test]
        fn in_two_steps_as_in_one(first in 0..=i32::MAX, one in 0usize..100_000, two in 0usize..100_000) {
            let reached = after(first, one + two);
            prop_assert!(reached >= 0);
            prop_assert_eq!(after(after(first, one), two), reached);
        }
    }
}
