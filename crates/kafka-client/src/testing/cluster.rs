//! The metadata of the fake broker.

use super::groups::Group;
use super::log::Log;
use crate::message::to_millis;
use kafka_protocol::error::ResponseError as Error;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, FindCoordinatorRequest, FindCoordinatorResponse, InitProducerIdResponse,
    MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::time::SystemTime;

pub(super) const NODE: BrokerId = BrokerId(1);

pub(super) type Settings = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) port: u16,
    pub(super) clock: Option<i64>,
    pub(super) defaults: Settings,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) groups: BTreeMap<String, Group>,
    /// With what the request at hand is refused, whatever it is; 0 for not at all.
    pub(super) code: i16,
    /// How many topics and producers there have been.
    counted: u32,
}

#[derive(Debug)]
pub(super) struct Topic {
    id: u32,
    pub(super) settings: Settings,
    pub(super) partitions: Vec<Log>,
}

pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// The error code of what was done.
pub(super) fn code<T>(done: &Result<T, Error>) -> i16 {
    done.as_ref().err().map_or(0, Error::code)
}

impl State {
    /// Whether the request at hand is not to be refused.
    pub(super) fn pass(&self) -> Result<(), Error> {
        Error::try_from_code(self.code).map_or(Ok(()), Err)
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.unwrap_or_else(|| to_millis(SystemTime::now()))
    }

    pub(super) fn count(&mut self) -> u32 {
        self.counted += 1;
        self.counted
    }

    /// Whether it made the topic, or partitions of it.
    pub(super) fn make_topic(&mut self, name: &str, partitions: usize, settings: Settings) -> bool {
        if !self.topics.contains_key(name) {
            let topic = Topic {
                id: self.count(),
                settings,
                partitions: Vec::new(),
            };
            self.topics.insert(name.to_owned(), topic);
        } else if self.topics[name].partitions.len() >= partitions {
            return false;
        }
        let topic = self.topics.get_mut(name);
        topic
            .unwrap()
            .partitions
            .resize_with(partitions, Log::default);
        true
    }

    pub(super) fn topic(&mut self, name: &str) -> Result<&mut Topic, Error> {
        self.topics
            .get_mut(name)
            .ok_or(Error::UnknownTopicOrPartition)
    }

    pub(super) fn log(&mut self, topic: &str, partition: i32) -> Result<&mut Log, Error> {
        let partition = usize::try_from(partition).ok();
        let partitions = &mut self.topic(topic)?.partitions;
        let log = partition.and_then(|partition| partitions.get_mut(partition));
        log.ok_or(Error::UnknownTopicOrPartition)
    }

    pub(super) fn metadata(&mut self, request: &MetadataRequest) -> MetadataResponse {
        let broker = MetadataResponseBroker::default()
            .with_node_id(NODE)
            .with_host(text("127.0.0.1"))
            .with_port(self.port.into());
        let names: Vec<String> = match &request.topics {
            None => self.topics.keys().cloned().collect(),
            Some(topics) => {
                let names = topics.iter().filter_map(|topic| topic.name.as_ref());
                names.map(|name| name.to_string()).collect()
            }
        };
        if request.allow_auto_topic_creation {
            for name in &names {
                self.make_topic(name, 1, Settings::new());
            }
        }
        let topics = names.iter().map(|name| self.describe(name));
        MetadataResponse::default()
            .with_cluster_id(Some(text(format!("fake-{}", self.port))))
            .with_controller_id(NODE)
            .with_topics(topics.collect())
            .with_brokers(vec![broker])
    }

    fn describe(&self, name: &str) -> MetadataResponseTopic {
        let told = MetadataResponseTopic::default().with_name(Some(TopicName(text(name))));
        let topic = self.topics.get(name).ok_or(Error::UnknownTopicOrPartition);
        let topic = match self.pass().and(topic) {
            Ok(topic) => topic,
            Err(error) => return told.with_error_code(error.code()),
        };
        let partition = |id| {
            MetadataResponsePartition::default()
                .with_partition_index(id)
                .with_leader_id(NODE)
                .with_replica_nodes(vec![NODE])
                .with_isr_nodes(vec![NODE])
        };
        let id = format!("{:032x}", topic.id);
        told.with_topic_id(id.parse().unwrap())
            .with_partitions((0..).take(topic.partitions.len()).map(partition).collect())
    }

    pub(super) fn find_coordinator(
        &self,
        request: &FindCoordinatorRequest,
    ) -> FindCoordinatorResponse {
        let found = request.coordinator_keys.iter().map(|key| {
            Coordinator::default()
                .with_key(key.clone())
                .with_node_id(NODE)
                .with_host(text("127.0.0.1"))
                .with_port(self.port.into())
                .with_error_code(self.code)
        });
        FindCoordinatorResponse::default().with_coordinators(found.collect())
    }

    pub(super) fn init_producer_id(&mut self) -> InitProducerIdResponse {
        InitProducerIdResponse::default()
            .with_error_code(self.code)
            .with_producer_id(i64::from(self.count()).into())
    }
}
