//! Renders the flows' part of MirrorMaker's properties.

use super::{GIVING_UP, READING, worker_group};
use crate::core::mirrormaker::properties::Properties;
use crate::core::spec::{self, Naming};
use crate::core::topology::{Cluster, Flow, Proof, Topology};

/// MirrorMaker's own default for `topics.exclude`; a list of one's own replaces it.
pub const NEVER: &str = r".*[\-\.]internal, .*\.replica, __.*";
/// Mirrored topics on a cluster with as many brokers as kmk gave it.
const ALL_COPIES: &str = "A replica of each topic on every broker, three at most. Default 2 and 3, which never works with one broker.";

/// Every flow, and the directions that are none.
pub(super) fn write_all(file: &mut Properties, topology: &Topology) {
    let clusters = topology.spec.clusters.iter();
    let flows = topology.flows.iter();
    let mut values = flows
        .flat_map(|flow| flow.spec.settings.values())
        .chain(clusters.flat_map(|cluster| cluster.properties.values()));
    if topology.has_listeners() || values.any(|value| !spec::names_in(value).is_empty()) {
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
        file.section(&format!("Flow {name}"));
        let settings = flow.spec.settings.iter();
        let asked_for =
            settings.map(|(key, value)| (format!("{name}.{}", read_key(key)), value.clone()));
        file.asked_for = asked_for.collect();
        file.set("", &format!("{name}.enabled"), "true");
        worker_group::tasks(file, topology, flow);
        file.set(
            match flow.proof {
                Proof::Canary => {
                    "Topics to mirror, as Java regular expressions; kmk's own canary topic is always included."
                }
                Proof::ConnectorStatus => "Topics to mirror, as Java regular expressions.",
            },
            &format!("{name}.topics"),
            topics(flow),
        );
        file.set(
            "Takes precedence over topics. The first three are MirrorMaker's default; without them it would mirror its own topics.",
            &format!("{name}.topics.exclude"),
            excluded(flow),
        );
        if !flow.spec.groups.is_empty() {
            file.set(
                "Consumer groups to sync, as Java regular expressions.",
                &format!("{name}.groups"),
                list(flow.spec.groups.iter().cloned()),
            );
        }
        if flow.spec.naming == Naming::Same {
            file.set(
                "Mirrored topics keep their names.",
                &format!("{name}.replication.policy.class"),
                "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
            );
        }
        file.set(
            "Sync the offsets of consumer groups, so that consumers can continue at the target. Off by default.",
            &format!("{name}.sync.group.offsets.enabled"),
            "true",
        );
        file.set(
            "How long a poll waits when there are no records; only after it does MirrorMaker see that the last ones are copied. Default 1000.",
            &format!("{name}.consumer.poll.timeout.ms"),
            "50",
        );
        file.set(
            "No authorizer runs here: reading ACLs would only log errors.",
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
    let mut ours = READING.iter().chain(&GIVING_UP).map(|(_, ours, _)| *ours);
    let mut is_ours = |setting: &str| ours.any(|ours| ours == setting);
    match key.strip_prefix("consumer.") {
        Some(setting) if is_ours(setting) => format!("source.{key}"),
        _ => key.to_owned(),
    }
}

/// Copies of every topic that MirrorMaker makes; the offset syncs are on the source, all else on the target.
fn replication_factors(file: &mut Properties, topology: &Topology, flow: &Flow) {
    let factor = |cluster: &str| topology.cluster(cluster).map(Cluster::copies);
    let (source, target) = (
        factor(&flow.spec.source).unwrap_or_default(),
        factor(&flow.spec.target).unwrap_or_default(),
    );
    let mut why = if [&source, &target].iter().any(|copies| *copies == "-1") {
        "Replicas of each topic; -1 is the broker default of an existing cluster. Default 2 and 3."
    } else {
        ALL_COPIES
    };
    for (topic, factor) in [
        ("", &target),
        ("checkpoints.topic.", &target),
        ("heartbeats.topic.", &target),
        ("offset-syncs.topic.", &source),
    ] {
        file.set(
            why,
            &format!("{}.{topic}replication.factor", flow.name()),
            factor,
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
            file.section(
                "Directions without a flow: MirrorMaker would start workers for them anyway",
            );
        }
        file.set("", &format!("{pair}.enabled"), "false");
        file.set("", &format!("{pair}.emit.heartbeats.enabled"), "false");
    }
}

/// The patterns of topics that a flow leaves out, as a list of MirrorMaker's: each, unless it is the canary that would be
/// lost with it.
pub fn excluded(flow: &Flow) -> String {
    let patterns = flow.spec.exclude.iter();
    let patterns = patterns.map(|pattern| spared(flow, pattern));
    list(NEVER.split(", ").map(str::to_owned).chain(patterns))
}

/// A pattern of topics to leave out, as MirrorMaker is told it: it spares the canary.
pub fn spared(flow: &Flow, pattern: &str) -> String {
    match flow.proof {
        Proof::Canary => flow.spec.sparing_canary(pattern),
        Proof::ConnectorStatus => pattern.to_owned(),
    }
}

/// The patterns of topics that a flow takes, as a list of MirrorMaker's.
pub fn topics(flow: &Flow) -> String {
    if flow.spec.topics.is_empty() {
        return ".*".to_owned();
    }
    let canary = (flow.proof == Proof::Canary).then_some(&flow.canary);
    list(flow.spec.topics.iter().chain(canary).cloned())
}

/// Each pattern once: from Kafka 4.2 on Connect refuses a list that has one twice (KIP-1161).
fn list(patterns: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for pattern in patterns {
        if !all.contains(&pattern) {
            all.push(pattern);
        }
    }
    all.join(", ")
}
