mod cut;
mod heal;
mod set;
mod show;

use super::{CliError, Context, Exit};

/// Slow down or cut the link between two clusters, restore it, and show how it is
///
/// The link of a flow leads from its source to MirrorMaker, which runs next to the target. If the lab has one flow, it need not
/// be named.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  kmk link show
  kmk link set primary:secondary --rtt 80ms --rate 100mbit
  kmk link cut primary:secondary
  kmk link heal primary:secondary

A flow is named 'primary->secondary', in quotes, or primary:secondary.";

#[derive(clap::Subcommand)]
enum Verb {
    Show(show::Args),
    Set(set::Args),
    Cut(cut::Args),
    Heal(heal::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match &args.verb {
        Verb::Show(args) => show::run(args, context),
        Verb::Set(args) => set::run(args, context),
        Verb::Cut(args) => cut::run(args, context),
        Verb::Heal(args) => heal::run(args, context),
    }
}
