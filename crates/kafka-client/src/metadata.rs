//! Which brokers and topics there are, and who leads them. Knows nothing of what is in them.

use crate::endpoint::Endpoint;
use std::collections::BTreeMap;

/// A cluster as one of its brokers describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Kafka's cluster id.
    pub id: Option<String>,
    /// The broker that answers for the controller.
    pub controller: Option<i32>,
    /// The advertised addresses of the live brokers, by node id.
    pub brokers: BTreeMap<i32, Endpoint>,
    /// The topics that were asked for, or all.
    pub topics: BTreeMap<String, TopicInfo>,
}

/// A topic as its cluster knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicInfo {
    /// Kafka's id of it, another one once it has been deleted and made anew (KIP-516); none where the broker tells none.
    pub id: Option<u128>,
    /// Its partitions, numbered from 0. Empty for a moment while the topic is being made.
    pub partitions: Vec<PartitionInfo>,
}

/// A partition as its cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its number, from 0.
    pub id: i32,
    /// The node id of the broker that leads it; none while there is no leader.
    pub leader: Option<i32>,
    /// The node ids of the brokers that should hold it; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// Those of them that are up to date.
    pub in_sync: Vec<i32>,
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

    /// The partition of that number.
    pub fn partition(&self, id: i32) -> Option<&PartitionInfo> {
        self.partitions.iter().find(|partition| partition.id == id)
    }
}
