//! Groups: their members and offsets. A group is never waited for: a member that joins is in at once, and leads where
//! nothing does. A silent member is not removed.

use super::cluster::{State, code, text};
use crate::protocol::consumer_protocol::assignment;
use bytes::Bytes;
use kafka_protocol::error::ResponseError as Error;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, ListGroupsResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse, TopicName,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) offsets: BTreeMap<(String, i32), i64>,
    members: BTreeMap<String, Member>,
    generation: i32,
    named: u32,
    pub(super) leader: Option<String>,
    /// By Kafka's name for it; a classic one where this is empty.
    pub(super) kind: &'static str,
}

#[derive(Debug, Default)]
struct Member {
    metadata: Bytes,
    assignment: Bytes,
}

impl Group {
    pub(super) fn add(&mut self, id: &str, topic: &str, partitions: &[i32]) {
        let share = BTreeMap::from([(topic.to_owned(), partitions.to_vec())]);
        let member = Member {
            metadata: Bytes::new(),
            assignment: assignment(&share),
        };
        self.members.insert(id.to_owned(), member);
    }

    #[cfg(test)]
    pub(super) fn say(&mut self, id: &str, metadata: Bytes) {
        self.members.get_mut(id).unwrap().metadata = metadata;
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.members.remove(id);
        self.leader.take_if(|leader| leader == id);
    }

    fn state(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else {
            "Stable"
        }
    }

    fn protocol_type(&self) -> &'static str {
        if self.members.is_empty() && self.generation == 0 {
            ""
        } else {
            "consumer"
        }
    }

    /// Whether it may speak for the group.
    fn admits(&self, member: &str, generation: i32) -> Result<(), Error> {
        if member.is_empty() && generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        if !self.members.contains_key(member) {
            return Err(Error::UnknownMemberId);
        }
        let is_present = self.generation == generation;
        is_present.then_some(()).ok_or(Error::IllegalGeneration)
    }
}

impl State {
    fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// The group, and whether the request at hand is not to be refused. Whom it is said not to know, it does not know.
    fn of_member(&mut self, group: &str, member: &str) -> (Result<(), Error>, &mut Group) {
        let passed = self.pass();
        let group = self.group(group);
        if let Err(Error::UnknownMemberId | Error::FencedInstanceId) = passed {
            group.forget(member);
        }
        (passed, group)
    }

    pub(super) fn join_group(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        let (passed, group) = self.of_member(&request.group_id, &request.member_id);
        if passed.is_err() {
            return JoinGroupResponse::default().with_error_code(code(&passed));
        }
        if request.member_id.is_empty() {
            // it wants a name used before it lets anybody in (KIP-394)
            group.named += 1;
            return JoinGroupResponse::default()
                .with_error_code(Error::MemberIdRequired.code())
                .with_member_id(text(format!("m{}", group.named)));
        }
        let me = request.member_id.to_string();
        let protocol = request.protocols.first().cloned().unwrap_or_default();
        let member = group.members.entry(me.clone()).or_default();
        member.metadata = protocol.metadata;
        group.generation += 1;
        let leader = group.leader.get_or_insert_with(|| me.clone()).clone();
        let members = group
            .members
            .iter()
            .filter(|_| leader == me)
            .map(|(id, member)| {
                JoinGroupResponseMember::default()
                    .with_member_id(text(id.clone()))
                    .with_metadata(member.metadata.clone())
            });
        JoinGroupResponse::default()
            .with_generation_id(group.generation)
            .with_protocol_name(Some(protocol.name))
            .with_leader(text(leader.clone()))
            .with_members(members.collect())
            .with_member_id(text(me))
    }

    pub(super) fn sync_group(&mut self, request: SyncGroupRequest) -> SyncGroupResponse {
        let (passed, group) = self.of_member(&request.group_id, &request.member_id);
        let admitted =
            passed.and_then(|()| group.admits(&request.member_id, request.generation_id));
        if admitted.is_ok() {
            for share in request.assignments {
                if let Some(member) = group.members.get_mut(share.member_id.as_str()) {
                    member.assignment = share.assignment;
                }
            }
        }
        let mine = group.members.get(request.member_id.as_str());
        SyncGroupResponse::default()
            .with_error_code(code(&admitted))
            .with_assignment(
                mine.map(|member| member.assignment.clone())
                    .unwrap_or_default(),
            )
    }

    pub(super) fn heartbeat(&mut self, request: &HeartbeatRequest) -> HeartbeatResponse {
        let (passed, group) = self.of_member(&request.group_id, &request.member_id);
        let admitted =
            passed.and_then(|()| group.admits(&request.member_id, request.generation_id));
        HeartbeatResponse::default().with_error_code(code(&admitted))
    }

    pub(super) fn leave_group(&mut self, request: &LeaveGroupRequest) -> LeaveGroupResponse {
        if self.code == 0 {
            let group = self.group(&request.group_id);
            for gone in &request.members {
                group.forget(&gone.member_id);
            }
        }
        LeaveGroupResponse::default().with_error_code(self.code)
    }

    pub(super) fn offset_commit(&mut self, request: OffsetCommitRequest) -> OffsetCommitResponse {
        let (passed, group) = self.of_member(&request.group_id, &request.member_id);
        let generation = request.generation_id_or_member_epoch;
        let admitted = passed.and_then(|()| group.admits(&request.member_id, generation));
        let topics = request.topics.into_iter().map(|topic| {
            let answers = topic.partitions.iter().map(|asked| {
                let id = asked.partition_index;
                let committed = admitted.and_then(|()| self.log(&topic.name, id).map(drop));
                if committed.is_ok() {
                    let group = self.group(&request.group_id);
                    group
                        .offsets
                        .insert((topic.name.to_string(), id), asked.committed_offset);
                }
                OffsetCommitResponsePartition::default()
                    .with_partition_index(id)
                    .with_error_code(code(&committed))
            });
            OffsetCommitResponseTopic::default()
                .with_partitions(answers.collect())
                .with_name(topic.name.clone())
        });
        OffsetCommitResponse::default().with_topics(topics.collect())
    }

    pub(super) fn offset_fetch(&self, request: OffsetFetchRequest) -> OffsetFetchResponse {
        let groups = request.groups.into_iter().map(|asked| self.places(&asked));
        OffsetFetchResponse::default().with_groups(groups.collect())
    }

    fn places(&self, asked: &OffsetFetchRequestGroup) -> OffsetFetchResponseGroup {
        let none = BTreeMap::new();
        let committed = self
            .groups
            .get(asked.group_id.as_str())
            .map_or(&none, |group| &group.offsets);
        let mut places: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
        match &asked.topics {
            None => {
                for (topic, id) in committed.keys() {
                    places.entry(topic.clone()).or_default().insert(*id);
                }
            }
            Some(topics) => places.extend(topics.iter().map(|topic| {
                let ids = topic.partition_indexes.iter().copied();
                (topic.name.to_string(), ids.collect())
            })),
        }
        let topics = places.into_iter().map(|(topic, ids)| {
            let partitions = ids.into_iter().map(|id| {
                let offset = committed.get(&(topic.clone(), id)).copied();
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(id)
                    .with_committed_offset(offset.unwrap_or(-1))
            });
            OffsetFetchResponseTopics::default()
                .with_partitions(partitions.collect())
                .with_name(TopicName(text(topic.clone())))
        });
        OffsetFetchResponseGroup::default()
            .with_group_id(asked.group_id.clone())
            .with_error_code(self.code)
            .with_topics(topics.collect())
    }

    pub(super) fn offset_delete(&mut self, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
        let passed = self.pass();
        let group = self.groups.get_mut(request.group_id.as_str());
        let found = passed.and_then(|()| group.ok_or(Error::GroupIdNotFound));
        let error = code(&found);
        let Ok(group) = found else {
            return OffsetDeleteResponse::default().with_error_code(error);
        };
        let topics = request.topics.into_iter().map(|topic| {
            let answers = topic.partitions.iter().map(|asked| {
                group
                    .offsets
                    .remove(&(topic.name.to_string(), asked.partition_index));
                OffsetDeleteResponsePartition::default().with_partition_index(asked.partition_index)
            });
            OffsetDeleteResponseTopic::default()
                .with_partitions(answers.collect())
                .with_name(topic.name.clone())
        });
        OffsetDeleteResponse::default().with_topics(topics.collect())
    }

    pub(super) fn list_groups(&self) -> ListGroupsResponse {
        let groups = self.groups.iter().map(|(name, group)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(name.clone())))
                .with_protocol_type(text(group.protocol_type()))
                .with_group_state(text(group.state()))
                .with_group_type(text(match group.kind {
                    "" => "classic",
                    kind => kind,
                }))
        });
        ListGroupsResponse::default()
            .with_error_code(self.code)
            .with_groups(groups.collect())
    }

    pub(super) fn describe_groups(&self, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
        let groups = request.groups.into_iter().map(|name| {
            let told = DescribedGroup::default()
                .with_group_id(name.clone())
                .with_error_code(self.code);
            let Some(group) = self.groups.get(name.as_str()) else {
                return told.with_group_state(text("Dead"));
            };
            let members = group.members.iter().map(|(id, member)| {
                DescribedGroupMember::default()
                    .with_member_id(text(id.clone()))
                    .with_client_id(text("fake"))
                    .with_client_host(text("/127.0.0.1"))
                    .with_member_metadata(member.metadata.clone())
                    .with_member_assignment(member.assignment.clone())
            });
            told.with_group_state(text(group.state()))
                .with_protocol_type(text(group.protocol_type()))
                .with_members(members.collect())
        });
        DescribeGroupsResponse::default().with_groups(groups.collect())
    }

    pub(super) fn delete_groups(&mut self, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
        let results = request.groups_names.into_iter().map(|name| {
            let group = self.groups.get(name.as_str()).ok_or(Error::GroupIdNotFound);
            let may_go = self.pass().and(group).and_then(|group| {
                group
                    .members
                    .is_empty()
                    .then_some(())
                    .ok_or(Error::NonEmptyGroup)
            });
            if may_go.is_ok() {
                self.groups.remove(name.as_str());
            }
            DeletableGroupResult::default()
                .with_group_id(name)
                .with_error_code(code(&may_go))
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    }
}
