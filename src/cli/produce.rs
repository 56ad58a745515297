//! placeholder until the real one is there
use super::{Context, Outcome};
/// soon
#[derive(clap::Args)]
pub(crate) struct Args {}
pub(crate) fn run(_: Args, _: &Context) -> anyhow::Result<Outcome> { Ok(Outcome::No) }
