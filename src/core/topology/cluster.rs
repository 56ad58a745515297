//! A cluster resolved: its brokers, their addresses, and the Kafka that they run.

use super::existing::{Access, Existing, Origin};
use super::image::KafkaImage;
use super::{address, default_port};
use crate::core::digest;
use crate::core::spec::{ClusterSpec, Spec};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kmk_kafka::endpoint::Endpoint;
use std::collections::BTreeMap;

/// Port of every broker inside its network.
const INSIDE_PORT: u16 = 9092;

/// A resolved cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Name, alias and, of one that kmk makes, network.
    pub name: String,
    /// Whether kmk makes it.
    pub origin: Origin,
    /// Kafka's `CLUSTER_ID`: 16 bytes in URL-safe base64, fixed by lab and name.
    pub id: String,
    /// The Kafka that its brokers run; its tag may tell the version. Of an existing cluster nothing is known: the lab's.
    pub image: KafkaImage,
    /// At least one; none of an existing cluster.
    pub brokers: Vec<Broker>,
    /// Partitions of topics that are created without saying how many.
    pub partitions: u32,
    /// Replicas of every topic: one a broker, three at most; 0 of an existing cluster, which says itself.
    pub replication_factor: u16,
    /// Whether brokers put their own time on records. Only on clusters that are no target: a target must keep the source's time.
    /// Of an existing cluster it is not assumed.
    pub stamps_time: bool,
    /// MirrorMakers that share the work of the flows into it, where there are any flows.
    pub mirrormakers: u16,
    /// Whether they write in transactions, each record exactly once.
    pub exactly_once: bool,
    /// What was asked of its brokers beyond all this, by Kafka's names.
    pub settings: BTreeMap<String, String>,
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
    /// Address on the laptop, or wherever its port is published.
    pub outside: Endpoint,
}

impl Cluster {
    pub(super) fn new(spec: &Spec, index: u16, cluster: &ClusterSpec) -> Self {
        let first_port = cluster.port.unwrap_or_else(|| default_port(index));
        let host = address(spec).to_string();
        let id = digest::bytes(&format!("{}/{}", spec.lab, cluster.name));
        Self {
            name: cluster.name.clone(),
            origin: if cluster.is_existing() {
                Origin::Existing(Existing::new(cluster))
            } else {
                Origin::Made
            },
            image: KafkaImage::new(cluster.image.as_deref().or(spec.image.as_deref())),
            id: URL_SAFE_NO_PAD.encode(&id[..16]),
            brokers: (1..=cluster.brokers)
                .map(|node_id| Broker::new(cluster, node_id, &host, first_port))
                .collect(),
            partitions: cluster.partitions,
            replication_factor: cluster.brokers.min(3),
            stamps_time: !cluster.is_existing()
                && spec.flows.iter().all(|flow| flow.target != cluster.name),
            mirrormakers: cluster.mirrormakers.unwrap_or(1),
            exactly_once: cluster.exactly_once,
            settings: cluster.settings.clone(),
        }
    }

    /// What is known of it where it existed before.
    pub fn existing(&self) -> Option<&Existing> {
        match &self.origin {
            Origin::Made => None,
            Origin::Existing(existing) => Some(existing),
        }
    }

    /// Whether kmk's own clients are let in.
    pub fn access(&self) -> Access {
        self.existing().map_or(Access::Open, |there| there.access)
    }

    /// Addresses of its brokers in containers, as `bootstrap.servers` takes them: all of them inside the cluster's
    /// network or, of an existing cluster, those that are known.
    pub fn bootstrap_inside(&self) -> String {
        join(&self.inside())
    }

    /// The same as addresses.
    pub fn inside(&self) -> Vec<Endpoint> {
        let made = || self.brokers.iter().map(|b| b.inside.clone()).collect();
        self.existing().map_or_else(made, Existing::inside)
    }

    /// Addresses of its brokers on the laptop, as `bootstrap.servers` takes them.
    pub fn bootstrap_outside(&self) -> String {
        join(&self.endpoints())
    }

    /// Addresses of all brokers on the laptop; of an existing cluster, those that are known.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let made = || self.brokers.iter().map(|b| b.outside.clone()).collect();
        self.existing()
            .map_or_else(made, |there| there.endpoints.clone())
    }

    /// The ports on the laptop that its brokers are given; none of an existing cluster.
    pub fn published(&self) -> impl Iterator<Item = &Endpoint> {
        self.brokers.iter().map(|broker| &broker.outside)
    }

    /// How many copies MirrorMaker is told to make of a topic here; -1 leaves it to the brokers (KIP-464).
    pub fn copies(&self) -> String {
        match self.origin {
            Origin::Made => self.replication_factor.to_string(),
            Origin::Existing(_) => "-1".to_owned(),
        }
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

fn join(endpoints: &[Endpoint]) -> String {
    let texts: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    texts.join(",")
}

impl Broker {
    fn new(cluster: &ClusterSpec, node_id: u16, host: &str, first_port: u16) -> Self {
        let service = if cluster.brokers == 1 {
            cluster.name.clone()
        } else {
            format!("{}-{node_id}", cluster.name)
        };
        Self {
            node_id,
            volume: format!("{service}-data"),
            inside: Endpoint::new(service.clone(), INSIDE_PORT),
            outside: Endpoint::new(host, first_port.saturating_add(node_id - 1)),
            service,
        }
    }
}
