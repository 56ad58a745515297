//! Creates, changes and deletes topics of the fake broker, and describes their settings.

use super::cluster::{State, code, text};
use super::log::Log;
use kafka_protocol::error::ResponseError as Error;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    DescribeLogDirsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    TopicName,
};

/// The settings of topics that it knows, with what Kafka has for them.
const DEFAULTS: [(&str, &str); 12] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("delete.retention.ms", "86400000"),
    ("max.compaction.lag.ms", "9223372036854775807"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.type", "CreateTime"),
    ("min.compaction.lag.ms", "0"),
    ("min.insync.replicas", "1"),
    ("retention.bytes", "-1"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "1073741824"),
    ("segment.ms", "604800000"),
];

/// Where a value comes from, and what may be asked about, by their numbers in the protocol.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 4;
const DEFAULT: i8 = 5;
const TOPIC: i8 = 2;
const SET: i8 = 0;

fn known(name: &str) -> Result<(), Error> {
    let is_known = DEFAULTS.iter().any(|(known, _)| *known == name);
    is_known.then_some(()).ok_or(Error::InvalidConfig)
}

impl State {
    /// What a topic is set to, and where that comes from.
    fn settings(&self, topic: &str) -> Vec<(&'static str, String, i8)> {
        let own = self.topics.get(topic).map(|topic| &topic.settings);
        let setting = |(name, default): (&'static str, &str)| {
            let own = own
                .and_then(|own| own.get(name))
                .map(|value| (value, OF_TOPIC));
            let of_broker = || self.defaults.get(name).map(|value| (value, OF_BROKER));
            match own.or_else(of_broker) {
                Some((value, source)) => (name, value.clone(), source),
                None => (name, default.to_owned(), DEFAULT),
            }
        };
        DEFAULTS.into_iter().map(setting).collect()
    }

    pub(super) fn setting(&self, topic: &str, name: &str) -> String {
        let settings = self.settings(topic).into_iter();
        let mut found = settings.filter(|(known, ..)| *known == name);
        found.next().map_or_else(String::new, |(_, value, _)| value)
    }

    pub(super) fn create_topics(&mut self, request: CreateTopicsRequest) -> CreateTopicsResponse {
        let is_for_real = !request.validate_only;
        let topics = request.topics.into_iter().map(|topic| {
            let made = self.create(&topic, is_for_real);
            let configs = self
                .settings(&topic.name)
                .into_iter()
                .map(|(name, value, source)| {
                    CreatableTopicConfigs::default()
                        .with_name(text(name))
                        .with_value(Some(text(value)))
                        .with_config_source(source)
                });
            let exists = made == Err(Error::TopicAlreadyExists);
            let said = exists.then(|| text(format!("Topic '{}' already exists.", *topic.name)));
            CreatableTopicResult::default()
                .with_error_code(code(&made))
                .with_error_message(said)
                .with_num_partitions(made.unwrap_or(-1))
                .with_replication_factor(1)
                .with_configs(Some(configs.collect()))
                .with_name(topic.name)
        });
        CreateTopicsResponse::default().with_topics(topics.collect())
    }

    fn create(&mut self, topic: &CreatableTopic, is_for_real: bool) -> Result<i32, Error> {
        self.pass()?;
        let partitions = if topic.num_partitions == -1 {
            1
        } else {
            topic.num_partitions
        };
        let count = usize::try_from(partitions).ok().filter(|count| *count > 0);
        let count = count.ok_or(Error::InvalidPartitions)?;
        if self.topics.contains_key(topic.name.as_str()) {
            return Err(Error::TopicAlreadyExists);
        }
        if topic.replication_factor != -1 && topic.replication_factor != 1 {
            return Err(Error::InvalidReplicationFactor);
        }
        let configs = topic.configs.iter();
        let settings = configs.map(|config| {
            let value = config.value.as_ref().ok_or(Error::InvalidConfig)?;
            known(&config.name).map(|()| (config.name.to_string(), value.to_string()))
        });
        let settings = settings.collect::<Result<_, _>>()?;
        if is_for_real {
            self.make_topic(&topic.name, count, settings);
        }
        Ok(partitions)
    }

    pub(super) fn delete_topics(&mut self, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
        let topics = request.topic_names.into_iter().map(|name| {
            let found = self.pass().and_then(|()| self.topic(&name).map(drop));
            if found.is_ok() {
                self.topics.remove(name.as_str());
            }
            DeletableTopicResult::default()
                .with_error_code(code(&found))
                .with_name(Some(name))
        });
        DeleteTopicsResponse::default().with_responses(topics.collect())
    }

    pub(super) fn create_partitions(
        &mut self,
        request: CreatePartitionsRequest,
    ) -> CreatePartitionsResponse {
        let topics = request.topics.into_iter().map(|asked| {
            let topic = self.pass().and_then(|()| self.topic(&asked.name));
            let grown = topic.and_then(|topic| {
                let count = usize::try_from(asked.count).unwrap_or(0);
                if count <= topic.partitions.len() {
                    return Err(Error::InvalidPartitions);
                }
                topic.partitions.resize_with(count, Log::default);
                Ok(())
            });
            CreatePartitionsTopicResult::default()
                .with_error_code(code(&grown))
                .with_name(asked.name)
        });
        CreatePartitionsResponse::default().with_results(topics.collect())
    }

    pub(super) fn describe_configs(
        &mut self,
        request: DescribeConfigsRequest,
    ) -> DescribeConfigsResponse {
        let results = request.resources.into_iter().map(|asked| {
            let name = &asked.resource_name;
            let found = match asked.resource_type {
                TOPIC => self.pass().and_then(|()| self.topic(name).map(drop)),
                _ => self.pass(),
            };
            let keys = asked.configuration_keys.as_ref();
            let is_asked =
                |name: &str| keys.is_none_or(|keys| keys.iter().any(|key| **key == *name));
            let settings = self.settings(name).into_iter();
            let of_topics = settings.filter(|(name, ..)| {
                asked.resource_type == TOPIC && found.is_ok() && is_asked(name)
            });
            let configs = of_topics.map(|(name, value, source)| {
                DescribeConfigsResourceResult::default()
                    .with_name(text(name))
                    .with_value(Some(text(value)))
                    .with_config_source(source)
            });
            DescribeConfigsResult::default()
                .with_error_code(code(&found))
                .with_resource_type(asked.resource_type)
                .with_configs(configs.collect())
                .with_resource_name(asked.resource_name)
        });
        DescribeConfigsResponse::default().with_results(results.collect())
    }

    pub(super) fn alter_configs(
        &mut self,
        request: IncrementalAlterConfigsRequest,
    ) -> IncrementalAlterConfigsResponse {
        let results = request.resources.into_iter().map(|asked| {
            let altered = self.alter(&asked);
            AlterConfigsResourceResponse::default()
                .with_error_code(code(&altered))
                .with_resource_type(asked.resource_type)
                .with_resource_name(asked.resource_name)
        });
        IncrementalAlterConfigsResponse::default().with_responses(results.collect())
    }

    fn alter(&mut self, asked: &AlterConfigsResource) -> Result<(), Error> {
        self.pass()?;
        let settings = match asked.resource_type {
            TOPIC => &mut self.topic(&asked.resource_name)?.settings,
            _ => &mut self.defaults,
        };
        for config in &asked.configs {
            known(&config.name)?;
            match &config.value {
                Some(value) if config.config_operation == SET => {
                    settings.insert(config.name.to_string(), value.to_string());
                }
                _ => drop(settings.remove(config.name.as_str())),
            }
        }
        Ok(())
    }

    pub(super) fn describe_log_dirs(&self) -> DescribeLogDirsResponse {
        let topics = self.topics.iter().map(|(name, topic)| {
            let partitions = (0..).zip(&topic.partitions).map(|(id, log)| {
                DescribeLogDirsPartition::default()
                    .with_partition_index(id)
                    .with_partition_size(i64::try_from(log.bytes()).unwrap_or(i64::MAX))
            });
            DescribeLogDirsTopic::default()
                .with_name(TopicName(text(name.clone())))
                .with_partitions(partitions.collect())
        });
        let directory = DescribeLogDirsResult::default()
            .with_log_dir(text("/fake"))
            .with_topics(topics.collect());
        DescribeLogDirsResponse::default()
            .with_error_code(self.code)
            .with_results(vec![directory])
    }
}
