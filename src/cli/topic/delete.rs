use super::{COPIES, Which};
use crate::cli::chosen::Chosen;
use crate::cli::deploy::in_lab;
use crate::cli::{Context, Outcome};
use kafka_mirror_kit::core::lab::topics::{TopicError, copies_of, delete};
use kafka_mirror_kit::core::wait::Limit;

/// Take a topic away, with all its records
///
/// Asks nothing. Its copies on other clusters stay. Ends when no broker knows it; a client that still asks for it may
/// make it again, where brokers create topics by themselves.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// If it is not there, all is well
    #[arg(long)]
    if_exists: bool,
    /// Even if it is MirrorMaker's, Kafka's or kmk's own
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic delete orders
  kmk topic delete primary.orders --cluster secondary --force";

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let (topic, on) = (&args.which.topic, chosen.name());
    match delete(chosen.endpoints(), topic, &limit) {
        Ok(()) => context.output.result(&format!(
            "Deleted topic `{topic}` of {on}, with its records."
        ))?,
        Err(TopicError::NoTopic { .. }) if args.if_exists => context
            .output
            .result(&format!("There is no topic `{topic}` on {on}."))?,
        Err(error) => return Err(chosen.of_topic(error)),
    }
    if is_copy(topic, &chosen) {
        context.output.talk(
            "note: MirrorMaker makes it again, empty: what it has copied before is not copied again",
        );
    }
    let copies = Limit::new(COPIES, &context.interrupt);
    let copies = chosen.lab().map_or_else(Vec::new, |(topology, cluster)| {
        copies_of(topology, cluster, topic, &copies)
    });
    let lab = in_lab(&context.lab);
    let deletions = copies.iter().map(|copy| {
        let command = format!(
            "kmk topic delete{lab} {} --cluster {} --force",
            copy.topic, copy.cluster
        );
        (command, "its copy, which stays otherwise")
    });
    let deletions: Vec<(String, &str)> = deletions.collect();
    if deletions.is_empty() {
        let at = chosen.flags();
        context
            .output
            .next(&[(format!("kmk topics{at}"), "what is left")]);
    } else {
        context.output.next(&deletions);
    }
    Ok(Outcome::Yes)
}

fn is_copy(topic: &str, chosen: &Chosen) -> bool {
    let lab = chosen.lab();
    lab.is_some_and(|(topology, cluster)| topology.flow_into(cluster, topic).is_some())
}
