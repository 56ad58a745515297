//! Every setting that MirrorMaker reads, and brokers read, as Kafka's own configuration definitions have them.
//!
//! [`known_for`] judges one key at one [`Scope`]: MirrorMaker silently ignores unknown and misplaced keys.
//! [`known_to_brokers`] does so for the brokers, which are no better.

mod broker;
mod failure;
pub(crate) mod reader;
mod scope;
mod value;

pub use broker::{BrokerVerdict, known_to_brokers};
pub use failure::{Connectors, Consequence, failure};
pub use scope::{Alternative, ClusterUse, KeyVerdict, Scope, Side, known_for};
pub(crate) use scope::{
    BEATS_PRODUCER, CONNECTS_ADMIN, CONNECTS_READER, SIDE_READERS, SYNCS_PRODUCER, alternatives,
};
pub use value::Type;
pub(crate) use value::{entries, trimmed};

use crate::core::topology::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Made by `dev/mm2-settings.sh`.
const TABLE: &str = include_str!("settings/table.txt");

/// Who reads a setting: the definition of Kafka's that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// `MirrorMakerConfig`.
    Top,
    /// `DistributedConfig`, without what belongs to its REST server.
    Worker,
    /// `MirrorSourceConfig`.
    Source,
    /// `MirrorCheckpointConfig`.
    Checkpoint,
    /// `MirrorHeartbeatConfig`.
    Heartbeat,
    /// `SourceConnectorConfig`.
    Connector,
    /// `DefaultTopicFilter`, `DefaultGroupFilter` and `DefaultConfigPropertyFilter`.
    Filter,
    /// `MirrorClientConfig`: what all clients of a cluster need.
    Client,
    /// `ProducerConfig`.
    Producer,
    /// `ConsumerConfig`.
    Consumer,
    /// `AdminClientConfig`.
    Admin,
    /// `LogConfig`: settings of a topic.
    Topic,
    /// `AbstractKafkaConfig`: settings of a broker.
    Broker,
}

impl Kind {
    const NAMES: [(&'static str, Self); 13] = [
        ("top", Self::Top),
        ("worker", Self::Worker),
        ("source", Self::Source),
        ("checkpoint", Self::Checkpoint),
        ("heartbeat", Self::Heartbeat),
        ("connector", Self::Connector),
        ("filter", Self::Filter),
        ("client", Self::Client),
        ("producer", Self::Producer),
        ("consumer", Self::Consumer),
        ("admin", Self::Admin),
        ("topic", Self::Topic),
        ("broker", Self::Broker),
    ];
    /// All that MirrorMaker has to do with.
    const OF_MIRRORMAKER: [Self; 12] = [
        Self::Top,
        Self::Worker,
        Self::Source,
        Self::Checkpoint,
        Self::Heartbeat,
        Self::Connector,
        Self::Filter,
        Self::Client,
        Self::Producer,
        Self::Consumer,
        Self::Admin,
        Self::Topic,
    ];
}

/// One of the two generations of Kafka that the table was made from; each stands for its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// Before 4.0, as 3.9.2 has it.
    Three,
    /// From 4.0 on, as 4.2.0 has it.
    Four,
}

impl Generation {
    /// The one that a version belongs to.
    pub fn of(version: &Version) -> Self {
        if version.is_below((4, 0)) {
            Self::Three
        } else {
            Self::Four
        }
    }

    /// The one that it is not.
    fn other(self) -> Self {
        match self {
            Self::Three => Self::Four,
            Self::Four => Self::Three,
        }
    }

    /// The Kafka whose definitions stand for it.
    pub fn kafka(self) -> &'static str {
        let versions = TABLE.lines().find_map(|line| line.strip_prefix("# Kafka "));
        let mut versions = versions.unwrap_or_default().split(' ');
        match self {
            Self::Three => versions.next(),
            Self::Four => versions.nth(1),
        }
        .unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setting {
    /// What the older generation takes, and what the newer one does.
    takes: [Type; 2],
    /// The only generation that has it.
    only: Option<Generation>,
}

impl Setting {
    /// What one generation takes, or, with none named, what either does.
    fn takes(&self, kafka: Option<Generation>) -> Type {
        let [old, new] = self.takes;
        match kafka {
            Some(Generation::Three) => old,
            Some(Generation::Four) => new,
            None => old.or(new),
        }
    }
}

type Kinds = BTreeMap<Kind, Setting>;

/// By key.
static SETTINGS: LazyLock<BTreeMap<&'static str, Kinds>> = LazyLock::new(|| {
    let mut settings: BTreeMap<&str, Kinds> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if let Some((kind, key, setting)) = parse(line) {
            settings.entry(key).or_default().insert(kind, setting);
        }
    }
    settings
});

fn parse(line: &'static str) -> Option<(Kind, &'static str, Setting)> {
    let mut words = line.split(' ');
    let (kind, key, name, versions) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (_, kind) = Kind::NAMES.into_iter().find(|(name, _)| *name == kind)?;
    let old = words.next().unwrap_or("-");
    let new = words.next().unwrap_or(old);
    let only = match versions {
        "both" => None,
        one => Some(Generation::of(&Version::parse(one)?)),
    };
    let takes = [Type::parse(name, old)?, Type::parse(name, new)?];
    Some((kind, key, Setting { takes, only }))
}

/// The type of a key where one of `kinds` reads it.
fn find(key: &str, kinds: &[Kind], kafka: Option<Generation>) -> Option<Type> {
    let found = SETTINGS.get(key)?;
    let fits =
        |setting: &&Setting| kafka.is_none() || setting.only.is_none_or(|only| Some(only) == kafka);
    let mut settings = kinds.iter().filter_map(|kind| found.get(kind));
    settings.find(fits).map(|setting| setting.takes(kafka))
}

/// Whether a key holds a list of regular expressions (`DefaultTopicFilter` and its like).
pub fn is_of_patterns(key: &str) -> bool {
    find(key, &[Kind::Filter], None).is_some()
}

/// The keys of some kinds.
fn keys(kinds: &[Kind], kafka: Option<Generation>) -> BTreeSet<&'static str> {
    let all = SETTINGS.keys().copied();
    all.filter(|key| find(key, kinds, kafka).is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};

    #[test]
    fn the_table_is_sorted_whole_and_says_nothing_twice() {
        let lines: Vec<&str> = TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(lines.is_sorted_by(|a, b| a < b), "run dev/mm2-settings.sh");
        assert!(lines.len() > 900);
        let mut seen = BTreeSet::new();
        for line in lines {
            let (kind, key, _) = parse(line).unwrap_or_else(|| panic!("{line}"));
            assert!(seen.insert((kind, key)), "{line}: twice");
        }
    }

    #[test]
    fn the_table_is_of_the_kafkas_that_kmk_is_tried_with() {
        assert_eq!(
            Generation::Three.kafka(),
            KAFKA_VERSION,
            "run dev/mm2-settings.sh"
        );
        assert_eq!(
            Generation::Four.kafka(),
            NEXT_KAFKA_VERSION,
            "run dev/mm2-settings.sh"
        );
    }

    #[test]
    fn keys_that_one_kafka_has() {
        let three = Some(Generation::Three);
        let four = Some(Generation::Four);
        let key = "topics.blacklist";
        assert_eq!(find(key, &[Kind::Source], three), Some(Type::List));
        assert_eq!(find(key, &[Kind::Source], four), None);
        assert_eq!(find(key, &[Kind::Source], None), Some(Type::List));
        assert_eq!(find(key, &[Kind::Worker], None), None);
    }

    #[test]
    fn values_that_one_kafka_takes() {
        let takes = |kind, key, kafka, value| find(key, &[kind], kafka).unwrap().takes(value);
        let (three, four) = (Some(Generation::Three), Some(Generation::Four));
        let reset = |kafka, value| takes(Kind::Consumer, "auto.offset.reset", kafka, value);
        let by = "by_duration:PT1H";
        assert!(!reset(three, by) && reset(four, by) && reset(None, by));
        assert!(reset(three, "earliest") && !reset(None, "EARLIEST") && !reset(None, "first"));
        let topics = |kafka| takes(Kind::Source, "topics", kafka, "x,");
        assert!(topics(three) && !topics(four) && topics(None));
        let eos = |value| takes(Kind::Worker, "exactly.once.source.support", None, value);
        assert!(eos("enabled") && !eos("true"));
        let kafka = find("segment.bytes", &[Kind::Topic], four);
        assert!(!kafka.unwrap().takes("0"));
    }
}
