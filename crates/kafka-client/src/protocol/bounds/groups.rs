//! The schemas of what concerns groups: their offsets, their members, themselves.

use super::schema::{
    BOOL, BYTES, Field, INT8, INT16, INT32, INT64, INTS, Schema, TEXT, TEXT_OR_NULL, TEXTS, UUID,
    array, plain,
};
use Field::{Since, Struct};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::consumer_group_describe_response as modern;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};

pub(super) const SCHEMAS: &[Schema] = &[
    Schema {
        api: ApiKey::OffsetCommit,
        versions: &[8],
        flexible_since: 8,
        shape: &plain(&[INT32, array::<OffsetCommitResponseTopic>(&COMMITTED_TOPIC)]),
    },
    Schema {
        api: ApiKey::OffsetFetch,
        versions: &[8],
        flexible_since: 6,
        shape: &plain(&[INT32, array::<OffsetFetchResponseGroup>(&FETCHED_GROUP)]),
    },
    Schema {
        api: ApiKey::OffsetDelete,
        versions: &[0],
        flexible_since: i16::MAX,
        shape: &plain(&[
            INT16,
            INT32,
            array::<OffsetDeleteResponseTopic>(&FORGOTTEN_TOPIC),
        ]),
    },
    Schema {
        api: ApiKey::JoinGroup,
        versions: &[9],
        flexible_since: 6,
        shape: &plain(&[
            INT32,
            INT16,
            INT32,
            TEXT_OR_NULL,
            TEXT_OR_NULL,
            TEXT,
            BOOL,
            TEXT,
            array::<JoinGroupResponseMember>(&JOINED),
        ]),
    },
    Schema {
        api: ApiKey::SyncGroup,
        versions: &[5],
        flexible_since: 4,
        shape: &plain(&[INT32, INT16, TEXT_OR_NULL, TEXT_OR_NULL, BYTES]),
    },
    Schema {
        api: ApiKey::Heartbeat,
        versions: &[4],
        flexible_since: 4,
        shape: &plain(&[INT32, INT16]),
    },
    Schema {
        api: ApiKey::LeaveGroup,
        versions: &[5],
        flexible_since: 4,
        shape: &plain(&[INT32, INT16, array::<MemberResponse>(&GONE)]),
    },
    Schema {
        api: ApiKey::ListGroups,
        versions: &[4, 5],
        flexible_since: 3,
        shape: &plain(&[INT32, INT16, array::<ListedGroup>(&LISTED)]),
    },
    Schema {
        api: ApiKey::DescribeGroups,
        versions: &[5],
        flexible_since: 5,
        shape: &plain(&[INT32, array::<DescribedGroup>(&CLASSIC)]),
    },
    Schema {
        api: ApiKey::ConsumerGroupDescribe,
        versions: &[0, 1],
        flexible_since: 0,
        shape: &plain(&[INT32, array::<modern::DescribedGroup>(&MODERN)]),
    },
    Schema {
        api: ApiKey::DeleteGroups,
        versions: &[2],
        flexible_since: 2,
        shape: &plain(&[INT32, array::<DeletableGroupResult>(&DELETED)]),
    },
];

const COMMITTED_TOPIC: Field = Struct(&plain(&[
    TEXT,
    array::<OffsetCommitResponsePartition>(&VERDICT),
]));

const FORGOTTEN_TOPIC: Field = Struct(&plain(&[
    TEXT,
    array::<OffsetDeleteResponsePartition>(&VERDICT),
]));

/// Number of the partition, and error.
const VERDICT: Field = Struct(&plain(&[INT32, INT16]));

const FETCHED_GROUP: Field = Struct(&plain(&[
    TEXT,
    array::<OffsetFetchResponseTopics>(&FETCHED_TOPIC),
    INT16,
]));

const FETCHED_TOPIC: Field = Struct(&plain(&[
    TEXT,
    array::<OffsetFetchResponsePartitions>(&FETCHED),
]));

/// Number, offset, leader's epoch, metadata, error.
const FETCHED: Field = Struct(&plain(&[INT32, INT64, INT32, TEXT_OR_NULL, INT16]));

/// Member, instance, what it subscribes to.
const JOINED: Field = Struct(&plain(&[TEXT, TEXT_OR_NULL, BYTES]));

/// Member, instance, error.
const GONE: Field = Struct(&plain(&[TEXT, TEXT_OR_NULL, INT16]));

/// Name, protocol, state, type.
const LISTED: Field = Struct(&plain(&[TEXT, TEXT, TEXT, Since(5, &TEXT)]));

/// Error, name, state, protocol and its data, members, operations allowed.
const CLASSIC: Field = Struct(&plain(&[
    INT16,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    array::<DescribedGroupMember>(&CLASSIC_MEMBER),
    INT32,
]));

/// Member, instance, client, host, what it subscribes to, what it was given.
const CLASSIC_MEMBER: Field = Struct(&plain(&[TEXT, TEXT_OR_NULL, TEXT, TEXT, BYTES, BYTES]));

/// Error and its message, name, state, two epochs, assignor, members, operations allowed.
const MODERN: Field = Struct(&plain(&[
    INT16,
    TEXT_OR_NULL,
    TEXT,
    TEXT,
    INT32,
    INT32,
    TEXT,
    array::<modern::Member>(&MODERN_MEMBER),
    INT32,
]));

/// Member, instance, rack, epoch, client, host, topics by name and by pattern, what it has and what it is to have, its type.
const MODERN_MEMBER: Field = Struct(&plain(&[
    TEXT,
    TEXT_OR_NULL,
    TEXT_OR_NULL,
    INT32,
    TEXT,
    TEXT,
    TEXTS,
    TEXT_OR_NULL,
    ASSIGNMENT,
    ASSIGNMENT,
    Since(1, &INT8),
]));

const ASSIGNMENT: Field = Struct(&plain(&[array::<modern::TopicPartitions>(&ASSIGNED)]));

const ASSIGNED: Field = Struct(&plain(&[UUID, TEXT, INTS]));

/// Name and error.
const DELETED: Field = Struct(&plain(&[TEXT, INT16]));
