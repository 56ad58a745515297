//! Groups as plain values. As JSON, fields keep their names and meanings; new ones may come.

use serde::Serialize;

/// The groups of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterGroups {
    /// Its name in the lab; none for a cluster of no lab.
    pub cluster: Option<String>,
    /// Its addresses, as `bootstrap.servers` takes them.
    pub bootstrap: String,
    /// In the order of their names.
    pub groups: Vec<GroupReport>,
    /// How many groups of MirrorMaker and Kafka Connect are left out.
    pub hidden: usize,
    /// Why nothing is known of it.
    pub problem: Option<String>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupReport {
    /// Its name.
    pub group: String,
    /// `classic`, `consumer` (KIP-848), or another by Kafka's own name.
    pub kind: String,
    /// Kafka's word for how it is: `Stable`, `Empty`, …
    pub state: String,
    /// Who reads for it.
    pub members: Vec<MemberReport>,
    /// What is left to read in all places that it noted; none where it noted none.
    pub lag: Option<u64>,
    /// Every partition of the topics in which it noted a place, or that a member reads; in order.
    pub places: Vec<PlaceReport>,
}

impl GroupReport {
    /// How many topics its places lie in.
    pub fn topics(&self) -> usize {
        let mut topics: Vec<&str> = self.places.iter().map(|one| one.topic.as_str()).collect();
        topics.dedup();
        topics.len()
    }

    /// Partitions of its topics that have had records, and in which it noted no place.
    pub fn not_begun(&self) -> usize {
        let without = |place: &&PlaceReport| place.committed.is_none() && place.end > Some(0);
        self.places.iter().filter(without).count()
    }
}

/// Someone who reads for a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberReport {
    /// The id that the coordinator gave it.
    pub member: String,
    /// What the client calls itself.
    pub client: String,
    /// The address that it connects from.
    pub host: String,
    /// How many partitions it reads.
    pub partitions: usize,
}

/// A group in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceReport {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset that it will go on at; none where it noted none.
    pub committed: Option<i64>,
    /// The offset that the next record will get; none where the partition is gone, or its leader does not tell.
    pub end: Option<i64>,
    /// What is left to read.
    pub lag: Option<u64>,
    /// How far the noted offset lies beyond the end, where it does: someone set it, or records are lost.
    pub ahead: Option<u64>,
    /// The client that reads it.
    pub client: Option<String>,
    /// Where that client connects from.
    pub host: Option<String>,
}
