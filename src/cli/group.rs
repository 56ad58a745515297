mod delete;
mod reset;

use super::cluster_choice::{BootstrapFlag, ClusterChoice, it_is_on};
use super::{CliError, Context, DefaultCluster, Exit, groups};
use kafka_mirror_kit::core::lab::groups::{GroupError, clusters_with};
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// List consumer groups; describe, reset or delete one
///
/// `list` and `describe` look at every cluster. `reset` and `delete` work on the target of the first flow, where `kmk
/// consume` reads, unless --cluster is given. A group with active members is not changed.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  kmk group list
  kmk group describe billing
  kmk group reset billing --topic primary.orders --to earliest
  kmk group delete billing --cluster primary";

#[derive(clap::Subcommand)]
enum Verb {
    #[command(visible_alias = "ls")]
    List(groups::Args),
    Describe(groups::Describe),
    Reset(reset::Args),
    Delete(delete::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    match args.verb {
        Verb::List(args) => groups::run(&args, context),
        Verb::Describe(args) => groups::describe_one(&args, context),
        Verb::Reset(args) => reset::run(args, context),
        Verb::Delete(args) => delete::run(&args, context),
    }
}

/// Which group, and where.
#[derive(clap::Args)]
struct Which {
    /// The group
    #[arg(value_name = "GROUP", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: String,
    /// The cluster of the lab that has it [default: the target of the first flow]
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
            DefaultCluster::FirstTarget,
        )
    }
}

/// A group that is not here may be on another cluster of the lab: that is said, and never guessed.
fn failed(error: GroupError, chosen: &ClusterChoice, context: &Context) -> CliError {
    if let (GroupError::NoGroup { group, .. }, Some((topology, on))) = (&error, chosen.lab()) {
        let limit = Limit::new(ELSEWHERE, &context.interrupt);
        if let Some(hint) = it_is_on(&clusters_with(topology, group, &limit)) {
            let name = printable::name(group);
            return CliError::usage(format!("there is no group `{name}` on {on}")).hint(hint);
        }
    }
    chosen.group_error(error)
}

/// How long other clusters may take to say whether they know a group.
const ELSEWHERE: Duration = Duration::from_secs(2);
