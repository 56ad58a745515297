//! Compares what a flow mirrors with its source, record by record, and reads what never crossed. Changes nothing.
//!
//! Nothing may be written meanwhile: what grows on one side would be missing on the other.

mod partition_log;
mod stranded;

pub use stranded::{ExportError, Stranded, export};

use crate::core::judge::drill::equality::{Difference, NotCompared, OffsetRange, WINDOW, compare};
use crate::core::lab::positions;
use crate::core::observe::connect_patiently;
use crate::core::topology::{Flow, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{KafkaError, TopicInfo};
use partition_log::{PartitionLog, ReadError};
use serde::Serialize;

/// A topic of the source, and its mirrored topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicComparison {
    /// The topic on the source.
    pub topic: String,
    /// The topic on the target.
    pub mirrored: String,
    /// In the order of their numbers.
    pub partitions: Vec<PartitionComparison>,
}

/// A partition, and its mirrored partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionComparison {
    /// Its number.
    pub partition: i32,
    /// How they differ; none where that could not be seen.
    pub difference: Option<Difference>,
    /// Why it could not be seen.
    pub unknown: Option<String>,
    /// The offset after which MirrorMaker resumes; none where it has no position and starts from the beginning.
    pub position: Option<i64>,
}

impl TopicComparison {
    /// Whether all partitions are known to be the same.
    pub fn is_same(&self) -> bool {
        let mut partitions = self.partitions.iter();
        partitions.all(|one| one.difference.as_ref().is_some_and(Difference::is_none))
    }
}

impl PartitionComparison {
    /// What of the source's records is not on the target, told apart by MirrorMaker's position: what it will copy when it
    /// runs again, and what it passed over and will never copy.
    pub fn stranded(&self) -> (Vec<OffsetRange>, Vec<OffsetRange>) {
        let missing = self.difference.iter().flat_map(|one| &one.missing_at);
        let (mut later, mut never) = (Vec::new(), Vec::new());
        for range in missing {
            // none is on both sides: positions are records that were copied
            let is_later = self.position.is_none_or(|position| range.last > position);
            if is_later { &mut later } else { &mut never }.push(*range);
        }
        (later, never)
    }
}

/// Compares topics of a flow's source with their mirrored topics, all partitions of the source.
///
/// # Errors
/// When a cluster does not answer. What is wrong with one partition is reported for that partition.
pub fn topics(
    topology: &Topology,
    flow: &Flow,
    topics: &[String],
    limit: &Limit,
) -> Result<Vec<TopicComparison>, KafkaError> {
    let there = |cluster: &str| connect_patiently(topology, cluster, limit)?.topics(limit);
    let (source, target) = (there(&flow.spec.source)?, there(&flow.spec.target)?);
    let positions = positions::of_flow(topology, flow, limit)?;
    let pair = Pair {
        topology,
        flow,
        limit,
    };
    let mut compared = Vec::new();
    for topic in topics {
        let mirrored = flow.remote_topic(topic);
        let (Some(here), copy) = (source.get(topic), target.get(&mirrored)) else {
            return Err(KafkaError::UnknownTopic {
                topic: topic.clone(),
            });
        };
        let mut partitions = Vec::new();
        for partition in here.partitions.iter().map(|partition| partition.id) {
            let position = positions.get(&(topic.clone(), partition)).copied();
            let both = [(topic.as_str(), Some(here)), (&mirrored, copy)];
            partitions.push(pair.compare(both, partition, position)?);
        }
        compared.push(TopicComparison {
            topic: topic.clone(),
            mirrored,
            partitions,
        });
    }
    Ok(compared)
}

/// The ends of a flow.
struct Pair<'a> {
    topology: &'a Topology,
    flow: &'a Flow,
    limit: &'a Limit,
}

impl Pair<'_> {
    fn compare(
        &self,
        [source, target]: [(&str, Option<&TopicInfo>); 2],
        partition: i32,
        position: Option<i64>,
    ) -> Result<PartitionComparison, KafkaError> {
        let spec = &self.flow.spec;
        let read = |(topic, info), cluster: &str, committed_only| {
            self.read(cluster, topic, info, partition, committed_only)
        };
        // what MirrorMaker does not read is not to be on the target; what it gave up itself is not there
        let is_read = self.flow.reads_committed_only(self.topology);
        let log = || read(source, &spec.source, is_read);
        let compared = read(target, &spec.target, true)
            .map_err(NotCompared::Unread)
            .and_then(|copy| compare(log()?, copy, log, WINDOW));
        let (difference, unknown) = match compared {
            Ok(difference) => (Some(difference), None),
            Err(NotCompared::Unread(ReadError::Kafka(KafkaError::Stopped(stop)))) => {
                return Err(stop.into());
            }
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(PartitionComparison {
            partition,
            difference,
            unknown,
            position,
        })
    }

    /// A partition from its first record to its present end; nothing where there is no such partition.
    fn read(
        &self,
        cluster: &str,
        topic: &str,
        info: Option<&TopicInfo>,
        partition: i32,
        committed_only: bool,
    ) -> Result<PartitionLog<'_>, ReadError> {
        let has_it = |info: &&TopicInfo| info.partitions.iter().any(|one| one.id == partition);
        let Some(info) = info.filter(has_it) else {
            return Ok(PartitionLog::empty(self.limit));
        };
        let admin = connect_patiently(self.topology, cluster, self.limit)?;
        PartitionLog::open(admin, (topic, info), partition, committed_only, self.limit)
    }
}

#[cfg(test)]
mod tests;
