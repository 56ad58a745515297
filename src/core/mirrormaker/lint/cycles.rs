//! Finds mistakes of a file as a whole that make records circulate endlessly: cycles of flows, and one cluster under
//! two names.

use super::Problem;
use super::flows::Flows;
use crate::core::spec::ring::{self, Hop};
use std::collections::{BTreeMap, BTreeSet};

type Settings<'a> = BTreeMap<&'a str, &'a str>;

/// Kafka's own policies of names.
const PREFIXES: &str = "org.apache.kafka.connect.mirror.DefaultReplicationPolicy";
const KEEPS: &str = "org.apache.kafka.connect.mirror.IdentityReplicationPolicy";
const FILTER: &str = "org.apache.kafka.connect.mirror.DefaultTopicFilter";

/// Each ring, at the key that enables its first flow.
pub(super) fn rings(flows: &Flows<'_>, settings: &Settings<'_>) -> Vec<(String, Problem)> {
    if flows.are_too_many() {
        return Vec::new();
    }
    let pairs = flows.pairs().into_iter();
    let hops: Vec<Hop<'_>> = pairs
        .filter_map(|(source, target)| hop(source, target, settings))
        .collect();
    let name = |at: &usize| format!("{}->{}", hops[*at].source, hops[*at].target);
    let found = ring::rings(&hops).into_iter().map(|ring| {
        let first = format!("{}.enabled", ring.first().map(name).unwrap_or_default());
        let key = if settings.contains_key(first.as_str()) {
            first
        } else {
            "enabled".to_owned()
        };
        let grows = ring.iter().find_map(|at| {
            let Hop {
                source, separator, ..
            } = &hops[*at];
            separator.map(|by| format!("{source}{by}{source}{by}{source}{by}TOPIC"))
        });
        let flows = ring.iter().map(name).collect();
        (key, Problem::Ring { flows, grows })
    });
    found.collect()
}

/// A flow; none where classes of the person's own, or values that are not here, decide what it does.
fn hop<'a>(source: &'a str, target: &'a str, settings: &Settings<'a>) -> Option<Hop<'a>> {
    let read = |key: &str| {
        let own = settings.get(format!("{source}->{target}.{key}").as_str());
        own.or_else(|| settings.get(key)).map(|value| value.trim())
    };
    let policy = read("replication.policy.class").unwrap_or(PREFIXES);
    let separator = match policy {
        PREFIXES => Some(read("replication.policy.separator").unwrap_or(".")),
        KEEPS => None,
        _ => return None,
    };
    // what prefixes are made of, and looked for
    let aliases = ["source.cluster.alias", "target.cluster.alias"];
    let list = |keys: [&str; 2], usual: &str| -> Option<Vec<String>> {
        let text = keys.iter().find_map(|key| read(key)).unwrap_or(usual);
        let patterns = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        (!text.contains("${")).then(|| patterns.map(str::to_owned).collect())
    };
    let topics = list(["topics"; 2], ".*")?;
    let exclude = list(["topics.exclude", "topics.blacklist"], "")?;
    let is_known = separator.is_none_or(|by| !by.is_empty() && !by.contains("${"))
        && read("topic.filter.class").is_none_or(|class| class == FILTER)
        && aliases.iter().all(|key| read(key).is_none());
    is_known.then_some(Hop {
        source,
        target,
        separator,
        topics,
        exclude,
    })
}

/// Each cluster of a flow that has an address of another one, at the key that says so.
pub(super) fn same_clusters(flows: &Flows<'_>, settings: &Settings<'_>) -> Vec<(String, Problem)> {
    let ends: BTreeSet<&str> = flows
        .pairs()
        .into_iter()
        .flat_map(|(a, b)| [a, b])
        .collect();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for alias in flows.aliases().filter(|alias| ends.contains(alias)) {
        let own = format!("{alias}.bootstrap.servers");
        let key = if settings.contains_key(own.as_str()) {
            own
        } else {
            "bootstrap.servers".to_owned()
        };
        let addresses = settings.get(key.as_str()).copied().unwrap_or_default();
        let addresses = addresses.split(',').map(|one| one.trim().to_lowercase());
        let mut given = addresses.filter(|one| !one.is_empty() && !one.contains("${"));
        let same = given.find_map(|address| {
            let other = *seen.entry(address.clone()).or_insert(alias);
            (other != alias).then_some((address, other))
        });
        if let Some((address, other)) = same {
            let (one, other) = (other.to_owned(), alias.to_owned());
            found.push((
                key,
                Problem::OneCluster {
                    one,
                    other,
                    address,
                },
            ));
        }
    }
    found
}
