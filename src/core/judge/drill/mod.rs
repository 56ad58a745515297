//! Judges a failover drill: what was lost, how long it took, and what each group was given again or never. Pure: the drill
//! collects the facts, the judgement is here.
//!
//! [`Facts`] is what was seen; [`judge`] makes a [`Judgement`] of it, by the definitions in `docs/drill.md`.

mod checks;
mod crossed;
pub mod equality;
pub mod experiment;
mod facts;
pub mod failback;
mod groups;
mod named;
pub mod observed;
mod partitions;
mod rpo;
mod rto;
#[cfg(test)]
mod simulated;

pub use checks::{Budget, Check, Expectation};
pub use crossed::Crossed;
pub use facts::{
    Acknowledged, Bracket, Era, Facts, Given, GroupFacts, Micros, Predicted, RecordId, Sides, Times,
};
pub use groups::{GroupCount, GroupOffsets, GroupOutcome, GroupPartition, Start};
pub use named::{Located, Offsets};
pub use partitions::{PartitionOutcome, partitions};
pub use rpo::{InDoubt, PartitionLoss, Rpo};
pub use rto::{Part, Rto};

use serde::Serialize;

/// What came of a drill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// What was lost.
    pub rpo: Rpo,
    /// How long it took; none where a group was not served again.
    pub rto: Option<Rto>,
    /// In the order of the facts.
    pub groups: Vec<GroupOutcome>,
    /// What had to hold.
    pub checks: Vec<Check>,
}

impl Judgement {
    /// Whether everything held that had to.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }
}

/// Judges a drill that is over.
pub fn judge(facts: &Facts, budget: &Budget) -> Judgement {
    let rpo = rpo::rpo(facts);
    let groups: Vec<GroupOutcome> = facts
        .groups
        .iter()
        .map(|group| groups::outcome(facts, group))
        .collect();
    let rto = rto::rto(&facts.times, &groups);
    let checks = checks::checks(facts, &rpo, rto.as_ref(), &groups, budget);
    Judgement {
        rpo,
        rto,
        groups,
        checks,
    }
}

/// In seconds.
fn seconds(micros: Micros) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}
