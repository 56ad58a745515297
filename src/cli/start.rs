use super::output::seconds;
use super::{CliError, Context, Exit, deploy};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::start;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Start the lab that was stopped, and wait until records cross again
///
/// Its records are there, groups go on where they were, and so do the flows. Nothing is made anew: what was removed
/// comes back with `kmk deploy`. Starting a lab that runs checks that it replicates.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long it may take until records cross
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = super::patience)]
    timeout: Duration,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let docker = Docker::find()?;
    let limit = Limit::new(args.timeout, &context.interrupt);
    let steps = context.output.steps();
    let started = start::start(&docker, &context.lab, &limit, &steps)?;
    drop(steps);
    let (lab, took) = (&context.lab, seconds(started.took));
    let replicates = deploy::replicates(&started.topology);
    let text = if started.containers == 0 {
        format!("Lab `{lab}` already runs and {replicates}; checked in {took}.")
    } else {
        format!("Lab `{lab}` runs again and {replicates}, after {took}.")
    };
    let text = text + &deploy::addresses(&started.topology);
    context.output.result(&text)?;
    Ok(Exit::Done)
}
