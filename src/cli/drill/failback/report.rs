use super::super::super::output::{DONE, ERROR, styled};
use super::super::super::quantity::count;
use super::super::super::table::{row, table};
use super::super::report::numbered;
use super::super::words::amount;
use kafka_mirror_kit::core::judge::drill::equality::OffsetRange;
use kafka_mirror_kit::core::judge::drill::failback::{FlowDifference, Promise};
use kafka_mirror_kit::core::lab::compare::Stranded;
use kafka_mirror_kit::core::lab::drill::{By, FailbackRehearsal, FailbackReport};
use serde::Serialize;
use std::path::Path;

/// Ranges of one partition that are shown.
const SHOWN: usize = 5;

/// Partitions whose differences are shown.
const SHOWN_PARTITIONS: usize = 12;

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
    if let Some(deleted) = report.deleted {
        parts.push(format!(
            "The topic on {source} was deleted with {}, recreated, and filled from {target}.",
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
    let rows = rows.map(|(when, one)| line(when, one));
    parts.push(table(&[vec![heading], rows.to_vec()].concat()));
    parts.push(surplus(report));
    parts.extend(differences(report));
    if !report.groups.is_empty() {
        let heading = row(["GROUP", "AGAIN", "PREDICTED", "SKIPPED", "PREDICTED"]);
        parts.push(table(&[vec![heading], group_rows(report)].concat()));
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
        Some([]) => format!("No record of the drill's topic is only on {source} now."),
        Some(stranded) => {
            let records = rehearsal.stranded_records.unwrap_or_default();
            let then = match (rehearsal.by, rehearsal.replays) {
                (By::Rebuild, false) => ("deleted", "deleted"),
                (By::Rebuild, true) => ("written to the target", "written to the target"),
                _ => ("mirrored late", "not mirrored"),
            };
            let rows = stranded_rows(stranded, then);
            let (records, listed) = (count(records, "record"), listed("THEN", rows));
            format!("Only on {source} now: {records}:\n{listed}")
        }
    });
    parts.join("\n\n")
}

fn stranded(report: &FailbackReport, salvage: Option<&Path>) -> String {
    let (source, target) = (&report.source, &report.target);
    if report.stranded.is_empty() {
        return format!(
            "Nothing was stranded: {target} had every record of the drill's topic on {source}."
        );
    }
    let rows = stranded_rows(&report.stranded, what_became(report));
    let listed = listed("NOW", rows);
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

/// What happened to stranded records that MirrorMaker has not passed over yet, and to those that it has.
pub(super) fn what_became(report: &FailbackReport) -> (&'static str, &'static str) {
    match (report.by, report.replayed) {
        (By::Rebuild, None) => ("deleted", "deleted"),
        (By::Rebuild, Some(_)) => ("written to the target", "written to the target"),
        _ if report.afterwards.forward.missing > 0 => ("not all mirrored", "passed over"),
        _ => ("mirrored late", "passed over"),
    }
}

fn listed(now: &str, rows: Vec<Vec<String>>) -> String {
    let heading = row(["TOPIC", "PARTITION", "OFFSETS", "RECORDS", now]);
    table(&[vec![heading], rows].concat())
}

/// Partition by partition: the offsets, and what happens to them.
pub(super) fn stranded_rows(
    stranded: &[Stranded],
    (later, never): (&str, &str),
) -> Vec<Vec<String>> {
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
        let later = line(&one.later, later);
        let never = line(&one.never, never);
        later.into_iter().chain(never).collect::<Vec<_>>()
    });
    rows.collect()
}

/// Which records are missing, surplus or foreign afterwards; none where both sides are the same.
fn differences(report: &FailbackReport) -> Option<String> {
    let mut rows = difference_rows(report);
    let more = rows.len().saturating_sub(SHOWN_PARTITIONS);
    rows.truncate(SHOWN_PARTITIONS);
    let heading = row(DIFFERENCE
        .map(str::to_uppercase)
        .each_ref()
        .map(String::as_str));
    let listed = table(&[vec![heading], rows.clone()].concat());
    let more = match more {
        0 => String::new(),
        more => format!("\n{} more; --json lists them.", count(more as u64, "row")),
    };
    (!rows.is_empty()).then(|| format!("{listed}{more}"))
}

/// What a row of differences has.
pub(super) const DIFFERENCE: [&str; 6] = [
    "Found",
    "Cluster",
    "Topic",
    "Partition",
    "Offsets",
    "Records",
];

/// Partition by partition: what is missing, surplus or foreign afterwards, and where it is.
pub(super) fn difference_rows(report: &FailbackReport) -> Vec<Vec<String>> {
    let (source, target) = (&report.source, &report.target);
    let topics = report.afterwards.partitions.iter();
    let flows = topics.zip([(source, target), (target, source)]);
    let rows = flows.flat_map(|(topic, (from, to))| {
        let differences = topic.partitions.iter().filter_map(|partition| {
            let difference = partition.difference.as_ref()?;
            Some((partition.partition, difference))
        });
        differences.flat_map(move |(partition, one)| {
            let found = [
                // on the source, as it is not on the target
                ("missing", from, &topic.topic, &one.missing_at),
                ("surplus", to, &topic.mirrored, &one.surplus_at),
                ("foreign", to, &topic.mirrored, &one.foreign_at),
            ];
            let found = found.into_iter().filter(|(.., at)| !at.is_empty());
            found.map(move |(what, cluster, name, at)| {
                let records: u64 = at.iter().map(|range| range.records).sum();
                let (partition, records) = (partition.to_string(), records.to_string());
                row([what, cluster, name, &partition, &offsets(at), &records])
            })
        })
    });
    rows.collect()
}

fn offsets(ranges: &[OffsetRange]) -> String {
    let shown = ranges.iter().take(SHOWN).map(ToString::to_string);
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ranges.len() > SHOWN {
        text.push_str(", ...");
    }
    text
}

/// Group by group: what it was given again, and skipped, beside what was predicted.
pub(super) fn group_rows(report: &FailbackReport) -> Vec<Vec<String>> {
    let rows = report.groups.iter().map(|one| {
        row([
            &one.group,
            &one.again.to_string(),
            &amount(one.again_predicted),
            &one.skipped.to_string(),
            &amount(one.skipped_predicted),
        ])
    });
    rows.collect()
}

/// What MirrorMaker did when the flow that had failed over ran again, and where copies too many come from.
pub(super) fn surplus(report: &FailbackReport) -> String {
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
        return format!(
            "{passed} both sides have every record of the drill's topics, in order{groups}."
        );
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
