use super::super::output::seconds;
use super::super::table::{row, table};
use super::args::RunArgs;
use super::{failback, report};
use crate::cli::report::{
    Check, Column, Link, Number, Outcome, Provenance, Report, Table, Verdict, command_line,
};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab::drill::{self, DrillError, Resumed, ResumedFailover};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::time::SystemTime;

/// Complete a failover or failback whose kmk was killed
///
/// Of a failover, does what was left to do: lets the source fail, stops MirrorMaker, starts the source again. The lab is then failed
/// over, as after a drill that was completed. What was lost and how long it took is unknown: the process that measured it died.
///
/// A failback is run once more, with the same options, and that run is reported. One by rebuild, or by watermark after the switch
/// back, cannot be run again, nor can a drill of one fault: `kmk drill abort` takes them back.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("120s").help(TIMEOUT)))]
pub(super) struct Args {
    #[command(flatten)]
    run: RunArgs,
}

const TIMEOUT: &str =
    "How long a failover may take; a failback has the --timeout that it was given";

const EXAMPLES: &str = "\
Examples:
  kmk drill resume
  kmk drill resume --report resumed.html";

const UNKNOWN: &str = "unknown: the process that measured it died";

#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    resumed: &'a ResumedFailover,
    rpo: Option<()>,
    rto: Option<()>,
    why_unknown: &'static str,
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let begun = SystemTime::now();
    let (docker, found) = context.find_lab()?;
    let links = Link::all(&found, &Limit::endless(&context.interrupt));
    let steps = context.output.steps();
    let lab = in_lab(&context.lab);
    let (time, interrupt) = (args.run.timeout, &context.interrupt);
    let given = args.run.prepare()?;
    let done = drill::resume(&docker, &context.lab, time, interrupt, &steps).map_err(|error| {
        let nothing_done = matches!(
            error,
            DrillError::NoDrill { .. }
                | DrillError::NothingToResume { .. }
                | DrillError::TakenBack { .. }
        );
        let told = CliError::from(error);
        if nothing_done {
            return told;
        }
        told.then(&format!(
            "The drill is not over: `kmk drill resume{lab}` tries again, `kmk drill abort{lab}` takes it back."
        ))
    })?;
    drop(steps);
    let provenance = Provenance::new(&found, command_line(), begun, links);
    let done = match done {
        Resumed::Failover(done) => done,
        Resumed::Failback { report, is_kept } => {
            failback::give(given, &report, None, provenance, context)?;
            return Ok(failback::conclude(&report, is_kept, context));
        }
    };
    let json = Json {
        resumed: &done,
        rpo: None,
        rto: None,
        why_unknown: "the process that measured it died",
    };
    let json = report::json(json, &provenance)?;
    given.give(context, &document(&done, provenance), &json, &text(&done))?;
    let way = done.state.way_home();
    let failback = (
        format!("kmk drill failback{way}{lab}"),
        "fail back, and compare both clusters",
    );
    let abort = (
        format!("kmk drill abort{lab}"),
        "start MirrorMaker again, and remove the drill's topics",
    );
    let commands = [failback, abort];
    let first = usize::from(done.state.observed);
    context.output.next(&commands[first..]);
    Ok(Exit::Done)
}

fn text(done: &ResumedFailover) -> String {
    let (state, took) = (&done.state, seconds(done.took));
    let (source, target) = (&state.source, &state.target);
    let mut lines = vec![
        format!(
            "The drill of {} was completed, in {took}: failed over from {source} to {target}.",
            state.flow
        ),
        String::new(),
        format!("RPO   {UNKNOWN}"),
        format!("RTO   {UNKNOWN}"),
    ];
    if !done.offsets.is_empty() {
        let (home, away) = (
            format!("COMMITTED ON {source}"),
            format!("SYNCED TO {target}"),
        );
        let rows = offsets(done).into_iter();
        let heading = row(["GROUP", "PARTITION", &home, &away]);
        lines.push(table(
            &[heading].into_iter().chain(rows).collect::<Vec<_>>(),
        ));
    }
    lines.extend(
        done.moving
            .iter()
            .map(|moving| format!("On {source}, {moving}.")),
    );
    lines.join("\n")
}

/// Where each group stands in each partition.
fn offsets(done: &ResumedFailover) -> Vec<Vec<String>> {
    let offset = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let rows = done.offsets.iter().map(|place| {
        row([
            &place.group,
            &place.partition.to_string(),
            &offset(place.committed),
            &offset(place.synced),
        ])
    });
    rows.collect()
}

/// HTML, JUnit XML and Markdown are made from it.
fn document(done: &ResumedFailover, provenance: Provenance) -> Report {
    let state = &done.state;
    let (source, target) = (&state.source, &state.target);
    let unknown = |key, name: &str, definition| Number {
        about: state.flow.clone(),
        key,
        value: "unknown".to_owned(),
        name: name.to_owned(),
        text: "unknown".to_owned(),
        definition,
        is_bad: false,
    };
    let why = "the process that measured it died";
    let groups = Table {
        title: "Groups".to_owned(),
        columns: vec![
            Column::Text("Group"),
            Column::Number("Partition"),
            Column::Number("Committed on the source"),
            Column::Number("Synced to the target"),
        ],
        rows: offsets(done),
        note: None,
    };
    let moving = (!done.moving.is_empty()).then(|| Table {
        title: format!("Topics on {source} that still grow"),
        columns: vec![Column::Text("Topic")],
        rows: done.moving.iter().map(|one| vec![one.clone()]).collect(),
        note: None,
    });
    Report {
        command: "drill resume",
        subject: state.flow.clone(),
        verdict: Verdict {
            word: "COMPLETED",
            outcome: Outcome::Unknown,
            why: format!("what was lost and how long it took is {UNKNOWN}"),
        },
        seconds: done.took.as_secs_f64(),
        checks: vec![Check {
            about: state.flow.clone(),
            what: "the failover came to its end".to_owned(),
            outcome: Outcome::Passed,
            seen: format!("failed over from {source} to {target}"),
        }],
        numbers: vec![
            unknown("rpo_records", "RPO", why),
            unknown("rto_seconds", "RTO", why),
        ],
        timelines: Vec::new(),
        tables: [groups].into_iter().chain(moving).collect(),
        histograms: Vec::new(),
        provenance,
    }
}
