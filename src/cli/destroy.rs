use super::output::seconds;
use super::{Context, Outcome};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::{deploy, destroy};
use kafka_mirror_kit::core::wait::Limit;
use kafka_mirror_kit::core::workdir::Workdir;
use std::time::Duration;

/// Take the lab away: its containers, networks, volumes, and the files that kmk wrote
///
/// Asks nothing. Removes only what carries kmk's labels; works half deployed, without the working directory, and twice.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long it may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::patience)]
    timeout: Duration,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let docker = Docker::find()?;
    let limit = Limit::new(args.timeout, &context.interrupt);
    let directory = context
        .directory
        .clone()
        .unwrap_or_else(|| deploy::default_directory(&context.lab));
    let gone = destroy::destroy(&docker, &context.lab, &Workdir::new(directory), &limit)?;
    let lab = &context.lab;
    let text = if gone.is_nothing() {
        format!("There was nothing left of lab `{lab}`.")
    } else {
        format!(
            "Lab `{lab}` is gone, after {}: {}, {}, {}.",
            seconds(gone.took),
            count(gone.containers, "container"),
            count(gone.networks, "network"),
            count(gone.volumes, "volume"),
        )
    };
    context.output.result(&text)?;
    for guest in gone.guests {
        context.output.talk(&format!(
            "note: container {guest} was on a network of the lab, and goes on without it"
        ));
    }
    let here = std::env::current_dir().unwrap_or_default();
    for file in gone.kept {
        let file = file.strip_prefix(&here).unwrap_or(&file);
        context.output.talk(&format!(
            "note: {} was edited since kmk wrote it, and stays",
            file.display()
        ));
    }
    Ok(Outcome::Yes)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
