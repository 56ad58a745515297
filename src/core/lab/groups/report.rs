//! Groups as plain values. As JSON, fields keep their names and meanings; new ones may come.

use crate::core::judge::failover::{Amount, Begins, Why};
use crate::core::mirrormaker::state::{Checkpoint, OffsetSync};
use serde::Serialize;

/// The groups of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterGroups {
    /// Its name in the lab; none for a cluster of no lab.
    pub cluster: Option<String>,
    /// Its addresses, as `bootstrap.servers` takes them.
    pub bootstrap: String,
    /// In the order of their names; where the cluster does not answer, those that MirrorMaker has committed on others.
    pub groups: Vec<GroupReport>,
    /// How many groups of MirrorMaker and Kafka Connect are left out.
    pub hidden: usize,
    /// Why it does not tell.
    pub problem: Option<String>,
}

/// What a group is called whose cluster does not answer.
pub const UNKNOWN: &str = "unknown";

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupReport {
    /// Its name.
    pub group: String,
    /// `classic`, `consumer` (KIP-848), or another by Kafka's own name; [`UNKNOWN`] where its cluster does not answer.
    pub kind: String,
    /// Kafka's word for how it is: `Stable`, `Empty`, …; [`UNKNOWN`] where its cluster does not answer.
    pub state: String,
    /// Who reads for it.
    pub members: Vec<MemberReport>,
    /// What is left to read in all partitions with a committed offset; none where there is none.
    pub lag: Option<u64>,
    /// Every partition of the topics in which it has a committed offset, or that a member reads; in order.
    pub partitions: Vec<GroupPartition>,
    /// What would become of it if it went on at the other end of each flow now; empty where it has no committed offset that a flow syncs.
    pub flows: Vec<FlowReport>,
}

impl GroupReport {
    /// Whether its cluster tells how it is.
    pub fn is_seen(&self) -> bool {
        self.state != UNKNOWN
    }

    /// How many topics its partitions belong to.
    pub fn topics(&self) -> usize {
        let mut topics: Vec<&str> = self
            .partitions
            .iter()
            .map(|one| one.topic.as_str())
            .collect();
        topics.dedup();
        topics.len()
    }

    /// Partitions of its topics that have had records, and without a committed offset.
    pub fn not_begun(&self) -> usize {
        let without =
            |partition: &&GroupPartition| partition.committed.is_none() && partition.end > Some(0);
        self.partitions.iter().filter(without).count()
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
pub struct GroupPartition {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Its committed offset, if there is one.
    pub committed: Option<i64>,
    /// The offset that the next record will get; none where the partition is gone, or its leader does not tell.
    pub end: Option<i64>,
    /// What is left to read.
    pub lag: Option<u64>,
    /// How far the committed offset is beyond the end, if it is: someone set it, or records are lost.
    pub ahead: Option<u64>,
    /// The client that reads it.
    pub client: Option<String>,
    /// Where that client connects from.
    pub host: Option<String>,
}

/// A group at the other end of a flow. How the numbers come about stands in `docs/groups.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowReport {
    /// `source->target`.
    pub flow: String,
    /// The cluster on which it would go on.
    pub target: String,
    /// The sum over all partitions that have a mirrored partition.
    #[serde(flatten)]
    pub sum: Prospect,
    /// Why, each reason once; `in_step` only where there is no other.
    pub why: Vec<Why>,
    /// Whether someone reads for the group on the target.
    pub active_on_target: bool,
    /// The longest time, in seconds, after which MirrorMaker syncs an offset of a group that it knows.
    pub interval_seconds: u64,
    /// Partitions, in order.
    pub partitions: Vec<FlowPartition>,
    /// Where the source does not answer: how long ago, in seconds, MirrorMaker last synced an offset of the group. It may have
    /// read on since, and `again` is a bound because of that.
    pub last_seen_seconds: Option<u64>,
    /// Then also: about how many records would be delivered again if it has not, where an offset is committed on the target.
    #[serde(rename = "redelivered_as_last_seen")]
    pub again_as_last_seen: Option<u64>,
    /// Why nothing is known.
    pub problem: Option<String>,
}

/// What would happen to a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Prospect {
    /// Records that it has read and would be given again; none where that cannot be known.
    #[serde(rename = "redelivered")]
    pub again: Option<u64>,
    /// Whether the number is exact, rather than a bound.
    #[serde(rename = "redelivered_exact")]
    pub again_exact: bool,
    /// Records that it has not read and would not be given; none where that cannot be known: it stands further on there.
    pub skipped: Option<u64>,
    /// Whether the number is exact, rather than a bound.
    pub skipped_exact: bool,
    /// Records by which it stands further on there: read there, or passed over when someone moved it.
    #[serde(rename = "ahead")]
    pub further: Option<u64>,
    /// Whether the number is exact, rather than a bound.
    #[serde(rename = "ahead_exact")]
    pub further_exact: bool,
}

impl Prospect {
    pub(super) fn of(again: Amount, skipped: Option<Amount>, further: Amount) -> Self {
        Self {
            again: Some(again.most()),
            again_exact: !again.is_bound(),
            skipped: skipped.map(Amount::most),
            skipped_exact: skipped.is_some_and(|skipped| !skipped.is_bound()),
            further: Some(further.most()),
            further_exact: !further.is_bound(),
        }
    }

    /// All partitions together that have a mirrored one. What its clients choose happens in all partitions without an offset or in
    /// none: beside others, such a number is a bound.
    pub fn sum<'a>(partitions: impl IntoIterator<Item = &'a FlowPartition>) -> Self {
        let partitions = partitions
            .into_iter()
            .filter(|partition| partition.begins.is_some());
        let partitions: Vec<&FlowPartition> = partitions.collect();
        let Some(first) = partitions.first() else {
            return Self::default();
        };
        let is_mixed = partitions
            .iter()
            .any(|partition| partition.begins != first.begins);
        let sum = |number: fn(&Self) -> (Option<u64>, bool)| {
            let amounts = partitions.iter().map(|partition| {
                let is_certain = !is_mixed || partition.begins == Some(Begins::AtCommittedOffset);
                let (number, is_exact) = number(&partition.prospect);
                Some(if is_exact && is_certain {
                    Amount::Exactly(number?)
                } else {
                    Amount::AtMost(number?)
                })
            });
            let amounts: Option<Vec<Amount>> = amounts.collect();
            Some(amounts?.into_iter().fold(Amount::Exactly(0), Amount::plus))
        };
        let number = |sum: Option<Amount>| sum.map(Amount::most);
        let is_exact = |sum: Option<Amount>| sum.is_some_and(|sum| !sum.is_bound());
        let again = sum(|one| (one.again, one.again_exact));
        let skipped = sum(|one| (one.skipped, one.skipped_exact));
        let further = sum(|one| (one.further, one.further_exact));
        Self {
            again: number(again),
            again_exact: is_exact(again),
            skipped: number(skipped),
            skipped_exact: is_exact(skipped),
            further: number(further),
            further_exact: is_exact(further),
        }
    }
}

/// A committed offset of a group on the source, and on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowPartition {
    /// The topic on the source.
    pub topic: String,
    /// The topic on the target.
    #[serde(rename = "remote_topic")]
    pub copy: String,
    /// The partition.
    pub partition: i32,
    /// The offset at which the group resumes on the source.
    pub source_committed: i64,
    /// The offset that the next record will get on the source.
    pub source_end: Option<i64>,
    /// What MirrorMaker last worked out.
    pub checkpoint: Option<Checkpoint>,
    /// The offset sync that it worked that out from, as far as it is still there.
    pub sync: Option<OffsetSync>,
    /// The offset at which the group would resume on the target.
    pub target_committed: Option<i64>,
    /// The offset that the next copy will get.
    pub target_end: Option<i64>,
    /// Where its clients would begin; none where there is no copy.
    pub begins: Option<Begins>,
    /// The numbers.
    #[serde(flatten)]
    pub prospect: Prospect,
    /// Why.
    pub why: Why,
}
