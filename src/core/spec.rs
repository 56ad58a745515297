//! What a person asked for: a lab, its clusters, its flows.

mod check;
mod existing;
mod fault;
pub mod filter;
mod flow_cycles;
mod link;
mod owned;
mod part;
mod problem;
mod reference;
pub mod ring;
#[cfg(test)]
pub(crate) mod sample;
pub mod scenario;
mod secrets;

pub use fault::{Fault, Instead};
pub use link::{LinkSpec, MAX_RTT_MS, Millis, PRESETS, Rate};
pub use part::{Part, Subject};
pub use problem::{Finding, Problem};
pub use reference::{Piece, names_in, pieces};
pub use secrets::is_secret;

use crate::core::shell;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The lab that is meant when none is named.
pub const DEFAULT_LAB: &str = "demo";

/// The flag that names the lab in a command, a blank before it; nothing for the default one.
pub fn in_lab(lab: &str) -> String {
    if lab == DEFAULT_LAB {
        String::new()
    } else {
        shell::flag("--lab", lab)
    }
}

/// A whole lab as asked for. Stands as JSON on each of its containers, so unknown fields are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the lab; its compose project is `kmk-<lab>`.
    pub lab: String,
    /// A Kafka image other than the default one, for clusters that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The heap of each JVM in MiB, instead of [`DEFAULT_HEAP_MIB`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Where ports are published and what brokers advertise, instead of the loopback address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<IpAddr>,
    /// In the order in which ports are given out.
    pub clusters: Vec<ClusterSpec>,
    /// What is replicated, and where to.
    pub flows: Vec<FlowSpec>,
}

/// One Kafka cluster as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// Name, and MirrorMaker's alias of it.
    pub name: String,
    /// Number of brokers, 1 to [`MAX_BROKERS`]; 0 of an existing cluster.
    pub brokers: u16,
    /// Partitions of topics that are created without saying how many; 0 of an existing cluster.
    pub partitions: u32,
    /// Port of the first broker on the laptop, instead of the one given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A Kafka image other than the lab's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// MirrorMakers that share the work of the flows into it, 1 to [`MAX_MIRRORMAKERS`]; one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrormakers: Option<u16>,
    /// Whether MirrorMaker writes to it in transactions, each record exactly once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exactly_once: bool,
    /// Settings of its brokers, by Kafka's names; values may have `${env:NAME}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Where an existing cluster answers, as `host:port`; empty for one that kmk is to make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bootstrap: Vec<String>,
    /// What MirrorMaker's clients need to be let into an existing cluster, by Kafka's names; values may have
    /// `${env:NAME}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Whether kmk may send a canary into an existing cluster, and let one be copied to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
}

/// One directed replication as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowSpec {
    /// Cluster that is read.
    pub source: String,
    /// Cluster that is written.
    pub target: String,
    /// Java regular expressions of the topics to mirror; empty means all.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Java regular expressions of topics to leave out; stronger than `topics`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Java regular expressions of the consumer groups whose offsets follow; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What topics are called on the target.
    pub naming: Naming,
    /// MirrorMaker's settings for this flow, by names without `source->target.`; values may have `${env:NAME}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// How the line from its source is to be; none where it is as it comes, without a relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkSpec>,
}

/// What a source topic is called on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Naming {
    /// `primary.orders`: MirrorMaker's `DefaultReplicationPolicy`.
    Prefix,
    /// `orders`: MirrorMaker's `IdentityReplicationPolicy`.
    Same,
}

/// Brokers of one cluster at most: more share no port range with the next cluster.
pub const MAX_BROKERS: u16 = 9;
/// MirrorMakers of one target at most, a sanity limit of kmk.
pub const MAX_MIRRORMAKERS: u16 = 9;
/// Partitions of one topic at most, a sanity limit of kmk.
pub const MAX_PARTITIONS: u32 = 1000;
/// Clusters of one lab at most: each has a hundred ports, from 19092 on.
pub const MAX_CLUSTERS: usize = 100;
/// Flows of one lab at most, a sanity limit of kmk.
pub const MAX_FLOWS: usize = 1000;
/// The heap of each JVM in MiB, unless another is asked for: half a gigabyte was mirrored at 85 MB/s with it.
pub const DEFAULT_HEAP_MIB: u32 = 256;
/// The least heap in MiB with which a broker and MirrorMaker start and copy.
pub const MIN_HEAP_MIB: u32 = 128;
/// The largest heap in MiB: beyond it a lab is no laptop's, a sanity limit of kmk.
pub const MAX_HEAP_MIB: u32 = 16 * 1024;
/// Characters of a name at most.
pub const MAX_NAME: usize = 40;

impl ClusterSpec {
    /// One broker, one partition, the port given out, the lab's image.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            brokers: 1,
            partitions: 1,
            port: None,
            image: None,
            mirrormakers: None,
            exactly_once: false,
            settings: BTreeMap::new(),
            bootstrap: Vec::new(),
            properties: BTreeMap::new(),
            canary: false,
        }
    }

    /// An existing one that answers at these addresses.
    pub fn existing(name: &str, bootstrap: &[&str]) -> Self {
        Self {
            brokers: 0,
            partitions: 0,
            bootstrap: bootstrap.iter().map(|one| (*one).to_owned()).collect(),
            ..Self::new(name)
        }
    }

    /// Whether it already exists, so that kmk neither makes nor removes it.
    pub fn is_existing(&self) -> bool {
        !self.bootstrap.is_empty()
    }
}

impl FlowSpec {
    /// All topics, prefixed with the source's name.
    pub fn new(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            topics: Vec::new(),
            exclude: Vec::new(),
            groups: Vec::new(),
            naming: Naming::Prefix,
            settings: BTreeMap::new(),
            link: None,
        }
    }

    /// What a topic of kmk's is called on the source: with unchanged names, those of two sources would be one on the target.
    pub(in crate::core) fn own(&self, topic: &str) -> String {
        match self.naming {
            Naming::Prefix => topic.to_owned(),
            Naming::Same => format!("{topic}-{}", self.source),
        }
    }

    /// A pattern of topics to leave out that spares the canary.
    pub(in crate::core) fn sparing_canary(&self, pattern: &str) -> String {
        format!("(?!{}$)(?:{pattern})", self.own(CANARY))
    }
}

/// Topic through which kmk sends a record to know that a flow replicates.
pub(in crate::core) const CANARY: &str = "kmk-canary";

/// Lowest port that needs no privilege.
pub const MIN_PORT: u16 = 1024;

impl Spec {
    /// The cluster of that name.
    pub fn cluster(&self, name: &str) -> Option<&ClusterSpec> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// Whether a flow writes to the cluster of that name.
    pub fn is_target(&self, name: &str) -> bool {
        self.flows.iter().any(|flow| flow.target == name)
    }

    /// Names of all clusters, in order.
    pub fn cluster_names(&self) -> Vec<String> {
        self.clusters.iter().map(|c| c.name.clone()).collect()
    }
}

/// What compose takes as a project and service name, Kafka as an alias, and DNS as a host.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_NAME
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-')
}

/// A rough check: docker has the last word, but nothing gets through that compose would interpolate or a shell split.
pub fn is_image(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "./:_-@".contains(c);
    (1..=255).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(scenario::dr(DEFAULT_LAB).validate(), Ok(()));
    }

    #[test]
    fn all_problems_at_once() {
        let mut spec = scenario::dr("No_Good");
        spec.image = Some("a b$".to_owned());
        spec.clusters[0].brokers = 0;
        spec.clusters[0].partitions = 5000;
        spec.clusters[1].port = Some(80);
        spec.clusters[1].image = Some("-x".to_owned());
        spec.clusters.push(ClusterSpec::new("primary"));
        spec.clusters.push(ClusterSpec::new("mm2-x"));
        spec.flows.push(FlowSpec::new("primary", "secondary"));
        spec.flows.push(FlowSpec::new("primary", "primary"));
        spec.flows.push(FlowSpec {
            topics: vec!["(".to_owned()],
            ..FlowSpec::new("nowhere", "secondary")
        });
        let problems = spec.validate().unwrap_err();
        let kinds: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 12, "{kinds:#?}");
    }

    #[test]
    fn flows_in_a_circle_are_refused_unless_two_prefixes_follow_each_other() {
        let mut spec = scenario::dr("demo");
        spec.clusters.push(ClusterSpec::new("third"));
        spec.flows = [
            ("primary", "secondary"),
            ("secondary", "third"),
            ("third", "primary"),
        ]
        .map(|(source, target)| FlowSpec {
            naming: Naming::Same,
            ..FlowSpec::new(source, target)
        })
        .to_vec();
        for prefixes in [0, 1] {
            let problems = spec.validate().unwrap_err();
            assert!(
                matches!(&problems[..], [Problem::Loop { flows, .. }] if flows.len() == 3),
                "{problems:?}"
            );
            spec.flows[prefixes].naming = Naming::Prefix;
        }
        // the second of two that follow each other writes what the first one knows again
        assert_eq!(spec.validate(), Ok(()));
    }

    #[test]
    fn a_circle_that_topics_break_is_none_and_the_canary_is_one_of_them() {
        let mut spec = scenario::Scenario::ActiveActive.spec("demo");
        let (there, back) = (0, 1);
        spec.flows[there].naming = Naming::Same;
        spec.flows[there].topics = vec!["orders".to_owned()];
        assert_eq!(spec.validate(), Ok(()));
        spec.flows[back].naming = Naming::Same;
        spec.flows[back].topics = vec!["payments".to_owned()];
        assert_eq!(spec.validate(), Ok(()));
        // only the canary of the other flow is left to go round
        spec.flows[back].topics = vec!["payments".to_owned(), "kmk-.*".to_owned()];
        assert_eq!(spec.validate().unwrap_err().len(), 1);
        let canary = spec.flows[there].own(CANARY);
        spec.flows[back].exclude = vec![canary];
        assert_eq!(spec.validate(), Ok(()));
    }

    #[test]
    fn a_label_from_before_clusters_had_images_stays_as_it_was() {
        let text =
            r#"{"lab":"demo","clusters":[{"name":"a","brokers":1,"partitions":1}],"flows":[]}"#;
        let spec: Spec = serde_json::from_str(text).unwrap();
        assert_eq!(spec.clusters, [ClusterSpec::new("a")]);
        assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    }

    #[test]
    fn a_label_with_unknown_fields_is_not_guessed_at() {
        let text = r#"{"lab":"demo","clusters":[],"flows":[],"future":1}"#;
        assert!(serde_json::from_str::<Spec>(text).is_err());
    }
}
