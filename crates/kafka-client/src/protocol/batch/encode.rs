//! Writing a record batch, in one pass.

use super::error::BatchError;
use super::header::{CHECKED, FORMAT, HEADER, PREFIX};
use super::varint::{self, MAX_INT, MAX_LONG};
use crate::compression::Compression;
use crate::message::Header;
use crate::producer::{Chunk, Item};

/// What a broker knows an idempotent producer by, so that a batch sent twice is written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The producer.
    pub(crate) producer_id: i64,
    /// Which of its lives.
    pub(crate) epoch: i16,
    /// The number of the batch's first record, counted for each partition.
    pub(crate) sequence: i32,
}

impl Identity {
    const NONE: Self = Self {
        producer_id: -1,
        epoch: -1,
        sequence: -1,
    };
}

/// Appends the records of `chunk` to `out` as one batch. An empty chunk gives nothing.
pub(crate) fn encode(
    chunk: &Chunk,
    compression: Compression,
    identity: Option<Identity>,
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    let Some(first) = chunk.iter().next() else {
        return Ok(());
    };
    let bytes = chunk.size();
    if i32::try_from(bytes).is_err() {
        return Err(BatchError::TooLarge { bytes });
    }
    let start = out.len();
    let max_time = if compression == Compression::None {
        out.reserve(bytes);
        out.extend_from_slice(&[0; HEADER]);
        write_records(chunk, first.time, out)
    } else {
        let mut plain = Vec::with_capacity(bytes);
        let max_time = write_records(chunk, first.time, &mut plain);
        out.reserve(HEADER + bytes / 2);
        out.extend_from_slice(&[0; HEADER]);
        compression
            .compress(&plain, out)
            .map_err(BatchError::Compressing)?;
        max_time
    };
    let batch = &mut out[start..];
    let bytes = batch.len();
    // the number of records is smaller than that of their bytes
    let (Ok(length), Ok(count)) = (
        i32::try_from(bytes - PREFIX),
        i32::try_from(chunk.records()),
    ) else {
        return Err(BatchError::TooLarge { bytes });
    };
    let identity = identity.unwrap_or(Identity::NONE);
    let mut put = Put { batch, at: 0 };
    put.next(0i64.to_be_bytes());
    put.next(length.to_be_bytes());
    // no one but a broker knows the leader's epoch
    put.next((-1i32).to_be_bytes());
    put.next(FORMAT.to_be_bytes());
    put.next([0; 4]);
    put.next(i16::from(compression.id()).to_be_bytes());
    put.next((count - 1).to_be_bytes());
    put.next(first.time.to_be_bytes());
    put.next(max_time.to_be_bytes());
    put.next(identity.producer_id.to_be_bytes());
    put.next(identity.epoch.to_be_bytes());
    put.next(identity.sequence.to_be_bytes());
    put.next(count.to_be_bytes());
    let checksum = crc32c::crc32c(&batch[CHECKED..]);
    batch[CHECKED - 4..CHECKED].copy_from_slice(&checksum.to_be_bytes());
    Ok(())
}

/// Fields, one behind the other.
struct Put<'a> {
    batch: &'a mut [u8],
    at: usize,
}

impl Put<'_> {
    fn next<const N: usize>(&mut self, field: [u8; N]) {
        self.batch[self.at..self.at + N].copy_from_slice(&field);
        self.at += N;
    }
}

/// Appends the records, and says which of their times is the latest.
fn write_records(chunk: &Chunk, base_time: i64, out: &mut Vec<u8>) -> i64 {
    let headers = headers(chunk.headers());
    let mut max_time = i64::MIN;
    for (delta, item) in (0i64..).zip(chunk.iter()) {
        max_time = max_time.max(item.time);
        write(&item, delta, base_time, &headers, out);
    }
    max_time
}

/// Everything between two payloads is put together on the stack, so that a record is a few copies.
fn write(item: &Item<'_>, delta: i64, base_time: i64, headers: &[u8], out: &mut Vec<u8>) {
    let after = item.time.wrapping_sub(base_time);
    let size = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    let length = 1
        + varint::length(after)
        + varint::length(delta)
        + varint::length(says(item.key))
        + size(item.key)
        + varint::length(says(item.value))
        + size(item.value)
        + headers.len();
    let mut front = [0; MAX_INT + 1 + MAX_LONG + MAX_INT + MAX_INT + MAX_INT];
    let mut at = varint::put(i64::try_from(length).unwrap_or(i64::MAX), &mut front);
    // the attributes, of which none are in use
    at += 1;
    at += varint::put(after, &mut front[at..]);
    at += varint::put(delta, &mut front[at..]);
    at += varint::put(says(item.key), &mut front[at..]);
    if let Some(key) = item.key {
        out.extend_from_slice(&front[..at]);
        out.extend_from_slice(key);
        at = 0;
    }
    at += varint::put(says(item.value), &mut front[at..]);
    out.extend_from_slice(&front[..at]);
    out.extend_from_slice(item.value.unwrap_or_default());
    out.extend_from_slice(headers);
}

/// What stands before bytes: their length, or -1 for none.
fn says(bytes: Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

/// The headers that all records of a batch have, as they stand at the end of each.
fn headers(headers: &[Header]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |number: i64, behind: &[u8]| {
        let mut front = [0; MAX_LONG];
        let length = varint::put(number, &mut front);
        bytes.extend_from_slice(&front[..length]);
        bytes.extend_from_slice(behind);
    };
    put(i64::try_from(headers.len()).unwrap_or(i64::MAX), &[]);
    for header in headers {
        put(says(Some(&header.key)), &header.key);
        let value = header.value.as_deref();
        put(says(value), value.unwrap_or_default());
    }
    bytes
}
