use super::{COPIES, Which, failed};
use crate::cli::cluster_choice::ClusterChoice;
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::delete::{self, DeleteError, Deleted};
use kafka_mirror_kit::core::lab::topics::{TopicError, copies_of, delete};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;

/// Delete a topic and all its records
///
/// Does not ask for confirmation. Mirrored topics on other clusters are kept. Returns once no broker has the topic and
/// MirrorMaker's positions for it are reset, so that the next topic of that name is mirrored from its first record. A
/// client that still uses the topic may create it again, where brokers create topics automatically.
///
/// If it is a mirrored topic, MirrorMaker is restarted and mirrors the source topic again, from its first record.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Succeed if the topic does not exist
    #[arg(long)]
    if_exists: bool,
    /// Also delete a topic of MirrorMaker, Kafka or kmk, or one for which MirrorMaker's position cannot be reset
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic delete orders
  kmk topic delete primary.orders --cluster secondary --force";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let (topic, on) = (args.which.topic.name(), chosen.name());
    let steps = context.output.steps();
    steps.spin(|| format!("Deleting topic `{topic}` on {on}"));
    let removed = remove(&chosen, args, &limit);
    drop(steps);
    match removed {
        Ok(deleted) => {
            context
                .output
                .result(&format!("Deleted topic `{topic}` and its records on {on}."))?;
            say_what_is_copied(&deleted, topic, context);
        }
        Err(DeleteError::Topic(TopicError::NoTopic { .. })) if args.if_exists => context
            .output
            .result(&format!("There is no topic `{topic}` on {on}."))?,
        Err(DeleteError::Topic(error)) => return Err(failed(error, &chosen, context)),
        Err(error) => return Err(error.into()),
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
        (command, "delete the mirrored topic too")
    });
    let deletions: Vec<(String, &str)> = deletions.collect();
    if deletions.is_empty() {
        let at = chosen.flags();
        context
            .output
            .next(&[(format!("kmk topic list{at}"), "list the remaining topics")]);
    } else {
        context.output.next(&deletions);
    }
    Ok(Exit::Done)
}

fn remove(chosen: &ClusterChoice, args: &Args, limit: &Limit) -> Result<Deleted, DeleteError> {
    let topic = args.which.topic.name();
    if let (Some(place), Ok(docker)) = (&chosen.place, Docker::find()) {
        let (lab, cluster) = (&place.lab, &place.cluster.name);
        return delete::delete(&docker, lab, cluster, topic, args.force, limit);
    }
    delete(chosen.endpoints(), topic, limit)?;
    Ok(Deleted::default())
}

fn say_what_is_copied(deleted: &Deleted, topic: &str, context: &Context) {
    if let Some(source) = &deleted.again {
        context.output.talk(&format!(
            "note: MirrorMaker was restarted, and mirrors `{}` from {} again, from its first record",
            source.topic, source.cluster
        ));
    }
    if !deleted.reset_on.is_empty() {
        context.output.talk(&format!(
            "note: MirrorMaker's positions for it on {} were reset: the next topic `{topic}` is mirrored from its first record",
            deleted.reset_on.join(" and ")
        ));
    }
}
