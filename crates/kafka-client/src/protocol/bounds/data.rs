//! The schemas of what moves records, and of where they are.

use super::schema::{
    BYTES_OR_NULL, Field, INT16, INT32, INT64, Schema, Shape, TEXT, TEXT_OR_NULL, array,
    array_or_null, plain,
};
use Field::Struct;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};

pub(super) const SCHEMAS: &[Schema] = &[
    // a tag that a version does not have yet is walked like a later one's: decoding refuses it
    Schema {
        api: ApiKey::Produce,
        versions: &[9, 10, 11, 12],
        flexible_since: 9,
        shape: &Shape {
            fields: &[array::<TopicProduceResponse>(&PRODUCED_TOPIC), INT32],
            tags: &[(0, array::<NodeEndpoint>(&ENDPOINT))],
        },
    },
    // who leads now is told with an address from version 16 on, in tag 0
    Schema {
        api: ApiKey::Fetch,
        versions: &[12],
        flexible_since: 12,
        shape: &plain(&[
            INT32,
            INT16,
            INT32,
            array::<FetchableTopicResponse>(&FETCHED_TOPIC),
        ]),
    },
    Schema {
        api: ApiKey::ListOffsets,
        versions: &[7],
        flexible_since: 6,
        shape: &plain(&[INT32, array::<ListOffsetsTopicResponse>(&LISTED_TOPIC)]),
    },
    Schema {
        api: ApiKey::InitProducerId,
        versions: &[4],
        flexible_since: 2,
        shape: &plain(&[INT32, INT16, INT64, INT16]),
    },
    Schema {
        api: ApiKey::DeleteRecords,
        versions: &[2],
        flexible_since: 2,
        shape: &plain(&[INT32, array::<DeleteRecordsTopicResult>(&CUT_TOPIC)]),
    },
];

const PRODUCED_TOPIC: Field = Struct(&plain(&[
    TEXT,
    array::<PartitionProduceResponse>(&PRODUCED),
]));

/// Number, error, first offset, time of append, start of the log; then records refused, and why.
const PRODUCED: Field = Struct(&Shape {
    fields: &[
        INT32,
        INT16,
        INT64,
        INT64,
        INT64,
        array::<BatchIndexAndErrorMessage>(&REFUSED),
        TEXT_OR_NULL,
    ],
    tags: &[(0, LEADER)],
});

const REFUSED: Field = Struct(&plain(&[INT32, TEXT_OR_NULL]));

/// Id and epoch.
const LEADER: Field = Struct(&plain(&[INT32, INT32]));

/// Id, host, port, rack.
const ENDPOINT: Field = Struct(&plain(&[INT32, TEXT, INT32, TEXT_OR_NULL]));

const FETCHED_TOPIC: Field = Struct(&plain(&[TEXT, array::<PartitionData>(&FETCHED)]));

/// Number, error, high watermark, last stable offset, start of the log; then aborted transactions, a nearer replica, records. Tagged:
/// where logs diverge, who leads, a snapshot.
const FETCHED: Field = Struct(&Shape {
    fields: &[
        INT32,
        INT16,
        INT64,
        INT64,
        INT64,
        array_or_null::<AbortedTransaction>(&ABORTED),
        INT32,
        BYTES_OR_NULL,
    ],
    tags: &[(0, EPOCH_END), (1, LEADER), (2, SNAPSHOT)],
});

/// Producer and first offset.
const ABORTED: Field = Struct(&plain(&[INT64, INT64]));

const EPOCH_END: Field = Struct(&plain(&[INT32, INT64]));

const SNAPSHOT: Field = Struct(&plain(&[INT64, INT32]));

const LISTED_TOPIC: Field = Struct(&plain(&[
    TEXT,
    array::<ListOffsetsPartitionResponse>(&LISTED),
]));

/// Number, error, time, offset, leader's epoch.
const LISTED: Field = Struct(&plain(&[INT32, INT16, INT64, INT64, INT32]));

const CUT_TOPIC: Field = Struct(&plain(&[TEXT, array::<DeleteRecordsPartitionResult>(&CUT)]));

/// Number, first offset left, error.
const CUT: Field = Struct(&plain(&[INT32, INT64, INT16]));
