use super::super::output::seconds;
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::drill;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Take a drill back: start what it stopped, and remove what it created
///
/// Works after a drill that was completed, and after one that died. The drill's topics and groups are removed from both
/// clusters; all others are left alone.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How long to wait until records are mirrored again
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill abort";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let docker = Docker::find()?;
    let steps = context.output.steps();
    let limit = Limit::new(args.timeout, &context.interrupt);
    let done = drill::abort(&docker, &context.lab, &limit, &steps)?;
    drop(steps);
    let (flow, took) = (&done.state.flow, seconds(done.took));
    let siblings = match done.siblings.as_slice() {
        [] => String::new(),
        siblings => format!(", {} too", siblings.join(", ")),
    };
    context.output.result(&format!(
        "The drill of {flow} was taken back, after {took}: lab `{}` replicates again{siblings}.",
        context.lab
    ))?;
    Ok(Exit::Done)
}
