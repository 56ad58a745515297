use super::{COPIES, Which, at_least_one, failed, setting};
use crate::cli::CliError;
use crate::cli::cluster_choice::ClusterChoice;
use crate::cli::quantity::count;
use crate::cli::{Context, Exit};
use kafka_mirror_kit::core::lab::topics::{Altered, Following, alter, copies_of};
use kmk_kafka::wait::Limit;
use std::collections::BTreeMap;

/// Add partitions to a topic, or change its settings
///
/// The number of partitions can only grow. Existing records stay where they are; new records of a key may go to another
/// partition. Mirrored topics get new partitions within seconds. They get new settings when MirrorMaker next syncs them,
/// every ten minutes unless the flow sets sync.topic.configs.interval.seconds. Some settings are never synced, such as
/// min.insync.replicas.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES,
          group(clap::ArgGroup::new("changes").args(["partitions", "config", "unset"]).required(true).multiple(true)))]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The new number of partitions
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// A setting of the topic; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// Remove a setting of the topic, so that the brokers' default applies again; may be repeated
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    unset: Vec<String>,
    /// Also change a topic of MirrorMaker, Kafka or kmk
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic alter orders --partitions 6
  kmk topic alter orders --config retention.ms=60000 --unset cleanup.policy";

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let settings = changes(args.config, args.unset)?;
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let topic = args.which.topic.name();
    let mut to = Altered {
        partitions: args.partitions,
        settings,
    };
    let has_more = alter(chosen.endpoints(), topic, &to, &limit);
    let has_more = has_more.map_err(|error| failed(error, &chosen, context))?;
    let already = to.partitions.take_if(|_| !has_more);
    let named = format!("topic `{topic}` on {}", chosen.name());
    context.output.result(&result(&named, &to, already))?;
    for note in followers(topic, &to, &chosen, context) {
        context.output.talk(&format!("note: {note}"));
    }
    let at = chosen.flags_if_needed();
    let describe = format!("kmk topic describe {topic}{at}");
    context.output.next(&[(describe, "check it")]);
    Ok(Exit::Done)
}

/// When the mirrored topics that there are have it, too.
fn followers(topic: &str, to: &Altered, chosen: &ClusterChoice, context: &Context) -> Vec<String> {
    let Some((topology, cluster)) = chosen.lab() else {
        return Vec::new();
    };
    let limit = Limit::new(COPIES, &context.interrupt);
    let copies = copies_of(topology, cluster, topic, &limit);
    let each = copies.iter().flat_map(|copy| {
        let mut flows = topology.flows.iter();
        let flow =
            flows.find(|flow| flow.spec.source == cluster && flow.spec.target == copy.cluster);
        let names = to.settings.keys().map(String::as_str);
        let following = flow.map(|flow| Following::through(flow, names));
        let mirrored = format!("`{}` on {}", copy.topic, copy.cluster);
        following.map_or_else(Vec::new, |how| follows(&mirrored, to, &how))
    });
    each.collect()
}

fn follows(mirrored: &str, to: &Altered, how: &Following) -> Vec<String> {
    let when = |seconds: Option<u64>, key: &str| match seconds {
        Some(seconds) => {
            format!("within {seconds} s while MirrorMaker runs ({key}.interval.seconds)")
        }
        None => format!("never ({key}.enabled, {key}.interval.seconds)"),
    };
    let partitions = to.partitions.map(|_| {
        let when = when(how.partitions, "refresh.topics");
        format!("{mirrored} gets the new partitions {when}")
    });
    let names = to.settings.keys();
    let (never, later): (Vec<&str>, Vec<&str>) = names
        .map(String::as_str)
        .partition(|name| how.left_alone.iter().any(|one| one == name));
    let later = (!later.is_empty()).then(|| {
        let when = when(how.settings, "sync.topic.configs");
        format!("{mirrored} gets {} {when}", later.join(", "))
    });
    let never = (!never.is_empty()).then(|| {
        let never = never.join(", ");
        format!("{mirrored} keeps its own {never} (config.properties.exclude)")
    });
    partitions.into_iter().chain(later).chain(never).collect()
}

fn changes(
    set: Vec<(String, String)>,
    unset: Vec<String>,
) -> Result<BTreeMap<String, Option<String>>, CliError> {
    let mut changes: BTreeMap<String, Option<String>> = set
        .into_iter()
        .map(|(name, value)| (name, Some(value)))
        .collect();
    for name in unset {
        if changes.insert(name.clone(), None).flatten().is_some() {
            let what = format!("`{name}` cannot be both set and removed");
            return Err(CliError::usage(what));
        }
    }
    Ok(changes)
}

/// What was done, and how many partitions there were already.
fn result(named: &str, to: &Altered, already: Option<i32>) -> String {
    let is_done = to.partitions.is_some() || !to.settings.is_empty();
    let done = is_done.then(|| format!("Altered {named}: {}.", told(to)));
    let whose = if is_done {
        "It".to_owned()
    } else {
        format!("Nothing to alter: {named}")
    };
    let already = already.map(|had| format!("{whose} already has {}.", partitions(had)));
    [done, already]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn partitions(number: i32) -> String {
    count(u64::try_from(number).unwrap_or(0), "partition")
}

fn told(to: &Altered) -> String {
    let partitions = to.partitions.map(partitions);
    let settings = to.settings.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name} as the brokers' default"),
    });
    partitions
        .into_iter()
        .chain(settings)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_mirrored_topic_follows_is_said() {
        let set =
            ["retention.ms", "min.insync.replicas"].map(|name| (name.to_owned(), "1".to_owned()));
        let to = Altered {
            partitions: Some(6),
            settings: changes(set.into(), vec!["cleanup.policy".to_owned()]).unwrap(),
        };
        let mut how = Following {
            partitions: Some(1),
            settings: Some(600),
            left_alone: vec!["min.insync.replicas".to_owned()],
        };
        let expected = [
            "`x` gets the new partitions within 1 s while MirrorMaker runs (refresh.topics.interval.seconds)",
            "`x` gets cleanup.policy, retention.ms within 600 s while MirrorMaker runs (sync.topic.configs.interval.seconds)",
            "`x` keeps its own min.insync.replicas (config.properties.exclude)",
        ];
        assert_eq!(follows("`x`", &to, &how), expected);
        how.settings = None;
        let told = follows("`x`", &to, &how);
        assert!(
            told[1].contains(" never (sync.topic.configs.enabled, "),
            "{told:?}"
        );
    }

    #[test]
    fn a_setting_is_set_or_taken_away_and_not_both() {
        let set = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        let both = changes(set("retention.ms"), vec!["retention.ms".to_owned()]);
        assert_eq!(
            both.unwrap_err().problems[0].what,
            "`retention.ms` cannot be both set and removed"
        );
        let to = Altered {
            partitions: Some(6),
            settings: changes(set("retention.ms"), vec!["cleanup.policy".to_owned()]).unwrap(),
        };
        assert_eq!(
            result("`t`", &to, None),
            "Altered `t`: 6 partitions, cleanup.policy as the brokers' default, retention.ms=1."
        );
    }

    #[test]
    fn partitions_that_were_there_are_not_altered() {
        let mut to = Altered::default();
        assert_eq!(
            result("`t`", &to, Some(1)),
            "Nothing to alter: `t` already has 1 partition."
        );
        to.settings.insert("retention.ms".to_owned(), None);
        assert_eq!(
            result("`t`", &to, Some(6)),
            "Altered `t`: retention.ms as the brokers' default. It already has 6 partitions."
        );
    }
}
