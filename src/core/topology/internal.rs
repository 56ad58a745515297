//! Which topics are nobody's: Kafka's, `MirrorMaker`'s, or kmk's own. Knows nothing of flows.

use super::Topology;
use crate::core::spec::CANARY;

/// The topic in which each MirrorMaker shows that it lives.
pub const HEARTBEATS: &str = "heartbeats";
/// Where brokers keep the state of transactions: made with the first of them, and so a witness that there were none.
pub const TRANSACTIONS: &str = "__transaction_state";

/// Whether a topic belongs to Kafka, MirrorMaker or kmk rather than to a person. MirrorMaker copies none of these but the canary.
pub fn is_internal(topic: &str) -> bool {
    topic.starts_with("__")
        || topic.starts_with('.')
        || topic.ends_with(".internal")
        || topic.ends_with("-internal")
        || topic == "heartbeats"
        || topic == CANARY
        || topic.starts_with("kmk-canary-")
        || topic.ends_with(".heartbeats")
        || topic.ends_with(".kmk-canary")
}

impl Topology {
    /// As [`is_internal`], where the clusters are known: heartbeats that came from none of them (`team.heartbeats`) are a person's.
    pub fn is_internal(&self, topic: &str) -> bool {
        if !topic.ends_with(HEARTBEATS) || topic.starts_with("__") || topic.starts_with('.') {
            return is_internal(topic);
        }
        let mut name = topic;
        while let Some((cluster, upstream)) = name.split_once('.')
            && self.cluster(cluster).is_some()
        {
            name = upstream;
        }
        name == HEARTBEATS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    #[test]
    fn heartbeats_of_no_cluster_of_the_lab_are_a_persons() {
        let topology = Topology::new(&scenario::dr("demo"));
        for own in [
            "heartbeats",
            "primary.heartbeats",
            "secondary.primary.heartbeats",
            "__a.heartbeats",
            "kmk-canary",
        ] {
            assert!(topology.is_internal(own), "{own}");
        }
        for persons in [
            "team.heartbeats",
            "primary.team.heartbeats",
            "myheartbeats",
            "orders",
        ] {
            assert!(!topology.is_internal(persons), "{persons}");
        }
    }
}
