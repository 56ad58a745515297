//! Mirrored topics that accept only smaller records than their source topics: one that is larger ends the task of `MirrorMaker`,
//! and the task after it.

use super::PATIENCE;
use crate::core::judge::explain::Tight;
use crate::core::lab::Lab;
use crate::core::observe::{ClusterSnapshot, connect};
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use kmk_kafka::{KafkaError, Subject};
use std::collections::BTreeMap;

/// The setting that says how large a batch of records a topic takes.
const TAKES: &str = "max.message.bytes";

/// Those of a flow, in the order of their names; none where one of its ends does not tell.
pub(super) fn copies(
    lab: &Lab,
    flow: &Flow,
    from: &ClusterSnapshot,
    to: &ClusterSnapshot,
    limit: &Limit,
) -> Vec<Tight> {
    let topics = from.topics.keys();
    let topics = topics.filter(|topic| !lab.topology.is_internal(topic));
    let pairs = topics.map(|topic| (topic.clone(), flow.remote_topic(topic)));
    let pairs = pairs.filter(|(_, remote)| to.topics.contains_key(remote));
    let (originals, copies): (Vec<String>, Vec<String>) = pairs.unzip();
    let limit = limit.at_most(PATIENCE);
    let sizes = |cluster: &str, topics: &[String]| sizes(lab, cluster, topics, &limit);
    let (Ok(source), Ok(target)) = (
        sizes(&flow.spec.source, &originals),
        sizes(&flow.spec.target, &copies),
    ) else {
        return Vec::new();
    };
    let pairs = originals.into_iter().zip(copies);
    let tight = pairs.filter_map(|(topic, remote)| {
        let (source_bytes, remote_bytes) = (*source.get(&topic)?, *target.get(&remote)?);
        (remote_bytes < source_bytes).then_some(Tight {
            topic,
            remote,
            source_bytes,
            remote_bytes,
        })
    });
    tight.collect()
}

/// How many bytes each topic takes.
fn sizes(
    lab: &Lab,
    cluster: &str,
    topics: &[String],
    limit: &Limit,
) -> Result<BTreeMap<String, u64>, KafkaError> {
    let mut admin = connect(&lab.topology, cluster, limit)?;
    let subjects: Vec<Subject> = topics.iter().cloned().map(Subject::Topic).collect();
    let settings = admin.settings(&subjects, limit)?;
    let sizes = settings.into_iter().filter_map(|(subject, settings)| {
        let Subject::Topic(topic) = subject else {
            return None;
        };
        let size = settings.into_iter().find(|one| one.name == TAKES)?;
        Some((topic, size.value?.parse().ok()?))
    });
    Ok(sizes.collect())
}
