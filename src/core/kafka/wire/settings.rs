//! Reading what topics and brokers are set to. Knows nothing of records.

use super::cluster::{Cluster, To};
use crate::core::kafka::error::KafkaError;
use crate::core::wait::Limit;
use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::protocol::StrBytes;

/// What the protocol calls a topic among the things that have settings (`ConfigResource.Type`).
const TOPIC: i8 = 2;

impl Cluster {
    /// What one setting of a topic is, defaults of the broker included.
    pub(in crate::core::kafka) fn topic_setting(
        &mut self,
        topic: &str,
        key: &'static str,
        limit: &Limit,
    ) -> Result<Option<String>, KafkaError> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string(topic.to_owned()))
            .with_configuration_keys(Some(vec![StrBytes::from_static_str(key)]));
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        self.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Any, &request, limit)?;
            let Some(found) = answer.results.into_iter().next() else {
                return Ok(None);
            };
            let said = found.error_message.as_deref();
            KafkaError::check_said(found.error_code, said, || {
                format!("tell the settings of topic `{topic}`")
            })?;
            let setting = found
                .configs
                .into_iter()
                .find(|setting| *setting.name == *key);
            Ok(setting.and_then(|setting| Some(setting.value?.to_string())))
        })
    }
}
