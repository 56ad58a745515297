//! Reading and changing what topics and brokers are set to.

use crate::cluster::topics::named;
use crate::cluster::{Cluster, To};
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::fmt;

/// What the protocol calls the things that have settings (`ConfigResource.Type`).
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// What is done to a setting (`AlterConfigOp.OpType`).
const SET: i8 = 0;
const DELETE: i8 = 1;

/// Subjects that are asked about in one request: an answer about as many topics has about 2 MB.
const AT_ONCE: usize = 500;

/// What has settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The topic of that name.
    Topic(String),
    /// The broker with that node id.
    Broker(i32),
    /// All brokers together: what none of them is told otherwise.
    AllBrokers,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic `{name}`"),
            Self::Broker(id) => write!(f, "broker {id}"),
            Self::AllBrokers => f.write_str("all brokers"),
        }
    }
}

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Such as `retention.ms`.
    pub name: String,
    /// As Kafka writes it; none where there is none, or where it is secret.
    pub value: Option<String>,
    /// Where it was said.
    pub origin: Origin,
    /// Whether it is something like a password, which no broker tells.
    pub secret: bool,
}

/// Where a setting was said (`DescribeConfigsResponse.ConfigSource`); the first that says it wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// For this topic alone.
    Topic,
    /// For this broker alone, while it ran.
    Broker,
    /// For all brokers, while they ran.
    AllBrokers,
    /// In the broker's own properties, or its environment.
    File,
    /// Nowhere: Kafka's default.
    Default,
    /// A source that has no name here, by its number.
    Other(i8),
}

impl Origin {
    /// As the protocol numbers it.
    pub(crate) fn of(number: i8) -> Self {
        match number {
            1 => Self::Topic,
            2 => Self::Broker,
            3 => Self::AllBrokers,
            4 => Self::File,
            5 => Self::Default,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "topic",
            Self::Broker => "broker",
            Self::AllBrokers => "all-brokers",
            Self::File => "broker-file",
            Self::Default => "default",
            Self::Other(_) => "other",
        })
    }
}

impl Cluster {
    /// What one setting of a topic is, defaults of the broker included.
    pub(crate) fn topic_setting(
        &mut self,
        topic: &str,
        key: &'static str,
        limit: &Limit,
    ) -> Result<Option<String>, KafkaError> {
        let subjects = [Subject::Topic(topic.to_owned())];
        let found = self.settings(&subjects, &[key], limit)?;
        let mut settings = found.into_values().flatten();
        let found = settings.find(|setting| setting.name == key);
        Ok(found.and_then(|setting| setting.value))
    }

    /// All settings of these subjects, or those that are named; topics that are not there are left out.
    pub(crate) fn settings(
        &mut self,
        subjects: &[Subject],
        keys: &[&'static str],
        limit: &Limit,
    ) -> Result<BTreeMap<Subject, Vec<Setting>>, KafkaError> {
        self.patiently(limit, |cluster, limit| {
            let mut asked = Vec::new();
            for some in subjects.chunks(AT_ONCE) {
                for (to, request) in descriptions(some, keys) {
                    asked.push(cluster.ask(to, &request, limit)?);
                }
            }
            let mut found = BTreeMap::new();
            for asked in asked {
                for result in cluster.answer(&asked, limit)?.results {
                    let name = &result.resource_name;
                    let subject = subject(result.resource_type, name);
                    let said = result.error_message.as_deref();
                    let doing = || format!("tell the settings of {subject}");
                    match KafkaError::check_said(result.error_code, said, doing)
                        .map_err(|error| named(error, name))
                    {
                        // deleted since
                        Err(KafkaError::UnknownTopic { .. }) => {}
                        Err(error) => return Err(error),
                        Ok(()) => {
                            let settings = result.configs.into_iter().map(setting);
                            found.insert(subject, settings.collect());
                        }
                    }
                }
            }
            Ok(found)
        })
    }

    /// Changes settings, by name: to a value, or back to what they are unset.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`]; refused with `INVALID_CONFIG` where there is no such setting, or no such value of it.
    pub(crate) fn alter_settings(
        &mut self,
        subject: &Subject,
        changes: &BTreeMap<String, Option<String>>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let changes = changes.iter().map(|(name, value)| {
            let text = |text: &String| StrBytes::from_string(text.clone());
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(if value.is_some() { SET } else { DELETE })
                .with_value(value.as_ref().map(text))
        });
        let (kind, name) = resource(subject);
        let altered = AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(StrBytes::from_string(name.clone()))
            .with_configs(changes.collect());
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![altered]);
        let doing = || format!("change the settings of {subject}");
        self.patiently(limit, |cluster, limit| {
            let answer = cluster.call(who(subject), &request, limit)?;
            let result = cluster.verdict(answer.responses, doing)?;
            let said = result.error_message.as_deref();
            KafkaError::check_said(result.error_code, said, doing)
                .map_err(|error| named(error, &name))
        })
    }
}

/// A broker answers for its own settings only, and any of them for the rest.
fn who(subject: &Subject) -> To<'static> {
    match subject {
        Subject::Broker(id) => To::Broker(*id),
        Subject::Topic(_) | Subject::AllBrokers => To::Any,
    }
}

fn descriptions(
    subjects: &[Subject],
    keys: &[&'static str],
) -> Vec<(To<'static>, DescribeConfigsRequest)> {
    let mut requests: Vec<(To<'static>, DescribeConfigsRequest)> = Vec::new();
    for subject in subjects {
        let (kind, name) = resource(subject);
        let resource = DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(StrBytes::from_string(name))
            .with_configuration_keys((!keys.is_empty()).then(|| {
                let keys = keys.iter();
                keys.map(|key| StrBytes::from_static_str(key)).collect()
            }));
        let to = who(subject);
        match requests.iter_mut().find(|(other, _)| *other == to) {
            Some((_, request)) => request.resources.push(resource),
            None => requests.push((
                to,
                DescribeConfigsRequest::default().with_resources(vec![resource]),
            )),
        }
    }
    requests
}

fn resource(subject: &Subject) -> (i8, String) {
    match subject {
        Subject::Topic(name) => (TOPIC, name.clone()),
        Subject::Broker(id) => (BROKER, id.to_string()),
        Subject::AllBrokers => (BROKER, String::new()),
    }
}

fn subject(kind: i8, name: &str) -> Subject {
    match (kind, name.parse()) {
        (BROKER, Ok(id)) => Subject::Broker(id),
        (BROKER, Err(_)) => Subject::AllBrokers,
        _ => Subject::Topic(name.to_owned()),
    }
}

fn setting(told: DescribeConfigsResourceResult) -> Setting {
    Setting {
        name: told.name.to_string(),
        value: told.value.map(|value| value.to_string()),
        origin: Origin::of(told.config_source),
        secret: told.is_sensitive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_asks_for_all_topics_and_each_broker_for_itself() {
        let topic = |name: &str| Subject::Topic(name.to_owned());
        let subjects = [
            topic("a"),
            Subject::Broker(2),
            topic("b"),
            Subject::AllBrokers,
        ];
        let requests = descriptions(&subjects, &[]);
        let asked: Vec<_> = requests
            .iter()
            .map(|(to, request)| (*to, request.resources.len()))
            .collect();
        assert_eq!(asked, [(To::Any, 3), (To::Broker(2), 1)]);
    }

    #[test]
    fn a_subject_leads_back_to_itself() {
        for one in [
            Subject::Topic("7".to_owned()),
            Subject::Broker(7),
            Subject::AllBrokers,
        ] {
            let (kind, name) = resource(&one);
            assert_eq!(subject(kind, &name), one);
        }
    }
}
