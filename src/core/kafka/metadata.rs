//! Which topics there are and who leads them. Knows nothing of what is in them.

use crate::core::endpoint::Endpoint;
use kafka::client::KafkaClient;
use std::collections::{BTreeMap, BTreeSet};

/// A topic as its cluster knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its partitions, numbered from 0. Empty for a moment while the topic is being made.
    pub partitions: Vec<PartitionInfo>,
}

/// A partition as its cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its number, from 0.
    pub id: i32,
    /// The advertised `host:port` of the broker that leads it; none while there is no leader.
    pub leader: Option<String>,
}

impl TopicInfo {
    /// Whether it has partitions and each has a leader, so that every one of them can be written to and read.
    pub fn is_ready(&self) -> bool {
        !self.partitions.is_empty() && self.partitions.iter().all(|p| p.leader.is_some())
    }

    /// The first partition without a leader.
    pub fn leaderless(&self) -> Option<i32> {
        self.partitions
            .iter()
            .find(|partition| partition.leader.is_none())
            .map(|partition| partition.id)
    }
}

/// Reads the metadata of every topic anew: the one call that never creates a topic.
pub(super) fn reload(client: &mut KafkaClient) -> kafka::Result<BTreeMap<String, TopicInfo>> {
    // otherwise topics deleted since would stay
    client.reset_metadata();
    client.load_metadata_all()?;
    Ok(client
        .topics()
        .iter()
        .map(|topic| (topic.name().to_owned(), info(&topic.partitions())))
        .collect())
}

/// What the client has learnt about one topic.
pub(super) fn known(client: &KafkaClient, topic: &str) -> Option<TopicInfo> {
    client
        .topics()
        .partitions(topic)
        .map(|partitions| info(&partitions))
}

/// The `host:port` of the broker that leads a partition, as far as the client knows.
pub(super) fn leader(client: &KafkaClient, topic: &str, partition: i32) -> Option<String> {
    let topics = client.topics();
    let partitions = topics.partitions(topic)?;
    let partition = partitions.partition(partition)?;
    partition.leader().map(|broker| broker.host().to_owned())
}

/// The brokers that lead a partition; the crate keeps the list of all of them to itself.
pub(super) fn brokers(client: &KafkaClient) -> Vec<Endpoint> {
    let leaders: BTreeSet<Endpoint> = client
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions().iter().collect::<Vec<_>>())
        .filter_map(|partition| partition.leader()?.host().parse().ok())
        .collect();
    leaders.into_iter().collect()
}

fn info(partitions: &kafka::client::metadata::Partitions<'_>) -> TopicInfo {
    TopicInfo {
        partitions: partitions
            .iter()
            .map(|partition| PartitionInfo {
                id: partition.id(),
                leader: partition.leader().map(|broker| broker.host().to_owned()),
            })
            .collect(),
    }
}
