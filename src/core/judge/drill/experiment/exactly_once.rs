//! `MirrorMaker` with exactly-once support was killed in mid-load, and started again.

use super::{Crossed, Verdict, mirrormaker_crash};
use std::time::Duration;

/// As after any crash of MirrorMaker, and nothing arrives twice.
pub fn judge(crossed: &Crossed<'_>, outage: Option<Duration>, allowed: Duration) -> Verdict {
    let mut verdict = mirrormaker_crash::judge(crossed, outage, allowed);
    let twice = crossed.account.duplicated;
    verdict.expect(
        "consumers with read_committed see no record twice",
        twice == 0 && crossed.unknown.is_none(),
        match twice {
            1 => "1 duplicate".to_owned(),
            _ => format!("{twice} duplicates"),
        },
    );
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all_arrived, broken, crossed};
    use super::*;

    #[test]
    fn a_single_duplicate_is_one_too_many() {
        let judged = |twice| {
            let account = all_arrived(1_000, twice);
            let outage = Some(Duration::from_secs(9));
            let verdict = judge(&crossed(&account), outage, Duration::from_secs(60));
            broken(&verdict).join(", ")
        };
        assert_eq!(judged(0), "");
        assert_eq!(judged(1), "1 duplicate");
    }
}
