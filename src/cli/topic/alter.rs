use super::{Which, at_least_one, setting};
use crate::cli::chosen::Chosen;
use crate::cli::failure::Told;
use crate::cli::quantity::count;
use crate::cli::{Context, Outcome};
use kafka_mirror_kit::core::lab::topics::{Altered, alter};
use kafka_mirror_kit::core::selection::{Rules, Selection};
use kafka_mirror_kit::core::topology::Flow;
use std::collections::BTreeMap;

/// Give a topic more partitions, or other settings
///
/// Partitions can only grow; records stay where they are, and keys may go elsewhere from then on. Mirrored topics get more
/// partitions within seconds, and other settings when MirrorMaker next compares them: every ten minutes, unless the flow has a
/// `sync.topic.configs.interval.seconds` of its own.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// How many partitions it has then
    #[arg(long, value_name = "N", value_parser = at_least_one(), allow_negative_numbers = true,
          required_unless_present_any = ["config", "unset"])]
    partitions: Option<i32>,
    /// A setting of its own; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// Take a setting of its own away: what the brokers say holds again; may be repeated
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    unset: Vec<String>,
    /// Even if it is MirrorMaker's, Kafka's or kmk's own
    #[arg(long)]
    force: bool,
}

/// Seconds between MirrorMaker's comparisons of settings, unless it is told otherwise.
const SYNC_BY_DEFAULT: &str = "600";

const EXAMPLES: &str = "\
Examples:
  kmk topic alter orders --partitions 6
  kmk topic alter orders --config retention.ms=60000 --unset cleanup.policy";

pub(super) fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let settings = changes(args.config, args.unset)?;
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let topic = &args.which.topic;
    let to = Altered {
        partitions: args.partitions,
        settings,
    };
    alter(chosen.endpoints(), topic, &to, &limit).map_err(|error| chosen.of_topic(error))?;
    context.output.result(&format!(
        "Altered topic `{topic}` on {}: {}.",
        chosen.name(),
        told(&to)
    ))?;
    if !to.settings.is_empty() {
        say_when_they_follow(topic, &chosen, context);
    }
    let at = chosen.flags_if_needed();
    let describe = format!("kmk topic describe {topic}{at}");
    context.output.next(&[(describe, "what it is like now")]);
    Ok(Outcome::Yes)
}

/// When the settings reach mirrored topics.
fn say_when_they_follow(topic: &str, chosen: &Chosen, context: &Context) {
    let Some((topology, cluster)) = chosen.lab() else {
        return;
    };
    let takes = |flow: &&Flow| {
        flow.spec.source == cluster && Rules::of_flow(flow).select(topic) == Selection::Taken
    };
    for flow in topology.flows.iter().filter(takes) {
        context.output.talk(&format!("note: {}", when(flow, topic)));
    }
}

/// When MirrorMaker brings a topic's settings along.
fn when(flow: &Flow, topic: &str) -> String {
    let remote = format!("`{}` on {}", flow.remote_topic(topic), flow.spec.target);
    if flow.setting("sync.topic.configs.enabled") == Some("false") {
        return format!(
            "{remote} keeps its settings: `sync.topic.configs.enabled` of the flow is false"
        );
    }
    let every = flow.setting("sync.topic.configs.interval.seconds");
    let every = every.unwrap_or(SYNC_BY_DEFAULT);
    format!(
        "MirrorMaker brings settings to {remote} every {every} s (`sync.topic.configs.interval.seconds`), and when it starts; some, such as min.insync.replicas, it leaves alone (`config.properties.exclude`)"
    )
}

fn changes(
    set: Vec<(String, String)>,
    unset: Vec<String>,
) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let mut changes: BTreeMap<String, Option<String>> = set
        .into_iter()
        .map(|(name, value)| (name, Some(value)))
        .collect();
    for name in unset {
        if changes.insert(name.clone(), None).flatten().is_some() {
            let what = format!("`{name}` cannot be both set and taken away");
            return Err(Told::usage(what).into());
        }
    }
    Ok(changes)
}

fn told(to: &Altered) -> String {
    let partitions = to
        .partitions
        .map(|partitions| count(u64::try_from(partitions).unwrap_or(0), "partition"));
    let settings = to.settings.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name} as the brokers say"),
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
    use kafka_mirror_kit::core::scenario;
    use kafka_mirror_kit::core::topology::Topology;

    #[test]
    fn settings_follow_when_mirrormaker_next_compares_them() {
        let when_with = |settings: &[(&str, &str)]| {
            let mut spec = scenario::dr("demo");
            let owned = settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            spec.flows[0].settings = owned.collect();
            when(&Topology::new(&spec).flows[0], "orders")
        };
        let by_default = when_with(&[]);
        assert!(
            by_default.contains("to `primary.orders` on secondary every 600 s"),
            "{by_default}"
        );
        let own = when_with(&[("sync.topic.configs.interval.seconds", "5")]);
        assert!(own.contains("every 5 s"), "{own}");
        let never = when_with(&[("sync.topic.configs.enabled", "false")]);
        assert!(never.contains("keeps its settings"), "{never}");
    }

    #[test]
    fn a_setting_is_set_or_taken_away_and_not_both() {
        let set = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        let both = changes(set("retention.ms"), vec!["retention.ms".to_owned()]);
        assert_eq!(
            both.unwrap_err().to_string(),
            "`retention.ms` cannot be both set and taken away"
        );
        let to = Altered {
            partitions: Some(6),
            settings: changes(set("retention.ms"), vec!["cleanup.policy".to_owned()]).unwrap(),
        };
        assert_eq!(
            told(&to),
            "6 partitions, cleanup.policy as the brokers say, retention.ms=1"
        );
    }
}
