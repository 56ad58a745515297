//! Records that arrived together, read in place in the answer.

use super::inspect::inspect;
use crate::error::KafkaError;
use crate::message::RecordRef;
use crate::protocol::batch::{BatchError, RecordBatch};
use bytes::Bytes;
use std::ops::{ControlFlow, Range};

/// Records that arrived together.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    parts: Vec<PartitionRecords>,
    /// Where each partition goes on behind them, and behind what is not for readers.
    reached: Vec<(i32, i64)>,
    /// Who sent them.
    address: String,
    topic: String,
}

/// The records of one partition.
#[derive(Debug)]
struct PartitionRecords {
    partition: i32,
    offsets: Range<i64>,
    batches: Vec<RecordBatch>,
}

impl Fetched {
    pub(super) fn new(address: String, topic: String) -> Self {
        Self {
            parts: Vec::new(),
            reached: Vec::new(),
            address,
            topic,
        }
    }

    /// The records of the whole batches among `bytes`, all of one partition. No broker has sent them.
    ///
    /// # Errors
    /// [`KafkaError::Garbled`] at a batch that makes no sense.
    pub(crate) fn of_bytes(partition: i32, bytes: Bytes) -> Result<Self, KafkaError> {
        let mut fetched = Self::new("(no broker)".to_owned(), "(no topic)".to_owned());
        let inspected = inspect(bytes, None, 0, None);
        if let Some(fault) = inspected.fault {
            return Err(fetched.garbled(partition, &fault));
        }
        fetched.add(partition, 0..i64::MAX, inspected.batches);
        Ok(fetched)
    }

    /// Shows the records to `take`, those of a partition in order, until it has enough. One batch at a time is
    /// decompressed.
    ///
    /// # Errors
    /// [`KafkaError::Garbled`] at a record or batch that makes no sense; or what `take` returns.
    pub(crate) fn each<E: From<KafkaError>>(
        &self,
        mut take: impl FnMut(RecordRef<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        for part in &self.parts {
            let garbled = |fault| self.garbled(part.partition, &fault);
            for batch in &part.batches {
                let records = batch.records(part.partition).map_err(garbled)?;
                for record in records.iter() {
                    let record = record.map_err(garbled)?;
                    if record.offset < part.offsets.start {
                        continue;
                    }
                    if record.offset >= part.offsets.end {
                        break;
                    }
                    if take(record)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the records of these batches, as far as their offsets are in `offsets`.
    pub(super) fn add(&mut self, partition: i32, offsets: Range<i64>, batches: Vec<RecordBatch>) {
        if !batches.is_empty() && !offsets.is_empty() {
            self.parts.push(PartitionRecords {
                partition,
                offsets,
                batches,
            });
        }
    }

    /// Notes that everything before `next` was there to be taken.
    pub(super) fn reach(&mut self, partition: i32, next: i64) {
        self.reached.push((partition, next));
    }

    /// Where each partition goes on behind all of these records, and behind what is not for readers.
    pub(crate) fn reached(&self) -> &[(i32, i64)] {
        &self.reached
    }

    /// How many there are at most.
    pub(super) fn most(&self) -> u64 {
        let of = |part: &PartitionRecords| {
            let batches = part.batches.iter();
            batches
                .map(|batch| {
                    let first = batch.base_offset.max(part.offsets.start);
                    let behind = batch.last_offset.saturating_add(1).min(part.offsets.end);
                    let room = u64::try_from(behind.saturating_sub(first)).unwrap_or(0);
                    room.min(u64::try_from(batch.count).unwrap_or(0))
                })
                .sum::<u64>()
        };
        self.parts.iter().map(of).sum()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Who sent them.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What was sent makes no sense: says where.
    pub(super) fn garbled(&self, partition: i32, fault: &BatchError) -> KafkaError {
        KafkaError::Garbled {
            address: self.address.clone(),
            cause: format!("partition {partition} of topic `{}`: {fault}", self.topic),
        }
    }
}
