use super::{Which, at_least_one, setting};
use crate::cli::CliError;
use crate::cli::quantity::{count, counted};
use crate::cli::{Context, Exit};
use kafka_mirror_kit::core::lab::topics::{TopicError, create};
use kmk_kafka::{KafkaError, NewTopic};

/// Create a topic; the brokers' defaults apply to everything that is not given
///
/// Returns once every broker knows the topic and each partition has a leader.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Number of partitions
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// Number of replicas of each partition; at most the number of brokers
    #[arg(long, value_name = "N", value_parser = counted::<i16>(1..=i16::MAX as u64), allow_negative_numbers = true)]
    replicas: Option<i16>,
    /// A setting of the topic; may be repeated, the last value wins
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// If the topic already exists, leave it unchanged
    #[arg(long)]
    if_not_exists: bool,
    /// Accept a name that is reserved for MirrorMaker, Kafka or kmk
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic create orders
  kmk topic create state --partitions 3 --config cleanup.policy=compact
  kmk topic create orders --bootstrap localhost:9092 --if-not-exists";

/// Kafka's number for a topic that is there (`TOPIC_ALREADY_EXISTS`).
const EXISTS: i16 = 36;

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let topic = NewTopic {
        name: args.which.topic.name().to_owned(),
        partitions: args.partitions,
        replicas: args.replicas,
        settings: args.config.into_iter().collect(),
    };
    let (name, on) = (&topic.name, chosen.name());
    let text = match create(chosen.endpoints(), &topic, &limit) {
        Ok(made) => {
            let replicas = made.partitions.first().map_or(0, |one| one.replicas.len());
            format!(
                "Created topic `{name}` on {on}: {}, {}.",
                count(made.partitions.len(), "partition"),
                count(replicas, "replica"),
            )
        }
        Err(TopicError::Kafka(error)) if args.if_not_exists && exists(&error) => {
            format!("Topic `{name}` already exists on {on} and was not changed.")
        }
        Err(error) => return Err(chosen.topic_error(error)),
    };
    context.output.result(&text)?;
    let at = chosen.flags_if_needed();
    context.output.next(&[
        (
            format!("kmk produce {name} --messages 10{at}"),
            "send records",
        ),
        (format!("kmk topic describe {name}{at}"), "check it"),
    ]);
    Ok(Exit::Done)
}

fn exists(error: &KafkaError) -> bool {
    error.code().is_some_and(|code| code.number() == EXISTS)
}
