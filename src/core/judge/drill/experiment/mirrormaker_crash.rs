//! `MirrorMaker` was killed in mid-load, and started again.

use super::{Crossed, Verdict};
use std::time::Duration;

/// `outage` is from the kill to the first new record on the target; none where none came in the time allowed.
pub fn judge(crossed: &Crossed<'_>, outage: Option<Duration>, allowed: Duration) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.expect_again("new records arrive after the restart", outage, allowed);
    verdict.expect_all(crossed);
    verdict.measure_time(
        crossed.flow,
        "outage_seconds",
        "outage",
        outage,
        "from the kill to the first new record on the target",
    );
    verdict.measure_all(crossed);
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::Quantity;
    use super::super::tests::{all_arrived, broken, crossed, nothing_arrived};
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn duplicates_are_counted_and_no_failure() {
        let account = all_arrived(1_000, 40);
        let verdict = judge(&crossed(&account), Some(Duration::from_secs(9)), MINUTE);
        assert!(verdict.passed());
        let of = |key| verdict.measured.iter().find(|one| one.key == key).unwrap();
        assert_eq!(of("duplicates").quantity, Quantity::Records(40));
        assert_eq!(of("outage_seconds").quantity, Quantity::Seconds(9.0));
    }

    #[test]
    fn a_mirrormaker_that_does_not_come_back_fails() {
        let verdict = judge(&crossed(&nothing_arrived(5)), None, MINUTE);
        assert_eq!(broken(&verdict), ["not within 60 s", "5 of 5 missing"]);
    }
}
