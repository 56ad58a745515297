//! The verdict in a line that can be read from the back of a room.

use super::super::output::seconds;
use super::super::quantity::count;
use kafka_mirror_kit::core::lab::verify::{FlowReport, VerifyEnd, VerifyReport};
use kafka_mirror_kit::core::ledger::{Account, Guarantee};
use std::time::Duration;

/// How it went, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Verified,
    NotVerified,
    Interrupted,
}

impl Word {
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
    match Word::of(report, guarantee) {
        Word::Verified => flows.map(praise).collect::<Vec<_>>().join("; "),
        Word::Interrupted => flows.map(so_far).collect::<Vec<_>>().join("; "),
        Word::NotVerified => {
            let gave_up = report
                .sources
                .iter()
                .filter(|source| source.gave_up.is_some());
            let gave_up = gave_up.map(|source| {
                let open = source.sent - source.acknowledged;
                format!(
                    "{} took no more: {} not acknowledged",
                    source.cluster,
                    count(open, "record")
                )
            });
            let faults = flows.filter_map(|flow| {
                let faults = faults(&flow.account, guarantee);
                (!faults.is_empty()).then(|| format!("{}: {}", flow.flow, faults.join(", ")))
            });
            gave_up.chain(faults).collect::<Vec<_>>().join("; ")
        }
    }
}

fn praise(flow: &FlowReport) -> String {
    let account = &flow.account;
    let repeats = match account.duplicated {
        0 => String::new(),
        n => format!(" ({} besides)", count(n, "duplicate")),
    };
    let time = flow.seconds_to_last.map_or_else(String::new, |time| {
        format!(" in {}", seconds(Duration::from_secs_f64(time)))
    });
    format!(
        "{}: all of {} arrived, unchanged and in order{time}{repeats}",
        flow.flow,
        count(account.acknowledged, "record")
    )
}

fn so_far(flow: &FlowReport) -> String {
    let account = &flow.account;
    format!(
        "{}: {} of {} sent had arrived",
        flow.flow,
        account.arrived,
        count(account.sent, "record")
    )
}

/// All that is wrong, the worst first.
fn faults(account: &Account, guarantee: Guarantee) -> Vec<String> {
    let duplicated = match guarantee {
        Guarantee::AtLeastOnce => 0,
        Guarantee::ExactlyOnce => account.duplicated,
    };
    let all = [
        (account.missing, "missing"),
        (account.corrupted.records, "corrupted"),
        (account.reordered, "out of order"),
        (account.misplaced.records, "in the wrong partition"),
        (account.impossible, "never sent"),
        (duplicated, "duplicated"),
    ];
    let of = account.acknowledged;
    all.into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| match what {
            "missing" => format!("{number} of {} missing", count(of, "record")),
            what => format!("{number} {what}"),
        })
        .collect()
}
