use super::{Context, Outcome};
use kafka_mirror_kit::core::lab_file;

/// Print the JSON Schema of the lab file, for editors
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> anyhow::Result<Outcome> {
    context.output.result(lab_file::schema().trim_end())?;
    Ok(Outcome::Yes)
}
