//! Writing records, several requests on their way at once. Knows nothing of where records come from.

mod arrival;
mod departure;
mod lane;
mod lines;
mod request;
mod sequence;

use crate::cluster::{Cluster, Line, To};
use crate::compression::Compression;
use crate::error::KafkaError;
use crate::producer::Batch;
use crate::producer::Tally;
use crate::producer::{Acks, Writing};
use crate::wait::{Interrupt, Limit, Stop};
use arrival::Flight;
use kafka_protocol::messages::{InitProducerIdRequest, ProducerId};
use lane::{Author, Lane, WINDOW};
use lines::Lines;
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
    /// Whose name new lanes get, where writing is idempotent.
    author: Option<Author>,
    lanes: BTreeMap<i32, Lane>,
    /// How many records were taken for each partition.
    taken: BTreeMap<i32, u64>,
    flights: Vec<Flight>,
    /// Which connection each partition's batches take.
    lines: Lines,
    /// Memory of batches that are written, for those that come.
    spare: Vec<Vec<u8>>,
    /// When each broker was last heard of, over each of its connections.
    heard: HashMap<Line, Instant>,
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
        writing: &Writing,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut producer = Self {
            cluster,
            topic: topic.to_owned(),
            acks: writing.acks,
            compression: writing.compression,
            author: None,
            lanes: BTreeMap::new(),
            taken: BTreeMap::new(),
            flights: Vec::new(),
            lines: Lines::default(),
            spare: Vec::new(),
            heard: HashMap::new(),
            allowed: usize::MAX,
            pause: FIRST_PAUSE,
            not_before: None,
            trouble: None,
        };
        producer.introduce(limit)?;
        Ok(producer)
    }

    /// Sends, and takes in whatever answers are there; waits only while a partition has its window full.
    pub(crate) fn send(
        &mut self,
        batch: Batch,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let introduced = self.introduce(limit);
        for (partition, chunk) in batch.into_chunks() {
            let lane = self
                .lanes
                .entry(partition)
                .or_insert_with(|| Lane::new(self.author));
            let taken = self.taken.entry(partition).or_default();
            for piece in chunk.cut(self.allowed) {
                let records = piece.records() as u64;
                lane.push(piece, *taken);
                *taken += records;
            }
        }
        let has_room = |producer: &Self| producer.lanes.values().all(|lane| lane.len() <= WINDOW);
        let sent = introduced.and_then(|()| self.work(limit, tally, has_room));
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
        self.lanes.values().map(Lane::len).sum()
    }

    fn work(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Result<(), KafkaError> {
        loop {
            self.take_in(limit, tally)?;
            self.rename(limit)?;
            self.send_out(limit)?;
            if is_enough(self) {
                return Ok(());
            }
            match self.wait(limit) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                Err(late @ Stop::Deadline { .. }) => return Err(self.too_late(late)),
            }
            self.give_up_the_silent(limit, tally)?;
        }
    }

    /// Why not everything is acknowledged by now.
    fn too_late(&mut self, late: Stop) -> KafkaError {
        let oldest = self.flights.first();
        let silent = oldest.map(|flight| KafkaError::Silent {
            address: self.cluster.address_of(flight.line.broker),
            waited: flight.since.elapsed(),
        });
        let trouble = self.trouble.take().or(silent);
        trouble.unwrap_or(late.into())
    }

    /// Waits a moment, until something may have changed.
    fn wait(&mut self, limit: &Limit) -> Result<(), Stop> {
        if self.flights.is_empty() {
            let pause = self.not_before.map_or(FIRST_PAUSE, |time| {
                time.saturating_duration_since(Instant::now())
            });
            limit.pause(pause)?;
            return limit.check(|| "nothing acknowledged".to_owned());
        }
        let asked: Vec<_> = self.flights.iter().map(|flight| &flight.asked).collect();
        self.cluster.wait_for_any(&asked, limit)
    }

    /// Gets a producer id, where writing is idempotent and there is none.
    fn introduce(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        if self.acks == Acks::All && self.author.is_none() {
            self.author = Some(self.new_author(limit)?);
        }
        Ok(())
    }

    /// Gives a new producer id to every partition that needs one.
    fn rename(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let mut outdated = Vec::new();
        for (&partition, lane) in &self.lanes {
            if lane.wants_author()? {
                outdated.push(partition);
            }
        }
        for partition in outdated {
            let author = self.new_author(limit)?;
            if let Some(lane) = self.lanes.get_mut(&partition) {
                lane.rename(author);
            }
        }
        Ok(())
    }

    fn new_author(&mut self, limit: &Limit) -> Result<Author, KafkaError> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(i32::MAX)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        self.cluster.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Any, &request, limit)?;
            KafkaError::check(answer.error_code, || "give out a producer id".to_owned())?;
            Ok(Author {
                id: answer.producer_id.0,
                epoch: answer.producer_epoch,
            })
        })
    }

    /// Takes in the answers on their way, and gives up the rest.
    fn give_up(&mut self, tally: &mut Tally) {
        let grace = Limit::new(GRACE, &Interrupt::default());
        while !self.flights.is_empty() {
            // how the rest fares changes nothing any more
            let _ = self.take_in(&grace, tally);
            if self.wait(&grace).is_err() {
                break;
            }
        }
        self.flights.clear();
        for lane in std::mem::take(&mut self.lanes).into_values() {
            lane.give_up(tally);
        }
        // the sequence numbers are lost with what they were given to
        self.author = None;
        self.not_before = None;
    }
}

#[cfg(test)]
mod tests;
