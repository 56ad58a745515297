//! Consumer groups: their members, committed offsets and lag, and how to reset or delete them.

mod both_ends;
mod change;
mod lag;
mod last_seen;
mod look;
mod other_side;
mod report;

pub(in crate::core::lab) use both_ends::mirroring;

pub use change::{Moved, Reset, delete, forget, reset};
pub use lag::Lag;
pub use look::{clusters_with, groups_and_flows, groups_at};
pub use report::{
    ClusterGroups, FlowPartition, FlowReport, GroupPartition, GroupReport, MemberReport, Prospect,
    UNKNOWN,
};

use crate::core::lab::topics::TopicError;
use kmk_kafka::printable::name;
use kmk_kafka::{KafkaError, Member};

/// Why a group cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// There is none of that name.
    #[error("there is no group `{}`", name(.group))]
    NoGroup {
        /// Its name.
        group: String,
        /// The groups that are there, those of like name first.
        groups: Vec<String>,
    },
    /// Someone reads for it.
    #[error("group `{}` is in use: {}", name(.group), told(.members))]
    Active {
        /// Its name.
        group: String,
        /// Who reads for it; may be none while it is about to change.
        members: Vec<Member>,
    },
    /// It never committed an offset in that topic.
    #[error("group `{}` has no committed offsets for topic `{topic}`", name(.group))]
    NoPlace {
        /// Its name.
        group: String,
        /// The topic.
        topic: String,
    },
    /// It is a topic that is wrong.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A broker does not do it.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// How many members are worth naming.
const NAMED: usize = 5;

fn told(members: &[Member]) -> String {
    let names = members.iter().take(NAMED);
    let names: Vec<String> = names
        .map(|member| format!("{} on {}", name(&member.client), name(&member.host)))
        .collect();
    match members.len() {
        0 => "its members are changing".to_owned(),
        1 => format!("{} is a member", names[0]),
        all if all > NAMED => format!("{} and {} more read for it", names.join(", "), all - NAMED),
        _ => format!("{} read for it", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_whose_names_differ_are_told_apart() {
        let told = |group: &str| {
            let group = group.to_owned();
            let groups = Vec::new();
            GroupError::NoGroup { group, groups }.to_string()
        };
        assert_eq!(told("a\t"), r"there is no group `a\u0009`");
        assert_eq!(told(r"a\u0009"), r"there is no group `a\u005cu0009`");
    }
}
