//! Samples of what concerns groups.

use super::{Bodies, blob, bodies, maybe, some, tags, text};
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
use kafka_protocol::messages::{
    ApiKey, ConsumerGroupDescribeResponse, DeleteGroupsResponse, DescribeGroupsResponse,
    HeartbeatResponse, JoinGroupResponse, LeaveGroupResponse, ListGroupsResponse,
    OffsetCommitResponse, OffsetDeleteResponse, OffsetFetchResponse, SyncGroupResponse,
};
use proptest::prelude::*;

pub(super) fn filled(api: ApiKey, version: i16) -> Option<Bodies> {
    let bodies = match api {
        ApiKey::OffsetCommit => bodies(version, committed()),
        ApiKey::OffsetFetch => bodies(version, fetched()),
        ApiKey::OffsetDelete => bodies(version, forgotten()),
        ApiKey::JoinGroup => bodies(version, joined()),
        ApiKey::SyncGroup => bodies(version, synced()),
        ApiKey::Heartbeat => bodies(
            version,
            tags().prop_map(|tags| HeartbeatResponse::default().with_unknown_tagged_fields(tags)),
        ),
        ApiKey::LeaveGroup => bodies(version, left()),
        ApiKey::ListGroups => bodies(version, listed(version)),
        ApiKey::DescribeGroups => bodies(version, classic()),
        ApiKey::ConsumerGroupDescribe => bodies(version, described(version)),
        ApiKey::DeleteGroups => bodies(version, deleted()),
        _ => return None,
    };
    Some(bodies)
}

fn committed() -> impl Strategy<Value = OffsetCommitResponse> {
    let partition = (any::<(i32, i16)>(), tags()).prop_map(|((index, error), tags)| {
        OffsetCommitResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(error)
            .with_unknown_tagged_fields(tags)
    });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        OffsetCommitResponseTopic::default()
            .with_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| OffsetCommitResponse::default().with_topics(topics))
}

fn fetched() -> impl Strategy<Value = OffsetFetchResponse> {
    let partition =
        (any::<(i32, i64)>(), maybe(text()), tags()).prop_map(|((index, offset), note, tags)| {
            OffsetFetchResponsePartitions::default()
                .with_partition_index(index)
                .with_committed_offset(offset)
                .with_metadata(note)
                .with_unknown_tagged_fields(tags)
        });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        OffsetFetchResponseTopics::default()
            .with_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    let group = (text(), some(topic), tags()).prop_map(|(group, topics, tags)| {
        OffsetFetchResponseGroup::default()
            .with_group_id(group.into())
            .with_topics(topics)
            .with_unknown_tagged_fields(tags)
    });
    some(group).prop_map(|groups| OffsetFetchResponse::default().with_groups(groups))
}

fn forgotten() -> impl Strategy<Value = OffsetDeleteResponse> {
    let partition = any::<(i32, i16)>().prop_map(|(index, error)| {
        OffsetDeleteResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(error)
    });
    let topic = (text(), some(partition)).prop_map(|(name, partitions)| {
        OffsetDeleteResponseTopic::default()
            .with_name(name.into())
            .with_partitions(partitions)
    });
    some(topic).prop_map(|topics| OffsetDeleteResponse::default().with_topics(topics))
}

fn joined() -> impl Strategy<Value = JoinGroupResponse> {
    let member = (text(), maybe(text()), blob(), tags()).prop_map(|(id, instance, data, tags)| {
        JoinGroupResponseMember::default()
            .with_member_id(id)
            .with_group_instance_id(instance)
            .with_metadata(data)
            .with_unknown_tagged_fields(tags)
    });
    let parts = (
        some(member),
        maybe(text()),
        maybe(text()),
        text(),
        any::<bool>(),
        tags(),
    );
    parts.prop_map(|(members, kind, name, leader, skip, tags)| {
        JoinGroupResponse::default()
            .with_members(members)
            .with_protocol_type(kind)
            .with_protocol_name(name)
            .with_leader(leader.clone())
            .with_skip_assignment(skip)
            .with_member_id(leader)
            .with_unknown_tagged_fields(tags)
    })
}

fn synced() -> impl Strategy<Value = SyncGroupResponse> {
    let parts = (maybe(text()), maybe(text()), blob(), tags());
    parts.prop_map(|(kind, name, assignment, tags)| {
        SyncGroupResponse::default()
            .with_protocol_type(kind)
            .with_protocol_name(name)
            .with_assignment(assignment)
            .with_unknown_tagged_fields(tags)
    })
}

fn left() -> impl Strategy<Value = LeaveGroupResponse> {
    let member = (text(), maybe(text()), tags()).prop_map(|(id, instance, tags)| {
        MemberResponse::default()
            .with_member_id(id)
            .with_group_instance_id(instance)
            .with_unknown_tagged_fields(tags)
    });
    some(member).prop_map(|members| LeaveGroupResponse::default().with_members(members))
}

fn listed(version: i16) -> impl Strategy<Value = ListGroupsResponse> {
    let parts = (text(), text(), text(), text(), tags());
    let group = parts.prop_map(move |(id, protocol, state, kind, tags)| {
        let group = ListedGroup::default()
            .with_group_id(id.into())
            .with_protocol_type(protocol)
            .with_group_state(state)
            .with_unknown_tagged_fields(tags);
        if version >= 5 {
            group.with_group_type(kind)
        } else {
            group
        }
    });
    some(group).prop_map(|groups| ListGroupsResponse::default().with_groups(groups))
}

fn classic() -> impl Strategy<Value = DescribeGroupsResponse> {
    let parts = (text(), maybe(text()), text(), blob(), blob(), tags());
    let member = parts.prop_map(|(id, instance, client, data, assignment, tags)| {
        DescribedGroupMember::default()
            .with_member_id(id)
            .with_group_instance_id(instance)
            .with_client_id(client)
            .with_member_metadata(data)
            .with_member_assignment(assignment)
            .with_unknown_tagged_fields(tags)
    });
    let group = (text(), text(), some(member), tags()).prop_map(|(id, state, members, tags)| {
        DescribedGroup::default()
            .with_group_id(id.into())
            .with_group_state(state)
            .with_members(members)
            .with_unknown_tagged_fields(tags)
    });
    some(group).prop_map(|groups| DescribeGroupsResponse::default().with_groups(groups))
}

fn assignment() -> impl Strategy<Value = modern::Assignment> {
    let topic = (text(), some(any::<i32>()), tags()).prop_map(|(name, partitions, tags)| {
        modern::TopicPartitions::default()
            .with_topic_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    (some(topic), tags()).prop_map(|(topics, tags)| {
        modern::Assignment::default()
            .with_topic_partitions(topics)
            .with_unknown_tagged_fields(tags)
    })
}

fn described(version: i16) -> impl Strategy<Value = ConsumerGroupDescribeResponse> {
    let topics = some(text().prop_map(Into::into));
    let parts = (
        text(),
        maybe(text()),
        topics,
        maybe(text()),
        assignment(),
        assignment(),
        tags(),
    );
    let member = parts.prop_map(move |(id, rack, topics, pattern, has, target, tags)| {
        let member = modern::Member::default()
            .with_member_id(id)
            .with_rack_id(rack)
            .with_subscribed_topic_names(topics)
            .with_subscribed_topic_regex(pattern)
            .with_assignment(has)
            .with_target_assignment(target)
            .with_unknown_tagged_fields(tags);
        if version >= 1 {
            member.with_member_type(1)
        } else {
            member
        }
    });
    let group =
        (maybe(text()), text(), some(member), tags()).prop_map(|(message, id, members, tags)| {
            modern::DescribedGroup::default()
                .with_error_message(message)
                .with_group_id(id.into())
                .with_members(members)
                .with_unknown_tagged_fields(tags)
        });
    some(group).prop_map(|groups| ConsumerGroupDescribeResponse::default().with_groups(groups))
}

fn deleted() -> impl Strategy<Value = DeleteGroupsResponse> {
    let group = (text(), any::<i16>(), tags()).prop_map(|(id, error, tags)| {
        DeletableGroupResult::default()
            .with_group_id(id.into())
            .with_error_code(error)
            .with_unknown_tagged_fields(tags)
    });
    some(group).prop_map(|groups| DeleteGroupsResponse::default().with_results(groups))
}
