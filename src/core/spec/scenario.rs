//! The ready-made labs.

use crate::core::spec::{ClusterSpec, FlowSpec, Naming, Spec};
use serde::{Serialize, Serializer};
use std::fmt;

/// A ready-made lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scenario {
    /// Disaster recovery: a copy elsewhere.
    #[default]
    Dr,
    /// Two clusters that both take records, each with a copy of the other's.
    ActiveActive,
    /// Many regions into one.
    Aggregate,
    /// One into many.
    FanOut,
    /// From one cluster to another, under the same names.
    Migrate,
    /// Brokers may die.
    Ha,
}

/// All that there is to a scenario.
struct Data {
    name: &'static str,
    summary: &'static str,
    when: &'static str,
    drawing: &'static str,
    /// Names, and brokers of each.
    clusters: &'static [(&'static str, u16)],
    /// Sources and targets.
    flows: &'static [(&'static str, &'static str)],
    naming: Naming,
}

const DR: Data = Data {
    name: "dr",
    summary: "a standby cluster with all topics and translated group offsets",
    when: "One site is active and another must be able to take over: what it has, how far behind it is, and where consumers continue.",
    drawing: "\
primary: orders ----> secondary: primary.orders",
    clusters: &[("primary", 1), ("secondary", 1)],
    flows: &[("primary", "secondary")],
    naming: Naming::Prefix,
};

const ACTIVE_ACTIVE: Data = Data {
    name: "active-active",
    summary: "both clusters take writes and mirror each other's topics, without loops",
    when: "Two sites are active at once, each close to its users: to read all records, consume `orders` and its mirrored topic.",
    drawing: "\
east: orders      ----> west: east.orders
east: west.orders <---- west: orders",
    clusters: &[("east", 1), ("west", 1)],
    flows: &[("east", "west"), ("west", "east")],
    naming: Naming::Prefix,
};

const AGGREGATE: Data = Data {
    name: "aggregate",
    summary: "many clusters mirrored into one",
    when: "Regions work on their own, and one place needs the records of all: reports, search, a data lake.",
    drawing: "\
emea: orders --+
               +--> central: emea.orders, apac.orders
apac: orders --+",
    clusters: &[("emea", 1), ("apac", 1), ("central", 1)],
    flows: &[("emea", "central"), ("apac", "central")],
    naming: Naming::Prefix,
};

const FAN_OUT: Data = Data {
    name: "fan-out",
    summary: "one cluster mirrored into many",
    when: "Records are produced in one place and read in many, close to their readers: prices, catalogs, settings.",
    drawing: "              +--> edge-1: hub.orders
hub: orders --+
              +--> edge-2: hub.orders",
    clusters: &[("hub", 1), ("edge-1", 1), ("edge-2", 1)],
    flows: &[("hub", "edge-1"), ("hub", "edge-2")],
    naming: Naming::Prefix,
};

const MIGRATE: Data = Data {
    name: "migrate",
    summary: "from one cluster to another; topics and groups keep their names",
    when: "A cluster moves, for example to the cloud: clients change the address they connect to and nothing else.",
    drawing: "\
legacy: orders ----> cloud: orders",
    clusters: &[("legacy", 1), ("cloud", 1)],
    flows: &[("legacy", "cloud")],
    naming: Naming::Same,
};

const HA: Data = Data {
    name: "ha",
    summary: "three brokers a cluster, replication factor 3: kill a broker and nothing stops",
    when: "Brokers die, and neither clients nor MirrorMaker should notice. Needs seven containers and about 2 GiB of memory.",
    drawing: "\
primary: orders      ----> secondary: primary.orders
broker 1, 2, 3             broker 1, 2, 3",
    clusters: &[("primary", 3), ("secondary", 3)],
    flows: &[("primary", "secondary")],
    naming: Naming::Prefix,
};

impl Scenario {
    /// All of them, the default one first.
    pub const ALL: [Self; 6] = [
        Self::Dr,
        Self::ActiveActive,
        Self::Aggregate,
        Self::FanOut,
        Self::Migrate,
        Self::Ha,
    ];

    const fn data(self) -> &'static Data {
        match self {
            Self::Dr => &DR,
            Self::ActiveActive => &ACTIVE_ACTIVE,
            Self::Aggregate => &AGGREGATE,
            Self::FanOut => &FAN_OUT,
            Self::Migrate => &MIGRATE,
            Self::Ha => &HA,
        }
    }

    /// As it is written on the command line.
    pub const fn name(self) -> &'static str {
        self.data().name
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// What it is, in a line.
    pub const fn summary(self) -> &'static str {
        self.data().summary
    }

    /// Who needs it.
    pub const fn when(self) -> &'static str {
        self.data().when
    }

    /// Where a topic `orders` goes, in a few lines of ASCII.
    pub const fn drawing(self) -> &'static str {
        self.data().drawing
    }

    /// The lab that it makes.
    pub fn spec(self, lab: &str) -> Spec {
        let data = self.data();
        let cluster = |(name, brokers): &(&str, u16)| ClusterSpec {
            brokers: *brokers,
            ..ClusterSpec::new(name)
        };
        let flow = |(source, target): &(&str, &str)| FlowSpec {
            naming: data.naming,
            ..FlowSpec::new(source, target)
        };
        Spec {
            lab: lab.to_owned(),
            image: None,
            memory: None,
            bind: None,
            clusters: data.clusters.iter().map(cluster).collect(),
            flows: data.flows.iter().map(flow).collect(),
        }
    }

    /// The scenario whose clusters and flows a lab has, whatever else of it was changed: ports, images, filters.
    pub fn of(spec: &Spec) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| shape(&one.spec(&spec.lab)) == shape(spec))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By its name.
impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What makes a lab one scenario and not another.
#[derive(PartialEq)]
struct Shape<'a> {
    clusters: Vec<(&'a str, u16)>,
    flows: Vec<(&'a str, &'a str, Naming)>,
}

fn shape(spec: &Spec) -> Shape<'_> {
    let clusters = spec.clusters.iter();
    let flows = spec.flows.iter();
    Shape {
        clusters: clusters.map(|c| (c.name.as_str(), c.brokers)).collect(),
        flows: flows
            .map(|f| (f.source.as_str(), f.target.as_str(), f.naming))
            .collect(),
    }
}

/// The default one: everything in `primary` is copied to `secondary`.
pub fn dr(lab: &str) -> Spec {
    Scenario::Dr.spec(lab)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::topology::Topology;

    #[test]
    fn every_scenario_is_valid_and_known_by_its_name_and_its_shape() {
        for scenario in Scenario::ALL {
            let mut spec = scenario.spec("demo");
            assert_eq!(spec.validate(), Ok(()));
            assert_eq!(Topology::new(&spec).port_clashes(), []);
            assert_eq!(Scenario::named(scenario.name()), Some(scenario));
            assert_eq!(Scenario::of(&spec), Some(scenario));
            // what flags change
            spec.clusters[0].port = Some(20_000);
            spec.clusters[0].partitions = 7;
            spec.clusters[1].image = Some("my/kafka:1".to_owned());
            spec.flows[0].topics = vec!["orders".to_owned()];
            assert_eq!(Scenario::of(&spec), Some(scenario));
            // what makes it another
            spec.clusters[0].brokers += 1;
            assert_eq!(Scenario::of(&spec), None);
        }
        assert_eq!(Scenario::named("DR"), None);
    }

    #[test]
    fn a_drawing_has_every_cluster_topic_and_copy() {
        for scenario in Scenario::ALL {
            let drawing = scenario.drawing();
            assert!(drawing.is_ascii() && drawing.lines().all(|line| line.len() < 76));
            let topology = Topology::new(&scenario.spec("demo"));
            for flow in &topology.flows {
                let copy = flow.remote_topic("orders");
                let source = format!("{}: orders", flow.spec.source);
                assert!(drawing.contains(&source), "{source}\n{drawing}");
                let of_target = drawing.lines().find(|line| {
                    line.contains(&format!("{}: ", flow.spec.target)) && line.contains(&copy)
                });
                assert!(of_target.is_some(), "{copy}\n{drawing}");
            }
        }
    }

    #[test]
    fn three_brokers_keep_three_copies() {
        let topology = Topology::new(&Scenario::Ha.spec("demo"));
        for cluster in &topology.clusters {
            assert_eq!((cluster.brokers.len(), cluster.replication_factor), (3, 3));
        }
    }

    #[test]
    fn one_mirror_for_each_target() {
        let mirrors = |scenario: Scenario| Topology::new(&scenario.spec("demo")).mirrors.len();
        assert_eq!(Scenario::ALL.map(mirrors), [1, 2, 1, 2, 1, 1]);
    }
}
