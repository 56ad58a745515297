//! What a person asks of a deploy, and the files that this would write.

use super::failure::DeployError;
use super::{added_flow, ports, reconcile};
use crate::core::compose::{self, ClassCache, Compose, Delivery};
use crate::core::docker::{Container, EngineHost};
use crate::core::lab::workdir::PROPERTIES_FILE;
use crate::core::lab_file::flow_setting;
use crate::core::mirrormaker::config;
use crate::core::spec::scenario::Scenario;
use crate::core::spec::{self, LinkSpec, Spec};
use crate::core::topology::{Flow, Topology};
use std::net::IpAddr;
use std::path::PathBuf;

/// Where the files go by default, in the current directory.
const DEFAULT_DIRECTORY: &str = "kmk-lab";

/// What is asked of a deploy.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the lab.
    pub lab: String,
    /// What the lab is to be; without, what the scenario says. Ports that it leaves open stay as they are.
    pub wanted: Option<Spec>,
    /// What a new lab is made as, and what one that is there must be; without, the default one, or whatever is there.
    pub scenario: Option<Scenario>,
    /// What is to differ from that.
    pub change: Change,
    /// Give clusters without a port of their own the next free one.
    pub any_port: bool,
    /// Where the files go; without, where the lab's files are, or [`default_directory`].
    pub directory: Option<PathBuf>,
    /// Overwrite files that kmk did not write, or that were edited since.
    pub overwrite: bool,
    /// Leave what was made when the deploy fails.
    pub keep: bool,
    /// The image that relays run, instead of the usual one.
    pub relay_image: Option<String>,
}

/// What is to differ; `None` and empty leave things as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Sources and targets of flows to add to a lab that is there.
    pub flows: Vec<(String, String)>,
    /// Java regular expressions of the topics to mirror, on every flow.
    pub topics: Option<Vec<String>>,
    /// Java regular expressions of the topics to leave out, on every flow.
    pub exclude: Option<Vec<String>>,
    /// Partitions of new topics, on every cluster.
    pub partitions: Option<u32>,
    /// First port of clusters, by name.
    pub ports: Vec<(String, u16)>,
    /// Where ports are published, and what brokers advertise.
    pub bind: Option<IpAddr>,
    /// Kafka images, each of a cluster by name or, without a name, of all clusters that are not named.
    pub images: Vec<(Option<String>, String)>,
    /// Numbers of MirrorMakers, each of a target by name or, without a name, of all targets that are not named.
    pub mirrormakers: Vec<(Option<String>, u16)>,
    /// Whether MirrorMakers write each record exactly once, to every target.
    pub exactly_once: bool,
    /// The Kafka image of clusters that have none of their own, where `images` has none for all of them.
    pub usual_image: Option<String>,
    /// What the line of every flow is to be; none is a flow without relays.
    pub link: Option<Option<LinkSpec>>,
}

/// What a deploy would write.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// What would run.
    pub topology: Topology,
    /// The compose file, without its header.
    pub compose: Compose,
    /// Text of MirrorMaker's properties, without its header.
    pub properties: String,
}

impl Change {
    /// The spec with the change, and all that is wrong with it but for ports that clash: those are known once all are chosen.
    fn apply(&self, mut spec: Spec) -> (Spec, Vec<spec::Problem>) {
        let mut problems = added_flow::add(&mut spec, &self.flows);
        for (index, (name, port)) in self.ports.iter().enumerate() {
            if self.ports[..index]
                .iter()
                .any(|(earlier, _)| earlier == name)
            {
                problems.push(spec::Problem::TwoPorts(name.clone()));
            }
            let known = spec.cluster_names();
            match spec
                .clusters
                .iter_mut()
                .find(|cluster| cluster.name == *name)
            {
                Some(cluster) => cluster.port = Some(*port),
                None => problems.push(spec::Problem::UnknownCluster {
                    name: name.clone(),
                    known,
                }),
            }
        }
        for cluster in spec.clusters.iter_mut().filter(|c| !c.is_existing()) {
            cluster.partitions = self.partitions.unwrap_or(cluster.partitions);
        }
        for flow in &mut spec.flows {
            flow.topics = self.topics.clone().unwrap_or_else(|| flow.topics.clone());
            flow.exclude = self.exclude.clone().unwrap_or_else(|| flow.exclude.clone());
            flow.link = self.link.unwrap_or(flow.link);
        }
        spec.bind = self.bind.or(spec.bind);
        self.apply_images(&mut spec, &mut problems);
        self.apply_mirrormakers(&mut spec, &mut problems);
        if self.exactly_once {
            let targets: Vec<String> = spec.flows.iter().map(|flow| flow.target.clone()).collect();
            for cluster in &mut spec.clusters {
                cluster.exactly_once |= targets.contains(&cluster.name);
            }
        }
        problems.extend(spec.validate().err().unwrap_or_default());
        (spec, problems)
    }

    fn apply_images(&self, spec: &mut Spec, problems: &mut Vec<spec::Problem>) {
        let twice = given_twice(&self.images).map(spec::Problem::TwoImages);
        problems.extend(twice);
        let for_all = self.images.iter().find(|(name, _)| name.is_none());
        if let Some((_, image)) = for_all {
            spec.image = Some(image.clone());
            for cluster in &mut spec.clusters {
                cluster.image = None;
            }
        } else {
            spec.image = self.usual_image.clone().or(spec.image.take());
        }
        let known = spec.cluster_names();
        for (name, image) in &self.images {
            let Some(name) = name else { continue };
            match spec.clusters.iter_mut().find(|c| c.name == *name) {
                Some(cluster) => cluster.image = Some(image.clone()),
                None => problems.push(spec::Problem::UnknownCluster {
                    name: name.clone(),
                    known: known.clone(),
                }),
            }
        }
    }

    /// One MirrorMaker is what there is when nothing is said, and then a label says nothing.
    fn apply_mirrormakers(&self, spec: &mut Spec, problems: &mut Vec<spec::Problem>) {
        problems.extend(given_twice(&self.mirrormakers).map(spec::Problem::TwoNumbers));
        let known = spec.cluster_names();
        let targets: Vec<String> = spec.flows.iter().map(|flow| flow.target.clone()).collect();
        let number = |count: u16| (count != 1).then_some(count);
        // those of one cluster come last, and count
        let mut asked: Vec<_> = self.mirrormakers.iter().collect();
        asked.sort_by_key(|(name, _)| name.is_some());
        for (name, count) in asked {
            let mut clusters = spec.clusters.iter_mut();
            match name {
                None => clusters
                    .filter(|cluster| targets.contains(&cluster.name))
                    .for_each(|cluster| cluster.mirrormakers = number(*count)),
                Some(name) => match clusters.find(|cluster| cluster.name == *name) {
                    Some(cluster) if !targets.contains(name) => {
                        cluster.mirrormakers = None;
                        problems.push(spec::Problem::NoTarget(name.clone()));
                    }
                    Some(cluster) => cluster.mirrormakers = number(*count),
                    None => problems.push(spec::Problem::UnknownCluster {
                        name: name.clone(),
                        known: known.clone(),
                    }),
                },
            }
        }
    }
}

/// Whatever is asked for more than once, each once.
fn given_twice<T>(asked: &[(Option<String>, T)]) -> impl Iterator<Item = Option<String>> {
    asked.iter().enumerate().filter_map(|(index, (name, _))| {
        let earlier = asked[..index].iter();
        let count = earlier.filter(|(earlier, _)| earlier == name).count();
        (count == 1).then(|| name.clone())
    })
}

impl Request {
    /// What there is to change: what is wanted, the lab as it is, or a new one.
    pub(super) fn base(&self, there: Option<&Topology>) -> Result<Spec, DeployError> {
        let Some(there) = there else {
            return Ok(self.new_lab());
        };
        if let Some(wanted) = self.wanted.clone() {
            return reconcile::kept(wanted, there).map_err(DeployError::Spec);
        }
        let found = Scenario::of(&there.spec);
        match self.scenario {
            Some(asked) if found != Some(asked) => Err(DeployError::OtherScenario {
                lab: self.lab.clone(),
                asked,
                found,
                flows: there.flows.iter().map(Flow::name).collect(),
            }),
            _ => Ok(there.spec.clone()),
        }
    }

    fn new_lab(&self) -> Spec {
        let wanted = self.wanted.clone();
        wanted.unwrap_or_else(|| self.scenario.unwrap_or_default().spec(&self.lab))
    }

    /// Whether a problem of what would be a new lab may be none of the lab that is there, with other clusters and ports.
    pub(super) fn depends_on_the_lab(&self, problems: &[spec::Problem]) -> bool {
        let is_asked_for = |name: &str| self.change.ports.iter().any(|(asked, _)| asked == name);
        let depends = |problem: &spec::Problem| match problem {
            spec::Problem::UnknownCluster { .. } | spec::Problem::NoTarget(_) => {
                self.wanted.is_none()
            }
            spec::Problem::PortTwice { one, other, .. } => {
                !(is_asked_for(one) && is_asked_for(other))
            }
            _ => false,
        };
        self.scenario.is_none() && problems.iter().any(depends)
    }

    /// What is asked for, on the grounds of what is there: of this lab and, where ports are to be chosen, of all labs.
    pub(super) fn resolve(
        &self,
        base: Spec,
        existing: &[Container],
        engine_host: &EngineHost,
    ) -> Result<Topology, Vec<spec::Problem>> {
        let (mut spec, mut problems) = self.change.apply(base);
        if self.any_port && problems.is_empty() {
            ports::choose(&mut spec, existing, engine_host);
        }
        let topology = Topology::new(&spec);
        problems.extend(topology.port_clashes());
        problems.extend(topology.worker_clashes());
        problems.extend(self.flow_settings(&topology));
        if problems.is_empty() {
            Ok(topology)
        } else {
            Err(problems)
        }
    }

    /// What would be a new lab, on an engine at that place. Flows are added only to one that is there.
    pub(super) fn resolve_new(
        &self,
        engine_host: &EngineHost,
    ) -> Result<Topology, Vec<spec::Problem>> {
        let mut new = self.clone();
        new.change.flows.clear();
        new.resolve(self.new_lab(), &[], engine_host)
    }

    /// Settings that MirrorMaker would not do, with the Kafka that is asked for. Not of a lab that stays what it is: it
    /// is repaired as it was made.
    fn flow_settings(&self, topology: &Topology) -> Vec<spec::Problem> {
        if self.wanted.is_none() && self.change.images.is_empty() {
            return Vec::new();
        }
        let findings = flow_setting::findings(topology).into_iter();
        findings.map(|finding| finding.problem).collect()
    }
}

/// What a deploy of a new lab would write for an engine at that place. Needs no Docker.
///
/// # Errors
/// All problems of the spec.
pub fn render(request: &Request, engine_host: &EngineHost) -> Result<Rendered, Vec<spec::Problem>> {
    let topology = request.resolve_new(engine_host)?;
    Ok(Rendered::of(topology, engine_host, ClassCache::None))
}

impl Rendered {
    pub(in crate::core::lab) fn of(
        topology: Topology,
        engine_host: &EngineHost,
        class_cache: ClassCache,
    ) -> Self {
        let properties = config::render(&topology);
        let path = format!("./{PROPERTIES_FILE}");
        let delivery = match engine_host {
            EngineHost::Local => Delivery::Mount(&path),
            EngineHost::Remote { .. } => Delivery::Inline,
        };
        Self {
            compose: compose::render(&topology, delivery, class_cache, &properties),
            properties,
            topology,
        }
    }
}

/// Where a lab's files go by default.
pub fn default_directory(lab: &str) -> PathBuf {
    PathBuf::from(if lab == spec::DEFAULT_LAB {
        DEFAULT_DIRECTORY.to_owned()
    } else {
        format!("{DEFAULT_DIRECTORY}-{lab}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use proptest::prelude::*;

    /// What each cluster runs.
    fn images(spec: &Spec) -> Vec<String> {
        let topology = Topology::new(spec);
        topology.clusters.iter().map(|c| c.image.name()).collect()
    }

    fn asking(images: &[(Option<&str>, &str)]) -> Change {
        let owned =
            |(name, image): &(Option<&str>, &str)| (name.map(str::to_owned), (*image).to_owned());
        Change {
            images: images.iter().map(owned).collect(),
            ..Change::default()
        }
    }

    #[test]
    fn an_image_for_all_takes_those_of_clusters_away_and_the_usual_one_does_not() {
        let (mixed, problems) = asking(&[(Some("secondary"), "a:4.2")]).apply(scenario::dr("demo"));
        assert!(problems.is_empty());
        let usual = Change {
            usual_image: Some("b:3.9".to_owned()),
            ..Change::default()
        };
        assert_eq!(images(&usual.apply(mixed.clone()).0), ["b:3.9", "a:4.2"]);
        let all = asking(&[(None, "c:4.0")]).apply(mixed).0;
        assert_eq!(images(&all), ["c:4.0", "c:4.0"]);
        assert_eq!(all.clusters[1].image, None);
    }

    #[test]
    fn a_number_of_mirrormakers_is_for_targets_and_one_of_a_cluster_is_stronger() {
        let asking = |numbers: &[(Option<&str>, u16)]| {
            let owned = |(name, count): &(Option<&str>, u16)| (name.map(str::to_owned), *count);
            let change = Change {
                mirrormakers: numbers.iter().map(owned).collect(),
                ..Change::default()
            };
            let (spec, problems) = change.apply(Scenario::Aggregate.spec("demo"));
            let numbers: Vec<_> = spec.clusters.iter().map(|c| c.mirrormakers).collect();
            (numbers, problems)
        };
        assert_eq!(asking(&[(None, 3)]), (vec![None, None, Some(3)], vec![]));
        let both = [(Some("central"), 2), (None, 3)];
        assert_eq!(asking(&both), (vec![None, None, Some(2)], vec![]));
        // as if nothing had been said
        assert_eq!(asking(&[(None, 1)]).0, [None, None, None]);
        let (numbers, problems) = asking(&[(Some("emea"), 2)]);
        assert_eq!(problems, [spec::Problem::NoTarget("emea".to_owned())]);
        assert_eq!(numbers, [None, None, None]);
    }

    proptest! {
        #[test]
        fn what_is_asked_for_a_cluster_is_what_it_runs_and_nothing_else_changes(
            before in proptest::collection::vec(proptest::option::of("[a-z]:[34]\\.[0-9]"), 3),
            asked in proptest::collection::vec((0usize..3, "[a-z]:[34]\\.[0-9]"), 0..4),
        ) {
            let names = [None, Some("primary"), Some("secondary")];
            let mut spec = scenario::dr("demo");
            spec.image.clone_from(&before[0]);
            spec.clusters[0].image.clone_from(&before[1]);
            spec.clusters[1].image.clone_from(&before[2]);
            let change: Vec<_> = asked.iter().map(|(at, image)| (names[*at], image.as_str())).collect();
            let (after, problems) = asking(&change).apply(spec.clone());
            let times = |at: usize| asked.iter().filter(|(other, _)| *other == at).count();
            prop_assert_eq!(problems.len(), (0..3).filter(|at| times(*at) > 1).count());
            if problems.is_empty() {
                let for_one = |at: usize| asked.iter().find(|(other, _)| *other == at);
                for at in [1, 2] {
                    let expected = for_one(at).or(for_one(0)).map_or_else(
                        || images(&spec)[at - 1].clone(),
                        |(_, image)| image.clone(),
                    );
                    prop_assert_eq!(&images(&after)[at - 1], &expected);
                }
                let again = asking(&change).apply(after.clone()).0;
                prop_assert_eq!(again, after);
            }
        }
    }
}
