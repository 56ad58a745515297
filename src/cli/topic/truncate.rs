use super::Which;
use crate::cli::quantity::count;
use crate::cli::{Context, Outcome, target};
use kafka_mirror_kit::core::lab::groups::Target;
use kafka_mirror_kit::core::lab::topics::{Truncate, Truncated, truncate};

/// Remove the oldest records of a topic, for good
///
/// Its copies on other clusters keep theirs. A topic that is only compacted cannot be truncated.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// All records before this: an offset (in every partition), or `end` for all there are now
    #[arg(long, value_name = "WHERE", value_parser = target::before, allow_negative_numbers = true)]
    before: Target,
    /// Only in this partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    partition: Option<i32>,
    /// Even if it is MirrorMaker's, Kafka's or kmk's own
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic truncate orders --before end
  kmk topic truncate orders --before 1000 --partition 2";

pub(super) fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let what = Truncate {
        topic: args.which.topic,
        partition: args.partition,
        before: args.before,
    };
    let done = truncate(chosen.endpoints(), &what, &limit);
    let done = done.map_err(|error| chosen.of_topic(error))?;
    let removed: u64 = done.iter().map(Truncated::removed).sum();
    context.output.result(&format!(
        "Removed {} of topic `{}` on {}, from {}.",
        count(removed, "record"),
        what.topic,
        chosen.name(),
        count(done.len(), "partition"),
    ))?;
    let at = chosen.flags_if_needed();
    let describe = format!("kmk topic describe {}{at}", what.topic);
    context.output.next(&[(describe, "what is left")]);
    Ok(Outcome::Yes)
}
