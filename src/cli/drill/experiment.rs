mod report;

use super::super::produce::rate;
use crate::cli::report::{Link, Provenance, ReportArgs, command_line};
use crate::cli::{CliError, Context, Exit, flow_name, patience};
use clap::{ArgMatches, Args as _, Command, FromArgMatches, Subcommand};
use kafka_mirror_kit::core::lab::drill::experiment::{ALL, Choice, Experiment, experiment};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use std::time::{Duration, SystemTime};

/// What each of these drills takes.
#[derive(clap::Args)]
struct Args {
    /// The flow to drill, 'SOURCE->TARGET' or SOURCE:TARGET [default: the only one]
    #[arg(value_name = "FLOW", value_parser = flow_name)]
    bare: Option<String>,
    /// The flow, as a flag
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_name, conflicts_with = "bare")]
    flow: Option<String>,
    /// How many records to write per second
    #[arg(long, value_name = "N[/s]", default_value = "1000/s", value_parser = rate, allow_hyphen_values = true)]
    rate: u64,
    /// How long to write them: the fault comes after a quarter of this time
    #[arg(long = "for", id = "time", value_name = "TIME", default_value = "8s", value_parser = patience)]
    time: Duration,
    /// How long each step may take that has no time of its own
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = patience)]
    timeout: Duration,
    /// Keep the drill's topics, to look at them; `kmk drill abort` removes them
    #[arg(long)]
    keep: bool,
    /// Print the report as JSON, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: ReportArgs,
}

/// A drill of [`ALL`], each a verb of its own.
pub(super) struct Chosen {
    which: &'static Experiment,
    args: Args,
}

impl Subcommand for Chosen {
    fn augment_subcommands(verbs: Command) -> Command {
        ALL.iter().fold(verbs, |verbs, one| {
            let examples = format!(
                "Examples:\n  kmk drill {name}\n  kmk drill {name} primary:secondary --report {name}.html\n\n\
                 Fits: {}.\nExit code 0: PASSED; 1: FAILED, an expectation did not hold; 2: the lab does not fit.",
                one.lab,
                name = one.name,
            );
            let verb = Args::augment_args(Command::new(one.name));
            verbs.subcommand(
                verb.about(capitalized(one.shows))
                    .long_about(format!("{}\n\n{}", capitalized(one.shows), one.teaches))
                    .after_help(examples),
            )
        })
    }

    fn augment_subcommands_for_update(verbs: Command) -> Command {
        Self::augment_subcommands(verbs)
    }

    fn has_subcommand(name: &str) -> bool {
        ALL.iter().any(|one| one.name == name)
    }
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let chosen = matches.subcommand().and_then(|(name, args)| {
            let which = ALL.iter().find(|one| one.name == name)?;
            Some((*which, args))
        });
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (which, args) = chosen.ok_or_else(missing)?;
        let args = Args::from_arg_matches(args)?;
        Ok(Self { which, args })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

pub(super) fn run(Chosen { which, args }: Chosen, context: &Context) -> Result<Exit, CliError> {
    let choice = Choice {
        flow: args.bare.or(args.flow),
        rate: args.rate,
        time: args.time,
        timeout: args.timeout,
        keep: args.keep,
    };
    let begun = SystemTime::now();
    let (docker, lab) = context.find_awake()?;
    let files = args.report.prepare()?;
    let links = Link::all(&lab, &Limit::endless(&context.interrupt));
    let steps = context.output.steps();
    let done = experiment(
        &docker,
        &context.lab,
        which,
        &choice,
        &context.interrupt,
        &steps,
    );
    drop(steps);
    let done = done?;
    let provenance = Provenance::new(&lab, command_line(), begun, links);
    let json = report::json(&done, &provenance)?;
    files.write(&report::document(&done, provenance), &json)?;
    let text = if args.json { json } else { report::text(&done) };
    context.output.result(&text)?;
    if args.keep {
        let lab = in_lab(&context.lab);
        let abort = format!("kmk drill abort{lab}");
        context.output.next(&[(abort, "remove the drill's topics")]);
    }
    Ok(if done.verdict.passed() {
        Exit::Done
    } else {
        Exit::No
    })
}
