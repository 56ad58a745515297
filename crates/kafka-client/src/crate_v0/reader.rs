//! Reading a topic on and on, the next fetch on its way while the last one is worked on.

use super::connection::{Connection, Pending};
use super::cursor::{Cursor, FetchStep};
use super::fetch::{self, FetchFrom};
use super::fetched::Fetched;
use crate::consumer::Position;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka::client::fetch::Response;
use kafka::error::KafkaCode;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker holds a fetch when there is nothing new.
const IDLE: Duration = Duration::from_millis(250);

/// How much is asked for at once, all partitions together, in bytes.
const FETCH: i32 = 32 * 1024 * 1024;

/// Reads partitions of one topic, all in turn.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    topic: String,
    cursors: BTreeMap<i32, Cursor>,
    ahead: Option<Pending<Vec<Response>>>,
    out_of_range: Vec<i32>,
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
        let cursor = |at: &Position| {
            (
                at.partition,
                Cursor::new(at.partition, at.next, at.end, usual),
            )
        };
        Ok(Self {
            connection: Connection::open(bootstrap, limit)?,
            topic: topic.to_owned(),
            cursors: positions.iter().map(cursor).collect(),
            ahead: None,
            out_of_range: Vec::new(),
        })
    }

    /// Where each partition goes on.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let position = |cursor: &Cursor| Position {
            partition: cursor.partition,
            next: cursor.next,
            end: cursor.end,
        };
        self.cursors.values().map(position).collect()
    }

    /// Goes on elsewhere in a partition.
    pub(crate) fn seek(&mut self, partition: i32, next: i64) {
        // what is on its way was asked for elsewhere
        self.ahead = None;
        if let Some(cursor) = self.cursors.get_mut(&partition) {
            cursor.next = next;
        }
    }

    /// Reads one more partition from now on, or another offset of one.
    pub(crate) fn add(&mut self, at: Position) {
        // the crate learns who leads it when it connects
        self.ahead = None;
        self.connection.forget();
        let cursor = Cursor::new(at.partition, at.next, at.end, usual(self.cursors.len() + 1));
        self.cursors.insert(at.partition, cursor);
    }

    /// Stops sooner in a partition that is read to an end.
    pub(crate) fn shorten(&mut self, partition: i32, end: i64) {
        if let Some(cursor) = self.cursors.get_mut(&partition) {
            cursor.end = cursor.end.map(|old| old.min(end));
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

    fn is_done(&self) -> bool {
        self.cursors.values().all(Cursor::is_done)
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
        let pending = match self.ahead.take() {
            Some(pending) => pending,
            None => self.fetch(limit)?,
        };
        let answers = self
            .connection
            .finish(&pending, limit)
            .map_err(|error| fetch::failure(error, &self.topic))?;
        let fetched = self.sort(answers, limit)?;
        if !self.is_done() && !fetched.has(wanted) {
            // should it fail, the next call finds out
            self.ahead = self.fetch(limit).ok();
        }
        Ok(fetched)
    }

    fn fetch(&mut self, limit: &Limit) -> Result<Pending<Vec<Response>>, KafkaError> {
        let open = || self.cursors.values().filter(|cursor| !cursor.is_done());
        let places: Vec<FetchFrom> = open().map(FetchFrom::from).collect();
        // a broker with nothing new must not keep the records of another waiting
        let wait = if open().any(Cursor::is_behind) {
            Duration::ZERO
        } else {
            IDLE
        };
        let topic = self.topic.clone();
        let doing = format!("read topic `{topic}`");
        self.connection.start(&doing, limit, move |client| {
            fetch::fetch(client, &topic, &places, wait)
        })
    }

    /// Finds out what the answers mean, partition by partition.
    fn sort(&mut self, answers: Vec<Response>, limit: &Limit) -> Result<Fetched, KafkaError> {
        let mut fetched = Fetched::default();
        let mut refused = Vec::new();
        let mut doubted = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            for found in fetch::partitions(answer) {
                let Some(cursor) = self.cursors.get_mut(&found.partition()) else {
                    continue;
                };
                match fetch::look(found, cursor.next) {
                    Ok((_, seen)) => match cursor.take(seen, false) {
                        FetchStep::Deliver(offsets) => {
                            fetched.deliver(index, cursor.partition, offsets);
                        }
                        FetchStep::Again => {}
                        FetchStep::Doubt => doubted.push(cursor.partition),
                    },
                    Err(code) => refused.push((found.partition(), code)),
                }
            }
        }
        if answers.iter().flat_map(fetch::partitions).next().is_none() {
            self.connection.forget();
            let partition = self.cursors.keys().next().copied().unwrap_or(0);
            let topic = self.topic.clone();
            return Err(KafkaError::NoLeader { topic, partition });
        }
        fetched.answers = answers;
        for partition in doubted {
            self.look_closer(partition, &mut fetched, limit)?;
        }
        for (partition, code) in refused {
            match self.settle(partition, code) {
                // what has arrived is delivered first; the refusal will not go away
                Err(_) if !fetched.is_empty() => self.connection.forget(),
                settled => settled?,
            }
        }
        Ok(fetched)
    }

    /// Fetches one partition again in a way that can hide nothing, see `fetch::first_batch`.
    fn look_closer(
        &mut self,
        partition: i32,
        fetched: &mut Fetched,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let Some(cursor) = self.cursors.get_mut(&partition) else {
            return Ok(());
        };
        let (place, topic) = (FetchFrom::from(&*cursor), self.topic.clone());
        let answer = self
            .connection
            .call(&format!("read topic `{topic}`"), limit, move |client| {
                fetch::first_batch(client, &topic, place)
            });
        // whatever was to be delivered before stays to be delivered
        let answer = match answer {
            Err(_) if !fetched.is_empty() => return Ok(()),
            answer => answer?,
        };
        let Some(answer) = answer else { return Ok(()) };
        let seen = fetch::partitions(&answer)
            .next()
            .and_then(|found| fetch::look(found, place.offset).ok())
            .map(|(_, seen)| seen);
        if let Some(FetchStep::Deliver(offsets)) = seen.map(|seen| cursor.take(seen, true)) {
            fetched.deliver(fetched.answers.len(), partition, offsets);
            fetched.answers.push(answer);
        }
        Ok(())
    }

    /// Deals with a partition's error: an offset that is gone is for the caller to settle; the rest is returned.
    fn settle(&mut self, partition: i32, code: KafkaCode) -> Result<(), KafkaError> {
        if code == KafkaCode::OffsetOutOfRange {
            self.out_of_range.push(partition);
            return Ok(());
        }
        self.connection.forget();
        Err(fetch::refusal(code, &self.topic, partition))
    }
}

/// How many bytes to ask of each of this many partitions.
fn usual(partitions: usize) -> i32 {
    let usual = FETCH / i32::try_from(partitions.max(1)).unwrap_or(i32::MAX);
    usual.clamp(256 * 1024, 4 * 1024 * 1024)
}
