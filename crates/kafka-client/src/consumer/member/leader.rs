//! The part of the one member that shares the partitions out for all.

use super::assignor::{Assignor, Subscriber};
use crate::cluster::Cluster;
use crate::error::KafkaError;
use crate::protocol::consumer_protocol::{assignment, read_subscription};
use crate::wait::Limit;
use kafka_protocol::messages::JoinGroupResponse;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::protocol::StrBytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How often it is looked whether topics have grown.
const EVERY: Duration = Duration::from_secs(10);

/// How long such a look may take; it does so between two fetches.
const CHECK: Duration = Duration::from_secs(1);

/// What was shared out.
#[derive(Debug)]
pub(super) struct Leader {
    /// How many partitions there were of each topic that members subscribe to.
    topics: BTreeMap<String, i32>,
    looked: Instant,
}

impl Leader {
    /// Shares out what the members subscribe to. One whose words make no sense gets nothing, and does not keep the
    /// others from theirs.
    pub(super) fn share_out(
        cluster: &mut Cluster,
        answer: &JoinGroupResponse,
        limit: &Limit,
    ) -> Result<(Self, Vec<SyncGroupRequestAssignment>), KafkaError> {
        let name = answer.protocol_name.as_deref().unwrap_or_default();
        let assignor = Assignor::named(name).ok_or_else(|| KafkaError::Garbled {
            address: cluster.address(),
            cause: format!("a group is to share its partitions by `{name}`"),
        })?;
        let members: Vec<Subscriber> = answer.members.iter().map(subscriber).collect();
        let wanted = members.iter().flat_map(|member| member.topics.clone());
        let topics = sizes(cluster, wanted.collect(), limit)?;
        let shares = assignor.assign(&members, &topics);
        let told = shares.into_iter().map(|(member, share)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(StrBytes::from_string(member))
                .with_assignment(assignment(&share))
        });
        let looked = Instant::now();
        Ok((Self { topics, looked }, told.collect()))
    }

    /// Whether a topic has more partitions than when they were shared out. Looks now and then; a look that fails says no.
    pub(super) fn has_grown(&mut self, cluster: &mut Cluster, limit: &Limit) -> bool {
        if self.looked.elapsed() < EVERY {
            return false;
        }
        let names = self.topics.keys().cloned().collect();
        let now = sizes(cluster, names, &limit.at_most(CHECK)).unwrap_or_default();
        self.looked = Instant::now();
        self.topics
            .iter()
            .any(|(topic, then)| now.get(topic).is_some_and(|now| now > then))
    }
}

fn subscriber(member: &JoinGroupResponseMember) -> Subscriber {
    let instance = member.group_instance_id.as_ref();
    Subscriber {
        member: member.member_id.to_string(),
        instance: instance.map(ToString::to_string),
        topics: read_subscription(&member.metadata).unwrap_or_default(),
    }
}

/// How many partitions these topics have; 0 where there is no such topic. All topics are asked for: others may subscribe
/// to names that a broker refuses.
fn sizes(
    cluster: &mut Cluster,
    topics: BTreeSet<String>,
    limit: &Limit,
) -> Result<BTreeMap<String, i32>, KafkaError> {
    let all = cluster.metadata(None, limit)?.topics;
    let sized = topics.into_iter().map(|topic| {
        let count = all.get(&topic).map_or(0, |info| info.partitions.len());
        (topic, i32::try_from(count).unwrap_or(i32::MAX))
    });
    Ok(sized.collect())
}
