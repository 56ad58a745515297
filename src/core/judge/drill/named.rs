//! Which records it was: by their offsets.

use super::equality::{OffsetRange, ranges};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many ranges are named of each partition.
const MOST_RANGES: usize = 1000;

/// The offsets of some records of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Offsets {
    /// In order; the first 1,000 ranges.
    pub offsets: Vec<OffsetRange>,
    /// How many records come after these ranges.
    pub left_out: u64,
}

impl Offsets {
    /// Of each offset once.
    pub(super) fn of(mut offsets: Vec<i64>) -> Self {
        offsets.sort_unstable();
        let mut offsets = ranges(offsets);
        let more = offsets.split_off(offsets.len().min(MOST_RANGES));
        Self {
            offsets,
            left_out: more.iter().map(|range| range.records).sum(),
        }
    }
}

/// Records in one partition of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The partition.
    pub partition: i32,
    /// How many.
    pub records: u64,
    /// Where they are.
    #[serde(flatten)]
    pub at: Offsets,
}

impl Located {
    /// By partition; those without any are left out.
    pub(super) fn all(places: BTreeMap<i32, Vec<i64>>) -> Vec<Self> {
        let places = places.into_iter().filter(|(_, at)| !at.is_empty());
        let located = places.map(|(partition, at)| Self {
            partition,
            records: at.len() as u64,
            at: Offsets::of(at),
        });
        located.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_counted() {
        let some = Offsets::of(vec![7, 3, 4]);
        assert_eq!((some.offsets, some.left_out), (ranges([3, 4, 7]), 0));
        // each is a range of its own, but for the last two
        let most = i64::try_from(MOST_RANGES).unwrap();
        let many: Vec<i64> = (0..=most)
            .map(|nth| nth * 2)
            .chain([most * 2 + 1])
            .collect();
        let many = Offsets::of(many);
        assert_eq!((many.offsets.len(), many.left_out), (MOST_RANGES, 2));
    }
}
