//! A coordinator for tests: answers as its script says, and well where the script says nothing. Knows nothing of how
//! members work.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
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
    ApiKey, ApiVersionsResponse, BrokerId, FindCoordinatorResponse, HeartbeatRequest,
    HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupResponse, MetadataResponse,
    OffsetCommitRequest, OffsetCommitResponse, RequestHeader, ResponseHeader, SyncGroupRequest,
    SyncGroupResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the coordinator is to say, and what it heard.
#[derive(Debug, Default)]
pub(in crate::core::kafka) struct Script {
    /// Error codes for the next requests to join, to sync and to stay; 0 when there are no more.
    pub(in crate::core::kafka) join: VecDeque<i16>,
    pub(in crate::core::kafka) sync: VecDeque<i16>,
    pub(in crate::core::kafka) heartbeat: VecDeque<i16>,
    /// The same for the next commits.
    pub(in crate::core::kafka) commit: VecDeque<i16>,
    /// Error codes for the next questions for the coordinator.
    pub(in crate::core::kafka) find: VecDeque<i16>,
    /// How many of the next requests of a member end in a broken connection.
    pub(in crate::core::kafka) breaks: usize,
    /// What others in the group subscribe to, as bytes.
    pub(in crate::core::kafka) others: Vec<(String, Bytes)>,
    /// How many partitions topic `t` has.
    pub(in crate::core::kafka) partitions: i32,
    /// What a member gets where another leads.
    pub(in crate::core::kafka) given: Option<Bytes>,
    /// What was asked, in order.
    pub(in crate::core::kafka) heard: Vec<Asked>,
    pub(in crate::core::kafka) generation: i32,
    pub(in crate::core::kafka) named: usize,
    pub(in crate::core::kafka) share: Bytes,
}

/// What a member asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core::kafka) enum Asked {
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
pub(in crate::core::kafka) struct Scripted {
    pub(in crate::core::kafka) port: u16,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    pub(in crate::core::kafka) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scripted = Self {
            port: listener.local_addr().unwrap().port(),
            script: Arc::new(Mutex::new(script)),
        };
        let it = scripted.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let it = it.clone();
                std::thread::spawn(move || it.serve(stream));
            }
        });
        scripted
    }

    pub(in crate::core::kafka) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut length = [0; 4];
        while stream.read_exact(&mut length).is_ok() {
            let mut frame = vec![0; u32::from_be_bytes(length) as usize];
            if stream.read_exact(&mut frame).is_err() {
                return;
            }
            let mut frame = Bytes::from(frame);
            let key = ApiKey::try_from((&frame[..2]).get_i16()).unwrap();
            let version = (&frame[2..4]).get_i16();
            let header =
                RequestHeader::decode(&mut frame, key.request_header_version(version)).unwrap();
            let Some(body) = self.answer(key, version, frame) else {
                return;
            };
            let mut answer = BytesMut::new();
            ResponseHeader::default()
                .with_correlation_id(header.correlation_id)
                .encode(&mut answer, key.response_header_version(version))
                .unwrap();
            answer.put(body);
            let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
            if stream.write_all(&length).is_err() || stream.write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn answer(&self, key: ApiKey, version: i16, mut body: Bytes) -> Option<BytesMut> {
        let mut script = self.script();
        let is_of_member = matches!(
            key,
            ApiKey::JoinGroup | ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup
        );
        if is_of_member && script.breaks > 0 {
            script.breaks -= 1;
            return None;
        }
        let mut out = BytesMut::new();
        match key {
            ApiKey::ApiVersions => versions().encode(&mut out, version),
            ApiKey::Metadata => script.metadata(self.port).encode(&mut out, version),
            ApiKey::FindCoordinator => script.find(self.port).encode(&mut out, version),
            ApiKey::JoinGroup => {
                let asked = JoinGroupRequest::decode(&mut body, version).unwrap();
                script.join(&asked).encode(&mut out, version)
            }
            ApiKey::SyncGroup => {
                let asked = SyncGroupRequest::decode(&mut body, version).unwrap();
                script.sync(&asked).encode(&mut out, version)
            }
            ApiKey::Heartbeat => {
                let asked = HeartbeatRequest::decode(&mut body, version).unwrap();
                let answer = script.stay(&asked);
                answer.encode(&mut out, version)
            }
            ApiKey::OffsetCommit => {
                let asked = OffsetCommitRequest::decode(&mut body, version).unwrap();
                script.commit(&asked).encode(&mut out, version)
            }
            ApiKey::LeaveGroup => {
                script.heard.push(Asked::Leave);
                LeaveGroupResponse::default().encode(&mut out, version)
            }
            other => panic!("{other:?} is not in the script"),
        }
        .unwrap();
        Some(out)
    }
}

fn versions() -> ApiVersionsResponse {
    let all = [
        (ApiKey::ApiVersions, 3),
        (ApiKey::Metadata, 12),
        (ApiKey::FindCoordinator, 4),
        (ApiKey::JoinGroup, 9),
        (ApiKey::SyncGroup, 5),
        (ApiKey::Heartbeat, 4),
        (ApiKey::LeaveGroup, 5),
        (ApiKey::OffsetCommit, 8),
    ];
    let keys = all.map(|(key, max)| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_max_version(max)
    });
    ApiVersionsResponse::default().with_api_keys(keys.to_vec())
}

impl Script {
    fn metadata(&self, port: u16) -> MetadataResponse {
        let broker = MetadataResponseBroker::default()
            .with_node_id(BrokerId(1))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(port.into());
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

    fn find(&mut self, port: u16) -> FindCoordinatorResponse {
        let coordinator = Coordinator::default()
            .with_node_id(BrokerId(1))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(port.into())
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
