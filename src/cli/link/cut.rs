use super::heal;
use crate::cli::flow_name::{flow_meant, flow_name};
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::link::{self, CutLink, Heal};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::Duration;

/// Cut the link of a flow: its MirrorMaker leaves the network of the source
///
/// Brokers, other flows and clients on this machine do not notice. Connections of MirrorMaker to the source hang, as they do
/// when a line is cut. The link stays cut until `kmk link heal`: `kmk stop`, `kmk start` and `kmk deploy` keep it.
///
/// With --for, kmk waits and then restores the link, also on Ctrl-C. If that kmk is killed (kill -9), the link stays cut:
/// `kmk status` then says that it is overdue, and `kmk link heal` restores it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The flow, as 'primary->secondary' or primary:secondary [default: the lab's only flow]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Restore the link after this time, such as 30s; kmk waits for it
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = patience)]
    time: Option<Duration>,
    /// How long to wait until records cross the link again, once it is restored
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk link cut
  kmk link cut primary:secondary --for 30s
  kmk link cut 'primary->secondary'";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (docker, lab) = context.find_awake()?;
    let flow = flow_meant(&lab.topology, args.flow.as_deref())?.name();
    let steps = context.output.steps();
    let cut = link::cut(
        &docker,
        &context.lab,
        &flow,
        args.time,
        &context.question(),
        &steps,
    )?;
    drop(steps);
    context.output.result(&describe(&cut))?;
    if !cut.siblings.is_empty() {
        context.output.talk(&format!(
            "note: the same MirrorMaker runs {}: its records still cross, but if a task fails, it is not restarted until the link is restored",
            cut.siblings.join(", ")
        ));
    }
    if let Some(time) = args.time {
        return hold(args, time, &docker, &cut, context);
    }
    let status = format!("kmk status{}", in_lab(&context.lab));
    context.output.next(&[
        (status, "see what becomes of the flow"),
        (cut.link.heal(), "restore the link"),
    ]);
    Ok(Exit::Done)
}

fn describe(cut: &CutLink) -> String {
    let CutLink { link, cluster, .. } = cut;
    let workers = link.cut_off.join(", ");
    let already = if cut.was_cut { "already " } else { "" };
    format!(
        "The link {} is {already}cut: {workers} can no longer reach {cluster}.",
        link.flow
    )
}

/// Keeps it cut for that time, and restores it, also when interrupted.
fn hold(
    args: &Args,
    time: Duration,
    docker: &Docker,
    cut: &CutLink,
    context: &Context,
) -> Result<Exit, CliError> {
    let steps = context.output.steps();
    let held = link::hold(time, &Limit::endless(&context.interrupt), &steps);
    let what = Heal {
        flow: Some(cut.link.flow.clone()),
        only: Some(cut.cut),
    };
    // the interrupt that brought us here is not to end this too
    let limit = Limit::new(args.timeout, &Interrupt::default());
    let healed = link::heal(docker, &context.lab, &what, &limit, &steps)?;
    drop(steps);
    context.output.result(&if healed.links.is_empty() {
        let flow = &cut.link.flow;
        format!("The link {flow} was restored meanwhile, or cut for another time.")
    } else {
        heal::describe(&healed)
    })?;
    held?;
    Ok(Exit::Done)
}
