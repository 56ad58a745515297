use super::{ELSEWHERE, Which, failed};
use crate::cli::CliError;
use crate::cli::cluster_choice::{ClusterChoice, group_word};
use crate::cli::quantity::or_dash;
use crate::cli::table::{row, table};
use crate::cli::topic_args::topic_name;
use crate::cli::{Context, Exit, consume};
use kafka_mirror_kit::core::lab::groups::{Moved, Reset, clusters_with, reset};
use kafka_mirror_kit::core::topology::Flow;
use kmk_kafka::Start;
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use serde::Serialize;

/// Move a group's committed offsets: back to read records again, forward to skip some
///
/// The group must exist and have no active members. An offset that a partition does not have becomes the nearest one that
/// it has.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The topic
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name)]
    topic: String,
    /// The new offsets: earliest, latest, an offset (in every partition), or a time (RFC 3339, or -10m for ten minutes ago)
    #[arg(long, value_name = "WHERE", value_parser = consume::start, allow_hyphen_values = true)]
    to: Start,
    /// Only in this partition
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    partition: Option<i32>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk group reset billing --topic primary.orders --to earliest --dry-run
  kmk group reset billing --topic primary.orders --to -10m
  kmk group reset billing --topic orders --to 1000 --partition 2";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    cluster: Option<&'a str>,
    group: &'a str,
    topic: &'a str,
    done: bool,
    partitions: &'a [Moved],
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster(context)?;
    let what = Reset {
        group: args.which.group.clone(),
        topic: args.topic,
        partition: args.partition,
        to: args.to,
        dry_run: args.dry_run,
    };
    let moved = reset(chosen.endpoints(), &what, &limit)
        .map_err(|error| failed(error, &chosen, context))?;
    let text = if args.json {
        let json = Json {
            cluster: chosen.lab().map(|(_, cluster)| cluster),
            group: &what.group,
            topic: &what.topic,
            done: !what.dry_run,
            partitions: &moved,
        };
        serde_json::to_string_pretty(&json)?
    } else {
        text(&what, &moved, &chosen.name())
    };
    context.output.result(&text)?;
    if what.dry_run {
        context
            .output
            .talk("\nNothing was changed; without --dry-run, the group is moved.");
        return Ok(Exit::Done);
    }
    say_who_moves_it_too(&what, &chosen, context);
    let at = chosen.flags();
    let group = group_word(&what.group);
    let command = format!("kmk group describe{at} {group}");
    context.output.next(&[(command, "check its offsets")]);
    Ok(Exit::Done)
}

/// MirrorMaker writes the offsets of the source's groups to the target, while they have no members there.
fn say_who_moves_it_too(what: &Reset, chosen: &ClusterChoice, context: &Context) {
    let Some((topology, cluster)) = chosen.lab() else {
        return;
    };
    let limit = Limit::new(ELSEWHERE, &context.interrupt);
    let others = clusters_with(topology, &what.group, &limit);
    let moves = |flow: &&Flow| flow.spec.target == cluster && may_write(flow, &what.topic);
    let into = topology.flows.iter().filter(moves);
    for flow in into.filter(|flow| others.contains(&flow.spec.source)) {
        context.output.talk(&format!(
            "note: the group also exists on {}; MirrorMaker moves it forward here to its offsets there",
            flow.spec.source
        ));
    }
}

/// Whether the topic of the target has the name of a mirrored one: offsets of others are not synced.
fn may_write(flow: &Flow, topic: &str) -> bool {
    flow.remote_topic(flow.source_topic(topic).unwrap_or(topic)) == topic
}

fn text(what: &Reset, moved: &[Moved], on: &str) -> String {
    let verb = if what.dry_run { "would move" } else { "moved" };
    let line = format!(
        "Group `{}` on {on} {verb} in topic `{}`:",
        printable::name(&what.group),
        what.topic
    );
    let heading = row(["PARTITION", "WAS", "NOW", ""]);
    let rows = moved.iter().map(|one| {
        let asked = one.asked.map_or_else(String::new, |asked| {
            format!("the offset nearest to {asked}")
        });
        row([
            &one.partition.to_string(),
            &or_dash(one.was),
            &one.now.to_string(),
            &asked,
        ])
    });
    let rows: Vec<Vec<String>> = [heading].into_iter().chain(rows).collect();
    format!("{line}\n{}", table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::spec::scenario::Scenario;
    use kafka_mirror_kit::core::topology::Topology;

    #[test]
    fn offsets_are_synced_of_mirrored_topics_only() {
        let flow = |scenario: Scenario| Topology::new(&scenario.spec("demo")).flows[0].clone();
        let active = flow(Scenario::ActiveActive);
        assert!(may_write(&active, "east.orders"));
        assert!(!may_write(&active, "orders"));
        assert!(may_write(&flow(Scenario::Migrate), "orders"));
    }

    #[test]
    fn what_was_and_what_is() {
        let what = Reset {
            group: "billing".to_owned(),
            topic: "orders".to_owned(),
            partition: None,
            to: Start::Offset(100),
            dry_run: true,
        };
        let moved = [
            Moved {
                partition: 0,
                was: Some(7),
                now: 100,
                asked: None,
            },
            Moved {
                partition: 1,
                was: None,
                now: 9,
                asked: Some(100),
            },
        ];
        let expected = "\
Group `billing` on secondary would move in topic `orders`:
PARTITION  WAS  NOW
0          7    100
1          -    9    the offset nearest to 100";
        assert_eq!(text(&what, &moved, "secondary"), expected);
    }
}
