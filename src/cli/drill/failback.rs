mod report;
mod salvage;

use super::super::produce::rate;
use super::super::quantity::counted;
use crate::cli::{CliError, Context, Exit, patience};
use clap::ValueEnum;
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::drill::{By, Failback, Salvage, failback};
use kafka_mirror_kit::core::spec::in_lab;
use salvage::SalvageFile;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Come home after `kmk drill failover`, and compare both sides record by record
///
/// Lists the stranded records first: those that the source had acknowledged and that never reached the target. Then the flow
/// back runs alone: what was written on the target is mirrored to the source. The producer and the groups switch back in
/// order, the flow that failed over starts again, and both clusters are compared by content: missing records, surplus copies,
/// order. In the end the lab is as it was before the failover, unless --keep is given.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How the source gets what was written on the target: prefix (mirrored back under the target's name); watermark (under the
    /// same names, only what was written since a planned failover); rebuild (under the same names, into an emptied topic)
    #[arg(
        long,
        value_name = "WAY",
        default_value = "prefix",
        hide_possible_values = true
    )]
    by: Way,
    /// Write the stranded records to this new file before anything is changed, one JSON object per line; with the word
    /// `replay` and --by rebuild, write them to the target, as new records
    #[arg(long, value_name = "FILE")]
    salvage: Option<PathBuf>,
    /// How many records to write per second, on the target and then on the source
    #[arg(long, value_name = "N[/s]", default_value = "500/s", value_parser = rate, allow_hyphen_values = true)]
    rate: u64,
    /// How many different keys the records have
    #[arg(long, value_name = "N", default_value = "200", allow_negative_numbers = true, value_parser = counted::<u32>(1..=99_999))]
    keys: u32,
    /// How long to write on each side, at least
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = patience)]
    load: Duration,
    /// Keep the drill's topics and the flow back, to look at them; `kmk drill abort` removes them
    #[arg(long)]
    keep: bool,
    /// How long each step may take that has no time of its own
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = patience)]
    timeout: Duration,
    /// Print the report as JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill failover
  kmk drill failback --salvage stranded.jsonl
  kmk drill failback --by watermark
  kmk drill failback --by rebuild --salvage replay
  kmk drill failback --json

Exit code 0: both sides have every record, in order; 1: they do not, or records were
not mirrored in time; 2: there is no failover to come home from, or it does not fit.
Surplus copies are counted, and no failure: MirrorMaker delivers at least once.";

/// Instead of a file: the stranded records are written to the target. A file of that name is `./replay`.
const REPLAY: &str = "replay";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Prefix,
    Watermark,
    Rebuild,
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let replay = args.salvage.as_deref() == Some(Path::new(REPLAY));
    let what = Failback {
        by: match args.by {
            Way::Prefix => By::Prefix,
            Way::Watermark => By::Watermark,
            Way::Rebuild => By::Rebuild,
        },
        replay,
        rate: args.rate,
        keys: args.keys,
        load: args.load,
        keep: args.keep,
        timeout: args.timeout,
    };
    let salvage = args.salvage.filter(|_| !replay);
    let mut salvage = salvage.map(SalvageFile::prepare).transpose()?;
    let docker = Docker::find()?;
    let steps = context.output.steps();
    let into = salvage.as_mut().map(|file| file as &mut dyn Salvage);
    let report = failback(
        &docker,
        &context.lab,
        &what,
        into,
        &context.interrupt,
        &steps,
    )?;
    drop(steps);
    if args.json {
        context.output.result(&report::json(&report)?)?;
    } else {
        let path = salvage.as_ref().map(SalvageFile::path);
        context.output.result(&report::text(&report, path))?;
    }
    if args.keep {
        let lab = in_lab(&context.lab);
        context.output.next(&[(
            format!("kmk drill abort{lab}"),
            "remove the drill's topics and the flow back",
        )]);
    }
    Ok(if report.passed() {
        Exit::Done
    } else {
        Exit::No
    })
}
