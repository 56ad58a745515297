use crate::cli::flow_name::{flow_name, flow_named};
use crate::cli::output::seconds;
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::lab::link::{self, Heal, HealedLinks};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Restore links, and wait until a record has crossed them
///
/// Puts MirrorMaker back on the network of the source, whoever took it off, and makes a half-open link pass records on. What was written to the source meanwhile is
/// mirrored; nothing is restarted.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Only this flow, as 'primary->secondary' or primary:secondary [default: every link that is cut]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// How long to wait until records cross
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk link heal
  kmk link heal primary:secondary";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (docker, lab) = context.find_lab()?;
    if let Some(flow) = &args.flow {
        flow_named(&lab.topology, flow)?;
    }
    let what = Heal {
        flow: args.flow.clone(),
        only: None,
    };
    let limit = Limit::new(args.timeout, &context.interrupt);
    let steps = context.output.steps();
    let healed = link::heal(&docker, &context.lab, &what, &limit, &steps)?;
    drop(steps);
    if healed.links.is_empty() {
        let text = match &args.flow {
            Some(flow) => format!("The link {flow} is not cut."),
            None => "No link is cut.".to_owned(),
        };
        context.output.result(&text)?;
        return Ok(Exit::Done);
    }
    context.output.result(&describe(&healed))?;
    let lab = in_lab(&context.lab);
    context
        .output
        .next(&[(format!("kmk status{lab}"), "check health")]);
    Ok(Exit::Done)
}

/// What was restored, and what was seen to cross it, a line each.
pub(super) fn describe(healed: &HealedLinks) -> String {
    let took = seconds(healed.took);
    let line = |flow: &String| {
        if healed.asleep.contains(flow) {
            format!(
                "The link {flow} is restored. MirrorMaker is not running, so no record crosses it yet."
            )
        } else if healed.unproved.contains(flow) {
            format!("The link {flow} is restored and MirrorMaker runs, after {took}.")
        } else {
            format!("The link {flow} is restored and replicates, after {took}.")
        }
    };
    let lines: Vec<String> = healed.links.iter().map(|link| line(&link.flow)).collect();
    lines.join("\n")
}
