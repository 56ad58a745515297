//! What a cluster answered about its topics, and its totals.

use super::report::{ClusterTopics, PartitionReport, TopicReport};
use crate::core::topology::is_internal;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, Origin, PartitionInfo, Setting, Subject, TopicInfo};
use std::collections::{BTreeMap, BTreeSet};

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i32), i64>;

/// How much is asked about a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Names,
    All,
}

/// What a cluster answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    topics: BTreeMap<String, TopicInfo>,
    hidden: BTreeSet<String>,
    first: Offsets,
    end: Offsets,
    sizes: BTreeMap<(String, i32), BTreeMap<i32, u64>>,
    pub(super) settings: BTreeMap<String, Vec<Setting>>,
}

impl Answer {
    pub(super) fn at(
        bootstrap: &[Endpoint],
        depth: Depth,
        is_shown: impl Fn(&str) -> bool,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut admin = Admin::connect_patiently(bootstrap, limit)?;
        let topics = admin.describe_patiently(limit)?.topics;
        let (shown, hidden): (BTreeMap<_, _>, BTreeMap<_, _>) =
            topics.into_iter().partition(|(name, _)| is_shown(name));
        let mut answer = match depth {
            Depth::All => Self::of(&mut admin, shown, limit)?,
            Depth::Names => Self {
                topics: shown,
                ..Self::default()
            },
        };
        answer.hidden = hidden.into_keys().collect();
        Ok(answer)
    }

    pub(super) fn of(
        admin: &mut Admin,
        topics: BTreeMap<String, TopicInfo>,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let names: Vec<String> = topics.keys().cloned().collect();
        let subjects: Vec<Subject> = names.iter().cloned().map(Subject::Topic).collect();
        let settings = admin.settings(&subjects, limit)?.into_iter();
        let by_name = settings.filter_map(|(subject, settings)| match subject {
            Subject::Topic(name) => Some((name, settings)),
            _ => None,
        });
        Ok(Self {
            hidden: BTreeSet::new(),
            first: admin.offsets(&names, At::Earliest, limit)?,
            end: admin.offsets(&names, At::Latest, limit)?,
            sizes: admin.sizes(limit)?,
            settings: by_name.collect(),
            topics,
        })
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.topics.keys().chain(&self.hidden).cloned().collect()
    }

    pub(super) fn report(&self, cluster: Option<&str>, bootstrap: &[Endpoint]) -> ClusterTopics {
        let addresses: Vec<String> = bootstrap.iter().map(ToString::to_string).collect();
        let topics = self.reports().into_iter();
        ClusterTopics {
            cluster: cluster.map(str::to_owned),
            bootstrap: addresses.join(","),
            topics: topics.map(|(report, _)| report).collect(),
            hidden: self.hidden.len(),
            problem: None,
        }
    }

    /// Topics that were deleted while they were looked at are left out.
    pub(super) fn reports(&self) -> Vec<(TopicReport, &TopicInfo)> {
        let there = self.topics.iter();
        let there = there.filter(|(name, _)| self.settings.contains_key(*name));
        there
            .map(|(name, info)| (self.topic(name, info), info))
            .collect()
    }

    fn topic(&self, name: &str, info: &TopicInfo) -> TopicReport {
        let details: Vec<PartitionReport> = info
            .partitions
            .iter()
            .map(|partition| self.partition(name, partition))
            .collect();
        let own = self.settings.get(name).into_iter().flatten();
        let own = own.filter(|setting| setting.origin == Origin::Topic);
        let replicas = info.partitions.iter().map(|one| one.replicas.len());
        TopicReport {
            topic: name.to_owned(),
            internal: is_internal(name),
            partitions: info.partitions.len(),
            replicas: replicas.max().unwrap_or(0),
            unhealthy_partitions: info
                .partitions
                .iter()
                .filter(|one| is_unhealthy(one))
                .count(),
            records: details.iter().map(records).sum(),
            bytes: details.iter().map(|one| one.bytes).sum(),
            replica_bytes: info
                .partitions
                .iter()
                .flat_map(|one| self.copies(name, one.id))
                .map(|(_, bytes)| *bytes)
                .sum(),
            settings: own
                .map(|setting| (setting.name.clone(), setting.value.clone()))
                .collect(),
            mirrored_from: None,
            mirrored_to: Vec::new(),
        }
    }

    pub(super) fn partition(&self, topic: &str, info: &PartitionInfo) -> PartitionReport {
        let place = (topic.to_owned(), info.id);
        let copies = self.sizes.get(&place);
        PartitionReport {
            partition: info.id,
            leader: info.leader,
            replicas: info.replicas.clone(),
            in_sync: info.in_sync.clone(),
            first: self.first.get(&place).copied(),
            end: self.end.get(&place).copied(),
            bytes: info.leader.and_then(|leader| copies?.get(&leader).copied()),
        }
    }

    fn copies(&self, topic: &str, partition: i32) -> impl Iterator<Item = (&i32, &u64)> {
        let copies = self.sizes.get(&(topic.to_owned(), partition));
        copies.into_iter().flatten()
    }
}

fn is_unhealthy(partition: &PartitionInfo) -> bool {
    partition.leader.is_none() || partition.in_sync.len() < partition.replicas.len()
}

/// Offsets from the first record to the end.
fn records(partition: &PartitionReport) -> Option<u64> {
    let length = partition.end?.saturating_sub(partition.first?);
    Some(u64::try_from(length).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(id: i32, leader: Option<i32>) -> PartitionInfo {
        PartitionInfo {
            id,
            leader,
            replicas: vec![1, 2],
            in_sync: vec![1, 2],
        }
    }

    fn answer() -> Answer {
        let place = |id| ("t".to_owned(), id);
        let setting = |name: &str, origin| Setting {
            name: name.to_owned(),
            value: Some("1".to_owned()),
            origin,
            secret: false,
        };
        let info = TopicInfo {
            id: None,
            partitions: vec![partition(0, Some(1)), partition(1, Some(2))],
        };
        Answer {
            topics: BTreeMap::from([("t".to_owned(), info)]),
            hidden: BTreeSet::from(["__consumer_offsets".to_owned()]),
            first: Offsets::from([(place(0), 5), (place(1), 0)]),
            end: Offsets::from([(place(0), 8), (place(1), 4)]),
            sizes: BTreeMap::from([
                (place(0), BTreeMap::from([(1, 100), (2, 90)])),
                (place(1), BTreeMap::from([(1, 10), (2, 20)])),
            ]),
            settings: BTreeMap::from([(
                "t".to_owned(),
                vec![
                    setting("retention.ms", Origin::Topic),
                    setting("max.message.bytes", Origin::File),
                    setting("index.interval.bytes", Origin::Default),
                ],
            )]),
        }
    }

    #[test]
    fn a_topic_is_the_sum_of_its_partitions() {
        let report = answer().report(Some("primary"), &[]);
        assert_eq!(report.hidden, 1);
        let topic = &report.topics[0];
        assert_eq!(
            (topic.partitions, topic.replicas, topic.unhealthy_partitions),
            (2, 2, 0)
        );
        assert_eq!(topic.records, Some(3 + 4));
        assert_eq!((topic.bytes, topic.replica_bytes), (Some(120), 220));
        let own: Vec<_> = topic.settings.keys().collect();
        assert_eq!(own, ["retention.ms"]);
    }

    #[test]
    fn what_a_leader_does_not_tell_is_not_made_up() {
        let mut answer = answer();
        answer.topics.get_mut("t").unwrap().partitions[1].leader = None;
        answer.end.remove(&("t".to_owned(), 1));
        let topic = &answer.report(None, &[]).topics[0];
        assert_eq!((topic.records, topic.bytes), (None, None));
        assert_eq!((topic.replica_bytes, topic.unhealthy_partitions), (220, 1));
    }

    #[test]
    fn a_topic_that_was_deleted_meanwhile_is_left_out() {
        let mut answer = answer();
        answer.settings.clear();
        assert_eq!(answer.report(None, &[]).topics, []);
    }
}
