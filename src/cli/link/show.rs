use crate::cli::flow_name::{flow_name, flow_named};
use crate::cli::table::{row, table};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::judge::link::{LinkState, LinkStatus};
use kafka_mirror_kit::core::lab::link;
use serde::Serialize;

/// Show the links of the lab: which are connected, and which `kmk link cut` has cut
///
/// Asks Docker, not the brokers: `kmk status` shows whether records cross.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Only this flow, as 'primary->secondary' or primary:secondary [default: all]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk link show
  kmk link show primary:secondary --json | jq -r '.links[].state'

connected     every MirrorMaker of the flow is on the network of the source
cut           `kmk link cut` took all of them off it
half-open     `kmk link cut --half-open`: connections stay open, and nothing passes
partly cut    `kmk link cut` did one of these, and it is not so everywhere any more
disconnected  some of them are not on it, and kmk did not take them off
unknown       the source is an existing cluster, or MirrorMaker has no container";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    lab: &'a str,
    links: &'a [LinkStatus],
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (_, lab) = context.find_lab()?;
    if let Some(flow) = &args.flow {
        flow_named(&lab.topology, flow)?;
    }
    let mut links = link::look(&lab);
    links.retain(|link| args.flow.as_ref().is_none_or(|flow| *flow == link.flow));
    let text = if args.json {
        let json = Json {
            lab: &context.lab,
            links: &links,
        };
        serde_json::to_string_pretty(&json)?
    } else if links.is_empty() {
        "The lab has no flow.".to_owned()
    } else {
        let heading = row(["FLOW", "LINK", ""]);
        let rows = links
            .iter()
            .map(|link| row([&link.flow, word(link.state), &detail(link)]));
        table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
    };
    context.output.result(&text)?;
    let cut = links.iter().filter(|link| link.cut.is_some());
    let steps: Vec<(String, &str)> = cut.map(|link| (link.heal(), "restore the link")).collect();
    if !steps.is_empty() && !args.json {
        context.output.next(&steps);
    }
    Ok(Exit::Done)
}

fn word(state: LinkState) -> &'static str {
    match state {
        LinkState::Connected => "connected",
        LinkState::Cut => "cut",
        LinkState::HalfOpen => "half-open",
        LinkState::PartlyCut => "partly cut",
        LinkState::Disconnected => "disconnected",
        LinkState::Unknown => "unknown",
    }
}

fn detail(link: &LinkStatus) -> String {
    let cut = link.cut.as_ref().map(|cut| match link.state {
        LinkState::Unknown => cut.to_string(),
        _ => format!("by {}", cut.by()),
    });
    let off = (link.state != LinkState::Cut && !link.cut_off.is_empty())
        .then(|| format!("off the network: {}", link.cut_off.join(", ")));
    let parts: Vec<String> = cut.into_iter().chain(off).collect();
    parts.join("; ")
}
