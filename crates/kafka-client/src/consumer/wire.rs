//! Reading partitions of one topic on and on: one request to each leader, the next on its way while the last answer is
//! worked on. Knows nothing of what the records are for.
//!
//! Without fetch sessions (KIP-227): each request names all partitions. For 1,000 of them on one broker, idle, that took
//! 0.03 s of our time and 0.5 s of the broker's in 8 s (as kcat, which has no sessions either); reading a million
//! records from them took 0.65 s, as all of them had something. Sessions would save a part of the former only.

mod cursor;
mod fetched;
mod flight;
mod look;
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
use cursor::{Cursor, Said, TooLarge};
use flight::Flight;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use look::look;
use request::{Wanted, request, usual};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a leader may give no answer before it is given up for silent, while others may answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How soon after trouble with one leader it is asked again who leads, while others answer.
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
    flights: Vec<Flight>,
    out_of_range: Vec<i32>,
    /// What keeps partitions from being asked for, and when it happened.
    trouble: Option<(KafkaError, Instant)>,
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
            flights: Vec::new(),
            out_of_range: Vec::new(),
            trouble: None,
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

    /// Reads one more partition from now on, or another place of one.
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

    /// Reads a partition no more.
    pub(crate) fn remove(&mut self, partition: i32) {
        self.cursors.remove(&partition);
    }

    /// The partitions that do not hold the offset that was to be read, since this was last asked.
    pub(crate) fn out_of_range(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.out_of_range)
    }

    /// Whether some of the partitions cannot be read at the moment, while others may.
    pub(crate) fn is_troubled(&self) -> bool {
        self.trouble.is_some()
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
        let Some(flight) = self.next_answered(limit)? else {
            let trouble = self.trouble.take().map(|(error, _)| error);
            return Err(trouble.unwrap_or_else(|| self.leaderless()));
        };
        // one that has been silent for so long is not waited for once more: others may answer
        let patience = if self.cluster.is_answered(&flight.asked) {
            limit.clone()
        } else {
            limit.at_most(Duration::ZERO)
        };
        let answer = self.cluster.answer(&flight.asked, &patience);
        for partition in flight.wanted.offsets.keys() {
            if let Some(cursor) = self.cursors.get_mut(partition) {
                cursor.is_asked = false;
            }
        }
        let doing = || format!("read topic `{}`", self.topic);
        let answer = answer
            .and_then(|answer| KafkaError::check(answer.error_code, doing).map(|()| answer))
            .inspect_err(|_| self.cluster.forget())?;
        let fetched = self.sort(flight, answer)?;
        if !self.is_done() && fetched.most() < wanted {
            // should it fail, the next call finds out
            let _ = self.ask(limit);
        }
        match self.trouble.take() {
            // what has arrived is delivered first; the trouble will not go away
            Some((error, _)) if fetched.is_empty() => Err(error),
            trouble => {
                self.trouble = trouble;
                Ok(fetched)
            }
        }
    }

    /// Sends a request to each leader that has none on its way.
    fn ask(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let is_over = |since: &Instant| since.elapsed() >= RETRY;
        if matches!(&self.trouble, Some((_, since)) if self.flights.is_empty() || is_over(since)) {
            self.trouble = None;
            self.cluster.forget();
        }
        let is_open = |cursor: &&Cursor| !cursor.is_asked && !cursor.at.is_done();
        if !self.cursors.values().any(|cursor| is_open(&cursor)) {
            return Ok(());
        }
        if !self.cluster.known.topics.contains_key(&self.topic) {
            let topic = [self.topic.clone()];
            if let Err(error) = self.cluster.metadata(Some(&topic), limit) {
                return self.bear(error);
            }
        }
        let Some(known) = self.cluster.known.topics.get(&self.topic) else {
            let error = self.missing();
            return self.bear(error);
        };
        self.missing_since = None;
        let mut by_leader: BTreeMap<i32, Vec<&Cursor>> = BTreeMap::new();
        let mut leaderless = false;
        for cursor in self.cursors.values().filter(is_open) {
            match known.partition(cursor.at.partition).and_then(|p| p.leader) {
                Some(leader) if self.flights.iter().any(|f| f.leader == leader) => {}
                Some(leader) => by_leader.entry(leader).or_default().push(cursor),
                None => leaderless = true,
            }
        }
        let requests: Vec<(i32, (FetchRequest, Wanted))> = by_leader
            .into_iter()
            .map(|(leader, cursors)| (leader, request(&self.topic, cursors, self.committed_only)))
            .collect();
        for (leader, (request, wanted)) in requests {
            match self.cluster.ask(To::Broker(leader), &request, limit) {
                Ok(asked) => self.take_off(leader, asked, wanted),
                Err(error) => self.bear(error)?,
            }
        }
        if leaderless {
            self.bear(self.leaderless())?;
        }
        Ok(())
    }

    /// Trouble with one leader keeps no one from the records of another.
    fn bear(&mut self, error: KafkaError) -> Result<(), KafkaError> {
        if !error.is_retriable() {
            return Err(error);
        }
        self.trouble.get_or_insert((error, Instant::now()));
        Ok(())
    }

    /// Finds out what an answer means, partition by partition.
    fn sort(&mut self, flight: Flight, answer: FetchResponse) -> Result<Fetched, KafkaError> {
        let Flight {
            leader, mut wanted, ..
        } = flight;
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
                self.trouble.get_or_insert((error, Instant::now()));
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
        let looked = look(bytes, aborted, offset, cursor.at.end);
        let bound = if self.committed_only {
            data.last_stable_offset
        } else {
            data.high_watermark
        };
        if looked.last.is_some() {
            cursor.served = self.answers;
        }
        let taken = match (&looked.fault, looked.last) {
            (Some(_), None) => Ok(()),
            _ => cursor.take(&looked, Said { bound, is_certain }),
        };
        let end = cursor.at.end.unwrap_or(i64::MAX);
        fetched.add(partition, offset..end, looked.batches);
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
        match looked.fault {
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
