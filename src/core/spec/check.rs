//! Finds everything that is wrong with a spec, at once.

use super::part::{Part, Subject};
use super::problem::{Finding, Problem};
use super::{
    ClusterSpec, FlowSpec, MAX_BROKERS, MAX_CLUSTERS, MAX_FLOWS, MAX_HEAP_MIB, MAX_MIRRORMAKERS,
    MAX_PARTITIONS, MIN_HEAP_MIB, MIN_PORT, Spec, existing, flow_cycles, is_image, is_name, owned,
    reference,
};
use crate::core::spec::filter;
use std::collections::BTreeSet;
use std::net::IpAddr;

impl Spec {
    /// Looks for everything that is wrong.
    ///
    /// # Errors
    /// All problems at once, in the order of the spec.
    pub fn validate(&self) -> Result<(), Vec<Problem>> {
        let found = self.findings();
        if found.is_empty() {
            return Ok(());
        }
        Err(found.into_iter().map(|finding| finding.problem).collect())
    }

    /// Everything that is wrong, and with what. Where there are more clusters or flows than possible, only that.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Findings(Vec::new());
        found.lab(self);
        for (kind, count, max) in [
            ("clusters", self.clusters.len(), MAX_CLUSTERS),
            ("flows", self.flows.len(), MAX_FLOWS),
        ] {
            if count > max {
                found.add(
                    Subject::Lab,
                    Part::Whole,
                    Problem::TooMany { kind, count, max },
                );
                return found.0;
            }
        }
        let mut seen = BTreeSet::new();
        for (index, cluster) in self.clusters.iter().enumerate() {
            found.cluster(index, cluster);
            if cluster.mirrormakers.is_some() && !self.is_target(&cluster.name) {
                let problem = Problem::NoTarget(cluster.name.clone());
                found.add(Subject::Cluster(index), Part::Mirrormakers, problem);
            }
            if cluster.exactly_once && !self.is_target(&cluster.name) {
                let problem = Problem::NoTargetOfOnce(cluster.name.clone());
                found.add(Subject::Cluster(index), Part::ExactlyOnce, problem);
            }
            if !seen.insert(&cluster.name) {
                let problem = Problem::DuplicateCluster(cluster.name.clone());
                found.add(Subject::Cluster(index), Part::Name, problem);
            }
        }
        existing::same_addresses(self, &mut found.0);
        let mut seen = BTreeSet::new();
        for (index, flow) in self.flows.iter().enumerate() {
            found.flow(self, index, flow);
            if !seen.insert((&flow.source, &flow.target)) {
                let problem = Problem::DuplicateFlow {
                    source_cluster: flow.source.clone(),
                    target: flow.target.clone(),
                };
                found.add(Subject::Flow(index), Part::Whole, problem);
            }
        }
        found.0.extend(flow_cycles::findings(self));
        found.0
    }

    /// Clusters that no flow reads or writes: most likely forgotten, where there are flows at all.
    pub fn unused_clusters(&self) -> Vec<usize> {
        let is_unused = |cluster: &ClusterSpec| {
            let mut flows = self.flows.iter();
            flows.all(|flow| flow.source != cluster.name && flow.target != cluster.name)
        };
        let clusters = self.clusters.iter().enumerate();
        let unused = clusters.filter(|(_, cluster)| is_unused(cluster));
        unused.map(|(index, _)| index).collect()
    }
}

/// What is wrong with a setting, if anything is.
pub(super) fn judge(
    key: &str,
    value: &str,
    why: Option<&'static str>,
    is_key: bool,
) -> Option<Problem> {
    let key = key.to_owned();
    if !is_key {
        return Some(Problem::SettingName(key));
    }
    if let Some(why) = why {
        return Some(Problem::OwnSetting { key, why });
    }
    if value.chars().any(char::is_control) {
        let reason = "contains a line break or another character that is not allowed".to_owned();
        return Some(Problem::SettingValue { key, reason });
    }
    let reason = reference::pieces(value).err()?;
    Some(Problem::SettingValue { key, reason })
}

/// Why nobody can connect to an address, if nobody can.
fn no_destination(address: IpAddr) -> Option<&'static str> {
    let needs_zone = |address: IpAddr| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if address.is_unspecified() {
        Some("it means every address of a machine, and clients need one to connect to")
    } else if address.is_multicast() || address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST) {
        Some("it is not the address of a single machine")
    } else if needs_zone(address) {
        Some("it means a different machine on every network link")
    } else {
        None
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, subject: Subject, part: Part, problem: Problem) {
        self.0.push(Finding {
            subject,
            part,
            problem,
        });
    }

    fn lab(&mut self, spec: &Spec) {
        if !is_name(&spec.lab) {
            let problem = Problem::Name {
                kind: "lab",
                name: spec.lab.clone(),
            };
            self.add(Subject::Lab, Part::Name, problem);
        }
        self.image(Subject::Lab, spec.image.as_deref());
        if let Some(mib) = spec.memory
            && !(MIN_HEAP_MIB..=MAX_HEAP_MIB).contains(&mib)
        {
            self.add(Subject::Lab, Part::Memory, Problem::Memory(mib));
        }
        if let Some(address) = spec.bind
            && let Some(why) = no_destination(address)
        {
            self.add(Subject::Lab, Part::Bind, Problem::Bind { address, why });
        }
        if spec.clusters.is_empty() {
            self.add(Subject::Lab, Part::Whole, Problem::NoClusters);
        } else if spec.flows.is_empty() && spec.clusters.iter().all(ClusterSpec::is_existing) {
            self.add(Subject::Lab, Part::Whole, Problem::NothingToRun);
        }
    }

    fn image(&mut self, subject: Subject, image: Option<&str>) {
        if let Some(image) = image.filter(|image| !is_image(image)) {
            self.add(subject, Part::Image, Problem::Image(image.to_owned()));
        }
    }

    fn cluster(&mut self, index: usize, cluster: &ClusterSpec) {
        let (subject, name) = (Subject::Cluster(index), &cluster.name);
        if !is_name(name) {
            let problem = Problem::Name {
                kind: "cluster",
                name: name.clone(),
            };
            self.add(subject, Part::Name, problem);
        }
        self.image(subject, cluster.image.as_deref());
        if name.starts_with("mm2-") {
            self.add(subject, Part::Name, Problem::ReservedName(name.clone()));
        }
        existing::check(subject, cluster, &mut self.0);
        let (brokers, most) = (u32::from(cluster.brokers), u32::from(MAX_BROKERS));
        let mirrormakers = u32::from(cluster.mirrormakers.unwrap_or(1));
        for (part, what, count, max) in [
            (Part::Brokers, "brokers", brokers, most),
            (
                Part::Partitions,
                "partitions",
                cluster.partitions,
                MAX_PARTITIONS,
            ),
            (
                Part::Mirrormakers,
                "MirrorMakers",
                mirrormakers,
                u32::from(MAX_MIRRORMAKERS),
            ),
        ] {
            let is_said = !cluster.is_existing() || part == Part::Mirrormakers;
            if is_said && !(1..=max).contains(&count) {
                let problem = Problem::Count {
                    cluster: name.clone(),
                    what,
                    count,
                    max,
                };
                self.add(subject, part, problem);
            }
        }
        if cluster.is_existing() {
            return;
        }
        let possible = MIN_PORT..=u16::MAX - MAX_BROKERS;
        if let Some(port) = cluster.port.filter(|port| !possible.contains(port)) {
            let problem = Problem::Port {
                cluster: name.clone(),
                port,
            };
            self.add(subject, Part::Port, problem);
        }
        for (key, value) in &cluster.settings {
            let why = owned::of_broker(key);
            if self.setting(subject, key, value, why, owned::is_key(key, false)) {
                self.copies(subject, key, value, Some(cluster));
            }
        }
    }

    /// Whether the setting is one that a person can give.
    fn setting(
        &mut self,
        subject: Subject,
        key: &str,
        value: &str,
        why: Option<&'static str>,
        is_key: bool,
    ) -> bool {
        let problem = judge(key, value, why, is_key);
        let is_good = problem.is_none();
        if let Some(problem) = problem {
            self.add(subject, Part::Setting(key.to_owned()), problem);
        }
        is_good
    }

    /// A number of copies needs as many brokers.
    fn copies(&mut self, subject: Subject, key: &str, value: &str, at: Option<&ClusterSpec>) {
        // what a variable holds is not known here; -1 leaves it to the broker
        if !owned::is_copies(key) || value.trim() == "-1" || !reference::names_in(value).is_empty()
        {
            return;
        }
        let key = key.to_owned();
        let part = Part::Setting(key.clone());
        match (value.trim().parse::<u16>(), at) {
            (Ok(copies), Some(cluster)) if copies > cluster.brokers && !cluster.is_existing() => {
                let problem = Problem::Copies {
                    key,
                    copies,
                    cluster: cluster.name.clone(),
                    brokers: cluster.brokers,
                };
                self.add(subject, part, problem);
            }
            (Ok(1..), _) => {}
            _ => {
                let reason = format!("must be a number of replicas, 1 or more, got `{value}`");
                self.add(subject, part, Problem::SettingValue { key, reason });
            }
        }
    }

    fn link(&mut self, spec: &Spec, subject: Subject, flow: &FlowSpec) {
        let Some(link) = &flow.link else { return };
        let name = || format!("{}->{}", flow.source, flow.target);
        if let Some(reason) = link.fault() {
            let flow = name();
            self.add(subject, Part::Link, Problem::Link { flow, reason });
        }
        if let Some(source) = spec.cluster(&flow.source).filter(|c| c.is_existing()) {
            let (flow, cluster) = (name(), source.name.clone());
            let problem = Problem::LinkFromExisting { flow, cluster };
            self.add(subject, Part::Link, problem);
        }
    }

    fn flow(&mut self, spec: &Spec, index: usize, flow: &FlowSpec) {
        let subject = Subject::Flow(index);
        for (part, name) in [(Part::Source, &flow.source), (Part::Target, &flow.target)] {
            if spec.cluster(name).is_none() {
                let problem = Problem::UnknownCluster {
                    name: name.clone(),
                    known: spec.cluster_names(),
                };
                self.add(subject, part, problem);
            }
        }
        if flow.source == flow.target {
            self.add(
                subject,
                Part::Target,
                Problem::SelfFlow(flow.source.clone()),
            );
        }
        let topics = flow.topics.iter().enumerate();
        let exclude = flow.exclude.iter().enumerate();
        let groups = flow.groups.iter().enumerate();
        let filters = topics
            .map(|(at, filter)| (Part::Topic(at), filter))
            .chain(exclude.map(|(at, filter)| (Part::Exclude(at), filter)))
            .chain(groups.map(|(at, filter)| (Part::Group(at), filter)));
        for (part, filter) in filters {
            let checked = match part {
                Part::Group(_) => filter::check(filter),
                _ => filter::check_topics(filter),
            };
            let Err(reason) = checked else {
                continue;
            };
            let filter = filter.clone();
            let problem = match part {
                Part::Group(_) => Problem::GroupFilter { filter, reason },
                _ => Problem::Filter { filter, reason },
            };
            self.add(subject, part, problem);
        }
        self.link(spec, subject, flow);
        for (key, value) in &flow.settings {
            let why = owned::of_flow(key);
            if self.setting(subject, key, value, why, owned::is_key(key, true)) {
                let at_source = key == "offset-syncs.topic.replication.factor"
                    && flow
                        .settings
                        .get("offset-syncs.topic.location")
                        .is_none_or(|v| v == "source");
                let keeper = if at_source {
                    &flow.source
                } else {
                    &flow.target
                };
                self.copies(subject, key, value, spec.cluster(keeper));
            }
        }
    }
}
