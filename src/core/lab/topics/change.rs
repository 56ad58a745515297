//! Creates, changes and deletes topics.

use super::{TopicError, find};
use crate::core::nearest::by_nearness;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, NewTopic, Subject, TopicInfo};
use std::collections::BTreeMap;

/// Makes a topic. What was made, as far as it is known by then.
///
/// # Errors
/// [`TopicError::NoSetting`]; refused with `TOPIC_ALREADY_EXISTS` where it is there.
pub fn create(
    bootstrap: &[Endpoint],
    topic: &NewTopic,
    limit: &Limit,
) -> Result<TopicInfo, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    refuse_unknown(&mut admin, topic.settings.keys(), limit)?;
    Ok(admin.create_topic(topic, limit)?)
}

/// Removes a topic with all its records.
///
/// # Errors
/// [`TopicError::NoTopic`] where there is none.
pub fn delete(bootstrap: &[Endpoint], topic: &str, limit: &Limit) -> Result<(), TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    find(&mut admin, topic, limit)?;
    Ok(admin.delete_topic(topic, limit)?)
}

/// What is to be different about a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Altered {
    /// How many partitions it has then; they can only grow.
    pub partitions: Option<i32>,
    /// Settings by name: to a value, or back to what holds unless something is said.
    pub settings: BTreeMap<String, Option<String>>,
}

/// Changes a topic: its settings first, then its partitions. Whether it has more partitions then: one that has as many as asked is left
/// alone.
///
/// # Errors
/// [`TopicError::NoTopic`], [`TopicError::NoSetting`]; refused with `INVALID_PARTITIONS` where it has more, with `INVALID_CONFIG` where
/// a setting has no such value.
pub fn alter(
    bootstrap: &[Endpoint],
    topic: &str,
    to: &Altered,
    limit: &Limit,
) -> Result<bool, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let info = find(&mut admin, topic, limit)?;
    refuse_unknown(&mut admin, to.settings.keys(), limit)?;
    if !to.settings.is_empty() {
        admin.alter_settings(&Subject::Topic(topic.to_owned()), &to.settings, limit)?;
    }
    // last: nothing takes partitions away again
    let had = info.partitions.len();
    let more = (to.partitions).filter(|count| usize::try_from(*count) != Ok(had));
    if let Some(count) = more {
        admin.add_partitions(topic, count, limit)?;
    }
    Ok(more.is_some())
}

/// Where the brokers do not tell which settings there are, they will judge themselves.
fn refuse_unknown<'a>(
    admin: &mut Admin,
    names: impl Iterator<Item = &'a String>,
    limit: &Limit,
) -> Result<(), TopicError> {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return Ok(());
    }
    let known = admin.setting_names_of_topics(limit).unwrap_or_default();
    match names.find(|name| !known.is_empty() && !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(TopicError::NoSetting {
            name: name.clone(),
            known: by_nearness(name, known.iter().map(String::as_str))
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }),
    }
}
