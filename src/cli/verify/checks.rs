//! What `kmk verify` expects, one by one: all of it holds exactly where the verdict is VERIFIED.

use super::super::quantity::count;
use super::account::Lacking;
use crate::cli::report::{Check, Outcome};
use kafka_mirror_kit::core::judge::ledger::Guarantee;
use kafka_mirror_kit::core::lab::verify::{FlowReport, SourceReport, VerifyEnd, VerifyReport};

pub(super) fn checks(report: &VerifyReport, guarantee: Guarantee) -> Vec<Check> {
    let mut checks = vec![run(report.end)];
    checks.extend(report.sources.iter().map(source));
    let flows = report.flows.iter();
    checks.extend(flows.flat_map(|one| flow(one, report.end, guarantee)));
    checks
}

fn check(about: &str, what: &str, outcome: Outcome, seen: String) -> Check {
    Check {
        about: about.to_owned(),
        what: what.to_owned(),
        outcome,
        seen,
    }
}

fn run(end: VerifyEnd) -> Check {
    let (outcome, seen) = match end {
        VerifyEnd::Complete => (Outcome::Passed, "every acknowledged record had arrived"),
        VerifyEnd::Deadline => (
            Outcome::Failed,
            "no more records arrived until --timeout, or a source stopped accepting records",
        ),
        VerifyEnd::Interrupted => (Outcome::Unknown, "the run was interrupted"),
    };
    let what = "nothing was outstanding when the run ended";
    check("run", what, outcome, seen.to_owned())
}

fn source(source: &SourceReport) -> Check {
    let sent = count(source.sent, "record");
    let acknowledged = format!("{} of {sent} acknowledged", source.acknowledged);
    let (outcome, seen) = match &source.gave_up {
        None => (Outcome::Passed, acknowledged),
        Some(error) => (Outcome::Failed, format!("{acknowledged}, then: {error}")),
    };
    check(
        &source.cluster,
        "the source accepts records until the end",
        outcome,
        seen,
    )
}

fn flow(flow: &FlowReport, end: VerifyEnd, guarantee: Guarantee) -> Vec<Check> {
    let account = &flow.account;
    let lacking = Lacking::of(flow, end);
    let name = &flow.flow;
    let (outcome, seen) = match (&flow.unknown, end) {
        (Some(why), _) => (Outcome::Unknown, why.clone()),
        (None, VerifyEnd::Interrupted) => (Outcome::Unknown, "the run was interrupted".to_owned()),
        (None, _) => (
            Outcome::Passed,
            format!("`{}` on {}", flow.remote_topic, flow.target),
        ),
    };
    let mut checks = vec![check(name, "the target was read to its end", outcome, seen)];
    let of = count(account.acknowledged, "acknowledged record");
    let seen = format!("{} of {of} {}", account.missing, lacking.word());
    // what was not seen may be there
    let outcome = match (lacking, account.missing) {
        (Lacking::NotSeen, _) => Outcome::Unknown,
        (Lacking::Missing, 0) => Outcome::Passed,
        (Lacking::Missing, _) => Outcome::Failed,
    };
    checks.push(check(
        name,
        "every acknowledged record arrived",
        outcome,
        seen,
    ));
    let duplicated = ("no record arrived twice", account.duplicated, "duplicated");
    let of_all = [
        (
            "records arrived in order",
            account.reordered,
            "out of order",
        ),
        (
            "records arrived unchanged",
            account.corrupted.records,
            "corrupted",
        ),
        (
            "records arrived in their own partition",
            account.misplaced.records,
            "in the wrong partition",
        ),
        (
            "only records that were sent arrived",
            account.impossible,
            "never sent",
        ),
    ];
    let strict = (guarantee == Guarantee::ExactlyOnce).then_some(duplicated);
    for (what, faults, word) in of_all.into_iter().chain(strict) {
        let outcome = match (faults, lacking) {
            (0, Lacking::Missing) => Outcome::Passed,
            (0, Lacking::NotSeen) => Outcome::Unknown,
            _ => Outcome::Failed,
        };
        let seen = format!("{faults} of {} {word}", count(account.arrived, "record"));
        checks.push(check(name, what, outcome, seen));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::report;
    use super::*;
    use proptest::prelude::*;

    fn outcomes(report: &VerifyReport, guarantee: Guarantee) -> Vec<Outcome> {
        let checks = checks(report, guarantee).into_iter();
        checks.map(|check| check.outcome).collect()
    }

    #[test]
    fn what_was_not_seen_did_not_fail() {
        let mut unseen = report(10, VerifyEnd::Interrupted);
        unseen.flows[0].account.reordered = 1;
        let (passed, failed, unknown) = (Outcome::Passed, Outcome::Failed, Outcome::Unknown);
        assert_eq!(
            outcomes(&unseen, Guarantee::ExactlyOnce),
            [
                unknown, passed, unknown, unknown, failed, unknown, unknown, unknown, unknown
            ]
        );
        let lost = report(10, VerifyEnd::Deadline);
        let all = checks(&lost, Guarantee::AtLeastOnce);
        assert_eq!(all[3].what, "every acknowledged record arrived");
        assert_eq!(
            (all[3].outcome, &*all[3].seen),
            (failed, "10 of 10 acknowledged records missing")
        );
        assert_eq!(all[2].outcome, passed);
    }

    proptest! {
        #[test]
        fn all_pass_where_all_is_verified(
            acknowledged in 0..2_u64, end in 0..3_usize, faults in prop::array::uniform5(0..2_u64), gave_up: bool,
            unknown: bool, strict: bool,
        ) {
            let end = [VerifyEnd::Complete, VerifyEnd::Deadline, VerifyEnd::Interrupted][end];
            let mut run = report(acknowledged, end);
            run.sources[0].gave_up = gave_up.then(|| "it is gone".to_owned());
            run.flows[0].unknown = unknown.then(|| "it is away".to_owned());
            let account = &mut run.flows[0].account;
            let [duplicated, reordered, corrupted, misplaced, impossible] = faults;
            account.duplicated = duplicated;
            account.reordered = reordered;
            account.corrupted.records = corrupted;
            account.misplaced.records = misplaced;
            account.impossible = impossible;
            let guarantee = if strict { Guarantee::ExactlyOnce } else { Guarantee::AtLeastOnce };
            let all_passed = outcomes(&run, guarantee).iter().all(|outcome| *outcome == Outcome::Passed);
            prop_assert_eq!(all_passed, run.is_sound(guarantee));
        }
    }
}
