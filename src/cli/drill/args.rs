//! What several drills take, and how each gives its report.

use crate::cli::report::{Report, ReportArgs, ReportFiles};
use crate::cli::{CliError, Context, flow_name, patience};
use serde::Serialize;
use std::time::Duration;

/// The flow of a drill.
#[derive(clap::Args)]
pub(super) struct FlowArgs {
    /// The flow to drill, 'SOURCE->TARGET' or SOURCE:TARGET [default: the only one]
    #[arg(value_name = "FLOW", value_parser = flow_name)]
    bare: Option<String>,
    /// The flow, as a flag
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_name, conflicts_with = "bare")]
    flow: Option<String>,
}

impl FlowArgs {
    /// Its name; none where the lab has to have only one.
    pub(super) fn name(&self) -> Option<String> {
        self.bare.clone().or_else(|| self.flow.clone())
    }
}

/// What every drill takes.
#[derive(clap::Args)]
pub(super) struct RunArgs {
    /// How long each step may take that has no time of its own
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = patience)]
    pub(super) timeout: Duration,
    /// Print the report as JSON, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: ReportArgs,
}

impl RunArgs {
    /// Prints what a drill would do.
    pub(super) fn rehearsed<R: Serialize>(
        &self,
        context: &Context,
        rehearsal: &R,
        text: impl FnOnce(&R) -> String,
    ) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(rehearsal)?
        } else {
            text(rehearsal)
        };
        context.output.result(&text)
    }

    /// Checks the report's files before anything is done.
    pub(super) fn prepare(self) -> Result<Given, CliError> {
        Ok(Given {
            json: self.json,
            files: self.report.prepare()?,
        })
    }
}

/// Where a report goes.
pub(super) struct Given {
    json: bool,
    files: ReportFiles,
}

impl Given {
    /// Writes the report's files, and prints it as text or as JSON.
    pub(super) fn give(
        self,
        context: &Context,
        document: &Report,
        json: &str,
        text: &str,
    ) -> Result<(), CliError> {
        self.files.write(document, json)?;
        context.output.result(if self.json { json } else { text })
    }
}
