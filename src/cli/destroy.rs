use super::list;
use super::output::{seconds, tell, tell_on};
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::compose::CLASSES;
use kafka_mirror_kit::core::docker::{Docker, DockerError};
use kafka_mirror_kit::core::lab::list::Listed;
use kafka_mirror_kit::core::lab::workdir::Workdir;
use kafka_mirror_kit::core::lab::{Leftover, Reachability};
use kafka_mirror_kit::core::lab::{class_cache, deploy, destroy};
use kafka_mirror_kit::core::spec::{Naming, is_name};
use kafka_mirror_kit::core::topology::is_internal;
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use std::io::{self, IsTerminal as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Remove the lab: its containers, networks, volumes, and the files that kmk wrote
///
/// Asks for confirmation only with --all. Removes only what carries kmk's labels. Also works if the lab is only partly
/// deployed, if its directory is missing, and if it was removed already.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Remove every lab, and the cache that they share, after confirmation
    #[arg(long)]
    all: bool,
    /// With --all: do not ask
    #[arg(long, short, requires = "all")]
    yes: bool,
    /// How long to wait, for each lab
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::patience)]
    timeout: Duration,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.all {
        return every(args, context);
    }
    one(&context.lab, args, context)?;
    Ok(Exit::Done)
}

/// Every lab there is, one after the other; what goes wrong with one keeps no other from going.
fn every(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if context.is_lab_typed {
        return Err(CliError::usage("--all and --lab cannot be used together")
            .hint("leave one of them out"));
    }
    let labs = list::labs(false, context)?;
    if labs.is_empty() {
        context.output.result("There are no labs.")?;
        forget_classes(context)?;
        return Ok(Exit::Done);
    }
    if !args.yes && !is_wanted(&labs, context)? {
        context.output.talk("Nothing was destroyed.");
        return Ok(Exit::No);
    }
    let mut worst = Exit::Done;
    for lab in &labs {
        let name = &lab.lab;
        let gone = if is_name(name) {
            one(name, args, context)
        } else {
            let what = format!("lab `{}` was not made by kmk", printable::name(name));
            Err(CliError::unusable(what).hint("use docker to remove what carries its label"))
        };
        if let Err(error) = gone {
            if error.exit == Exit::Interrupted {
                return Err(error);
            }
            let stays = format!(
                "Lab `{}` was not completely removed:",
                printable::name(name)
            );
            context.output.talk(&stays);
            error.show(name);
            worst = worst.max(error.exit);
        }
    }
    if worst == Exit::Done {
        forget_classes(context)?;
    }
    Ok(worst)
}

/// What is no lab's, and of no use where there is none.
fn forget_classes(context: &Context) -> Result<(), CliError> {
    match class_cache::remove(&Docker::find()?, &context.question()) {
        Ok(true) => context
            .output
            .talk(&format!("Volume {CLASSES} was removed too.")),
        // a lab that is about to be there has it
        Ok(false) | Err(DockerError::Failed { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Whether the person at the terminal says so.
fn is_wanted(labs: &[Listed], context: &Context) -> Result<bool, CliError> {
    let question = format!(
        "destroy {}: {}?",
        count(labs.len(), "lab"),
        list::names(labs)
    );
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let nobody = CliError::usage(format!("{question} There is no terminal to ask on"));
        return Err(nobody.hint("add --yes to destroy them all"));
    }
    tell_on(&format!("{question} [y/N] "));
    // on a thread of its own: Ctrl-C is heard while nobody answers
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        let _ = sender.send(read.map(|_| answer));
    });
    let answer = match Limit::endless(&context.interrupt).receive(&answers) {
        Ok(answer) => answer
            .transpose()
            .map_err(|error| CliError::unusable(format!("cannot read the answer: {error}")))?
            .unwrap_or_default(),
        Err(stop) => {
            tell("");
            return Err(stop.into());
        }
    };
    if !answer.ends_with('\n') {
        tell("");
    }
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn one(lab: &str, args: &Args, context: &Context) -> Result<(), CliError> {
    let docker = Docker::find()?;
    let limit = Limit::new(args.timeout, &context.interrupt);
    let directory = context
        .directory
        .clone()
        .unwrap_or_else(|| deploy::default_directory(lab));
    let gone = destroy::destroy(&docker, lab, &Workdir::new(directory), &limit)?;
    let was_there = !gone.is_nothing();
    let text = if was_there {
        format!(
            "Lab `{lab}` was removed in {}: {}, {}, {}.",
            seconds(gone.took),
            count(gone.containers, "container"),
            count(gone.networks, "network"),
            count(gone.volumes, "volume"),
        )
    } else {
        format!("Nothing to remove: there is no lab `{lab}`.")
    };
    context.output.result(&text)?;
    for guest in gone.guests {
        context.output.talk(&format!(
            "note: container {guest} was connected to a network of the lab; it keeps running without it"
        ));
    }
    for left in &gone.left {
        say_what_stays(left, context);
    }
    let here = std::env::current_dir().unwrap_or_default();
    for file in gone.kept {
        let file = file.strip_prefix(&here).unwrap_or(&file);
        context.output.talk(&format!(
            "note: {} was edited since kmk wrote it, and is kept",
            file.display()
        ));
    }
    if !args.all
        && was_there
        && class_cache::exists(&docker, &context.question()).is_ok_and(|kept| kept)
    {
        context.output.talk(&format!(
            "note: volume {CLASSES} is kept for the next lab; `docker volume rm {CLASSES}` removes it"
        ));
    }
    Ok(())
}

/// What a cluster keeps that was there before the lab, and the commands that remove it.
fn say_what_stays(left: &Leftover, context: &Context) {
    let footprint = &left.footprint;
    let (cluster, bootstrap) = (&footprint.cluster, &footprint.bootstrap);
    let talk = |text: &str| context.output.talk(text);
    talk(&format!(
        "\nCluster {cluster} ({bootstrap}) existed before the lab and is kept. {}:",
        match left.reachability {
            Reachability::Answered => "These topics were created there for the lab",
            Reachability::Silent =>
                "It does not answer; these topics were created there for the lab",
            Reachability::Secured =>
                "kmk connects without credentials and cannot look; these topics were created there for the lab",
        }
    ));
    for topic in footprint.topics() {
        let shared = if footprint.shared.contains(topic) {
            "  # unless another MirrorMaker writes there too"
        } else {
            ""
        };
        talk(&match left.reachability {
            Reachability::Secured => format!("  {topic}{shared}"),
            _ => format!("  kmk topic delete {topic} --force --bootstrap {bootstrap}{shared}"),
        });
    }
    if !left.copies.is_empty() {
        talk("The mirrored topics are yours to keep or to delete:");
    }
    for topic in &left.copies {
        let force = if is_internal(topic) { " --force" } else { "" };
        talk(&format!(
            "  kmk topic delete {topic}{force} --bootstrap {bootstrap}"
        ));
    }
    for copies in &footprint.copies {
        if left.reachability != Reachability::Answered || copies.naming == Naming::Same {
            talk(&format!("Also there: {copies}."));
        }
    }
    if left.reachability == Reachability::Secured {
        talk("Delete them with Kafka's own kafka-topics.sh and the same properties.");
    }
}

/// Some of something, such as `3 labs`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
