//! Retention removed records while the link was cut.

use super::told::{Told, said};
use super::{Quantity, Verdict};

/// What was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Race {
    /// Records written while the link was cut, before retention ran.
    pub waiting: u64,
    /// Records that retention removed before they were mirrored, by `lag` while the link was cut, and its words.
    pub removed: (u64, String),
    /// All records that were written.
    pub written: u64,
    /// Those written while the link was cut, before retention ran, that are not on the target in the end.
    pub missing: u64,
    /// Likewise of all others.
    pub others_missing: u64,
    /// What is told in the end.
    pub told: Told,
}

/// What was removed is lost, exactly that, and it is named while MirrorMaker continues as if nothing had happened.
pub fn judge(flow: &str, race: &Race) -> Verdict {
    let mut verdict = Verdict::default();
    let (removed, words) = &race.removed;
    verdict.expect(
        format!(
            "while the link is cut, `lag` counts {} removed records",
            race.waiting
        ),
        *removed == race.waiting && race.waiting > 0,
        said(words),
    );
    // what the source had sent already when the link was cut may still arrive
    verdict.expect(
        "removed records are missing on the target once the link is restored, and no others",
        race.missing > 0 && race.others_missing == 0,
        format!(
            "{} of {} removed records missing, {} of {} others",
            race.missing,
            race.waiting,
            race.others_missing,
            race.written - race.waiting
        ),
    );
    let missing = race.missing + race.others_missing;
    verdict.expect_told(missing, &race.told);
    let records = [
        (
            "written",
            race.written,
            "records that the source acknowledged",
        ),
        (
            "removed",
            *removed,
            "records that retention removed before they were mirrored, by what `lag` says while the link is cut",
        ),
        (
            "lost",
            missing,
            "records that are not on the target in the end",
        ),
    ];
    for (key, count, definition) in records {
        verdict.measure(flow, key, key, Quantity::Records(count), definition);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::*;

    fn race() -> Race {
        let told = |words: &str| words.to_owned();
        Race {
            waiting: 20,
            removed: (20, told("20 records removed")),
            written: 60,
            missing: 20,
            others_missing: 0,
            told: Told {
                counted: 20,
                lag: told("at least 20 records removed"),
                status: told("at least 20 records removed"),
            },
        }
    }

    #[test]
    fn what_retention_removed_is_lost_and_named_or_the_drill_fails() {
        assert!(judge("a->b", &race()).passed());
        let more = Race {
            others_missing: 1,
            ..race()
        };
        assert_eq!(
            broken(&judge("a->b", &more)),
            [
                "20 of 20 removed records missing, 1 of 40 others",
                "at least 20 records removed"
            ]
        );
        // one that was on its way when the link was cut
        let told = Told {
            counted: 19,
            ..race().told
        };
        let fewer = Race {
            missing: 19,
            told,
            ..race()
        };
        assert!(judge("a->b", &fewer).passed());
        // retention was too slow: nothing was shown
        let slow = Race {
            waiting: 0,
            removed: (0, String::new()),
            missing: 0,
            told: Told::default(),
            ..race()
        };
        assert_eq!(broken(&judge("a->b", &slow)).len(), 4);
        let silent = Race {
            told: Told::default(),
            ..race()
        };
        assert_eq!(broken(&judge("a->b", &silent)).len(), 2);
    }
}
