//! Which groups there are, how they are, where they stand, and taking them away.

use crate::cluster::metadata::topic_name;
use crate::cluster::offsets::{Offsets, group_id};
use crate::cluster::{Cluster, To};
use crate::error::KafkaError;
use crate::printable;
use crate::protocol::connect_protocol;
use crate::protocol::connect_protocol::ConnectWork;
use crate::protocol::consumer_protocol::read_assignment;
use crate::wait::Limit;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response as modern;
use kafka_protocol::messages::describe_groups_response as classic;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest,
    OffsetDeleteRequest, OffsetFetchRequest,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a classic group calls the protocol by which its members share out partitions; one that never had members has none.
const CONSUMERS: [&str; 2] = ["consumer", ""];

/// What workers of Kafka Connect call theirs.
const CONNECT: &str = "connect";

/// The state of a group that does not exist, or no longer does.
const DEAD: &str = "Dead";

/// A group as its coordinator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Which protocol its members speak.
    pub kind: GroupKind,
    /// What its members are: `consumer`, `connect` (workers of Kafka Connect), or nothing where it never had any.
    pub protocol: String,
    /// Kafka's word for how it is: `Stable`, `Empty`, `PreparingRebalance`, …
    pub state: String,
    /// Who is in it. Not known of kinds that have no name here.
    pub members: Vec<Member>,
}

impl Group {
    /// Whether someone reads for it, so that its offsets are not to be touched.
    pub fn is_active(&self) -> bool {
        !self.members.is_empty() || !matches!(self.state.as_str(), "Empty" | "Dead" | "")
    }
}

/// Which protocol the members of a group speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKind {
    /// One of its members assigns the partitions; offsets without any member count as this too.
    Classic,
    /// The brokers assign the partitions (KIP-848).
    Consumer,
    /// Another, by Kafka's own name: `share`, `streams`.
    Other(String),
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
            Self::Other(name) => name,
        })
    }
}

/// Someone who reads for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id that the coordinator gave it.
    pub id: String,
    /// What the client calls itself.
    pub client: String,
    /// The address that it connects from.
    pub host: String,
    /// What it reads: topics and partitions.
    pub reads: BTreeSet<(String, i32)>,
    /// What it has to do, where it is a worker of Kafka Connect.
    pub work: Option<ConnectWork>,
}

impl Cluster {
    /// All groups of the cluster, and the node id of the broker that coordinates each. Creates nothing, not even the topic in which Kafka
    /// keeps offsets.
    pub(crate) fn groups(&mut self, limit: &Limit) -> Result<Vec<(i32, Group)>, KafkaError> {
        self.patiently(limit, |cluster, limit| {
            let mut groups = Vec::new();
            for (broker, listed) in cluster.list(limit)? {
                groups.extend(cluster.describe(broker, listed, limit)?);
            }
            groups.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
            Ok(groups)
        })
    }

    fn list(&mut self, limit: &Limit) -> Result<Vec<(i32, Vec<ListedGroup>)>, KafkaError> {
        self.metadata(Some(&[]), limit)?;
        let brokers: Vec<i32> = self.known.brokers.keys().copied().collect();
        let request = ListGroupsRequest::default();
        let mut asked = Vec::new();
        for broker in brokers {
            asked.push((broker, self.ask(To::Broker(broker), &request, limit)?));
        }
        let mut listed = Vec::new();
        for (broker, ticket) in asked {
            let answer = self.answer(&ticket, limit)?;
            KafkaError::check(answer.error_code, || {
                format!("list the groups of broker {broker}")
            })?;
            listed.push((broker, answer.groups));
        }
        Ok(listed)
    }

    /// Describes the groups that one broker listed; those that are gone since are left out.
    fn describe(
        &mut self,
        broker: i32,
        listed: Vec<ListedGroup>,
        limit: &Limit,
    ) -> Result<Vec<(i32, Group)>, KafkaError> {
        let (mut classic, mut modern, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for group in listed {
            match kind(&group.group_type) {
                GroupKind::Classic => classic.push(group.group_id),
                GroupKind::Consumer => modern.push(group.group_id),
                other @ GroupKind::Other(_) => groups.push(Group {
                    name: group.group_id.to_string(),
                    kind: other,
                    protocol: group.protocol_type.to_string(),
                    state: group.group_state.to_string(),
                    members: Vec::new(),
                }),
            }
        }
        let to = To::Broker(broker);
        if !classic.is_empty() {
            let request = DescribeGroupsRequest::default().with_groups(classic);
            let answer = self.call(to, &request, limit)?;
            for group in answer.groups {
                let doing = || format!("describe group `{}`", printable::name(&group.group_id));
                let said = group.error_message.as_deref();
                KafkaError::check_said(group.error_code, said, doing)?;
                if *group.group_state != *DEAD {
                    groups.push(of_classic(group));
                }
            }
        }
        if !modern.is_empty() {
            let request = ConsumerGroupDescribeRequest::default().with_group_ids(modern);
            let answer = self.call(to, &request, limit)?;
            for group in answer.groups {
                let doing = || format!("describe group `{}`", printable::name(&group.group_id));
                let said = group.error_message.as_deref();
                match KafkaError::check_said(group.error_code, said, doing) {
                    Err(error) if error.is(ResponseError::GroupIdNotFound) => {}
                    Err(error) => return Err(error),
                    Ok(()) => groups.push(of_modern(group)),
                }
            }
        }
        Ok(groups.into_iter().map(|group| (broker, group)).collect())
    }

    /// Where several groups stand, given the broker that coordinates each: one request to each broker.
    pub(crate) fn offsets_of_groups(
        &mut self,
        groups: &[(i32, String)],
        limit: &Limit,
    ) -> Result<BTreeMap<String, Offsets>, KafkaError> {
        let mut by_broker: BTreeMap<i32, Vec<OffsetFetchRequestGroup>> = BTreeMap::new();
        for (broker, group) in groups {
            let all = OffsetFetchRequestGroup::default()
                .with_group_id(group_id(group))
                .with_topics(None);
            by_broker.entry(*broker).or_default().push(all);
        }
        let mut asked = Vec::new();
        for (broker, groups) in by_broker {
            let request = OffsetFetchRequest::default().with_groups(groups);
            asked.push(self.ask(To::Broker(broker), &request, limit)?);
        }
        let mut found = BTreeMap::new();
        for asked in asked {
            for group in self.answer(&asked, limit)?.groups {
                let name = group.group_id.to_string();
                let doing = || format!("fetch the offsets of group `{}`", printable::name(&name));
                match KafkaError::check(group.error_code, doing) {
                    // gone since
                    Err(error) if error.is(ResponseError::GroupIdNotFound) => continue,
                    other => other?,
                }
                let mut offsets = Offsets::new();
                for topic in group.topics {
                    for partition in topic.partitions {
                        KafkaError::check(partition.error_code, doing)?;
                        if partition.committed_offset >= 0 {
                            let place = (topic.name.to_string(), partition.partition_index);
                            offsets.insert(place, partition.committed_offset);
                        }
                    }
                }
                found.insert(name, offsets);
            }
        }
        Ok(found)
    }

    /// Takes a group and its offsets away.
    ///
    /// # Errors
    /// Refused with `NON_EMPTY_GROUP` while it has members, with `GROUP_ID_NOT_FOUND` where there is none.
    pub(crate) fn delete_group(&mut self, group: &str, limit: &Limit) -> Result<(), KafkaError> {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)]);
        let doing = || format!("delete group `{}`", printable::name(group));
        let is_gone = |error: &KafkaError| error.is(ResponseError::GroupIdNotFound);
        self.once(limit, is_gone, |cluster, limit| {
            let answer = cluster.call(To::Coordinator(group), &request, limit)?;
            let result = cluster.verdict(answer.results, doing)?;
            KafkaError::check(result.error_code, doing)
        })
    }

    /// Makes a group forget where it stood in these partitions of a topic.
    ///
    /// # Errors
    /// Refused with `GROUP_SUBSCRIBED_TO_TOPIC` while a member reads it.
    pub(crate) fn delete_group_offsets(
        &mut self,
        group: &str,
        topic: &str,
        partitions: &[i32],
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let partition = |&id| OffsetDeleteRequestPartition::default().with_partition_index(id);
        let of_topic = OffsetDeleteRequestTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(partitions.iter().map(partition).collect());
        let request = OffsetDeleteRequest::default()
            .with_group_id(group_id(group))
            .with_topics(vec![of_topic]);
        let doing = || {
            format!(
                "make group `{}` forget topic `{topic}`",
                printable::name(group)
            )
        };
        self.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Coordinator(group), &request, limit)?;
            KafkaError::check(answer.error_code, doing)?;
            let partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
            for partition in partitions {
                match KafkaError::check(partition.error_code, doing) {
                    // the topic is gone, and with it the offsets committed for it
                    Err(error) if error.is(ResponseError::UnknownTopicOrPartition) => {}
                    other => other?,
                }
            }
            Ok(())
        })
    }
}

/// Brokers before 3.8 do not tell; what they know by then are classic groups.
fn kind(name: &str) -> GroupKind {
    match name.to_ascii_lowercase().as_str() {
        "" | "classic" => GroupKind::Classic,
        "consumer" => GroupKind::Consumer,
        other => GroupKind::Other(other.to_owned()),
    }
}

fn of_classic(group: classic::DescribedGroup) -> Group {
    let are_consumers = CONSUMERS.contains(&&*group.protocol_type);
    let member = |member: classic::DescribedGroupMember| Member {
        id: member.member_id.to_string(),
        client: member.client_id.to_string(),
        host: host(&member.client_host),
        reads: Some(&member.member_assignment)
            .filter(|_| are_consumers)
            .and_then(|given| read_assignment(given).ok())
            .map(places)
            .unwrap_or_default(),
        work: Some(&member.member_assignment)
            .filter(|_| *group.protocol_type == *CONNECT)
            .and_then(|given| connect_protocol::decode(&member.member_metadata, given)),
    };
    Group {
        name: group.group_id.to_string(),
        kind: GroupKind::Classic,
        protocol: group.protocol_type.to_string(),
        state: group.group_state.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn of_modern(group: modern::DescribedGroup) -> Group {
    let member = |member: modern::Member| {
        let given = member.assignment.topic_partitions.into_iter();
        Member {
            id: member.member_id.to_string(),
            client: member.client_id.to_string(),
            host: host(&member.client_host),
            reads: places(given.map(|topic| (topic.topic_name.to_string(), topic.partitions))),
            work: None,
        }
    };
    Group {
        name: group.group_id.to_string(),
        kind: GroupKind::Consumer,
        protocol: CONSUMERS[0].to_owned(),
        state: group.group_state.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}

/// Each topic with each of its partitions.
fn places(given: impl IntoIterator<Item = (String, Vec<i32>)>) -> BTreeSet<(String, i32)> {
    let topics = given.into_iter();
    topics
        .flat_map(|(topic, partitions)| partitions.into_iter().map(move |id| (topic.clone(), id)))
        .collect()
}

/// Java writes an address without a name as `/172.18.0.1`.
fn host(told: &str) -> String {
    told.trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_kafkas_names() {
        assert_eq!(kind(""), GroupKind::Classic);
        assert_eq!(kind("classic"), GroupKind::Classic);
        assert_eq!(kind("Consumer"), GroupKind::Consumer);
        assert_eq!(kind("share"), GroupKind::Other("share".to_owned()));
    }

    #[test]
    fn what_members_of_another_protocol_tell_each_other_is_not_read() {
        let member = classic::DescribedGroupMember::default()
            .with_client_host("/10.0.0.1".to_owned().into())
            .with_member_assignment(
                vec![0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 5].into(),
            );
        let group = |protocol: &str| {
            let group = classic::DescribedGroup::default()
                .with_protocol_type(protocol.to_owned().into())
                .with_members(vec![member.clone()]);
            of_classic(group).members.remove(0)
        };
        let reads = [("t".to_owned(), 5)];
        assert!(group("consumer").reads.into_iter().eq(reads));
        assert!(group("connect").reads.is_empty());
        assert_eq!(group("connect").host, "10.0.0.1");
    }
}
