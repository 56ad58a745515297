use crate::cli::flow_name::{flow_name, flow_named};
use crate::cli::table::{row, table};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::judge::line::mbit;
use kafka_mirror_kit::core::judge::link::{LinkState, LinkStatus};
use kafka_mirror_kit::core::lab::link;
use kmk_kafka::wait::{Limit, Stop};
use serde::Serialize;

/// Show the links of the lab: which are connected, which `kmk link cut` has cut, and how slow those with relays are
///
/// The round trip is the median of 20 `ApiVersions` requests through the relay. A link without a relay is not measured: it is
/// as fast as this machine. `kmk status` shows whether records cross.
///
/// With --load, also measures the rate: for 2 s, kmk reads records through each relay, from a topic that it creates on the
/// source and deletes again; MirrorMaker does not mirror it. toxiproxy limits the rate of each connection. MirrorMaker has one for
/// each task and broker: they share the rate that was asked for.
///
/// kmk warns if the measured values differ from those asked for by more than 15 % (round trip: and 1 ms).
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Only this flow, as 'primary->secondary' or primary:secondary [default: all]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Also measure the rate; takes 2 s for each relay
    #[arg(long)]
    load: bool,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk link show
  kmk link show --load
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
    let (docker, lab) = context.find_lab()?;
    if let Some(flow) = &args.flow {
        flow_named(&lab.topology, flow)?;
    }
    let limit = Limit::endless(&context.interrupt);
    let mut links = link::measured(&lab, &limit);
    links.retain(|link| args.flow.as_ref().is_none_or(|flow| *flow == link.flow));
    if args.load {
        let steps = context.output.steps();
        link::load(&docker, &lab, &mut links, &limit, &steps)?;
    }
    if context.interrupt.is_raised() {
        // what was not answered would stand there as unknown
        return Err(Stop::Interrupted.into());
    }
    let text = if args.json {
        let json = Json {
            lab: &context.lab,
            links: &links,
        };
        serde_json::to_string_pretty(&json)?
    } else if links.is_empty() {
        "The lab has no flow.".to_owned()
    } else {
        picture(&links)
    };
    context.output.result(&text)?;
    if args.json {
        return Ok(Exit::Done);
    }
    for link in &links {
        tell(link, context);
    }
    let cut = links.iter().filter(|link| link.cut.is_some());
    let steps: Vec<(String, &str)> = cut.map(|link| (link.heal(), "restore the link")).collect();
    if !steps.is_empty() {
        context.output.next(&steps);
    }
    Ok(Exit::Done)
}

/// Round trips and rates have columns where a line has relays.
fn picture(links: &[LinkStatus]) -> String {
    let has_relays = links.iter().any(|link| link.asked.is_some());
    let cells = |link: &LinkStatus| {
        let state = [link.flow.clone(), word(link.state).to_owned()];
        let line = [round_trip(link), rate(link)];
        let line = if has_relays { &line[..] } else { &[] };
        [&state, line, &[detail(link)]].concat()
    };
    let heading = if has_relays {
        row(["FLOW", "LINK", "ROUND TRIP", "RATE", ""])
    } else {
        row(["FLOW", "LINK", ""])
    };
    let rows = links.iter().map(cells);
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

fn round_trip(link: &LinkStatus) -> String {
    let Some(asked) = &link.asked else {
        return "-".to_owned();
    };
    let asked = asked
        .rtt
        .map_or_else(|| "none".to_owned(), |rtt| rtt.to_string());
    let measured = link.measured.as_ref().and_then(|measured| measured.rtt_ms);
    let measured = measured.map_or_else(|| "unknown".to_owned(), |rtt| format!("{rtt:.1} ms"));
    format!("{measured} (asked: {asked})")
}

fn rate(link: &LinkStatus) -> String {
    let Some(asked) = &link.asked else {
        return "-".to_owned();
    };
    let asked = asked
        .rate
        .map_or_else(|| "none".to_owned(), |rate| rate.to_string());
    let measured = link.measured.as_ref().and_then(|measured| {
        let rate = mbit(measured.rate_kbit?);
        Some(match measured.connections {
            Some(1) => rate,
            Some(connections) => format!("{connections} × {rate}"),
            None => format!("{rate} a connection"),
        })
    });
    let measured = measured.unwrap_or_else(|| "not measured".to_owned());
    format!("{measured} (asked: {asked})")
}

/// What does not fit into a table.
fn tell(link: &LinkStatus, context: &Context) {
    let (Some(asked), Some(measured)) = (&link.asked, &link.measured) else {
        return;
    };
    if let Some(why) = &measured.unknown {
        let what = match measured.rtt_ms {
            None => format!("the line of {} was not measured", link.flow),
            Some(_) => format!("the rate of {} was not measured", link.flow),
        };
        context.output.talk(&format!("note: {what}: {why}"));
    }
    for warning in &measured.warnings {
        context.output.warn(warning);
    }
    if asked.rate.is_some() && measured.connections.is_none() && measured.unknown.is_none() {
        context.output.talk(&format!(
            "note: {}: each connection has this rate, and kmk does not know how many there are, as `tasks.max` is a reference",
            link.flow
        ));
    }
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
    if link.state == LinkState::Connected && link.asked.is_none() {
        let measured = link.measured.as_ref();
        return measured
            .and_then(|measured| measured.unknown.clone())
            .unwrap_or_default();
    }
    let cut = link.cut.as_ref().map(|cut| match link.state {
        LinkState::Unknown => cut.to_string(),
        _ => format!("by {}", cut.by()),
    });
    let off = (link.state != LinkState::Cut && !link.cut_off.is_empty())
        .then(|| format!("off the network: {}", link.cut_off.join(", ")));
    let parts: Vec<String> = cut.into_iter().chain(off).collect();
    parts.join("; ")
}
