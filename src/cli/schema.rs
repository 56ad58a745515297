use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab_file;

/// Print the JSON Schema of the lab file, for editors
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CliError> {
    context.output.result(lab_file::schema().trim_end())?;
    Ok(Exit::Done)
}
