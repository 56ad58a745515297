//! Names of topics as Kafka's `ReplicationPolicy` judges them (`DefaultReplicationPolicy`, `IdentityReplicationPolicy`): what
//! a topic is called on a flow's target, from where a mirrored topic came, and which topics are internal.

use super::{Flow, Topology};
use crate::core::spec::{CANARY, Naming};
use serde::Serialize;

/// The topic in which each MirrorMaker shows that it lives.
pub const HEARTBEATS: &str = "heartbeats";
/// Where brokers keep the state of transactions: created with the first of them, and so a witness that there were none.
pub const TRANSACTIONS: &str = "__transaction_state";

/// What makes a name internal to Kafka (`ReplicationPolicy.isInternalTopic`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalName {
    /// It begins with `__`.
    Underscores,
    /// It begins with a dot.
    Dot,
    /// It ends with `.internal` or `-internal`.
    Suffix,
}

impl InternalName {
    /// What makes this name internal; none where it is not.
    pub fn of(topic: &str) -> Option<Self> {
        if topic.starts_with("__") {
            Some(Self::Underscores)
        } else if topic.starts_with('.') {
            Some(Self::Dot)
        } else if topic.ends_with(".internal") || topic.ends_with("-internal") {
            Some(Self::Suffix)
        } else {
            None
        }
    }
}

/// Whether MirrorMaker takes it for a topic of heartbeats, its own or a mirrored one, whoever created it
/// (`ReplicationPolicy.isHeartbeatsTopic`).
pub fn is_heartbeats(topic: &str) -> bool {
    topic == HEARTBEATS || topic.ends_with(".heartbeats")
}

/// Whether a topic belongs to Kafka, MirrorMaker or kmk rather than to a person. MirrorMaker mirrors none of these but the canary.
pub fn is_internal(topic: &str) -> bool {
    InternalName::of(topic).is_some()
        || is_heartbeats(topic)
        || topic == CANARY
        || topic.starts_with("kmk-canary-")
        || topic.ends_with(".kmk-canary")
}

impl Flow {
    /// What `topic` of the source is called on the target (`formatRemoteTopic`).
    pub fn remote_topic(&self, topic: &str) -> String {
        if self.keeps_name(topic) {
            topic.to_owned()
        } else {
            format!("{}.{topic}", self.spec.source)
        }
    }

    /// The source topic of which `topic` of the target is the mirrored one, if its name says so (`upstreamTopic`).
    pub fn source_topic<'a>(&self, topic: &'a str) -> Option<&'a str> {
        if self.keeps_name(topic) {
            return None;
        }
        topic.strip_prefix(&self.spec.source)?.strip_prefix('.')
    }

    /// What a source topic is called on the target if it came from there, as its name says.
    pub fn home_topic<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&self.spec.target)?.strip_prefix('.')
    }

    /// What a source topic may be called on the target: as the mirrored topic, or as the one that it came from.
    pub fn names_on_target(&self, topic: &str) -> impl Iterator<Item = String> {
        let home = self.home_topic(topic).map(str::to_owned);
        [self.remote_topic(topic)].into_iter().chain(home)
    }

    /// Whether the prefixes of a source topic say that it came from the target, directly or through others
    /// (`MirrorSourceConnector.isCycle`).
    pub fn is_cycle(&self, topic: &str) -> bool {
        let mut name = topic;
        // as Java's `split` has it, which forgets dots at the end
        while !self.keeps_name(topic)
            && name.trim_end_matches('.').contains('.')
            && let Some((source, upstream)) = name.split_once('.')
        {
            if source == self.spec.target {
                return true;
            }
            name = upstream;
        }
        false
    }

    /// Heartbeats carry their source's name under either policy (`IdentityReplicationPolicy.looksLikeHeartbeat`).
    fn keeps_name(&self, topic: &str) -> bool {
        self.spec.naming == Naming::Same && !topic.ends_with(HEARTBEATS)
    }
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
