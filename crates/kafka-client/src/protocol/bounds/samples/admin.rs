//! Samples of what changes and describes topics, settings and logs.

use super::{Bodies, bodies, maybe, some, tags, text};
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    ApiKey, CreatePartitionsResponse, CreateTopicsResponse, DeleteTopicsResponse,
    DescribeConfigsResponse, DescribeLogDirsResponse, IncrementalAlterConfigsResponse, TopicName,
};
use proptest::prelude::*;

pub(super) fn filled(api: ApiKey, version: i16) -> Option<Bodies> {
    let bodies = match api {
        ApiKey::CreateTopics => bodies(version, created()),
        ApiKey::DeleteTopics => bodies(version, deleted()),
        ApiKey::CreatePartitions => bodies(version, grown()),
        ApiKey::DescribeConfigs => bodies(version, settings()),
        ApiKey::IncrementalAlterConfigs => bodies(version, altered()),
        ApiKey::DescribeLogDirs => bodies(version, logs()),
        _ => return None,
    };
    Some(bodies)
}

fn created() -> impl Strategy<Value = CreateTopicsResponse> {
    let setting =
        (text(), maybe(text()), any::<bool>(), tags()).prop_map(|(name, value, secret, tags)| {
            CreatableTopicConfigs::default()
                .with_name(name)
                .with_value(value)
                .with_is_sensitive(secret)
                .with_unknown_tagged_fields(tags)
        });
    let parts = (
        text(),
        maybe(text()),
        maybe(some(setting)),
        0..3_i16,
        tags(),
    );
    let topic = parts.prop_map(|(name, message, settings, error, tags)| {
        CreatableTopicResult::default()
            .with_name(name.into())
            .with_error_message(message)
            .with_topic_config_error_code(error)
            .with_configs(settings)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| CreateTopicsResponse::default().with_topics(topics))
}

fn deleted() -> impl Strategy<Value = DeleteTopicsResponse> {
    let topic = (maybe(text()), maybe(text()), tags()).prop_map(|(name, message, tags)| {
        DeletableTopicResult::default()
            .with_name(name.map(TopicName))
            .with_error_message(message)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| DeleteTopicsResponse::default().with_responses(topics))
}

fn grown() -> impl Strategy<Value = CreatePartitionsResponse> {
    let topic = (text(), maybe(text()), tags()).prop_map(|(name, message, tags)| {
        CreatePartitionsTopicResult::default()
            .with_name(name.into())
            .with_error_message(message)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| CreatePartitionsResponse::default().with_results(topics))
}

fn settings() -> impl Strategy<Value = DescribeConfigsResponse> {
    let synonym = (text(), maybe(text()), tags()).prop_map(|(name, value, tags)| {
        DescribeConfigsSynonym::default()
            .with_name(name)
            .with_value(value)
            .with_unknown_tagged_fields(tags)
    });
    let parts = (text(), maybe(text()), some(synonym), maybe(text()), tags());
    let setting = parts.prop_map(|(name, value, synonyms, text, tags)| {
        DescribeConfigsResourceResult::default()
            .with_name(name)
            .with_value(value)
            .with_synonyms(synonyms)
            .with_documentation(text)
            .with_unknown_tagged_fields(tags)
    });
    let resource =
        (maybe(text()), text(), some(setting), tags()).prop_map(|(message, name, all, tags)| {
            DescribeConfigsResult::default()
                .with_error_message(message)
                .with_resource_name(name)
                .with_configs(all)
                .with_unknown_tagged_fields(tags)
        });
    some(resource).prop_map(|results| DescribeConfigsResponse::default().with_results(results))
}

fn altered() -> impl Strategy<Value = IncrementalAlterConfigsResponse> {
    let resource = (maybe(text()), text(), tags()).prop_map(|(message, name, tags)| {
        AlterConfigsResourceResponse::default()
            .with_error_message(message)
            .with_resource_name(name)
            .with_unknown_tagged_fields(tags)
    });
    some(resource).prop_map(|all| IncrementalAlterConfigsResponse::default().with_responses(all))
}

fn logs() -> impl Strategy<Value = DescribeLogDirsResponse> {
    let partition = (any::<(i32, i64, i64)>(), tags()).prop_map(|((index, size, lag), tags)| {
        DescribeLogDirsPartition::default()
            .with_partition_index(index)
            .with_partition_size(size)
            .with_offset_lag(lag)
            .with_unknown_tagged_fields(tags)
    });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        DescribeLogDirsTopic::default()
            .with_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    let dir = (text(), some(topic), tags()).prop_map(|(path, topics, tags)| {
        DescribeLogDirsResult::default()
            .with_log_dir(path)
            .with_topics(topics)
            .with_unknown_tagged_fields(tags)
    });
    some(dir).prop_map(|results| DescribeLogDirsResponse::default().with_results(results))
}
