//! Looking at a cluster, and changing what is not a record.
//!
//! Always the wire client: nothing is ever created by looking.

mod groups;
mod topics;

use crate::cluster::Cluster;
use crate::cluster::metadata::{Metadata, TopicInfo};
use crate::cluster::offsets::At;
use crate::cluster::peek::Peek;
use crate::cluster::settings::Subject;
use crate::consumer::Position;
use crate::consumer::wire::Reader;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::message::{Record, RecordRef};
use crate::wait::{Limit, span};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

/// How soon to look at a topic that is being created; each pause after is half as long again, up to [`LOOK`]. It takes a
/// broker some 20 ms.
const FIRST_LOOK: Duration = Duration::from_millis(2);

/// How often to look at a topic that is being created, or a broker that starts.
const LOOK: Duration = Duration::from_millis(50);

/// Describes a cluster, and changes what is not a record. Creates nothing by looking; connections to the brokers are made when
/// they are first needed.
#[derive(Debug)]
pub struct Admin {
    pub(super) cluster: Cluster,
    bootstrap: Vec<Endpoint>,
}

impl Admin {
    /// Connects to the first of `bootstrap` that answers. One attempt; waiting for a broker that is starting is the
    /// caller's.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`] names every address and why, or interrupted.
    pub fn connect(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        Ok(Self {
            cluster: Cluster::connect(bootstrap, limit)?,
            bootstrap: bootstrap.to_vec(),
        })
    }

    /// Connects, waiting for a broker that is still starting (connections to it are accepted and closed) until `limit`.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`], at once where nothing listens on any address.
    pub fn connect_patiently(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        let since = Instant::now();
        let mut is_first = true;
        loop {
            match Self::connect(bootstrap, limit) {
                Err(KafkaError::Unreachable { refused: false, .. })
                    if !limit.remaining().is_zero() =>
                {
                    limit.pause(LOOK)?;
                }
                Err(KafkaError::Unreachable {
                    addresses,
                    refused,
                    cause,
                }) if !is_first => {
                    // the last attempt alone would tell of less time than it took
                    let cause = format!("{cause} (tried for {})", span(since.elapsed()));
                    return Err(KafkaError::Unreachable {
                        addresses,
                        refused,
                        cause,
                    });
                }
                settled => return settled,
            }
            is_first = false;
        }
    }

    /// Where this looks around.
    pub(super) fn bootstrap(&self) -> &[Endpoint] {
        &self.bootstrap
    }

    /// The cluster: its brokers, and every topic, the internal ones too. One look, without patience.
    ///
    /// # Errors
    /// When the broker does not answer, see [`KafkaError`].
    pub fn describe(&mut self, limit: &Limit) -> Result<Metadata, KafkaError> {
        self.cluster.metadata(None, limit)
    }

    /// Every topic of the cluster, its internal ones too.
    ///
    /// # Errors
    /// As [`Admin::describe`].
    pub fn topics(&mut self, limit: &Limit) -> Result<BTreeMap<String, TopicInfo>, KafkaError> {
        Ok(self.describe(limit)?.topics)
    }

    /// Where the partitions of `topics` begin or end, by topic and partition. Topics that are not there and partitions
    /// without a leader are left out.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses, until `limit`.
    pub fn offsets(
        &mut self,
        topics: &[String],
        at: At,
        limit: &Limit,
    ) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
        self.cluster.offsets(topics, at, limit)
    }

    /// As [`Admin::offsets`] of these partitions of one topic. One without a leader is waited for: a topic just made has
    /// such for a moment, and so has one whose leader has died.
    ///
    /// # Errors
    /// [`KafkaError::NoLeader`] where one has none at `limit`; otherwise as [`Admin::offsets`].
    pub fn offsets_in(
        &mut self,
        topic: &str,
        partitions: &[i32],
        at: At,
        limit: &Limit,
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        self.cluster.patiently(limit, |cluster, limit| {
            let mut found = cluster.offsets_once(&[topic.to_owned()], at, limit)?;
            let one = |&partition: &i32| {
                let topic = topic.to_owned();
                match found.remove(&(topic.clone(), partition)) {
                    Some(offset) => Ok((partition, offset)),
                    None => Err(KafkaError::NoLeader { topic, partition }),
                }
            };
            partitions.iter().map(one).collect()
        })
    }

    /// Looks into the beginning of each of these parts of partitions, however many topics they are of: some 64 KiB, or one batch.
    /// Partitions without a leader, and those that do not hold the part's beginning any more, are left out. With
    /// `committed_only`, what a transaction wrote that was aborted counts for nothing.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses, until `limit`.
    pub fn peek(
        &mut self,
        parts: &BTreeMap<(String, i32), Range<i64>>,
        committed_only: bool,
        limit: &Limit,
    ) -> Result<BTreeMap<(String, i32), Peek>, KafkaError> {
        self.cluster.patiently(limit, |cluster, limit| {
            cluster.peek(parts, committed_only, limit)
        })
    }

    /// How many partitions `topic` has; 0 where there is no such topic.
    pub(super) fn partitions(&mut self, topic: &str, limit: &Limit) -> Result<usize, KafkaError> {
        let found = self.cluster.metadata(Some(&[topic.to_owned()]), limit)?;
        let info = found.topics.get(topic);
        Ok(info.map_or(0, |info| info.partitions.len()))
    }

    /// Whether there is such a topic.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn has_topic(&mut self, topic: &str, limit: &Limit) -> Result<bool, KafkaError> {
        Ok(self.partitions(topic, limit)? > 0)
    }

    /// The committed offsets of `group` in `topic`, by partition; partitions without one are left out.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses, until `limit`.
    pub fn group_offsets(
        &mut self,
        group: &str,
        topic: &str,
        limit: &Limit,
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let found = self.cluster.group_offsets(group, None, limit)?;
        let here = found.into_iter().filter(|((name, _), _)| name == topic);
        Ok(here
            .map(|((_, partition), offset)| (partition, offset))
            .collect())
    }

    /// Whether its brokers speak version 0 of the protocol, as the `kafka` crate does: up to Kafka 3.9 (KIP-896).
    pub fn speaks_version_0(&self) -> bool {
        self.cluster.speaks_version_0()
    }

    /// Whether `topic` keeps the time that a producer gives a record, rather than stamp its own on it. One that is not there
    /// yet does as its brokers do.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses to tell, until `limit`.
    pub fn keeps_time(&mut self, topic: &str, limit: &Limit) -> Result<bool, KafkaError> {
        let mut setting = self
            .cluster
            .topic_setting(topic, "message.timestamp.type", limit)?;
        if setting.is_none() {
            setting = self.time_of_new_topics(limit)?;
        }
        Ok(setting.as_deref() != Some("LogAppendTime"))
    }

    fn time_of_new_topics(&mut self, limit: &Limit) -> Result<Option<String>, KafkaError> {
        let brokers = self.cluster.metadata(Some(&[]), limit)?.brokers;
        let broker = brokers.keys().next().map(|id| Subject::Broker(*id));
        let key = "log.message.timestamp.type";
        let broker: Vec<Subject> = broker.into_iter().collect();
        let found = self.cluster.settings(&broker, &[key], limit)?;
        let mut settings = found.into_values().flatten();
        Ok(settings.find_map(|one| one.value.filter(|_| one.name == key)))
    }

    /// Makes sure that `topic` is there and each of its partitions has a leader, by naming it: a broker that creates
    /// topics by itself then does so, with its own defaults.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`] when it was not there by the deadline (the broker does not create topics by itself),
    /// [`KafkaError::NoLeader`] when it was; otherwise when the broker does not answer.
    pub fn ensure_topic(&mut self, topic: &str, limit: &Limit) -> Result<TopicInfo, KafkaError> {
        let mut pause = FIRST_LOOK;
        loop {
            let name = topic.to_owned();
            let trouble = match self.cluster.touch(topic, limit) {
                Ok(Some(info)) if info.is_ready() => return Ok(info),
                Ok(info) => match info.and_then(|info| info.leaderless()) {
                    Some(partition) => KafkaError::NoLeader {
                        topic: name,
                        partition,
                    },
                    None => KafkaError::UnknownTopic { topic: name },
                },
                Err(error) if error.is_retriable() => error,
                Err(error) => return Err(error),
            };
            self.cluster.forget();
            limit.pause(pause)?;
            pause = (pause * 3 / 2).min(LOOK);
            if limit.remaining().is_zero() {
                return Err(trouble);
            }
        }
    }

    /// Reads up to `max` records of one partition, from offset `from` to its present end, and no further.
    ///
    /// # Errors
    /// [`KafkaError::Refused`] with `OFFSET_OUT_OF_RANGE` where the partition does not hold `from`; or when the broker
    /// does not answer.
    pub fn read(
        &mut self,
        topic: &str,
        partition: i32,
        from: i64,
        max: usize,
        limit: &Limit,
    ) -> Result<Vec<Record>, KafkaError> {
        let mut records = Vec::new();
        self.scan(topic, partition, from, limit, |record| {
            if records.len() == max {
                return ControlFlow::Break(());
            }
            records.push(record.to_record());
            if records.len() == max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(records)
    }

    /// Shows the records of one partition to `take`, from offset `from` to its present end, until it has enough. None is
    /// kept: for topics that may be long.
    ///
    /// # Errors
    /// As [`Admin::read`].
    pub fn scan(
        &mut self,
        topic: &str,
        partition: i32,
        from: i64,
        limit: &Limit,
        take: impl FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), KafkaError> {
        self.scan_to(At::Latest, (topic, partition), from, limit, take)
    }

    /// As [`Admin::scan`], without records that a transaction gave up or has not ended yet.
    ///
    /// # Errors
    /// As [`Admin::read`].
    pub fn scan_committed(
        &mut self,
        topic: &str,
        partition: i32,
        from: i64,
        limit: &Limit,
        take: impl FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), KafkaError> {
        self.scan_to(At::Stable, (topic, partition), from, limit, take)
    }

    /// Whether one partition holds a record, from offset `from` on, that no transaction gave up or has not ended yet.
    ///
    /// # Errors
    /// As [`Admin::read`].
    pub fn has_committed(
        &mut self,
        topic: &str,
        partition: i32,
        from: i64,
        limit: &Limit,
    ) -> Result<bool, KafkaError> {
        let mut has = false;
        self.scan_committed(topic, partition, from, limit, |_| {
            has = true;
            ControlFlow::Break(())
        })?;
        Ok(has)
    }

    fn scan_to(
        &mut self,
        to: At,
        (topic, partition): (&str, i32),
        from: i64,
        limit: &Limit,
        mut take: impl FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), KafkaError> {
        let ends = self.offsets(&[topic.to_owned()], to, limit)?;
        let end = ends.get(&(topic.to_owned(), partition)).copied();
        let position = Position {
            partition,
            next: from,
            end: Some(end.unwrap_or(from)),
        };
        let reader = Reader::open(&self.bootstrap, topic, &[position], limit)?;
        let mut reader = reader.committed_only(to == At::Stable);
        let (mut has_enough, mut seen) = (false, 0u64);
        while !has_enough && !reader.positions().iter().all(Position::is_done) {
            limit.check(|| format!("{seen} records of topic `{topic}` read"))?;
            let fetched = reader.poll(u64::MAX, limit)?;
            if !reader.out_of_range().is_empty() {
                let doing = || format!("read partition {partition} of topic `{topic}` from {from}");
                KafkaError::check(1, doing)?;
            }
            fetched.each(|record| {
                seen += 1;
                let next = take(record);
                has_enough = next.is_break();
                Ok::<_, KafkaError>(next)
            })?;
        }
        Ok(())
    }
}
