//! A broker of each side was killed in mid-load, and started again.

use super::{Crossed, Verdict};
use std::time::Duration;

/// What was seen of the crash. Times are none where something did not happen in the time allowed.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// From the kill until every partition had a leader that is alive.
    pub elected: Option<Duration>,
    /// From the kill until the target also had what the source had acknowledged by then.
    pub recovered: Option<Duration>,
    /// From the restart until all replicas were in sync.
    pub in_sync: Option<Duration>,
    /// The time allowed.
    pub allowed: Duration,
}

/// Other brokers take over, and nothing is lost.
pub fn judge(crossed: &Crossed<'_>, crash: &Crash) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.expect_again(
        "other brokers take over every partition",
        crash.elected,
        crash.allowed,
    );
    verdict.expect_again(
        "records are mirrored with a broker down on each side",
        crash.recovered,
        crash.allowed,
    );
    verdict.expect_again(
        "all replicas are in sync after the restart",
        crash.in_sync,
        crash.allowed,
    );
    verdict.expect_all(crossed);
    let flow = crossed.flow;
    verdict.measure_time(
        flow,
        "election_seconds",
        "election",
        crash.elected,
        "from the kill until every partition of the topic, on both sides, had a leader that is alive",
    );
    verdict.measure_time(
        flow,
        "recovery_seconds",
        "recovery",
        crash.recovered,
        "from the kill until the target also had what the source had acknowledged by then",
    );
    verdict.measure_time(
        flow,
        "in_sync_seconds",
        "in sync",
        crash.in_sync,
        "from the restart of the brokers until all replicas of the topic were in sync",
    );
    verdict.measure_all(crossed);
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all_arrived, broken, crossed, nothing_arrived};
    use super::*;

    #[test]
    fn other_brokers_have_to_take_over_and_nothing_may_be_missing() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let crash = Crash {
            elected: seconds(9),
            recovered: seconds(10),
            in_sync: seconds(5),
            allowed: Duration::from_secs(60),
        };
        let account = all_arrived(1_000, 7);
        assert!(judge(&crossed(&account), &crash).passed());
        let stuck = Crash {
            elected: None,
            recovered: None,
            ..crash
        };
        let verdict = judge(&crossed(&nothing_arrived(5)), &stuck);
        assert_eq!(
            broken(&verdict),
            ["not within 60 s", "not within 60 s", "5 of 5 missing"]
        );
    }
}
