//! Writing records, several requests on their way at once.

mod connections;
mod partition_queue;
mod request;
mod responses;
mod send;
mod sequence;

use crate::cluster::{Cluster, ConnectionId, To};
use crate::compression::Compression;
use crate::error::KafkaError;
use crate::producer::Batch;
use crate::producer::Tally;
use crate::producer::{Acks, ProducerOptions};
use crate::wait::{Interrupt, Limit, Stop};
use connections::Connections;
use kafka_protocol::messages::InitProducerIdRequest;
use partition_queue::{PartitionQueue, ProducerId, WINDOW};
use responses::InFlight;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long answers on their way are waited for once it is over, so that the account is exact.
const GRACE: Duration = Duration::from_secs(1);

/// The first pause before what failed is sent again; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Writes to one topic.
#[derive(Debug)]
pub(crate) struct Producer {
    cluster: Cluster,
    topic: String,
    acks: Acks,
    compression: Compression,
    /// Whose name new queues get, where writing is idempotent.
    id: Option<ProducerId>,
    queues: BTreeMap<i32, PartitionQueue>,
    /// How many records were taken for each partition.
    taken: BTreeMap<i32, u64>,
    in_flight: Vec<InFlight>,
    /// Which connection each partition's batches take.
    connections: Connections,
    /// Memory of batches that are written, for those that come.
    spare: Vec<Vec<u8>>,
    /// When each broker was last heard of, over each of its connections.
    last_heard: HashMap<ConnectionId, Instant>,
    /// The largest batch that was not refused as too large, once one was.
    allowed: usize,
    pause: Duration,
    /// Nothing goes out before.
    not_before: Option<Instant>,
    /// What went wrong last.
    trouble: Option<KafkaError>,
}

impl Producer {
    /// The topic must be there.
    pub(crate) fn open(
        cluster: Cluster,
        topic: &str,
        writing: &ProducerOptions,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut producer = Self {
            cluster,
            topic: topic.to_owned(),
            acks: writing.acks,
            compression: writing.compression,
            id: None,
            queues: BTreeMap::new(),
            taken: BTreeMap::new(),
            in_flight: Vec::new(),
            connections: Connections::default(),
            spare: Vec::new(),
            last_heard: HashMap::new(),
            allowed: usize::MAX,
            pause: FIRST_PAUSE,
            not_before: None,
            trouble: None,
        };
        producer.ensure_producer_id(limit)?;
        Ok(producer)
    }

    /// Sends, and takes in whatever answers are there; waits only while a partition has its window full.
    pub(crate) fn send(
        &mut self,
        batch: Batch,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let ensured = self.ensure_producer_id(limit);
        for (partition, chunk) in batch.into_chunks() {
            let queue = self
                .queues
                .entry(partition)
                .or_insert_with(|| PartitionQueue::new(self.id));
            let taken = self.taken.entry(partition).or_default();
            for piece in chunk.cut(self.allowed) {
                let records = piece.records() as u64;
                queue.push(piece, *taken);
                *taken += records;
            }
        }
        let has_room =
            |producer: &Self| producer.queues.values().all(|queue| queue.len() <= WINDOW);
        let sent = ensured.and_then(|()| self.work(limit, tally, has_room));
        sent.inspect_err(|_| self.give_up(tally))
    }

    /// Waits until everything is acknowledged.
    pub(crate) fn flush(&mut self, limit: &Limit, tally: &mut Tally) -> Result<(), KafkaError> {
        let is_done = |producer: &Self| producer.unsettled() == 0;
        let flushed = self.work(limit, tally, is_done);
        flushed.inspect_err(|_| self.give_up(tally))
    }

    /// Waits until something more is acknowledged, if something is left. Whether something is left then.
    pub(crate) fn settle(&mut self, limit: &Limit, tally: &mut Tally) -> Result<bool, KafkaError> {
        let before = self.unsettled();
        let is_less = |producer: &Self| producer.unsettled() < before.max(1);
        let settled = self.work(limit, tally, is_less);
        settled.inspect_err(|_| self.give_up(tally))?;
        Ok(self.unsettled() > 0)
    }

    fn unsettled(&self) -> usize {
        self.queues.values().map(PartitionQueue::len).sum()
    }

    fn work(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Result<(), KafkaError> {
        loop {
            self.take_responses(limit, tally)?;
            self.replace_producer_ids(limit)?;
            self.send_ready(limit)?;
            if is_enough(self) {
                return Ok(());
            }
            match self.wait(limit) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                Err(late @ Stop::Deadline { .. }) => return Err(self.too_late(late)),
            }
            self.give_up_silent(limit, tally)?;
        }
    }

    /// Why not everything is acknowledged by now.
    fn too_late(&mut self, late: Stop) -> KafkaError {
        let oldest = self.in_flight.first();
        let silent = oldest.map(|request| KafkaError::Silent {
            address: self.cluster.address_of(request.connection.broker),
            waited: request.since.elapsed(),
        });
        let trouble = self.trouble.take().or(silent);
        trouble.unwrap_or(late.into())
    }

    /// Waits a moment, until something may have changed.
    fn wait(&mut self, limit: &Limit) -> Result<(), Stop> {
        if self.in_flight.is_empty() {
            let pause = self.not_before.map_or(FIRST_PAUSE, |time| {
                time.saturating_duration_since(Instant::now())
            });
            limit.pause(pause)?;
            return limit.check(|| "nothing acknowledged".to_owned());
        }
        let asked: Vec<_> = self
            .in_flight
            .iter()
            .map(|request| &request.asked)
            .collect();
        self.cluster.wait_for_any(&asked, limit)
    }

    /// Gets a producer id, where writing is idempotent and there is none.
    fn ensure_producer_id(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        if self.acks == Acks::All && self.id.is_none() {
            self.id = Some(self.new_producer_id(limit)?);
        }
        Ok(())
    }

    /// Gives a new producer id to every partition that needs one.
    fn replace_producer_ids(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let mut retired = Vec::new();
        for (&partition, queue) in &self.queues {
            if queue.needs_producer_id()? {
                retired.push(partition);
            }
        }
        for partition in retired {
            let producer_id = self.new_producer_id(limit)?;
            if let Some(queue) = self.queues.get_mut(&partition) {
                queue.restart_as(producer_id);
            }
        }
        Ok(())
    }

    fn new_producer_id(&mut self, limit: &Limit) -> Result<ProducerId, KafkaError> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(i32::MAX)
            .with_producer_id(kafka_protocol::messages::ProducerId(-1))
            .with_producer_epoch(-1);
        self.cluster.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Any, &request, limit)?;
            KafkaError::check(answer.error_code, || "give out a producer id".to_owned())?;
            Ok(ProducerId {
                id: answer.producer_id.0,
                epoch: answer.producer_epoch,
            })
        })
    }

    /// Takes in the answers on their way, and gives up the rest.
    fn give_up(&mut self, tally: &mut Tally) {
        let grace = Limit::new(GRACE, &Interrupt::default());
        while !self.in_flight.is_empty() {
            // how the rest fares changes nothing any more
            let _ = self.take_responses(&grace, tally);
            if self.wait(&grace).is_err() {
                break;
            }
        }
        self.in_flight.clear();
        for queue in std::mem::take(&mut self.queues).into_values() {
            queue.give_up(tally);
        }
        // the sequence numbers are lost with what they were given to
        self.id = None;
        self.not_before = None;
    }
}

#[cfg(test)]
mod tests;
