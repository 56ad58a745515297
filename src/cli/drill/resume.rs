use super::super::output::seconds;
use super::super::table::{row, table};
use super::failback;
use crate::cli::report::{Link, Provenance, command_line};
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::lab::drill::{self, DrillError, Resumed, ResumedFailover};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// Carry a failover or a failback to its end whose kmk was killed
///
/// Of a failover, does what was left to do: lets the source fail, stops MirrorMaker, starts the source again. The lab is then failed
/// over, as after a drill that was completed. What was lost and how long it took nobody knows: the process that measured it is gone.
///
/// A failback is run once more, with the same options, and reported in full. One by rebuild, or by watermark after the switch
/// back, cannot be run again, nor can a drill of one fault: `kmk drill abort` takes them back.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How long a failover may take; a failback has the --timeout that it was given
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = patience)]
    timeout: Duration,
    /// Print the result as JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill resume";

const UNKNOWN: &str = "unknown: the process that measured it died";

#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    resumed: &'a ResumedFailover,
    rpo: Option<()>,
    rto: Option<()>,
    why_unknown: &'static str,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let begun = SystemTime::now();
    let (docker, found) = context.find_lab()?;
    let links = Link::all(&found, &Limit::endless(&context.interrupt));
    let steps = context.output.steps();
    let lab = in_lab(&context.lab);
    let (time, interrupt) = (args.timeout, &context.interrupt);
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
    let done = match done {
        Resumed::Failover(done) => done,
        Resumed::Failback { report, is_kept } => {
            let provenance = Provenance::new(&found, command_line(), begun, links);
            let provenance = args.json.then_some(&provenance);
            return failback::tell_resumed(&report, is_kept, provenance, context);
        }
    };
    if args.json {
        let json = Json {
            resumed: &done,
            rpo: None,
            rto: None,
            why_unknown: "the process that measured it died",
        };
        context
            .output
            .result(&serde_json::to_string_pretty(&json)?)?;
    } else {
        context.output.result(&text(&done))?;
    }
    let way = done.state.way_home();
    let failback = (
        format!("kmk drill failback{way}{lab}"),
        "come home, and compare both clusters",
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
            "The drill of {} was carried to its end, in {took}: failed over from {source} to {target}.",
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
        let offset =
            |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let rows = done.offsets.iter().map(|place| {
            row([
                &place.group,
                &place.partition.to_string(),
                &offset(place.committed),
                &offset(place.synced),
            ])
        });
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
