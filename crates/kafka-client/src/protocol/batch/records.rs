//! The records of a batch, read in place.

use super::error::{BatchError, Fault};
use super::header::RecordBatch;
use super::varint;
use crate::compression::{CompressionError, LIMIT};
use crate::message::{HeaderRef, RecordRef};
use bytes::Bytes;

/// The records of one batch, decompressed.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    partition: i32,
    base_offset: i64,
    last_offset: i64,
    times: Times,
    count: i32,
    bytes: Bytes,
}

/// Where a record's time comes from.
#[derive(Debug, Clone, Copy)]
enum Times {
    /// All have this one.
    Same(i64),
    /// Each says how long after this one.
    After(i64),
}

impl RecordBatch {
    /// Its records, decompressed.
    pub(crate) fn records(&self, partition: i32) -> Result<Records, BatchError> {
        // compaction may leave a batch without records: there is nothing to decompress then
        if self.count == 0 && self.body.is_empty() {
            return Ok(Records::new(self, partition, Bytes::new()));
        }
        let bytes =
            self.compression
                .decompress(&self.body, LIMIT)
                .map_err(|cause: CompressionError| BatchError::Compression {
                    base_offset: self.base_offset,
                    cause,
                })?;
        Ok(Records::new(self, partition, bytes))
    }

    /// The mark it holds, if it is a control batch and compaction has not emptied it.
    pub(crate) fn marker(&self) -> Result<Option<Marker>, BatchError> {
        if !self.is_control() {
            return Ok(None);
        }
        let records = self.records(0)?;
        let first = records.iter().next().transpose()?;
        Ok(first.map(|record| Marker::of(record.key)))
    }
}

impl Records {
    fn new(batch: &RecordBatch, partition: i32, bytes: Bytes) -> Self {
        Self {
            partition,
            base_offset: batch.base_offset,
            last_offset: batch.last_offset,
            times: if batch.has_broker_time() {
                Times::Same(batch.max_time)
            } else {
                Times::After(batch.base_time)
            },
            count: batch.count,
            bytes,
        }
    }

    /// The records in order, as many as the batch claims to have; the first that makes no sense ends them.
    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter {
            records: self,
            rest: &self.bytes,
            next: 0,
            ended: false,
        }
    }
}

/// See [`Records::iter`].
#[derive(Debug, Clone)]
pub(crate) struct Iter<'a> {
    records: &'a Records,
    rest: &'a [u8],
    next: i32,
    ended: bool,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Result<RecordRef<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let base_offset = self.records.base_offset;
        if self.next == self.records.count {
            self.ended = true;
            let bytes = self.rest.len();
            return (bytes > 0).then_some(Err(BatchError::Trailing { base_offset, bytes }));
        }
        let index = self.next;
        self.next += 1;
        let record = self.records.take(&mut self.rest);
        self.ended = record.is_err();
        Some(record.map_err(|fault| BatchError::Record {
            base_offset,
            index,
            fault,
        }))
    }
}

impl Records {
    /// Takes a record from the front of `rest`.
    fn take<'a>(&self, rest: &mut &'a [u8]) -> Result<RecordRef<'a>, Fault> {
        let mut record = bytes(rest)?.ok_or(Fault::Length(-1))?;
        // its attributes: none are in use
        record = record.get(1..).ok_or(Fault::Cut)?;
        let after = varint::long(&mut record)?;
        let delta = varint::int(&mut record)?;
        let offset = self.base_offset.checked_add(delta.into());
        let offset = offset.filter(|&offset| delta >= 0 && offset <= self.last_offset);
        let taken = RecordRef {
            partition: self.partition,
            offset: offset.ok_or(Fault::Offset(delta))?,
            time: Some(match self.times {
                Times::Same(time) => time,
                // around the end of all time, as in Java; nothing but the display depends on it
                Times::After(base) => base.wrapping_add(after),
            }),
            key: bytes(&mut record)?,
            value: bytes(&mut record)?,
            headers: headers(&mut record)?,
        };
        match record.len() {
            0 => Ok(taken),
            left => Err(Fault::Rest(left)),
        }
    }
}

/// Takes bytes with their length before them, which is -1 for none.
fn bytes<'a>(from: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Fault> {
    let length = varint::int(from)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| Fault::Length(length))?;
    let (taken, rest) = from.split_at_checked(length).ok_or(Fault::Cut)?;
    *from = rest;
    Ok(Some(taken))
}

fn headers<'a>(from: &mut &'a [u8]) -> Result<Vec<HeaderRef<'a>>, Fault> {
    let count = varint::int(from)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    // each has two lengths at least: memory is taken only for as many as there can be
    let possible = usize::try_from(count).ok();
    let possible = possible.filter(|&count| count <= from.len() / 2);
    let mut headers = Vec::with_capacity(possible.ok_or(Fault::Headers(count))?);
    for _ in 0..count {
        headers.push(HeaderRef {
            key: bytes(from)?.ok_or(Fault::Length(-1))?,
            value: bytes(from)?,
        });
    }
    Ok(headers)
}

/// What a broker marks in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// The producer's transaction was given up: its records since the last mark are not to be read.
    Abort,
    /// The producer's transaction is complete.
    Commit,
    /// Something else, with its number if it has one.
    Other(Option<i16>),
}

impl Marker {
    /// What a control record's key says: its version, and a number (`org.apache.kafka.common.record.ControlRecordType`).
    pub(super) fn of(key: Option<&[u8]>) -> Self {
        match key.unwrap_or_default() {
            [_, _, high, low, ..] => match i16::from_be_bytes([*high, *low]) {
                0 => Self::Abort,
                1 => Self::Commit,
                other => Self::Other(Some(other)),
            },
            _ => Self::Other(None),
        }
    }
}
