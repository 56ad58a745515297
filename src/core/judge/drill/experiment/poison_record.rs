//! A record was too large for the mirrored topic, until that accepted it.

use super::told::said;
use super::{Quantity, Verdict};
use std::time::Duration;

/// What was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// From the write of the large record until `status` named its topic; none where it did not in the time allowed.
    pub named: Option<Duration>,
    /// The words in which `status` and `explain` do; empty where they do not.
    pub status: String,
    /// As above.
    pub explain: String,
    /// Whether the large record was on the target then.
    pub arrived: bool,
    /// How many of the records that were written after it were not.
    pub waiting: u64,
    /// From the change of the limit until MirrorMaker was up to date; none where it was not in the time allowed.
    pub recovered: Option<Duration>,
    /// All records that were written, and how many of them are missing in the end.
    pub written: u64,
    /// As above.
    pub missing: u64,
    /// Copies of a record on the target beyond the first.
    pub duplicates: u64,
    /// The time allowed.
    pub allowed: Duration,
}

/// One record blocks all that come after it; it is named, and nothing is lost once the target accepts it.
pub fn judge(flow: &str, poison: &Poison) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.expect(
        "the large record is not mirrored as long as the mirrored topic refuses it",
        !poison.arrived,
        if poison.arrived {
            "it arrived"
        } else {
            "it did not arrive"
        },
    );
    for (verb, words) in [("status", &poison.status), ("explain", &poison.explain)] {
        verdict.expect(
            format!("`{verb}` names the topic and the limit"),
            !words.is_empty(),
            said(words),
        );
    }
    verdict.expect_again(
        "MirrorMaker is up to date once the mirrored topic accepts it",
        poison.recovered,
        poison.allowed,
    );
    verdict.expect(
        "no record is missing in the end",
        poison.missing == 0 && poison.written > 0,
        format!("{} of {} missing", poison.missing, poison.written),
    );
    verdict.measure_time(
        flow,
        "named_seconds",
        "named",
        poison.named,
        "from the write of the large record until `status` named its topic as the reason",
    );
    verdict.measure_time(
        flow,
        "recovery_seconds",
        "recovery",
        poison.recovered,
        "from the change of max.message.bytes until MirrorMaker was up to date",
    );
    let records = [
        (
            "waiting",
            poison.waiting,
            "records written after the large one that were not on the target when it was named",
        ),
        (
            "duplicates",
            poison.duplicates,
            "copies of a record on the target beyond the first",
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

    #[test]
    fn a_record_that_is_too_large_is_named_and_arrives_in_the_end_or_the_drill_fails() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let poison = Poison {
            named: seconds(6),
            status: "topic `t` blocks the whole flow".to_owned(),
            explain: "topic `t` blocks the whole flow".to_owned(),
            arrived: false,
            waiting: 40,
            recovered: seconds(3),
            written: 101,
            missing: 0,
            duplicates: 7,
            allowed: Duration::from_secs(60),
        };
        assert!(judge("a->b", &poison).passed());
        let lost = Poison {
            missing: 1,
            ..poison.clone()
        };
        assert_eq!(broken(&judge("a->b", &lost)), ["1 of 101 missing"]);
        let silent = Poison {
            named: None,
            status: String::new(),
            explain: String::new(),
            recovered: None,
            ..poison.clone()
        };
        assert_eq!(
            broken(&judge("a->b", &silent)),
            [
                "nothing of the topic",
                "nothing of the topic",
                "not within 60 s"
            ]
        );
        // it was accepted: nothing was shown
        let harmless = Poison {
            arrived: true,
            ..poison
        };
        assert_eq!(broken(&judge("a->b", &harmless)), ["it arrived"]);
    }
}
