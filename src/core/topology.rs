//! The [`Spec`] resolved: every port, listener, network, service, remote topic and address is computed here, once.
//!
//! Pure: no docker, no files, no connections.

mod batch;
mod cluster;
mod existing;
mod flow;
mod footprint;
mod image;
mod internal_topics;
mod memory;
mod relay;
mod replication_policy;
mod version;

pub use batch::{BATCH_LIMITS, BATCH_LIMITS_OF_BROKERS, FULL_BATCH, MAX_RECORD_BYTES};
pub use cluster::{Broker, Cluster};
pub use existing::{Access, Existing, HOST, Origin};
pub use flow::{Flow, Mirror, Proof, TASKS_A_WORKER};
pub use footprint::Footprint;
pub use image::{
    DATA_IS_NEWER, IMAGE_VARIABLE, KAFKA_VERSION, KafkaImage, NEXT_KAFKA_VERSION, OFFICIAL_IMAGE,
    OLDEST_KAFKA, OLDEST_OFFICIAL, RELAY_IMAGE_VARIABLE, RelayImage, STAND_IN_IMAGE,
    TOXIPROXY_VERSION, official_image,
};
pub use internal_topics::{
    checkpoints_topic, configs_topic, offset_syncs_topic, offsets_topic, status_topic,
};
pub use memory::Memory;
pub use relay::{Link, RELAY_API_PORT, Relay};
pub use replication_policy::{HEARTBEATS, InternalName, TRANSACTIONS, is_heartbeats, is_internal};
pub use version::Version;

use crate::core::spec::{Problem, Spec};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// Topic through which `kmk verify` sends its records, unless told otherwise.
const VERIFY: &str = "kmk-verify";
/// Port of the first cluster's first broker on the laptop: below the range that systems hand out by themselves (32768 and up).
const FIRST_PORT: u16 = 19092;
const PORTS_PER_CLUSTER: u16 = 100;
/// The variable in which a worker of MirrorMaker finds its own service name.
pub const WORKER_VARIABLE: &str = "KMK_WORKER";
/// The oldest Kafka of which several MirrorMakers can share the work (KIP-710).
const OLDEST_THAT_SHARES: (u32, u32) = (3, 5);
/// Where ports are published, and what brokers advertise to the laptop, unless another address is asked for. Not
/// `localhost`: that may mean `::1` first.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A resolved lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// What it was resolved from.
    pub spec: Spec,
    /// What each JVM and its container may take.
    pub memory: Memory,
    /// In the order of the spec.
    pub clusters: Vec<Cluster>,
    /// One for every cluster that is a target.
    pub mirrors: Vec<Mirror>,
    /// In the order of the spec.
    pub flows: Vec<Flow>,
}

impl Topology {
    /// Resolves a valid spec. An invalid one resolves to something that cannot run: call [`Spec::validate`] first.
    pub fn new(spec: &Spec) -> Self {
        let clusters: Vec<Cluster> = (0u16..)
            .zip(&spec.clusters)
            .map(|(index, cluster)| Cluster::new(spec, index, cluster))
            .collect();
        Self {
            spec: spec.clone(),
            memory: Memory::new(spec.memory),
            mirrors: clusters
                .iter()
                .filter_map(|target| Mirror::new(spec, target, &clusters))
                .collect(),
            flows: (0..spec.flows.len())
                .map(|index| Flow {
                    link: Link::new(spec, index, &clusters),
                    ..Flow::new(&spec.flows[index], &spec.clusters)
                })
                .collect(),
            clusters,
        }
    }

    /// Ports that two brokers would listen on.
    pub fn port_clashes(&self) -> Vec<Problem> {
        let mut given: BTreeMap<u16, &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for (cluster, port) in self.published() {
            if let Some(one) = given.insert(port, cluster) {
                clashes.push(Problem::PortTwice {
                    port,
                    one: one.to_owned(),
                    other: cluster.to_owned(),
                });
            }
        }
        clashes
    }

    /// Every port that the lab publishes, with its cluster: those of brokers, then those of relays to them.
    pub fn published(&self) -> impl Iterator<Item = (&str, u16)> {
        let brokers = self.clusters.iter().flat_map(|cluster| {
            let published = cluster.published();
            published.map(|endpoint| (cluster.name.as_str(), endpoint.port))
        });
        let relays = self.relays().flat_map(|relay| {
            let ports = [relay.api.port, relay.measure.port];
            ports.map(|port| (relay.cluster.as_str(), port))
        });
        brokers.chain(relays)
    }

    /// What the numbers of brokers and MirrorMakers lead to and cannot be: services of one name, and MirrorMakers too old
    /// to share their work.
    pub fn worker_clashes(&self) -> Vec<Problem> {
        let brokers = self.clusters.iter().flat_map(|cluster| {
            let services = cluster.brokers.iter().map(|b| &b.service);
            services.map(|service| (service, &cluster.name))
        });
        let workers = self.mirrors.iter().flat_map(|mirror| {
            let services = mirror.workers.iter();
            services.map(|service| (service, &mirror.target))
        });
        let relays = self.relays().map(|relay| (&relay.service, &relay.cluster));
        let mut given: BTreeMap<&str, &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for (service, cluster) in brokers.chain(relays).chain(workers) {
            if let Some(one) = given.insert(service, cluster) {
                clashes.push(Problem::ServiceTwice {
                    service: service.clone(),
                    one: one.to_owned(),
                    other: cluster.clone(),
                });
            }
        }
        clashes.extend(self.network_clashes());
        let is_old = |mirror: &&Mirror| {
            let version = mirror.image.version();
            version.is_some_and(|version| version.is_below(OLDEST_THAT_SHARES))
        };
        let old = self.mirrors.iter().filter(is_old);
        let once = old.clone().filter(|mirror| mirror.exactly_once);
        clashes.extend(once.map(|mirror| Problem::NotOnce {
            cluster: mirror.target.clone(),
            image: mirror.image.name(),
        }));
        let several = old.filter(|mirror| mirror.workers.len() > 1);
        clashes.extend(several.map(|mirror| Problem::CannotShare {
            cluster: mirror.target.clone(),
            mirrormakers: mirror.workers.len(),
            image: mirror.image.name(),
        }));
        clashes
    }

    /// The MirrorMaker that carries flows into a cluster.
    pub fn mirror_of(&self, target: &str) -> Option<&Mirror> {
        self.mirrors.iter().find(|mirror| mirror.target == target)
    }

    /// Whether some MirrorMaker is several workers that have to talk to each other.
    pub fn shares_work(&self) -> bool {
        self.mirrors.iter().any(|mirror| mirror.workers.len() > 1)
    }

    /// Whether workers listen for each other: those that share work, and, with exactly once, also one alone.
    pub fn has_listeners(&self) -> bool {
        self.shares_work() || self.mirrors.iter().any(|mirror| mirror.exactly_once)
    }

    /// The compose project: containers, networks and volumes are named after it.
    pub fn project(&self) -> String {
        project(&self.spec.lab)
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

    /// The first flow that would write a topic of that name, if its name says so.
    pub fn flow_of_copy(&self, topic: &str) -> Option<&Flow> {
        self.flows
            .iter()
            .find(|flow| flow.source_topic(topic).is_some())
    }

    /// Every service of the lab: brokers first, relays, and MirrorMakers last.
    pub fn services(&self) -> Vec<String> {
        let brokers = self.clusters.iter().flat_map(|cluster| &cluster.brokers);
        let workers = self.mirrors.iter().flat_map(|mirror| &mirror.workers);
        let brokers = brokers.map(|broker| &broker.service);
        let relays = self.relays().map(|relay| &relay.service);
        brokers.chain(relays).chain(workers).cloned().collect()
    }

    /// The Kafka image that a service runs; none of a relay.
    pub fn image_of(&self, service: &str) -> Option<&KafkaImage> {
        self.services_with_images()
            .find_map(|(name, image)| (name == service).then_some(image))
    }

    /// Every Kafka image that a service runs, once.
    pub fn images(&self) -> BTreeSet<&KafkaImage> {
        self.services_with_images()
            .map(|(_, image)| image)
            .collect()
    }

    fn services_with_images(&self) -> impl Iterator<Item = (&str, &KafkaImage)> {
        let brokers = self.clusters.iter().flat_map(|cluster| {
            let services = cluster.brokers.iter().map(|b| b.service.as_str());
            services.map(|service| (service, &cluster.image))
        });
        let mirrors = self.mirrors.iter().flat_map(|mirror| {
            let workers = mirror.workers.iter().map(String::as_str);
            workers.map(|service| (service, &mirror.image))
        });
        brokers.chain(mirrors)
    }
}

/// The address on which a lab's ports are published, and which its brokers advertise.
pub fn address(spec: &Spec) -> IpAddr {
    spec.bind.unwrap_or(LOOPBACK)
}

/// The compose project of a lab.
pub fn project(lab: &str) -> String {
    format!("kmk-{lab}")
}

/// The port that the cluster at `index` of a lab is given, unless another is asked for.
pub fn default_port(index: u16) -> u16 {
    FIRST_PORT.saturating_add(PORTS_PER_CLUSTER.saturating_mul(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::sample::any_spec;
    use crate::core::spec::scenario;
    use crate::core::spec::{ClusterSpec, FlowSpec, Naming};
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
        assert_eq!(topology.images().len(), 1);
    }

    #[test]
    fn a_cluster_runs_its_own_image_or_the_lab_s() {
        let mut spec = scenario::dr("demo");
        spec.image = Some("my/kafka:1".to_owned());
        spec.clusters[1].image = Some(official_image(NEXT_KAFKA_VERSION));
        let topology = Topology::new(&spec);
        let name = |service: &str| topology.image_of(service).map(KafkaImage::name);
        assert_eq!(name("primary").as_deref(), Some("my/kafka:1"));
        let next = Some("apache/kafka:4.2.0");
        assert_eq!(name("secondary").as_deref(), next);
        // of the source's image nothing is known
        assert_eq!(name("mm2-secondary").as_deref(), next);
        assert_eq!(name("third"), None);
        assert_eq!(topology.images().len(), 2);
    }

    #[test]
    fn several_mirrormakers_are_numbered_and_never_called_as_another_service() {
        let mut spec = scenario::dr("demo");
        spec.clusters[1].mirrormakers = Some(1);
        let one = Topology::new(&spec);
        assert_eq!(one.mirrors[0].workers, ["mm2-secondary"]);
        assert!(!one.shares_work() && one.worker_clashes().is_empty());
        spec.clusters[1].mirrormakers = Some(2);
        let two = Topology::new(&spec);
        assert_eq!(two.services()[2..], ["mm2-secondary-1", "mm2-secondary-2"]);
        assert!(two.shares_work() && two.worker_clashes().is_empty());
        spec.image = Some(official_image("3.4.1"));
        let clashes = Topology::new(&spec).worker_clashes();
        assert!(
            matches!(
                clashes[..],
                [Problem::CannotShare {
                    mirrormakers: 2,
                    ..
                }]
            ),
            "{clashes:?}"
        );
        spec.image = None;
        let third = ClusterSpec::new("secondary-2");
        spec.flows.push(FlowSpec::new("primary", &third.name));
        spec.clusters.push(third);
        let clashes = Topology::new(&spec).worker_clashes();
        assert!(
            matches!(clashes[..], [Problem::ServiceTwice { .. }]),
            "{clashes:?}"
        );
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
            let workers: usize = topology.mirrors.iter().map(|mirror| mirror.workers.len()).sum();
            let relays = topology.relays().count();
            prop_assert_eq!(services.len(), brokers.len() + relays + workers);
            let ids: BTreeSet<&str> = topology.clusters.iter().map(|c| c.id.as_str()).collect();
            prop_assert_eq!(ids.len(), topology.clusters.len());
            prop_assert!(topology.clusters.iter().all(|c| c.id.len() == 22));
        }

        #[test]
        fn no_mirror_is_older_than_a_cluster_that_it_joins(spec in any_spec()) {
            let topology = Topology::new(&spec);
            for mirror in &topology.mirrors {
                let Some(newest) = mirror.image.version() else { continue };
                for name in mirror.sources.iter().chain([&mirror.target]) {
                    let cluster = topology.cluster(name).unwrap();
                    prop_assert!(cluster.image.version().is_none_or(|version| version <= newest));
                }
                let images = topology.clusters.iter().map(|cluster| &cluster.image);
                prop_assert!(images.into_iter().any(|image| *image == mirror.image));
            }
        }

        #[test]
        fn a_remote_topic_leads_back_to_its_source(topic in "[a-zA-Z0-9._-]{1,40}") {
            let mut spec = FlowSpec::new("primary", "secondary");
            let flow = Flow::new(&spec, &[]);
            let remote = flow.remote_topic(&topic);
            prop_assert_eq!(flow.source_topic(&remote), Some(topic.as_str()));
            // whose names stay the same do not lead back, but for heartbeats
            spec.naming = Naming::Same;
            let flow = Flow::new(&spec, &[]);
            let remote = flow.remote_topic(&format!("{topic}heartbeats"));
            prop_assert_eq!(flow.source_topic(&remote).unwrap(), format!("{topic}heartbeats"));
        }
    }
}
