use super::super::super::output::{DONE, ERROR, styled};
use super::super::super::quantity::count;
use super::super::super::table::{row, table};
use super::super::report::numbered;
use kafka_mirror_kit::core::judge::drill::equality::OffsetRange;
use kafka_mirror_kit::core::judge::drill::failback::{FlowDifference, GroupReturn, Promise};
use kafka_mirror_kit::core::lab::compare::Stranded;
use kafka_mirror_kit::core::lab::drill::{FailbackRehearsal, FailbackReport};
use serde::Serialize;
use std::path::Path;

/// Ranges of one partition that are shown.
const SHOWN: usize = 5;

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
pub(in crate::cli::drill) struct Json<'a> {
    /// Whether everything held that had to.
    passed: bool,
    #[serde(flatten)]
    report: &'a FailbackReport,
}

impl<'a> Json<'a> {
    pub(in crate::cli::drill) fn of(report: &'a FailbackReport) -> Self {
        let passed = report.passed();
        Self { passed, report }
    }
}

pub(super) fn text(report: &FailbackReport, salvage: Option<&Path>) -> String {
    format!("{}\n\n{}", compared(report, salvage), verdict(report))
}

/// All but the verdict.
pub(in crate::cli::drill) fn compared(report: &FailbackReport, salvage: Option<&Path>) -> String {
    let (source, target) = (&report.source, &report.target);
    let mut parts = vec![format!(
        "Failed back from {target} to {source}; {} written on {target} meanwhile, {} on {source} after the switch back.",
        count(report.written_on_target, "record"),
        count(report.written_on_source, "record"),
    )];
    parts.push(stranded(report, salvage));
    let (at_switch, afterwards) = (&report.at_switch, &report.afterwards);
    let rows = [
        ("at the switch back", &at_switch.forward),
        ("at the switch back", &at_switch.back),
        ("afterwards", &afterwards.forward),
        ("afterwards", &afterwards.back),
    ];
    let heading = row([
        "COMPARED",
        "FLOW",
        "SOURCE",
        "TARGET",
        "MISSING",
        "SURPLUS",
        "FOREIGN",
        "OUT OF ORDER",
    ]);
    let rows = rows.map(|(when, one)| line(when, one));
    parts.push(table(&[vec![heading], rows.to_vec()].concat()));
    parts.push(surplus(report));
    if !report.groups.is_empty() {
        parts.push(groups(&report.groups));
    }
    parts.join("\n\n")
}

fn line(when: &str, one: &FlowDifference) -> Vec<String> {
    let numbers = [
        one.source,
        one.target,
        one.missing,
        one.surplus,
        one.foreign,
        one.out_of_order,
    ];
    let words = [when.to_owned(), one.flow.clone()];
    words
        .into_iter()
        .chain(numbers.map(|number| number.to_string()))
        .collect()
}

pub(super) fn rehearsal(rehearsal: &FailbackRehearsal) -> String {
    let source = rehearsal.flow.split("->").next().unwrap_or_default();
    let mut parts = vec![numbered(
        &format!("A failback of {} would:", rehearsal.flow),
        &rehearsal.steps,
        &rehearsal.notes,
    )];
    let unknown = rehearsal.unknown.as_deref().unwrap_or_default();
    parts.push(match rehearsal.stranded.as_deref() {
        None => format!("Records that are only on {source} cannot be read: {unknown}."),
        Some([]) => format!("No record is only on {source} now."),
        Some(stranded) => {
            let records = rehearsal.stranded_records.unwrap_or_default();
            let (records, listed) = (count(records, "record"), listed(stranded));
            format!("Only on {source} now: {records}:\n{listed}")
        }
    });
    parts.join("\n\n")
}

fn stranded(report: &FailbackReport, salvage: Option<&Path>) -> String {
    let (source, target) = (&report.source, &report.target);
    if report.stranded.is_empty() {
        return format!("Nothing was stranded: every record of {source} was on {target}.");
    }
    let listed = listed(&report.stranded);
    let exported = match (report.exported, salvage) {
        (Some(exported), Some(path)) => {
            format!(
                "\nExported {} to {}.",
                count(exported, "record"),
                path.display()
            )
        }
        _ => String::new(),
    };
    format!(
        "{} stranded on {source} when it came back:\n{listed}{exported}",
        match report.stranded_records {
            1 => "1 record was".to_owned(),
            records => format!("{records} records were"),
        }
    )
}

fn listed(stranded: &[Stranded]) -> String {
    let heading = row(["TOPIC", "PARTITION", "OFFSETS", "RECORDS", "MIRRORMAKER"]);
    table(&[vec![heading], stranded_rows(stranded)].concat())
}

/// Partition by partition: the offsets, and what becomes of them.
pub(super) fn stranded_rows(stranded: &[Stranded]) -> Vec<Vec<String>> {
    let rows = stranded.iter().flat_map(|one: &Stranded| {
        let line = |ranges: &[OffsetRange], what: &str| {
            let records: u64 = ranges.iter().map(|range| range.records).sum();
            (records > 0).then(|| {
                row([
                    &one.topic,
                    &one.partition.to_string(),
                    &offsets(ranges),
                    &records.to_string(),
                    what,
                ])
            })
        };
        let later = line(&one.later, "mirrors them late");
        let never = line(&one.never, "has passed over them");
        later.into_iter().chain(never).collect::<Vec<_>>()
    });
    rows.collect()
}

fn offsets(ranges: &[OffsetRange]) -> String {
    let shown = ranges.iter().take(SHOWN).map(|range| {
        if range.first == range.last {
            range.first.to_string()
        } else {
            format!("{}..{}", range.first, range.last)
        }
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ranges.len() > SHOWN {
        text.push_str(", ...");
    }
    text
}

fn groups(groups: &[GroupReturn]) -> String {
    let rows = groups.iter().map(|one| {
        let (again, skipped) = (one.again.to_string(), one.skipped.to_string());
        row([&one.group, &again, &skipped])
    });
    let heading = row(["GROUP", "AGAIN", "SKIPPED"]);
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

/// Where copies too many come from.
pub(super) fn surplus(report: &FailbackReport) -> String {
    let forward = report.afterwards.forward.surplus;
    let back = report.afterwards.back.surplus;
    match forward + back {
        0 => "No record is there twice.".to_owned(),
        _ => format!(
            "{} on {} and {} on {}: MirrorMaker mirrors again what it had not committed when it stopped.",
            count(forward, "surplus record"),
            report.target,
            back,
            report.source
        ),
    }
}

/// What did not hold.
pub(in crate::cli::drill) fn failures(report: &FailbackReport) -> Vec<String> {
    let failed = report.checks.iter().filter(|check| !check.held);
    failed.map(|check| broken(&check.promise, report)).collect()
}

fn verdict(report: &FailbackReport) -> String {
    let failed = failures(report);
    if failed.is_empty() {
        let passed = styled(DONE.bold(), "PASSED:");
        let groups = match report.groups.len() {
            0 => "",
            _ => ", and no group skipped one",
        };
        return format!("{passed} both sides have every record of the other, in order{groups}.");
    }
    format!("{} {}", styled(ERROR, "FAILED:"), failed.join("; "))
}

pub(super) fn broken(promise: &Promise, report: &FailbackReport) -> String {
    let of = |flow: &str| {
        let both = &report.afterwards;
        [&both.forward, &both.back]
            .into_iter()
            .find(|one| one.flow == flow)
            .cloned()
            .unwrap_or_default()
    };
    match promise {
        Promise::Compared { flow } => {
            format!(
                "{flow} could not be compared: {}",
                of(flow).unknown.join(", ")
            )
        }
        Promise::NothingMissing { flow } => {
            format!("{flow} lacks {}", count(of(flow).missing, "record"))
        }
        Promise::NothingForeign { flow } => format!(
            "{flow} has {} that its source does not have",
            count(of(flow).foreign, "record")
        ),
        Promise::InOrder { flow } => {
            format!(
                "{flow} has {} out of order",
                count(of(flow).out_of_order, "record")
            )
        }
        Promise::NothingSkipped { group } => {
            let mut groups = report.groups.iter();
            let skipped = groups.find(|one| one.group == *group);
            let skipped = skipped.map_or(0, |one| one.skipped);
            format!("group {group} was never given {}", count(skipped, "record"))
        }
        Promise::Written { flow, acknowledged } => format!(
            "the source of {flow} acknowledged {} and has {}",
            count(*acknowledged, "record"),
            of(flow).source
        ),
    }
}
