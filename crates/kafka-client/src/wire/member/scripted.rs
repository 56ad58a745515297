//! A coordinator for tests: answers as its script says, and well where the script says nothing. Knows nothing of how
//! members work.

use crate::testing::{self, Reply, broker};
use bytes::Bytes;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupResponse, MetadataResponse, OffsetCommitRequest,
    OffsetCommitResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

/// What the coordinator is to say, and what it heard.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Error codes for the next requests to join, to sync and to stay; 0 when there are no more.
    pub(crate) join: VecDeque<i16>,
    pub(crate) sync: VecDeque<i16>,
    pub(crate) heartbeat: VecDeque<i16>,
    /// The same for the next commits.
    pub(crate) commit: VecDeque<i16>,
    /// Error codes for the next questions for the coordinator.
    pub(crate) find: VecDeque<i16>,
    /// How many of the next requests of a member end in a broken connection.
    pub(crate) breaks: usize,
    /// What others in the group subscribe to, as bytes.
    pub(crate) others: Vec<(String, Bytes)>,
    /// How many partitions topic `t` has.
    pub(crate) partitions: i32,
    /// What a member gets where another leads.
    pub(crate) given: Option<Bytes>,
    /// What was asked, in order.
    pub(crate) heard: Vec<Asked>,
    pub(crate) generation: i32,
    pub(crate) named: usize,
    pub(crate) share: Bytes,
    /// Where it listens.
    pub(crate) port: u16,
}

/// What a member asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Join {
        member: String,
    },
    Sync {
        shares: Vec<(String, Bytes)>,
    },
    Heartbeat {
        member: String,
        generation: i32,
    },
    Commit {
        member: String,
        generation: i32,
        offsets: Vec<(i32, i64)>,
    },
    Leave,
}

/// A coordinator on a port of its own; its threads end with the test.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    pub(crate) fn start(script: Script) -> Self {
        let script = Arc::new(Mutex::new(script));
        let its_own = Arc::clone(&script);
        let endpoint = broker(move |asked| its_own.lock().unwrap().answer(asked));
        script.lock().unwrap().port = endpoint.port;
        Self {
            port: endpoint.port,
            script,
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

impl Script {
    fn answer(&mut self, asked: &testing::Asked) -> Reply {
        let is_of_member = matches!(
            asked.api,
            ApiKey::JoinGroup | ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup
        );
        if is_of_member && self.breaks > 0 {
            self.breaks -= 1;
            return Reply::HangUp;
        }
        match asked.api {
            ApiKey::Metadata => asked.with(&self.metadata()),
            ApiKey::FindCoordinator => asked.with(&self.find()),
            ApiKey::JoinGroup => asked.with(&self.join(&asked.request())),
            ApiKey::SyncGroup => asked.with(&self.sync(&asked.request())),
            ApiKey::Heartbeat => asked.with(&self.stay(&asked.request())),
            ApiKey::OffsetCommit => asked.with(&self.commit(&asked.request())),
            ApiKey::LeaveGroup => {
                self.heard.push(Asked::Leave);
                asked.with(&LeaveGroupResponse::default())
            }
            other => panic!("{other:?} is not in the script"),
        }
    }

    fn metadata(&self) -> MetadataResponse {
        let broker = MetadataResponseBroker::default()
            .with_node_id(BrokerId(1))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(self.port.into());
        let partition = |id| {
            MetadataResponsePartition::default()
                .with_partition_index(id)
                .with_leader_id(BrokerId(1))
        };
        let topic = MetadataResponseTopic::default()
            .with_name(Some(super::super::metadata::topic_name("t")))
            .with_partitions((0..self.partitions).map(partition).collect());
        MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_topics(vec![topic])
    }

    fn find(&mut self) -> FindCoordinatorResponse {
        let coordinator = Coordinator::default()
            .with_node_id(BrokerId(1))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(self.port.into())
            .with_error_code(self.find.pop_front().unwrap_or(0));
        FindCoordinatorResponse::default().with_coordinators(vec![coordinator])
    }

    fn join(&mut self, asked: &JoinGroupRequest) -> JoinGroupResponse {
        self.heard.push(Asked::Join {
            member: asked.member_id.to_string(),
        });
        let code = self.join.pop_front().unwrap_or(0);
        if asked.member_id.is_empty() {
            // as a real one, it wants a name used before it lets anybody in (KIP-394)
            self.named += 1;
            let name = StrBytes::from_string(format!("m{}", self.named));
            return JoinGroupResponse::default()
                .with_error_code(if code == 0 { 79 } else { code })
                .with_member_id(name);
        }
        if code != 0 {
            return JoinGroupResponse::default().with_error_code(code);
        }
        self.generation += 1;
        let member = |id: StrBytes, metadata: Bytes| {
            JoinGroupResponseMember::default()
                .with_member_id(id)
                .with_metadata(metadata)
        };
        let mine = asked.protocols[0].metadata.clone();
        let mut members = vec![member(asked.member_id.clone(), mine)];
        let others = self.others.iter();
        members.extend(
            others.map(|(id, words)| member(StrBytes::from_string(id.clone()), words.clone())),
        );
        let leads = self.given.is_none();
        JoinGroupResponse::default()
            .with_generation_id(self.generation)
            .with_protocol_name(Some(asked.protocols[0].name.clone()))
            .with_leader(if leads {
                asked.member_id.clone()
            } else {
                StrBytes::from_static_str("another")
            })
            .with_member_id(asked.member_id.clone())
            .with_members(if leads { members } else { Vec::new() })
    }

    fn sync(&mut self, asked: &SyncGroupRequest) -> SyncGroupResponse {
        let shares = asked.assignments.iter();
        let shares: Vec<(String, Bytes)> = shares
            .map(|share| (share.member_id.to_string(), share.assignment.clone()))
            .collect();
        let mine = shares
            .iter()
            .find(|(member, _)| **member == *asked.member_id);
        self.share = match (&self.given, mine) {
            (Some(given), _) => given.clone(),
            (None, Some((_, share))) => share.clone(),
            (None, None) => Bytes::new(),
        };
        self.heard.push(Asked::Sync { shares });
        let code = self.sync.pop_front().unwrap_or(0);
        SyncGroupResponse::default()
            .with_error_code(code)
            .with_assignment(self.share.clone())
    }

    fn stay(&mut self, asked: &HeartbeatRequest) -> HeartbeatResponse {
        self.heard.push(Asked::Heartbeat {
            member: asked.member_id.to_string(),
            generation: asked.generation_id,
        });
        let code = self.heartbeat.pop_front().unwrap_or(0);
        HeartbeatResponse::default().with_error_code(code)
    }

    fn commit(&mut self, asked: &OffsetCommitRequest) -> OffsetCommitResponse {
        let topic = asked.topics[0].clone();
        let offset = |at: &OffsetCommitRequestPartition| (at.partition_index, at.committed_offset);
        self.heard.push(Asked::Commit {
            member: asked.member_id.to_string(),
            generation: asked.generation_id_or_member_epoch,
            offsets: topic.partitions.iter().map(offset).collect(),
        });
        let code = self.commit.pop_front().unwrap_or(0);
        let partition = |at: &OffsetCommitRequestPartition| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(at.partition_index)
                .with_error_code(code)
        };
        let told = OffsetCommitResponseTopic::default()
            .with_name(topic.name)
            .with_partitions(topic.partitions.iter().map(partition).collect());
        OffsetCommitResponse::default().with_topics(vec![told])
    }
}
