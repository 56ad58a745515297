use kafka_mirror_kit::core::mirrormaker::patterns::{Rules, Selection};
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::{Access, Cluster, Flow, Topology};
use kmk_kafka::message::check_topic_name;

const TOPIC: &str = "my_topic";
const MESSAGES: usize = 10;
/// Copies with which a cluster goes on when a broker dies.
const ENOUGH_COPIES: u16 = 3;

/// The commands to type once a lab is up, and what each does: records into every source, out of every copy.
pub(super) fn next_steps(topology: &Topology) -> Vec<(String, String)> {
    let lab = in_lab(&topology.spec.lab);
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut add = |command: String, what: String| {
        if steps.iter().all(|(earlier, _)| *earlier != command) {
            steps.push((command, what));
        }
    };
    let usual = topology.flows.first().map(|flow| &flow.spec.source);
    let is_made = |name: &str| {
        let cluster = topology.cluster(name);
        cluster.is_some_and(|cluster| cluster.existing().is_none())
    };
    let is_open = |name: &str| {
        let cluster = topology.cluster(name);
        cluster.is_some_and(|cluster| cluster.access() == Access::Open)
    };
    for flow in &topology.flows {
        let source = &flow.spec.source;
        if !is_open(source) {
            continue;
        }
        if !is_made(source) {
            // records for a try have no place on someone's own cluster
            add(
                format!("kmk topic list{lab} --cluster {source}"),
                format!("topics on {source}"),
            );
            continue;
        }
        let Some(topic) = sample_topic(flow) else {
            continue;
        };
        let cluster = if usual == Some(source) {
            String::new()
        } else {
            format!(" --cluster {source}")
        };
        add(
            format!("kmk produce{lab} {topic}{cluster} --messages {MESSAGES}"),
            format!("send records to {source}"),
        );
    }
    for flow in &topology.flows {
        let target = &flow.spec.target;
        if !is_open(target) {
            continue;
        }
        if !is_made(&flow.spec.source) {
            add(
                format!("kmk topic list{lab} --cluster {target}"),
                format!("topics mirrored from {}", flow.spec.source),
            );
            continue;
        }
        let Some(remote) = sample_topic(flow).map(|topic| flow.remote_topic(&topic)) else {
            continue;
        };
        let is_same = |other: &&Flow| {
            let theirs = sample_topic(other).map(|topic| other.remote_topic(&topic));
            other.spec.target == *target && theirs.as_ref() == Some(&remote)
        };
        let messages = MESSAGES * topology.flows.iter().filter(is_same).count();
        let what = if topology.flows.len() == 1 {
            "read the mirrored records".to_owned()
        } else {
            format!("read the records mirrored from {}", flow.spec.source)
        };
        add(
            format!("kmk consume{lab} {remote} --cluster {target} --messages {messages}"),
            what,
        );
    }
    if let Some(broker) = topology.clusters.iter().find_map(expendable) {
        add(
            format!("docker kill {}-{broker}-1", topology.project()),
            "replication continues".to_owned(),
        );
        add(format!("kmk deploy{lab}"), "repair the lab".to_owned());
    }
    add(format!("kmk status{lab}"), "check health".to_owned());
    add(format!("kmk destroy{lab}"), "remove everything".to_owned());
    steps
}

/// A topic that the flow takes: the usual one, or one after its own patterns.
fn sample_topic(flow: &Flow) -> Option<String> {
    let rules = Rules::of_flow(flow);
    let like = |pattern: &String| pattern.replace(".*", TOPIC).replace(r"\.", ".");
    let names = rules.topics().iter().map(like);
    [TOPIC.to_owned()]
        .into_iter()
        .chain(names)
        .find(|name| check_topic_name(name).is_ok() && rules.select(name) == Selection::Included)
}

/// A broker that a cluster can do without.
fn expendable(cluster: &Cluster) -> Option<&str> {
    let broker = cluster.brokers.first()?;
    (cluster.replication_factor >= ENOUGH_COPIES).then_some(&broker.service)
}
