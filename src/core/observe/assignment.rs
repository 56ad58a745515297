//! Which connectors and tasks each worker of a MirrorMaker has, where several share the work.

use crate::core::mirrormaker::state::{self, Part};
use kmk_kafka::{ConnectWork, Group};
use std::collections::{BTreeMap, BTreeSet};

/// The workers that share what is copied from one source, by their services, each with its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::core) struct Assignment(BTreeMap<String, BTreeSet<Part>>);

impl Assignment {
    /// As the members of the group say. None during a rebalance: then brokers do not report it; nor while one is
    /// there twice, as one that died and came back is until it is missed.
    pub(in crate::core) fn of<T>(groups: &[(Group, T)], source: &str) -> Option<Self> {
        let name = state::group(source);
        let (group, _) = groups.iter().find(|(group, _)| group.name == name)?;
        let mut assignment = Self::default();
        for member in &group.members {
            let ConnectWork { host, pieces } = member.work.as_ref()?;
            let parts = pieces.iter().map(|(connector, task)| Part {
                connector: connector.clone(),
                task: *task,
            });
            if assignment.0.insert(host.clone(), parts.collect()).is_some() {
                return None;
            }
        }
        Some(assignment)
    }

    /// Whether a worker is one of them.
    pub(in crate::core) fn has(&self, worker: &str) -> bool {
        self.0.contains_key(worker)
    }

    /// What a worker has to do.
    pub(in crate::core) fn parts_of(&self, worker: &str) -> impl Iterator<Item = &Part> {
        self.0.get(worker).into_iter().flatten()
    }

    /// The worker that has a part.
    pub(in crate::core) fn holder(&self, part: &Part) -> Option<&str> {
        let mut workers = self.0.iter();
        let (worker, _) = workers.find(|(_, parts)| parts.contains(part))?;
        Some(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::{GroupKind, Member};

    fn member(host: &str, task: Option<u32>) -> Member {
        let piece = ("MirrorSourceConnector".to_owned(), task);
        Member {
            id: String::new(),
            client: String::new(),
            host: String::new(),
            reads: BTreeSet::new(),
            work: Some(ConnectWork {
                host: host.to_owned(),
                pieces: BTreeSet::from([piece]),
            }),
        }
    }

    fn groups(members: Vec<Member>) -> [(Group, ()); 1] {
        let group = Group {
            name: "primary-mm2".to_owned(),
            kind: GroupKind::Classic,
            protocol: "connect".to_owned(),
            state: "Stable".to_owned(),
            members,
        };
        [(group, ())]
    }

    #[test]
    fn each_part_is_with_the_worker_that_says_so() {
        let groups = groups(vec![member("a", None), member("b", Some(3))]);
        let assignment = Assignment::of(&groups, "primary").unwrap();
        let part = |task| Part {
            connector: "MirrorSourceConnector".to_owned(),
            task,
        };
        assert_eq!(assignment.holder(&part(None)), Some("a"));
        assert_eq!(assignment.holder(&part(Some(3))), Some("b"));
        assert_eq!(assignment.holder(&part(Some(4))), None);
        assert!(assignment.has("b") && !assignment.has("c"));
        assert_eq!(assignment.parts_of("b").count(), 1);
        assert_eq!(Assignment::of(&groups, "other"), None);
    }

    #[test]
    fn nothing_is_known_during_a_rebalance_or_before_a_dead_worker_is_noticed() {
        let silent = Member {
            work: None,
            ..member("a", None)
        };
        assert_eq!(Assignment::of(&groups(vec![silent]), "primary"), None);
        let twice = vec![member("a", None), member("a", Some(0))];
        assert_eq!(Assignment::of(&groups(twice), "primary"), None);
    }
}
