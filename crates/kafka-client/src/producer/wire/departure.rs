//! Sending what may go out now. Knows nothing of what comes back.

use super::Producer;
use super::arrival::Flight;
use super::lane::{Author, Lane, Outcome, Parcel, WINDOW};
use super::request;
use crate::cluster::{Line, To};
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

/// One request holds no more batches once they have so many bytes. A broker takes 100 MiB (`socket.request.max.bytes`).
const FULL_REQUEST: usize = 8 * 1024 * 1024;

/// The memory of so many batches is kept, of no more bytes than this each.
const SPARES: usize = 8;
const LARGEST_SPARE: usize = 2 * 1024 * 1024;

impl Producer {
    /// Sends what may go out now.
    pub(super) fn send_out(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        if self.not_before.is_some_and(|time| time > Instant::now()) {
            return Ok(());
        }
        self.not_before = None;
        // what broke on its way out is not tried again at once
        while self.not_before.is_none() && limit.check(String::new).is_ok() {
            let loads = match self.loads(limit) {
                Ok(loads) => loads,
                Err(error) if heals(&error) => {
                    self.later(error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if loads.is_empty() {
                return Ok(());
            }
            for (line, partitions) in loads {
                if let Err(error) = self.depart(line, &partitions, limit) {
                    if !heals(&error) {
                        return Err(error);
                    }
                    self.later(error);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The partitions for which something may go out now, by the broker that leads them and has room for a request.
    fn loads(&mut self, limit: &Limit) -> Result<BTreeMap<Line, Vec<i32>>, KafkaError> {
        let mut loads: BTreeMap<Line, (usize, Vec<i32>)> = BTreeMap::new();
        for (&partition, lane) in &mut self.lanes {
            let Some(parcel) = lane.ready() else {
                continue;
            };
            let broker = self.cluster.leader(&self.topic, partition, limit)?;
            let line = self.lines.of(partition, broker);
            let on_their_way = self.flights.iter().filter(|flight| flight.line == line);
            if on_their_way.count() >= REQUESTS {
                continue;
            }
            let (bytes, partitions) = loads.entry(line).or_default();
            if *bytes == 0 || *bytes + parcel.chunk.size() <= FULL_REQUEST {
                *bytes += parcel.chunk.size();
                partitions.push(partition);
            }
        }
        let loads = loads.into_iter();
        Ok(loads
            .map(|(line, (_, partitions))| (line, partitions))
            .collect())
    }

    /// One request, with the next parcel of each of these partitions.
    fn depart(&mut self, line: Line, partitions: &[i32], limit: &Limit) -> Result<(), KafkaError> {
        let mut batches = Vec::new();
        for &partition in partitions {
            if let Some(lane) = self.lanes.get_mut(&partition) {
                let author = lane.author();
                if let Some(parcel) = lane.ready() {
                    let spare = self.spare.pop().unwrap_or_default();
                    batches.push((partition, encoded(parcel, self.compression, author, spare)?));
                }
            }
        }
        let lent: Vec<Bytes> = batches.iter().map(|(_, batch)| batch.clone()).collect();
        let request = request::request(&self.topic, self.acks, batches);
        let asked = self.cluster.ask(To::Line(line), &request, limit);
        drop(request);
        self.spare.extend(lent.into_iter().filter_map(memory_of));
        self.spare.truncate(SPARES);
        // not even begun, or it may have got through
        if let Err(error) = &asked
            && !error.leaves_a_write_in_doubt()
        {
            return asked.map(drop);
        }
        let mut parcels = Vec::new();
        for &partition in partitions {
            if let Some(parcel) = self.lanes.get_mut(&partition).and_then(Lane::ready) {
                parcel.leaves();
                parcels.push((partition, parcel.number));
            }
        }
        match asked {
            Ok(asked) => {
                self.flights.push(Flight {
                    asked,
                    line,
                    since: Instant::now(),
                    parcels,
                });
                Ok(())
            }
            Err(error) => {
                let mut nothing = Tally::default();
                let failed = Outcome::Doubtful(error);
                self.settle_all(&parcels, &mut nothing, |_| Some(failed.clone()))
            }
        }
    }
}

/// Whether time may heal it. A broker may learn of a new topic later than the one that made it.
fn heals(error: &KafkaError) -> bool {
    error.is_retriable() || matches!(error, KafkaError::UnknownTopic { .. })
}

/// The memory of a batch that has gone out, for the next. A batch that has to go out again is encoded again.
fn memory_of(batch: Bytes) -> Option<Vec<u8>> {
    let memory: Vec<u8> = batch.try_into_mut().ok()?.into();
    (memory.capacity() <= LARGEST_SPARE).then_some(memory)
}

fn encoded(
    parcel: &Parcel,
    compression: Compression,
    author: Option<Author>,
    mut memory: Vec<u8>,
) -> Result<Bytes, KafkaError> {
    let identity = author.map(|author| Identity {
        producer_id: author.id,
        epoch: author.epoch,
        sequence: parcel.sequence,
    });
    memory.clear();
    encode(&parcel.chunk, compression, identity, &mut memory).map_err(|cause: BatchError| {
        KafkaError::Unsendable {
            cause: cause.to_string(),
        }
    })?;
    Ok(memory.into())
}
