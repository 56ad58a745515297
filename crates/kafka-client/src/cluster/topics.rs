//! Making, growing and removing topics, removing records, and knowing when every broker has heard of it.

use crate::cluster::metadata::TopicInfo;
use crate::cluster::metadata::topic_name;
use crate::cluster::offsets::Offsets;
use crate::cluster::{Cluster, To};
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker may take over it, in milliseconds: less than an answer is waited for.
const ON_BROKER: i32 = 4_000;

/// What the brokers are asked to choose themselves.
const BROKERS_CHOICE: i16 = -1;

/// How long the other brokers may take to hear of a change that is made: after that it is theirs.
const SPREAD: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// What a new topic is to be like; what is not said is the brokers' to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// From 1.
    pub partitions: Option<i32>,
    /// Copies of each partition, from 1.
    pub replicas: Option<i16>,
    /// Settings that differ from those of the brokers, by name.
    pub settings: BTreeMap<String, String>,
}

impl Cluster {
    /// Creates a topic.
    pub(crate) fn create_topic(
        &mut self,
        topic: &NewTopic,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let request = creation(topic, false);
        let exists = |error: &KafkaError| error.is(ResponseError::TopicAlreadyExists);
        self.once(limit, exists, |cluster, limit| {
            cluster
                .ask_to_create(&topic.name, &request, limit)
                .map(|_| ())
        })
    }

    /// The names of all settings that a topic may have. Makes none: a broker that is asked to make one, and not to do so, tells
    /// what it would have set.
    pub(crate) fn setting_names_of_topics(
        &mut self,
        limit: &Limit,
    ) -> Result<Vec<String>, KafkaError> {
        let name = format!("never-made-{}", std::process::id());
        let topic = NewTopic {
            name,
            ..NewTopic::default()
        };
        let request = creation(&topic, true);
        let told = self.ask_to_create(&topic.name, &request, limit)?;
        let settings = told.configs.into_iter().flatten();
        Ok(settings.map(|setting| setting.name.to_string()).collect())
    }

    fn ask_to_create(
        &mut self,
        topic: &str,
        request: &CreateTopicsRequest,
        limit: &Limit,
    ) -> Result<CreatableTopicResult, KafkaError> {
        let doing = || format!("create topic `{topic}`");
        let answer = self.call(To::Controller, request, limit)?;
        let result = self.verdict(answer.topics, doing)?;
        KafkaError::check_said(result.error_code, result.error_message.as_deref(), doing)?;
        Ok(result)
    }

    /// Removes a topic and all its records.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`] where there is none.
    pub(crate) fn delete_topic(&mut self, topic: &str, limit: &Limit) -> Result<(), KafkaError> {
        let request = DeleteTopicsRequest::default()
            .with_topic_names(vec![topic_name(topic)])
            .with_timeout_ms(ON_BROKER);
        let doing = || format!("delete topic `{topic}`");
        let is_gone = |error: &KafkaError| matches!(error, KafkaError::UnknownTopic { .. });
        self.once(limit, is_gone, |cluster, limit| {
            let answer = cluster.call(To::Controller, &request, limit)?;
            let result = cluster.verdict(answer.responses, doing)?;
            let said = result.error_message.as_deref();
            KafkaError::check_said(result.error_code, said, doing)
                .map_err(|error| named(error, topic))
        })
    }

    /// Gives a topic more partitions, `count` in all.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`], or refused with `INVALID_PARTITIONS` where it has as many or more.
    pub(crate) fn add_partitions(
        &mut self,
        topic: &str,
        count: i32,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let more = CreatePartitionsTopic::default()
            .with_name(topic_name(topic))
            .with_count(count)
            .with_assignments(None);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![more])
            .with_timeout_ms(ON_BROKER);
        let doing = || format!("give topic `{topic}` {count} partitions");
        let has_them = |error: &KafkaError| error.is(ResponseError::InvalidPartitions);
        self.once(limit, has_them, |cluster, limit| {
            let answer = cluster.call(To::Controller, &request, limit)?;
            let result = cluster.verdict(answer.results, doing)?;
            let said = result.error_message.as_deref();
            KafkaError::check_said(result.error_code, said, doing)
                .map_err(|error| named(error, topic))
        })
    }

    /// Removes the records before these offsets; -1 stands for the end. Where each partition begins now.
    ///
    /// # Errors
    /// Refused with `OFFSET_OUT_OF_RANGE` where an offset is beyond the end, with `POLICY_VIOLATION` where the topic is only compacted.
    pub(crate) fn delete_records(
        &mut self,
        before: &Offsets,
        limit: &Limit,
    ) -> Result<Offsets, KafkaError> {
        self.patiently(limit, |cluster, limit| {
            let mut asked = Vec::new();
            for (leader, request) in cluster.deletions(before, limit)? {
                asked.push(cluster.ask(To::Broker(leader), &request, limit)?);
            }
            let mut begins = Offsets::new();
            for asked in asked {
                for topic in cluster.answer(&asked, limit)?.topics {
                    for partition in topic.partitions {
                        let (id, name) = (partition.partition_index, topic.name.to_string());
                        KafkaError::check(partition.error_code, || {
                            format!("delete records of partition {id} of topic `{name}`")
                        })?;
                        begins.insert((name, id), partition.low_watermark);
                    }
                }
            }
            Ok(begins)
        })
    }

    /// One request for each leader.
    fn deletions(
        &mut self,
        before: &Offsets,
        limit: &Limit,
    ) -> Result<Vec<(i32, DeleteRecordsRequest)>, KafkaError> {
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<DeleteRecordsPartition>>> =
            BTreeMap::new();
        for ((topic, partition), offset) in before {
            let leader = self.leader(topic, *partition, limit)?;
            let place = DeleteRecordsPartition::default()
                .with_partition_index(*partition)
                .with_offset(*offset);
            let topics = by_leader.entry(leader).or_default();
            topics.entry(topic).or_default().push(place);
        }
        let requests = by_leader.into_iter().map(|(leader, topics)| {
            let topics = topics.into_iter().map(|(name, partitions)| {
                DeleteRecordsTopic::default()
                    .with_name(topic_name(name))
                    .with_partitions(partitions)
            });
            let request = DeleteRecordsRequest::default()
                .with_topics(topics.collect())
                .with_timeout_ms(ON_BROKER);
            (leader, request)
        });
        Ok(requests.collect())
    }

    /// Waits until every broker that can be reached sees a topic as it should be: whoever is asked next knows. For a while only: the
    /// change is made, and a broker that does not hear of it will when it can.
    pub(crate) fn until_everywhere(
        &mut self,
        topic: &str,
        limit: &Limit,
        mut is_seen: impl FnMut(Option<&TopicInfo>) -> bool,
    ) -> Result<(), KafkaError> {
        let limit = limit.at_most(SPREAD);
        self.metadata(Some(&[]), &limit)?;
        let brokers: Vec<i32> = self.known.brokers.keys().copied().collect();
        for broker in brokers {
            loop {
                match self.topic_on(broker, topic, &limit) {
                    Ok(seen) if is_seen(seen.as_ref()) => break,
                    Ok(_) => {}
                    Err(KafkaError::Stopped(stop)) => return Err(stop.into()),
                    Err(_) => break,
                }
                limit.pause(LOOK)?;
                if limit.remaining().is_zero() {
                    return Ok(());
                }
            }
        }
        self.forget();
        Ok(())
    }

    /// As [`Cluster::patiently`], for what cannot be done twice: once an answer was lost, a refusal that `shows_done` means that it was
    /// done.
    pub(super) fn once(
        &mut self,
        limit: &Limit,
        shows_done: impl Fn(&KafkaError) -> bool,
        mut attempt: impl FnMut(&mut Self, &Limit) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        let mut is_in_doubt = false;
        self.patiently(limit, |cluster, limit| match attempt(cluster, limit) {
            Err(error) if is_in_doubt && shows_done(&error) => Ok(()),
            Err(error) => {
                is_in_doubt |= error.leaves_a_write_in_doubt();
                Err(error)
            }
            Ok(()) => Ok(()),
        })
    }

    /// The one verdict in an answer about one thing.
    pub(super) fn verdict<T>(
        &self,
        verdicts: Vec<T>,
        doing: impl FnOnce() -> String,
    ) -> Result<T, KafkaError> {
        verdicts
            .into_iter()
            .next()
            .ok_or_else(|| KafkaError::Garbled {
                address: self.address(),
                cause: format!("asked to {}, it says nothing of it", doing()),
            })
    }
}

fn creation(topic: &NewTopic, validate_only: bool) -> CreateTopicsRequest {
    let settings = topic.settings.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_value(Some(StrBytes::from_string(value.clone())))
    });
    let creatable = CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(topic.partitions.unwrap_or(BROKERS_CHOICE.into()))
        .with_replication_factor(topic.replicas.unwrap_or(BROKERS_CHOICE))
        .with_configs(settings.collect());
    CreateTopicsRequest::default()
        .with_topics(vec![creatable])
        .with_timeout_ms(ON_BROKER)
        .with_validate_only(validate_only)
}

/// Kafka's code for a topic that does not exist asks to try again, for topics that are being created; what is changed must exist.
pub(super) fn named(error: KafkaError, topic: &str) -> KafkaError {
    if error.is(ResponseError::UnknownTopicOrPartition) {
        KafkaError::UnknownTopic {
            topic: topic.to_owned(),
        }
    } else {
        error
    }
}

#[cfg(test)]
mod tests;
