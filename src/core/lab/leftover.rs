//! What a lab that is gone leaves on clusters that it did not make: they are looked at, never touched.

use crate::core::lab::addresses;
use crate::core::spec::Naming;
use crate::core::topology::{Cluster, Footprint, HEARTBEATS, Topology, is_internal};
use kmk_kafka::Admin;
use kmk_kafka::wait::Limit;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What stays on one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What the lab made there; where the cluster answered, only what is still there.
    pub footprint: Footprint,
    /// Copies that carry their source's name; those that kept their names cannot be told from others.
    pub copies: Vec<String>,
    /// Whether that was seen; else all this is what there should be.
    pub reachability: Reachability,
}

/// What a look at a cluster came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachability {
    /// It answered.
    Answered,
    /// It did not.
    Silent,
    /// kmk cannot log in there.
    Secured,
}

/// What stays on each existing cluster of a lab, as far as there is anything.
pub(super) fn look(topology: &Topology, limit: &Limit) -> Vec<Leftover> {
    let footprints = topology.footprints().into_iter();
    let all = footprints.map(|footprint| {
        let cluster = topology.cluster(&footprint.cluster);
        let topics = cluster.map_or(Err(Reachability::Silent), |one| topics(one, limit));
        of(
            footprint,
            topics.as_ref().map_err(|reachability| *reachability),
        )
    });
    all.filter(|left| !left.is_nothing()).collect()
}

fn topics(cluster: &Cluster, limit: &Limit) -> Result<BTreeSet<String>, Reachability> {
    let bootstrap = addresses(cluster).map_err(|_| Reachability::Secured)?;
    let limit = limit.at_most(PATIENCE);
    let topics = Admin::connect(&bootstrap, &limit).and_then(|mut admin| admin.topics(&limit));
    Ok(topics
        .map_err(|_| Reachability::Silent)?
        .into_keys()
        .collect())
}

fn of(mut footprint: Footprint, seen: Result<&BTreeSet<String>, Reachability>) -> Leftover {
    let there = seen.ok();
    let is_there = |name: &String| there.is_none_or(|there| there.contains(name));
    for names in [
        &mut footprint.notes,
        &mut footprint.shared,
        &mut footprint.canaries,
    ] {
        names.retain(is_there);
    }
    let is_copy = |name: &&String| {
        let mut prefixed = footprint
            .copies
            .iter()
            .filter(|c| c.naming == Naming::Prefix);
        prefixed.any(|copies| {
            let topic = name
                .strip_prefix(&copies.source)
                .and_then(|rest| rest.strip_prefix('.'));
            topic.is_some_and(|topic| !is_internal(topic) || topic == HEARTBEATS)
                && !footprint.canaries.contains(*name)
        })
    };
    Leftover {
        copies: there
            .into_iter()
            .flatten()
            .filter(is_copy)
            .cloned()
            .collect(),
        reachability: seen.err().unwrap_or(Reachability::Answered),
        footprint,
    }
}

impl Leftover {
    fn is_nothing(&self) -> bool {
        self.footprint.topics().next().is_none() && self.footprint.copies.is_empty()
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.footprint.topics().map(String::as_str).collect();
        let (cluster, bootstrap) = (&self.footprint.cluster, &self.footprint.bootstrap);
        let verb = match self.reachability {
            Reachability::Answered => "keeps",
            Reachability::Silent | Reachability::Secured => "may keep",
        };
        write!(
            f,
            "cluster {cluster} {verb} {}: `kmk topic delete TOPIC --force --bootstrap {bootstrap}` removes each",
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario;

    fn leftover(there: Result<&[&str], Reachability>) -> Leftover {
        let mut spec = scenario::dr("demo");
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2"]);
        let mut footprints = Topology::new(&spec).footprints();
        let there: Result<BTreeSet<String>, Reachability> =
            there.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        of(
            footprints.remove(0),
            there.as_ref().map_err(|reachability| *reachability),
        )
    }

    #[test]
    fn what_is_not_there_does_not_stay() {
        let there = [
            "mm2-status.primary.internal",
            "primary.checkpoints.internal",
            "primary.orders",
            "orders",
            "mm2-status.other.internal",
        ];
        let left = leftover(Ok(&there));
        let topics: Vec<&String> = left.footprint.topics().collect();
        assert_eq!(topics, [there[0], there[1]]);
        assert_eq!(left.copies, ["primary.orders"]);
        assert_eq!(left.reachability, Reachability::Answered);
    }

    #[test]
    fn of_a_cluster_that_does_not_answer_all_is_told_that_there_should_be() {
        let left = leftover(Err(Reachability::Silent));
        assert_eq!(left.footprint.topics().count(), 5);
        assert!(left.reachability == Reachability::Silent && left.copies.is_empty());
    }
}
