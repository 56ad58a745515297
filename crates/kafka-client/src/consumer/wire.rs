//! Reading partitions of one topic on and on: one request to each leader, the next on its way while the last answer is
//! worked on.
//!
//! Without fetch sessions (KIP-227): each request names all partitions. For 1,000 of them on one broker, idle, that
//! took 0.03 s of our time and 0.5 s of the broker's in 8 s (as kcat, which has no sessions either); reading a million
//! records from them took 0.65 s, as all of them had something. Sessions would save a part of the former only.

mod cursor;
mod fetched;
mod in_flight;
mod inspect;
mod request;

#[cfg(test)]
mod tests;

pub(crate) use fetched::Fetched;

use crate::cluster::{Cluster, To};
use crate::code::Code;
use crate::consumer::Position;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::protocol::aborted::Aborted;
use crate::wait::Limit;
use cursor::{Cursor, FetchedTo, TooLarge};
use in_flight::InFlight;
use inspect::inspect;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use request::{Requested, request, usual};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a leader may give no answer before it is given up for silent, while others may answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How soon after an error with one leader it is asked again who leads, while others answer.
const RETRY: Duration = Duration::from_millis(200);

/// How long a topic must be missing before that is believed.
const SETTLE: Duration = Duration::from_secs(2);

/// Reads partitions of one topic.
#[derive(Debug)]
pub(crate) struct Reader {
    cluster: Cluster,
    topic: String,
    committed_only: bool,
    cursors: BTreeMap<i32, Cursor>,
    /// At most one for each leader.
    in_flight: Vec<InFlight>,
    out_of_range: Vec<i32>,
    /// What keeps partitions from being asked for, and when it happened.
    last_error: Option<(KafkaError, Instant)>,
    answers: u64,
    missing_since: Option<Instant>,
}

impl Reader {
    /// Connects, to read `topic` from these positions on.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`].
    pub(crate) fn open(
        bootstrap: &[Endpoint],
        topic: &str,
        positions: &[Position],
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let usual = usual(positions.len());
        let cursor = |at: &Position| (at.partition, Cursor::new(*at, usual));
        Ok(Self {
            cluster: Cluster::connect(bootstrap, limit)?,
            topic: topic.to_owned(),
            committed_only: false,
            cursors: positions.iter().map(cursor).collect(),
            in_flight: Vec::new(),
            out_of_range: Vec::new(),
            last_error: None,
            answers: 0,
            missing_since: None,
        })
    }

    /// Leaves out what a transaction wrote that was aborted or has not ended yet, if `only`.
    pub(crate) fn committed_only(mut self, only: bool) -> Self {
        self.committed_only = only;
        self
    }

    /// Where each partition goes on.
    pub(crate) fn positions(&self) -> Vec<Position> {
        self.cursors.values().map(|cursor| cursor.at).collect()
    }

    /// Goes on elsewhere in a partition. What is on its way was asked for elsewhere, and is not taken.
    pub(crate) fn seek(&mut self, partition: i32, next: i64) {
        if let Some(cursor) = self.cursors.get_mut(&partition) {
            cursor.seek(next);
        }
    }

    /// Reads one more partition from now on, or another offset of one.
    pub(crate) fn add(&mut self, at: Position) {
        let usual = usual(self.cursors.len() + 1);
        self.cursors.insert(at.partition, Cursor::new(at, usual));
        self.cluster.forget();
    }

    /// Stops sooner in a partition that is read to an end.
    pub(crate) fn shorten(&mut self, partition: i32, end: i64) {
        if let Some(cursor) = self.cursors.get_mut(&partition) {
            cursor.at.end = cursor.at.end.map(|old| old.min(end));
        }
    }

    /// Stops reading a partition.
    pub(crate) fn remove(&mut self, partition: i32) {
        self.cursors.remove(&partition);
    }

    /// The partitions that do not hold the offset that was to be read, since this was last asked.
    pub(crate) fn out_of_range(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.out_of_range)
    }

    /// Whether some of the partitions cannot be read at the moment, while others may.
    pub(crate) fn is_troubled(&self) -> bool {
        self.last_error.is_some()
    }

    fn is_done(&self) -> bool {
        self.cursors.values().all(|cursor| cursor.at.is_done())
    }

    /// The next records; none when there are none yet. While they are worked on, more are fetched, unless these are as
    /// many as `wanted`.
    ///
    /// # Errors
    /// [`KafkaError`]; after one that [is retriable](KafkaError::is_retriable) it can be called again and reads on
    /// where it was.
    pub(crate) fn poll(&mut self, wanted: u64, limit: &Limit) -> Result<Fetched, KafkaError> {
        if self.is_done() {
            return Ok(Fetched::default());
        }
        self.ask(limit)?;
        let Some(request) = self.next_answered(limit)? else {
            let last_error = self.last_error.take().map(|(error, _)| error);
            return Err(last_error.unwrap_or_else(|| self.leaderless()));
        };
        // one that has been silent for so long is not waited for once more: others may answer
        let patience = if self.cluster.is_answered(&request.asked) {
            limit.clone()
        } else {
            limit.at_most(Duration::ZERO)
        };
        let answer = self.cluster.answer(&request.asked, &patience);
        for partition in request.wanted.offsets.keys() {
            if let Some(cursor) = self.cursors.get_mut(partition) {
                cursor.is_asked = false;
            }
        }
        let doing = || format!("read topic `{}`", self.topic);
        let answer = answer
            .and_then(|answer| KafkaError::check(answer.error_code, doing).map(|()| answer))
            .inspect_err(|_| self.cluster.forget())?;
        let fetched = self.sort(request, answer)?;
        if !self.is_done() && fetched.most() < wanted {
            // should it fail, the next call finds out
            let _ = self.ask(limit);
        }
        match self.last_error.take() {
            // what has arrived is delivered first; the error will not go away
            Some((error, _)) if fetched.is_empty() => Err(error),
            last_error => {
                self.last_error = last_error;
                Ok(fetched)
            }
        }
    }

    /// Sends a request to each leader that has none on its way.
    fn ask(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let is_over = |since: &Instant| since.elapsed() >= RETRY;
        if matches!(&self.last_error, Some((_, since)) if self.in_flight.is_empty() || is_over(since))
        {
            self.last_error = None;
            self.cluster.forget();
        }
        let is_open = |cursor: &&Cursor| !cursor.is_asked && !cursor.at.is_done();
        if !self.cursors.values().any(|cursor| is_open(&cursor)) {
            return Ok(());
        }
        if !self.cluster.known.topics.contains_key(&self.topic) {
            let topic = [self.topic.clone()];
            if let Err(error) = self.cluster.metadata(Some(&topic), limit) {
                return self.record_error(error);
            }
        }
        let Some(known) = self.cluster.known.topics.get(&self.topic) else {
            let error = self.missing();
            return self.record_error(error);
        };
        self.missing_since = None;
        let mut by_leader: BTreeMap<i32, Vec<&Cursor>> = BTreeMap::new();
        let mut leaderless = false;
        for cursor in self.cursors.values().filter(is_open) {
            match known.partition(cursor.at.partition).and_then(|p| p.leader) {
                Some(leader) if self.in_flight.iter().any(|f| f.leader == leader) => {}
                Some(leader) => by_leader.entry(leader).or_default().push(cursor),
                None => leaderless = true,
            }
        }
        let requests: Vec<(i32, (FetchRequest, Requested))> = by_leader
            .into_iter()
            .map(|(leader, cursors)| (leader, request(&self.topic, cursors, self.committed_only)))
            .collect();
        for (leader, (request, wanted)) in requests {
            match self.cluster.ask(To::Broker(leader), &request, limit) {
                Ok(asked) => self.record_in_flight(leader, asked, wanted),
                Err(error) => self.record_error(error)?,
            }
        }
        if leaderless {
            self.record_error(self.leaderless())?;
        }
        Ok(())
    }

    /// Trouble with one leader keeps no one from the records of another.
    fn record_error(&mut self, error: KafkaError) -> Result<(), KafkaError> {
        if !error.is_retriable() {
            return Err(error);
        }
        self.last_error.get_or_insert((error, Instant::now()));
        Ok(())
    }

    /// Finds out what an answer means, partition by partition.
    fn sort(&mut self, request: InFlight, answer: FetchResponse) -> Result<Fetched, KafkaError> {
        let InFlight {
            leader, mut wanted, ..
        } = request;
        let is_certain = wanted.is_alone && answer.throttle_time_ms == 0;
        let address = self.cluster.address_of(leader);
        let mut fetched = Fetched::new(address, self.topic.clone());
        let mut fault = None;
        self.answers += 1;
        let mut topics = answer.responses;
        topics.retain(|topic| **topic.topic == *self.topic);
        for data in topics.into_iter().flat_map(|topic| topic.partitions) {
            // each counts once, and only what was asked for
            if let Some(offset) = wanted.offsets.remove(&data.partition_index)
                && let Err(error) = self.settle(data, offset, is_certain, &mut fetched)
            {
                fault.get_or_insert(error);
            }
        }
        match fault {
            Some(error) if error.is_retriable() => {
                self.cluster.forget();
                self.last_error.get_or_insert((error, Instant::now()));
                Ok(fetched)
            }
            // it will be there again
            Some(error) if fetched.is_empty() => Err(error),
            _ => Ok(fetched),
        }
    }

    /// Takes one partition's part of an answer that was asked for from `offset` on.
    fn settle(
        &mut self,
        data: PartitionData,
        offset: i64,
        is_certain: bool,
        fetched: &mut Fetched,
    ) -> Result<(), KafkaError> {
        let partition = data.partition_index;
        let Some(cursor) = self.cursors.get_mut(&partition) else {
            return Ok(());
        };
        if cursor.at.next != offset {
            return Ok(());
        }
        let topic = &self.topic;
        let doing = || format!("read partition {partition} of topic `{topic}`");
        match KafkaError::check(data.error_code, doing) {
            Err(error) if error.is(ResponseError::OffsetOutOfRange) => {
                self.out_of_range.push(partition);
                return Ok(());
            }
            checked => checked?,
        }
        let bytes = data.records.unwrap_or_default();
        let aborted = data.aborted_transactions;
        let aborted = self.committed_only.then(|| Aborted::of(aborted));
        let inspected = inspect(bytes, aborted, offset, cursor.at.end);
        let bound = if self.committed_only {
            data.last_stable_offset
        } else {
            data.high_watermark
        };
        if inspected.last.is_some() {
            cursor.served = self.answers;
        }
        let taken = match (&inspected.fault, inspected.last) {
            (Some(_), None) => Ok(()),
            _ => cursor.take(&inspected, FetchedTo { bound, is_certain }),
        };
        let end = cursor.at.end.unwrap_or(i64::MAX);
        fetched.add(partition, offset..end, inspected.batches);
        if cursor.at.next > offset {
            fetched.reach(partition, cursor.at.next.min(end));
        }
        if let Err(TooLarge(bytes)) = taken {
            return Err(KafkaError::Garbled {
                address: fetched.address().to_owned(),
                cause: format!(
                    "partition {partition} of topic `{topic}`: a batch of {bytes} bytes at offset {offset}"
                ),
            });
        }
        match inspected.fault {
            Some(fault) => Err(fetched.garbled(partition, &fault)),
            None => Ok(()),
        }
    }

    /// The topic is not there: deleted, or unknown to a broker that has just come back.
    fn missing(&mut self) -> KafkaError {
        let topic = self.topic.clone();
        if self
            .missing_since
            .get_or_insert_with(Instant::now)
            .elapsed()
            > SETTLE
        {
            return KafkaError::UnknownTopic { topic };
        }
        KafkaError::Refused {
            doing: format!("read topic `{topic}`"),
            code: Code(ResponseError::UnknownTopicOrPartition),
            said: None,
        }
    }

    fn leaderless(&self) -> KafkaError {
        let info = self.cluster.known.topics.get(&self.topic);
        let leads = |partition: i32| info.and_then(|info| info.partition(partition)?.leader);
        let mut open = self.cursors.values().filter(|cursor| !cursor.at.is_done());
        let without = open.find(|cursor| leads(cursor.at.partition).is_none());
        KafkaError::NoLeader {
            topic: self.topic.clone(),
            partition: without.map_or(0, |cursor| cursor.at.partition),
        }
    }
}
