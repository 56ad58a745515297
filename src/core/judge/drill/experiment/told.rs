//! What kmk itself says of records that are lost in a drill.

use super::Verdict;

/// What `lag` and `status` say of the drill's topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Records that `lag` counts as lost.
    pub counted: u64,
    /// The words in which `lag` says so; empty where it does not.
    pub lag: String,
    /// Likewise those of `status`, which must not call the flow healthy then.
    pub status: String,
}

impl Verdict {
    /// Both name the loss, and `lag` counts what is missing.
    pub(super) fn expect_told(&mut self, missing: u64, told: &Told) {
        self.expect(
            format!("`lag` counts {missing} lost records"),
            told.counted == missing && !told.lag.is_empty(),
            said(&told.lag),
        );
        self.expect(
            "`status` says NOT HEALTHY, and why",
            !told.status.is_empty(),
            said(&told.status),
        );
    }
}

pub(super) fn said(words: &str) -> String {
    if words.is_empty() {
        return "nothing of the topic".to_owned();
    }
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::*;

    #[test]
    fn a_loss_that_is_not_named_or_miscounted_does_not_hold() {
        let of = |counted, status: &str| {
            let told = Told {
                counted,
                lag: format!("{counted} records lost"),
                status: status.to_owned(),
            };
            let mut verdict = Verdict::default();
            verdict.expect_told(10, &told);
            broken(&verdict).join(", ")
        };
        assert_eq!(of(10, "10 records lost"), "");
        assert_eq!(of(9, "9 records lost"), "9 records lost");
        assert_eq!(of(10, ""), "nothing of the topic");
        let mut verdict = Verdict::default();
        verdict.expect_told(10, &Told::default());
        assert_eq!(broken(&verdict).len(), 2);
    }
}
