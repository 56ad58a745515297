//! What had to hold, and whether it did.

use super::facts::Facts;
use super::groups::GroupOutcome;
use super::rpo::Rpo;
use super::rto::Rto;
use serde::Serialize;
use std::time::Duration;

/// What may be lost, and how long it may take; nothing is asked where none is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// Records.
    pub rpo: Option<u64>,
    /// From the fault to the first new record of the slowest group.
    pub rto: Option<Duration>,
}

/// Something that had to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    #[serde(flatten)]
    pub expectation: Expectation,
    /// Whether it did.
    pub held: bool,
}

/// What had to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "expectation", rename_all = "snake_case")]
pub enum Expectation {
    /// A group was given again and skipped what was predicted.
    AsPredicted {
        /// The group.
        group: String,
    },
    /// A group was given new records in every partition.
    Served {
        /// The group.
        group: String,
    },
    /// A topic was written to on the target, after the switch.
    Written {
        /// The topic, as it is called on the source.
        topic: String,
    },
    /// A group committed on the target, after the switch.
    Committed {
        /// The group.
        group: String,
    },
    /// A planned failover loses nothing.
    NothingLost,
    /// The target holds only what was sent.
    OnlyWhatWasSent,
    /// No more records were lost than allowed.
    RpoMax {
        /// This many.
        records: u64,
    },
    /// It took no longer than allowed.
    RtoMax {
        /// This many milliseconds.
        millis: u64,
    },
}

pub(super) fn checks(
    facts: &Facts,
    rpo: &Rpo,
    rto: Option<&Rto>,
    groups: &[GroupOutcome],
    budget: &Budget,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut check = |expectation, held| checks.push(Check { expectation, held });
    for outcome in groups {
        let group = || outcome.name.clone();
        check(
            Expectation::AsPredicted { group: group() },
            outcome.as_predicted,
        );
        let is_served = outcome.not_served.is_empty() && facts.times.first_write.is_some();
        check(Expectation::Served { group: group() }, is_served);
    }
    if facts.is_planned {
        check(Expectation::NothingLost, rpo.records == 0);
    }
    check(Expectation::OnlyWhatWasSent, rpo.never_sent == 0);
    if let Some(records) = budget.rpo {
        check(Expectation::RpoMax { records }, rpo.records <= records);
    }
    if let Some(most) = budget.rto {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let held = rto.is_some_and(|rto| rto.seconds <= most.as_secs_f64());
        check(Expectation::RtoMax { millis }, held);
    }
    checks
}
