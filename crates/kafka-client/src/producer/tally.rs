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
    /// Which records were acknowledged and not yet asked for: neighbours are told together.
    fresh: BTreeMap<i32, Vec<Acknowledged>>,
}

/// Records of one partition that were acknowledged, and follow each other in the topic as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The partition.
    pub partition: i32,
    /// Their numbers, counted from 0 in each partition in the order in which the producer took the records.
    pub records: Range<u64>,
    /// The offset of the first; none where the broker did not say.
    pub offset: Option<i64>,
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

    /// Which records were acknowledged since this was last asked, by partition. Only the wire client tells.
    pub fn take_acknowledged(&mut self) -> Vec<Acknowledged> {
        let fresh = std::mem::take(&mut self.fresh);
        fresh.into_values().flatten().collect()
    }

    /// Notes by their numbers which records were acknowledged, and where the first of them lies.
    pub(crate) fn numbered(&mut self, partition: i32, records: Range<u64>, offset: Option<i64>) {
        if records.is_empty() {
            return;
        }
        let new = Acknowledged {
            partition,
            records,
            offset,
        };
        let fresh = self.fresh.entry(partition).or_default();
        match fresh.last_mut() {
            Some(last) if last.goes_on_with(&new) => last.records.end = new.records.end,
            Some(last) if new.goes_on_with(last) => {
                last.records.start = new.records.start;
                last.offset = new.offset;
            }
            _ => fresh.push(new),
        }
    }

    /// Notes that `chunk` is given up after `doubts` attempts without an answer.
    pub(crate) fn given_up(&mut self, chunk: &Chunk, doubts: u64) {
        if doubts > 0 {
            self.in_doubt += chunk.records() as u64;
        }
    }
}

impl Acknowledged {
    /// Whether `next` has the next numbers, and lies right behind in the topic.
    fn goes_on_with(&self, next: &Self) -> bool {
        let records = self.records.end - self.records.start;
        let end = self
            .offset
            .map(|offset| offset.saturating_add_unsigned(records));
        self.records.end == next.records.start && end == next.offset
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
        for (partition, records, offset) in [
            (0, 5..7, Some(5)),
            (0, 7..9, Some(7)),
            (0, 3..5, Some(3)),
            (0, 20..20, Some(9)),
            // somebody else wrote in between
            (0, 9..14, Some(30)),
            (0, 14..15, None),
            (2, 0..1, None),
            (2, 1..3, None),
        ] {
            tally.numbered(partition, records, offset);
        }
        let told = |partition, records, offset| Acknowledged {
            partition,
            records,
            offset,
        };
        let expected = [
            told(0, 3..9, Some(3)),
            told(0, 9..14, Some(30)),
            told(0, 14..15, None),
            told(2, 0..3, None),
        ];
        assert_eq!(tally.take_acknowledged(), expected);
        assert_eq!(tally.take_acknowledged(), []);
    }
}
