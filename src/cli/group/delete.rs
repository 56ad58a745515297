use super::{Which, failed};
use crate::cli::CliError;
use crate::cli::quantity::count;
use crate::cli::topic_args::topic_name;
use crate::cli::{Context, Exit};
use kafka_mirror_kit::core::lab::groups::{delete, forget};
use kmk_kafka::printable;

/// Delete a consumer group and its committed offsets
///
/// The group must have no active members. With --topic, deletes only its offsets for that topic.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Delete only the offsets committed for this topic
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name)]
    topic: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  kmk group delete billing
  kmk group delete billing --topic orders --cluster primary";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster(context)?;
    let (group, on) = (&args.which.group, chosen.name());
    let name = printable::name(group);
    let told = |error| failed(error, &chosen, context);
    let text = match &args.topic {
        None => {
            delete(chosen.endpoints(), group, &limit).map_err(told)?;
            format!("Deleted group `{name}` on {on}.")
        }
        Some(topic) => {
            let partitions = forget(chosen.endpoints(), group, topic, &limit).map_err(told)?;
            let partitions = count(partitions, "partition");
            format!(
                "Deleted the offsets of group `{name}` on {on} for {partitions} of topic `{topic}`."
            )
        }
    };
    context.output.result(&text)?;
    let at = chosen.flags();
    context
        .output
        .next(&[(format!("kmk group list{at}"), "list the remaining groups")]);
    Ok(Exit::Done)
}
