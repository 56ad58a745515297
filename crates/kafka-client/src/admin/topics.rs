//! Making, changing and removing topics and what brokers are set to.

use super::Admin;
use crate::cluster::metadata::{Metadata, TopicInfo};
use crate::cluster::settings::{Origin, Setting, Subject};
use crate::cluster::topics::NewTopic;
use crate::error::KafkaError;
use crate::wait::Limit;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a change of a setting may take until brokers tell of it. It is made all the same.
const TOLD: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// Bytes of a partition, by the node id of the broker that holds a copy; by topic and partition.
type Sizes = BTreeMap<(String, i32), BTreeMap<i32, u64>>;

impl Admin {
    /// As [`Admin::describe`], again and again until `limit` while what goes wrong may heal.
    ///
    /// # Errors
    /// As [`Admin::describe`].
    pub fn describe_patiently(&mut self, limit: &Limit) -> Result<Metadata, KafkaError> {
        self.cluster
            .patiently(limit, |cluster, limit| cluster.metadata(None, limit))
    }

    /// Creates a topic, and waits until all brokers know it and each of its partitions has a leader. What was made, as far as it is
    /// known by then.
    ///
    /// # Errors
    /// [`KafkaError::Refused`], with what the broker says, or when none answers until `limit`.
    pub fn create_topic(
        &mut self,
        topic: &NewTopic,
        limit: &Limit,
    ) -> Result<TopicInfo, KafkaError> {
        self.cluster.create_topic(topic, limit)?;
        let mut made = TopicInfo::default();
        self.cluster.until_everywhere(&topic.name, limit, |seen| {
            made = seen.cloned().unwrap_or_default();
            made.is_ready()
        })?;
        Ok(made)
    }

    /// Removes a topic with all its records, and waits until no broker knows it.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`], refused, or when no broker answers until `limit`.
    pub fn delete_topic(&mut self, topic: &str, limit: &Limit) -> Result<(), KafkaError> {
        self.cluster.delete_topic(topic, limit)?;
        self.cluster
            .until_everywhere(topic, limit, |seen| seen.is_none())
    }

    /// Gives a topic more partitions, `count` in all, and waits until all brokers know them.
    ///
    /// # Errors
    /// As [`Admin::delete_topic`]; refused with `INVALID_PARTITIONS` where it has this many or more.
    pub fn add_partitions(
        &mut self,
        topic: &str,
        count: i32,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        self.cluster.add_partitions(topic, count, limit)?;
        let count = usize::try_from(count).unwrap_or(0);
        self.cluster.until_everywhere(topic, limit, |seen| {
            seen.is_some_and(|info| info.is_ready() && info.partitions.len() >= count)
        })
    }

    /// Removes all records before these offsets, by topic and partition; -1 stands for the end. Where each partition begins now.
    ///
    /// # Errors
    /// Refused with `OFFSET_OUT_OF_RANGE` where an offset is beyond the end; with `POLICY_VIOLATION` where a topic is only compacted.
    pub fn delete_records(
        &mut self,
        before: &BTreeMap<(String, i32), i64>,
        limit: &Limit,
    ) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
        self.cluster.delete_records(before, limit)
    }

    /// All settings of each of these, as they hold; topics that are not there are left out.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses, until `limit`.
    pub fn settings(
        &mut self,
        subjects: &[Subject],
        limit: &Limit,
    ) -> Result<BTreeMap<Subject, Vec<Setting>>, KafkaError> {
        self.cluster.settings(subjects, &[], limit)
    }

    /// As [`Admin::settings`], only those of these names.
    ///
    /// # Errors
    /// As [`Admin::settings`].
    pub fn settings_named(
        &mut self,
        subjects: &[Subject],
        names: &[&'static str],
        limit: &Limit,
    ) -> Result<BTreeMap<Subject, Vec<Setting>>, KafkaError> {
        self.cluster.settings(subjects, names, limit)
    }

    /// Changes settings, by name: to a value, or back to what holds unless something is said. Waits a moment until brokers tell of it.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`]; refused with `INVALID_CONFIG` where there is no such setting, or no such value of it.
    pub fn alter_settings(
        &mut self,
        subject: &Subject,
        changes: &BTreeMap<String, Option<String>>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        self.cluster.alter_settings(subject, changes, limit)?;
        let limit = limit.at_most(TOLD);
        loop {
            let told = self
                .cluster
                .settings(std::slice::from_ref(subject), &[], &limit);
            match told {
                Ok(told) if told.values().all(|told| shows(subject, told, changes)) => {
                    return Ok(());
                }
                Ok(_) if !limit.remaining().is_zero() => limit.pause(LOOK)?,
                Err(KafkaError::Stopped(stop)) => return Err(stop.into()),
                _ => return Ok(()),
            }
        }
    }

    /// The names of all settings that a topic may have.
    ///
    /// # Errors
    /// When the broker does not answer, or refuses.
    pub fn setting_names_of_topics(&mut self, limit: &Limit) -> Result<Vec<String>, KafkaError> {
        self.cluster.setting_names_of_topics(limit)
    }

    /// The bytes that each copy of each partition takes on the disk of its broker, by its node id. What a broker holds that cannot be
    /// reached is left out.
    ///
    /// # Errors
    /// When a broker refuses.
    pub fn sizes(&mut self, limit: &Limit) -> Result<Sizes, KafkaError> {
        self.cluster.sizes(limit)
    }
}

/// Whether the changes are among the settings that are told.
fn shows(subject: &Subject, told: &[Setting], changes: &BTreeMap<String, Option<String>>) -> bool {
    let own = match subject {
        Subject::Topic(_) => Origin::Topic,
        Subject::Broker(_) => Origin::Broker,
        Subject::AllBrokers => Origin::AllBrokers,
    };
    changes.iter().all(|(name, value)| {
        let setting = told
            .iter()
            .find(|setting| setting.name == *name && setting.origin == own);
        match (setting, value) {
            (None, None) => true,
            (Some(setting), Some(value)) => {
                setting.secret || setting.value.as_deref() == Some(value.trim())
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_of_when_it_is_the_subjects_own() {
        let subject = Subject::Topic("t".to_owned());
        let told = |value: &str, origin| Setting {
            name: "retention.ms".to_owned(),
            value: Some(value.to_owned()),
            origin,
            secret: false,
        };
        let change = |value: Option<&str>| {
            BTreeMap::from([("retention.ms".to_owned(), value.map(str::to_owned))])
        };
        let set = change(Some("5"));
        assert!(shows(&subject, &[told("5", Origin::Topic)], &set));
        assert!(!shows(&subject, &[told("5", Origin::Default)], &set));
        assert!(!shows(&subject, &[told("6", Origin::Topic)], &set));
        assert!(shows(
            &subject,
            &[told("5", Origin::Default)],
            &change(None)
        ));
        assert!(!shows(&subject, &[told("5", Origin::Topic)], &change(None)));
    }
}
