//! Finds out how large a record batch the target topics of a flow accept: existing topics as they are, others as
//! MirrorMaker will create them.

use crate::core::judge::culprit::BatchLimit;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::{BATCH_LIMITS, BATCH_LIMITS_OF_BROKERS, Flow};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Origin, Setting, Subject, TopicInfo};
use std::collections::BTreeMap;

type TopicSettings = BTreeMap<Subject, Vec<Setting>>;

/// The limits of the topics of a flow, of each end that can be asked.
///
/// # Errors
/// When an end does not answer, or does not tell.
pub(super) fn of_flow(
    flow: &Flow,
    (source, target): (Option<&[Endpoint]>, Option<&[Endpoint]>),
    limit: &Limit,
) -> Result<Vec<BatchLimit>, KafkaError> {
    let rules = Rules::of_flow(flow);
    let is_taken = |topic: &&String| {
        matches!(
            rules.select(topic),
            Selection::Included | Selection::NotEvaluated(_)
        )
    };
    let mut source_settings = TopicSettings::new();
    let mut taken: Vec<String> = Vec::new();
    if let Some(source) = source {
        let mut admin = Admin::connect(source, limit)?;
        taken = admin
            .topics(limit)?
            .keys()
            .filter(is_taken)
            .cloned()
            .collect();
        source_settings =
            admin.settings_named(&subjects(taken.iter().cloned()), &BATCH_LIMITS, limit)?;
    }
    let (mut there, mut brokers) = (TopicSettings::new(), None);
    if let Some(target) = target {
        let mut admin = Admin::connect(target, limit)?;
        let found = admin.describe(limit)?;
        let remote = remotes(&rules, &taken, &found.topics);
        there = admin.settings_named(&subjects(remote), &BATCH_LIMITS, limit)?;
        // a principal that may not ask about a broker may still ask about topics
        let asked = found.brokers.keys().next().map(|id| Subject::Broker(*id));
        brokers = asked.and_then(|broker| {
            let settings = admin.settings_named(&[broker], &BATCH_LIMITS_OF_BROKERS, limit);
            settings.ok()?.into_values().next()
        });
    }
    let mut limits = Vec::new();
    for (of_topics, of_brokers) in BATCH_LIMITS.into_iter().zip(BATCH_LIMITS_OF_BROKERS) {
        let default = brokers
            .as_ref()
            .and_then(|settings| number(settings, of_brokers));
        limits.extend(default.map(|bytes| BatchLimit {
            topic: None,
            setting: of_topics,
            bytes,
            original: None,
        }));
        limits.extend(taken.iter().filter_map(|topic| {
            // MirrorMaker gives the mirrored topic the settings of the original
            let original = one(&source_settings, topic, of_topics);
            let own = original.filter(|one| one.origin == Origin::Topic);
            let present = one(&there, &rules.remote(topic), of_topics);
            let least = own.into_iter().chain(present).filter_map(bytes).min()?;
            Some(BatchLimit {
                topic: Some(topic.clone()),
                setting: of_topics,
                bytes: least,
                original: original.and_then(bytes),
            })
        }));
    }
    Ok(limits)
}

fn subjects(topics: impl IntoIterator<Item = String>) -> Vec<Subject> {
    topics.into_iter().map(Subject::Topic).collect()
}

fn remotes(rules: &Rules, taken: &[String], there: &BTreeMap<String, TopicInfo>) -> Vec<String> {
    let remote = taken.iter().map(|topic| rules.remote(topic));
    remote.filter(|remote| there.contains_key(remote)).collect()
}

fn one<'a>(settings: &'a TopicSettings, topic: &str, name: &str) -> Option<&'a Setting> {
    let settings = settings.get(&Subject::Topic(topic.to_owned()))?;
    settings.iter().find(|setting| setting.name == name)
}

fn bytes(setting: &Setting) -> Option<u64> {
    setting.value.as_ref()?.parse().ok()
}

fn number(settings: &[Setting], name: &str) -> Option<u64> {
    bytes(settings.iter().find(|setting| setting.name == name)?)
}
