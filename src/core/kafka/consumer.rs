//! Reading a topic on and on, from where it was asked to. Knows nothing of what the records are for.

use super::admin::Admin;
use super::client::{Abilities, Client, Feature, Speaker, Why};
use super::error::{Codec, KafkaError};
use super::fetched::Fetched;
use super::metadata::TopicInfo;
use super::offsets::At;
use super::position::Position;
use super::{v0, wire};
use crate::core::wait::Limit;
use std::collections::BTreeMap;

/// Where to begin in each partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record still there.
    Earliest,
    /// Behind the last one there now.
    Latest,
    /// At this offset, or the nearest one that the partition holds.
    Offset(i64),
    /// At the first record that is as late as this or later, in milliseconds since the epoch.
    Time(i64),
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
    /// Whether to leave out what a transaction wrote that was aborted, or has not ended yet.
    pub committed_only: bool,
    /// Which client reads.
    pub client: Client,
    /// What is wanted that the crate cannot do.
    pub needs: Vec<Feature>,
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
    admin: Admin,
    backend: Backend,
    speaker: Speaker,
    topic: String,
    reading: Reading,
    moved: Vec<Moved>,
}

#[derive(Debug)]
enum Backend {
    V0(v0::Reader),
    Wire(wire::Reader),
}

impl Consumer {
    /// Prepares to read `topic`, of which `info` is known.
    ///
    /// # Errors
    /// [`KafkaError::UnknownPartition`], [`KafkaError::NoLeader`], [`KafkaError::CannotDo`], or when a broker does not
    /// answer, or refuses.
    pub fn open(
        mut admin: Admin,
        topic: &str,
        info: &TopicInfo,
        reading: &Reading,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let cluster = Abilities {
            version_0: admin.speaks_version_0(),
            // of no matter to a reader
            keeps_time: false,
        };
        let speaker = reading.client.choose(&reading.needs, cluster)?;
        let partitions = chosen(topic, info, reading.partition)?;
        let mut moved = Vec::new();
        let positions = positions(&mut admin, topic, &partitions, reading, &mut moved, limit)?;
        let bootstrap = admin.bootstrap();
        let backend = match speaker {
            Speaker::Crate => Backend::V0(v0::Reader::open(bootstrap, topic, &positions, limit)?),
            Speaker::Wire(_) => {
                Backend::Wire(wire_reader(bootstrap, topic, &positions, reading, limit)?)
            }
        };
        Ok(Self {
            admin,
            backend,
            speaker,
            topic: topic.to_owned(),
            reading: reading.clone(),
            moved,
        })
    }

    /// Which client reads, and why.
    pub fn speaker(&self) -> Speaker {
        self.speaker
    }

    /// Whether everything asked for has been delivered.
    pub fn is_done(&self) -> bool {
        self.positions().iter().all(Position::is_done)
    }

    /// The partitions that had to be read from elsewhere since this was last asked.
    pub fn moved(&mut self) -> Vec<Moved> {
        std::mem::take(&mut self.moved)
    }

    /// The next records; none when there are none yet. While they are worked on, more are fetched, unless these are as
    /// many as `wanted`.
    ///
    /// # Errors
    /// [`KafkaError`]; after one that [is retriable](KafkaError::is_retriable) it can be called again and reads on
    /// where it was.
    pub fn poll(&mut self, wanted: u64, limit: &Limit) -> Result<Fetched, KafkaError> {
        let polled = match &mut self.backend {
            Backend::V0(reader) => reader.poll(wanted, limit).map(Fetched::from),
            Backend::Wire(reader) => reader.poll(wanted, limit).map(Fetched::from),
        };
        match polled {
            Err(KafkaError::Codec { codec, .. }) if self.reading.client == Client::Auto => {
                self.change_over(codec, limit)?;
                self.poll(wanted, limit)
            }
            Err(error) => Err(error),
            Ok(fetched) => {
                self.settle(limit)?;
                Ok(fetched)
            }
        }
    }

    /// Notes on the broker that `group` has dealt with everything before `offsets`.
    ///
    /// # Errors
    /// When the broker does not answer, or refuses: a group with running members elsewhere.
    pub fn commit(
        &mut self,
        group: &str,
        offsets: &BTreeMap<i32, i64>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let place = |(&partition, &offset)| ((self.topic.clone(), partition), offset);
        let offsets = offsets.iter().map(place).collect();
        self.admin.cluster.commit(group, &offsets, None, limit)
    }

    /// The crate met data that it cannot read: our own client reads on from there.
    fn change_over(&mut self, codec: Codec, limit: &Limit) -> Result<(), KafkaError> {
        let positions = self.positions();
        let reader = wire_reader(
            self.admin.bootstrap(),
            &self.topic,
            &positions,
            &self.reading,
            limit,
        )?;
        self.backend = Backend::Wire(reader);
        self.speaker = Speaker::Wire(Why::Needs(match codec {
            Codec::Lz4 => Feature::Lz4,
            Codec::Zstd => Feature::Zstd,
        }));
        Ok(())
    }

    /// Where an offset is gone, goes on with the first that is there.
    fn settle(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let lost = match &mut self.backend {
            Backend::V0(reader) => reader.out_of_range(),
            Backend::Wire(reader) => reader.out_of_range(),
        };
        if lost.is_empty() {
            return Ok(());
        }
        let first = ends(&mut self.admin, &self.topic, At::Earliest, limit)?;
        let end = ends(&mut self.admin, &self.topic, At::Latest, limit)?;
        for position in self.positions() {
            let (id, from) = (position.partition, position.next);
            let (Some(&first), Some(&end)) = (first.get(&id), end.get(&id)) else {
                continue;
            };
            if !lost.contains(&id) || (first..=end).contains(&from) {
                continue;
            }
            match &mut self.backend {
                Backend::V0(reader) => reader.seek(id, first),
                Backend::Wire(reader) => reader.seek(id, first),
            }
            self.moved.push(Moved {
                partition: id,
                from,
                to: first,
            });
        }
        Ok(())
    }

    fn positions(&self) -> Vec<Position> {
        match &self.backend {
            Backend::V0(reader) => reader.positions(),
            Backend::Wire(reader) => reader.positions(),
        }
    }
}

fn wire_reader(
    bootstrap: &[crate::core::endpoint::Endpoint],
    topic: &str,
    positions: &[Position],
    reading: &Reading,
    limit: &Limit,
) -> Result<wire::Reader, KafkaError> {
    let reader = wire::Reader::open(bootstrap, topic, positions, limit)?;
    Ok(reader.committed_only(reading.committed_only))
}

/// Where to begin: where the group stands, else where it was asked to.
fn positions(
    admin: &mut Admin,
    topic: &str,
    partitions: &[i32],
    reading: &Reading,
    moved: &mut Vec<Moved>,
    limit: &Limit,
) -> Result<Vec<Position>, KafkaError> {
    let committed = match &reading.group {
        Some(group) => admin.group_offsets(group, topic, limit)?,
        None => BTreeMap::new(),
    };
    let earliest = ends(admin, topic, At::Earliest, limit)?;
    let latest = ends(admin, topic, At::Latest, limit)?;
    let timed = match reading.start {
        Start::Time(time) => ends(admin, topic, At::Time(time), limit)?,
        _ => BTreeMap::new(),
    };
    let mut positions = Vec::new();
    for &partition in partitions {
        let (Some(&first), Some(&end)) = (earliest.get(&partition), latest.get(&partition)) else {
            let topic = topic.to_owned();
            return Err(KafkaError::NoLeader { topic, partition });
        };
        let wanted = match (committed.get(&partition), reading.start) {
            (Some(&committed), _) => committed,
            (None, Start::Earliest) => first,
            (None, Start::Latest) => end,
            (None, Start::Offset(offset)) => offset,
            (None, Start::Time(_)) => timed.get(&partition).copied().unwrap_or(end),
        };
        let next = wanted.clamp(first, end.max(first));
        if next != wanted {
            moved.push(Moved {
                partition,
                from: wanted,
                to: next,
            });
        }
        positions.push(Position {
            partition,
            next,
            end: reading.to_end.then_some(end),
        });
    }
    Ok(positions)
}

fn ends(
    admin: &mut Admin,
    topic: &str,
    at: At,
    limit: &Limit,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let found = admin.offsets(&[topic.to_owned()], at, limit)?;
    Ok(found
        .into_iter()
        .map(|((_, partition), offset)| (partition, offset))
        .collect())
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
