//! MirrorMaker's properties. Pure: the same topology gives the same bytes. Knows nothing of compose.
//!
//! MirrorMaker ignores unknown and misplaced keys in silence: a worker's settings are read at its target's prefix,
//! a consumer's at its source's (`MirrorMakerConfig.workerConfig`).

mod properties;
mod sharing;

use crate::core::spec::{self, Naming};
use crate::core::topology::{Cluster, Flow, Topology};
use properties::Properties;
use std::time::Duration;

/// What brokers take ([`message.max.bytes`]) and what a request adds to it: one record that is too large ends a whole flow.
///
/// [`message.max.bytes`]: super::compose::MAX_RECORD_BYTES
const MAX_REQUEST_BYTES: u32 = 17 * 1024 * 1024;
/// How often MirrorMaker notes how far it copied.
pub const NOTED: Duration = Duration::from_millis(100);
/// Segments of the topic in which it notes that, in bytes.
pub const STATE_SEGMENT_BYTES: u32 = 1024 * 1024;
/// MirrorMaker's own default for `topics.exclude`; a list of one's own replaces it.
const NEVER: &str = r".*[\-\.]internal, .*\.replica, __.*";

const REQUEST_TIMEOUT: &str = "request.timeout.ms";
/// What every consumer of a source is given, and why.
const READING: [(&str, &str, &str); 4] = [
    (
        "Default 500: while a busy partition's data is worked off, the next fetch asks only for idle ones and waits this long.",
        "fetch.max.wait.ms",
        "100",
    ),
    (
        "Larger fetches: 1 MiB and 500 records by default.",
        "max.partition.fetch.bytes",
        "8388608",
    ),
    ("", "max.poll.records", "2000"),
    (
        "Default true: a topic that is deleted at the source would be made again, by asking for its records.",
        "allow.auto.create.topics",
        "false",
    ),
];

/// The properties file that every MirrorMaker of the lab reads.
pub fn render(topology: &Topology) -> String {
    let mut file = Properties::default();
    let names: Vec<&str> = topology.clusters.iter().map(|c| c.name.as_str()).collect();
    file.section("The clusters, by the names that prefix their topics elsewhere");
    file.set("", "clusters", names.join(", "));
    for cluster in &topology.clusters {
        file.set(
            "",
            &format!("{}.bootstrap.servers", cluster.name),
            cluster.bootstrap_inside(),
        );
    }
    file.set(
        "Find connectors by their manifests instead of scanning every jar: seconds at start.",
        "plugin.discovery",
        "service_load",
    );
    sharing::internal_rest(&mut file, topology);
    flows(&mut file, topology);
    freshness(&mut file);
    for cluster in &topology.clusters {
        source(&mut file, topology, cluster);
        target(&mut file, topology, cluster);
    }
    file.text
}

fn flows(file: &mut Properties, topology: &Topology) {
    let mut values = topology
        .flows
        .iter()
        .flat_map(|flow| flow.spec.settings.values());
    if topology.shares_work() || values.any(|value| !spec::names_in(value).is_empty()) {
        file.section("Values written as ${env:NAME} are read from MirrorMaker's environment");
        file.set("", "config.providers", "env");
        file.set(
            "",
            "config.providers.env.class",
            "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        );
    }
    for flow in &topology.flows {
        let name = flow.name();
        file.section(&format!("The flow {name}"));
        let settings = flow.spec.settings.iter();
        let asked_for =
            settings.map(|(key, value)| (format!("{name}.{}", read_key(key)), value.clone()));
        file.asked_for = asked_for.collect();
        file.set("", &format!("{name}.enabled"), "true");
        sharing::tasks(file, topology, flow);
        file.set(
            "Which topics, as Java regular expressions; kmk's own canary is always among them.",
            &format!("{name}.topics"),
            topics(flow),
        );
        file.set(
            "Stronger than topics. The first three are MirrorMaker's default; without them it would mirror its own topics.",
            &format!("{name}.topics.exclude"),
            excluded(flow),
        );
        if !flow.spec.groups.is_empty() {
            file.set(
                "Which consumer groups, as Java regular expressions.",
                &format!("{name}.groups"),
                flow.spec.groups.join(", "),
            );
        }
        if flow.spec.naming == Naming::Same {
            file.set(
                "Topics keep their names.",
                &format!("{name}.replication.policy.class"),
                "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
            );
        }
        file.set(
            "Offsets of consumer groups follow, so that consumers can go on reading at the target. Off by default.",
            &format!("{name}.sync.group.offsets.enabled"),
            "true",
        );
        file.set(
            "How long a look for records may take in vain; only after it does MirrorMaker see that the last ones are copied. Default 1000.",
            &format!("{name}.consumer.poll.timeout.ms"),
            "50",
        );
        file.set(
            "There is no authorizer here; asking for access rules only logs errors.",
            &format!("{name}.sync.topic.acls.enabled"),
            "false",
        );
        replication_factors(file, topology, flow);
        for (key, value) in std::mem::take(&mut file.asked_for) {
            file.line(&key, &value);
        }
    }
    unused_directions(file, topology);
}

/// The key at which a flow's setting is read. What is set for all consumers of a source (`primary.consumer.…`) reaches
/// a connector as `source.consumer.…`, which is stronger than a flow's own `consumer.…` and would silence it.
fn read_key(key: &str) -> String {
    let is_ours = |setting: &str| {
        setting == REQUEST_TIMEOUT || READING.iter().any(|(_, ours, _)| *ours == setting)
    };
    match key.strip_prefix("consumer.") {
        Some(setting) if is_ours(setting) => format!("source.{key}"),
        _ => key.to_owned(),
    }
}

/// Copies of every topic that MirrorMaker makes; the offset syncs lie at the source, all else at the target.
fn replication_factors(file: &mut Properties, topology: &Topology, flow: &Flow) {
    let factor = |cluster: &str| {
        topology
            .cluster(cluster)
            .map_or(1, |c| c.replication_factor)
    };
    let (source, target) = (factor(&flow.spec.source), factor(&flow.spec.target));
    let mut why = "Copies of every topic: as many as there are brokers, three at most. Default 2 and 3: never works with one broker.";
    for (topic, factor) in [
        ("", target),
        ("checkpoints.topic.", target),
        ("heartbeats.topic.", target),
        ("offset-syncs.topic.", source),
    ] {
        file.set(
            why,
            &format!("{}.{topic}replication.factor", flow.name()),
            factor.to_string(),
        );
        why = "";
    }
}

fn unused_directions(file: &mut Properties, topology: &Topology) {
    let pairs = topology
        .clusters
        .iter()
        .flat_map(|a| topology.clusters.iter().map(move |b| (a, b)));
    let unused = pairs
        .filter(|(a, b)| a.name != b.name)
        .map(|(a, b)| format!("{}->{}", a.name, b.name))
        .filter(|pair| topology.flows.iter().all(|flow| flow.name() != *pair));
    for (index, pair) in unused.enumerate() {
        if index == 0 {
            file.section("Directions that are no flows: MirrorMaker would start workers for them all the same");
        }
        file.set("", &format!("{pair}.enabled"), "false");
        file.set("", &format!("{pair}.emit.heartbeats.enabled"), "false");
    }
}

/// Each pattern, unless it is the canary that would be lost with it.
fn excluded(flow: &Flow) -> String {
    let patterns = flow.spec.exclude.iter();
    let patterns = patterns.map(|pattern| format!("(?!{}$)(?:{pattern})", flow.canary));
    let all: Vec<String> = [NEVER.to_owned()].into_iter().chain(patterns).collect();
    all.join(", ")
}

fn topics(flow: &Flow) -> String {
    if flow.spec.topics.is_empty() {
        return ".*".to_owned();
    }
    let all: Vec<&str> = flow
        .spec
        .topics
        .iter()
        .chain([&flow.canary])
        .map(String::as_str)
        .collect();
    all.join(", ")
}

fn freshness(file: &mut Properties) {
    file.section("How soon a change at the source is seen at the target");
    let every_second = [
        (
            "New topics and partitions. Default 600 s: people think that MirrorMaker is broken.",
            "refresh.topics.interval.seconds",
        ),
        (
            "New consumer groups. Default 600 s.",
            "refresh.groups.interval.seconds",
        ),
        (
            "Offsets of groups, translated. Default 60 s.",
            "emit.checkpoints.interval.seconds",
        ),
        (
            "Offsets of groups, written at the target. Default 60 s.",
            "sync.group.offsets.interval.seconds",
        ),
    ];
    for (why, key) in every_second {
        file.set(why, key, "1");
    }
    file.set(
        "An offset sync for every batch rather than every 100 records: translated offsets are closer.",
        "offset.lag.max",
        "0",
    );
}

/// Settings of the clients that read `cluster`.
fn source(file: &mut Properties, topology: &Topology, cluster: &Cluster) {
    let name = &cluster.name;
    if topology.flows.iter().all(|flow| flow.spec.source != *name) {
        return;
    }
    file.section(&format!("Reading from {name}"));
    for (why, key, value) in READING {
        file.set(why, &format!("{name}.consumer.{key}"), value);
    }
    give_up_soon(file, cluster, "consumer");
}

/// Where another broker can take over, one that has died is not waited for long.
fn give_up_soon(file: &mut Properties, cluster: &Cluster, client: &str) {
    if cluster.brokers.len() > 1 {
        file.set(
            "A killed container may not even close its connections: ask another broker after this. Default 30 s.",
            &format!("{}.{client}.{REQUEST_TIMEOUT}", cluster.name),
            "5000",
        );
    }
}

/// Settings of the worker that writes to `cluster`, and of its clients.
fn target(file: &mut Properties, topology: &Topology, cluster: &Cluster) {
    let name = &cluster.name;
    if topology.mirrors.iter().all(|mirror| mirror.target != *name) {
        return;
    }
    file.section(&format!("Writing to {name}"));
    file.set(
        "MirrorMaker's worker starts before the brokers listen; try again soon.",
        &format!("{name}.reconnect.backoff.ms"),
        "50",
    );
    file.set("", &format!("{name}.reconnect.backoff.max.ms"), "100");
    file.set(
        "Fuller batches.",
        &format!("{name}.producer.linger.ms"),
        "5",
    );
    file.set("", &format!("{name}.producer.batch.size"), "262144");
    file.set(
        "One record that is too large ends the task, and with it every topic of the flow: as large as brokers take, and some.",
        &format!("{name}.producer.max.request.size"),
        MAX_REQUEST_BYTES.to_string(),
    );
    give_up_soon(file, cluster, "producer");
    file.set(
        "How soon MirrorMaker notes how far it copied; after a crash it repeats what came later, and `kmk status` counts from it. Default 60 s.",
        &format!("{name}.offset.flush.interval.ms"),
        NOTED.as_millis().to_string(),
    );
    file.set(
        "The work of a lost worker is taken up at once. Default 5 min.",
        &format!("{name}.scheduled.rebalance.max.delay.ms"),
        "0",
    );
    sharing::absence(file, topology, cluster);
    file.set("", &format!("{name}.plugin.discovery"), "service_load");
    file.set(
        "One partition for each of the worker's own topics instead of 25 and 5.",
        &format!("{name}.offset.storage.partitions"),
        "1",
    );
    file.set("", &format!("{name}.status.storage.partitions"), "1");
    file.set(
        "Compacted sooner than at 1 GiB: what reads how far MirrorMaker is need not read its whole history.",
        &format!("{name}.offset.storage.segment.bytes"),
        STATE_SEGMENT_BYTES.to_string(),
    );
    let mut why = "As many copies of them as there are brokers, three at most.";
    for topic in ["offset.storage", "status.storage", "config.storage"] {
        file.set(
            why,
            &format!("{name}.{topic}.replication.factor"),
            cluster.replication_factor.to_string(),
        );
        why = "";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::scenario;

    #[test]
    fn a_backslash_in_a_filter_survives_and_the_canary_with_it() {
        let mut spec = scenario::dr("demo");
        spec.flows[0].topics = vec![r"orders\.v1".to_owned()];
        spec.flows[0].exclude = vec!["kmk.*".to_owned()];
        let text = render(&Topology::new(&spec));
        assert!(
            text.contains("primary->secondary.topics = orders\\\\.v1, kmk-canary\n"),
            "{text}"
        );
        assert!(text.contains("__.*, (?!kmk-canary$)(?:kmk.*)\n"), "{text}");
    }

    #[test]
    fn what_is_asked_of_a_flow_stands_once_and_where_it_is_read() {
        let mut spec = scenario::dr("demo");
        let settings = [
            ("replication.factor", "2"),
            ("consumer.max.poll.records", "500"),
            ("consumer.ssl.key.password", "${env:KEY}"),
        ];
        let owned = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        spec.flows[0].settings = owned.into();
        spec.flows[0].groups = vec!["billing".to_owned()];
        let text = render(&Topology::new(&spec));
        for line in [
            "config.providers = env",
            "primary->secondary.groups = billing",
            "primary->secondary.replication.factor = 2",
            "primary->secondary.source.consumer.max.poll.records = 500",
            "primary->secondary.consumer.ssl.key.password = ${env:KEY}",
        ] {
            assert_eq!(
                text.matches(&format!("\n{line}\n")).count(),
                1,
                "{line}\n{text}"
            );
        }
        assert!(!text.contains("\nprimary->secondary.replication.factor = 1"));
    }

    #[test]
    fn no_key_is_set_twice() {
        let text = render(&Topology::new(&scenario::dr("demo")));
        let keys: Vec<&str> = text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split_once(" = "))
            .map(|(key, _)| key)
            .collect();
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len());
        assert!(keys.len() > 30);
    }
}
