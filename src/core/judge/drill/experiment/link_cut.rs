//! The link of a flow was cut in mid-load, and restored.

use super::{Crossed, Quantity, Verdict};
use std::time::Duration;

/// What was seen of the cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// How long the link was cut.
    pub held: Duration,
    /// Records that the source had acknowledged when the link was restored, and the target did not have.
    pub backlog: u64,
    /// How long it took from then until the target had as many; none where it did not in the time allowed.
    pub caught_up: Option<Duration>,
    /// The time allowed.
    pub allowed: Duration,
}

/// Nothing is lost, and the target catches up.
pub fn judge(crossed: &Crossed<'_>, cut: &Cut) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.expect(
        "records wait on the source while the link is cut",
        cut.backlog > 0,
        format!("{} records waited when the link was restored", cut.backlog),
    );
    verdict.expect_again(
        "the target catches up once the link is restored",
        cut.caught_up,
        cut.allowed,
    );
    verdict.expect_all(crossed);
    let flow = crossed.flow;
    verdict.measure_time(
        flow,
        "cut_seconds",
        "cut",
        Some(cut.held),
        "how long the link was cut",
    );
    verdict.measure(
        flow,
        "backlog",
        "backlog",
        Quantity::Records(cut.backlog),
        "records that waited on the source when the link was restored",
    );
    verdict.measure_time(
        flow,
        "catch_up_seconds",
        "catch-up",
        cut.caught_up,
        "from the restored link until the target had as many records as the source had then",
    );
    verdict.measure_all(crossed);
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all_arrived, broken, crossed};
    use super::*;

    fn cut(backlog: u64, caught_up: Option<u64>) -> Cut {
        Cut {
            held: Duration::from_secs(5),
            backlog,
            caught_up: caught_up.map(Duration::from_secs),
            allowed: Duration::from_secs(60),
        }
    }

    #[test]
    fn a_cut_that_cuts_nothing_shows_nothing() {
        let account = all_arrived(1_000, 0);
        let judged = |cut: &Cut| judge(&crossed(&account), cut);
        assert!(judged(&cut(500, Some(2))).passed());
        let none = judged(&cut(0, Some(0)));
        assert_eq!(
            broken(&none),
            ["0 records waited when the link was restored"]
        );
        assert_eq!(broken(&judged(&cut(500, None))), ["not within 60 s"]);
    }
}
