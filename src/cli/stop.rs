use super::destroy::count;
use super::output::seconds;
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::stop;
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Stop the lab: frees its memory, and keeps its records for `kmk start`
///
/// MirrorMaker is stopped first, so that it commits its positions; then the brokers. Nothing is removed. Stopping a
/// stopped lab does nothing.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::patience)]
    timeout: Duration,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let docker = Docker::find()?;
    let limit = Limit::new(args.timeout, &context.interrupt);
    let steps = context.output.steps();
    let stopped = stop::stop(&docker, &context.lab, &limit, &steps)?;
    drop(steps);
    let lab = &context.lab;
    let text = if stopped.containers == 0 {
        format!("Lab `{lab}` is already stopped.")
    } else {
        let took = seconds(stopped.took);
        let containers = count(stopped.containers, "container");
        format!("Lab `{lab}` was stopped in {took}: {containers}. Its records are kept.")
    };
    context.output.result(&text)?;
    let lab = in_lab(lab);
    context.output.next(&[
        (format!("kmk start{lab}"), "start it again"),
        (format!("kmk destroy{lab}"), "remove everything"),
    ]);
    Ok(Exit::Done)
}
