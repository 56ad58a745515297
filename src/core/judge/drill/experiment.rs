//! Judges a drill of one fault: what was expected beside what was seen, and the numbers worth knowing. Each drill has a module
//! of its own here; what several expect is in this one.

pub mod broker_crash;
pub mod exactly_once;
pub mod link_cut;
pub mod mirrormaker_crash;
pub mod poison_record;
pub mod recreated_topic;
pub mod retention_race;
pub mod slow_link;
pub mod told;

use crate::core::judge::ledger::Account;
use serde::Serialize;
use std::time::Duration;

/// What came of a drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// What was expected.
    pub expectations: Vec<Expected>,
    /// What was measured.
    pub measured: Vec<Measured>,
}

/// Something that was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// What.
    pub expected: String,
    /// What was seen instead, or of it.
    pub seen: String,
    /// Whether it was as expected.
    pub held: bool,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What it is about: a flow, or one of several rounds.
    pub about: String,
    /// Its name for programs.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// How much.
    #[serde(flatten)]
    pub quantity: Quantity,
    /// What exactly it counts.
    pub definition: &'static str,
}

/// How much of what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "unit", content = "value", rename_all = "snake_case")]
pub enum Quantity {
    /// Records.
    Records(u64),
    /// Seconds.
    Seconds(f64),
    /// Thousandths of a second.
    Milliseconds(f64),
    /// Bytes a second.
    BytesPerSecond(f64),
}

/// The records that crossed a flow meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Crossed<'a> {
    /// The flow.
    pub flow: &'a str,
    /// Its target.
    pub target: &'a str,
    /// What happened to them.
    pub account: &'a Account,
    /// What could not be seen in the end; none as a rule.
    pub unknown: Option<&'a str>,
}

impl Verdict {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.expectations.iter().all(|one| one.held)
    }

    fn expect(&mut self, expected: impl Into<String>, held: bool, seen: impl Into<String>) {
        self.expectations.push(Expected {
            expected: expected.into(),
            seen: seen.into(),
            held,
        });
    }

    /// Records crossed again in time.
    fn expect_again(&mut self, expected: &str, took: Option<Duration>, allowed: Duration) {
        let seen = match took {
            Some(took) => format!("after {:.1} s", took.as_secs_f64()),
            None => format!("not within {:.0} s", allowed.as_secs_f64()),
        };
        self.expect(expected, took.is_some(), seen);
    }

    /// Every record arrived, as it was sent.
    fn expect_all(&mut self, crossed: &Crossed<'_>) {
        let account = crossed.account;
        let (of, missing) = (account.acknowledged, account.missing);
        let arrived = match crossed.unknown {
            Some(unknown) => unknown.to_owned(),
            None => format!("{missing} of {of} missing"),
        };
        let held = missing == 0 && of > 0 && crossed.unknown.is_none();
        self.expect(
            format!("every acknowledged record arrives on {}", crossed.target),
            held,
            arrived,
        );
        let spoilt = account.corrupted.records + account.misplaced.records + account.impossible;
        self.expect(
            "records arrive unchanged and in order",
            spoilt + account.reordered == 0,
            format!("{spoilt} changed, {} out of order", account.reordered),
        );
    }

    fn measure(
        &mut self,
        about: &str,
        key: &'static str,
        name: &'static str,
        quantity: Quantity,
        definition: &'static str,
    ) {
        self.measured.push(Measured {
            about: about.to_owned(),
            key,
            name,
            quantity,
            definition,
        });
    }

    /// A time that may not have come to its end.
    fn measure_time(
        &mut self,
        about: &str,
        key: &'static str,
        name: &'static str,
        time: Option<Duration>,
        definition: &'static str,
    ) {
        if let Some(time) = time {
            let seconds = Quantity::Seconds(time.as_secs_f64());
            self.measure(about, key, name, seconds, definition);
        }
    }

    /// Numbers of the records that crossed meanwhile.
    fn measure_all(&mut self, crossed: &Crossed<'_>) {
        let Crossed { flow, account, .. } = crossed;
        let records = |records| Quantity::Records(records);
        self.measure(
            flow,
            "acknowledged",
            "acknowledged",
            records(account.acknowledged),
            "records that the source acknowledged",
        );
        self.measure(
            flow,
            "duplicates",
            "duplicates",
            records(account.duplicated),
            "copies of a record on the target beyond the first",
        );
        let slowest = account.latency.as_ref().map(|latency| latency.max);
        self.measure_time(
            flow,
            "latency_max_seconds",
            "slowest record",
            slowest.map(Duration::from_micros),
            "the longest time that a record took from the producer to the target",
        );
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::core::judge::ledger::{Arrivals, RunId, Sent, judge};
    use std::time::SystemTime;

    /// The account of a run in which none of this many acknowledged records arrived.
    pub(super) fn nothing_arrived(acknowledged: u64) -> Account {
        let run = RunId::new(SystemTime::now(), 1, 1);
        let mut sent = Sent::new(run);
        for _ in 0..acknowledged {
            sent.next(0);
        }
        sent.acknowledge(0, 0..acknowledged);
        judge(&sent, &Arrivals::new(run))
    }

    /// The account of a run of which everything arrived, some of it twice.
    pub(super) fn all_arrived(acknowledged: u64, duplicated: u64) -> Account {
        Account {
            arrived: acknowledged,
            missing: 0,
            duplicated,
            ..nothing_arrived(acknowledged)
        }
    }

    pub(super) fn crossed(account: &Account) -> Crossed<'_> {
        Crossed {
            flow: "a->b",
            target: "b",
            account,
            unknown: None,
        }
    }

    /// What did not hold.
    pub(super) fn broken(verdict: &Verdict) -> Vec<&str> {
        let broken = verdict.expectations.iter().filter(|one| !one.held);
        broken.map(|one| one.seen.as_str()).collect()
    }

    #[test]
    fn what_is_missing_or_was_not_seen_does_not_hold() {
        let of = |account: &Account, unknown| {
            let mut verdict = Verdict::default();
            verdict.expect_all(&Crossed {
                unknown,
                ..crossed(account)
            });
            broken(&verdict).join(", ")
        };
        assert_eq!(of(&all_arrived(10, 3), None), "");
        assert_eq!(of(&nothing_arrived(10), None), "10 of 10 missing");
        assert_eq!(of(&all_arrived(10, 0), Some("b is away")), "b is away");
        let reordered = Account {
            reordered: 2,
            ..all_arrived(10, 0)
        };
        assert_eq!(of(&reordered, None), "0 changed, 2 out of order");
        // nothing was proven
        assert_eq!(of(&all_arrived(0, 0), None), "0 of 0 missing");
    }
}
