//! Flows resolved, and each MirrorMaker that carries some. Knows nothing of addresses.

use super::cluster::Cluster;
use super::existing::{Access, Existing};
use super::image::KafkaImage;
use super::{CANARY, VERIFY};
use crate::core::spec::{self, ClusterSpec, FlowSpec, Naming, Spec};
use serde::Serialize;
use std::collections::BTreeSet;

/// A resolved MirrorMaker, of one worker or several that share the work: runs beside its target and writes only there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Compose services of the workers that share the work; at least one.
    pub workers: Vec<String>,
    /// The cluster it writes to.
    pub target: String,
    /// The clusters it reads.
    pub sources: Vec<String>,
    /// The newest Kafka of all these clusters.
    pub image: KafkaImage,
    /// Variables of the environment that settings of its flows refer to, each once, in order.
    pub variables: BTreeSet<String>,
}

/// A resolved flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What it was resolved from.
    pub spec: FlowSpec,
    /// Source topic of this flow's canary.
    pub canary: String,
    /// Source topic through which this flow is verified, unless another is named. A person sees it, and may remove it.
    pub verify: String,
    /// How it is known to replicate.
    pub proof: Proof,
}

/// How a flow is known to replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// A canary crosses it.
    Canary,
    /// MirrorMaker says that it runs: no canary may be sent, as an end of it was there before and nobody said that it may.
    Word,
}

impl Mirror {
    pub(super) fn new(spec: &Spec, target: &Cluster, clusters: &[Cluster]) -> Option<Self> {
        let flows = spec.flows.iter().filter(|flow| flow.target == target.name);
        let values = flows.clone().flat_map(|flow| flow.settings.values());
        let ends = spec.clusters.iter().filter(|cluster| {
            cluster.name == target.name || flows.clone().any(|flow| flow.source == cluster.name)
        });
        let values = values.chain(ends.flat_map(|cluster| cluster.properties.values()));
        let variables = values
            .flat_map(|value| spec::names_in(value))
            .map(str::to_owned);
        let variables = variables.collect();
        let sources: Vec<String> = flows.map(|flow| flow.source.clone()).collect();
        let read = clusters.iter().filter(|c| sources.contains(&c.name));
        let image = KafkaImage::of_mirror(&target.image, read.map(|cluster| &cluster.image));
        (!sources.is_empty()).then(|| Self {
            workers: workers(&target.name, target.mirrormakers),
            target: target.name.clone(),
            image: image.clone(),
            sources,
            variables,
        })
    }
}

/// Whether kmk may, and can, send a canary to a cluster that is there already, and look for one there.
fn takes_canary(cluster: &ClusterSpec) -> bool {
    cluster.canary && Existing::new(cluster).access == Access::Open
}

/// Names of the workers, numbered where there are several.
fn workers(target: &str, count: u16) -> Vec<String> {
    let service = format!("mm2-{target}");
    match count {
        0 | 1 => vec![service],
        _ => (1..=count).map(|n| format!("{service}-{n}")).collect(),
    }
}

impl Flow {
    pub(super) fn new(flow: &FlowSpec, clusters: &[ClusterSpec]) -> Self {
        let is_end = |cluster: &&ClusterSpec| [&flow.source, &flow.target].contains(&&cluster.name);
        let mut ends = clusters.iter().filter(is_end);
        // with unchanged names, the topics of two sources would be one on the target
        let own = |topic: &str| match flow.naming {
            Naming::Prefix => topic.to_owned(),
            Naming::Same => format!("{topic}-{}", flow.source),
        };
        Self {
            proof: if ends.all(|end| !end.is_existing() || takes_canary(end)) {
                Proof::Canary
            } else {
                Proof::Word
            },
            canary: own(CANARY),
            verify: own(VERIFY),
            spec: flow.clone(),
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

    /// What a person set of MirrorMaker's settings for this flow; none where kmk's or MirrorMaker's own value holds.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.spec.settings.get(key).map(|value| value.trim())
    }

    /// Whether it leaves out what transactions wrote that were aborted.
    pub fn reads_committed_only(&self) -> bool {
        let mut settings = self.spec.settings.iter();
        settings.any(|(name, value)| {
            name.ends_with("isolation.level") && value.trim() == "read_committed"
        })
    }

    /// Whether it keeps its offset syncs on its target rather than its source (KIP-716).
    pub fn keeps_syncs_at_target(&self) -> bool {
        self.setting("offset-syncs.topic.location") == Some("target")
    }
}
