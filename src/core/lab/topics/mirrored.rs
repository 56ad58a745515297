//! Which topics are mirrored from which, by the flows of a lab and the existing topics.
//!
//! Only MirrorMaker can tell what its Java expressions take in; a copy that is there says it without any.

use super::report::RemoteTopic;
use crate::core::spec::Naming;
use crate::core::topology::is_heartbeats;
use crate::core::topology::{Flow, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// The names of a cluster's topics, by cluster; clusters that did not answer are missing.
pub type Names = BTreeMap<String, BTreeSet<String>>;

/// Where a topic was copied from, and where to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// What it is a copy of.
    pub from: Option<RemoteTopic>,
    /// Its copies.
    pub to: Vec<RemoteTopic>,
}

/// Looks for a topic of `cluster` among the topics of the others.
pub fn copied(topology: &Topology, cluster: &str, topic: &str, names: &Names) -> Copied {
    let is_there = |cluster: &str, topic: &str| {
        names
            .get(cluster)
            .is_some_and(|topics| topics.contains(topic))
    };
    let into = topology
        .flows
        .iter()
        .filter(|flow| flow.spec.target == cluster);
    let mut sources = into.filter_map(|flow| {
        let source = &flow.spec.source;
        let name = match flow.spec.naming {
            Naming::Prefix => flow
                .source_topic(topic)
                .filter(|source| may_be_copied(topology, flow, source)),
            // each cluster has its own of Kafka's topics, under the same names
            Naming::Same => Some(topic).filter(|topic| {
                may_keep_its_name(topology, flow, topic) && is_there(source, topic)
            }),
        };
        Some(remote(source, name?))
    });
    let from = topology
        .flows
        .iter()
        .filter(|flow| flow.spec.source == cluster);
    let targets = from.filter_map(|flow| {
        let copy = flow.remote_topic(topic);
        let may_be = match flow.spec.naming {
            Naming::Prefix => may_be_copied(topology, flow, topic),
            Naming::Same => may_keep_its_name(topology, flow, topic),
        };
        (may_be && is_there(&flow.spec.target, &copy)).then(|| remote(&flow.spec.target, &copy))
    });
    Copied {
        from: sources.next(),
        to: targets.collect(),
    }
}

/// MirrorMaker has topics of its own under the source's name: `primary.checkpoints.internal` is no mirrored topic.
fn may_be_copied(topology: &Topology, flow: &Flow, source: &str) -> bool {
    may_keep_its_name(topology, flow, source) || is_heartbeats(source)
}

fn may_keep_its_name(topology: &Topology, flow: &Flow, topic: &str) -> bool {
    !topology.is_internal(topic) || topic == flow.canary
}

fn remote(cluster: &str, topic: &str) -> RemoteTopic {
    RemoteTopic {
        cluster: cluster.to_owned(),
        topic: topic.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    fn names(of: &[(&str, &[&str])]) -> Names {
        let topics = |topics: &[&str]| topics.iter().map(|name| (*name).to_owned()).collect();
        of.iter()
            .map(|(cluster, names)| ((*cluster).to_owned(), topics(names)))
            .collect()
    }

    fn topology(naming: Naming) -> Topology {
        let mut spec = scenario::dr("demo");
        spec.flows[0].naming = naming;
        Topology::new(&spec)
    }

    #[test]
    fn a_copy_that_is_there_is_told_from_both_ends() {
        let topology = topology(Naming::Prefix);
        let names = names(&[
            ("primary", &["orders", "secret"]),
            ("secondary", &["primary.orders", "primary.gone"]),
        ]);
        let of = |cluster, topic| copied(&topology, cluster, topic, &names);
        assert_eq!(
            of("primary", "orders").to,
            [remote("secondary", "primary.orders")]
        );
        // excluded, or not copied yet
        assert_eq!(of("primary", "secret"), Copied::default());
        let from = of("secondary", "primary.orders");
        assert_eq!(
            (from.from, from.to),
            (Some(remote("primary", "orders")), vec![])
        );
        // its source was deleted since
        assert_eq!(
            of("secondary", "primary.gone").from,
            Some(remote("primary", "gone"))
        );
        assert_eq!(of("primary", "primary.orders"), Copied::default());
    }

    #[test]
    fn with_unchanged_names_a_topic_is_a_copy_where_its_source_has_it_too() {
        let topology = topology(Naming::Same);
        let names = names(&[
            ("primary", &["orders", "__consumer_offsets"]),
            ("secondary", &["orders", "own", "__consumer_offsets"]),
        ]);
        let of = |cluster, topic| copied(&topology, cluster, topic, &names);
        assert_eq!(
            of("secondary", "orders").from,
            Some(remote("primary", "orders"))
        );
        assert_eq!(of("primary", "orders").to, [remote("secondary", "orders")]);
        assert_eq!(of("secondary", "own"), Copied::default());
        assert_eq!(of("secondary", "__consumer_offsets"), Copied::default());
        assert_eq!(of("primary", "__consumer_offsets"), Copied::default());
    }

    #[test]
    fn notes_that_mirrormaker_keeps_are_no_copies() {
        let topology = topology(Naming::Prefix);
        let names = names(&[
            ("primary", &["heartbeats"]),
            ("secondary", &["primary.heartbeats"]),
        ]);
        let of = |cluster, topic| copied(&topology, cluster, topic, &names);
        assert_eq!(
            of("secondary", "primary.checkpoints.internal"),
            Copied::default()
        );
        assert!(of("secondary", "primary.heartbeats").from.is_some());
        assert_eq!(of("primary", "heartbeats").to.len(), 1);
    }

    #[test]
    fn of_a_cluster_that_does_not_answer_only_names_are_known() {
        let topology = topology(Naming::Prefix);
        let names = names(&[("secondary", &["primary.orders"])]);
        let of = |cluster, topic| copied(&topology, cluster, topic, &names);
        assert_eq!(
            of("secondary", "primary.orders").from,
            Some(remote("primary", "orders"))
        );
        assert_eq!(
            of("primary", "orders").to,
            [remote("secondary", "primary.orders")]
        );
    }
}
