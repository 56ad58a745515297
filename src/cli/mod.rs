//! The command line: parses arguments, calls the core, and turns its answer into output and an exit code.

mod cluster_choice;
mod consume;
mod context;
mod deploy;
mod destroy;
mod drill;
mod env;
mod error;
mod explain;
mod flow_name;
mod group;
mod groups;
mod init;
mod lab_file;
mod lag;
mod link;
mod lint;
mod list;
mod logs;
mod output;
mod produce;
mod quantity;
mod report;
mod scenarios;
mod schema;
mod start;
mod status;
mod stop;
mod suggestions;
mod table;
mod topic;
mod topic_args;
mod topics;
mod verify;
mod watch;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
pub(crate) use context::{Context, DefaultCluster, Place};
pub(crate) use error::{CliError, Exit};
pub(crate) use flow_name::{flow_ends, flow_name, flow_named};
use kafka_mirror_kit::core::spec;
use kmk_kafka::printable;
use kmk_kafka::wait::Interrupt;
use output::{Color, Output};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Geo-replicated Kafka on a laptop: two real clusters joined by MirrorMaker 2, checked end to end, and removed again.
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
  kmk produce my_topic --messages 10
  kmk consume primary.my_topic --cluster secondary --messages 10
  kmk status
  kmk destroy

Exit codes:
  0    done, or the check passed
  1    the check failed: too few records in time, not healthy, records lost
  2    a wrong flag, value or file, or the lab has no such cluster, flow, topic, group or
       service
  3    not available: Docker or Kafka does not answer or its answer cannot be read, there is
       no such lab, it is not running, or something else uses its name
  130  interrupted";

#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The lab to use; also KMK_LAB [default: demo; `deploy` prefers the name in the lab file to KMK_LAB]
    #[arg(long, global = true, value_name = "NAME", value_parser = lab_name)]
    lab: Option<String>,
    /// Directory for the generated files; also KMK_DIR [default: where they are already, or ./kmk-lab; ./kmk-lab-NAME for
    /// labs other than demo]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    /// Print only results, warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more details
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
    #[command(visible_alias = "up")]
    Deploy(deploy::Args),
    Init(init::Args),
    Schema(schema::Args),
    Scenarios(scenarios::Args),
    Produce(produce::Args),
    Consume(consume::Args),
    Verify(verify::Args),
    Drill(drill::Args),
    #[command(visible_alias = "ps")]
    Status(status::Args),
    Lag(lag::Args),
    Explain(explain::Args),
    #[command(hide = true)]
    Topics(topics::Args),
    Topic(topic::Args),
    #[command(hide = true)]
    Groups(groups::Args),
    Group(group::Args),
    Link(link::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    Stop(stop::Args),
    Start(start::Args),
    Destroy(destroy::Args),
    Logs(logs::Args),
    Env(env::Args),
    Lint(lint::Args),
}

fn lab_name(text: &str) -> Result<String, String> {
    if spec::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(
            "use lower-case letters, digits and `-` (not first or last), at most 40 characters"
                .to_owned(),
        )
    }
}

/// A script that clears the variable means the default.
fn directory_variable() -> Option<PathBuf> {
    let directory = std::env::var_os("KMK_DIR")?;
    (!directory.is_empty()).then(|| directory.into())
}

/// What `kmk env` exports. One that is no name is an error of the flag that it stands for.
fn lab_variable() -> Option<String> {
    let lab = std::env::var_os("KMK_LAB").filter(|lab| !lab.is_empty())?;
    let lab = lab.to_string_lossy();
    Some(lab_name(&lab).unwrap_or_else(|why| {
        let error = format!(
            "invalid value '{}' for KMK_LAB: {why}",
            printable::line(&lab)
        );
        Cli::command()
            .error(ErrorKind::ValueValidation, error)
            .exit()
    }))
}

/// A time to wait: `30s`, `2m`, and never nothing.
fn patience(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be longer than zero".to_owned()),
        other => other.map_err(|error| match error {
            humantime::DurationError::NumberExpected(_) | humantime::DurationError::Empty => {
                "must be a time, such as 500ms, 30s or 2m".to_owned()
            }
            error => error.to_string(),
        }),
    }
}

/// Parses, runs, and turns whatever came of it into an exit code.
pub(crate) fn main() -> ExitCode {
    kmk_kafka::set_client_id("kmk");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return suggestions::refuse(error),
    };
    let output = Output::new(cli.global.quiet, cli.global.verbose, cli.global.color);
    let interrupt = Interrupt::default();
    listen_for_signals(&interrupt);
    let is_lab_typed = cli.global.lab.is_some();
    let lab = cli.global.lab.or_else(lab_variable);
    let mut context = Context {
        output,
        interrupt,
        lab: lab.unwrap_or_else(|| spec::DEFAULT_LAB.to_owned()),
        is_lab_typed,
        directory: cli.global.dir.or_else(directory_variable),
    };
    let exit = run(cli.verb, &mut context).unwrap_or_else(|error| {
        error.show(&context.lab);
        error.exit
    });
    exit.into()
}

fn run(verb: Verb, context: &mut Context) -> Result<Exit, CliError> {
    match verb {
        Verb::Deploy(args) => deploy::run(args, context),
        Verb::Init(args) => init::run(&args, context),
        Verb::Schema(args) => schema::run(&args, context),
        Verb::Scenarios(args) => scenarios::run(&args, context),
        Verb::Produce(args) => produce::run(args, context),
        Verb::Consume(args) => consume::run(args, context),
        Verb::Verify(args) => verify::run(args, context),
        Verb::Drill(args) => drill::run(args, context),
        Verb::Status(args) => status::run(&args, context),
        Verb::Lag(args) => lag::run(&args, context),
        Verb::Explain(args) => explain::run(&args, context),
        Verb::Topics(args) => topics::run(&args, context),
        Verb::Topic(args) => topic::run(args, context),
        Verb::Groups(args) => groups::run(&args, context),
        Verb::Group(args) => group::run(args, context),
        Verb::Link(args) => link::run(&args, context),
        Verb::List(args) => list::run(&args, context),
        Verb::Stop(args) => stop::run(&args, context),
        Verb::Start(args) => start::run(&args, context),
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
            watch::give_back();
            std::process::exit(Exit::Interrupted as i32);
        }
    };
    ctrlc::set_handler(handler).expect("the only handler of this process");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_make_sense() {
        Cli::command().debug_assert();
    }
}
