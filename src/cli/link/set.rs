use crate::cli::deploy::variable;
use crate::cli::flow_name::{flow_meant, flow_name};
use crate::cli::output::Steps;
use crate::cli::{CliError, Context, Exit, patience};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::event::{Event, Observer as _};
use kafka_mirror_kit::core::lab::{Lab, link};
use kafka_mirror_kit::core::spec::{LinkSpec, Millis, PRESETS, Rate, in_lab};
use kafka_mirror_kit::core::topology::RELAY_IMAGE_VARIABLE;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Make the line of a flow as slow as a real one: its round trip and its rate
///
/// A relay (toxiproxy) for each broker of the source delays what goes through it, half of the round trip in each direction.
/// If the flow has no relay yet, it is added, and MirrorMaker is recreated; records are kept. Otherwise the line changes at
/// once. What is not given is not limited.
///
/// A relay cannot lose packets, and acknowledges to TCP at once: what a long line does to TCP's window is not seen. The rate
/// is divided by `tasks.max` × brokers, as toxiproxy limits each connection.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The flow, as 'primary->secondary' or primary:secondary [default: the lab's only flow]
    #[arg(value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Round trip, such as 80ms, up to 2s
    #[arg(long, value_name = "TIME", required_unless_present_any = ["jitter", "rate", "preset"])]
    rtt: Option<Millis>,
    /// How much longer or shorter a round trip may be, such as 5ms
    #[arg(long, value_name = "TIME", requires = "rtt")]
    jitter: Option<Millis>,
    /// Rate in each direction, such as 100mbit; the connections for records share it
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,
    /// metro, continental, transatlantic or satellite
    #[arg(long, value_name = "NAME", value_parser = preset, conflicts_with_all = ["rtt", "jitter", "rate"])]
    preset: Option<LinkSpec>,
    /// How long to wait until records cross, where relays are added
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk link set --rtt 80ms
  kmk link set primary:secondary --rtt 80ms --jitter 5ms --rate 100mbit
  kmk link set --preset satellite

metro          2 ms, 1 gbit/s
continental    40 ms ± 2, 500 mbit/s
transatlantic  80 ms ± 4, 200 mbit/s
satellite      600 ms ± 40, 20 mbit/s (geostationary)";

fn preset(name: &str) -> Result<LinkSpec, String> {
    let names = || PRESETS.map(|(name, _)| name).join(", ");
    LinkSpec::preset(name).ok_or_else(|| format!("use one of {}", names()))
}

/// Relays where the flow has none: MirrorMaker is recreated.
pub(super) fn add_relays(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    wanted: LinkSpec,
    limit: &Limit,
    steps: &Steps,
) -> Result<(), CliError> {
    let image = variable(RELAY_IMAGE_VARIABLE)?;
    Ok(link::add(docker, lab, flow, wanted, image, limit, steps)?)
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let wanted = args.preset.unwrap_or(LinkSpec {
        rtt: args.rtt,
        jitter: args.jitter,
        rate: args.rate,
    });
    if let Some(fault) = wanted.fault() {
        return Err(CliError::usage(fault));
    }
    let (docker, lab) = context.find_awake()?;
    let flow = flow_meant(&lab.topology, args.flow.as_deref())?.name();
    let limit = Limit::new(args.timeout, &context.interrupt);
    let steps = context.output.steps();
    let has_relays = link::set(&docker, &context.lab, &flow, wanted, &limit, &steps)?;
    if !has_relays {
        steps.on(Event::Note(format!(
            "{flow} has no relay yet: one is added for each broker of its source, and MirrorMaker is recreated; records are kept"
        )));
        add_relays(&docker, &lab, &flow, wanted, &limit, &steps)?;
    }
    drop(steps);
    let added = if has_relays {
        ""
    } else {
        " Its relays were added, and MirrorMaker was recreated; records are kept."
    };
    let told = format!("The link {flow} now has {wanted}.{added}");
    context.output.result(&told)?;
    let status = format!("kmk status{}", in_lab(&context.lab));
    let steps = [(status, "see how long a record takes")];
    context.output.next(&steps);
    Ok(Exit::Done)
}
