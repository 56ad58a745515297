//! Flows resolved, and the MirrorMakers that run them.

use super::batch::FULL_BATCH;
use super::cluster::Cluster;
use super::existing::{Access, Existing};
use super::image::KafkaImage;
use super::relay::Link;
use super::{Topology, VERIFY};
use crate::core::spec::{self, CANARY, ClusterSpec, FlowSpec, Spec};
use serde::Serialize;
use std::collections::BTreeSet;

/// Tasks of a flow for each worker, where several share them.
pub const TASKS_A_WORKER: u16 = 2;
/// What a consumer is told about the receive buffer of its sockets.
const RECEIVE_BUFFER: &str = "receive.buffer.bytes";
/// Kafka's default of that.
const USUAL_RECEIVE_BUFFER: u32 = 64 * 1024;

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
    /// Whether it writes in transactions, each record exactly once.
    pub exactly_once: bool,
    /// Bytes of a batch of records at most, when it writes (`batch.size`).
    pub batch: u32,
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
    /// The relays on its line, where one is asked for.
    pub link: Option<Link>,
}

/// How a flow is known to replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A canary crosses it.
    Canary,
    /// MirrorMaker reports that it runs: no canary may be sent, as one of its clusters is an existing one and the lab
    /// file does not allow it.
    ConnectorStatus,
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
        let mirror = Self {
            workers: workers(&target.name, target.mirrormakers),
            target: target.name.clone(),
            image: image.clone(),
            sources,
            variables,
            exactly_once: target.exactly_once,
            batch: FULL_BATCH,
        };
        (!mirror.sources.is_empty()).then(|| mirror.heed(target))
    }
}

/// Whether kmk may, and can, send a canary to an existing cluster, and look for one there.
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

/// How many tasks copy a flow's records at most; none where that is no number, but a reference to one.
pub(super) fn most_tasks(flow: &FlowSpec, clusters: &[ClusterSpec]) -> Option<u32> {
    if let Some(tasks) = flow.settings.get("tasks.max") {
        return tasks.trim().parse().ok().filter(|tasks| *tasks > 0);
    }
    let target = clusters.iter().find(|one| one.name == flow.target)?;
    Some(match target.mirrormakers {
        None | Some(0 | 1) => 1,
        Some(workers) => u32::from(workers * TASKS_A_WORKER),
    })
}

impl Flow {
    pub(super) fn new(flow: &FlowSpec, clusters: &[ClusterSpec]) -> Self {
        let is_end = |cluster: &&ClusterSpec| [&flow.source, &flow.target].contains(&&cluster.name);
        let mut ends = clusters.iter().filter(is_end);
        Self {
            proof: if ends.all(|end| !end.is_existing() || takes_canary(end)) {
                Proof::Canary
            } else {
                Proof::ConnectorStatus
            },
            canary: flow.own(CANARY),
            verify: flow.own(VERIFY),
            link: None,
            spec: flow.clone(),
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

    /// Whether its consumers read only what is committed.
    pub fn reads_committed_only(&self, topology: &Topology) -> bool {
        self.consumer_setting("isolation.level", topology) == Some("read_committed")
    }

    /// Whether its consumers begin at the end of a topic: records from before are not copied.
    pub fn starts_at_end(&self, topology: &Topology) -> bool {
        self.consumer_setting("auto.offset.reset", topology) == Some("latest")
    }

    /// What its consumers take in at most before they acknowledge it, in bytes (`receive.buffer.bytes`); none where the
    /// system chooses.
    pub fn receive_buffer(&self, topology: &Topology) -> Option<u32> {
        match self.consumer_setting(RECEIVE_BUFFER, topology) {
            None => Some(USUAL_RECEIVE_BUFFER),
            Some(bytes) => bytes.parse().ok(),
        }
    }

    /// How many bytes the answer to a fetch of its consumers has at most, and how many of them a partition
    /// (`fetch.max.bytes`, `max.partition.fetch.bytes`).
    pub fn fetch_bytes(&self, topology: &Topology) -> [u64; 2] {
        [
            ("fetch.max.bytes", 50 << 20),
            ("max.partition.fetch.bytes", 1 << 20),
        ]
        .map(|(key, usual)| {
            let said = self.consumer_setting(key, topology);
            said.and_then(|bytes| bytes.parse().ok()).unwrap_or(usual)
        })
    }

    /// What its consumers are told, unless it is kmk's or MirrorMaker's own value. What is said for all consumers of a cluster
    /// is stronger than the flow's own `consumer.…`, and weaker than its `source.consumer.…`
    /// (`MirrorConnectorConfig.sourceConsumerConfig`).
    fn consumer_setting<'a>(&'a self, key: &str, topology: &'a Topology) -> Option<&'a str> {
        let key = format!("consumer.{key}");
        let source = topology.cluster(&self.spec.source);
        let of_all = source.and_then(|cluster| cluster.existing()?.properties.get(&key));
        self.setting(&format!("source.{key}"))
            .or(of_all.map(|value| value.trim()))
            .or(self.setting(&key))
    }

    /// Whether it keeps its offset syncs on its target rather than its source (KIP-716).
    pub fn keeps_syncs_at_target(&self) -> bool {
        self.setting("offset-syncs.topic.location") == Some("target")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    /// With these settings of its first flow, and this of all consumers of its source.
    fn topology(settings: &[(&str, &str)], property: Option<(&str, &str)>) -> Topology {
        let mut spec = scenario::dr("demo");
        let owned = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        spec.flows[0].settings = owned.collect();
        if let Some((key, value)) = property {
            spec.clusters[0] = ClusterSpec::existing("primary", &["localhost:9092"]);
            let properties = &mut spec.clusters[0].properties;
            properties.insert(key.to_owned(), value.to_owned());
        }
        Topology::new(&spec)
    }

    #[test]
    fn a_flow_begins_at_the_end_where_any_key_that_reaches_its_consumers_says_so() {
        let begins = |settings: &[(&str, &str)], property| {
            let topology = topology(settings, property);
            topology.flows[0].starts_at_end(&topology)
        };
        let (own, source) = (
            "consumer.auto.offset.reset",
            "source.consumer.auto.offset.reset",
        );
        assert!(!begins(&[], None) && !begins(&[(own, "earliest")], None));
        assert!(begins(&[(own, "latest")], None) && begins(&[(source, "latest")], None));
        assert!(begins(&[], Some((own, "latest"))));
        assert!(!begins(&[(source, "earliest")], Some((own, "latest"))));
        // of no consumer of the source
        assert!(!begins(
            &[("target.consumer.auto.offset.reset", "latest")],
            None
        ));
    }

    #[test]
    fn a_flow_reads_what_is_committed_where_that_is_said() {
        let reads = |settings: &[(&str, &str)], level: Option<&str>| {
            let property = level.map(|level| ("consumer.isolation.level", level));
            let topology = topology(settings, property);
            topology.flows[0].reads_committed_only(&topology)
        };
        let (own, source) = (
            "consumer.isolation.level",
            "source.consumer.isolation.level",
        );
        let (committed, all) = ("read_committed", "read_uncommitted");
        assert!(!reads(&[], None));
        assert!(reads(&[(own, committed)], None) && reads(&[(source, committed)], None));
        assert!(reads(&[], Some(committed)) && !reads(&[(own, committed)], Some(all)));
        assert!(!reads(&[(source, all), (own, committed)], Some(committed)));
    }
}
