//! The report of `kmk verify`, as text and as JSON.

use super::super::output::{DONE, ERROR, HINT, seconds, styled};
use super::super::quantity::count;
use super::account::{Lacking, describe};
use super::verdict::{Verdict, reason};
use crate::cli::CliError;
use crate::cli::report::{Check, Provenance, Report, VERSION};
use kafka_mirror_kit::core::judge::ledger::Guarantee;
use kafka_mirror_kit::core::lab::verify::{
    FlowReport, Incident, SourceReport, TimedIncident, VerifyEnd, VerifyReport,
};
use serde::Serialize;
use std::time::Duration;

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    /// Whether every record was accounted for.
    verified: bool,
    /// Whether duplicates count as errors.
    exactly_once: bool,
    #[serde(flatten)]
    report: &'a VerifyReport,
    checks: &'a [Check],
    provenance: &'a Provenance,
}

pub(super) fn json(
    report: &VerifyReport,
    guarantee: Guarantee,
    document: &Report,
) -> Result<String, CliError> {
    let json = Json {
        version: VERSION,
        verified: report.is_sound(guarantee),
        exactly_once: guarantee == Guarantee::ExactlyOnce,
        report,
        checks: &document.checks,
        provenance: &document.provenance,
    };
    Ok(serde_json::to_string_pretty(&json)?)
}

/// The report for people; the verdict comes last.
pub(super) fn text(report: &VerifyReport, guarantee: Guarantee) -> String {
    let sources = report.sources.iter().map(source);
    let flows = report.flows.iter().map(|one| flow(one, report.end));
    let mut parts: Vec<String> = vec![sources.collect::<Vec<_>>().join("\n")];
    parts.extend(flows);
    let verdict = Verdict::of(report, guarantee);
    let style = match verdict {
        Verdict::Verified => DONE.bold(),
        Verdict::NotVerified => ERROR,
        Verdict::Interrupted => HINT,
    };
    let verdict = styled(style, &format!("{}:", verdict.text()));
    parts.push(format!("{verdict} {}", reason(report, guarantee)));
    parts.join("\n\n")
}

fn source(source: &SourceReport) -> String {
    let time = seconds(Duration::from_secs_f64(source.seconds));
    let speed = source
        .records_per_second
        .map_or_else(String::new, |speed| format!(", {speed:.0}/s"));
    let open = match source.sent - source.acknowledged {
        0 => "all acknowledged".to_owned(),
        open => format!("{open} of them not acknowledged"),
    };
    let gave_up = source.gave_up.as_ref().map_or_else(String::new, |error| {
        format!("\nThen it stopped accepting records: {error}.")
    });
    format!(
        "Sent {} into `{}` on {} ({}) in {time}{speed}: {open}.{gave_up}",
        count(source.sent, "record"),
        source.topic,
        source.cluster,
        count(u64::try_from(source.partitions).unwrap_or(0), "partition"),
    )
}

fn flow(flow: &FlowReport, end: VerifyEnd) -> String {
    let speed = flow
        .records_per_second
        .map_or_else(String::new, |speed| format!(", {speed:.0}/s"));
    let heading = format!(
        "{}: `{}` on {}{speed}",
        flow.flow, flow.remote_topic, flow.target
    );
    let lacking = Lacking::of(flow, end);
    let mut lines = vec![heading, describe(&flow.account, lacking)];
    if !flow.incidents.is_empty() {
        lines.push(String::new());
    }
    lines.extend(
        flow.incidents
            .iter()
            .map(|noted| incident(noted, &flow.remote_topic)),
    );
    lines.join("\n")
}

fn incident(noted: &TimedIncident, topic: &str) -> String {
    format!(
        "  after {}: {}",
        seconds(Duration::from_secs_f64(noted.at_seconds)),
        what_happened(&noted.what, topic)
    )
}

/// What was seen of a topic on its target.
pub(super) fn what_happened(incident: &Incident, topic: &str) -> String {
    match incident {
        Incident::TopicGone => format!("topic `{topic}` did not exist"),
        Incident::TopicRecreated => {
            format!("topic `{topic}` was deleted and recreated; read again from its beginning")
        }
        Incident::OffsetOutOfRange {
            partition,
            from,
            to,
        } if from < to => {
            format!(
                "partition {partition}: offsets {from} to {} were removed before they were read",
                to - 1
            )
        }
        Incident::OffsetOutOfRange {
            partition,
            from,
            to,
        } => {
            format!(
                "partition {partition} ended at offset {to}, before the next offset to read, {from}"
            )
        }
        Incident::PartitionAdded { partition } => format!("partition {partition} was added"),
        Incident::NotAnswering => "the target's broker did not answer".to_owned(),
        Incident::Unreadable { error } => format!("cannot be read: {error}"),
        other => format!("{other:?}"),
    }
}
