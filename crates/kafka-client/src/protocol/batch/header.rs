//! What a record batch says of itself.

use super::error::BatchError;
use crate::compression::Compression;
use bytes::Bytes;

/// What stands before the length: the first offset.
const OFFSET: usize = 8;

/// What the length does not count: the first offset and itself.
pub(crate) const PREFIX: usize = 12;

/// Up to where a batch of any message format is the same: the first offset, the length, the leader's epoch (in older
/// formats the checksum) and the message format.
pub(super) const MAGIC: usize = 17;

/// Where the part begins that the checksum is about.
pub(super) const CHECKED: usize = 21;

/// The header's length.
pub(super) const HEADER: usize = 61;

/// The message format.
pub(super) const FORMAT: i8 = 2;

/// One bit each in the attributes, beside the three for the compression.
const COMPRESSION: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// A whole batch whose checksum is right; its records are still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordBatch {
    /// The offset its first record has, or had before compaction.
    pub(crate) base_offset: i64,
    /// The offset its last record has, or had before compaction: what comes next begins behind it.
    pub(crate) last_offset: i64,
    /// Who produced it, where that matters: -1 otherwise.
    pub(crate) producer_id: i64,
    /// Which life of that producer.
    pub(crate) producer_epoch: i16,
    /// The sequence number of its first record.
    pub(crate) sequence: i32,
    /// The latest time of its records, in milliseconds since the epoch.
    pub(crate) max_time: i64,
    /// How it is compressed.
    pub(crate) compression: Compression,
    /// How many records it says it has.
    pub(crate) count: i32,
    pub(super) base_time: i64,
    attributes: i16,
    pub(super) body: Bytes,
}

impl RecordBatch {
    /// Looks at one whole batch, prefix and all.
    pub(super) fn parse(batch: &Bytes) -> Result<Self, BatchError> {
        let base_offset = i64::from_be_bytes(field(batch, 0));
        let wrong = |field, value: i64| BatchError::Header {
            base_offset,
            field,
            value,
        };
        let expected = u32::from_be_bytes(field(batch, 17));
        let found = crc32c::crc32c(batch.get(CHECKED..).unwrap_or_default());
        if expected != found {
            return Err(BatchError::Checksum {
                base_offset,
                expected,
                found,
            });
        }
        let attributes = i16::from_be_bytes(field(batch, CHECKED));
        let last_delta = i32::from_be_bytes(field(batch, 23));
        let count = i32::from_be_bytes(field(batch, 57));
        let codec = attributes & COMPRESSION;
        let compression = u8::try_from(codec)
            .ok()
            .and_then(Compression::of)
            .ok_or_else(|| wrong("compression", codec.into()))?;
        if base_offset < 0 {
            return Err(wrong("first offset", base_offset));
        }
        let last_offset = base_offset
            .checked_add(last_delta.into())
            .filter(|_| last_delta >= 0)
            .ok_or_else(|| wrong("distance to its last offset", last_delta.into()))?;
        if count < 0 || i64::from(count) > i64::from(last_delta) + 1 {
            return Err(wrong("number of records", count.into()));
        }
        Ok(Self {
            base_offset,
            last_offset,
            producer_id: i64::from_be_bytes(field(batch, 43)),
            producer_epoch: i16::from_be_bytes(field(batch, 51)),
            sequence: i32::from_be_bytes(field(batch, 53)),
            max_time: i64::from_be_bytes(field(batch, 35)),
            compression,
            count,
            base_time: i64::from_be_bytes(field(batch, 27)),
            attributes,
            body: batch.slice(HEADER.min(batch.len())..),
        })
    }

    /// Whether it belongs to a transaction.
    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it holds no one's records, but a mark that the broker set.
    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// The time of its first record, in milliseconds since the epoch; -1 where it has none.
    pub(crate) fn first_time(&self) -> i64 {
        if self.has_broker_time() {
            self.max_time
        } else {
            self.base_time
        }
    }

    /// Whether its records' time is when the broker got them: the same for all.
    pub(crate) fn has_broker_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }
}

/// Gives all records of a batch the same time, as a broker does.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn stamp(batch: &mut [u8], time: i64) {
    let attributes = i16::from_be_bytes(field(batch, CHECKED)) | LOG_APPEND_TIME;
    batch[CHECKED..][..2].copy_from_slice(&attributes.to_be_bytes());
    batch[35..][..8].copy_from_slice(&time.to_be_bytes());
    let checksum = crc32c::crc32c(&batch[CHECKED..]);
    batch[17..][..4].copy_from_slice(&checksum.to_be_bytes());
}

/// The first offset and the length, from as many bytes as they take.
pub(super) fn prefix(bytes: &[u8; PREFIX]) -> (i64, i32) {
    let base_offset = i64::from_be_bytes(field(bytes, 0));
    (base_offset, i32::from_be_bytes(field(bytes, OFFSET)))
}

/// Some bytes of the header; zeros where it has ended, which its length rules out.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk())
        .copied()
        .unwrap_or([0; N])
}
