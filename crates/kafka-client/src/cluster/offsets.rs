//! Where partitions begin and end, where a time is in them, and the committed offsets of groups.

use crate::cluster::metadata::TopicInfo;
use crate::cluster::metadata::topic_name;
use crate::cluster::{Cluster, To};
use crate::error::KafkaError;
use crate::printable;
use crate::wait::Limit;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{
    BrokerId, GroupId, ListOffsetsRequest, ListOffsetsResponse, OffsetCommitRequest,
    OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::{BTreeMap, BTreeSet};

/// An offset by topic and partition.
pub(crate) type Offsets = BTreeMap<(String, i32), i64>;

/// What the protocol calls the two ends, and the greatest time (`ListOffsetsRequest`).
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIME: i64 = -3;

/// Who commits, where a group has members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committer {
    /// The member's id.
    pub(crate) member: String,
    /// The generation of the group that the member belongs to.
    pub(crate) generation: i32,
}

/// A position in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The first record that is still there.
    Earliest,
    /// Where the next record will go (the high watermark).
    Latest,
    /// As [`At::Latest`] for a consumer that reads only what is committed: where the first transaction that has not ended began
    /// (the last stable offset).
    Stable,
    /// The first record that is as late as this or later, in milliseconds since the epoch; [`At::Latest`] where there
    /// is none.
    Time(i64),
    /// The record with the greatest time (KIP-734).
    MaxTime,
}

impl Cluster {
    /// The offsets of all partitions of `topics`: one request to each leader. A topic that is not there, and a
    /// partition without a leader, is left out.
    pub(crate) fn offsets(
        &mut self,
        topics: &[String],
        at: At,
        limit: &Limit,
    ) -> Result<Offsets, KafkaError> {
        self.patiently(limit, |cluster, limit| {
            cluster.offsets_once(topics, at, limit)
        })
    }

    /// The same at the first attempt.
    pub(crate) fn offsets_once(
        &mut self,
        topics: &[String],
        at: At,
        limit: &Limit,
    ) -> Result<Offsets, KafkaError> {
        let ready = |cluster: &Self, topic: &String| {
            cluster
                .known
                .topics
                .get(topic)
                .is_some_and(TopicInfo::is_ready)
        };
        if !topics.iter().all(|topic| ready(self, topic)) {
            self.metadata(Some(topics), limit)?;
        }
        let mut asked = Vec::new();
        for (leader, request) in self.list_offsets(topics, at) {
            asked.push(self.ask(To::Broker(leader), &request, limit)?);
        }
        let mut found = Offsets::new();
        for asked in asked {
            let answer = self.answer(&asked, limit)?;
            found.extend(understand(answer)?);
        }
        if matches!(at, At::Time(_)) {
            self.fill_in_ends(&mut found, topics, limit)?;
        }
        Ok(found)
    }

    /// A time behind the last record means the end.
    fn fill_in_ends(
        &mut self,
        found: &mut Offsets,
        topics: &[String],
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        if found.values().all(|&offset| offset >= 0) {
            return Ok(());
        }
        let ends = self.offsets_once(topics, At::Latest, limit)?;
        for (place, offset) in found.iter_mut().filter(|(_, offset)| **offset < 0) {
            *offset = ends.get(place).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn list_offsets(&self, topics: &[String], at: At) -> BTreeMap<i32, ListOffsetsRequest> {
        let timestamp = match at {
            At::Earliest => EARLIEST,
            At::Latest | At::Stable => LATEST,
            At::Time(time) => time.max(0),
            At::MaxTime => MAX_TIME,
        };
        let mut requests: BTreeMap<i32, ListOffsetsRequest> = BTreeMap::new();
        // a partition that is asked for twice is refused
        for topic in topics.iter().collect::<BTreeSet<_>>() {
            let mut by_leader: BTreeMap<i32, Vec<ListOffsetsPartition>> = BTreeMap::new();
            let info = self.known.topics.get(topic);
            for partition in info.iter().flat_map(|info| &info.partitions) {
                if let Some(leader) = partition.leader {
                    let place = ListOffsetsPartition::default()
                        .with_partition_index(partition.id)
                        .with_timestamp(timestamp);
                    by_leader.entry(leader).or_default().push(place);
                }
            }
            for (leader, partitions) in by_leader {
                let request = requests.entry(leader).or_insert_with(|| {
                    ListOffsetsRequest::default()
                        .with_replica_id(BrokerId(-1))
                        .with_isolation_level(i8::from(at == At::Stable))
                });
                request.topics.push(
                    ListOffsetsTopic::default()
                        .with_name(topic_name(topic))
                        .with_partitions(partitions),
                );
            }
        }
        requests
    }

    /// The committed offsets of `group`: in these topics, or in all.
    pub(crate) fn group_offsets(
        &mut self,
        group: &str,
        places: Option<&[(String, Vec<i32>)]>,
        limit: &Limit,
    ) -> Result<Offsets, KafkaError> {
        let topics = places.map(|places| {
            let topic = |(name, partitions): &(String, Vec<i32>)| {
                OffsetFetchRequestTopics::default()
                    .with_name(topic_name(name))
                    .with_partition_indexes(partitions.clone())
            };
            places.iter().map(topic).collect()
        });
        let asked = OffsetFetchRequestGroup::default()
            .with_group_id(group_id(group))
            .with_topics(topics);
        let request = OffsetFetchRequest::default().with_groups(vec![asked]);
        let doing = || format!("fetch the offsets of group `{}`", printable::name(group));
        self.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Coordinator(group), &request, limit)?;
            let mut found = Offsets::new();
            for group in answer.groups {
                KafkaError::check(group.error_code, doing)?;
                for topic in group.topics {
                    for partition in topic.partitions {
                        KafkaError::check(partition.error_code, doing)?;
                        if partition.committed_offset >= 0 {
                            let place = (topic.name.to_string(), partition.partition_index);
                            found.insert(place, partition.committed_offset);
                        }
                    }
                }
            }
            Ok(found)
        })
    }

    /// Notes that `group` has dealt with everything before these offsets. Without a `committer` the group must have no
    /// members; a group with some refuses.
    pub(crate) fn commit(
        &mut self,
        group: &str,
        offsets: &Offsets,
        committer: Option<&Committer>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), offset) in offsets {
            let place = OffsetCommitRequestPartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(StrBytes::default()));
            topics.entry(topic).or_default().push(place);
        }
        let topics = topics.into_iter().map(|(name, partitions)| {
            OffsetCommitRequestTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        });
        let mut request = OffsetCommitRequest::default()
            .with_group_id(group_id(group))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(topics.collect());
        if let Some(committer) = committer {
            request.member_id = StrBytes::from_string(committer.member.clone());
            request.generation_id_or_member_epoch = committer.generation;
        }
        self.patiently(limit, |cluster, limit| {
            let answer = cluster.call(To::Coordinator(group), &request, limit)?;
            let partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
            for partition in partitions {
                KafkaError::check(partition.error_code, || {
                    format!("commit offsets of group `{}`", printable::name(group))
                })?;
            }
            Ok(())
        })
    }
}

/// A group's name as messages carry it.
pub(crate) fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

/// The offsets in an answer; -1 where there is no such record.
fn understand(answer: ListOffsetsResponse) -> Result<Offsets, KafkaError> {
    let mut found = Offsets::new();
    for topic in answer.topics {
        let name = topic.name.to_string();
        for partition in topic.partitions {
            let id = partition.partition_index;
            let doing = || format!("list the offsets of partition {id} of topic `{name}`");
            match KafkaError::check(partition.error_code, doing) {
                // deleted since
                Err(error) if error.is(ResponseError::UnknownTopicOrPartition) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    found.insert((name.clone(), id), partition.offset);
                }
            }
        }
    }
    Ok(found)
}
