use super::{Which, failed};
use crate::cli::quantity::{bytes, count, or_dash};
use crate::cli::table::{row, table};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab::topics::{
    PartitionReport, TopicDetails, TopicError, describe, describe_all,
};
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Stop;
use std::time::Duration;

/// Show the details of one topic: its partitions, its settings, and where it is mirrored
///
/// Looks at every cluster, unless one is given.
///
/// Lists the settings that are set somewhere. SOURCE says where: `topic` is the topic itself, `broker-file` the brokers'
/// configuration files, `broker` and `all-brokers` dynamic settings of one or all brokers.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic describe orders
  kmk topic describe primary.orders
  kmk topic describe orders --json | jq '.partition_details[].leader'";

/// How long each cluster may take where none is named: one that is down is down.
const EACH: Duration = Duration::from_secs(5);

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster(context)?;
    let topic = args.which.topic.name();
    let looks = match chosen.lab() {
        Some((topology, _)) if args.which.cluster.is_none() => {
            describe_all(topology, topic, &limit.at_most(EACH))
        }
        lab => {
            let look = describe(chosen.endpoints(), lab, topic, &limit);
            vec![(chosen.name(), look)]
        }
    };
    let (mut found, mut silent, mut missing) = (Vec::new(), Vec::new(), None);
    for (cluster, look) in looks {
        match look {
            Ok(details) => found.push((cluster, details)),
            Err(TopicError::Kafka(KafkaError::Stopped(Stop::Interrupted))) => {
                return Err(Stop::Interrupted.into());
            }
            Err(TopicError::Kafka(error)) => silent.push((cluster, error)),
            Err(error) if cluster == chosen.name() => missing = Some(error),
            Err(_) => {}
        }
    }
    if let Some((_, error)) = silent
        .first()
        .filter(|_| found.is_empty() && missing.is_none())
    {
        return Err(chosen.kafka_error(error.clone()));
    }
    for (cluster, error) in &silent {
        context.output.warn(&format!("{cluster}: {error}"));
    }
    if let Some(missing) = missing.filter(|_| found.is_empty()) {
        return Err(failed(missing, &chosen, context));
    }
    let told = found.iter().map(|(on, details)| {
        Ok(if args.json {
            serde_json::to_string_pretty(&details)?
        } else {
            text(details, on)
        })
    });
    let between = if args.json { "\n" } else { "\n\n" };
    let told: Vec<String> = told.collect::<Result<_, CliError>>()?;
    context.output.result(&told.join(between))?;
    Ok(if silent.is_empty() {
        Exit::Done
    } else {
        Exit::No
    })
}

fn text(details: &TopicDetails, on: &str) -> String {
    let mut parts = vec![sum(details, on), String::new(), partitions(details)];
    if !details.setting_details.is_empty() {
        parts.push(String::new());
        parts.push(settings(details));
    }
    parts.join("\n")
}

fn sum(details: &TopicDetails, on: &str) -> String {
    let topic = &details.report;
    let mut facts = vec![
        count(topic.partitions, "partition"),
        count(topic.replicas, "replica"),
    ];
    facts.extend(topic.records.map(|records| count(records, "record")));
    facts.extend(topic.bytes.map(bytes));
    if topic.unhealthy_partitions > 0 {
        let ill = count(topic.unhealthy_partitions, "partition");
        facts.push(format!(
            "{ill} without a leader or with too few in-sync replicas"
        ));
    }
    let mut lines = vec![format!("{} on {on}: {}", topic.topic, facts.join(", "))];
    let from = topic.mirrored_from.iter();
    lines
        .extend(from.map(|source| format!("mirrored from {} on {}", source.topic, source.cluster)));
    let to = topic.mirrored_to.iter();
    lines.extend(to.map(|copy| format!("mirrored to {} on {}", copy.topic, copy.cluster)));
    lines.join("\n")
}

fn partitions(details: &TopicDetails) -> String {
    let heading = row([
        "PARTITION",
        "LEADER",
        "REPLICAS",
        "IN SYNC",
        "FIRST",
        "END",
        "BYTES",
    ]);
    let ids = |ids: &[i32]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(",")
    };
    let rows = details
        .partition_details
        .iter()
        .map(|one: &PartitionReport| {
            row([
                &one.partition.to_string(),
                &or_dash(one.leader),
                &ids(&one.replicas),
                &ids(&one.in_sync),
                &or_dash(one.first),
                &or_dash(one.end),
                &or_dash(one.bytes.map(bytes)),
            ])
        });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

fn settings(details: &TopicDetails) -> String {
    let heading = row(["SETTING", "VALUE", "SOURCE"]);
    let rows = details.setting_details.iter().map(|setting| {
        let value = setting.value.as_deref().unwrap_or("(secret)");
        row([&setting.name, value, &setting.from])
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::lab::topics::{RemoteTopic, SettingReport, TopicReport};
    use std::collections::BTreeMap;

    #[test]
    fn all_about_one_topic() {
        let partition = PartitionReport {
            partition: 0,
            leader: None,
            replicas: vec![1, 2],
            in_sync: vec![2],
            first: Some(5),
            end: Some(9),
            bytes: None,
        };
        let details = TopicDetails {
            cluster: Some("primary".to_owned()),
            id: None,
            report: TopicReport {
                topic: "orders".to_owned(),
                internal: false,
                partitions: 1,
                replicas: 2,
                unhealthy_partitions: 1,
                records: Some(4),
                bytes: None,
                replica_bytes: 10,
                settings: BTreeMap::new(),
                mirrored_from: None,
                mirrored_to: vec![RemoteTopic {
                    cluster: "secondary".to_owned(),
                    topic: "primary.orders".to_owned(),
                }],
            },
            partition_details: vec![partition],
            setting_details: vec![SettingReport {
                name: "retention.ms".to_owned(),
                value: Some("5".to_owned()),
                from: "topic".to_owned(),
            }],
        };
        let expected = "\
orders on primary: 1 partition, 2 replicas, 4 records, 1 partition without a leader or with too few in-sync replicas
mirrored to primary.orders on secondary

PARTITION  LEADER  REPLICAS  IN SYNC  FIRST  END  BYTES
0          -       1,2       2        5      9    -

SETTING       VALUE  SOURCE
retention.ms  5      topic";
        assert_eq!(text(&details, "primary"), expected);
    }
}
