//! What was acknowledged, and what is uncertain.

use crate::producer::Chunk;
use std::collections::BTreeMap;
use std::ops::Range;

/// The account of what was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What was acknowledged, by partition.
    pub partitions: BTreeMap<i32, Written>,
    /// Keys and values of what was acknowledged, in bytes.
    pub bytes: u64,
    /// How many records may be in the topic once more than acknowledged: they were sent, got no answer, and were sent
    /// again (each time counts).
    pub may_have_repeated: u64,
    /// How many records were sent and never acknowledged, so that they may be written or not.
    pub in_doubt: u64,
    /// Which records were acknowledged and not yet asked for: neighbours are one range.
    fresh: BTreeMap<i32, Vec<Range<u64>>>,
}

/// What was acknowledged in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The lowest offset acknowledged; -1 as long as no acknowledgement came with one.
    pub first: i64,
    /// The highest offset acknowledged; -1 as long as no acknowledgement came with one.
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

    /// Notes that all of `chunk` was acknowledged, after `doubts` attempts without an answer that may each have written it
    /// too. Its first record is at `offset`; a broker that had it already may have forgotten where.
    pub(crate) fn written(
        &mut self,
        partition: i32,
        offset: Option<i64>,
        chunk: &Chunk,
        doubts: u64,
    ) {
        let records = chunk.records() as u64;
        if records == 0 {
            return;
        }
        self.bytes += chunk.payload() as u64;
        self.may_have_repeated += doubts * records;
        let written = self.partitions.entry(partition).or_insert(Written {
            first: -1,
            last: -1,
            records: 0,
        });
        written.records += records;
        if let Some(offset) = offset {
            let is_first = written.first < 0 || offset < written.first;
            written.first = if is_first { offset } else { written.first };
            written.last = written
                .last
                .max(offset.saturating_add_unsigned(records - 1));
        }
    }

    /// Which records were acknowledged since this was last asked, by partition: ranges of their numbers, counted from 0 in
    /// each partition in the order in which the producer took them. Only the wire client tells.
    pub fn take_acknowledged(&mut self) -> Vec<(i32, Range<u64>)> {
        let fresh = std::mem::take(&mut self.fresh).into_iter();
        fresh
            .flat_map(|(partition, ranges)| ranges.into_iter().map(move |range| (partition, range)))
            .collect()
    }

    /// Notes by their numbers which records were acknowledged.
    pub(crate) fn numbered(&mut self, partition: i32, records: Range<u64>) {
        let ranges = self.fresh.entry(partition).or_default();
        match ranges.last_mut() {
            _ if records.is_empty() => {}
            Some(last) if last.end == records.start => last.end = records.end,
            Some(last) if last.start == records.end => last.start = records.start,
            _ => ranges.push(records),
        }
    }

    /// Notes that `chunk` is given up after `doubts` attempts without an answer.
    pub(crate) fn given_up(&mut self, chunk: &Chunk, doubts: u64) {
        if doubts > 0 {
            self.in_doubt += chunk.records() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::producer::Batch;

    fn chunk(records: usize) -> Chunk {
        let mut batch = Batch::default();
        for _ in 0..records {
            batch.push(0, None, Some(b"ab"), 0);
        }
        batch.into_chunks().remove(&0).unwrap_or_default()
    }

    #[test]
    fn counts_what_was_acknowledged() {
        let mut tally = Tally::default();
        tally.written(0, Some(5), &chunk(3), 0);
        tally.written(0, Some(9), &chunk(2), 0);
        tally.written(1, Some(0), &chunk(1), 0);
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
    fn an_acknowledgement_without_an_offset_counts_all_the_same() {
        let mut tally = Tally::default();
        tally.written(0, None, &chunk(2), 0);
        let unknown = (tally.partitions[&0].first, tally.partitions[&0].last);
        assert_eq!((unknown, tally.acknowledged()), ((-1, -1), 2));
        tally.written(0, Some(7), &chunk(3), 0);
        tally.written(0, None, &chunk(1), 0);
        let written = Written {
            first: 7,
            last: 9,
            records: 6,
        };
        assert_eq!(tally.partitions[&0], written);
    }

    #[test]
    fn what_got_no_answer_may_be_there_twice_or_all_the_same() {
        let mut tally = Tally::default();
        tally.written(0, Some(0), &chunk(3), 2);
        tally.given_up(&chunk(4), 1);
        tally.given_up(&chunk(5), 0);
        assert_eq!((tally.may_have_repeated, tally.in_doubt), (6, 4));
    }

    #[test]
    fn what_was_acknowledged_is_told_once_by_number() {
        let mut tally = Tally::default();
        for range in [5..7, 7..9, 3..5, 20..20, 12..14] {
            tally.numbered(0, range);
        }
        tally.numbered(2, 0..1);
        assert_eq!(
            tally.take_acknowledged(),
            [(0, 3..9), (0, 12..14), (2, 0..1)]
        );
        assert_eq!(tally.take_acknowledged(), []);
    }
}
