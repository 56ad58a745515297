//! The verdict of `kmk verify` in one line.

use super::super::output::seconds;
use super::super::quantity::count;
use kafka_mirror_kit::core::judge::ledger::{Account, Guarantee};
use kafka_mirror_kit::core::lab::verify::{FlowReport, Times, VerifyEnd, VerifyReport};
use std::time::Duration;

/// How it went, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Verified,
    NotVerified,
    Interrupted,
}

impl Verdict {
    pub(super) fn of(report: &VerifyReport, guarantee: Guarantee) -> Self {
        if report.end == VerifyEnd::Interrupted {
            Self::Interrupted
        } else if report.is_sound(guarantee) {
            Self::Verified
        } else {
            Self::NotVerified
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Verified => "VERIFIED",
            Self::NotVerified => "NOT VERIFIED",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

/// Why, in a sentence.
pub(super) fn reason(report: &VerifyReport, guarantee: Guarantee) -> String {
    let flows = report.flows.iter();
    match Verdict::of(report, guarantee) {
        Verdict::Verified => match report.flows.as_slice() {
            [one] => success(one),
            several => success_of_all(several),
        },
        Verdict::Interrupted => flows.map(progress).collect::<Vec<_>>().join("; "),
        Verdict::NotVerified => {
            let gave_up = report
                .sources
                .iter()
                .filter(|source| source.gave_up.is_some());
            let gave_up = gave_up.map(|source| {
                let open = source.sent - source.acknowledged;
                format!(
                    "{} stopped accepting records: {} not acknowledged",
                    source.cluster,
                    count(open, "record")
                )
            });
            let faults = flows.filter_map(|flow| {
                let mut faults = faults(flow, guarantee);
                faults.extend(flow.unknown.clone());
                (!faults.is_empty()).then(|| format!("{}: {}", flow.flow, faults.join(", ")))
            });
            gave_up.chain(faults).collect::<Vec<_>>().join("; ")
        }
    }
}

fn success(flow: &FlowReport) -> String {
    let account = &flow.account;
    let time = flow.seconds_to_last.map_or_else(String::new, |time| {
        format!(" in {}", seconds(Duration::from_secs_f64(time)))
    });
    format!(
        "{}: {} arrived, {}{time}{}",
        flow.flow,
        all(account.acknowledged),
        condition(std::slice::from_ref(flow)),
        duplicates(account.duplicated)
    )
}

fn success_of_all(flows: &[FlowReport]) -> String {
    let sum = |of: fn(&Account) -> u64| flows.iter().map(|flow| of(&flow.account)).sum::<u64>();
    format!(
        "{} arrived through {}, {}{}",
        all(sum(|account| account.acknowledged)),
        count(flows.len(), "flow"),
        condition(flows),
        duplicates(sum(|account| account.duplicated))
    )
}

/// Whether they are what was sent: their values, and the times as far as it is seen whose they are.
fn condition(flows: &[FlowReport]) -> String {
    let whose = |times| flows.iter().find(|flow| flow.times == times);
    match (whose(Times::Overwritten), whose(Times::Unknown)) {
        (Some(flow), _) => format!(
            "in order, and unchanged except for timestamps, which {} overwrites (message.timestamp.type of `{}`)",
            flow.target, flow.remote_topic
        ),
        (None, Some(flow)) => format!(
            "in order, and unchanged except perhaps for timestamps (it is unknown whether {} overwrites them)",
            flow.target
        ),
        (None, None) => "unchanged and in order".to_owned(),
    }
}

fn all(records: u64) -> String {
    let of = if records == 1 { "the" } else { "all" };
    format!("{of} {}", count(records, "record"))
}

fn duplicates(duplicates: u64) -> String {
    match duplicates {
        0 => String::new(),
        n => format!(" (and {})", count(n, "duplicate")),
    }
}

fn progress(flow: &FlowReport) -> String {
    let account = &flow.account;
    format!(
        "{}: {} of {} sent had arrived",
        flow.flow,
        account.arrived,
        count(account.sent, "record")
    )
}

/// All that is wrong, the worst first.
fn faults(flow: &FlowReport, guarantee: Guarantee) -> Vec<String> {
    let account = &flow.account;
    let duplicated = match guarantee {
        Guarantee::AtLeastOnce => 0,
        Guarantee::ExactlyOnce => account.duplicated,
    };
    let all = [
        (account.corrupted.records, "corrupted"),
        (account.reordered, "out of order"),
        (account.misplaced.records, "in the wrong partition"),
        (account.impossible, "never sent"),
        (duplicated, "duplicated"),
    ];
    let of = count(account.acknowledged, "record");
    let gone = match account.gone {
        0 => String::new(),
        gone => format!(" ({gone} had arrived, but were no longer there at the end)"),
    };
    // nothing is missing for sure where the end was not seen
    let lacks = flow
        .unknown
        .as_ref()
        .map_or("missing", |_| "not seen there");
    let missing =
        (account.missing > 0).then(|| format!("{} of {of} {lacks}{gone}", account.missing));
    let others = all.into_iter().filter(|(number, _)| *number > 0);
    let others = others.map(|(number, what)| format!("{number} {what}"));
    missing.into_iter().chain(others).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use kafka_mirror_kit::core::judge::ledger::{Arrivals, RunId, Sent, judge};
    use kafka_mirror_kit::core::lab::verify::SourceReport;
    use std::time::SystemTime;

    /// The report of a run in which this many records were acknowledged and none arrived.
    pub(in crate::cli::verify) fn report(acknowledged: u64, end: VerifyEnd) -> VerifyReport {
        let run = RunId::new(SystemTime::now(), 1, 1);
        let mut sent = Sent::new(run);
        for _ in 0..10 {
            sent.next(0);
        }
        sent.acknowledge(0, 0..acknowledged);
        VerifyReport {
            end,
            seconds: 1.0,
            sources: vec![SourceReport {
                cluster: "a".to_owned(),
                topic: "t".to_owned(),
                partitions: 1,
                sent: 10,
                acknowledged,
                seconds: 1.0,
                records_per_second: None,
                gave_up: None,
                error: None,
            }],
            flows: vec![FlowReport {
                flow: "a->b".to_owned(),
                topic: "t".to_owned(),
                target: "b".to_owned(),
                remote_topic: "a.t".to_owned(),
                seconds_to_last: None,
                records_per_second: None,
                account: judge(&sent, &Arrivals::new(run)),
                incidents: Vec::new(),
                times: Times::Kept,
                unknown: None,
            }],
            left_out: Vec::new(),
        }
    }

    fn verdict(report: &VerifyReport, guarantee: Guarantee) -> String {
        let word = Verdict::of(report, guarantee).text();
        format!("{word}: {}", reason(report, guarantee))
    }

    #[test]
    fn what_is_lost_is_said_first() {
        let mut lost = report(10, VerifyEnd::Deadline);
        lost.flows[0].account.corrupted.records = 3;
        lost.flows[0].account.duplicated = 2;
        assert_eq!(
            verdict(&lost, Guarantee::AtLeastOnce),
            "NOT VERIFIED: a->b: 10 of 10 records missing, 3 corrupted"
        );
        assert_eq!(
            verdict(&lost, Guarantee::ExactlyOnce),
            "NOT VERIFIED: a->b: 10 of 10 records missing, 3 corrupted, 2 duplicated"
        );
    }

    #[test]
    fn duplicates_are_allowed_unless_they_are_not() {
        let mut repeated = report(0, VerifyEnd::Complete);
        repeated.flows[0].account.duplicated = 1;
        repeated.flows[0].seconds_to_last = Some(2.0);
        assert_eq!(
            verdict(&repeated, Guarantee::AtLeastOnce),
            "VERIFIED: a->b: all 0 records arrived, unchanged and in order in 2.0 s (and 1 duplicate)"
        );
        assert_eq!(
            verdict(&repeated, Guarantee::ExactlyOnce),
            "NOT VERIFIED: a->b: 1 duplicated"
        );
    }

    #[test]
    fn what_had_arrived_and_is_gone_is_told_of_the_missing() {
        let mut lost = report(10, VerifyEnd::Complete);
        lost.flows[0].account.gone = 4;
        assert_eq!(
            verdict(&lost, Guarantee::AtLeastOnce),
            "NOT VERIFIED: a->b: 10 of 10 records missing (4 had arrived, but were no longer there at the end)"
        );
    }

    #[test]
    fn nothing_is_verified_that_was_not_seen_in_the_end() {
        let mut unseen = report(0, VerifyEnd::Complete);
        unseen.flows[0].unknown = Some("more may still come: so and so".to_owned());
        assert_eq!(
            verdict(&unseen, Guarantee::AtLeastOnce),
            "NOT VERIFIED: a->b: more may still come: so and so"
        );
        let mut unseen = report(10, VerifyEnd::Deadline);
        unseen.flows[0].unknown = Some("cannot see what b has at the end: it is away".to_owned());
        assert_eq!(
            verdict(&unseen, Guarantee::AtLeastOnce),
            "NOT VERIFIED: a->b: 10 of 10 records not seen there, cannot see what b has at the end: it is away"
        );
    }

    #[test]
    fn unchanged_is_said_of_times_only_where_the_target_keeps_them() {
        let mut stamped = report(0, VerifyEnd::Complete);
        stamped.flows[0].times = Times::Overwritten;
        assert_eq!(
            verdict(&stamped, Guarantee::AtLeastOnce),
            "VERIFIED: a->b: all 0 records arrived, in order, and unchanged except for timestamps, \
             which b overwrites (message.timestamp.type of `a.t`)"
        );
        stamped.flows[0].times = Times::Unknown;
        assert_eq!(
            verdict(&stamped, Guarantee::AtLeastOnce),
            "VERIFIED: a->b: all 0 records arrived, in order, and unchanged except perhaps for timestamps \
             (it is unknown whether b overwrites them)"
        );
    }

    #[test]
    fn of_several_flows_the_whole_is_told() {
        let mut both = report(0, VerifyEnd::Complete);
        let other = report(0, VerifyEnd::Complete).flows.remove(0);
        both.flows.push(other);
        assert_eq!(
            verdict(&both, Guarantee::ExactlyOnce),
            "VERIFIED: all 0 records arrived through 2 flows, unchanged and in order"
        );
    }

    #[test]
    fn a_source_that_took_no_more_is_no_success() {
        let mut short = report(0, VerifyEnd::Deadline);
        short.sources[0].gave_up = Some("it is gone".to_owned());
        assert_eq!(
            verdict(&short, Guarantee::AtLeastOnce),
            "NOT VERIFIED: a stopped accepting records: 10 records not acknowledged"
        );
    }

    #[test]
    fn an_interruption_is_neither() {
        assert_eq!(
            verdict(&report(4, VerifyEnd::Interrupted), Guarantee::AtLeastOnce),
            "INTERRUPTED: a->b: 0 of 10 records sent had arrived"
        );
    }
}
