//! One partition: its record batches as they were produced, with their offsets.

use crate::message::Record;
use crate::protocol::batch::{PREFIX, RecordBatch, batches, stamp};
use bytes::Bytes;
use kafka_protocol::error::ResponseError as Error;

#[derive(Debug, Default)]
pub(super) struct Log {
    /// The offset of the first record, and of the next one.
    pub(super) first: i64,
    pub(super) end: i64,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    batch: RecordBatch,
    bytes: Bytes,
}

impl Log {
    /// Appends batches, and says which offset their first record got. Where the broker gives the time, it is `now`.
    pub(super) fn append(&mut self, produced: &[u8], now: Option<i64>) -> Result<i64, Error> {
        let mut rest = produced;
        let mut base = self.end;
        while let Some(front) = rest.first_chunk::<PREFIX>() {
            let length = i32::from_be_bytes([front[8], front[9], front[10], front[11]]);
            let whole = usize::try_from(length).unwrap_or(0) + PREFIX;
            let (batch, after) = rest.split_at_checked(whole).ok_or(Error::CorruptMessage)?;
            rest = after;
            let mut bytes = batch.to_vec();
            bytes[..8].copy_from_slice(&self.end.to_be_bytes());
            if let Some(now) = now {
                stamp(&mut bytes, now);
            }
            let bytes = Bytes::from(bytes);
            let batch = batches(bytes.clone()).next();
            let batch = batch.and_then(Result::ok).ok_or(Error::CorruptMessage)?;
            if let Some(offset) = self.repeated(&batch)? {
                base = offset;
                continue;
            }
            self.end = batch.last_offset + 1;
            self.kept.push(Kept { batch, bytes });
        }
        Ok(base)
    }

    /// Where a batch of an idempotent producer is that was written before.
    fn repeated(&self, batch: &RecordBatch) -> Result<Option<i64>, Error> {
        let whose = |one: &RecordBatch| (one.producer_id, one.producer_epoch);
        let same = |kept: &&Kept| batch.producer_id >= 0 && whose(&kept.batch) == whose(batch);
        let mut before = self.kept.iter().rev().filter(same).map(|kept| &kept.batch);
        let Some(last) = before.clone().next() else {
            return Ok(None);
        };
        match before.find(|one| one.sequence == batch.sequence) {
            Some(there) => Ok(Some(there.base_offset)),
            None if last.sequence + last.count == batch.sequence => Ok(None),
            None => Err(Error::OutOfOrderSequenceNumber),
        }
    }

    /// The batches from `offset` on, as many as `most` bytes hold; the first whatever its size, where `one_at_least`.
    pub(super) fn fetch(&self, offset: i64, most: usize, one_at_least: bool) -> Bytes {
        let mut found = Vec::new();
        for kept in self
            .kept
            .iter()
            .filter(|one| one.batch.last_offset >= offset)
        {
            let fits = found.len() + kept.bytes.len() <= most;
            if fits || (found.is_empty() && one_at_least) {
                found.extend_from_slice(&kept.bytes);
            } else {
                break;
            }
        }
        found.into()
    }

    pub(super) fn records(&self, partition: i32) -> Vec<Record> {
        let mut records = Vec::new();
        for kept in &self.kept {
            let of_batch = kept.batch.records(partition).unwrap();
            records.extend(of_batch.iter().map(|record| record.unwrap().to_record()));
        }
        records.retain(|record| record.offset >= self.first);
        records
    }

    /// Removes all records before an offset.
    pub(super) fn delete_before(&mut self, offset: i64) -> Result<i64, Error> {
        let offset = if offset == -1 { self.end } else { offset };
        if !(0..=self.end).contains(&offset) {
            return Err(Error::OffsetOutOfRange);
        }
        self.first = self.first.max(offset);
        self.kept.retain(|one| one.batch.last_offset >= self.first);
        Ok(self.first)
    }

    pub(super) fn bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.bytes.len()).sum()
    }
}
