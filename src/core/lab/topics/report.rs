//! Topics as plain values. As JSON, fields keep their names and meanings; new ones may come.

use serde::Serialize;
use std::collections::BTreeMap;

/// The topics of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterTopics {
    /// Its name in the lab; none for a cluster of no lab.
    pub cluster: Option<String>,
    /// Its addresses, as `bootstrap.servers` takes them.
    pub bootstrap: String,
    /// In the order of their names.
    pub topics: Vec<TopicReport>,
    /// How many topics of Kafka, MirrorMaker and kmk itself are left out.
    pub hidden: usize,
    /// Why nothing is known of it.
    pub problem: Option<String>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicReport {
    /// Its name.
    pub topic: String,
    /// Whether it belongs to Kafka, MirrorMaker or kmk rather than to a person.
    pub internal: bool,
    /// How many it has.
    pub partitions: usize,
    /// Copies that each partition should have; the most of any.
    pub replicas: usize,
    /// Partitions without a leader, or with fewer copies up to date than there should be.
    pub unhealthy_partitions: usize,
    /// Offsets from the first record to the end, of all partitions: markers of transactions and records that were compacted away count
    /// too. None where a leader does not tell.
    pub records: Option<u64>,
    /// Bytes on the disks of the leaders. None where a leader does not tell.
    pub bytes: Option<u64>,
    /// Bytes on all disks that are known of.
    pub replica_bytes: u64,
    /// What it was given of its own, by name; a secret has no value.
    pub settings: BTreeMap<String, Option<String>>,
    /// What it is a copy of.
    pub mirrored_from: Option<RemoteTopic>,
    /// Its copies.
    pub mirrored_to: Vec<RemoteTopic>,
}

/// A topic of another cluster of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteTopic {
    /// The cluster.
    pub cluster: String,
    /// What the topic is called there.
    pub topic: String,
}

/// All there is to say about one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicDetails {
    /// The cluster's name in the lab; none for a cluster of no lab.
    pub cluster: Option<String>,
    /// Kafka's id of the topic, a new one once the topic was recreated; none if the broker does not send it.
    pub id: Option<String>,
    /// The sum.
    #[serde(flatten)]
    pub report: TopicReport,
    /// By number.
    pub partition_details: Vec<PartitionReport>,
    /// All settings that are said somewhere, by name: the topic's own, and those of its brokers that hold for it.
    pub setting_details: Vec<SettingReport>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// Its number, from 0.
    pub partition: i32,
    /// The node id of the broker that leads it; none while there is no leader.
    pub leader: Option<i32>,
    /// The node ids of the brokers that should hold it; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// Those of them that are up to date.
    pub in_sync: Vec<i32>,
    /// The offset of the first record that is still there.
    pub first: Option<i64>,
    /// The offset that the next record will get.
    pub end: Option<i64>,
    /// Bytes on the disk of the leader.
    pub bytes: Option<u64>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingReport {
    /// Such as `retention.ms`.
    pub name: String,
    /// As Kafka writes it; none where it is secret.
    pub value: Option<String>,
    /// Where it was said: `topic`, `broker`, `all-brokers`, `broker-file` or `other`.
    #[serde(rename = "source")]
    pub from: String,
}
