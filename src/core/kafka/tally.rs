//! What was acknowledged, and what is uncertain. Knows nothing of how it came about.

use super::batch::Chunk;
use std::collections::BTreeMap;

/// The account of what was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What was acknowledged, by partition.
    pub partitions: BTreeMap<i32, Written>,
    /// Keys and values of what was acknowledged, in bytes.
    pub bytes: u64,
    /// How many records were sent again after an attempt without an answer, each time counted: the topic may hold up to
    /// this many repeats.
    pub may_have_repeated: u64,
    /// How many records were sent and never acknowledged, so that they may be written or not.
    pub in_doubt: u64,
    /// Those of the attempt just made; they become one or the other.
    doubtful: u64,
}

/// What was acknowledged in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The lowest offset acknowledged.
    pub first: i64,
    /// The highest offset acknowledged.
    pub last: i64,
    /// How many records.
    pub records: u64,
}

impl Tally {
    /// How many records were acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.partitions
            .values()
            .map(|written| written.records)
            .sum()
    }

    /// Notes that all of `chunk` was acknowledged, its first record at `offset`.
    pub(super) fn written(&mut self, partition: i32, offset: i64, chunk: &Chunk) {
        let records = chunk.records() as u64;
        if records == 0 {
            return;
        }
        let last = offset.saturating_add_unsigned(records - 1);
        self.bytes += chunk.payload() as u64;
        self.partitions
            .entry(partition)
            .and_modify(|written| {
                written.first = written.first.min(offset);
                written.last = written.last.max(last);
                written.records += records;
            })
            .or_insert(Written {
                first: offset,
                last,
                records,
            });
    }

    /// Notes that `chunk` was sent, and may be written or not.
    pub(super) fn doubt(&mut self, chunk: &Chunk) {
        self.doubtful += chunk.records() as u64;
    }

    /// What is in doubt is being sent again.
    pub(super) fn retry(&mut self) {
        self.may_have_repeated += std::mem::take(&mut self.doubtful);
    }

    /// What is in doubt stays so.
    pub(super) fn give_up(&mut self) {
        self.in_doubt += std::mem::take(&mut self.doubtful);
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Batch;
    use super::*;

    fn chunk(records: usize) -> Chunk {
        let mut batch = Batch::default();
        for _ in 0..records {
            batch.push(0, None, Some(b"ab"));
        }
        batch.into_chunks().remove(&0).unwrap_or_default()
    }

    #[test]
    fn counts_what_was_acknowledged() {
        let mut tally = Tally::default();
        tally.written(0, 5, &chunk(3));
        tally.written(0, 9, &chunk(2));
        tally.written(1, 0, &chunk(1));
        assert_eq!(
            tally.partitions[&0],
            Written {
                first: 5,
                last: 10,
                records: 5
            }
        );
        assert_eq!((tally.acknowledged(), tally.bytes), (6, 12));
    }

    #[test]
    fn doubt_is_either_repeated_or_left() {
        let mut tally = Tally::default();
        tally.doubt(&chunk(3));
        tally.retry();
        tally.doubt(&chunk(3));
        tally.give_up();
        assert_eq!((tally.may_have_repeated, tally.in_doubt), (3, 3));
    }
}
