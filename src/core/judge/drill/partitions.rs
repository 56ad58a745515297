//! What happened to the records of each partition.

use super::facts::Facts;
use super::rpo::Rpo;
use serde::Serialize;

/// What the source had acknowledged in a partition before the fault, and what happened to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionOutcome {
    /// Which.
    pub partition: i32,
    /// Records that were acknowledged before the fault.
    pub acknowledged: u64,
    /// Those of them that are on the target.
    pub on_target: u64,
    /// Those that are not.
    pub missing: u64,
    /// The last acknowledgement before the fault minus that of the oldest missing record.
    pub seconds: f64,
}

/// Of all partitions, also of those in which nothing was written or lost.
pub fn partitions(facts: &Facts, rpo: &Rpo, partitions: i32) -> Vec<PartitionOutcome> {
    let outcome = |partition| {
        let its = facts.acknowledged.iter();
        let its = its
            .filter(|one| one.partition == partition && one.at <= facts.times.acknowledged_before);
        let acknowledged = its.map(|one| one.sequences.end - one.sequences.start).sum();
        let lost = rpo.partitions.iter().find(|one| one.partition == partition);
        let missing = lost.map_or(0, |lost| lost.records);
        PartitionOutcome {
            partition,
            acknowledged,
            on_target: acknowledged - missing,
            missing,
            seconds: lost.map_or(0.0, |lost| lost.seconds),
        }
    };
    (0..partitions).map(outcome).collect()
}
