//! A topic was deleted on the source and created again under its name.

use super::told::Told;
use super::{Quantity, Verdict};

/// What was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recreated {
    /// Records of the old topic, all of which were mirrored.
    pub old: u64,
    /// Records of the new topic.
    pub new: u64,
    /// Those of them that are not on the target once MirrorMaker is up to date.
    pub missing: u64,
    /// What is told then.
    pub told: Told,
    /// Records of the new topic that are not on the target after what `lag` advises.
    pub missing_at_the_end: u64,
}

/// `MirrorMaker` continues at its old position; that is named, and what is advised brings what was passed over.
pub fn judge(flow: &str, seen: &Recreated) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.expect(
        "MirrorMaker continues at its old position, and passes over as many records as the old topic had",
        seen.missing == seen.old && seen.old > 0,
        format!(
            "{} of {} missing, the old topic had {}",
            seen.missing, seen.new, seen.old
        ),
    );
    verdict.expect_told(seen.missing, &seen.told);
    verdict.expect(
        "once the mirrored topic and MirrorMaker's position are deleted, the whole new topic is mirrored",
        seen.missing_at_the_end == 0,
        format!("{} of {} missing", seen.missing_at_the_end, seen.new),
    );
    let records = [
        ("old", seen.old, "records of the topic that was deleted"),
        (
            "new",
            seen.new,
            "records of the topic that was created again",
        ),
        (
            "passed_over",
            seen.missing,
            "records of the new topic that were not on the target when MirrorMaker was up to date",
        ),
    ];
    for (key, count, definition) in records {
        let name = if key == "passed_over" {
            "passed over"
        } else {
            key
        };
        verdict.measure(flow, key, name, Quantity::Records(count), definition);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::*;

    #[test]
    fn what_was_passed_over_is_named_and_brought_or_the_drill_fails() {
        let seen = Recreated {
            old: 20,
            new: 50,
            missing: 20,
            told: Told {
                counted: 20,
                lag: "at least 20 records".to_owned(),
                status: "at least 20 records".to_owned(),
            },
            missing_at_the_end: 0,
        };
        assert!(judge("a->b", &seen).passed());
        let left = Recreated {
            missing_at_the_end: 20,
            ..seen.clone()
        };
        assert_eq!(broken(&judge("a->b", &left)), ["20 of 50 missing"]);
        let other = Recreated {
            missing: 0,
            told: Told::default(),
            ..seen
        };
        let verdict = judge("a->b", &other);
        assert_eq!(broken(&verdict)[0], "0 of 50 missing, the old topic had 20");
    }
}
