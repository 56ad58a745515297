mod abort;
mod args;
mod cycle;
mod document;
mod experiment;
mod failback;
mod failover;
mod list;
mod named;
mod observed;
mod repeated;
mod report;
mod resume;
mod timeline;
mod words;

use super::{CliError, Context, Exit};
pub(super) use words::drilled;

/// Practice the bad day: fail over to the other cluster, and measure what is lost and how long it takes
///
/// A drill uses topics and consumer groups of its own (`kmk-drill-...`) on the lab that is running. It really kills brokers
/// and stops MirrorMaker. `kmk drill failover` leaves the lab failed over: `kmk drill failback` fails back, `kmk drill abort`
/// takes the drill back. Other drills leave the lab as it was.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill failover --dry-run
  kmk drill failover
  kmk drill failover --planned --rpo-max 0
  kmk drill failback --salvage stranded.jsonl
  kmk drill cycle --report cycle.html
  kmk drill list
  kmk drill mirrormaker-crash
  kmk drill abort";

#[derive(clap::Subcommand)]
enum Verb {
    Failover(Box<failover::Args>),
    Failback(failback::Args),
    Cycle(cycle::Args),
    Resume(resume::Args),
    Abort(abort::Args),
    List(list::Args),
    #[command(flatten)]
    Experiment(experiment::Chosen),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    match args.verb {
        Verb::Failover(args) => failover::run(*args, context),
        Verb::Failback(args) => failback::run(args, context),
        Verb::Cycle(args) => cycle::run(args, context),
        Verb::Resume(args) => resume::run(args, context),
        Verb::Abort(args) => abort::run(&args, context),
        Verb::List(args) => list::run(&args, context),
        Verb::Experiment(chosen) => experiment::run(chosen, context),
    }
}
