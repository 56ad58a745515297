//! Detects two names for one cluster: MirrorMaker would copy it into itself endlessly.

use crate::core::lab::preflight::Problem;
use crate::core::topology::Cluster;
use kmk_kafka::Metadata;
use std::collections::BTreeSet;

/// Each cluster that is another one too, by what both answered.
pub(super) fn problems(seen: &[(&Cluster, &Metadata)]) -> Vec<Problem> {
    let same = |(index, (cluster, metadata)): (usize, &(&Cluster, &Metadata))| {
        let mut earlier = seen[..index].iter();
        let (other, _) = earlier.find(|(_, other)| are_same(other, metadata))?;
        Some(Problem::OneCluster {
            one: other.name.clone(),
            other: cluster.name.clone(),
            bootstrap: [other.bootstrap_outside(), cluster.bootstrap_outside()],
            id: metadata.id.clone().unwrap_or_default(),
        })
    };
    seen.iter().enumerate().filter_map(same).collect()
}

/// Whether they are one cluster, or may be. Many clusters are formatted with the id of some example; but each cluster makes
/// up the ids of its topics by itself, and two looks at one cluster at one time show the same topics.
fn are_same(one: &Metadata, other: &Metadata) -> bool {
    let ids = |of: &Metadata| -> BTreeSet<u128> {
        of.topics.values().filter_map(|topic| topic.id).collect()
    };
    let (mine, its) = (ids(one), ids(other));
    let have_none = one.topics.is_empty() && other.topics.is_empty();
    // from before topics had ids
    let names_meet = || {
        one.topics
            .keys()
            .any(|name| other.topics.contains_key(name))
    };
    let topics_meet = if mine.is_empty() && its.is_empty() {
        have_none || names_meet()
    } else {
        !mine.is_disjoint(&its)
    };
    one.id.is_some() && one.id == other.id && topics_meet
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::TopicInfo;

    fn answer(id: Option<&str>, topics: &[(&str, u128)]) -> Metadata {
        let topic = |(name, id): &(&str, u128)| {
            let id = Some(*id).filter(|id| *id != 0);
            let info = TopicInfo {
                id,
                ..TopicInfo::default()
            };
            ((*name).to_owned(), info)
        };
        Metadata {
            id: id.map(str::to_owned),
            topics: topics.iter().map(topic).collect(),
            ..Metadata::default()
        }
    }

    #[test]
    fn the_id_of_a_cluster_tells_and_the_ids_of_topics_tell_better() {
        let one = answer(Some("x"), &[("orders", 1), ("payments", 2)]);
        for (other, is_one) in [
            (answer(Some("x"), &[("orders", 1)]), true),
            (answer(Some("y"), &[("orders", 1)]), false),
            // formatted with one id
            (answer(Some("x"), &[("orders", 3)]), false),
            (answer(Some("x"), &[]), false),
            (answer(None, &[("orders", 1)]), false),
        ] {
            assert_eq!(are_same(&one, &other), is_one, "{other:?}");
        }
        assert!(!are_same(&answer(None, &[]), &answer(None, &[])));
        // nobody can tell: then they may be
        let empty = answer(Some("x"), &[]);
        assert!(are_same(&empty, &empty));
        let old = answer(Some("x"), &[("orders", 0)]);
        assert!(are_same(&old, &old) && !are_same(&old, &empty));
    }
}
