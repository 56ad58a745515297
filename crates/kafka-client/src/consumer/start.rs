//! Where reading begins and ends in each partition.

use crate::admin::Admin;
use crate::cluster::metadata::TopicInfo;
use crate::cluster::offsets::At;
use crate::consumer::ConsumerOptions;
use crate::consumer::Position;
use crate::error::KafkaError;
use crate::wait::Limit;
use std::collections::BTreeMap;

/// Where to begin in each partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// At the first record still there.
    #[default]
    Earliest,
    /// Behind the last one there now.
    Latest,
    /// At this offset, or the nearest one that the partition holds.
    Offset(i64),
    /// At the first record that is as late as this or later, in milliseconds since the epoch.
    Time(i64),
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

/// Where a [`Start`] is in a partition, and where the partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOffset {
    /// The offset of the first record that is still there.
    pub first: i64,
    /// The offset that the next record will get.
    pub end: i64,
    /// The offset that the [`Start`] stands for; a [`Start::Offset`] may be outside.
    pub meant: i64,
}

impl Admin {
    /// Where `start` is in each of these partitions of a topic. One without a leader is waited for.
    ///
    /// # Errors
    /// [`KafkaError::NoLeader`] where one has none at `limit`; or when a broker does not answer, or refuses.
    pub fn start_offsets(
        &mut self,
        topic: &str,
        partitions: &[i32],
        start: Start,
        limit: &Limit,
    ) -> Result<BTreeMap<i32, StartOffset>, KafkaError> {
        let mut offsets = |at| self.offsets_in(topic, partitions, at, limit);
        let first = offsets(At::Earliest)?;
        let timed = match start {
            Start::Time(time) => offsets(At::Time(time))?,
            _ => BTreeMap::new(),
        };
        // last: no time comes after it
        let end = offsets(At::Latest)?;
        let place = |partition: &i32| {
            let (first, end) = (*first.get(partition)?, *end.get(partition)?);
            let meant = match start {
                Start::Earliest => first,
                Start::Latest => end,
                Start::Offset(offset) => offset,
                Start::Time(_) => *timed.get(partition)?,
            };
            Some((*partition, StartOffset { first, end, meant }))
        };
        Ok(partitions.iter().filter_map(place).collect())
    }
}

/// Where to begin: where the group stands, else where it was asked to. A partition without a leader is waited for.
pub(crate) fn positions(
    admin: &mut Admin,
    topic: &str,
    partitions: &[i32],
    reading: &ConsumerOptions,
    moved: &mut Vec<Moved>,
    limit: &Limit,
) -> Result<Vec<Position>, KafkaError> {
    let committed = match &reading.group {
        Some(group) => admin.group_offsets(group, topic, limit)?,
        None => BTreeMap::new(),
    };
    let starts = admin.start_offsets(topic, partitions, reading.start, limit)?;
    let stable = if reading.committed_only {
        admin.offsets_in(topic, partitions, At::Stable, limit)?
    } else {
        BTreeMap::new()
    };
    let mut positions = Vec::new();
    for (partition, StartOffset { first, end, meant }) in starts {
        let shown = stable.get(&partition).copied().unwrap_or(end);
        let wanted = match (committed.get(&partition), reading.start) {
            (Some(&committed), _) => committed,
            (None, Start::Latest) => shown,
            (None, _) => meant,
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
            end: reading.to_end.then_some(shown),
        });
    }
    Ok(positions)
}

/// One end of each partition of a topic.
pub(crate) fn ends(
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
pub(crate) fn chosen(
    topic: &str,
    info: &TopicInfo,
    one: Option<i32>,
) -> Result<Vec<i32>, KafkaError> {
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
