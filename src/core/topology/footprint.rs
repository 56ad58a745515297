//! The topics that MirrorMaker and kmk create on an existing cluster.

use super::Topology;
use super::cluster::Cluster;
use super::flow::{Flow, Proof};
use super::internal_topics::{
    checkpoints_topic, configs_topic, offset_syncs_topic, offsets_topic, status_topic,
};
use super::replication_policy::HEARTBEATS;
use crate::core::spec::Naming;
use std::collections::BTreeSet;
use std::fmt;

/// What a lab makes on one existing cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// The cluster's name.
    pub cluster: String,
    /// Where it answers, as `bootstrap.servers` takes it.
    pub bootstrap: String,
    /// Topics of MirrorMaker's own that belong to this lab's flows.
    pub notes: BTreeSet<String>,
    /// Topics of MirrorMaker's own that any other MirrorMaker would share.
    pub shared: BTreeSet<String>,
    /// Topics of kmk's canaries, and their copies.
    pub canaries: BTreeSet<String>,
    /// The flows whose copies lie here, and what these are called.
    pub copies: Vec<MirroredTopics>,
}

/// The mirrored topics that a flow creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredTopics {
    /// The cluster that they come from.
    pub source: String,
    /// What they are called.
    pub naming: Naming,
}

impl Topology {
    /// What the lab leaves on each existing cluster, in the order of the spec.
    pub fn footprints(&self) -> Vec<Footprint> {
        let existing = self.clusters.iter().filter(|c| c.existing().is_some());
        existing.map(|cluster| self.footprint(cluster)).collect()
    }

    fn footprint(&self, cluster: &Cluster) -> Footprint {
        let mut footprint = Footprint {
            cluster: cluster.name.clone(),
            bootstrap: cluster.bootstrap_outside(),
            notes: BTreeSet::new(),
            shared: BTreeSet::new(),
            canaries: BTreeSet::new(),
            copies: Vec::new(),
        };
        for flow in &self.flows {
            if flow.spec.source == cluster.name {
                footprint.of_source(flow);
            }
            if flow.spec.target == cluster.name {
                footprint.of_target(flow);
            }
        }
        footprint
    }
}

impl Footprint {
    fn of_source(&mut self, flow: &Flow) {
        if !flow.keeps_syncs_at_target() {
            self.notes.insert(offset_syncs_topic(&flow.spec.target));
        }
        if flow.proof == Proof::Canary {
            self.canaries.insert(flow.canary.clone());
        }
    }

    fn of_target(&mut self, flow: &Flow) {
        let source = &flow.spec.source;
        let topics = [
            configs_topic,
            offsets_topic,
            status_topic,
            checkpoints_topic,
        ];
        self.notes.extend(topics.map(|topic| topic(source)));
        self.shared.insert(HEARTBEATS.to_owned());
        if flow.keeps_syncs_at_target() {
            self.notes.insert(offset_syncs_topic(source));
        }
        if flow.proof == Proof::Canary {
            self.canaries.insert(flow.remote_topic(&flow.canary));
        }
        self.copies.push(MirroredTopics {
            source: source.clone(),
            naming: flow.spec.naming,
        });
    }

    /// Names of topics; those of copies are not known here.
    pub fn topics(&self) -> impl Iterator<Item = &String> {
        self.notes.iter().chain(&self.shared).chain(&self.canaries)
    }

    /// The same, without what already exists.
    #[must_use]
    pub fn without(mut self, there: &BTreeSet<String>) -> Self {
        for names in [&mut self.notes, &mut self.shared, &mut self.canaries] {
            names.retain(|name| !there.contains(name));
        }
        self
    }
}

impl fmt::Display for MirroredTopics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.naming {
            Naming::Prefix => write!(f, "the mirrored topics {}.*", self.source),
            Naming::Same => write!(
                f,
                "the mirrored topics of {}, under the same names",
                self.source
            ),
        }
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let own: BTreeSet<String> = self.notes.union(&self.shared).cloned().collect();
        write!(
            f,
            "cluster {} ({}) is an existing cluster. MirrorMaker creates on it: {}",
            self.cluster,
            self.bootstrap,
            if own.is_empty() {
                "nothing of its own".to_owned()
            } else {
                names(&own)
            }
        )?;
        for copies in &self.copies {
            write!(f, "; {copies}")?;
        }
        if !self.canaries.is_empty() {
            write!(f, ". For kmk's canary: {}", names(&self.canaries))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use crate::core::spec::{ClusterSpec, Spec};

    fn told(spec: &Spec) -> Vec<String> {
        let footprints = Topology::new(spec).footprints();
        footprints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_made_on_a_source_and_on_a_target() {
        let mut spec = scenario::dr("demo");
        assert!(told(&spec).is_empty());
        spec.clusters[0] = ClusterSpec::existing("primary", &["h:1"]);
        assert_eq!(
            told(&spec),
            [
                "cluster primary (h:1) is an existing cluster. MirrorMaker creates on it: mm2-offset-syncs.secondary.internal"
            ]
        );
        spec.clusters[0].canary = true;
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2"]);
        assert_eq!(
            told(&spec)[1],
            "cluster secondary (h:2) is an existing cluster. MirrorMaker creates on it: heartbeats, mm2-configs.primary.internal, mm2-offsets.primary.internal, mm2-status.primary.internal, primary.checkpoints.internal; the mirrored topics primary.*"
        );
        spec.clusters[1].canary = true;
        spec.flows[0].naming = Naming::Same;
        let syncs = (
            "offset-syncs.topic.location".to_owned(),
            "target".to_owned(),
        );
        spec.flows[0].settings = [syncs].into();
        let told = told(&spec);
        assert!(
            told[0].ends_with("on it: nothing of its own. For kmk's canary: kmk-canary-primary"),
            "{told:?}"
        );
        assert!(
            told[1].contains("mm2-offset-syncs.primary.internal"),
            "{told:?}"
        );
        assert!(told[1].ends_with("under the same names. For kmk's canary: kmk-canary-primary"));
    }
}
