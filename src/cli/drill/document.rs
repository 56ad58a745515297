//! The report of `kmk drill failover` as a document: HTML, JUnit XML and Markdown are made from it.

use super::super::quantity::count;
use super::named;
use super::report::{failures, first_new};
use super::words::{amount, expected, part};
use super::{repeated, timeline};
use crate::cli::report::{
    self, Column, Histogram, Number, Outcome, Provenance, Report, Table, seconds, within,
};
use kafka_mirror_kit::core::judge::drill::{Check, Expectation, GroupOutcome, Rpo, Rto};
use kafka_mirror_kit::core::lab::drill::{FailoverReport, Sibling};

/// Of several runs, each is told.
pub(super) fn document(runs: &[FailoverReport], asked: u32, provenance: Provenance) -> Report {
    let several = runs.len() > 1;
    let named: Vec<(String, &FailoverReport)> = (1..)
        .zip(runs)
        .map(|(nth, run)| {
            let name = if several {
                format!("run {nth}")
            } else {
                run.flow.clone()
            };
            (name, run)
        })
        .collect();
    let why: Vec<String> = runs
        .iter()
        .flat_map(|run| failures(&run.judgement.checks))
        .collect();
    let passed = why.is_empty();
    let missing = (runs.len() < asked as usize).then(|| repeated::completed(runs.len(), asked));
    Report {
        command: "drill failover",
        subject: runs
            .first()
            .map_or_else(String::new, |run| run.flow.clone()),
        verdict: report::Verdict {
            word: match &missing {
                _ if !passed => "FAILED",
                Some(_) => "NOT COMPLETED",
                None => "MEASURED",
            },
            outcome: match &missing {
                Some(_) if passed => Outcome::Unknown,
                _ => Outcome::of(passed),
            },
            why: if passed {
                let all = "every record is accounted for".to_owned();
                missing.unwrap_or(all)
            } else {
                why.into_iter()
                    .chain(missing)
                    .collect::<Vec<_>>()
                    .join("; ")
            },
        },
        seconds: runs.iter().map(|run| run.seconds).sum(),
        checks: named
            .iter()
            .flat_map(|(name, run)| {
                (run.judgement.checks.iter())
                    .map(|one| check(name, one, seen(run, &one.expectation)))
            })
            .collect(),
        numbers: named
            .iter()
            .flat_map(|(name, run)| numbers(name, run))
            .collect(),
        timelines: match runs {
            [only] => vec![timeline::of_failover(only)],
            _ => Vec::new(),
        },
        tables: match runs {
            [only] => tables(only),
            _ => (repeated::tables(runs, asked).into_iter())
                .chain(named.iter().flat_map(|(name, run)| of_run(name, run)))
                .collect(),
        },
        histograms: match runs {
            [only] => histogram(only).into_iter().collect(),
            _ => Vec::new(),
        },
        provenance,
    }
}

pub(super) fn check(about: &str, check: &Check, seen: String) -> report::Check {
    report::Check {
        about: about.to_owned(),
        what: expected(&check.expectation),
        outcome: Outcome::of(check.held),
        seen,
    }
}

fn seen(run: &FailoverReport, expectation: &Expectation) -> String {
    let judgement = &run.judgement;
    let of = |name: &str| judgement.groups.iter().find(|group| group.name == *name);
    let seen = match expectation {
        Expectation::AsPredicted { group } => of(group).map(|group| {
            let Some(again) = group.again else {
                return "it had no committed offset".to_owned();
            };
            let (more, less) = (
                amount(group.again_predicted),
                amount(group.skipped_predicted),
            );
            format!(
                "{again} again (predicted: {more}), {} skipped (predicted: {less})",
                group.skipped
            )
        }),
        Expectation::Served { group } => of(group).map(first_new),
        Expectation::OnlyWhatWasSent => Some(format!(
            "{} never sent",
            count(judgement.rpo.never_sent, "record")
        )),
        Expectation::NothingLost | Expectation::RpoMax { .. } => {
            Some(format!("{} lost", count(judgement.rpo.records, "record")))
        }
        Expectation::RtoMax { .. } => judgement.rto.as_ref().map(|rto| seconds(rto.seconds)),
        // of drills around applications of a person's own
        Expectation::Written { .. } | Expectation::Committed { .. } => None,
    };
    seen.unwrap_or_else(|| "unknown".to_owned())
}

fn numbers(about: &str, run: &FailoverReport) -> Vec<Number> {
    let number = |key, name: &str, value: String, text: String, definition, is_bad| Number {
        about: about.to_owned(),
        key,
        value,
        name: name.to_owned(),
        text,
        definition,
        is_bad,
    };
    let records = |key, name: &str, records: u64, definition, is_bad: bool| {
        let text = count(records, "record");
        number(key, name, records.to_string(), text, definition, is_bad)
    };
    let rpo: &Rpo = &run.judgement.rpo;
    let mut all = vec![
        records(
            "rpo_records",
            "RPO",
            rpo.records,
            "acknowledged by the source before the fault, and absent on the target once MirrorMaker had ended",
            rpo.records > 0,
        ),
        number(
            "rpo_seconds",
            "RPO, time",
            rpo.seconds.to_string(),
            format!("{:.2} s", rpo.seconds),
            "in the worst partition: last acknowledgement before the fault minus that of the oldest missing record",
            rpo.seconds > 0.0,
        ),
    ];
    let left = [
        (
            "stranded",
            "Stranded",
            rpo.stranded,
            "of the missing records, those that can still be read on the source",
        ),
        (
            "gone_for_good",
            "Gone for good",
            rpo.gone_for_good,
            "of the missing records, those that the source no longer has",
        ),
        (
            "late_writes",
            "Late writes",
            rpo.late_writes,
            "acknowledged by the source after the switch",
        ),
    ];
    let left = left
        .into_iter()
        .filter_map(|(key, name, left, definition)| {
            let left = left?;
            Some(records(key, name, left, definition, left > 0))
        });
    all.extend(left);
    all.push(records(
        "in_doubt",
        "In doubt",
        rpo.in_doubt.records,
        "sent and never acknowledged: they count neither as written nor as lost",
        false,
    ));
    if let Some(rto) = &run.judgement.rto {
        all.push(number(
            "rto_seconds",
            "RTO",
            rto.seconds.to_string(),
            seconds(rto.seconds),
            "from the fault to the first new record of the slowest partition of the slowest group; at most this",
            false,
        ));
    }
    let shown = ["latency_p50_us", "latency_p99_us", "latency_max_us"];
    let latency = run.latency.iter();
    let latency = latency.flat_map(|latency| Number::of_latency(about, latency));
    all.extend(latency.filter(|one| shown.contains(&one.key)));
    all
}

fn of_run(name: &str, run: &FailoverReport) -> impl Iterator<Item = Table> {
    tables(run).into_iter().map(move |table| Table {
        title: within(name, &table.title),
        ..table
    })
}

fn histogram(run: &FailoverReport) -> Option<Histogram> {
    let title = "Latency in the steady state".to_owned();
    let note = "From sending a record to the source until it was read on the target, of records sent since the warm-up began.";
    Some(Histogram::of(title, note, run.latency.as_ref()?))
}

fn tables(run: &FailoverReport) -> Vec<Table> {
    let judgement = &run.judgement;
    let groups = judgement.groups.iter().map(group);
    let groups = Table {
        title: "Groups".to_owned(),
        columns: vec![
            Column::Text("Group"),
            Column::Number("Again"),
            Column::Number("Predicted"),
            Column::Number("Skipped"),
            Column::Number("Predicted"),
            Column::Number("Out of order"),
            Column::Text("First new record"),
        ],
        rows: groups.collect(),
        note: Some(
            "Again: records that the group had committed on the source and was given once more. Skipped: records on the target that it had not committed and was not given."
                .to_owned(),
        ),
    };
    let partitions = run.by_partition.iter().map(|one| {
        vec![
            format!("{}-{}", run.topic, one.partition),
            one.acknowledged.to_string(),
            one.on_target.to_string(),
            one.missing.to_string(),
            format!("{:.2}", one.seconds),
        ]
    });
    let partitions = Table {
        title: "Partitions".to_owned(),
        columns: vec![
            Column::Text("Partition"),
            Column::Number("Acknowledged"),
            Column::Number("On the target"),
            Column::Fault("Missing"),
            Column::Number("Seconds"),
        ],
        rows: partitions.collect(),
        note: Some(format!(
            "Of the records that {} acknowledged before the fault. Seconds: the last acknowledgement before the fault minus that of the oldest missing record.",
            run.source
        )),
    };
    let parts = judgement.rto.as_ref().map(rto_parts);
    let siblings = (!run.siblings.is_empty()).then(|| siblings(&run.siblings));
    [partitions, groups]
        .into_iter()
        .chain(parts)
        .chain(siblings)
        .chain(named::tables(run))
        .collect()
}

pub(super) fn siblings(siblings: &[Sibling]) -> Table {
    let rows = siblings.iter().map(|one| {
        let unknown = || one.problem.clone().unwrap_or_else(|| "unknown".to_owned());
        vec![
            one.flow.clone(),
            if one.stopped { "stopped" } else { "running" }.to_owned(),
            one.behind.map_or_else(unknown, |behind| behind.to_string()),
        ]
    });
    Table {
        title: "Other flows of the same MirrorMaker".to_owned(),
        columns: vec![
            Column::Text("Flow"),
            Column::Text("State"),
            Column::Text("Records that wait to be copied"),
        ],
        rows: rows.collect(),
        note: None,
    }
}

fn group(group: &GroupOutcome) -> Vec<String> {
    let or_dash = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    vec![
        group.name.clone(),
        or_dash(group.again),
        amount(group.again_predicted),
        group.skipped.to_string(),
        amount(group.skipped_predicted),
        group.inversions.to_string(),
        first_new(group),
    ]
}

fn rto_parts(rto: &Rto) -> Table {
    let parts = rto.parts.iter().map(|one| {
        let name = part(one.name, &rto.slowest_group, rto.slowest_partition);
        vec![name, format!("{:.3}", one.seconds)]
    });
    Table {
        title: "RTO, part by part".to_owned(),
        columns: vec![Column::Text("Part"), Column::Number("Seconds")],
        rows: parts.collect(),
        note: None,
    }
}
