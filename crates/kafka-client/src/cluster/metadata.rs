//! Asking for brokers, topics and leaders. Never creates a topic by asking.

use crate::cluster::{Cluster, To};
use crate::code::Code;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;

/// A topic's name as messages carry it.
pub(crate) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A cluster as one of its brokers describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Kafka's cluster id.
    pub id: Option<String>,
    /// The broker that answers for the controller.
    pub controller: Option<i32>,
    /// The advertised addresses of the live brokers, by node id.
    pub brokers: BTreeMap<i32, Endpoint>,
    /// The topics that were asked for, or all.
    pub topics: BTreeMap<String, TopicInfo>,
}

/// A topic as its cluster knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicInfo {
    /// Kafka's id of it, another one once it has been deleted and created again (KIP-516); none where the broker tells none.
    pub id: Option<u128>,
    /// Its partitions, numbered from 0. Empty for a moment while the topic is being made.
    pub partitions: Vec<PartitionInfo>,
}

/// A partition as its cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its number, from 0.
    pub id: i32,
    /// The node id of the broker that leads it; none while there is no leader.
    pub leader: Option<i32>,
    /// The node ids of the brokers that should hold it; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// Those of them that are up to date.
    pub in_sync: Vec<i32>,
}

impl TopicInfo {
    /// Whether it has partitions and each has a leader, so that every one of them can be written to and read.
    pub fn is_ready(&self) -> bool {
        !self.partitions.is_empty() && self.partitions.iter().all(|p| p.leader.is_some())
    }

    /// The first partition without a leader.
    pub fn leaderless(&self) -> Option<i32> {
        self.partitions
            .iter()
            .find(|partition| partition.leader.is_none())
            .map(|partition| partition.id)
    }

    /// The partition of that number.
    pub fn partition(&self, id: i32) -> Option<&PartitionInfo> {
        self.partitions.iter().find(|partition| partition.id == id)
    }
}

impl Cluster {
    /// Asks one broker how the cluster is: about these topics (those that are not there are left out), or all.
    pub(crate) fn metadata(
        &mut self,
        topics: Option<&[String]>,
        limit: &Limit,
    ) -> Result<Metadata, KafkaError> {
        self.ask_for(To::Any, topics, false, limit)
    }

    fn ask_for(
        &mut self,
        to: To<'_>,
        topics: Option<&[String]>,
        create: bool,
        limit: &Limit,
    ) -> Result<Metadata, KafkaError> {
        let named = topics.map(|topics| {
            let topic =
                |name: &String| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
            topics.iter().map(topic).collect()
        });
        let request = MetadataRequest::default()
            .with_topics(named)
            .with_allow_auto_topic_creation(create);
        let answer = self.call(to, &request, limit)?;
        let metadata = self.understand(answer)?;
        self.known.id.clone_from(&metadata.id);
        self.known.controller = metadata.controller;
        // a broker that starts up does not know its fellows yet
        if !metadata.brokers.is_empty() {
            self.known.brokers.clone_from(&metadata.brokers);
        }
        match topics {
            None => self.known.topics.clone_from(&metadata.topics),
            Some(asked) => {
                for name in asked {
                    self.known.topics.remove(name);
                }
                self.known.topics.extend(metadata.topics.clone());
            }
        }
        Ok(metadata)
    }

    /// Names a topic, so that a broker that creates topics by itself makes it. What is known of it then, if anything.
    pub(crate) fn touch(
        &mut self,
        topic: &str,
        limit: &Limit,
    ) -> Result<Option<TopicInfo>, KafkaError> {
        let mut metadata = self.ask_for(To::Any, Some(&[topic.to_owned()]), true, limit)?;
        Ok(metadata.topics.remove(topic))
    }

    /// A topic as one broker knows it, if it does.
    pub(crate) fn topic_on(
        &mut self,
        broker: i32,
        topic: &str,
        limit: &Limit,
    ) -> Result<Option<TopicInfo>, KafkaError> {
        let named = [topic.to_owned()];
        let mut metadata = self.ask_for(To::Broker(broker), Some(&named), false, limit)?;
        Ok(metadata.topics.remove(topic))
    }

    /// The leader of a partition; the metadata is refreshed if it is unknown.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`], [`KafkaError::UnknownPartition`], [`KafkaError::NoLeader`]; or when no broker
    /// answers.
    pub(crate) fn leader(
        &mut self,
        topic: &str,
        partition: i32,
        limit: &Limit,
    ) -> Result<i32, KafkaError> {
        let known = |cluster: &Self| {
            cluster
                .known
                .topics
                .get(topic)?
                .partition(partition)?
                .leader
        };
        if let Some(leader) = known(self) {
            return Ok(leader);
        }
        self.metadata(Some(&[topic.to_owned()]), limit)?;
        if let Some(leader) = known(self) {
            return Ok(leader);
        }
        let topic = topic.to_owned();
        Err(match self.known.topics.get(&topic) {
            None => KafkaError::UnknownTopic { topic },
            Some(info) if info.partitions.is_empty() || info.partition(partition).is_some() => {
                KafkaError::NoLeader { topic, partition }
            }
            Some(info) => KafkaError::UnknownPartition {
                topic,
                partition,
                partitions: info.partitions.len(),
            },
        })
    }

    fn understand(&self, answer: MetadataResponse) -> Result<Metadata, KafkaError> {
        let mut metadata = Metadata {
            id: answer.cluster_id.map(|id| id.to_string()),
            controller: (answer.controller_id.0 >= 0).then_some(answer.controller_id.0),
            ..Metadata::default()
        };
        for broker in answer.brokers {
            let port = u16::try_from(broker.port).map_err(|_| KafkaError::Garbled {
                address: self.address(),
                cause: format!("port {} of broker {}", broker.port, broker.node_id.0),
            })?;
            let endpoint = Endpoint::new(broker.host.to_string(), port);
            metadata.brokers.insert(broker.node_id.0, endpoint);
        }
        for topic in answer.topics {
            let Some(name) = topic.name.as_ref().map(|name| name.to_string()) else {
                continue;
            };
            match Code::of(topic.error_code) {
                // being created, or without a leader yet
                None | Some(Code(ResponseError::LeaderNotAvailable)) => {
                    metadata.topics.insert(name, info(&topic));
                }
                Some(Code(ResponseError::UnknownTopicOrPartition)) => {}
                Some(code) => {
                    return Err(KafkaError::Refused {
                        doing: format!("describe topic `{name}`"),
                        code,
                        said: None,
                    });
                }
            }
        }
        Ok(metadata)
    }
}

fn info(topic: &MetadataResponseTopic) -> TopicInfo {
    let mut partitions: Vec<PartitionInfo> = topic.partitions.iter().map(partition).collect();
    partitions.sort_by_key(|partition| partition.id);
    let id = topic.topic_id.as_u128();
    TopicInfo {
        id: (id != 0).then_some(id),
        partitions,
    }
}

fn partition(partition: &MetadataResponsePartition) -> PartitionInfo {
    let ids =
        |nodes: &[kafka_protocol::messages::BrokerId]| nodes.iter().map(|node| node.0).collect();
    PartitionInfo {
        id: partition.partition_index,
        leader: (partition.leader_id.0 >= 0).then_some(partition.leader_id.0),
        replicas: ids(&partition.replica_nodes),
        in_sync: ids(&partition.isr_nodes),
    }
}
