//! Reading a topic on and on, the next fetch on its way while the last one is worked on. Knows nothing of what the
//! records are for.

use super::admin::Admin;
use super::connection::{Connection, Pending};
use super::cursor::{Cursor, Verdict};
use super::error::KafkaError;
use super::fetch::{self, Place};
use super::fetched::Fetched;
use super::metadata::TopicInfo;
use super::offsets::{self, At};
use crate::core::wait::Limit;
use kafka::client::fetch::Response;
use kafka::error::KafkaCode;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker holds a fetch when there is nothing new.
const IDLE: Duration = Duration::from_millis(250);

/// How much is asked for at once, all partitions together, in bytes.
const FETCH: i32 = 32 * 1024 * 1024;

/// Where to begin in each partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record still there.
    Earliest,
    /// Behind the last one there now.
    Latest,
    /// At this offset, or the nearest one that the partition holds.
    Offset(i64),
}

/// What to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which partition; all of them if none is named.
    pub partition: Option<i32>,
    /// Where to begin, unless the group has been further.
    pub start: Start,
    /// The group whose committed offsets come first.
    pub group: Option<String>,
    /// Whether to end where the topic ends now.
    pub to_end: bool,
}

/// A partition no longer held, or did not hold yet, the offset that was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which partition.
    pub partition: i32,
    /// The offset that was asked for.
    pub from: i64,
    /// The one that is read instead.
    pub to: i64,
}

/// Reads the partitions of one topic, all in turn.
#[derive(Debug)]
pub struct Consumer {
    connection: Connection,
    topic: String,
    cursors: BTreeMap<i32, Cursor>,
    ahead: Option<Pending<Vec<Response>>>,
    moved: Vec<Moved>,
}

impl Consumer {
    /// Prepares to read `topic`, of which `info` is known.
    ///
    /// # Errors
    /// [`KafkaError::UnknownPartition`], [`KafkaError::NoLeader`], or when a broker does not answer, or refuses.
    pub fn open(
        admin: Admin,
        topic: &str,
        info: &TopicInfo,
        reading: &Reading,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut consumer = Self {
            connection: admin.into_connection(),
            topic: topic.to_owned(),
            cursors: BTreeMap::new(),
            ahead: None,
            moved: Vec::new(),
        };
        let partitions = chosen(topic, info, reading.partition)?;
        let committed = match &reading.group {
            Some(group) => offsets::of_group(
                &mut consumer.connection,
                group,
                topic,
                partitions.clone(),
                limit,
            )?,
            None => BTreeMap::new(),
        };
        let earliest = consumer.ends(At::Earliest, limit)?;
        let latest = consumer.ends(At::Latest, limit)?;
        let usual = FETCH / i32::try_from(partitions.len()).unwrap_or(i32::MAX);
        let usual = usual.clamp(256 * 1024, 4 * 1024 * 1024);
        for partition in partitions {
            let (Some(&first), Some(&end)) = (earliest.get(&partition), latest.get(&partition))
            else {
                let topic = topic.to_owned();
                return Err(KafkaError::NoLeader { topic, partition });
            };
            let wanted = match (committed.get(&partition), reading.start) {
                (Some(&committed), _) => committed,
                (None, Start::Earliest) => first,
                (None, Start::Latest) => end,
                (None, Start::Offset(offset)) => offset,
            };
            let next = wanted.clamp(first, end.max(first));
            if next != wanted {
                consumer.note(partition, wanted, next);
            }
            let stop = reading.to_end.then_some(end);
            consumer
                .cursors
                .insert(partition, Cursor::new(partition, next, stop, usual));
        }
        Ok(consumer)
    }

    /// Whether everything asked for has been delivered.
    pub fn is_done(&self) -> bool {
        self.cursors.values().all(Cursor::is_done)
    }

    /// The partitions that had to be read from elsewhere since this was last asked.
    pub fn moved(&mut self) -> Vec<Moved> {
        std::mem::take(&mut self.moved)
    }

    /// The next records; none when there are none yet. While they are worked on, more are fetched, unless `enough`
    /// says that these will do.
    ///
    /// # Errors
    /// [`KafkaError`]; after one that [is retriable](KafkaError::is_retriable) it can be called again and reads on
    /// where it was.
    pub fn poll(
        &mut self,
        limit: &Limit,
        enough: impl FnOnce(&Fetched) -> bool,
    ) -> Result<Fetched, KafkaError> {
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
        if !self.is_done() && !enough(&fetched) {
            // should it fail, the next call finds out
            self.ahead = self.fetch(limit).ok();
        }
        Ok(fetched)
    }

    /// Notes on the broker that `group` has dealt with everything before `offsets`.
    ///
    /// # Errors
    /// When the broker does not answer, or refuses: a group with running members elsewhere.
    pub fn commit(
        &mut self,
        group: &str,
        offsets: BTreeMap<i32, i64>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        offsets::commit(&mut self.connection, group, &self.topic, offsets, limit).inspect_err(
            |_| {
                // the fetch on its way went down with the connection
                self.ahead = None;
            },
        )
    }

    fn fetch(&mut self, limit: &Limit) -> Result<Pending<Vec<Response>>, KafkaError> {
        let open = || self.cursors.values().filter(|cursor| !cursor.is_done());
        let places: Vec<Place> = open().map(Place::from).collect();
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
        let mut trouble = Vec::new();
        let mut doubted = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            for found in fetch::partitions(answer) {
                let Some(cursor) = self.cursors.get_mut(&found.partition()) else {
                    continue;
                };
                match fetch::look(found, cursor.next) {
                    Ok((_, seen)) => match cursor.take(seen, false) {
                        Verdict::Deliver(offsets) => {
                            fetched.deliver(index, cursor.partition, offsets);
                        }
                        Verdict::Again => {}
                        Verdict::Doubt => doubted.push(cursor.partition),
                    },
                    Err(code) => trouble.push((found.partition(), code)),
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
        for (partition, code) in trouble {
            match self.settle(partition, code, limit) {
                // what has arrived is delivered first; the trouble will not go away
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
        let (place, topic) = (Place::from(&*cursor), self.topic.clone());
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
        if let Some(Verdict::Deliver(offsets)) = seen.map(|seen| cursor.take(seen, true)) {
            fetched.deliver(fetched.answers.len(), partition, offsets);
            fetched.answers.push(answer);
        }
        Ok(())
    }

    /// Deals with a partition's error: from an offset that is gone to the first that is there; the rest is returned.
    fn settle(&mut self, partition: i32, code: KafkaCode, limit: &Limit) -> Result<(), KafkaError> {
        if code != KafkaCode::OffsetOutOfRange {
            self.connection.forget();
            return Err(fetch::refusal(code, &self.topic, partition));
        }
        let earliest = self.ends(At::Earliest, limit)?;
        if let (Some(&to), Some(cursor)) =
            (earliest.get(&partition), self.cursors.get_mut(&partition))
        {
            let from = std::mem::replace(&mut cursor.next, to);
            self.note(partition, from, to);
        }
        Ok(())
    }

    fn note(&mut self, partition: i32, from: i64, to: i64) {
        self.moved.push(Moved {
            partition,
            from,
            to,
        });
    }

    fn ends(&mut self, at: At, limit: &Limit) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let topics = [self.topic.clone()];
        let found = offsets::of_topics(&mut self.connection, &topics, at, limit)?;
        Ok(found
            .into_iter()
            .map(|((_, partition), offset)| (partition, offset))
            .collect())
    }
}

/// The partitions to read: the one asked for, or all.
fn chosen(topic: &str, info: &TopicInfo, one: Option<i32>) -> Result<Vec<i32>, KafkaError> {
    let all: Vec<i32> = info
        .partitions
        .iter()
        .map(|partition| partition.id)
        .collect();
    match one {
        Some(partition) if !all.contains(&partition) => Err(KafkaError::UnknownPartition {
            topic: topic.to_owned(),
            partition,
            partitions: all.len(),
        }),
        Some(partition) => Ok(vec![partition]),
        None => Ok(all),
    }
}
