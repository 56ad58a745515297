mod alter;
mod create;
mod delete;
mod describe;
mod truncate;

use super::cluster_choice::{BootstrapFlag, ClusterChoice, it_is_on};
use super::quantity::counted;
use super::topic_args::OneTopic;
use super::{CliError, Context, DefaultCluster, Exit, topics};
use kafka_mirror_kit::core::lab::topics::{TopicError, clusters_with_topic, source_of};
use kafka_mirror_kit::core::topology::{Topology, is_internal};
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// List topics; create, describe, alter, truncate or delete one
///
/// `list` and `describe` look at every cluster; the others work on the source of the first flow, unless --cluster is given.
/// Mirrored topics, and internal topics of Kafka or MirrorMaker, are changed only with --force.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic list
  kmk topic create orders --partitions 3 --config retention.ms=3600000
  kmk topic describe orders
  kmk topic alter orders --partitions 6
  kmk topic truncate orders --before end
  kmk topic delete orders";

#[derive(clap::Subcommand)]
enum Verb {
    #[command(visible_alias = "ls")]
    List(topics::Args),
    Create(create::Args),
    Describe(describe::Args),
    Alter(alter::Args),
    Truncate(truncate::Args),
    Delete(delete::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    match args.verb {
        Verb::List(args) => topics::run(&args, context),
        Verb::Create(args) => create::run(args, context),
        Verb::Delete(args) => delete::run(&args, context),
        Verb::Alter(args) => alter::run(args, context),
        Verb::Describe(args) => describe::run(&args, context),
        Verb::Truncate(args) => truncate::run(&args, context),
    }
}

/// How long the other clusters may take to say whether they have a copy.
const COPIES: Duration = Duration::from_secs(2);

/// Which topic, and where.
#[derive(clap::Args)]
struct Which {
    #[command(flatten)]
    topic: OneTopic,
    /// The cluster of the lab that has it [default: the source of the first flow]
    #[arg(long, short, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    elsewhere: BootstrapFlag,
    /// How long to wait for the brokers
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::patience)]
    timeout: Duration,
}

impl Which {
    fn limit(&self, context: &Context) -> Limit {
        Limit::new(self.timeout, &context.interrupt)
    }

    fn cluster(&self, context: &Context) -> Result<ClusterChoice, CliError> {
        let cluster = self.cluster.as_deref();
        ClusterChoice::find(
            context,
            cluster,
            &self.elsewhere.bootstrap,
            DefaultCluster::FirstSource,
        )
    }

    /// The same, for a topic that is to be changed: what is not a person's own is left alone unless insisted.
    fn cluster_to_change(
        &self,
        force: bool,
        limit: &Limit,
        context: &Context,
    ) -> Result<ClusterChoice, CliError> {
        let chosen = self.cluster(context)?;
        if !force {
            let lab = chosen.lab().map(|(topology, _)| topology);
            refuse_internal(self.topic.name(), lab)?;
            refuse_mirrored(self.topic.name(), &chosen, limit)?;
        }
        Ok(chosen)
    }
}

/// A topic that is not here may be on another cluster of the lab: that is said before any name that is like it.
fn failed(error: TopicError, chosen: &ClusterChoice, context: &Context) -> CliError {
    let mut elsewhere = None;
    if let (TopicError::NoTopic { topic, .. }, Some((topology, on))) = (&error, chosen.lab()) {
        let limit = Limit::new(COPIES, &context.interrupt);
        elsewhere = it_is_on(&clusters_with_topic(topology, topic, on, &limit));
    }
    let told = chosen.topic_error(error);
    match elsewhere {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// Topics of Kafka, MirrorMaker or kmk are left alone; on a cluster of a `lab`, as its names have it.
pub(super) fn refuse_internal(topic: &str, lab: Option<&Topology>) -> Result<(), CliError> {
    let is_internal = match lab {
        Some(topology) => topology.is_internal(topic),
        None => is_internal(topic),
    };
    if !is_internal {
        return Ok(());
    }
    let what = format!("topic name `{topic}` is reserved for Kafka, MirrorMaker or kmk");
    let hint = "choose another topic, or use --force";
    Err(CliError::usage(what).hint(hint))
}

/// What is changed about a copy is changed back by MirrorMaker, or lost in the next comparison.
fn refuse_mirrored(topic: &str, chosen: &ClusterChoice, limit: &Limit) -> Result<(), CliError> {
    let Some((topology, cluster)) = chosen.lab() else {
        return Ok(());
    };
    let Some(source) = source_of(topology, cluster, topic, limit) else {
        return Ok(());
    };
    let what = format!(
        "`{topic}` on {cluster} is the mirrored topic of `{}` on {}: MirrorMaker writes to it, and keeps it as its source is",
        source.topic, source.cluster
    );
    let hint = format!(
        "change `{}` with --cluster {}, or use --force",
        source.topic, source.cluster
    );
    Err(CliError::usage(what).hint(hint))
}

/// A setting and its value.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as NAME=VALUE, such as retention.ms=3600000".to_owned()),
    }
}

/// A number of partitions or copies.
fn at_least_one(text: &str) -> Result<i32, String> {
    counted(1..=i32::MAX as u64)(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_setting_without_a_name_or_a_value_is_none() {
        for bad in ["", "retention.ms", "=1", " =1"] {
            assert!(setting(bad).is_err(), "{bad}");
        }
        let empty = ("cleanup.policy".to_owned(), String::new());
        assert_eq!(setting("cleanup.policy="), Ok(empty));
    }

    proptest! {
        #[test]
        fn all_behind_the_first_sign_is_the_value(name in "[a-z.]{1,9}", value in "[ -~]{0,9}") {
            prop_assert_eq!(setting(&format!("{name}={value}")), Ok((name, value)));
        }
    }
}
