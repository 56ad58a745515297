//! Looking at a cluster without changing it; the one exception says so in its name. Knows nothing of labs.

use super::connection::Connection;
use super::cursor::{Cursor, Verdict};
use super::error::KafkaError;
use super::fetch::{self, Place};
use super::metadata::{self, TopicInfo};
use super::offsets::{self, At};
use super::producer::Producer;
use crate::core::endpoint::Endpoint;
use crate::core::message::Record;
use crate::core::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a topic in the making is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How much of a partition is read at once, in bytes.
const READ: i32 = 1024 * 1024;

/// A connection for looking around.
#[derive(Debug)]
pub struct Admin {
    connection: Connection,
}

impl Admin {
    /// Connects to the first of `bootstrap` that answers. One attempt; waiting for a broker that is starting is the
    /// caller's.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`] names every address and why, or interrupted.
    pub fn connect(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        Ok(Self {
            connection: Connection::open(bootstrap, limit)?,
        })
    }

    /// Connects, waiting for a broker that is still starting (connections to it are accepted and closed) until `limit`.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`], at once where nothing listens on any address.
    pub fn connect_patiently(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        loop {
            match Self::connect(bootstrap, limit) {
                Err(KafkaError::Unreachable { refused: false, .. })
                    if !limit.remaining().is_zero() =>
                {
                    limit.pause(LOOK)?;
                }
                settled => return settled,
            }
        }
    }

    /// Every topic of the cluster, its internal ones too. Never creates one.
    ///
    /// # Errors
    /// When the broker does not answer, see [`KafkaError`].
    pub fn topics(&mut self, limit: &Limit) -> Result<BTreeMap<String, TopicInfo>, KafkaError> {
        self.connection
            .call("list its topics", limit, metadata::reload)
    }

    /// The advertised addresses of the brokers that lead a partition. One that leads none is not seen: the crate keeps
    /// the list of brokers to itself.
    ///
    /// # Errors
    /// As [`Admin::topics`].
    pub fn brokers(&mut self, limit: &Limit) -> Result<BTreeSet<String>, KafkaError> {
        let topics = self.topics(limit)?;
        Ok(topics
            .into_values()
            .flat_map(|topic| topic.partitions)
            .filter_map(|partition| partition.leader)
            .collect())
    }

    /// Where the partitions of `topics` begin or end, by topic and partition. Topics that are not there and partitions
    /// without a leader are left out.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses.
    pub fn offsets(
        &mut self,
        topics: &[String],
        at: At,
        limit: &Limit,
    ) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
        offsets::of_topics(&mut self.connection, topics, at, limit)
    }

    /// Where `group` stands in the partitions of `topic`, by partition; those it never committed are left out.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`], or when a broker does not answer, or refuses.
    pub fn group_offsets(
        &mut self,
        group: &str,
        topic: &str,
        limit: &Limit,
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let topics = self.topics(limit)?;
        let info = topics.get(topic).ok_or_else(|| KafkaError::UnknownTopic {
            topic: topic.to_owned(),
        })?;
        let partitions = info
            .partitions
            .iter()
            .map(|partition| partition.id)
            .collect();
        offsets::of_group(&mut self.connection, group, topic, partitions, limit)
    }

    /// Makes sure that `topic` is there and each of its partitions has a leader, by naming it: a broker that creates
    /// topics by itself then does so, with its own defaults.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`] when it was not there by the deadline (the broker does not create topics by itself),
    /// [`KafkaError::NoLeader`] when it was; otherwise when the broker does not answer.
    pub fn create_by_touch(&mut self, topic: &str, limit: &Limit) -> Result<TopicInfo, KafkaError> {
        touch(&mut self.connection, topic, limit)
    }

    /// Reads up to `max` records of one partition, from offset `from` to its present end, and no further.
    ///
    /// # Errors
    /// [`KafkaError::Refused`] with `OFFSET_OUT_OF_RANGE` where the partition does not hold `from`;
    /// [`KafkaError::Codec`]; or when the broker does not answer.
    pub fn read(
        &mut self,
        topic: &str,
        partition: i32,
        from: i64,
        max: usize,
        limit: &Limit,
    ) -> Result<Vec<Record>, KafkaError> {
        let mut cursor = Cursor::new(partition, from, None, READ);
        let mut records = Vec::new();
        while records.len() < max && cursor.is_behind() {
            limit.check(|| format!("{} of at most {max} records read", records.len()))?;
            self.read_on(topic, &mut cursor, max, &mut records, limit)?;
        }
        Ok(records)
    }

    /// What the consumer reads through from then on.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// The same connection, for writing to `topic`; see [`Producer::open`].
    ///
    /// # Errors
    /// As [`Admin::create_by_touch`].
    pub fn into_producer(mut self, topic: &str, limit: &Limit) -> Result<Producer, KafkaError> {
        let info = self.create_by_touch(topic, limit)?;
        Ok(Producer::new(self.connection, topic, info))
    }

    /// One fetch, and a closer look where it leaves a gap.
    fn read_on(
        &mut self,
        topic: &str,
        cursor: &mut Cursor,
        max: usize,
        records: &mut Vec<Record>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let doing = format!("read partition {} of topic `{topic}`", cursor.partition);
        for certain in [false, true] {
            let place = Place::from(&*cursor);
            let name = topic.to_owned();
            let answer = self
                .connection
                .call(&doing, limit, move |client| {
                    if certain {
                        fetch::first_batch(client, &name, place)
                    } else {
                        Ok(fetch::fetch(client, &name, &[place], Duration::ZERO)?.pop())
                    }
                })
                .map_err(|error| fetch::failure(error, topic))?;
            let found = answer.iter().flat_map(fetch::partitions).next();
            let Some(found) = found else {
                self.connection.forget();
                return Err(offsets::unknown(topic, cursor.partition));
            };
            let (messages, seen) = fetch::look(found, place.offset)
                .map_err(|code| fetch::refusal(code, topic, cursor.partition))?;
            match cursor.take(seen, certain) {
                Verdict::Doubt => {}
                Verdict::Again => return Ok(()),
                Verdict::Deliver(_) => {
                    let room = max - records.len();
                    records.extend(
                        messages
                            .iter()
                            .take(room)
                            .map(|message| fetch::record(cursor.partition, message).to_record()),
                    );
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// See [`Admin::create_by_touch`].
pub(super) fn touch(
    connection: &mut Connection,
    topic: &str,
    limit: &Limit,
) -> Result<TopicInfo, KafkaError> {
    let doing = format!("create topic `{topic}`");
    loop {
        let name = topic.to_owned();
        let touched = connection.call(&doing, limit, move |client| {
            client.load_metadata(&[&name])?;
            Ok(metadata::known(client, &name).unwrap_or_default())
        });
        let topic = topic.to_owned();
        let trouble = match touched {
            Ok(info) if info.is_ready() => return Ok(info),
            Ok(info) => match info.leaderless() {
                Some(partition) => KafkaError::NoLeader { topic, partition },
                None => KafkaError::UnknownTopic { topic },
            },
            Err(error) if error.is_retriable() => error,
            Err(error) => return Err(error),
        };
        limit.pause(LOOK)?;
        if limit.remaining().is_zero() {
            return Err(trouble);
        }
    }
}
