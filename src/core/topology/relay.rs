//! The line of a flow resolved: a network that only MirrorMaker and relays are on, and a relay for each broker of the
//! source, under that broker's own name.

use super::cluster::{Broker, Cluster};
use super::flow::most_tasks;
use super::{Topology, address, project};
use crate::core::spec::{LinkSpec, Problem, Spec};
use kmk_kafka::endpoint::Endpoint;
use std::collections::BTreeSet;

/// Relays are given ports behind those of their cluster's brokers, two each.
const FIRST_RELAY_PORT: u16 = 10;
/// Port of toxiproxy's API in its container.
pub const RELAY_API_PORT: u16 = 8474;

/// A line with relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// How it is to be.
    pub spec: LinkSpec,
    /// The network that only the flow's MirrorMaker and the relays are on.
    pub network: String,
    /// One for each broker of the source, in their order.
    pub relays: Vec<Relay>,
    /// How many connections carry records at most: one of each task to each broker; none where that is not known.
    pub connections: Option<u32>,
}

/// A relay: what MirrorMaker takes for a broker of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Compose service.
    pub service: String,
    /// The service of the broker that it leads to.
    pub broker: String,
    /// The cluster of that broker, and its network.
    pub cluster: String,
    /// Where MirrorMaker finds it: the broker's own name and port, on the link's network.
    pub listen: Endpoint,
    /// Where it finds the broker: by its container's name, as the broker's own is the relay's too.
    pub upstream: Endpoint,
    /// Its API on the laptop.
    pub api: Endpoint,
    /// The way through it from the laptop, to measure it.
    pub measure: Endpoint,
}

impl Link {
    /// The line of the flow at `index`, where one is asked for and its source has brokers of the lab.
    pub(super) fn new(spec: &Spec, index: usize, clusters: &[Cluster]) -> Option<Self> {
        let flow = &spec.flows[index];
        let link = flow.link?;
        let source = clusters.iter().find(|one| one.name == flow.source)?;
        let name = format!("link-{}-{}", flow.source, flow.target);
        // those of all flows from there, so that another flow's line moves no port
        let before = spec.flows[..index].iter();
        let before = before.filter(|other| other.source == flow.source).count();
        let first = before * source.brokers.len();
        let relays = source.brokers.iter().enumerate();
        let brokers = u32::try_from(source.brokers.len()).unwrap_or(u32::MAX);
        let relay = |(at, broker): (usize, &Broker)| {
            let service = match source.brokers.len() {
                1 => name.clone(),
                _ => format!("{name}-{}", broker.node_id),
            };
            let offset = u16::try_from(2 * (first + at)).unwrap_or(u16::MAX);
            let port = source.brokers[0].outside.port;
            let port = port.saturating_add(FIRST_RELAY_PORT.saturating_add(offset));
            let host = address(spec).to_string();
            Relay {
                service,
                broker: broker.service.clone(),
                cluster: source.name.clone(),
                listen: broker.inside.clone(),
                upstream: Endpoint::new(container(&spec.lab, &broker.service), broker.inside.port),
                api: Endpoint::new(host.clone(), port),
                measure: Endpoint::new(host, port.saturating_add(1)),
            }
        };
        Some(Self {
            spec: link,
            network: name.clone(),
            relays: relays.map(relay).collect(),
            connections: most_tasks(flow, &spec.clusters)
                .map(|tasks| tasks.saturating_mul(brokers)),
        })
    }
}

/// What compose calls the container of a service.
fn container(lab: &str, service: &str) -> String {
    format!("{}-{service}-1", project(lab))
}

impl Topology {
    /// Every relay, in the order of the flows.
    pub fn relays(&self) -> impl Iterator<Item = &Relay> {
        let links = self.flows.iter().filter_map(|flow| flow.link.as_ref());
        links.flat_map(|link| &link.relays)
    }

    /// The network on which the MirrorMaker of `target` finds the brokers of `source`, or relays in their place.
    pub fn network_to<'a>(&'a self, source: &'a str, target: &str) -> &'a str {
        let mut flows = self.flows.iter();
        let flow = flows.find(|flow| flow.spec.source == source && flow.spec.target == target);
        let link = flow.and_then(|flow| flow.link.as_ref());
        link.map_or(source, |link| &link.network)
    }

    /// Lines whose network has the name of another.
    pub(super) fn network_clashes(&self) -> Vec<Problem> {
        let made = self.clusters.iter().filter(|one| one.existing().is_none());
        let mut given: BTreeSet<&str> = made.map(|cluster| cluster.name.as_str()).collect();
        let mut clashes = Vec::new();
        for flow in &self.flows {
            let network = flow.link.as_ref().map(|link| &link.network);
            if let Some(network) = network.filter(|network| !given.insert(network)) {
                clashes.push(Problem::Link {
                    flow: flow.name(),
                    reason: format!("two networks would be called `{network}`"),
                });
            }
        }
        clashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario::Scenario;
    use crate::core::spec::{ClusterSpec, FlowSpec, Millis};

    fn linked(scenario: Scenario, flows: &[usize]) -> Topology {
        let mut spec = scenario.spec("demo");
        for index in flows {
            let rtt = Some(Millis(80));
            spec.flows[*index].link = Some(LinkSpec {
                rtt,
                ..LinkSpec::default()
            });
        }
        Topology::new(&spec)
    }

    #[test]
    fn a_relay_takes_its_brokers_name_and_finds_it_by_its_containers() {
        let topology = linked(Scenario::Dr, &[0]);
        let relays: Vec<&Relay> = topology.relays().collect();
        let [relay] = relays[..] else {
            panic!("{relays:?}")
        };
        assert_eq!(relay.service, "link-primary-secondary");
        assert_eq!(relay.listen.to_string(), "primary:9092");
        assert_eq!(relay.upstream.to_string(), "kmk-demo-primary-1:9092");
        assert_eq!(relay.api.to_string(), "127.0.0.1:19102");
        assert_eq!(relay.measure.to_string(), "127.0.0.1:19103");
        assert_eq!(
            topology.network_to("primary", "secondary"),
            "link-primary-secondary"
        );
        assert_eq!(
            topology.services(),
            [
                "primary",
                "secondary",
                "link-primary-secondary",
                "mm2-secondary"
            ]
        );
        assert!(topology.port_clashes().is_empty() && topology.worker_clashes().is_empty());
    }

    #[test]
    fn each_broker_has_a_relay_and_another_flow_moves_no_port() {
        let topology = linked(Scenario::Ha, &[0]);
        let services: Vec<&str> = topology.relays().map(|one| one.service.as_str()).collect();
        assert_eq!(
            services,
            [1, 2, 3].map(|n| format!("link-primary-secondary-{n}"))
        );
        let ports = |flows: &[usize]| {
            let topology = linked(Scenario::FanOut, flows);
            let relays = topology.relays();
            let ports: Vec<u16> = relays.map(|relay| relay.api.port).collect();
            assert!(topology.port_clashes().is_empty());
            ports
        };
        assert_eq!(ports(&[0, 1]), [19102, 19104]);
        assert_eq!(ports(&[1]), [19104]);
        let one = linked(Scenario::FanOut, &[1]);
        assert_eq!(one.network_to("hub", "edge-1"), "hub");
    }

    #[test]
    fn each_task_has_a_connection_to_each_broker() {
        let connections = |scenario: Scenario, tasks: Option<&str>, workers| {
            let mut spec = scenario.spec("demo");
            spec.flows[0].link = Some(LinkSpec::default());
            let tasks = tasks.map(|tasks| ("tasks.max".to_owned(), tasks.to_owned()));
            spec.flows[0].settings = tasks.into_iter().collect();
            spec.clusters[1].mirrormakers = workers;
            let topology = Topology::new(&spec);
            topology.flows[0].link.as_ref().unwrap().connections
        };
        assert_eq!(connections(Scenario::Dr, None, None), Some(1));
        assert_eq!(connections(Scenario::Ha, None, None), Some(3));
        assert_eq!(connections(Scenario::Ha, Some("4"), None), Some(12));
        assert_eq!(connections(Scenario::Dr, None, Some(2)), Some(4));
        assert_eq!(connections(Scenario::Dr, Some("${env:TASKS}"), None), None);
    }

    #[test]
    fn names_that_a_line_would_share_are_refused() {
        let mut spec = Scenario::Dr.spec("demo");
        spec.flows[0].link = Some(LinkSpec::default());
        spec.clusters
            .push(ClusterSpec::new("link-primary-secondary"));
        let clashes = Topology::new(&spec).worker_clashes();
        assert!(
            matches!(
                clashes[..],
                [Problem::ServiceTwice { .. }, Problem::Link { .. }]
            ),
            "{clashes:?}"
        );
        spec.flows[0].link = None;
        assert!(Topology::new(&spec).worker_clashes().is_empty());
        // one name for two lines
        let mut spec = Scenario::Dr.spec("demo");
        spec.clusters = ["a", "a-b", "b-c", "c"].map(ClusterSpec::new).to_vec();
        spec.flows = [("a", "b-c"), ("a-b", "c")]
            .map(|(source, target)| FlowSpec {
                link: Some(LinkSpec::default()),
                ..FlowSpec::new(source, target)
            })
            .to_vec();
        assert_eq!(Topology::new(&spec).worker_clashes().len(), 2);
    }

    #[test]
    fn more_relays_than_a_cluster_has_ports_for_are_refused() {
        let mut spec = Scenario::Ha.spec("demo");
        spec.clusters[0].brokers = 9;
        for name in ["c3", "c4", "c5", "c6", "c7"] {
            spec.clusters.push(ClusterSpec::new(name));
            spec.flows.push(FlowSpec::new("primary", name));
        }
        for flow in &mut spec.flows {
            flow.link = Some(LinkSpec::default());
        }
        assert!(!Topology::new(&spec).port_clashes().is_empty());
    }
}
