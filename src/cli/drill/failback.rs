mod document;
mod report;
mod salvage;

use super::super::produce::rate;
use super::super::quantity::counted;
use super::args::{Given, RunArgs};
use super::report::json;
use crate::cli::report::{Link, Provenance, command_line};
use crate::cli::{CliError, Context, Exit, patience};
use clap::ValueEnum;
pub(super) use document::document;
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::drill::{
    By, Failback, FailbackReport, Salvage, failback, rehearse,
};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
pub(super) use report::{Json, compared, failures};
pub(super) use salvage::SalvageFile;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Fail back after `kmk drill failover`, and compare both sides record by record
///
/// Lists the stranded records first: those that the source had acknowledged and that never reached the target. Then the flow
/// back runs alone: what was written on the target is mirrored to the source. The producer and the groups switch back in
/// order, the flow that failed over starts again, and both clusters are compared by content: missing records, surplus copies,
/// order. In the end the lab is as it was before the failover, unless --keep is given.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("120s")))]
pub(super) struct Args {
    #[command(flatten)]
    options: FailbackOptions,
    /// How many records to write per second, on the target and then on the source
    #[arg(long, value_name = "N[/s]", default_value = "500/s", value_parser = rate, allow_hyphen_values = true)]
    rate: u64,
    /// How many different keys the records have
    #[arg(long, value_name = "N", default_value = "200", allow_negative_numbers = true, value_parser = counted::<u32>(1..=99_999))]
    keys: u32,
    /// Keep the drill's topics and the flow back, to look at them; `kmk drill abort` removes them
    #[arg(long)]
    keep: bool,
    /// Only print what would be done, and which records are only on the source now
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// What a whole cycle takes too.
#[derive(clap::Args)]
pub(super) struct FailbackOptions {
    /// How the source gets what was written on the target: prefix (mirrored back under the target's name); watermark (under the
    /// same names, only what was written since a planned failover); rebuild (everything, into an emptied topic)
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
    /// How long to write on each side, at least
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = patience)]
    load: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill failback --dry-run
  kmk drill failback --salvage stranded.jsonl
  kmk drill failback --report failback.html
  kmk drill failback --by watermark
  kmk drill failback --by rebuild --salvage replay

Exit code 0: both sides have every record, in order; 1: they do not, or records were
not mirrored in time; 2: there is no failover to fail back from, or it does not fit.
Surplus copies are counted, but are not a failure: MirrorMaker delivers at least once.";

/// Instead of a file: the stranded records are written to the target. A file of that name is `./replay`.
const REPLAY: &str = "replay";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Prefix,
    Watermark,
    Rebuild,
}

impl FailbackOptions {
    pub(super) fn what(&self, rate: u64, keys: u32, timeout: Duration) -> Failback {
        Failback {
            by: match self.by {
                Way::Prefix => By::Prefix,
                Way::Watermark => By::Watermark,
                Way::Rebuild => By::Rebuild,
            },
            replay: self.replays(),
            rate,
            keys,
            load: self.load,
            keep: false,
            timeout,
        }
    }

    fn replays(&self) -> bool {
        self.salvage.as_deref() == Some(Path::new(REPLAY))
    }

    /// Where stranded records go.
    pub(super) fn salvage(self) -> Result<Option<SalvageFile>, CliError> {
        let file = (!self.replays()).then_some(self.salvage).flatten();
        file.map(SalvageFile::prepare).transpose()
    }
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let what = Failback {
        keep: args.keep,
        ..args.options.what(args.rate, args.keys, args.run.timeout)
    };
    if args.dry_run {
        let rehearsal = rehearse(&Docker::find()?, &context.lab, &what, &context.interrupt)?;
        args.run.rehearsed(context, &rehearsal, report::rehearsal)?;
        return Ok(Exit::Done);
    }
    let mut salvage = args.options.salvage()?;
    let begun = SystemTime::now();
    let (docker, lab) = context.find_lab()?;
    let given = args.run.prepare()?;
    let links = Link::all(&lab, &Limit::endless(&context.interrupt));
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
    let provenance = Provenance::new(&lab, command_line(), begun, links);
    let path = salvage.as_ref().map(SalvageFile::path);
    give(given, &report, path, provenance, context)?;
    Ok(conclude(&report, args.keep, context))
}

/// Its report, in every form that was asked for.
pub(super) fn give(
    given: Given,
    report: &FailbackReport,
    salvage: Option<&Path>,
    provenance: Provenance,
    context: &Context,
) -> Result<(), CliError> {
    let json = json(Json::of(report), &provenance)?;
    let text = report::text(report, salvage);
    given.give(context, &document(report, provenance), &json, &text)
}

/// What stays, and how it ends.
pub(super) fn conclude(report: &FailbackReport, is_kept: bool, context: &Context) -> Exit {
    if is_kept {
        let lab = in_lab(&context.lab);
        context.output.next(&[(
            format!("kmk drill abort{lab}"),
            "remove the drill's topics and the flow back",
        )]);
    } else {
        tell_what_stays(report, context);
    }
    if report.passed() {
        Exit::Done
    } else {
        Exit::No
    }
}

/// A flow that was added for the failback leaves topics that nothing else needs.
pub(super) fn tell_what_stays(report: &FailbackReport, context: &Context) {
    if report.back_was_added {
        let (flow, source, target) = (&report.back, &report.source, &report.target);
        let lab = in_lab(&report.lab);
        context.output.talk(&format!(
            "note: {flow} was added for the way back, and is removed again. Internal topics of its MirrorMaker stay on {source}, \
             such as `mm2-offsets.{target}.internal`; `kmk topic delete{lab} --cluster {source} --force TOPIC` removes one"
        ));
    }
}
