//! Asking brokers about their topics: a handful of requests, however many topics there are. Changes nothing.

use super::answer::{Answer, Depth};
use super::mirrored::{self, Names};
use super::report::{ClusterTopics, RemoteTopic, SettingReport, TopicDetails, TopicReport};
use super::{TopicError, find};
use crate::core::observe::{addresses, connect, side_by_side};
use crate::core::spec::Naming;
use crate::core::topology::{Cluster, Topology, is_internal};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Origin, Subject};
use std::collections::BTreeMap;

/// The topics of all clusters of a lab, or of the one named, in the order of the lab; looked at all at once. With `all`, those of Kafka,
/// MirrorMaker and kmk too. A cluster that does not answer stands there with its problem.
pub fn topics(
    topology: &Topology,
    only: Option<&str>,
    all: bool,
    limit: &Limit,
) -> Vec<Result<ClusterTopics, KafkaError>> {
    let is_meant = |cluster: &Cluster| only.is_none_or(|only| only == cluster.name);
    let is_shown = |topic: &str| all || !topology.is_internal(topic);
    let looks = side_by_side(&topology.clusters, |cluster| {
        // of the others only names are needed
        let depth = if is_meant(cluster) {
            Depth::All
        } else {
            Depth::Names
        };
        let look = addresses(cluster).and_then(|at| Answer::at(&at, depth, is_shown, limit));
        (cluster, look)
    });
    let names: Names = looks
        .iter()
        .filter_map(|(cluster, look)| Some((cluster.name.clone(), look.as_ref().ok()?.names())))
        .collect();
    let meant = looks.into_iter().filter(|(cluster, _)| is_meant(cluster));
    let report = |(cluster, look): (&Cluster, Result<Answer, KafkaError>)| {
        let mut report = look?.report(Some(&cluster.name), &cluster.endpoints());
        for topic in &mut report.topics {
            mark(topic, topology, &cluster.name, &names);
        }
        Ok(report)
    };
    meant.map(report).collect()
}

/// What a topic is set to, by itself or by its brokers; none where that cannot be had.
pub fn setting_of(
    bootstrap: &[Endpoint],
    topic: &str,
    name: &str,
    limit: &Limit,
) -> Option<String> {
    let mut admin = Admin::connect(bootstrap, limit).ok()?;
    let settings = admin.settings(&[Subject::Topic(topic.to_owned())], limit);
    let (_, settings) = settings.ok()?.into_iter().next()?;
    let setting = settings.into_iter().find(|one| one.name == name)?;
    setting.value
}

/// The topics of a cluster that is no lab's.
///
/// # Errors
/// When no broker answers, or one refuses.
pub fn topics_at(
    bootstrap: &[Endpoint],
    all: bool,
    limit: &Limit,
) -> Result<ClusterTopics, KafkaError> {
    let is_shown = |topic: &str| all || !is_internal(topic);
    Ok(Answer::at(bootstrap, Depth::All, is_shown, limit)?.report(None, bootstrap))
}

/// All there is to say about one topic on each cluster of a lab, looked at all at once.
pub fn describe_all(
    topology: &Topology,
    topic: &str,
    limit: &Limit,
) -> Vec<(String, Result<TopicDetails, TopicError>)> {
    let look = |cluster: &Cluster| {
        let lab = Some((topology, cluster.name.as_str()));
        describe(&addresses(cluster)?, lab, topic, limit)
    };
    side_by_side(&topology.clusters, |cluster| {
        (cluster.name.clone(), look(cluster))
    })
}

/// All there is to say about one topic: of a cluster of a lab, or of any cluster.
///
/// # Errors
/// [`TopicError::NoTopic`]; or when no broker answers, or one refuses.
pub fn describe(
    bootstrap: &[Endpoint],
    lab: Option<(&Topology, &str)>,
    topic: &str,
    limit: &Limit,
) -> Result<TopicDetails, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let info = find(&mut admin, topic, limit)?;
    let answer = Answer::of(
        &mut admin,
        BTreeMap::from([(topic.to_owned(), info)]),
        limit,
    )?;
    let mut reports = answer.reports();
    let Some((mut report, info)) = reports.pop() else {
        return Err(find(&mut admin, topic, limit).err().unwrap_or_else(|| {
            KafkaError::UnknownTopic {
                topic: topic.to_owned(),
            }
            .into()
        }));
    };
    if let Some((topology, cluster)) = lab {
        let names = names_of_others(topology, cluster, limit);
        mark(&mut report, topology, cluster, &names);
    }
    let partitions = info.partitions.iter();
    let mut said: Vec<SettingReport> = answer
        .settings
        .get(topic)
        .into_iter()
        .flatten()
        .filter(|setting| setting.origin != Origin::Default)
        .map(|setting| SettingReport {
            name: setting.name.clone(),
            value: setting.value.clone(),
            from: setting.origin.to_string(),
        })
        .collect();
    said.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(TopicDetails {
        cluster: lab.map(|(_, cluster)| cluster.to_owned()),
        // as Kafka's tools write it
        id: info.id.map(|id| URL_SAFE_NO_PAD.encode(id.to_be_bytes())),
        partition_details: partitions.map(|one| answer.partition(topic, one)).collect(),
        setting_details: said,
        report,
    })
}

/// The topic that `topic` of `cluster` is a copy of: by its name, or where names stay the same because the source has it too.
pub fn source_of(
    topology: &Topology,
    cluster: &str,
    topic: &str,
    limit: &Limit,
) -> Option<RemoteTopic> {
    let same: Vec<&str> = topology
        .flows
        .iter()
        .filter(|flow| flow.spec.target == cluster && flow.spec.naming == Naming::Same)
        .map(|flow| flow.spec.source.as_str())
        .collect();
    let names = if same.is_empty() {
        Names::new()
    } else {
        names_of_others(topology, cluster, limit)
    };
    // a source that does not answer may well have it
    let silent = same.into_iter().find(|source| !names.contains_key(*source));
    let may_be = || {
        silent.map(|source| RemoteTopic {
            cluster: source.to_owned(),
            topic: topic.to_owned(),
        })
    };
    mirrored::copied(topology, cluster, topic, &names)
        .from
        .or_else(may_be)
}

/// The copies of `topic` of `cluster` that are on other clusters which answer.
pub fn copies_of(
    topology: &Topology,
    cluster: &str,
    topic: &str,
    limit: &Limit,
) -> Vec<RemoteTopic> {
    let names = names_of_others(topology, cluster, limit);
    mirrored::copied(topology, cluster, topic, &names).to
}

/// The clusters, other than this one, that have a topic of that name, as far as they answer.
pub fn clusters_with_topic(
    topology: &Topology,
    topic: &str,
    other_than: &str,
    limit: &Limit,
) -> Vec<String> {
    let names = names_of_others(topology, other_than, limit);
    let has_it = names
        .into_iter()
        .filter(|(_, topics)| topics.contains(topic));
    has_it.map(|(cluster, _)| cluster).collect()
}

/// What the topics of the other clusters are called, as far as they answer at once.
fn names_of_others(topology: &Topology, cluster: &str, limit: &Limit) -> Names {
    let others = topology
        .clusters
        .iter()
        .filter(|other| other.name != cluster);
    let names = |other: &Cluster| {
        let mut admin = connect(topology, &other.name, limit).ok()?;
        let topics = admin.topics(limit).ok()?;
        Some((other.name.clone(), topics.into_keys().collect()))
    };
    side_by_side(others, names).into_iter().flatten().collect()
}

fn mark(report: &mut TopicReport, topology: &Topology, cluster: &str, names: &Names) {
    report.internal = topology.is_internal(&report.topic);
    let copied = mirrored::copied(topology, cluster, &report.topic, names);
    report.mirrored_from = copied.from;
    report.mirrored_to = copied.to;
}
