//! What to write instead of a key that is not read under its prefix.

use super::{
    Alternative, CLIENTS, CONNECTORS, FLOW, KeyVerdict, Scope, Side, judge, of_client, of_named,
    of_worker, provider,
};
use crate::core::mirrormaker::settings::reader::{is_of_brokers, is_of_its_topics};
use crate::core::mirrormaker::settings::{Generation, Kind, find, keys};
use crate::core::nearest::nearest_spelling;

/// Where a key is read as it was meant, whatever client or side it was written for.
pub(crate) fn alternatives(key: &str, kafka: Option<Generation>) -> Vec<Alternative> {
    let bare = ["source.cluster.", "target.cluster.", "source.", "target."];
    let key = bare
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))
        .unwrap_or(key);
    let (for_client, key) = match of_client(key) {
        Some((_, bare, kind)) => (Some(kind), bare.strip_prefix("override.").unwrap_or(bare)),
        None => (None, key),
    };
    let is = |kinds: &[Kind]| find(key, kinds, kafka).is_some();
    let mut alternatives = Vec::new();
    if (is(&FLOW) && !is(&[Kind::Client])) || of_named(key, kafka).is_some() {
        alternatives.push(Alternative::Flow(key.to_owned()));
    }
    if is(&CONNECTORS) || is(&[Kind::Top, Kind::Client]) || provider(key).is_some() {
        alternatives.push(Alternative::Top(key.to_owned()));
    }
    if is(&[Kind::Client]) {
        alternatives.push(Alternative::Cluster(Side::Either, key.to_owned()));
    } else if of_worker(key, kafka).is_some() && for_client.is_none() {
        alternatives.push(Alternative::Cluster(Side::Target, key.to_owned()));
    }
    if !alternatives.is_empty() && for_client.is_none_or(|kind| !is(&[kind])) {
        return alternatives;
    }
    alternatives.clear();
    for (prefix, kind) in CLIENTS {
        let side = match kind {
            Kind::Producer => Side::Target,
            Kind::Consumer => Side::Source,
            _ => Side::Either,
        };
        let is_asked = for_client.is_none_or(|asked| asked == kind || !is(&[asked]));
        if is_asked && is(&[kind]) {
            alternatives.push(Alternative::Cluster(side, format!("{prefix}{key}")));
        }
    }
    alternatives
}

/// Slips that are no slips of the pen, and what is meant.
const SLIPS: [(&str, &str); 7] = [
    ("max.tasks", "tasks.max"),
    ("replication.enabled", "enabled"),
    ("topic.blacklist", "topics.exclude"),
    ("group.blacklist", "groups.exclude"),
    ("topic.whitelist", "topics"),
    ("topics.whitelist", "topics"),
    ("groups.whitelist", "groups"),
];

/// Longer keys are no slips of the pen.
const LONGEST: usize = 100;

/// The nearest real key, where it is read: at the same place if it can be.
pub(super) fn meant(place: Scope, key: &str, kafka: Option<Generation>) -> Vec<Alternative> {
    if key.len() > LONGEST {
        return Vec::new();
    }
    let (prefix, bare, kinds): (&str, &str, &[Kind]) = match of_client(key) {
        Some((prefix, bare, Kind::Producer)) => (prefix, bare, &[Kind::Producer]),
        Some((prefix, bare, Kind::Consumer)) => (prefix, bare, &[Kind::Consumer]),
        Some((prefix, bare, _)) => (prefix, bare, &[Kind::Admin]),
        None => ("", key, &Kind::OF_MIRRORMAKER),
    };
    if is_of_brokers(key) || is_of_its_topics(key) {
        return Vec::new();
    }
    let slip = SLIPS.iter().find(|(slip, _)| *slip == bare);
    let near = slip.map(|(_, meant)| *meant);
    let Some(near) = near.or_else(|| nearest_spelling(bare, keys(kinds, kafka))) else {
        return Vec::new();
    };
    let near = format!("{prefix}{near}");
    match (judge(place, &near, kafka), place) {
        (KeyVerdict::Known(_), Scope::Top) => vec![Alternative::Top(near)],
        (KeyVerdict::Known(_), Scope::Flow) => vec![Alternative::Flow(near)],
        (KeyVerdict::Known(_), Scope::Cluster(_)) => vec![Alternative::Cluster(Side::Either, near)],
        (KeyVerdict::Misplaced(alternatives) | KeyVerdict::Partly { alternatives, .. }, _) => {
            alternatives
        }
        _ => Vec::new(),
    }
}
