use super::cluster_choice::BootstrapFlag;
use super::output::Output;
use super::quantity::{bytes, count, or_dash};
use super::table::{row, table};
use super::{CliError, Context, Exit, cluster_choice, consume};
use kafka_mirror_kit::core::lab::topics::{
    ClusterTopics, RemoteTopic, TopicReport, topics, topics_at,
};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::time::Duration;

/// List the topics of each cluster: partitions, records, bytes, settings, and where they are mirrored
///
/// SETTINGS shows only the topic's own settings. MIRRORED shows what exists: `to secondary` means that the mirrored topic
/// is on secondary, `from primary` that this topic is itself mirrored from primary.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only this cluster of the lab [default: all]
    #[arg(long, short, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    elsewhere: BootstrapFlag,
    /// Include the internal topics of Kafka, MirrorMaker and kmk
    #[arg(long)]
    all: bool,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
    /// How long to wait for the brokers
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = super::patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic list
  kmk topic list --cluster secondary --all
  kmk topic list --json | jq -r '.clusters[].topics[] | [.topic, .records] | @tsv'
  kmk topic list --bootstrap localhost:9092

RECORDS counts offsets from the first record to the end, including transaction
markers and compacted records. BYTES is the size on the disks of the leaders.";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    clusters: &'a [ClusterTopics],
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let limit = Limit::new(args.timeout, &context.interrupt);
    let clusters = if args.elsewhere.bootstrap.is_empty() {
        let lab = cluster_choice::lab(context, args.cluster.as_deref())?;
        let only = args.cluster.as_deref();
        let looks = topics(&lab.topology, only, args.all, &limit);
        let failed = |name: &str, bootstrap: String, problem: String| ClusterTopics {
            cluster: Some(name.to_owned()),
            bootstrap,
            topics: Vec::new(),
            hidden: 0,
            problem: Some(problem),
        };
        cluster_choice::those_that_answer(&lab, only, looks, failed, &context.interrupt)?
    } else {
        let look = topics_at(&args.elsewhere.bootstrap, args.all, &limit);
        vec![look.map_err(|error| consume::kafka_error(error, None))?]
    };
    let text = if args.json {
        let json = Json {
            clusters: &clusters,
        };
        serde_json::to_string_pretty(&json)?
    } else {
        let tables: Vec<String> = clusters.iter().map(describe).collect();
        tables.join("\n\n")
    };
    context.output.result(&text)?;
    if !args.json {
        talk(&clusters, context);
    }
    warn(&clusters, context.output);
    let problems = clusters.iter().map(|cluster| {
        let name = cluster.cluster.as_ref().unwrap_or(&cluster.bootstrap);
        (name.as_str(), cluster.problem.as_ref())
    });
    Ok(if cluster_choice::all_answered(problems, context) {
        Exit::Done
    } else {
        Exit::No
    })
}

fn warn(clusters: &[ClusterTopics], output: Output) {
    for cluster in clusters {
        let name = cluster.cluster.as_ref().unwrap_or(&cluster.bootstrap);
        for topic in cluster
            .topics
            .iter()
            .filter(|topic| topic.unhealthy_partitions > 0)
        {
            let partitions = count(topic.unhealthy_partitions, "partition");
            output.warn(&format!(
                "{name}: topic `{}` has {partitions} without a leader or with too few in-sync replicas",
                topic.topic
            ));
        }
    }
}

fn talk(clusters: &[ClusterTopics], context: &Context) {
    let hidden: usize = clusters.iter().map(|cluster| cluster.hidden).sum();
    if hidden > 0 {
        let topics = count(hidden, "topic");
        context.output.talk(&format!(
            "\n{topics} of Kafka, MirrorMaker and kmk itself hidden; --all shows them"
        ));
    }
    let there_are_none = clusters.iter().all(|cluster| cluster.topics.is_empty());
    if there_are_none && clusters.iter().any(|cluster| cluster.cluster.is_some()) {
        let lab = in_lab(&context.lab);
        let create = format!("kmk topic create{lab} orders --partitions 3");
        context.output.next(&[(create, "create a topic")]);
    }
}

fn describe(cluster: &ClusterTopics) -> String {
    let heading = cluster_choice::heading(cluster.cluster.as_deref(), &cluster.bootstrap);
    if cluster.problem.is_some() {
        return format!("{heading}\nno answer");
    }
    if cluster.topics.is_empty() {
        return format!("{heading}\nno topics");
    }
    format!("{heading}\n{}", of_topics(&cluster.topics))
}

/// Columns in which no topic has anything are left out.
fn of_topics(topics: &[TopicReport]) -> String {
    let is_mirrored =
        |topic: &TopicReport| topic.mirrored_from.is_some() || !topic.mirrored_to.is_empty();
    let with_mirrors = topics.iter().any(is_mirrored);
    let with_settings = topics.iter().any(|topic| !topic.settings.is_empty());
    let extended = |mut cells: Vec<String>, mirrored: String, settings: String| {
        cells.extend(with_mirrors.then_some(mirrored));
        cells.extend(with_settings.then_some(settings));
        cells
    };
    let heading = extended(
        row(["TOPIC", "PARTITIONS", "REPLICAS", "RECORDS", "BYTES"]),
        "MIRRORED".to_owned(),
        "SETTINGS".to_owned(),
    );
    let rows = topics.iter().map(|topic| {
        let cells = row([
            &topic.topic,
            &topic.partitions.to_string(),
            &topic.replicas.to_string(),
            &or_dash(topic.records),
            &or_dash(topic.bytes.map(bytes)),
        ]);
        extended(cells, mirrored(topic), settings(topic))
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

fn mirrored(topic: &TopicReport) -> String {
    let from = topic.mirrored_from.iter();
    let from = from.map(|source| format!("from {}", source.cluster));
    let clusters: Vec<&str> = topic
        .mirrored_to
        .iter()
        .map(|RemoteTopic { cluster, .. }| cluster.as_str())
        .collect();
    let to = (!clusters.is_empty()).then(|| format!("to {}", clusters.join(", ")));
    from.chain(to).collect::<Vec<_>>().join("; ")
}

fn settings(topic: &TopicReport) -> String {
    let settings = topic.settings.iter();
    let settings: Vec<String> = settings
        .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("(secret)")))
        .collect();
    settings.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn topic(name: &str) -> TopicReport {
        TopicReport {
            topic: name.to_owned(),
            internal: false,
            partitions: 3,
            replicas: 1,
            unhealthy_partitions: 0,
            records: Some(10),
            bytes: Some(1550),
            replica_bytes: 1550,
            settings: BTreeMap::new(),
            mirrored_from: None,
            mirrored_to: Vec::new(),
        }
    }

    #[test]
    fn columns_without_anything_are_left_out() {
        assert_eq!(
            of_topics(&[topic("orders")]),
            "TOPIC   PARTITIONS  REPLICAS  RECORDS  BYTES\n\
             orders  3           1         10       1.6 kB"
        );
    }

    #[test]
    fn a_chain_of_copies_is_told_both_ways() {
        let remote = |cluster: &str| RemoteTopic {
            cluster: cluster.to_owned(),
            topic: "x".to_owned(),
        };
        let middle = TopicReport {
            mirrored_from: Some(remote("a")),
            mirrored_to: vec![remote("c"), remote("d")],
            settings: BTreeMap::from([("retention.ms".to_owned(), Some("1000".to_owned()))]),
            records: None,
            bytes: None,
            ..topic("t")
        };
        assert_eq!(
            of_topics(&[middle]),
            "TOPIC  PARTITIONS  REPLICAS  RECORDS  BYTES  MIRRORED         SETTINGS\n\
             t      3           1         -        -      from a; to c, d  retention.ms=1000"
        );
    }
}
