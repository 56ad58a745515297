//! Finds settings with which workers or connectors of one target get in each other's way.

use super::Problem;
use super::flows::{Flows, Standing};
use std::collections::BTreeMap;

type Settings<'a> = BTreeMap<&'a str, &'a str>;

/// What each worker of a target needs for itself: by default it has its source in the name (`MirrorMakerConfig.workerConfig`).
const OF_ONE: [(&str, bool); 2] = [("group.id", false), ("config.storage.topic", true)];

/// Each key that gives one group, or one topic of connectors, to several workers.
pub(super) fn shared(flows: &Flows<'_>, settings: &Settings<'_>) -> Vec<(String, Problem)> {
    if flows.are_too_many() || flows.pairs().is_empty() {
        return Vec::new();
    }
    let running = flows.running();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for target in flows.aliases() {
        let workers = || running.iter().filter(|pair| pair.target == target);
        if workers().count() < 2 || !workers().any(|pair| pair.is_enabled) {
            continue;
        }
        for (name, is_at_top) in OF_ONE {
            let own = format!("{target}.{name}");
            // without a prefix it wins
            let keys = [(is_at_top, name), (true, own.as_str())];
            let mut keys = keys
                .iter()
                .filter(|(is_read, key)| *is_read && settings.contains_key(key));
            if let Some((_, key)) = keys.next() {
                let names = workers().map(|pair| format!("{}->{}", pair.source, pair.target));
                found.entry((*key).to_owned()).or_default().extend(names);
            }
        }
    }
    let found = found.into_iter();
    found
        .map(|(key, workers)| (key, Problem::SharedWorker(workers)))
        .collect()
}

/// The connector that a key makes of all three of a flow (`connectorBaseConfig` keeps it).
pub(super) fn only_connector(standing: &Standing, value: &str) -> Option<Problem> {
    let (Standing::Top("connector.class") | Standing::Flow(_, _, "connector.class")) = standing
    else {
        return None;
    };
    Some(Problem::OneConnector(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::core::mirrormaker::lint::{Problem, lint};

    fn found(enabled: &[&str], rest: &str) -> Vec<(String, Problem)> {
        let clusters = "clusters = a, b, c\na.bootstrap.servers = a:1\nb.bootstrap.servers = b:1\nc.bootstrap.servers = c:1";
        let enabled: Vec<String> = enabled
            .iter()
            .map(|flow| format!("{flow}.enabled = true"))
            .collect();
        let text = format!("{clusters}\n{}\n", enabled.join("\n"));
        let findings = lint(&format!("{text}{rest}"), None).into_iter();
        findings
            .map(|finding| (finding.key, finding.problem))
            .collect()
    }

    #[test]
    fn workers_that_would_share_what_each_needs_for_itself() {
        let shared = |workers: &[&str]| {
            Problem::SharedWorker(workers.iter().map(|name| (*name).to_owned()).collect())
        };
        let both = ["a->c", "b->c"];
        let expected = |key: &str| vec![(key.to_owned(), shared(&both))];
        assert_eq!(found(&both, "c.group.id = y"), expected("c.group.id"));
        let topic = "c.config.storage.topic";
        assert_eq!(found(&both, &format!("{topic} = x")), expected(topic));
        // a worker that only emits heartbeats has its connectors there too
        assert_eq!(found(&both[..1], "c.group.id = y"), expected("c.group.id"));
        let alone = "c.group.id = y\nb->c.emit.heartbeats.enabled = false";
        assert_eq!(found(&both[..1], alone), []);
        // each connector's offsets have its source in their key
        assert_eq!(found(&both, "offset.storage.topic = x"), []);
        // without a prefix it is every cluster's
        let all = found(&both, "config.storage.topic = x");
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].1.kind(), "shared-worker");
        let off = "config.storage.topic = x\nemit.heartbeats.enabled = false";
        assert_eq!(found(&both, off), expected("config.storage.topic"));
        assert_eq!(found(&["a->b", "b->c"], off), []);
    }

    #[test]
    fn a_class_of_connector_is_all_threes() {
        let class = "org.apache.kafka.connect.mirror.MirrorSourceConnector";
        for key in ["connector.class", "a->b.connector.class"] {
            let expected = (key.to_owned(), Problem::OneConnector(class.to_owned()));
            assert_eq!(found(&["a->b"], &format!("{key} = {class}")), [expected]);
        }
    }
}
