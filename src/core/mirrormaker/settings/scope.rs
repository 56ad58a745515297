//! Which setting MirrorMaker reads under which prefix, in its dedicated mode.
//!
//! From Kafka's classes `MirrorMakerConfig` (`workerConfig`, `connectorBaseConfig`, `clusterProps`, `clusterPairs`),
//! `MirrorConnectorConfig` (`sourceConsumerConfig` and its like), `Worker` (`baseProducerConfigs`), `DistributedConfig`
//! (`topicSettings`) and `KafkaOffsetBackingStore`; the same in 3.9 and 4.2. `docs/lint.md` has it as a table.

mod alternatives;

use super::reader::is_of_workers_at_top;
use super::{Generation, Kind, Type, find};
pub(crate) use alternatives::alternatives;
use alternatives::meant;

/// Where a key stands; it is judged without the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// No prefix at all.
    Top,
    /// `<alias>.`
    Cluster(ClusterUse),
    /// `<source>-><target>.`
    Flow,
}

/// What the flows do with a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClusterUse {
    /// An enabled flow reads it.
    pub is_read: bool,
    /// An enabled flow writes to it.
    pub is_written: bool,
    /// A worker runs for it: it is the target of a pair that is enabled or, as all are unless told otherwise, emits heartbeats.
    pub has_worker: bool,
}

/// One of the two clusters of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that is read.
    Source,
    /// The one that is written.
    Target,
    /// Any.
    Either,
}

/// A place where a key would be read as it was meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alternative {
    /// No prefix at all.
    Top(String),
    /// `<alias>.`
    Cluster(Side, String),
    /// `<source>-><target>.`
    Flow(String),
}

/// What MirrorMaker makes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It is read; its value has this type.
    Known(Type),
    /// It is read, but does not do what it looks like.
    Partly {
        /// All that it changes.
        reaches: &'static str,
        /// Where it would do more.
        alternatives: Vec<Alternative>,
    },
    /// It is a setting, and overruled wherever it stands.
    Overruled(&'static str),
    /// Only the other Kafka has it.
    OnlyIn(Generation),
    /// It is a setting, but not read here.
    Misplaced(Vec<Alternative>),
    /// It is no setting of anything.
    Unknown {
        /// What was probably meant, where it is read; empty if nothing is alike.
        meant: Vec<Alternative>,
    },
}

/// What the connectors read (`MirrorMakerConfig.allConfigNames`).
pub(super) const CONNECTORS: [Kind; 3] = [Kind::Source, Kind::Checkpoint, Kind::Heartbeat];
pub(super) const FLOW: [Kind; 5] = [
    Kind::Source,
    Kind::Checkpoint,
    Kind::Heartbeat,
    Kind::Connector,
    Kind::Filter,
];
const TOP: [Kind; 5] = [
    Kind::Top,
    Kind::Client,
    Kind::Source,
    Kind::Checkpoint,
    Kind::Heartbeat,
];
const CLIENTS: [(&str, Kind); 3] = [
    ("producer.", Kind::Producer),
    ("consumer.", Kind::Consumer),
    ("admin.", Kind::Admin),
];
/// What a worker reads without a prefix too (`MirrorMakerConfig.workerConfig`).
pub(super) const WORKER_AT_TOP: [&str; 8] = [
    "offset.storage",
    "config.storage",
    "status.storage",
    "key.converter",
    "value.converter",
    "header.converter",
    "task",
    "worker",
];
/// Clients that do not carry the records, in words.
pub(crate) const SYNCS_PRODUCER: &str =
    "the producer of offset syncs, not the one that writes records";
pub(crate) const BEATS_PRODUCER: &str = "the producer of heartbeats, for this flow is not enabled";
pub(crate) const SIDE_READERS: &str =
    "the readers of checkpoints and offset syncs, not the one that reads records";
pub(crate) const CONNECTS_READER: &str =
    "Connect's reader of its own offsets, not the one that reads records";
pub(crate) const CONNECTS_ADMIN: &str =
    "Connect's admin client, not the ones that MirrorMaker uses for topics and groups";
const OWN_TOPICS: &str = "the clients of the worker's own topics";
/// What finds config providers, before there is any worker (the constructor of `MirrorMakerConfig`).
pub(super) const PLUGINS: [&str; 2] = ["plugin.path", "plugin.discovery"];
const STORAGES: [&str; 3] = ["offset.storage.", "config.storage.", "status.storage."];
pub(super) const CONVERTERS: [&str; 3] =
    ["key.converter.", "value.converter.", "header.converter."];

/// What MirrorMaker makes of `key`, with the place's prefix taken off, at `place`; of any Kafka, or of one generation.
pub fn known_for(place: Scope, key: &str, kafka: Option<Generation>) -> KeyVerdict {
    let verdict = judge(place, key, kafka);
    if let (KeyVerdict::Misplaced(_) | KeyVerdict::Unknown { .. }, Some(asked)) = (&verdict, kafka)
    {
        let other = asked.other();
        if let KeyVerdict::Known(_) = judge(place, key, Some(other)) {
            return KeyVerdict::OnlyIn(other);
        }
    }
    match verdict {
        KeyVerdict::Unknown { .. } => KeyVerdict::Unknown {
            meant: meant(place, key, kafka),
        },
        other => other,
    }
}

/// As [`known_for`], but for the spelling of unknown keys, which takes a look at all there are.
fn judge(place: Scope, key: &str, kafka: Option<Generation>) -> KeyVerdict {
    if let Some(why) = overruled(key) {
        return KeyVerdict::Overruled(why);
    }
    let known = match place {
        Scope::Top => at_top(key, kafka),
        Scope::Flow => in_flow(key, kafka),
        Scope::Cluster(used) => at_cluster(used, key, kafka),
    };
    known.unwrap_or_else(|| match alternatives(key, kafka) {
        alternatives if alternatives.is_empty() => KeyVerdict::Unknown { meant: Vec::new() },
        alternatives => KeyVerdict::Misplaced(alternatives),
    })
}

fn overruled(key: &str) -> Option<&'static str> {
    match key {
        "config.storage.partitions" => Some("this topic always has one partition"),
        "connector.client.config.override.policy" => Some("MirrorMaker allows every override"),
        "consumer.enable.auto.commit" => Some("MirrorMaker always sets it to false"),
        _ if STORAGES
            .iter()
            .any(|storage| key.strip_prefix(storage) == Some("cleanup.policy")) =>
        {
            Some("these topics are always compacted")
        }
        _ => None,
    }
}

fn at_top(key: &str, kafka: Option<Generation>) -> Option<KeyVerdict> {
    let kinds = find(key, &TOP, kafka).or_else(|| provider(key));
    let worker = || {
        let is_read = is_of_workers_at_top(key);
        is_read.then(|| of_worker(key, kafka)).flatten()
    };
    let plugins = || {
        let is_one = PLUGINS.contains(&key);
        is_one.then(|| find(key, &[Kind::Worker], kafka)).flatten()
    };
    let rest = || {
        let key = key.strip_prefix("listeners.https.")?;
        find(key, &[Kind::Client], kafka)
    };
    let known = kinds.or_else(worker).or_else(plugins).or_else(rest);
    known.map(KeyVerdict::Known)
}

fn in_flow(key: &str, kafka: Option<Generation>) -> Option<KeyVerdict> {
    // connectors define what connects to clusters, but give their clients only what stands at the clusters
    if find(key, &[Kind::Client], kafka).is_some() {
        return None;
    }
    let known = find(key, &FLOW, kafka).or_else(|| within(key, &CONVERTERS));
    if let Some(known) = known.or_else(|| of_named(key, kafka)) {
        return Some(KeyVerdict::Known(known));
    }
    for side in ["source.cluster.", "target.cluster."] {
        if let Some(key) = key.strip_prefix(side) {
            return find(key, &[Kind::Client], kafka).map(KeyVerdict::Known);
        }
    }
    if let Some((prefix, bare, kind)) = of_client(key) {
        if let Some(bare) = bare.strip_prefix("override.") {
            let known = find(bare, &[kind], kafka)?;
            let reaches = match kind {
                Kind::Producer => return Some(KeyVerdict::Known(known)),
                Kind::Consumer => CONNECTS_READER,
                _ => CONNECTS_ADMIN,
            };
            let alternatives = alternatives(key, kafka);
            return Some(KeyVerdict::Partly {
                reaches,
                alternatives,
            });
        }
        return client(prefix, bare, kind, None, kafka);
    }
    let sides = [("source.", None), ("target.", Some(ClusterUse::default()))];
    let mut of_side = sides
        .into_iter()
        .filter_map(|(side, used)| Some((of_client(key.strip_prefix(side)?)?, used)));
    let ((prefix, bare, kind), used) = of_side.next()?;
    client(prefix, bare, kind, used, kafka)
}

fn at_cluster(used: ClusterUse, key: &str, kafka: Option<Generation>) -> Option<KeyVerdict> {
    if let Some(known) = find(key, &[Kind::Client], kafka) {
        return Some(KeyVerdict::Known(known));
    }
    if let Some((prefix, bare, kind)) = of_client(key)
        && let Some(verdict) = client(prefix, bare, kind, Some(used), kafka)
    {
        return Some(verdict);
    }
    if let Some(known) = of_worker(key, kafka).or_else(|| provider(key)) {
        return Some(if used.has_worker {
            KeyVerdict::Known(known)
        } else {
            KeyVerdict::Misplaced(vec![Alternative::Cluster(Side::Target, key.to_owned())])
        });
    }
    // the worker hands all it has to the clients of its own topics, and to no others
    let is_client = find(key, &CLIENTS.map(|(_, kind)| kind), kafka).is_some();
    (used.has_worker && is_client && find(key, &FLOW, kafka).is_none()).then(|| {
        KeyVerdict::Partly {
            reaches: OWN_TOPICS,
            alternatives: alternatives(key, kafka),
        }
    })
}

/// A setting of one client; `used` where it stands at a cluster, nothing where it stands at a flow.
fn client(
    prefix: &'static str,
    bare: &str,
    kind: Kind,
    used: Option<ClusterUse>,
    kafka: Option<Generation>,
) -> Option<KeyVerdict> {
    if bare.starts_with("metrics.context.") {
        return Some(KeyVerdict::Known(Type::String));
    }
    let known = find(bare, &[kind], kafka)?;
    // what every client has is needed to connect, whatever is sent then
    let others = CLIENTS.map(|(_, other)| other);
    let is_tuning = others
        .iter()
        .filter(|other| **other != kind)
        .all(|other| find(bare, &[*other], kafka).is_none());
    let reaches = match kind {
        Kind::Producer if used.is_none_or(|used| !used.is_written) => SYNCS_PRODUCER,
        Kind::Consumer if used.is_some_and(|used| !used.is_read) => SIDE_READERS,
        _ => return Some(KeyVerdict::Known(known)),
    };
    if !is_tuning {
        return Some(KeyVerdict::Known(known));
    }
    let side = if kind == Kind::Producer {
        Side::Target
    } else {
        Side::Source
    };
    Some(KeyVerdict::Partly {
        reaches,
        alternatives: vec![Alternative::Cluster(side, format!("{prefix}{bare}"))],
    })
}

pub(super) fn of_client(key: &str) -> Option<(&'static str, &str, Kind)> {
    let mut clients = CLIENTS.into_iter();
    clients.find_map(|(prefix, kind)| Some((prefix, key.strip_prefix(prefix)?, kind)))
}

/// A worker's setting, one of its topics' or of its converters'.
fn of_worker(key: &str, kafka: Option<Generation>) -> Option<Type> {
    let storage = || {
        let topic = STORAGES
            .iter()
            .find_map(|prefix| key.strip_prefix(prefix))?;
        find(topic, &[Kind::Topic], kafka)
    };
    find(key, &[Kind::Worker], kafka)
        .or_else(storage)
        .or_else(|| within(key, &CONVERTERS))
        .or_else(|| within(key, &["metrics.context."]))
}

/// `config.providers.NAME.class`, `config.providers.NAME.param.ANYTHING`.
pub(super) fn provider(key: &str) -> Option<Type> {
    let (_, rest) = key.strip_prefix("config.providers.")?.split_once('.')?;
    let is_known = rest == "class" || rest.starts_with("param.");
    is_known.then_some(if rest == "class" {
        Type::Class
    } else {
        Type::String
    })
}

/// `transforms.NAME.ANYTHING` and its like.
pub(super) fn of_named(key: &str, kafka: Option<Generation>) -> Option<Type> {
    if let Some(group) = key.strip_prefix("topic.creation.") {
        let (_, bare) = group.split_once('.')?;
        return match bare {
            "include" | "exclude" => Some(Type::List),
            "replication.factor" => Some(Type::Short),
            "partitions" => Some(Type::Int),
            topic => find(topic, &[Kind::Topic], kafka),
        };
    }
    within(key, &["transforms.", "predicates."])
}

/// Whatever stands behind one of the prefixes: its reader is a class of the person's choice.
pub(super) fn within(key: &str, prefixes: &[&str]) -> Option<Type> {
    let mut rest = prefixes
        .iter()
        .filter_map(|prefix| key.strip_prefix(prefix));
    rest.any(|rest| !rest.is_empty()).then_some(Type::String)
}

#[cfg(test)]
mod tests;
