//! Which settings classes other than Kafka's could read.
//!
//! Whoever is made by a connector is given all that `MirrorMakerConfig.connectorBaseConfig` has, a client's class what its
//! client has; a key without a prefix reaches neither, unless Kafka itself knows it.

use super::flows::{Flows, Standing};
use super::value::is_own_class;
use crate::core::mirrormaker::settings::reader::{
    Client, is_of_cluster, is_of_workers_at_top, within_named,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct OwnCode<'a> {
    /// One without a prefix: it is there for every flow.
    of_connectors: bool,
    of_all_clients: bool,
    flows: BTreeSet<(&'a str, &'a str)>,
    clusters: BTreeSet<&'a str>,
}

impl<'a> OwnCode<'a> {
    pub(super) fn new(flows: &Flows<'_>, settings: &BTreeMap<&'a str, &'a str>) -> Self {
        let mut own = Self::default();
        let classes = settings
            .iter()
            .filter(|(key, value)| is_own_class(key, value));
        for (key, _) in classes {
            match flows.standing(key, |_, _| false) {
                // these are given nothing but what stands behind their own name
                Standing::Top(bare) | Standing::Cluster(_, bare) | Standing::Flow(_, _, bare)
                    if within_named(bare) => {}
                Standing::Top(bare) if is_of_cluster(bare, None) => own.of_all_clients = true,
                Standing::Top(_) => own.of_connectors = true,
                Standing::Cluster(alias, _) => {
                    own.clusters.insert(alias);
                }
                Standing::Flow(source, target, _) => {
                    own.flows.insert((source, target));
                }
                Standing::Itself(_) | Standing::Nobody(_) => {}
            }
        }
        own
    }

    /// Whether one of them is given a setting that Kafka does not know.
    pub(super) fn could_read(&self, standing: &Standing) -> bool {
        match standing {
            // the names of classes at the top go to connectors and workers, with what belongs to them
            Standing::Top(key) => {
                self.of_connectors
                    && (key.starts_with("replication.policy.") || is_of_workers_at_top(key))
            }
            Standing::Cluster(alias, _) => {
                let mut flows = self.flows.iter();
                self.of_connectors
                    || self.of_all_clients
                    || self.clusters.contains(alias)
                    || flows.any(|(source, target)| [source, target].contains(&alias))
            }
            Standing::Flow(source, target, key) => {
                let mut side = ["source.", "target."].iter();
                let bare = side.find_map(|side| key.strip_prefix(side)).unwrap_or(key);
                let is_of_client = bare.split_once('.').is_some_and(|(name, _)| {
                    Client::ALL.iter().any(|client| client.name() == name)
                });
                let its_clients = self.of_all_clients
                    || [source, target]
                        .iter()
                        .any(|alias| self.clusters.contains(**alias));
                self.of_connectors
                    || self.flows.contains(&(*source, *target))
                    || (is_of_client && its_clients)
            }
            Standing::Itself(_) | Standing::Nobody(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::mirrormaker::lint::lint;

    #[test]
    fn only_what_a_class_could_read_may_pass() {
        let passes = |class: &str, key: &str| {
            let text = format!(
                "clusters = a, b\na.bootstrap.servers = a:1\nb.bootstrap.servers = b:1\na->b.enabled = true\n{class} = com.example.Mine\n{key} = 1"
            );
            lint(&text, None).is_empty()
        };
        let handler = "a.sasl.client.callback.handler.class";
        let policy = "replication.policy.class";
        for (class, passing, failing) in [
            (handler, "a.zzz.region", "b.zzz.region"),
            (handler, "a->b.consumer.zzz", "a->b.zzz"),
            ("sasl.login.callback.handler.class", "b.zzz", "zzz"),
            (policy, "a->b.zzz", "zzz"),
            (
                policy,
                "replication.policy.names.that.we.never.mirror",
                "linger.zzz",
            ),
            ("a->b.topic.filter.class", "a->b.zzz", "b->a.zzz"),
            (
                "a->b.transforms.mask.type",
                "a->b.transforms.mask.zzz",
                "a->b.zzz",
            ),
            (
                "config.providers.vault.class",
                "config.providers.vault.param.zzz",
                "a->b.zzz",
            ),
        ] {
            assert!(passes(class, passing), "{class}: {passing}");
            assert!(!passes(class, failing), "{class}: {failing}");
        }
    }
}
