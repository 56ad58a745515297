//! Writing records, several requests on their way at once. Knows nothing of where records come from.

mod lane;
mod request;
mod sequence;

use super::batch::{BatchError, Identity, encode};
use super::cluster::{Asked, Cluster, To};
use crate::core::kafka::batch::{Batch, Chunk};
use crate::core::kafka::compression::Compression;
use crate::core::kafka::error::KafkaError;
use crate::core::kafka::producer::{Acks, Writing};
use crate::core::kafka::tally::Tally;
use crate::core::wait::{Interrupt, Limit, Stop};
use bytes::Bytes;
use kafka_protocol::messages::{InitProducerIdRequest, ProduceRequest, ProducerId};
use lane::{Author, Lane, Outcome, Parcel, Verdict, WINDOW};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long answers on their way are waited for once it is over, so that the account is exact.
const GRACE: Duration = Duration::from_secs(1);

/// The first pause before what failed is sent again; each one after is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A broker is given up after half of the time there is, within these bounds.
const SHORTEST_SILENCE: Duration = Duration::from_secs(5);
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Requests on their way to one broker at once.
const REQUESTS: usize = WINDOW;

/// One request holds no more batches once they have so many bytes. A broker takes 100 MiB (`socket.request.max.bytes`).
const FULL_REQUEST: usize = 8 * 1024 * 1024;

/// Writes to one topic.
#[derive(Debug)]
pub(in crate::core::kafka) struct Producer {
    cluster: Cluster,
    topic: String,
    acks: Acks,
    compression: Compression,
    /// Whose name new lanes get, where writing is idempotent.
    author: Option<Author>,
    lanes: BTreeMap<i32, Lane>,
    flights: Vec<Flight>,
    /// When each broker was last heard of.
    heard: HashMap<i32, Instant>,
    /// The largest batch that was not refused as too large, once one was.
    allowed: usize,
    pause: Duration,
    /// Nothing goes out before.
    not_before: Option<Instant>,
    /// What went wrong last.
    trouble: Option<KafkaError>,
}

/// A request on its way.
#[derive(Debug)]
struct Flight {
    asked: Asked<ProduceRequest>,
    broker: i32,
    since: Instant,
    /// Partition and number of each parcel in it.
    parcels: Vec<(i32, u64)>,
}

impl Producer {
    /// The topic must be there.
    pub(in crate::core::kafka) fn open(
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
            flights: Vec::new(),
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
    pub(in crate::core::kafka) fn send(
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
            for piece in pieces(chunk, self.allowed) {
                lane.push(piece);
            }
        }
        let has_room = |producer: &Self| producer.lanes.values().all(|lane| lane.len() <= WINDOW);
        let sent = introduced.and_then(|()| self.work(limit, tally, has_room));
        sent.inspect_err(|_| self.give_up(tally))
    }

    /// Waits until everything is acknowledged.
    pub(in crate::core::kafka) fn flush(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let is_done = |producer: &Self| producer.unsettled() == 0;
        let flushed = self.work(limit, tally, is_done);
        flushed.inspect_err(|_| self.give_up(tally))
    }

    /// Waits until something more is acknowledged, if something is left. Whether something is left then.
    pub(in crate::core::kafka) fn settle(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<bool, KafkaError> {
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
                Err(stop @ Stop::Deadline { .. }) => {
                    return Err(self.trouble.take().unwrap_or(stop.into()));
                }
            }
            self.give_up_the_silent(limit, tally)?;
        }
    }

    /// Takes in the answers that are there.
    fn take_in(&mut self, limit: &Limit, tally: &mut Tally) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        let mut at = 0;
        while at < self.flights.len() {
            if !self.cluster.is_answered(&self.flights[at].asked) {
                at += 1;
                continue;
            }
            let flight = self.flights.remove(at);
            worst = worst.and(self.land(&flight, limit, tally));
        }
        worst
    }

    /// Takes in the answer to one request, or the news that there will be none.
    fn land(
        &mut self,
        flight: &Flight,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        self.heard.insert(flight.broker, Instant::now());
        match self.cluster.answer(&flight.asked, limit) {
            Ok(answer) => {
                let mut outcomes = request::outcomes(&self.topic, &answer);
                self.settle_all(&flight.parcels, tally, |partition| {
                    outcomes.remove(&partition)
                })
            }
            Err(error) => {
                let mut worst = self.settle_all(&flight.parcels, tally, |_| {
                    Some(Outcome::Doubtful(error.clone()))
                });
                // what else was asked over the same connection is lost with it
                let (lost, left) = std::mem::take(&mut self.flights)
                    .into_iter()
                    .partition(|other| other.broker == flight.broker);
                self.flights = left;
                for other in Vec::<Flight>::into_iter(lost) {
                    worst = worst.and(self.settle_all(&other.parcels, tally, |_| {
                        Some(Outcome::Doubtful(error.clone()))
                    }));
                }
                worst
            }
        }
    }

    fn settle_all(
        &mut self,
        parcels: &[(i32, u64)],
        tally: &mut Tally,
        mut outcome: impl FnMut(i32) -> Option<Outcome>,
    ) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        for &(partition, number) in parcels {
            let Some(lane) = self.lanes.get_mut(&partition) else {
                continue;
            };
            let outcome = outcome(partition).unwrap_or_else(|| {
                Outcome::Doubtful(KafkaError::Garbled {
                    address: format!("the leader of partition {partition}"),
                    cause: "it leaves out a partition".to_owned(),
                })
            });
            let is_written = matches!(outcome, Outcome::Written(_));
            match lane.settle(partition, number, outcome, tally) {
                Verdict::GoOn if is_written => {
                    self.pause = FIRST_PAUSE;
                    self.trouble = None;
                }
                Verdict::GoOn => {}
                Verdict::Smaller(bytes) => self.allowed = self.allowed.min(bytes),
                Verdict::Again(error) => self.later(error),
                Verdict::Final(error) => worst = worst.and(Err(error)),
            }
        }
        worst
    }

    /// Leaders are looked for anew, after a pause.
    fn later(&mut self, error: KafkaError) {
        self.trouble = Some(error);
        self.cluster.forget();
        // one pause for whatever goes wrong at the same time
        if self.not_before.is_none() {
            self.not_before = Some(Instant::now() + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends what may go out now.
    fn send_out(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        if self.not_before.is_some_and(|time| time > Instant::now()) {
            return Ok(());
        }
        self.not_before = None;
        loop {
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
            for (broker, partitions) in loads {
                if let Err(error) = self.depart(broker, &partitions, limit) {
                    if !heals(&error) {
                        return Err(error);
                    }
                    self.later(error);
                    return Ok(());
                }
            }
        }
    }

    /// The partitions for which something may go out now, by the broker that leads them and has room for a request.
    fn loads(&mut self, limit: &Limit) -> Result<BTreeMap<i32, Vec<i32>>, KafkaError> {
        let mut loads: BTreeMap<i32, (usize, Vec<i32>)> = BTreeMap::new();
        for (&partition, lane) in &mut self.lanes {
            let Some(parcel) = lane.ready() else {
                continue;
            };
            let broker = self.cluster.leader(&self.topic, partition, limit)?;
            let on_their_way = self.flights.iter().filter(|flight| flight.broker == broker);
            if on_their_way.count() >= REQUESTS {
                continue;
            }
            let (bytes, partitions) = loads.entry(broker).or_default();
            if *bytes == 0 || *bytes + parcel.chunk.size() <= FULL_REQUEST {
                *bytes += parcel.chunk.size();
                partitions.push(partition);
            }
        }
        let loads = loads.into_iter();
        Ok(loads
            .map(|(broker, (_, partitions))| (broker, partitions))
            .collect())
    }

    /// One request, with the next parcel of each of these partitions.
    fn depart(&mut self, broker: i32, partitions: &[i32], limit: &Limit) -> Result<(), KafkaError> {
        let mut batches = Vec::new();
        for &partition in partitions {
            if let Some(lane) = self.lanes.get_mut(&partition) {
                let author = lane.author();
                if let Some(parcel) = lane.ready() {
                    batches.push((partition, encoded(parcel, self.compression, author)?));
                }
            }
        }
        let request = request::request(&self.topic, self.acks, batches);
        let asked = self.cluster.ask(To::Broker(broker), &request, limit);
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
                    broker,
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

    /// A broker that has said nothing for too long is no longer waited for.
    fn give_up_the_silent(&mut self, limit: &Limit, tally: &mut Tally) -> Result<(), KafkaError> {
        let patience = (limit.allowed() / 2).clamp(SHORTEST_SILENCE, LONGEST_SILENCE);
        let silent = self.flights.iter().position(|flight| {
            let heard = self.heard.get(&flight.broker).copied();
            heard
                .map_or(flight.since, |heard| heard.max(flight.since))
                .elapsed()
                > patience
        });
        let Some(at) = silent else {
            return Ok(());
        };
        let flight = self.flights.remove(at);
        self.land(&flight, &limit.at_most(Duration::ZERO), tally)
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

/// Whether time may heal it. A broker may learn of a new topic later than the one that made it.
fn heals(error: &KafkaError) -> bool {
    error.is_retriable() || matches!(error, KafkaError::UnknownTopic { .. })
}

fn encoded(
    parcel: &mut Parcel,
    compression: Compression,
    author: Option<Author>,
) -> Result<Bytes, KafkaError> {
    if let Some(encoded) = &parcel.encoded {
        return Ok(encoded.clone());
    }
    let identity = author.map(|author| Identity {
        producer_id: author.id,
        epoch: author.epoch,
        sequence: parcel.sequence,
    });
    let mut bytes = Vec::new();
    encode(&parcel.chunk, compression, identity, &mut bytes).map_err(|cause: BatchError| {
        KafkaError::Unsendable {
            cause: cause.to_string(),
        }
    })?;
    Ok(parcel.encoded.insert(bytes.into()).clone())
}

/// Cut so that none is larger than `allowed`, as far as whole records permit.
fn pieces(chunk: Chunk, allowed: usize) -> Vec<Chunk> {
    let mut done = Vec::new();
    let mut to_cut = vec![chunk];
    while let Some(chunk) = to_cut.pop() {
        if chunk.size() <= allowed || chunk.records() <= 1 {
            done.push(chunk);
        } else {
            let (first, second) = chunk.halves();
            to_cut.push(second);
            to_cut.push(first);
        }
    }
    done
}
