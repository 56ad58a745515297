use super::{Which, at_least_one, setting};
use crate::cli::CliError;
use crate::cli::quantity::{count, counted};
use crate::cli::{Context, Exit};
use kafka_mirror_kit::core::lab::topics::{TopicError, create};
use kmk_kafka::{KafkaError, NewTopic};

/// Make a topic; what is not said is as the brokers make topics
///
/// Ends when every broker knows it and each partition has a leader.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// How many partitions
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// How many copies of each; no more than there are brokers
    #[arg(long, value_name = "N", value_parser = counted::<i16>(1..=i16::MAX as u64), allow_negative_numbers = true)]
    replicas: Option<i16>,
    /// A setting of its own; may be repeated, the last one counts
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// If it is there already, leave it as it is
    #[arg(long)]
    if_not_exists: bool,
    /// Even with a name that belongs to MirrorMaker, Kafka or kmk
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
            format!("Topic `{name}` is there already on {on}, and stays as it is.")
        }
        Err(error) => return Err(chosen.of_topic(error)),
    };
    context.output.result(&text)?;
    let at = chosen.flags_if_needed();
    context.output.next(&[
        (format!("kmk produce {name} --messages 10{at}"), "records"),
        (format!("kmk topic describe {name}{at}"), "what it is like"),
    ]);
    Ok(Exit::Done)
}

fn exists(error: &KafkaError) -> bool {
    error.code().is_some_and(|code| code.number() == EXISTS)
}
