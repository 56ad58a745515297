mod image;
mod steps;
mod summary;
mod timings;

pub(super) use image::variable;

use super::quantity::{counted, whole};
use super::{CliError, Context, Exit, flow_ends, lab_file};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use kafka_mirror_kit::core::docker::EngineHost;
use kafka_mirror_kit::core::lab::deploy::{self, Change, Request};
use kafka_mirror_kit::core::lab::preflight;
use kafka_mirror_kit::core::lab::workdir::{PROPERTIES_FILE, Workdir};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use kafka_mirror_kit::core::spec::{LinkSpec, MAX_BROKERS, MAX_MIRRORMAKERS, MIN_PORT, Spec};
use kafka_mirror_kit::core::topology::{
    Cluster, Flow, IMAGE_VARIABLE, Proof, RELAY_IMAGE_VARIABLE, Version, official_image,
};
use kmk_kafka::wait::Limit;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use steps::next_steps;
use summary::summary;
pub(super) use summary::{addresses, replicates};
use timings::Format;

/// Start the lab, and wait until records are really mirrored from one cluster to the other
///
/// If there is a lab file (kmk.yml), it describes the lab; `kmk init` writes one.
///
/// For a lab that already runs, deploy checks its health and applies the given flags: only the containers that they
/// change are recreated, and records are kept. Containers that were stopped or removed come back with their records.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The clusters and flows to deploy; `kmk scenarios` lists the choices [default: dr, or those of the deployed lab]
    #[arg(long, value_name = "NAME", value_parser = scenario(), hide_possible_values = true, conflicts_with = "config")]
    scenario: Option<Scenario>,
    /// Deploy the lab that this file describes; flags override it [default: ./kmk.yml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Add a flow to the lab that is there, as 'secondary->primary' or secondary:primary; may be repeated. Topics, groups and
    /// naming are those of the flow in the other direction or, without one, those that all flows share
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_ends, conflicts_with_all = ["config", "scenario", "dry_run"])]
    add_flow: Vec<(String, String)>,
    /// Mirror only these topics: Java regular expressions, separated by commas [default: all]
    #[arg(long, value_name = "REGEX,...", value_delimiter = ',')]
    topics: Option<Vec<String>>,
    /// Never mirror these topics: Java regular expressions, separated by commas
    #[arg(long, value_name = "REGEX,...", value_delimiter = ',')]
    exclude: Option<Vec<String>>,
    /// Partitions of new topics [default: 1]
    #[arg(long, value_name = "N", value_parser = counted::<u32>(0..=u64::from(u32::MAX)), allow_negative_numbers = true)]
    partitions: Option<u32>,
    /// First port of a cluster on this machine [default: 19092 for the first, 19192 for the second, and so on]
    #[arg(long, value_name = "CLUSTER=PORT", value_parser = cluster_port)]
    port: Vec<(String, u16)>,
    /// Take the next free port where the usual one is in use
    #[arg(long)]
    any_port: bool,
    /// Publish ports on this address of the Docker host, and let brokers advertise it: anyone who reaches it can read and
    /// write [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", value_parser = bind_address)]
    bind: Option<IpAddr>,
    /// Kafka version to run in all clusters or, as CLUSTER=VERSION, in one, from its official image [default: 3.9.2]
    #[arg(long, value_name = "VERSION", value_parser = kafka_version)]
    kafka_version: Vec<(Option<String>, String)>,
    /// Kafka image to run in all clusters or, as CLUSTER=IMAGE, in one; also `KMK_KAFKA_IMAGE`
    #[arg(long, value_name = "IMAGE", value_parser = cluster_image)]
    image: Vec<(Option<String>, String)>,
    /// Number of MirrorMakers that share the work of each target or, as CLUSTER=N, of one [default: 1]
    #[arg(long, value_name = "N", value_parser = mirrormakers)]
    mirrormakers: Vec<(Option<String>, u16)>,
    /// Let MirrorMaker write in transactions: consumers with isolation.level=read_committed see each record once, even if
    /// MirrorMaker crashes
    #[arg(long)]
    exactly_once: bool,
    /// Put a relay on the line of every flow, which is as slow as a real one: rtt=80ms,jitter=5ms,rate=100mbit, or metro,
    /// continental, transatlantic, satellite; `none` takes relays away
    #[arg(long, value_name = "LINK", value_parser = link)]
    link: Option<Asked>,
    /// How long to wait until records are mirrored, once the image is pulled
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = super::patience)]
    timeout: Duration,
    /// On failure, keep everything for inspection
    #[arg(long)]
    keep: bool,
    /// Overwrite files that kmk did not write, or that were edited since
    #[arg(long)]
    overwrite: bool,
    /// Print how long each step took, instead of the result; --verbose adds it as a table
    #[arg(long, value_name = "FORMAT", value_enum, conflicts_with = "dry_run")]
    timings: Option<Format>,
    /// Only write the files and show what would be done; does not need Docker
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk deploy
  kmk deploy --scenario active-active --port east=29092
  kmk deploy --config labs/shop.yml
  kmk deploy --topics 'orders,payments\\..*' --partitions 6
  kmk deploy --kafka-version primary=3.9.2 --kafka-version secondary=4.2.0
  kmk deploy --port primary=29092 --port secondary=39092
  kmk deploy --link rtt=80ms,rate=100mbit
  kmk deploy --exactly-once
  kmk deploy --add-flow 'secondary->primary'
  kmk deploy --lab second --any-port";

pub(super) fn scenario() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.map(Scenario::name))
        .map(|name| Scenario::named(&name).unwrap_or_default())
}

fn cluster_port(text: &str) -> Result<(String, u16), String> {
    let (cluster, port) = text
        .split_once('=')
        .ok_or("write it as CLUSTER=PORT, such as primary=29092")?;
    let most = u16::MAX - MAX_BROKERS;
    match port.parse::<u16>() {
        Ok(port) if (MIN_PORT..=most).contains(&port) => Ok((cluster.to_owned(), port)),
        Ok(port) if (1..MIN_PORT).contains(&port) => Err(format!(
            "port {port} needs privileges; {MIN_PORT} to {most} are allowed"
        )),
        _ => Err(format!(
            "`{port}` is not a port; {MIN_PORT} to {most} are allowed"
        )),
    }
}

fn bind_address(text: &str) -> Result<IpAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .map_err(|_| "must be an IP address, such as 192.168.1.20".to_owned())
}

/// The official image of a version.
fn kafka_version(text: &str) -> Result<(Option<String>, String), String> {
    let (cluster, version) = for_a_cluster(text)?;
    match Version::parse(version) {
        Some(_) => Ok((cluster, official_image(version))),
        None => Err("must be a version, such as 3.9.2".to_owned()),
    }
}

fn cluster_image(text: &str) -> Result<(Option<String>, String), String> {
    let (cluster, image) = for_a_cluster(text)?;
    Ok((cluster, image.to_owned()))
}

fn mirrormakers(text: &str) -> Result<(Option<String>, u16), String> {
    let (cluster, number) = for_a_cluster(text)?;
    let number = whole(number).and_then(|number| u16::try_from(number).ok());
    match number.filter(|number| (1..=MAX_MIRRORMAKERS).contains(number)) {
        Some(number) => Ok((cluster, number)),
        None => Err(format!("1 to {MAX_MIRRORMAKERS} are allowed")),
    }
}

/// What was asked of a line: `none` is one without relays.
type Asked = Option<LinkSpec>;

fn link(text: &str) -> Result<Asked, String> {
    match text {
        "none" => Ok(None),
        text => text.parse().map(Some),
    }
}

/// `CLUSTER=` before a value that is for one cluster; neither versions, images nor numbers have a `=`.
fn for_a_cluster(text: &str) -> Result<(Option<String>, &str), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the cluster name before `=` is missing".to_owned()),
        Some((cluster, value)) => Ok((Some(cluster.to_owned()), value)),
        None => Ok((None, text)),
    }
}

impl Args {
    fn request(self, wanted: Option<Spec>, context: &Context) -> Result<Request, CliError> {
        let images = [self.image, self.kafka_version].concat();
        let usual_image = if images.iter().any(|(cluster, _)| cluster.is_none()) {
            None
        } else {
            variable(IMAGE_VARIABLE)?
        };
        Ok(Request {
            lab: context.lab.clone(),
            scenario: self.scenario,
            wanted,
            change: Change {
                flows: self.add_flow,
                topics: self.topics.map(trimmed),
                exclude: self.exclude.map(trimmed),
                partitions: self.partitions,
                ports: self.port,
                bind: self.bind,
                images,
                mirrormakers: self.mirrormakers,
                exactly_once: self.exactly_once,
                usual_image,
                link: self.link,
            },
            any_port: self.any_port,
            directory: context.directory.clone(),
            overwrite: self.overwrite,
            keep: self.keep,
            relay_image: variable(RELAY_IMAGE_VARIABLE)?,
        })
    }
}

fn trimmed(filters: Vec<String>) -> Vec<String> {
    filters
        .into_iter()
        .map(|filter| filter.trim().to_owned())
        .collect()
}

pub(crate) fn run(args: Args, context: &mut Context) -> Result<Exit, CliError> {
    let (timeout, dry_run, timings) = (args.timeout, args.dry_run, args.timings);
    let wanted = if args.add_flow.is_empty() {
        lab_file::wanted(args.config.as_deref(), args.scenario, context)?
    } else {
        // all else stays as it is, whatever a file says
        lab_file::mention(&args.add_flow, context);
        None
    };
    let request = args.request(wanted, context)?;
    if dry_run {
        return preview(&request, context);
    }
    let limit = Limit::new(timeout, &context.interrupt);
    let steps = context.output.steps();
    let deployed = deploy::deploy(&request, &limit, &steps)?;
    drop(steps);
    let summary = summary(&deployed);
    match timings {
        None => context.output.result(&summary)?,
        Some(format) => {
            context.output.talk(&summary);
            timings::tell(&deployed, format, context)?;
        }
    }
    if context.output.verbose && timings.is_none() {
        timings::mention(&deployed, context)?;
    }
    let steps = next_steps(&deployed.topology);
    let steps: Vec<(String, &str)> = steps
        .iter()
        .map(|(command, what)| (command.clone(), what.as_str()))
        .collect();
    context.output.next(&steps);
    Ok(if deployed.has_lost {
        Exit::No
    } else {
        Exit::Done
    })
}

fn preview(request: &Request, context: &Context) -> Result<Exit, CliError> {
    // without Docker nobody knows of another engine than this machine's
    let engine_host = EngineHost::find(&context.question()).unwrap_or(EngineHost::Local);
    let rendered = deploy::render(request, &engine_host).map_err(deploy::DeployError::Spec)?;
    let reach = preflight::reach(&engine_host, &rendered.topology.spec);
    reach.map_err(|problem| deploy::DeployError::Preflight(vec![problem]))?;
    let directory = request
        .directory
        .clone()
        .unwrap_or_else(|| deploy::default_directory(&request.lab));
    let workdir = Workdir::new(directory);
    workdir.write(
        &engine_host.owner(&request.lab),
        &rendered.compose.text,
        &rendered.properties,
        request.overwrite,
    )?;
    let topology = &rendered.topology;
    let compose: PathBuf = workdir.compose_file();
    let mut text = format!(
        "Wrote {}\nWrote {}",
        compose.display(),
        workdir.path().join(PROPERTIES_FILE).display()
    );
    let flows = |proof: Proof| {
        let flows = topology.flows.iter().filter(|flow| flow.proof == proof);
        flows.map(Flow::name).collect::<Vec<_>>().join(", ")
    };
    let _ = write!(
        text,
        "\nWould run docker compose -p {} -f {} up -d",
        topology.project(),
        shell::word(&compose.display().to_string())
    );
    let (proven, word) = (flows(Proof::Canary), flows(Proof::ConnectorStatus));
    if topology.flows.is_empty() {
        text.push_str("\nWould wait until every broker answers");
    }
    if !proven.is_empty() {
        let _ = write!(
            text,
            "\nWould wait until a canary record is mirrored through {proven}"
        );
    }
    if !word.is_empty() {
        let what = "Would wait until MirrorMaker runs";
        let _ = write!(text, "\n{what} {word}");
    }
    let addresses = topology
        .clusters
        .iter()
        .map(|c: &Cluster| format!("{} at {}", c.name, c.bootstrap_outside()));
    let addresses: Vec<String> = addresses.collect();
    let _ = write!(text, "\nClusters would be {}", addresses.join(", "));
    context.output.result(&text)?;
    for footprint in topology.footprints() {
        context.output.talk(&format!("note: {footprint}"));
    }
    if let Some(warning) = deploy::exposure(&topology.spec, &engine_host) {
        context.output.warn(&warning);
    }
    context
        .output
        .talk("\nNothing was started; without --dry-run, the lab is started.");
    Ok(Exit::Done)
}
