use super::super::table::{row, table};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab::drill::experiment::ALL;
use serde::Serialize;

/// List the drills, with the labs that fit and what each shows
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill list";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json {
    drills: Vec<One>,
}

#[derive(Serialize)]
struct One {
    name: &'static str,
    lab: &'static str,
    shows: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    teaches: Option<&'static str>,
}

/// Drills with verbs of their own.
const OTHERS: [One; 3] = [
    One {
        name: "failover",
        lab: "groups are synced",
        shows: "the source dies: what is lost (RPO), and how long it takes (RTO)",
        teaches: None,
    },
    One {
        name: "failback",
        lab: "failed over",
        shows: "everything moves back to the source, and both sides are compared",
        teaches: None,
    },
    One {
        name: "cycle",
        lab: "groups are synced",
        shows: "a failover and then a failback, from healthy to healthy",
        teaches: None,
    },
];

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let drills = ALL.iter().map(|one| One {
        name: one.name,
        lab: one.lab,
        shows: one.shows,
        teaches: Some(one.teaches),
    });
    let drills: Vec<One> = OTHERS.into_iter().chain(drills).collect();
    let text = if args.json {
        serde_json::to_string_pretty(&Json { drills })?
    } else {
        let rows = drills.iter().map(|one| row([one.name, one.lab, one.shows]));
        let heading = row(["NAME", "LAB", "WHAT IT SHOWS"]);
        table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
    };
    context.output.result(&text)?;
    Ok(Exit::Done)
}
