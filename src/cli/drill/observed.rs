//! The report of a failover around producers and consumers of a person's own.

use super::super::output::{DONE, ERROR, styled};
use super::super::quantity::count;
use super::super::table::{row, table};
use super::document::{check, siblings};
use super::report::{done, failures, sum};
use super::timeline;
use super::words::sibling;
use crate::cli::report::{self, Column, Number, Outcome, Provenance, Report, Table, seconds};
use kafka_mirror_kit::core::judge::drill::Expectation;
use kafka_mirror_kit::core::judge::drill::observed::Observed;
use kafka_mirror_kit::core::lab::drill::ObservedReport;
use serde::Serialize;

/// What ends and offsets do not tell.
const CANNOT_SHOW: &str = "Ends and committed offsets do not show which records are missing, which of them were acknowledged, \
                           their order, or what a group was given again or skipped: a drill without --observe does.";

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    passed: bool,
    #[serde(flatten)]
    report: &'a ObservedReport,
    cannot_show: &'static str,
}

impl<'a> Json<'a> {
    pub(super) fn of(report: &'a ObservedReport) -> Self {
        Self {
            passed: report.observed.passed(),
            report,
            cannot_show: CANNOT_SHOW,
        }
    }
}

pub(super) fn text(report: &ObservedReport) -> String {
    let observed = &report.observed;
    let (source, target) = (&report.source, &report.target);
    let mut lines = vec![
        format!(
            "Failed over from {source} to {target} ({}), around your own producers and consumers.",
            done(report.fault, source)
        ),
        String::new(),
        format!(
            "RPO   at most {}: on {source}, and not committed as mirrored by MirrorMaker",
            count(observed.rpo_at_most, "record")
        ),
        rto(observed),
        table(&topics(report)),
    ];
    if !observed.groups.is_empty() {
        lines.push(table(&groups(report)));
    }
    lines.extend([String::new(), CANNOT_SHOW.to_owned()]);
    lines.extend(report.siblings.iter().map(sibling));
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines.push(String::new());
    let failed = failures(&observed.checks);
    lines.push(if failed.is_empty() {
        let measured = styled(DONE.bold(), "Measured:");
        let commits = match observed.groups.len() {
            0 => "",
            _ => ", and every group commits there",
        };
        format!("{measured} every topic is written to on {target}{commits}.")
    } else {
        format!("{} {}", styled(ERROR, "FAILED:"), failed.join("; "))
    });
    lines.join("\n")
}

fn rto(observed: &Observed) -> String {
    observed.rto_seconds.map_or_else(
        || "RTO   unknown: not everything was switched in time".to_owned(),
        |whole| sum(whole, &observed.rto_parts, |name| name.replace('_', " ")),
    )
}

fn or(seconds: Option<f64>, without: &str) -> String {
    seconds.map_or_else(|| without.to_owned(), |seconds| format!("{seconds:.1} s"))
}

fn offset(offset: Option<i64>) -> String {
    offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string())
}

fn topics(report: &ObservedReport) -> Vec<Vec<String>> {
    let end = format!("END ON {}", report.source);
    let heading = [
        "TOPIC",
        "PARTITION",
        &end,
        "COPIED TO",
        "MISSING",
        "FIRST NEW RECORD",
    ];
    let rows = report.observed.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|one| {
            row([
                &topic.topic,
                &one.partition.to_string(),
                &one.source_end.to_string(),
                &offset(one.copied_to),
                &format!("≤ {}", one.missing_at_most),
                &or(topic.first_write_seconds, "none"),
            ])
        })
    });
    [row(heading)].into_iter().chain(rows).collect()
}

fn groups(report: &ObservedReport) -> Vec<Vec<String>> {
    let (home, away) = (
        format!("COMMITTED ON {}", report.source),
        format!("SYNCED TO {}", report.target),
    );
    let heading = [
        "GROUP",
        "TOPIC",
        "PARTITION",
        &home,
        &away,
        "NOW",
        "FIRST COMMIT",
    ];
    let rows = report.observed.groups.iter().flat_map(|group| {
        group.offsets.iter().map(|place| {
            row([
                &group.group,
                &place.topic,
                &place.partition.to_string(),
                &offset(place.committed),
                &offset(place.synced),
                &offset(place.after),
                &or(group.first_commit_seconds, "none"),
            ])
        })
    });
    [row(heading)].into_iter().chain(rows).collect()
}

/// HTML, JUnit XML and Markdown are made from it.
pub(super) fn document(run: &ObservedReport, provenance: Provenance) -> Report {
    let observed = &run.observed;
    let why = failures(&observed.checks);
    let passed = why.is_empty();
    let checks = observed.checks.iter();
    let checks = checks.map(|one| check(&run.flow, one, seen(observed, &one.expectation)));
    let tables = [topics_table(run), groups_table(run)].into_iter();
    let others = (!run.siblings.is_empty()).then(|| siblings(&run.siblings));
    Report {
        command: "drill failover --observe",
        subject: run.flow.clone(),
        verdict: report::Verdict {
            word: if passed { "MEASURED" } else { "FAILED" },
            outcome: Outcome::of(passed),
            why: if passed {
                format!("everything was switched to {}", run.target)
            } else {
                why.join("; ")
            },
        },
        seconds: run.seconds,
        checks: checks.collect(),
        numbers: numbers(run),
        timelines: vec![timeline::of_observed(run)],
        tables: tables.chain(others).collect(),
        histograms: Vec::new(),
        provenance,
    }
}

fn seen(observed: &Observed, expectation: &Expectation) -> String {
    let first = match expectation {
        Expectation::Written { topic } => {
            let its = observed.topics.iter().find(|one| one.topic == *topic);
            its.and_then(|one| one.first_write_seconds)
        }
        Expectation::Committed { group } => {
            let its = observed.groups.iter().find(|one| one.group == *group);
            its.and_then(|one| one.first_commit_seconds)
        }
        Expectation::RtoMax { .. } => observed.rto_seconds,
        _ => return format!("at most {} lost", count(observed.rpo_at_most, "record")),
    };
    or(first, "not in time")
}

fn numbers(run: &ObservedReport) -> Vec<Number> {
    let observed = &run.observed;
    let number = |key, name: &str, value: String, text, definition, is_bad| Number {
        about: run.flow.clone(),
        key,
        value,
        name: name.to_owned(),
        text,
        definition,
        is_bad,
    };
    let rpo = number(
        "rpo_records_at_most",
        "RPO, at most",
        observed.rpo_at_most.to_string(),
        count(observed.rpo_at_most, "record"),
        "on the source before the fault, and not committed as mirrored by MirrorMaker when it had ended",
        observed.rpo_at_most > 0,
    );
    let rto = observed.rto_seconds.map(|rto| {
        number(
            "rto_seconds",
            "RTO",
            rto.to_string(),
            seconds(rto),
            "from the fault until every topic was written to on the target, and every group had committed there",
            false,
        )
    });
    [rpo].into_iter().chain(rto).collect()
}

fn topics_table(run: &ObservedReport) -> Table {
    let rows = run.observed.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|one| {
            vec![
                format!("{}-{}", topic.topic, one.partition),
                one.source_end.to_string(),
                offset(one.copied_to),
                one.missing_at_most.to_string(),
                or(topic.first_write_seconds, "none"),
            ]
        })
    });
    Table {
        title: "Topics".to_owned(),
        columns: vec![
            Column::Text("Partition"),
            Column::Number("End on the source"),
            Column::Number("Copied to"),
            Column::Fault("Missing, at most"),
            Column::Text("First new record"),
        ],
        rows: rows.collect(),
        note: Some(CANNOT_SHOW.to_owned()),
    }
}

fn groups_table(run: &ObservedReport) -> Table {
    let rows = run.observed.groups.iter().flat_map(|group| {
        group.offsets.iter().map(|place| {
            vec![
                group.group.clone(),
                format!("{}-{}", place.topic, place.partition),
                offset(place.committed),
                offset(place.synced),
                offset(place.after),
                or(group.first_commit_seconds, "none"),
            ]
        })
    });
    Table {
        title: "Groups".to_owned(),
        columns: vec![
            Column::Text("Group"),
            Column::Text("Partition"),
            Column::Text("Committed on the source"),
            Column::Text("Synced to the target"),
            Column::Text("Committed on the target"),
            Column::Text("First commit"),
        ],
        rows: rows.collect(),
        note: None,
    }
}
