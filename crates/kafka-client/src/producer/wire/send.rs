//! Sending what may go out now.

use super::Producer;
use super::partition_queue::{PartitionQueue, ProducerBatch, ProducerId, SendOutcome, WINDOW};
use super::request;
use super::responses::InFlight;
use crate::cluster::{ConnectionId, To};
use crate::compression::Compression;
use crate::error::KafkaError;
use crate::producer::Tally;
use crate::protocol::batch::{BatchError, Identity, encode};
use crate::wait::Limit;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Instant;

/// Requests on their way to one broker at once.
const REQUESTS: usize = WINDOW;

/// A request takes no more batches once they have this many bytes. A broker takes 100 MiB (`socket.request.max.bytes`).
const FULL_REQUEST: usize = 8 * 1024 * 1024;

/// The memory of this many batches is kept, of at most so many bytes each.
const SPARES: usize = 8;
const LARGEST_SPARE: usize = 2 * 1024 * 1024;

impl Producer {
    /// Sends what may go out now.
    pub(super) fn send_ready(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        if self.not_before.is_some_and(|time| time > Instant::now()) {
            return Ok(());
        }
        self.not_before = None;
        // what broke on its way out is not tried again at once
        while self.not_before.is_none() && limit.check(String::new).is_ok() {
            let sendable = match self.sendable(limit) {
                Ok(sendable) => sendable,
                Err(error) if is_transient(&error) => {
                    self.back_off(error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if sendable.is_empty() {
                return Ok(());
            }
            for (connection, partitions) in sendable {
                if let Err(error) = self.send_request(connection, &partitions, limit) {
                    if !is_transient(&error) {
                        return Err(error);
                    }
                    self.back_off(error);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The partitions for which something may go out now, by the broker that leads them and has room for a request.
    fn sendable(&mut self, limit: &Limit) -> Result<BTreeMap<ConnectionId, Vec<i32>>, KafkaError> {
        let mut sendable: BTreeMap<ConnectionId, (usize, Vec<i32>)> = BTreeMap::new();
        for (&partition, queue) in &mut self.queues {
            let Some(batch) = queue.ready() else {
                continue;
            };
            let broker = self.cluster.leader(&self.topic, partition, limit)?;
            let connection = self.connections.of(partition, broker);
            let on_their_way = self
                .in_flight
                .iter()
                .filter(|request| request.connection == connection);
            if on_their_way.count() >= REQUESTS {
                continue;
            }
            let (bytes, partitions) = sendable.entry(connection).or_default();
            if *bytes == 0 || *bytes + batch.chunk.size() <= FULL_REQUEST {
                *bytes += batch.chunk.size();
                partitions.push(partition);
            }
        }
        let sendable = sendable.into_iter();
        Ok(sendable
            .map(|(connection, (_, partitions))| (connection, partitions))
            .collect())
    }

    /// One request, with the next batch of each of these partitions.
    fn send_request(
        &mut self,
        connection: ConnectionId,
        partitions: &[i32],
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let mut batches = Vec::new();
        for &partition in partitions {
            if let Some(queue) = self.queues.get_mut(&partition) {
                let producer_id = queue.producer_id();
                if let Some(batch) = queue.ready() {
                    let spare = self.spare.pop().unwrap_or_default();
                    batches.push((
                        partition,
                        encoded(batch, self.compression, producer_id, spare)?,
                    ));
                }
            }
        }
        let lent: Vec<Bytes> = batches.iter().map(|(_, batch)| batch.clone()).collect();
        let request = request::request(&self.topic, self.acks, batches);
        let asked = self
            .cluster
            .ask(To::Connection(connection), &request, limit);
        drop(request);
        self.spare.extend(lent.into_iter().filter_map(memory_of));
        self.spare.truncate(SPARES);
        // not even begun, or it may have got through
        if let Err(error) = &asked
            && !error.leaves_a_write_in_doubt()
        {
            return asked.map(drop);
        }
        let mut batches = Vec::new();
        for &partition in partitions {
            if let Some(batch) = self
                .queues
                .get_mut(&partition)
                .and_then(PartitionQueue::ready)
            {
                batch.mark_sent();
                batches.push((partition, batch.number));
            }
        }
        match asked {
            Ok(asked) => {
                self.in_flight.push(InFlight {
                    asked,
                    connection,
                    since: Instant::now(),
                    batches,
                });
                Ok(())
            }
            Err(error) => {
                let mut nothing = Tally::default();
                let failed = SendOutcome::Doubtful(error);
                self.settle_batches(&batches, &mut nothing, |_| Some(failed.clone()))
            }
        }
    }
}

/// Whether time may heal it. A broker may learn of a new topic later than the one that made it.
fn is_transient(error: &KafkaError) -> bool {
    error.is_retriable() || matches!(error, KafkaError::UnknownTopic { .. })
}

/// The memory of a batch that has gone out, for the next. A batch that has to go out again is encoded again.
fn memory_of(batch: Bytes) -> Option<Vec<u8>> {
    let memory: Vec<u8> = batch.try_into_mut().ok()?.into();
    (memory.capacity() <= LARGEST_SPARE).then_some(memory)
}

fn encoded(
    batch: &ProducerBatch,
    compression: Compression,
    producer_id: Option<ProducerId>,
    mut memory: Vec<u8>,
) -> Result<Bytes, KafkaError> {
    let identity = producer_id.map(|producer_id| Identity {
        producer_id: producer_id.id,
        epoch: producer_id.epoch,
        sequence: batch.sequence,
    });
    memory.clear();
    encode(&batch.chunk, compression, identity, &mut memory).map_err(|cause: BatchError| {
        KafkaError::Unsendable {
            cause: cause.to_string(),
        }
    })?;
    Ok(memory.into())
}
