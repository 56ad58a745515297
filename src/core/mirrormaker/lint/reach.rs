//! Which readers get a setting, where several keys of a file set it.
//!
//! From `MirrorMakerConfig.connectorBaseConfig`, `MirrorConnectorConfig` (`sourceConsumerConfig` and its like) and
//! `Worker.baseProducerConfigs`. `dev/lint-truth.sh` holds it against Kafka's own classes.

use super::flows::{Flows, Pair, Standing};
use crate::core::mirrormaker::settings::reader::{
    Client, is_of_cluster, is_of_connectors, is_of_heartbeats, is_of_workers_at_top,
};
use crate::core::mirrormaker::settings::{
    BEATS_PRODUCER, CONNECTS_ADMIN, CONNECTS_READER, Generation, SIDE_READERS, SYNCS_PRODUCER,
    trimmed,
};
use std::collections::{BTreeMap, BTreeSet};

/// Old names that count only where the new one stands nowhere, flow or not (`ConfigUtils.translateDeprecatedConfigs`).
const OLD_NAMES: [(&str, &str); 3] = [
    ("topics.blacklist", "topics.exclude"),
    ("groups.blacklist", "groups.exclude"),
    ("config.properties.blacklist", "config.properties.exclude"),
];

/// How far a key gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To those on whom the records depend.
    Records,
    /// Only to a client beside them.
    Beside(&'static str),
    /// To nothing: these keys win, though they are no nearer to a flow.
    Shadowed(Vec<String>),
    /// To nothing, as this flow does not run, or only emits heartbeats.
    NotEnabled(String),
    /// To nothing, as there is no such client.
    Nobody,
}

/// The file, and who runs with it.
pub(super) struct Readers<'a> {
    settings: &'a BTreeMap<&'a str, &'a str>,
    pairs: Vec<Pair<'a>>,
    kafka: Option<Generation>,
}

/// What a key sets.
enum About<'k> {
    /// A setting of these clients.
    Clients(Vec<Client>, &'k str),
    /// A setting of connectors.
    Connectors(&'k str),
    /// A setting of workers that they read without a prefix too.
    Workers(&'k str),
}

/// The keys that set one thing for one reader; the first one that is there counts.
struct Reader {
    beside: Option<&'static str>,
    keys: Vec<String>,
}

impl<'a> Readers<'a> {
    pub(super) fn new(
        flows: &Flows<'a>,
        settings: &'a BTreeMap<&'a str, &'a str>,
        kafka: Option<Generation>,
    ) -> Self {
        let pairs = if flows.are_too_many() {
            Vec::new()
        } else {
            flows.running()
        };
        Self {
            settings,
            pairs,
            kafka,
        }
    }

    /// Nothing where there is no more to know than where the key is.
    pub(super) fn reach(&self, key: &str, standing: &Standing) -> Option<Reach> {
        let about = self.about(standing)?;
        if self.pairs.is_empty() {
            return None;
        }
        let mut beside = None;
        let mut winners = BTreeSet::new();
        let here = self.nearness(key);
        // what is said for all may be said otherwise for one: only the other way round it is a trap
        let mut is_overridden = false;
        for pair in self.pairs.iter().filter(|pair| concerns(standing, pair)) {
            for reader in self.readers(&about, pair) {
                let mut keys = reader.keys.iter();
                let counts = keys.find(|key| self.settings.contains_key(key.as_str()));
                match (counts, reader.beside) {
                    (Some(counts), None) if counts == key => return Some(Reach::Records),
                    (Some(counts), Some(name)) if counts == key => {
                        beside.get_or_insert(name);
                    }
                    (Some(counts), name) if reader.keys.iter().any(|one| one == key) => {
                        if self.nearness(counts) <= here {
                            winners.insert(counts.clone());
                        } else {
                            is_overridden |= name.is_none();
                        }
                    }
                    _ => {}
                }
            }
        }
        if is_overridden {
            return None;
        }
        if let Some(name) = beside {
            return Some(Reach::Beside(name));
        }
        if !winners.is_empty() {
            return Some(Reach::Shadowed(winners.into_iter().collect()));
        }
        let Standing::Flow(source, target, _) = standing else {
            return None;
        };
        let mut pairs = self.pairs.iter();
        let is_enabled =
            pairs.any(|pair| pair.is_enabled && (pair.source, pair.target) == (*source, *target));
        Some(if is_enabled {
            Reach::Nobody
        } else {
            Reach::NotEnabled(format!("{source}->{target}"))
        })
    }

    /// How much of MirrorMaker a key is about: all, a cluster, a flow.
    fn nearness(&self, key: &str) -> u8 {
        if key.contains("->") {
            return 2;
        }
        let mut pairs = self.pairs.iter();
        let is_of = |alias: &str| {
            key.strip_prefix(alias)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        u8::from(pairs.any(|pair| is_of(pair.source) || is_of(pair.target)))
    }

    fn about<'k>(&self, standing: &Standing<'k>) -> Option<About<'k>> {
        let of_all = |key: &'k str| {
            is_of_cluster(key, self.kafka).then(|| About::Clients(Client::ALL.to_vec(), key))
        };
        match standing {
            Standing::Top(key) if is_of_connectors(key, true, self.kafka) => {
                (!starts_workers(key)).then_some(About::Connectors(key))
            }
            Standing::Top(key) => of_all(key),
            Standing::Cluster(_, key) => self
                .of_client(key)
                .or_else(|| of_all(key))
                .or_else(|| is_of_workers_at_top(key).then_some(About::Workers(key))),
            Standing::Flow(_, _, key) if is_of_connectors(key, false, self.kafka) => {
                (!starts_workers(key)).then_some(About::Connectors(key))
            }
            Standing::Flow(_, _, key) => {
                let side = ["source.", "target."];
                let of_side = side.iter().find_map(|side| key.strip_prefix(side));
                let of_cluster = of_side.and_then(|key| key.strip_prefix("cluster."));
                of_cluster
                    .and_then(of_all)
                    .or_else(|| self.of_client(of_side.unwrap_or(key)))
            }
            Standing::Itself(_) | Standing::Nobody(_) => None,
        }
    }

    fn of_client<'k>(&self, key: &'k str) -> Option<About<'k>> {
        let (name, bare) = key.split_once('.')?;
        let client = Client::ALL.into_iter().find(|one| one.name() == name)?;
        let bare = bare.strip_prefix("override.").unwrap_or(bare);
        let is_one = client.has(bare, self.kafka);
        is_one.then(|| About::Clients(vec![client], bare))
    }

    fn readers(&self, about: &About, pair: &Pair) -> Vec<Reader> {
        match about {
            About::Clients(clients, key) => {
                let of = clients.iter().filter(|one| one.has(key, self.kafka));
                of.flat_map(|client| self.of_one(*client, key, pair))
                    .collect()
            }
            About::Connectors(key) => self.of_connectors(key, pair).into_iter().collect(),
            About::Workers(key) => vec![Reader {
                beside: None,
                keys: vec![(*key).to_owned(), format!("{}.{key}", pair.target)],
            }],
        }
    }

    fn of_connectors(&self, key: &str, pair: &Pair) -> Option<Reader> {
        if !pair.is_enabled && !is_of_heartbeats(key, self.kafka) {
            return None;
        }
        let old = OLD_NAMES
            .iter()
            .find(|names| names.0 == key || names.1 == key);
        let names = old.map_or(vec![key], |(old, new)| vec![new, old]);
        let keys = names.into_iter().flat_map(|name| {
            let own = format!("{}->{}.{name}", pair.source, pair.target);
            let at_top = is_of_connectors(name, true, self.kafka).then(|| name.to_owned());
            std::iter::once(own).chain(at_top)
        });
        Some(Reader {
            beside: None,
            keys: keys.collect(),
        })
    }

    /// Every client of one kind that runs for a pair.
    fn of_one(&self, client: Client, key: &str, pair: &Pair) -> Vec<Reader> {
        let has_all = |one: &Client| one.has(key, self.kafka);
        let is_common = Client::ALL.iter().all(has_all);
        // what every client has is needed to connect, whoever it is
        let reader = |beside: Option<&'static str>, keys| Reader {
            beside: beside.filter(|_| !is_common),
            keys,
        };
        let own = |side| self.own(client, side, key, pair);
        let connects = self.of_connect(client, key, pair);
        let syncs = match self.of_flow("offset-syncs.topic.location", pair) {
            Some("target") => "target",
            _ => "source",
        };
        if !pair.is_enabled {
            return match client {
                Client::Producer => vec![reader(Some(BEATS_PRODUCER), connects)],
                Client::Consumer => Vec::new(),
                Client::Admin => vec![reader(None, own("target"))],
            };
        }
        let mut readers = match client {
            Client::Producer => vec![reader(None, connects.clone())],
            Client::Consumer => vec![
                reader(None, own("source")),
                reader(Some(SIDE_READERS), own("target")),
                reader(Some(SIDE_READERS), own(syncs)),
            ],
            Client::Admin => vec![reader(None, own("source")), reader(None, own("target"))],
        };
        match client {
            Client::Producer if !self.says(pair, "emit.offset-syncs.enabled", "false") => {
                readers.push(reader(Some(SYNCS_PRODUCER), own(syncs)));
            }
            Client::Consumer if self.reads_own_offsets(pair) => {
                readers.push(Reader {
                    beside: Some(CONNECTS_READER),
                    keys: connects,
                });
            }
            Client::Admin if self.reads_own_offsets(pair) || self.makes_topics(pair) => {
                readers.push(Reader {
                    beside: Some(CONNECTS_ADMIN),
                    keys: connects,
                });
            }
            _ => {}
        }
        readers
    }

    /// A client that MirrorMaker makes itself.
    fn own(&self, client: Client, side: &str, key: &str, pair: &Pair) -> Vec<String> {
        let Pair { source, target, .. } = pair;
        let flow = format!("{source}->{target}");
        let alias = if side == "source" { source } else { target };
        let client = client.name();
        let mut keys = vec![
            format!("{flow}.{side}.{client}.{key}"),
            format!("{alias}.{client}.{key}"),
        ];
        let is_of_cluster = is_of_cluster(key, self.kafka);
        if is_of_cluster {
            keys.extend([format!("{alias}.{key}"), key.to_owned()]);
        }
        keys.push(format!("{flow}.{client}.{key}"));
        if is_of_cluster {
            keys.push(format!("{flow}.{side}.cluster.{key}"));
        }
        keys
    }

    /// A client that Connect makes for a connector.
    fn of_connect(&self, client: Client, key: &str, pair: &Pair) -> Vec<String> {
        let Pair { source, target, .. } = pair;
        let name = client.name();
        let mut keys = vec![
            format!("{source}->{target}.{name}.override.{key}"),
            format!("{target}.{name}.{key}"),
        ];
        if client == Client::Admin || is_of_cluster(key, self.kafka) {
            keys.push(format!("{target}.{key}"));
        }
        if is_of_cluster(key, self.kafka) {
            keys.push(key.to_owned());
        }
        keys
    }

    /// What a flow has as one of its own settings.
    fn of_flow(&self, key: &str, pair: &Pair) -> Option<&str> {
        let own = format!("{}->{}.{key}", pair.source, pair.target);
        let found = self
            .settings
            .get(own.as_str())
            .or_else(|| self.settings.get(key));
        found.map(|value| trimmed(value))
    }

    fn says(&self, pair: &Pair, key: &str, value: &str) -> bool {
        let said = self.of_flow(key, pair);
        said.is_some_and(|said| said.eq_ignore_ascii_case(value))
    }

    fn reads_own_offsets(&self, pair: &Pair) -> bool {
        let exactly_once = format!("{}.exactly.once.source.support", pair.target);
        let exactly_once = self.settings.get(exactly_once.as_str());
        exactly_once.is_some_and(|value| trimmed(value).eq_ignore_ascii_case("enabled"))
            || self.of_flow("offsets.storage.topic", pair).is_some()
    }

    fn makes_topics(&self, pair: &Pair) -> bool {
        let group = format!("{}->{}.topic.creation.", pair.source, pair.target);
        let mut from_there = self.settings.range(group.as_str()..);
        from_there
            .next()
            .is_some_and(|(key, _)| key.starts_with(&group))
    }
}

/// What decides whether workers run at all.
fn starts_workers(key: &str) -> bool {
    ["enabled", "emit.heartbeats.enabled"].contains(&key)
}

/// Whether a key can reach anybody who runs for the pair.
fn concerns(standing: &Standing, pair: &Pair) -> bool {
    match standing {
        Standing::Cluster(alias, _) => [pair.source, pair.target].contains(alias),
        Standing::Flow(source, target, _) => (pair.source, pair.target) == (*source, *target),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
