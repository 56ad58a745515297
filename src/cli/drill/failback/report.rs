use super::super::super::output::{DONE, ERROR, styled};
use super::super::super::quantity::count;
use super::super::super::table::{row, table};
use super::super::words::amount;
use crate::cli::CliError;
use kafka_mirror_kit::core::judge::drill::equality::OffsetRange;
use kafka_mirror_kit::core::judge::drill::failback::{FlowDifference, GroupReturn, Promise};
use kafka_mirror_kit::core::lab::compare::Stranded;
use kafka_mirror_kit::core::lab::drill::{By, FailbackReport};
use serde::Serialize;
use std::path::Path;

/// Ranges of one partition that are shown.
const SHOWN: usize = 5;

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    /// Whether everything held that had to.
    passed: bool,
    #[serde(flatten)]
    report: &'a FailbackReport,
}

pub(super) fn json(report: &FailbackReport) -> Result<String, CliError> {
    let passed = report.passed();
    Ok(serde_json::to_string_pretty(&Json { passed, report })?)
}

pub(super) fn text(report: &FailbackReport, salvage: Option<&Path>) -> String {
    let (source, target) = (&report.source, &report.target);
    let mut parts = vec![format!(
        "Failed back from {target} to {source}; {} written on {target} meanwhile, {} on {source} after the switch back.",
        count(report.written_on_target, "record"),
        count(report.written_on_source, "record"),
    )];
    parts.push(stranded(report, salvage));
    if let Some(deleted) = report.deleted {
        parts.push(format!(
            "The topic on {source} was deleted with {}, and filled anew from {target}.",
            count(deleted, "record")
        ));
    }
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
    let rows = rows.map(|(when, one)| compared(when, one));
    parts.push(table(&[vec![heading], rows.to_vec()].concat()));
    parts.push(surplus(report));
    if !report.groups.is_empty() {
        parts.push(groups(&report.groups));
    }
    parts.push(verdict(report));
    parts.join("\n\n")
}

fn compared(when: &str, one: &FlowDifference) -> Vec<String> {
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

fn stranded(report: &FailbackReport, salvage: Option<&Path>) -> String {
    let (source, target) = (&report.source, &report.target);
    if report.stranded.is_empty() {
        return format!("Nothing was stranded: every record of {source} was on {target}.");
    }
    let heading = row(["TOPIC", "PARTITION", "OFFSETS", "RECORDS", "NOW"]);
    let rows = report.stranded.iter().flat_map(|one: &Stranded| {
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
        let (later, never) = match (report.by, report.replayed) {
            (By::Rebuild, None) => ("deleted", "deleted"),
            (By::Rebuild, Some(_)) => ("written to the target", "written to the target"),
            _ => ("mirrored late", "passed over"),
        };
        let later = line(&one.later, later);
        let never = line(&one.never, never);
        later.into_iter().chain(never).collect::<Vec<_>>()
    });
    let listed = table(&[heading].into_iter().chain(rows).collect::<Vec<_>>());
    let exported = match (report.exported, salvage) {
        (Some(exported), Some(path)) => {
            format!(
                "\nExported {} to {}.",
                count(exported, "record"),
                path.display()
            )
        }
        _ => match report.replayed {
            Some(replayed) => format!(
                "\nWrote {} to {target}, as new records.",
                count(replayed, "record")
            ),
            None => String::new(),
        },
    };
    format!(
        "{} stranded on {source} when it came back:\n{listed}{exported}",
        match report.stranded_records {
            1 => "1 record was".to_owned(),
            records => format!("{records} records were"),
        }
    )
}

fn offsets(ranges: &[OffsetRange]) -> String {
    let shown = ranges.iter().take(SHOWN).map(ToString::to_string);
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ranges.len() > SHOWN {
        text.push_str(", ...");
    }
    text
}

fn groups(groups: &[GroupReturn]) -> String {
    let rows = groups.iter().map(|one| {
        row([
            &one.group,
            &one.again.to_string(),
            &amount(one.again_predicted),
            &one.skipped.to_string(),
            &amount(one.skipped_predicted),
        ])
    });
    let heading = row(["GROUP", "AGAIN", "PREDICTED", "SKIPPED", "PREDICTED"]);
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

/// What MirrorMaker did when the flow that had failed over ran again, and where copies too many come from.
fn surplus(report: &FailbackReport) -> String {
    let (flow, target, source) = (&report.flow, &report.target, &report.source);
    let forward = report.afterwards.forward.surplus;
    let back = report.afterwards.back.surplus;
    let late = match report.mirrored_late {
        0 => String::new(),
        late => format!(
            "When {flow} ran again, MirrorMaker mirrored {} late.\n",
            count(late, "stranded record")
        ),
    };
    let repeated = match report.repeated {
        0 => String::new(),
        repeated => format!(
            " {repeated} of them came when {flow} ran again: MirrorMaker mirrors again what it had not committed when it was \
             stopped."
        ),
    };
    match forward + back {
        0 => format!("{late}No record is there twice."),
        _ => format!(
            "{late}{} on {target} and {back} on {source}.{repeated}",
            count(forward, "surplus record")
        ),
    }
}

fn verdict(report: &FailbackReport) -> String {
    let failed = report.checks.iter().filter(|check| !check.held);
    let failed: Vec<String> = failed.map(|check| broken(&check.promise, report)).collect();
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

fn broken(promise: &Promise, report: &FailbackReport) -> String {
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
        Promise::AsPredicted { group } => format!(
            "group {group} was given other records again, or skipped others, than predicted"
        ),
        Promise::Written { flow, acknowledged } => format!(
            "the source of {flow} acknowledged {} and has {}",
            count(*acknowledged, "record"),
            of(flow).source
        ),
    }
}
