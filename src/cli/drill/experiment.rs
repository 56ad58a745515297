mod report;

use super::super::produce::rate;
use super::args::{FlowArgs, RunArgs};
use crate::cli::report::{Link, Provenance, capitalized, command_line};
use crate::cli::{CliError, Context, Exit, patience};
use clap::{ArgMatches, Args as _, Command, FromArgMatches, Subcommand};
use kafka_mirror_kit::core::lab::drill::experiment::{ALL, Choice, Experiment, experiment};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use std::time::{Duration, SystemTime};

/// What each of these drills takes.
#[derive(clap::Args)]
struct Args {
    #[command(flatten)]
    flow: FlowArgs,
    /// How many records to write per second
    #[arg(long, value_name = "N[/s]", default_value = "1000/s", value_parser = rate, allow_hyphen_values = true)]
    rate: u64,
    /// How long to write them: the fault comes after a quarter of this time
    #[arg(long = "for", id = "time", value_name = "TIME", default_value = "8s", value_parser = patience)]
    time: Duration,
    /// Keep the drill's topics, to look at them; `kmk drill abort` removes them
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    run: RunArgs,
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

pub(super) fn run(Chosen { which, args }: Chosen, context: &Context) -> Result<Exit, CliError> {
    let choice = Choice {
        flow: args.flow.name(),
        rate: args.rate,
        time: args.time,
        timeout: args.run.timeout,
        keep: args.keep,
    };
    let begun = SystemTime::now();
    let (docker, lab) = context.find_awake()?;
    let given = args.run.prepare()?;
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
    let document = report::document(&done, provenance);
    given.give(context, &document, &json, &report::text(&done))?;
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
