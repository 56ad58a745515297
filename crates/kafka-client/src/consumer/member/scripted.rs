//! A coordinator for tests: the fake broker, and the requests that it got.

use crate::endpoint::Endpoint;
use crate::testing::{self, FakeBroker, Reply, before};
use bytes::Bytes;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::{
    ApiKey, HeartbeatRequest, JoinGroupRequest, OffsetCommitRequest, SyncGroupRequest,
    SyncGroupResponse,
};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the coordinator is to do that no other would, and what it heard.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// How many of the next requests of a member end in a broken connection.
    pub(crate) breaks: usize,
    /// What a member gets, whichever member leads.
    pub(crate) given: Option<Bytes>,
    /// What was asked, in order.
    pub(crate) heard: Vec<Asked>,
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

/// The coordinator of group `g`, whose members read topic `t`.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) endpoint: Endpoint,
    pub(crate) broker: FakeBroker,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    pub(crate) fn start(partitions: usize) -> Self {
        let broker = FakeBroker::start();
        broker.topic("t", partitions, &[]);
        let script = Arc::new(Mutex::new(Script::default()));
        let its_own = Arc::clone(&script);
        let endpoint = before(&broker, move |asked| its_own.lock().unwrap().hear(asked));
        Self {
            endpoint,
            broker,
            script,
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

impl Script {
    fn hear(&mut self, asked: &testing::Asked) -> Option<Reply> {
        let is_of_member = matches!(
            asked.api,
            ApiKey::JoinGroup | ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup
        );
        if is_of_member && self.breaks > 0 {
            self.breaks -= 1;
            return Some(Reply::HangUp);
        }
        self.heard.extend(read(asked));
        let given = self
            .given
            .clone()
            .filter(|_| asked.api == ApiKey::SyncGroup)?;
        Some(asked.with(&SyncGroupResponse::default().with_assignment(given)))
    }
}

fn read(asked: &testing::Asked) -> Option<Asked> {
    Some(match asked.api {
        ApiKey::JoinGroup => Asked::Join {
            member: asked.request::<JoinGroupRequest>().member_id.to_string(),
        },
        ApiKey::SyncGroup => {
            let shares = asked.request::<SyncGroupRequest>().assignments.into_iter();
            let shares = shares.map(|share| (share.member_id.to_string(), share.assignment));
            Asked::Sync {
                shares: shares.collect(),
            }
        }
        ApiKey::Heartbeat => {
            let request: HeartbeatRequest = asked.request();
            Asked::Heartbeat {
                member: request.member_id.to_string(),
                generation: request.generation_id,
            }
        }
        ApiKey::OffsetCommit => {
            let request: OffsetCommitRequest = asked.request();
            let offset =
                |at: &OffsetCommitRequestPartition| (at.partition_index, at.committed_offset);
            Asked::Commit {
                member: request.member_id.to_string(),
                generation: request.generation_id_or_member_epoch,
                offsets: request.topics[0].partitions.iter().map(offset).collect(),
            }
        }
        ApiKey::LeaveGroup => Asked::Leave,
        _ => return None,
    })
}
