use super::{heal, set};
use crate::cli::flow_name::{flow_meant, flow_name};
use crate::cli::output::Steps;
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::event::{Event, Observer};
use kafka_mirror_kit::core::lab::Lab;
use kafka_mirror_kit::core::lab::link::{self, CutLink, Heal, LinkError};
use kafka_mirror_kit::core::spec::{LinkSpec, Millis, in_lab};
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::Duration;

/// Cut the link of a flow: its MirrorMaker leaves the network of the source, or nothing passes any more
///
/// Brokers, other flows and clients on this machine do not notice. Connections of MirrorMaker to the source hang, as they do
/// when a line is cut. The link stays cut until `kmk link heal`: `kmk stop`, `kmk start` and `kmk deploy` keep it.
///
/// With --half-open, MirrorMaker stays on the network, and its relays hold the connections open and pass nothing on, as a
/// firewall does that drops packets: new connections are accepted, and nothing is answered. If the flow has no relay yet, it is
/// added, without delay, and MirrorMaker is recreated; records are kept.
///
/// With --for, kmk waits and then restores the link, also on Ctrl-C. If that kmk is killed (kill -9), the link stays cut:
/// `kmk status` then says that it is overdue, and `kmk link heal` restores it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The flow, as 'primary->secondary' or primary:secondary [default: the lab's only flow]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Keep the connections open, and pass nothing on
    #[arg(long)]
    half_open: bool,
    /// Restore the link after this time, such as 30s; kmk waits for it
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = patience)]
    time: Option<Duration>,
    /// How long to wait until records cross the link again once it is restored, or once relays were added
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk link cut
  kmk link cut primary:secondary --for 30s
  kmk link cut --half-open
  kmk link cut 'primary->secondary'";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (docker, lab) = context.find_awake()?;
    let flow = flow_meant(&lab.topology, args.flow.as_deref())?.name();
    let steps = context.output.steps();
    let cut = if args.half_open {
        half_open(args, &docker, &lab, &flow, context, &steps)?
    } else {
        let limit = context.question();
        link::cut(&docker, &context.lab, &flow, args.time, &limit, &steps)?
    };
    drop(steps);
    context.output.result(&describe(&cut))?;
    if !cut.siblings.is_empty() {
        let unless = if cut.cut.half_open {
            ""
        } else {
            ", but if a task fails, it is not restarted until the link is restored"
        };
        context.output.talk(&format!(
            "note: the same MirrorMaker runs {}: its records still cross{unless}",
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

/// Adds relays first, where the flow has none.
fn half_open(
    args: &Args,
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    context: &Context,
    steps: &Steps,
) -> Result<CutLink, CliError> {
    let made = || {
        let limit = context.question();
        link::half_open(docker, &context.lab, flow, args.time, &limit, steps)
    };
    match made() {
        Err(LinkError::NoRelay { .. }) => {}
        made => return Ok(made?),
    }
    steps.on(Event::Note(format!(
        "{flow} has no relay yet: one is added, without delay, and MirrorMaker is recreated; records are kept"
    )));
    let limit = Limit::new(args.timeout, &context.interrupt);
    let no_delay = LinkSpec {
        rtt: Some(Millis(0)),
        ..LinkSpec::default()
    };
    set::add_relays(docker, lab, flow, no_delay, &limit, steps)?;
    Ok(made()?)
}

fn describe(cut: &CutLink) -> String {
    let CutLink { link, cluster, .. } = cut;
    let workers = link.cut_off.join(", ");
    let already = if cut.was_cut { "already " } else { "" };
    if cut.cut.half_open {
        return format!(
            "The link {} is {already}half-open: connections of MirrorMaker to {cluster} stay open, and nothing passes.",
            link.flow
        );
    }
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
    let held = link::hold(&cut.cut, time, &Limit::endless(&context.interrupt), &steps);
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
