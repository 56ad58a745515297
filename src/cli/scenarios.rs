use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::spec::scenario::Scenario;
use kafka_mirror_kit::core::spec::{ClusterSpec, DEFAULT_LAB, FlowSpec};
use serde::Serialize;

/// Show the scenarios for `kmk deploy --scenario NAME`, each with a diagram and when to use it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk scenarios
  kmk scenarios --json | jq -r '.scenarios[].name'
  kmk deploy --scenario aggregate";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json {
    scenarios: Vec<One>,
}

#[derive(Serialize)]
struct One {
    name: &'static str,
    summary: &'static str,
    when: &'static str,
    drawing: &'static str,
    clusters: Vec<ClusterSpec>,
    flows: Vec<FlowSpec>,
}

impl One {
    fn new(scenario: Scenario) -> Self {
        let spec = scenario.spec(DEFAULT_LAB);
        Self {
            name: scenario.name(),
            summary: scenario.summary(),
            when: scenario.when(),
            drawing: scenario.drawing(),
            clusters: spec.clusters,
            flows: spec.flows,
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.json {
        let json = Json {
            scenarios: Scenario::ALL.map(One::new).into(),
        };
        let text = serde_json::to_string_pretty(&json)?;
        context.output.result(&text)?;
        return Ok(Exit::Done);
    }
    context
        .output
        .result(&Scenario::ALL.map(describe).join("\n\n"))?;
    context.output.next(&[(
        format!("kmk deploy --scenario {}", Scenario::ActiveActive),
        "or another scenario",
    )]);
    Ok(Exit::Done)
}

fn describe(scenario: Scenario) -> String {
    let is_default = if scenario == Scenario::default() {
        " (default)"
    } else {
        ""
    };
    let drawing: Vec<String> = scenario
        .drawing()
        .lines()
        .map(|line| format!("    {line}"))
        .collect();
    format!(
        "{scenario}{is_default}: {}\n\n{}\n\n  {}",
        scenario.summary(),
        drawing.join("\n"),
        scenario.when()
    )
}
