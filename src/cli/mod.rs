//! The command line: what was typed becomes one call into the core, and its answer becomes output and an exit code.

mod chosen;
mod consume;
mod deploy;
mod destroy;
mod env;
mod failure;
mod group;
mod groups;
mod lint;
mod logs;
mod output;
mod produce;
mod quantity;
mod status;
mod table;
mod topic;
mod topics;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use failure::{Failure, Told};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::endpoint::Endpoint;
use kafka_mirror_kit::core::lab::Lab;
use kafka_mirror_kit::core::spec;
use kafka_mirror_kit::core::topology::Cluster;
use kafka_mirror_kit::core::wait::{Interrupt, Limit};
use output::{Color, Output};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long docker may take to answer a question.
const QUESTION: Duration = Duration::from_secs(30);

/// Geo-replicated Kafka on a laptop: two real clusters joined by MirrorMaker 2, proven to replicate, and taken away again.
#[derive(Parser)]
#[command(name = "kmk", version, max_term_width = 100, after_help = FIRST_STEPS)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const FIRST_STEPS: &str = "\
First steps:
  kmk deploy
  kmk produce --topic my_topic --messages 10
  kmk consume --topic primary.my_topic --cluster secondary --messages 10
  kmk status
  kmk destroy

Exit codes: 0 done; 1 the answer is no; 2 bad flags, values, names or files;
3 Docker or Kafka cannot be used; 130 interrupted.";

#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The lab that is meant
    #[arg(long, global = true, value_name = "NAME", default_value = spec::DEFAULT_LAB, value_parser = lab_name)]
    lab: String,
    /// Where the rendered files go; also KMK_DIR [default: where they are, or ./kmk-lab]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more
    #[arg(long, short, global = true)]
    verbose: bool,
    /// When to use color: auto, always or never; NO_COLOR is respected
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: Color,
}

#[derive(Subcommand)]
enum Verb {
    Deploy(deploy::Args),
    Produce(produce::Args),
    Consume(consume::Args),
    Status(status::Args),
    Topics(topics::Args),
    Topic(topic::Args),
    Groups(groups::Args),
    Group(group::Args),
    Destroy(destroy::Args),
    Logs(logs::Args),
    Env(env::Args),
    Lint(lint::Args),
}

/// The answer of a verb that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Yes,
    No,
}

/// What every verb needs to know.
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) interrupt: Interrupt,
    pub(crate) lab: String,
    pub(crate) directory: Option<PathBuf>,
}

/// Which cluster is meant when none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultCluster {
    FirstSource,
    FirstTarget,
}

/// A cluster of a running lab, and the lab.
pub(crate) struct Place {
    pub(crate) lab: Lab,
    pub(crate) cluster: Cluster,
}

impl Place {
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.cluster.endpoints()
    }
}

impl Context {
    /// A limit for one question to docker.
    pub(crate) fn question(&self) -> Limit {
        Limit::new(QUESTION, &self.interrupt)
    }

    /// The lab that is meant; where it is the engine that does not answer, that is said instead.
    pub(crate) fn find_lab(&self) -> anyhow::Result<(Docker, Lab)> {
        let docker = Docker::find()?;
        match Lab::find(&docker, &self.lab, &self.question()) {
            Ok(lab) => Ok((docker, lab)),
            Err(error) => {
                // asked only now: a running lab is found faster without
                docker.engine(&self.question())?;
                Err(error.into())
            }
        }
    }

    /// The cluster of that name, or the one that is meant when none is named.
    pub(crate) fn place(
        &self,
        cluster: Option<&str>,
        default: DefaultCluster,
    ) -> anyhow::Result<Place> {
        let (_, lab) = self.find_lab()?;
        let flow = lab.spec.flows.first();
        let meant = cluster.map(str::to_owned).or_else(|| {
            flow.map(|flow| match default {
                DefaultCluster::FirstSource => flow.source.clone(),
                DefaultCluster::FirstTarget => flow.target.clone(),
            })
        });
        let name = meant.context("the lab has no flow: name a cluster with --cluster")?;
        match lab.topology.cluster(&name).cloned() {
            Some(cluster) => Ok(Place { lab, cluster }),
            None => Err(Told::unknown("cluster", &name, &lab.spec.cluster_names()).into()),
        }
    }
}

fn lab_name(text: &str) -> Result<String, String> {
    if spec::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a lab name has lower-case letters, digits and `-` (not first or last), at most 40 characters".to_owned())
    }
}

/// A script that clears the variable means the default.
fn directory_variable() -> Option<PathBuf> {
    let directory = std::env::var_os("KMK_DIR")?;
    (!directory.is_empty()).then(|| directory.into())
}

/// A time to wait: `30s`, `2m`, and never nothing.
fn patience(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("no time at all is too short".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Parses, runs, and turns whatever came of it into an exit code.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.quiet, cli.global.verbose, cli.global.color);
    let interrupt = Interrupt::default();
    listen_for_signals(&interrupt);
    let context = Context {
        output,
        interrupt,
        lab: cli.global.lab,
        directory: cli.global.dir.or_else(directory_variable),
    };
    match run(cli.verb, &context) {
        Ok(Outcome::Yes) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Err(error) => {
            let failure = Failure::of(&error, &context);
            failure.show();
            ExitCode::from(failure.code)
        }
    }
}

fn run(verb: Verb, context: &Context) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Deploy(args) => deploy::run(args, context),
        Verb::Produce(args) => produce::run(args, context),
        Verb::Consume(args) => consume::run(args, context),
        Verb::Status(args) => status::run(&args, context),
        Verb::Topics(args) => topics::run(&args, context),
        Verb::Topic(args) => topic::run(args, context),
        Verb::Groups(args) => groups::run(&args, context),
        Verb::Group(args) => group::run(args, context),
        Verb::Destroy(args) => destroy::run(&args, context),
        Verb::Logs(args) => logs::run(&args, context),
        Verb::Env(args) => env::run(&args, context),
        Verb::Lint(args) => lint::run(&args, context),
    }
}

/// The first Ctrl-C, TERM or HUP asks; the third one insists, for when we hang in a write that nobody reads.
fn listen_for_signals(interrupt: &Interrupt) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let interrupt = interrupt.clone();
    let handler = move || {
        interrupt.raise();
        if COUNT.fetch_add(1, Ordering::SeqCst) >= 2 {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).expect("the only handler of this process");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_make_sense() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
