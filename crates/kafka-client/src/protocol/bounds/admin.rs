//! The schemas of what changes and describes topics, settings and logs.

use super::schema::{
    BOOL, Field, INT8, INT16, INT32, INT64, Schema, Shape, TEXT, TEXT_OR_NULL, UUID, array,
    array_or_null, plain,
};
use Field::Struct;
use kafka_protocol::messages::ApiKey;
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

pub(super) const SCHEMAS: &[Schema] = &[
    Schema {
        api: ApiKey::CreateTopics,
        versions: &[7],
        flexible_since: 5,
        shape: &plain(&[INT32, array::<CreatableTopicResult>(&CREATED)]),
    },
    Schema {
        api: ApiKey::DeleteTopics,
        versions: &[5],
        flexible_since: 4,
        shape: &plain(&[INT32, array::<DeletableTopicResult>(&DELETED)]),
    },
    Schema {
        api: ApiKey::CreatePartitions,
        versions: &[3],
        flexible_since: 2,
        shape: &plain(&[INT32, array::<CreatePartitionsTopicResult>(&GROWN)]),
    },
    Schema {
        api: ApiKey::DescribeConfigs,
        versions: &[4],
        flexible_since: 4,
        shape: &plain(&[INT32, array::<DescribeConfigsResult>(&RESOURCE)]),
    },
    Schema {
        api: ApiKey::IncrementalAlterConfigs,
        versions: &[1],
        flexible_since: 1,
        shape: &plain(&[INT32, array::<AlterConfigsResourceResponse>(&ALTERED)]),
    },
    Schema {
        api: ApiKey::DescribeLogDirs,
        versions: &[4],
        flexible_since: 2,
        shape: &plain(&[INT32, INT16, array::<DescribeLogDirsResult>(&LOG_DIR)]),
    },
];

/// Name, id, error and its message, partitions, replicas, settings. Tagged: why there are no settings.
const CREATED: Field = Struct(&Shape {
    fields: &[
        TEXT,
        UUID,
        INT16,
        TEXT_OR_NULL,
        INT32,
        INT16,
        array_or_null::<CreatableTopicConfigs>(&CREATED_WITH),
    ],
    tags: &[(0, INT16)],
});

/// Name, value, read-only, where from, secret.
const CREATED_WITH: Field = Struct(&plain(&[TEXT, TEXT_OR_NULL, BOOL, INT8, BOOL]));

/// Name, error and its message.
const DELETED: Field = Struct(&plain(&[TEXT_OR_NULL, INT16, TEXT_OR_NULL]));

/// Name, error and its message.
const GROWN: Field = Struct(&plain(&[TEXT, INT16, TEXT_OR_NULL]));

/// Error and its message, kind, name, settings.
const RESOURCE: Field = Struct(&plain(&[
    INT16,
    TEXT_OR_NULL,
    INT8,
    TEXT,
    array::<DescribeConfigsResourceResult>(&SETTING),
]));

/// Name, value, read-only, where from, secret, synonyms, type, documentation.
const SETTING: Field = Struct(&plain(&[
    TEXT,
    TEXT_OR_NULL,
    BOOL,
    INT8,
    BOOL,
    array::<DescribeConfigsSynonym>(&SYNONYM),
    INT8,
    TEXT_OR_NULL,
]));

/// Name, value, where from.
const SYNONYM: Field = Struct(&plain(&[TEXT, TEXT_OR_NULL, INT8]));

/// Error and its message, kind, name.
const ALTERED: Field = Struct(&plain(&[INT16, TEXT_OR_NULL, INT8, TEXT]));

/// Error, path, topics, bytes in all, bytes left.
const LOG_DIR: Field = Struct(&plain(&[
    INT16,
    TEXT,
    array::<DescribeLogDirsTopic>(&LOG_TOPIC),
    INT64,
    INT64,
]));

const LOG_TOPIC: Field = Struct(&plain(&[TEXT, array::<DescribeLogDirsPartition>(&LOG)]));

/// Number, bytes, lag, whether it is moving in.
const LOG: Field = Struct(&plain(&[INT32, INT64, INT64, BOOL]));
