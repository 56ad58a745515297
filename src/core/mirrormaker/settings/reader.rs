//! Which of MirrorMaker's readers define a setting.

use super::scope::{CONNECTORS, CONVERTERS, FLOW, WORKER_AT_TOP, of_named, provider, within};
use super::{Generation, Kind, find};

/// One of the three clients that Kafka has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Producer,
    Consumer,
    Admin,
}

impl Client {
    pub(crate) const ALL: [Self; 3] = [Self::Producer, Self::Consumer, Self::Admin];

    /// As keys have it, without a dot.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Admin => "admin",
        }
    }

    /// Whether it defines the setting.
    pub(crate) fn has(self, key: &str, kafka: Option<Generation>) -> bool {
        let kind = match self {
            Self::Producer => Kind::Producer,
            Self::Consumer => Kind::Consumer,
            Self::Admin => Kind::Admin,
        };
        find(key, &[kind], kafka).is_some()
    }
}

/// What is needed to connect to a cluster, and handed to all its clients (`MirrorClientConfig`).
pub(crate) fn is_of_cluster(key: &str, kafka: Option<Generation>) -> bool {
    find(key, &[Kind::Client], kafka).is_some()
}

/// What a connector reads: at a flow, and where `at_top` without a prefix too.
pub(crate) fn is_of_connectors(key: &str, at_top: bool, kafka: Option<Generation>) -> bool {
    let kinds: &[Kind] = if at_top { &CONNECTORS } else { &FLOW };
    !is_of_cluster(key, kafka)
        && (find(key, kinds, kafka).is_some() || of_named(key, kafka).is_some())
}

/// What the connector of heartbeats reads, which runs for a flow that is not enabled too.
pub(crate) fn is_of_heartbeats(key: &str, kafka: Option<Generation>) -> bool {
    find(key, &[Kind::Heartbeat, Kind::Connector], kafka).is_some()
        || of_named(key, kafka).is_some()
        || within(key, &CONVERTERS).is_some()
}

/// What a worker reads without a prefix, and then no longer at its cluster.
pub(crate) fn is_of_workers_at_top(key: &str) -> bool {
    WORKER_AT_TOP.iter().any(|prefix| key.starts_with(prefix))
}

/// What belongs to one provider, transform, predicate or converter, its class among it.
pub(crate) fn within_named(key: &str) -> bool {
    let converters = CONVERTERS.map(|prefix| prefix.trim_end_matches('.'));
    provider(key).is_some() || of_named(key, None).is_some() || converters.contains(&key)
}

/// A setting of brokers.
pub(crate) fn is_of_brokers(key: &str) -> bool {
    find(key, &[Kind::Broker], None).is_some()
}

/// A setting of topics, behind the name of one of MirrorMaker's: of those it sets only how many copies there are.
pub(crate) fn is_of_its_topics(key: &str) -> bool {
    let topics = [
        "heartbeats.topic.",
        "checkpoints.topic.",
        "offset-syncs.topic.",
    ];
    let mut rest = topics.iter().filter_map(|topic| key.strip_prefix(topic));
    rest.any(|bare| find(bare, &[Kind::Topic], None).is_some())
}
