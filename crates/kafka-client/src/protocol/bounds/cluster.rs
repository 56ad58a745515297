//! The schemas of what a broker tells of itself and of its cluster.

use super::schema::{
    BOOL, Field, INT16, INT32, INT64, INTS, Schema, Shape, TEXT, TEXT_OR_NULL, UUID, array, plain,
};
use Field::{Since, Struct};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};

pub(super) const SCHEMAS: &[Schema] = &[
    Schema {
        api: ApiKey::ApiVersions,
        // 0 is how a broker refuses the version asked for
        versions: &[0, 3],
        flexible_since: 3,
        shape: &Shape {
            fields: &[INT16, array::<ApiVersion>(&API), Since(1, &INT32)],
            tags: &[
                (0, array::<SupportedFeatureKey>(&FEATURE)),
                (1, INT64),
                (2, array::<FinalizedFeatureKey>(&FEATURE)),
                (3, BOOL),
            ],
        },
    },
    Schema {
        api: ApiKey::Metadata,
        versions: &[12],
        flexible_since: 9,
        shape: &plain(&[
            INT32,
            array::<MetadataResponseBroker>(&BROKER),
            TEXT_OR_NULL,
            INT32,
            array::<MetadataResponseTopic>(&TOPIC),
        ]),
    },
    Schema {
        api: ApiKey::FindCoordinator,
        versions: &[4],
        flexible_since: 3,
        shape: &plain(&[INT32, array::<Coordinator>(&COORDINATOR)]),
    },
];

/// Its number, and the lowest and highest version of it.
const API: Field = Struct(&plain(&[INT16, INT16, INT16]));

const FEATURE: Field = Struct(&plain(&[TEXT, INT16, INT16]));

/// Id, host, port, rack.
const BROKER: Field = Struct(&plain(&[INT32, TEXT, INT32, TEXT_OR_NULL]));

const TOPIC: Field = Struct(&plain(&[
    INT16,
    TEXT_OR_NULL,
    UUID,
    BOOL,
    array::<MetadataResponsePartition>(&PARTITION),
    INT32,
]));

/// Error, number, leader and its epoch; then replicas, those in sync, those offline.
const PARTITION: Field = Struct(&plain(&[INT16, INT32, INT32, INT32, INTS, INTS, INTS]));

const COORDINATOR: Field = Struct(&plain(&[TEXT, INT32, TEXT, INT32, INT16, TEXT_OR_NULL]));
