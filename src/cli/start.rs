use super::output::seconds;
use super::{CliError, Context, Exit, deploy};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::start;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Start a stopped lab, and wait until records are mirrored again
///
/// Records, committed offsets and MirrorMaker's positions are kept. Nothing is recreated: `kmk deploy` brings back what
/// was removed. If the lab already runs, start checks that it replicates.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long to wait until records are mirrored
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
    let replicates = deploy::replicates(&started.topology, &started.cut);
    let text = if started.containers == 0 {
        format!("Lab `{lab}` is already running and {replicates}; checked in {took}.")
    } else {
        format!("Lab `{lab}` is running again and {replicates}, after {took}.")
    };
    let text = text + &deploy::addresses(&started.topology);
    context.output.result(&text)?;
    Ok(Exit::Done)
}
