//! Whether MirrorMaker's internal topics are compacted: one that was deleted and created again by a broker is not.

use crate::core::judge::health::{COMPACT, NotCompacted, POLICY};
use crate::core::mirrormaker::state;
use crate::core::topology::HEARTBEATS;
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Subject, TopicInfo};
use std::collections::BTreeMap;

/// The topics of MirrorMaker's on a cluster that are not compacted.
///
/// # Errors
/// When the cluster does not tell.
pub(in crate::core) fn wrong(
    admin: &mut Admin,
    (topology, cluster): (&Topology, &str),
    there: &BTreeMap<String, TopicInfo>,
    limit: &Limit,
) -> Result<Vec<NotCompacted>, KafkaError> {
    let mut expected = expected(topology, cluster);
    expected.retain(|topic, _| there.contains_key(topic));
    if expected.is_empty() {
        return Ok(Vec::new());
    }
    let subjects: Vec<Subject> = expected.keys().cloned().map(Subject::Topic).collect();
    let told = admin.settings_named(&subjects, &[POLICY], limit)?;
    let wrong = told.into_iter().filter_map(|(subject, settings)| {
        let Subject::Topic(topic) = subject else {
            return None;
        };
        let setting = settings.into_iter().find(|one| one.name == POLICY)?;
        let (is_vital, flow) = expected.get(&topic)?.clone();
        let policy = setting.value.filter(|policy| !will_do(policy, is_vital))?;
        Some(NotCompacted {
            lab: topology.spec.lab.clone(),
            topic,
            policy,
            is_vital,
            flow,
        })
    });
    Ok(wrong.collect())
}

/// Connect takes nothing but `compact`; of the other topics, it is enough that the last record of each key stays.
fn will_do(policy: &str, is_vital: bool) -> bool {
    if is_vital {
        return policy == COMPACT;
    }
    policy.split(',').any(|one| one.trim() == COMPACT)
}

/// What has to be compacted there: whether MirrorMaker starts only then, and for which flow. On a cluster that was there before,
/// only what it does not start without: the others may be somebody's choice.
fn expected(topology: &Topology, cluster: &str) -> BTreeMap<String, (bool, (String, String))> {
    let mut expected = BTreeMap::new();
    let is_ours = topology
        .cluster(cluster)
        .is_some_and(|one| one.existing().is_none());
    for flow in &topology.flows {
        let (source, target) = (&flow.spec.source, &flow.spec.target);
        let ends = (source.clone(), target.clone());
        let mut add = |topic: String, is_vital: bool| {
            if is_vital || is_ours {
                expected.entry(topic).or_insert((is_vital, ends.clone()));
            }
        };
        if target == cluster {
            for topic in state::topics(source) {
                add(topic, true);
            }
            add(state::checkpoints_topic(source), false);
            add(HEARTBEATS.to_owned(), false);
        }
        match flow.keeps_syncs_at_target() {
            true if target == cluster => add(state::offset_syncs_topic(source), false),
            false if source == cluster => add(state::offset_syncs_topic(target), false),
            _ => {}
        }
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario;

    #[test]
    fn only_connect_insists_on_nothing_but_compaction() {
        assert!(will_do("compact", true) && will_do("compact", false));
        assert!(!will_do("compact,delete", true) && will_do("compact,delete", false));
        assert!(will_do("delete, compact", false));
        assert!(!will_do("delete", true) && !will_do("delete", false));
        assert!(!will_do("", false));
    }

    #[test]
    fn of_a_cluster_that_was_there_only_what_keeps_mirrormaker_from_starting() {
        let mut spec = scenario::dr("demo");
        spec.clusters[0] = ClusterSpec::existing("primary", &["h:1"]);
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2"]);
        let topology = Topology::new(&spec);
        let vital: Vec<String> = state::topics("primary").into_iter().collect();
        let there: Vec<String> = expected(&topology, "secondary").into_keys().collect();
        assert_eq!(there.len(), vital.len());
        assert!(vital.iter().all(|topic| there.contains(topic)), "{there:?}");
        assert!(expected(&topology, "primary").is_empty());
    }

    #[test]
    fn all_that_mirrormaker_keeps_is_known_on_both_ends() {
        let topology = Topology::new(&scenario::dr("demo"));
        let names = |cluster| -> Vec<(String, bool)> {
            let expected = expected(&topology, cluster).into_iter();
            expected
                .map(|(topic, (is_vital, _))| (topic, is_vital))
                .collect()
        };
        let owned = |names: &[(&str, bool)]| -> Vec<(String, bool)> {
            let names = names.iter();
            names
                .map(|(name, vital)| ((*name).to_owned(), *vital))
                .collect()
        };
        assert_eq!(
            names("secondary"),
            owned(&[
                ("heartbeats", false),
                ("mm2-configs.primary.internal", true),
                ("mm2-offsets.primary.internal", true),
                ("mm2-status.primary.internal", true),
                ("primary.checkpoints.internal", false),
            ])
        );
        assert_eq!(
            names("primary"),
            owned(&[("mm2-offset-syncs.secondary.internal", false)])
        );
    }
}
