//! The report of a failover, as text and as JSON.

use super::super::output::{DONE, ERROR, styled};
use super::super::quantity::count;
use super::super::table::{row, table};
use super::named;
use super::words::{amount, expectation, one_decimal, part, sibling};
use crate::cli::CliError;
use crate::cli::report::{Provenance, VERSION, time};
use kafka_mirror_kit::core::judge::drill::{Check, GroupOutcome, Judgement, Part, Rpo, Rto, Start};
use kafka_mirror_kit::core::judge::ledger::Latency;
use kafka_mirror_kit::core::lab::drill::{FailoverReport, Fault, Rehearsal};
use serde::Serialize;

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    /// Whether everything held that had to.
    passed: bool,
    #[serde(flatten)]
    report: &'a FailoverReport,
}

impl<'a> Json<'a> {
    pub(super) fn of(report: &'a FailoverReport) -> Self {
        Self {
            passed: report.judgement.passed(),
            report,
        }
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    version: u32,
    #[serde(flatten)]
    what: T,
    provenance: &'a Provenance,
}

/// With what it was made with.
pub(super) fn json(what: impl Serialize, provenance: &Provenance) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(&Document {
        version: VERSION,
        what,
        provenance,
    })?)
}

pub(super) fn rehearsal(rehearsal: &Rehearsal) -> String {
    let heading = format!("A failover of {} would:", rehearsal.flow);
    numbered(&heading, &rehearsal.steps, &rehearsal.notes)
}

/// Steps that would be taken.
pub(super) fn numbered(heading: &str, steps: &[String], notes: &[String]) -> String {
    let mut lines = vec![heading.to_owned()];
    let steps = (1..).zip(steps);
    lines.extend(steps.map(|(nth, step)| format!("  {nth}. {step}")));
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

pub(super) fn text(report: &FailoverReport) -> String {
    format!("{}\n\n{}", measured(report), verdict(&report.judgement))
}

/// All but the verdict.
pub(super) fn measured(report: &FailoverReport) -> String {
    let judgement = &report.judgement;
    let mut lines = vec![
        heading(report),
        String::new(),
        rpo(report, &judgement.rpo),
        rto(judgement.rto.as_ref()),
        latency(report.latency.as_ref()),
        groups(&judgement.groups),
    ];
    let named = named::lines(report);
    if !named.is_empty() {
        lines.push(String::new());
        lines.extend(named);
    }
    if !report.siblings.is_empty() {
        lines.push(String::new());
        lines.extend(report.siblings.iter().map(sibling));
    }
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    }
    lines.join("\n")
}

/// What was done to the source.
pub(super) fn done(fault: Fault, source: &str) -> String {
    match fault {
        Fault::Kill => format!("all brokers of {source} were killed"),
        Fault::Cut => format!("the link was cut, {source} stayed up"),
        Fault::HalfOpen => format!("the link was half-open, {source} stayed up"),
        Fault::Planned => format!("planned, {source} stayed up"),
    }
}

fn heading(report: &FailoverReport) -> String {
    let what = done(report.fault, &report.source);
    format!(
        "Failed over from {} to {} ({what}); {} sent before the switch, {} written after it.",
        report.source,
        report.target,
        count(report.sent, "record"),
        count(report.written_after, "record")
    )
}

fn rpo(report: &FailoverReport, rpo: &Rpo) -> String {
    let (source, topic) = (&report.source, &report.topic);
    let worst = rpo.worst().map_or_else(String::new, |worst| {
        format!(
            "   (worst partition {topic}-{}: {}, {:.2} s)",
            worst.partition,
            count(worst.records, "record"),
            worst.seconds
        )
    });
    let mut parts = vec![format!(
        "{}, {:.2} s{worst}",
        count(rpo.records, "record"),
        rpo.seconds
    )];
    match (rpo.stranded, rpo.gone_for_good) {
        (Some(stranded), Some(gone)) => {
            parts.push(format!(
                "{stranded} stranded on {source}, {gone} gone for good"
            ));
        }
        _ => parts.push(format!("whether {source} still has them is unknown")),
    }
    if rpo.acknowledged_after_fault > 0 {
        let after = rpo.acknowledged_after_fault;
        parts.push(format!("{after} acknowledged after the fault"));
    }
    parts.push(format!("{} in doubt", rpo.in_doubt.records));
    if let Some(late) = rpo.late_writes {
        parts.push(format!("{} on {source}", count(late, "late write")));
    }
    if rpo.duplicates > 0 {
        parts.push(format!(
            "{} on {}",
            count(rpo.duplicates, "duplicate"),
            report.target
        ));
    }
    format!("RPO   {}", parts.join("; "))
}

/// The whole and its parts. Each is shown to a tenth of a second, so that the parts add up to what is shown of the whole.
fn rto(rto: Option<&Rto>) -> String {
    let Some(rto) = rto else {
        return "RTO   unknown: a group was not given new records in every partition".to_owned();
    };
    let name = |name: &str| part(name, &rto.slowest_group, rto.slowest_partition);
    sum(rto.seconds, &rto.parts, name)
}

fn latency(latency: Option<&Latency>) -> String {
    let Some(latency) = latency else {
        return "LATENCY  unknown: no record arrived in the steady state".to_owned();
    };
    let [p50, p99, max] = [latency.p50, latency.p99, latency.max].map(time);
    format!("LATENCY  p50 {p50}, p99 {p99}, greatest {max} in the steady state")
}

pub(super) fn sum(seconds: f64, parts: &[Part], name: impl Fn(&str) -> String) -> String {
    let (mut sum, mut shown) = (0.0, 0.0);
    let parts = parts.iter().map(|one| {
        sum += one.seconds;
        let here = one_decimal(sum) - shown;
        shown = one_decimal(sum);
        format!("{} {here:.1}", name(one.name))
    });
    let parts: Vec<String> = parts.collect();
    format!(
        "RTO   {:.1} s = {}",
        one_decimal(seconds),
        parts.join(" + ")
    )
}

fn groups(groups: &[GroupOutcome]) -> String {
    let heading = row([
        "GROUP",
        "AGAIN",
        "PREDICTED",
        "SKIPPED",
        "PREDICTED",
        "OUT OF ORDER",
        "FIRST NEW RECORD",
    ]);
    let rows = groups.iter().map(|group| {
        let has_committed = group.again.is_some();
        let or_dash = |text: String| if has_committed { text } else { "-".to_owned() };
        row([
            &group.name,
            &group
                .again
                .map_or_else(|| "-".to_owned(), |again| again.to_string()),
            &amount(group.again_predicted),
            &if group.skipped > 0 {
                group.skipped.to_string()
            } else {
                or_dash("0".to_owned())
            },
            &amount(group.skipped_predicted),
            &group.inversions.to_string(),
            &first_new(group),
        ])
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

pub(super) fn first_new(group: &GroupOutcome) -> String {
    let first = group.first_new_record_seconds;
    let first = first.map_or_else(|| "none".to_owned(), |first| format!("{first:.1} s"));
    match group.start {
        Start::SyncedOffsets => first,
        Start::PartlySynced => format!("{first}; from the beginning where no offset was synced"),
        Start::NotSynced => format!("{first}; from the beginning: no offset was synced"),
        Start::NeverCommitted => format!("{first}; from the beginning: it had no committed offset"),
    }
}

/// What did not hold.
pub(super) fn failures(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| !check.held);
    failed
        .map(|check| expectation(&check.expectation))
        .collect()
}

fn verdict(judgement: &Judgement) -> String {
    let failed = failures(&judgement.checks);
    if failed.is_empty() {
        let measured = styled(DONE.bold(), "Measured:");
        return format!(
            "{measured} every record is accounted for. One run is one sample: `--repeat 5` shows how much it varies."
        );
    }
    format!("{} {}", styled(ERROR, "FAILED:"), failed.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_that_are_shown_add_up_to_the_whole_that_is_shown() {
        let parts = [2.04, 0.04, 0.24, 0.04, 0.04, 3.44];
        let names = [
            "detected",
            "decided",
            "fenced",
            "switched",
            "first_write_acknowledged",
            "first_new_record",
        ];
        let text = rto(Some(&Rto {
            seconds: parts.iter().sum(),
            uncertain_seconds: 0.1,
            parts: names
                .into_iter()
                .zip(parts)
                .map(|(name, seconds)| Part { name, seconds })
                .collect(),
            slowest_group: "lagging".to_owned(),
            slowest_partition: 3,
        }));
        assert_eq!(
            text,
            "RTO   5.8 s = detected 2.0 + decided 0.1 + fenced 0.2 + switched 0.1 + first write acknowledged 0.0 + first \
             new record of the slowest group (lagging, partition 3) 3.4"
        );
    }
}
