//! Renders MirrorMaker's properties: the same topology gives the same bytes.
//!
//! MirrorMaker silently ignores unknown and misplaced keys: a worker's settings are read at its target's prefix, a
//! consumer's at its source's (`MirrorMakerConfig.workerConfig`).

mod flow;
mod worker_group;

pub use flow::{NEVER, excluded, spared, topics};

use crate::core::mirrormaker::properties::Properties;
use crate::core::topology::{Cluster, FULL_BATCH, MAX_RECORD_BYTES, Topology};
use std::time::Duration;

/// What brokers take, and room for what a request adds to it: one record that is too large ends a whole flow.
const MAX_REQUEST_BYTES: u32 = MAX_RECORD_BYTES + 1024 * 1024;
/// How often MirrorMaker looks for topics and groups, and syncs groups' offsets, in seconds.
pub const EVERY: u64 = 1;
/// How often MirrorMaker commits its positions.
pub const NOTED: Duration = Duration::from_millis(100);
/// Segments of the topic in which it stores them, in bytes.
pub const STATE_SEGMENT_BYTES: u32 = 1024 * 1024;

/// What a consumer of a source fetches of a partition at once, in bytes.
pub const FETCH_BYTES: &str = "8388608";

const REQUEST_TIMEOUT: &str = "request.timeout.ms";
/// What a client is given where another broker can take over from one that has died, and why.
const GIVING_UP: [(&str, &str, &str); 3] = [
    (
        "A killed broker may leave its connections open: give up on it and ask another after this. Default 30 s.",
        REQUEST_TIMEOUT,
        "5000",
    ),
    (
        "It may not refuse new connections either, and the new leader is looked up only after one is given up. Default 10 s, later 30 s.",
        "socket.connection.setup.timeout.ms",
        "1000",
    ),
    ("", "socket.connection.setup.timeout.max.ms", "2000"),
];
/// What every consumer of a source is given, and why.
const READING: [(&str, &str, &str); 4] = [
    (
        "Default 500: while data of a busy partition is being processed, the next fetch asks only for idle partitions and waits this long.",
        "fetch.max.wait.ms",
        "100",
    ),
    (
        "Larger fetches: 1 MiB and 500 records by default.",
        "max.partition.fetch.bytes",
        FETCH_BYTES,
    ),
    ("", "max.poll.records", "2000"),
    (
        "Default true: fetching from a topic that was deleted at the source would create it again.",
        "allow.auto.create.topics",
        "false",
    ),
];

/// The properties file that every MirrorMaker of the lab reads.
pub fn render(topology: &Topology) -> String {
    let mut file = Properties::default();
    let names: Vec<&str> = topology.clusters.iter().map(|c| c.name.as_str()).collect();
    file.section("The clusters: their names are the prefixes of mirrored topics");
    file.set("", "clusters", names.join(", "));
    for cluster in &topology.clusters {
        file.set(
            "",
            &format!("{}.bootstrap.servers", cluster.name),
            cluster.bootstrap_inside(),
        );
    }
    file.set(
        "Find connectors by their service files instead of scanning every jar: seconds saved at start.",
        "plugin.discovery",
        "service_load",
    );
    worker_group::internal_rest(&mut file, topology);
    flow::write_all(&mut file, topology);
    freshness(&mut file);
    for cluster in &topology.clusters {
        let flows = topology.flows.iter();
        let mut ends = flows.flat_map(|flow| [&flow.spec.source, &flow.spec.target]);
        let is_an_end = ends.any(|end| *end == cluster.name);
        let there = cluster.existing().filter(|_| is_an_end).into_iter();
        let asked_for = there.flat_map(|there| &there.properties);
        let asked_for =
            asked_for.map(|(key, value)| (format!("{}.{key}", cluster.name), value.clone()));
        file.asked_for = asked_for.collect();
        source(&mut file, topology, cluster);
        target(&mut file, topology, cluster);
        give_up_soon(&mut file, topology, cluster);
        properties_of(&mut file, cluster);
    }
    file.text
}

/// What else the clients of an existing cluster need.
fn properties_of(file: &mut Properties, cluster: &Cluster) {
    let left = std::mem::take(&mut file.asked_for);
    if !left.is_empty() {
        file.section(&format!(
            "Client settings for {}, as configured",
            cluster.name
        ));
    }
    for (key, value) in left {
        file.line(&key, &value);
    }
}

fn freshness(file: &mut Properties) {
    file.section("How soon a change at the source reaches the target");
    let every_second = [
        (
            "New topics and partitions. Default 600 s, which makes MirrorMaker look broken.",
            "refresh.topics.interval.seconds",
        ),
        (
            "New consumer groups. Default 600 s.",
            "refresh.groups.interval.seconds",
        ),
        (
            "Checkpoints: translated group offsets. Default 60 s.",
            "emit.checkpoints.interval.seconds",
        ),
        (
            "Translated offsets committed for groups at the target. Default 60 s.",
            "sync.group.offsets.interval.seconds",
        ),
    ];
    for (why, key) in every_second {
        file.set(why, key, EVERY.to_string());
    }
    file.set(
        "An offset sync for every batch rather than every 100 records: translated offsets are more exact.",
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
}

/// Where another broker can take over, one that has died is not waited for long: by nobody who talks to `cluster`.
fn give_up_soon(file: &mut Properties, topology: &Topology, cluster: &Cluster) {
    let name = &cluster.name;
    let flows = topology.flows.iter();
    let mut ends = flows.flat_map(|flow| [&flow.spec.source, &flow.spec.target]);
    if cluster.brokers.len() < 2 || !ends.any(|end| end == name) {
        return;
    }
    file.section(&format!("When a broker of {name} dies"));
    let is_target = topology.mirror_of(name).is_some();
    // the worker's own clients note how far it has copied
    let worker = is_target.then_some("").into_iter();
    for client in ["consumer.", "producer.", "admin."]
        .into_iter()
        .chain(worker)
    {
        for (why, key, value) in GIVING_UP {
            let copies_records = ["consumer.", "producer."].contains(&client);
            if copies_records || key != REQUEST_TIMEOUT {
                let why = if client == "consumer." { why } else { "" };
                file.set(why, &format!("{name}.{client}{key}"), value);
            }
        }
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
        "The worker starts before the brokers listen: retry soon.",
        &format!("{name}.reconnect.backoff.ms"),
        "50",
    );
    file.set("", &format!("{name}.reconnect.backoff.max.ms"), "100");
    file.set(
        "Send a record at once; while a request is in flight, the next batch fills anyway. Default 5 since Kafka 4.0.",
        &format!("{name}.producer.linger.ms"),
        "0",
    );
    let batch = topology.mirror_of(name).map_or(FULL_BATCH, |m| m.batch);
    file.set(
        match batch {
            FULL_BATCH => "Fuller batches under load. Default 16 KiB.",
            _ => "As much as every topic accepts (max.message.bytes, segment.bytes): a larger batch would be rejected. Default 16 KiB.",
        },
        &format!("{name}.producer.batch.size"),
        batch.to_string(),
    );
    file.set(
        "A single record that is too large fails the task, and with it every topic of the flow: a little more than brokers accept.",
        &format!("{name}.producer.max.request.size"),
        MAX_REQUEST_BYTES.to_string(),
    );
    file.set(
        "How often MirrorMaker commits its positions; after a crash it copies again what came later, and `kmk status` counts from them. Default 60 s.",
        &format!("{name}.offset.flush.interval.ms"),
        NOTED.as_millis().to_string(),
    );
    file.set(
        "The tasks of a lost worker are reassigned at once. Default 5 min.",
        &format!("{name}.scheduled.rebalance.max.delay.ms"),
        "0",
    );
    worker_group::absence(file, cluster);
    worker_group::exactly_once(file, cluster);
    file.set("", &format!("{name}.plugin.discovery"), "service_load");
    file.set(
        "One partition for each of Connect's internal topics instead of 25 and 5.",
        &format!("{name}.offset.storage.partitions"),
        "1",
    );
    file.set("", &format!("{name}.status.storage.partitions"), "1");
    file.set(
        "Compacted sooner than at 1 GiB: reading MirrorMaker's positions does not mean reading their whole history.",
        &format!("{name}.offset.storage.segment.bytes"),
        STATE_SEGMENT_BYTES.to_string(),
    );
    let mut why = "A replica of each on every broker, three at most.";
    for topic in ["offset.storage", "status.storage", "config.storage"] {
        file.set(
            why,
            &format!("{name}.{topic}.replication.factor"),
            cluster.copies(),
        );
        why = "";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario;

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
    fn a_pattern_stands_in_a_list_once() {
        let mut spec = scenario::dr("demo");
        let twice = |one: &str| vec![one.to_owned(), one.to_owned()];
        spec.flows[0].topics = twice("orders");
        spec.flows[0].exclude = twice("x");
        spec.flows[0].groups = twice("g");
        let text = render(&Topology::new(&spec));
        assert!(text.contains(".topics = orders, kmk-canary\n"), "{text}");
        assert!(text.contains("__.*, (?!kmk-canary$)(?:x)\n"), "{text}");
        assert!(text.contains("secondary.groups = g\n"), "{text}");
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
    fn a_cluster_that_is_there_already_is_found_entered_and_left_its_own_choices() {
        let mut spec = scenario::dr("demo");
        spec.flows[0].topics = vec!["orders".to_owned()];
        spec.flows[0].exclude = vec!["x".to_owned()];
        spec.clusters[0] = ClusterSpec::existing("primary", &["localhost:9092", "b.example:1"]);
        let properties = [
            ("security.protocol", "SSL"),
            ("ssl.key.password", "${env:KEY}"),
            ("consumer.max.poll.records", "7"),
        ];
        let owned = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
        spec.clusters[0].properties = owned.into();
        let text = render(&Topology::new(&spec));
        for line in [
            "primary.bootstrap.servers = host.docker.internal:9092,b.example:1",
            "config.providers = env",
            "primary.security.protocol = SSL",
            "primary.ssl.key.password = ${env:KEY}",
            "primary.consumer.max.poll.records = 7",
            "primary->secondary.topics = orders",
            "primary->secondary.topics.exclude = .*[\\\\-\\\\.]internal, .*\\\\.replica, __.*, x",
            "primary->secondary.replication.factor = 1",
            "primary->secondary.offset-syncs.topic.replication.factor = -1",
        ] {
            let found = text.matches(&format!("\n{line}\n")).count();
            assert_eq!(found, 1, "{line}\n{text}");
        }
        assert!(!text.contains("canary"), "{text}");
        let mirror = &Topology::new(&spec).mirrors[0];
        assert!(mirror.variables.contains("KEY"));
        spec.clusters[0].properties.clear();
        spec.clusters[0].canary = true;
        let text = render(&Topology::new(&spec));
        assert!(text.contains(".topics = orders, kmk-canary\n"), "{text}");
    }

    #[test]
    fn batches_are_as_small_as_the_smallest_topic_wants_them() {
        let mut topology = Topology::new(&scenario::dr("demo"));
        topology.mirrors[0].narrow(1_000_000);
        assert!(render(&topology).contains("\nsecondary.producer.batch.size = 262144\n"));
        topology.mirrors[0].narrow(100_000);
        assert!(render(&topology).contains("\nsecondary.producer.batch.size = 100000\n"));
    }

    #[test]
    fn no_key_is_set_twice() {
        let mut spec = scenario::Scenario::ActiveActive.spec("demo");
        spec.clusters[0].brokers = 3;
        let text = render(&Topology::new(&spec));
        assert!(text.contains("\neast.producer.socket.connection.setup.timeout.ms = 1000\n"));
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
