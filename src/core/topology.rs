//! The [`Spec`] resolved: every port, listener, network, service, remote topic and address is computed here, once.
//!
//! Pure: knows nothing of docker, files or connections.

use crate::core::digest;
use crate::core::endpoint::Endpoint;
use crate::core::spec::{ClusterSpec, FlowSpec, Naming, Problem, Spec};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;

/// The Kafka that a lab runs unless another is asked for. The one place that says so.
pub const KAFKA_VERSION: &str = "3.9.2";
/// The official image; its tags are Kafka's versions.
pub const OFFICIAL_IMAGE: &str = "apache/kafka";
/// What `dev/kafka-image.sh` builds where no image registry answers.
pub const STAND_IN_IMAGE: &str = "kmk-kafka";
/// Names another image; also understood by the rendered compose file.
pub const IMAGE_VARIABLE: &str = "KMK_KAFKA_IMAGE";

/// Topic through which kmk sends a record to know that a flow replicates.
const CANARY: &str = "kmk-canary";
/// Port of the first cluster's first broker on the laptop: below the range that systems hand out by themselves (32768 and up).
const FIRST_PORT: u16 = 19092;
const PORTS_PER_CLUSTER: u16 = 100;
/// Port of every broker inside its network.
const INSIDE_PORT: u16 = 9092;
/// Where ports are published, and what brokers advertise to the laptop. Not `localhost`: that may mean `::1` first.
pub const LOOPBACK: &str = "127.0.0.1";

/// A resolved lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// What it was resolved from.
    pub spec: Spec,
    /// In the order of the spec.
    pub clusters: Vec<Cluster>,
    /// One for every cluster that is a target.
    pub mirrors: Vec<Mirror>,
    /// In the order of the spec.
    pub flows: Vec<Flow>,
}

/// A resolved cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Name, alias and network.
    pub name: String,
    /// Kafka's `CLUSTER_ID`: 16 bytes in URL-safe base64, fixed by lab and name.
    pub id: String,
    /// At least one.
    pub brokers: Vec<Broker>,
    /// Partitions of topics that are created without saying how many.
    pub partitions: u32,
    /// Replicas of every topic: one a broker, three at most.
    pub replication_factor: u16,
    /// Whether brokers put their own time on records. Only on clusters that are no target: a target must keep the source's time.
    pub stamps_time: bool,
}

/// A resolved broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Compose service, and host name inside the network.
    pub service: String,
    /// Kafka's `node.id`, from 1.
    pub node_id: u16,
    /// Its volume, as compose names it.
    pub volume: String,
    /// Address inside the cluster's network.
    pub inside: Endpoint,
    /// Address on the laptop.
    pub outside: Endpoint,
}

/// A resolved MirrorMaker: runs beside its target and writes only there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Compose service.
    pub service: String,
    /// The cluster it writes to.
    pub target: String,
    /// The clusters it reads.
    pub sources: Vec<String>,
}

/// A resolved flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What it was resolved from.
    pub spec: FlowSpec,
    /// Source topic of this flow's canary.
    pub canary: String,
}

impl Topology {
    /// Resolves a valid spec. An invalid one resolves to something that cannot run: call [`Spec::validate`] first.
    pub fn new(spec: &Spec) -> Self {
        Self {
            spec: spec.clone(),
            clusters: (0u16..)
                .zip(&spec.clusters)
                .map(|(index, cluster)| Cluster::new(spec, index, cluster))
                .collect(),
            mirrors: spec
                .clusters
                .iter()
                .filter_map(|cluster| Mirror::new(spec, &cluster.name))
                .collect(),
            flows: spec.flows.iter().map(Flow::new).collect(),
        }
    }

    /// Ports that two brokers would listen on.
    pub fn port_clashes(&self) -> Vec<Problem> {
        let mut given: BTreeMap<u16, &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for cluster in &self.clusters {
            for Endpoint { port, .. } in cluster.endpoints() {
                if let Some(one) = given.insert(port, &cluster.name) {
                    clashes.push(Problem::PortTwice {
                        port,
                        one: one.to_owned(),
                        other: cluster.name.clone(),
                    });
                }
            }
        }
        clashes
    }

    /// The compose project: containers, networks and volumes are named after it.
    pub fn project(&self) -> String {
        project(&self.spec.lab)
    }

    /// The image as the compose file writes it: one that was asked for, or the default, which a variable can replace.
    pub fn image_expression(&self) -> String {
        self.spec
            .image
            .clone()
            .unwrap_or_else(|| format!("${{{IMAGE_VARIABLE}:-{}}}", official_image(KAFKA_VERSION)))
    }

    /// The cluster of that name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// The flow that would have written `topic` on `cluster`, if its name says so: such topics are MirrorMaker's to write.
    pub fn flow_into(&self, cluster: &str, topic: &str) -> Option<&Flow> {
        self.flows
            .iter()
            .find(|flow| flow.spec.target == cluster && flow.source_topic(topic).is_some())
    }

    /// Every service of the lab: brokers first.
    pub fn services(&self) -> Vec<String> {
        let brokers = self.clusters.iter().flat_map(|c| &c.brokers);
        brokers
            .map(|broker| broker.service.clone())
            .chain(self.mirrors.iter().map(|mirror| mirror.service.clone()))
            .collect()
    }
}

/// The compose project of a lab.
pub fn project(lab: &str) -> String {
    format!("kmk-{lab}")
}

/// The official image of a Kafka version.
pub fn official_image(version: &str) -> String {
    format!("{OFFICIAL_IMAGE}:{version}")
}

/// The port that the cluster at `index` of a lab is given, unless another is asked for.
pub fn default_port(index: u16) -> u16 {
    FIRST_PORT.saturating_add(PORTS_PER_CLUSTER.saturating_mul(index))
}

impl Cluster {
    fn new(spec: &Spec, index: u16, cluster: &ClusterSpec) -> Self {
        let first_port = cluster.port.unwrap_or_else(|| default_port(index));
        let id = digest::bytes(&format!("{}/{}", spec.lab, cluster.name));
        Self {
            name: cluster.name.clone(),
            id: URL_SAFE_NO_PAD.encode(&id[..16]),
            brokers: (1..=cluster.brokers)
                .map(|node_id| Broker::new(cluster, node_id, first_port))
                .collect(),
            partitions: cluster.partitions,
            replication_factor: cluster.brokers.min(3),
            stamps_time: spec.flows.iter().all(|flow| flow.target != cluster.name),
        }
    }

    /// Addresses of all brokers inside the cluster's network, as `bootstrap.servers` takes them.
    pub fn bootstrap_inside(&self) -> String {
        join(self.brokers.iter().map(|broker| &broker.inside))
    }

    /// Addresses of all brokers on the laptop, as `bootstrap.servers` takes them.
    pub fn bootstrap_outside(&self) -> String {
        join(self.brokers.iter().map(|broker| &broker.outside))
    }

    /// Addresses of all brokers on the laptop.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.brokers.iter().map(|b| b.outside.clone()).collect()
    }

    /// Kafka's `controller.quorum.voters`.
    pub fn quorum(&self) -> String {
        let voters = self.brokers.iter();
        let voters: Vec<String> = voters
            .map(|broker| format!("{}@{}:9093", broker.node_id, broker.service))
            .collect();
        voters.join(",")
    }
}

fn join<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> String {
    let texts: Vec<String> = endpoints.map(ToString::to_string).collect();
    texts.join(",")
}

impl Broker {
    fn new(cluster: &ClusterSpec, node_id: u16, first_port: u16) -> Self {
        let service = if cluster.brokers == 1 {
            cluster.name.clone()
        } else {
            format!("{}-{node_id}", cluster.name)
        };
        Self {
            node_id,
            volume: format!("{service}-data"),
            inside: Endpoint::new(service.clone(), INSIDE_PORT),
            outside: Endpoint::new(LOOPBACK, first_port.saturating_add(node_id - 1)),
            service,
        }
    }
}

impl Mirror {
    fn new(spec: &Spec, target: &str) -> Option<Self> {
        let flows = spec.flows.iter().filter(|flow| flow.target == target);
        let sources: Vec<String> = flows.map(|flow| flow.source.clone()).collect();
        (!sources.is_empty()).then(|| Self {
            service: format!("mm2-{target}"),
            target: target.to_owned(),
            sources,
        })
    }
}

impl Flow {
    fn new(spec: &FlowSpec) -> Self {
        Self {
            spec: spec.clone(),
            canary: match spec.naming {
                Naming::Prefix => CANARY.to_owned(),
                Naming::Same => format!("{CANARY}-{}", spec.source),
            },
        }
    }

    /// What `topic` of the source is called on the target.
    pub fn remote_topic(&self, topic: &str) -> String {
        match self.spec.naming {
            Naming::Prefix => format!("{}.{topic}", self.spec.source),
            Naming::Same => topic.to_owned(),
        }
    }

    /// The source topic that `topic` of the target is a copy of, if its name says so: with unchanged names none does.
    pub fn source_topic<'a>(&self, topic: &'a str) -> Option<&'a str> {
        match self.spec.naming {
            Naming::Prefix => topic.strip_prefix(&self.spec.source)?.strip_prefix('.'),
            Naming::Same => None,
        }
    }

    /// `source->target`, as MirrorMaker's properties write it.
    pub fn name(&self) -> String {
        format!("{}->{}", self.spec.source, self.spec.target)
    }
}

/// Whether a topic belongs to Kafka, MirrorMaker or kmk rather than to a person. MirrorMaker copies none of these but the canary.
pub fn is_internal(topic: &str) -> bool {
    topic.starts_with("__")
        || topic.starts_with('.')
        || topic.ends_with(".internal")
        || topic.ends_with("-internal")
        || topic == "heartbeats"
        || topic == CANARY
        || topic.starts_with("kmk-canary-")
        || topic.ends_with(".heartbeats")
        || topic.ends_with(".kmk-canary")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::scenario;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_default_lab() {
        let topology = Topology::new(&scenario::dr("demo"));
        assert_eq!(
            topology.services(),
            ["primary", "secondary", "mm2-secondary"]
        );
        let addresses: Vec<_> = topology
            .clusters
            .iter()
            .map(Cluster::bootstrap_outside)
            .collect();
        assert_eq!(addresses, ["127.0.0.1:19092", "127.0.0.1:19192"]);
        assert!(topology.clusters[0].stamps_time && !topology.clusters[1].stamps_time);
        assert_eq!(topology.flows[0].remote_topic("orders"), "primary.orders");
        assert!(topology.flow_into("secondary", "primary.orders").is_some());
        assert!(topology.flow_into("primary", "primary.orders").is_none());
        assert!(topology.flow_into("secondary", "primaryorders").is_none());
    }

    fn any_spec() -> impl Strategy<Value = Spec> {
        let cluster = (1u16..=9, 1u32..20);
        let pairs = proptest::collection::vec((any::<usize>(), any::<usize>()), 0..12);
        (proptest::collection::vec(cluster, 1..12), pairs).prop_map(|(clusters, pairs)| {
            let clusters: Vec<ClusterSpec> = clusters
                .into_iter()
                .enumerate()
                .map(|(index, (brokers, partitions))| ClusterSpec {
                    brokers,
                    partitions,
                    ..ClusterSpec::new(&format!("c{index}"))
                })
                .collect();
            let count = clusters.len();
            let pairs: BTreeSet<_> = pairs.iter().map(|(a, b)| (a % count, b % count)).collect();
            let flows = pairs.into_iter().filter(|(a, b)| a != b);
            let flows = flows.map(|(a, b)| FlowSpec::new(&format!("c{a}"), &format!("c{b}")));
            Spec {
                lab: "any".to_owned(),
                image: None,
                flows: flows.collect(),
                clusters,
            }
        })
    }

    proptest! {
        #[test]
        fn no_two_things_share_a_name_or_a_port(spec in any_spec()) {
            prop_assert_eq!(spec.validate(), Ok(()));
            let topology = Topology::new(&spec);
            let brokers: Vec<&Broker> = topology.clusters.iter().flat_map(|c| &c.brokers).collect();
            let ports: BTreeSet<u16> = brokers.iter().map(|b| b.outside.port).collect();
            prop_assert_eq!(ports.len(), brokers.len());
            let services: BTreeSet<String> = topology.services().into_iter().collect();
            prop_assert_eq!(services.len(), brokers.len() + topology.mirrors.len());
            let ids: BTreeSet<&str> = topology.clusters.iter().map(|c| c.id.as_str()).collect();
            prop_assert_eq!(ids.len(), topology.clusters.len());
            prop_assert!(topology.clusters.iter().all(|c| c.id.len() == 22));
        }

        #[test]
        fn a_remote_topic_leads_back_to_its_source(topic in "[a-zA-Z0-9._-]{1,40}") {
            let flow = Flow::new(&FlowSpec::new("primary", "secondary"));
            let remote = flow.remote_topic(&topic);
            prop_assert_eq!(flow.source_topic(&remote), Some(topic.as_str()));
        }
    }
}
