//! Asking brokers about their topics: a handful of requests, however many topics there are. Changes nothing.

use super::mirrored::{self, Names};
use super::report::{
    ClusterTopics, PartitionReport, RemoteTopic, SettingReport, TopicDetails, TopicReport,
};
use super::{TopicError, find};
use crate::core::endpoint::Endpoint;
use crate::core::kafka::{
    Admin, At, KafkaError, Origin, PartitionInfo, Setting, Subject, TopicInfo,
};
use crate::core::spec::Naming;
use crate::core::topology::{Cluster, Topology, is_internal};
use crate::core::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i32), i64>;

/// The topics of all clusters of a lab, or of the one named, in the order of the lab; looked at all at once. With `all`, those of Kafka,
/// MirrorMaker and kmk too. A cluster that does not answer stands there with its problem.
pub fn topics(
    topology: &Topology,
    only: Option<&str>,
    all: bool,
    limit: &Limit,
) -> Vec<Result<ClusterTopics, KafkaError>> {
    let is_meant = |cluster: &Cluster| only.is_none_or(|only| only == cluster.name);
    let looks: Vec<(&Cluster, Result<Look, KafkaError>)> = thread::scope(|scope| {
        let looks: Vec<_> = topology
            .clusters
            .iter()
            .map(|cluster| {
                // of the others only names are needed
                let depth = if is_meant(cluster) {
                    Depth::All
                } else {
                    Depth::Names
                };
                let look = move || Look::at(&cluster.endpoints(), depth, all, limit);
                (cluster, scope.spawn(look))
            })
            .collect();
        let looks = looks.into_iter().map(|(cluster, look)| {
            let look = look.join().expect("a look at a cluster does not panic");
            (cluster, look)
        });
        looks.collect()
    });
    let names: Names = looks
        .iter()
        .filter_map(|(cluster, look)| Some((cluster.name.clone(), look.as_ref().ok()?.names())))
        .collect();
    let meant = looks.into_iter().filter(|(cluster, _)| is_meant(cluster));
    let report = |(cluster, look): (&Cluster, Result<Look, KafkaError>)| {
        let mut report = look?.report(Some(&cluster.name), &cluster.endpoints());
        for topic in &mut report.topics {
            mark(topic, topology, &cluster.name, &names);
        }
        Ok(report)
    };
    meant.map(report).collect()
}

/// The topics of a cluster that is no lab's.
///
/// # Errors
/// When no broker answers, or one refuses.
pub fn topics_at(
    bootstrap: &[Endpoint],
    all: bool,
    limit: &Limit,
) -> Result<ClusterTopics, KafkaError> {
    Ok(Look::at(bootstrap, Depth::All, all, limit)?.report(None, bootstrap))
}

/// All there is to say about one topic: of a cluster of a lab, or of any cluster.
///
/// # Errors
/// [`TopicError::NoTopic`]; or when no broker answers, or one refuses.
pub fn describe(
    bootstrap: &[Endpoint],
    lab: Option<(&Topology, &str)>,
    topic: &str,
    limit: &Limit,
) -> Result<TopicDetails, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let info = find(&mut admin, topic, limit)?;
    let look = Look::of(
        &mut admin,
        BTreeMap::from([(topic.to_owned(), info)]),
        limit,
    )?;
    let mut reports = look.reports();
    let Some((mut report, info)) = reports.pop() else {
        return Err(find(&mut admin, topic, limit).err().unwrap_or_else(|| {
            KafkaError::UnknownTopic {
                topic: topic.to_owned(),
            }
            .into()
        }));
    };
    if let Some((topology, cluster)) = lab {
        let names = names_of_others(topology, cluster, limit);
        mark(&mut report, topology, cluster, &names);
    }
    let partitions = info.partitions.iter();
    let own = look.settings.get(topic).into_iter().flatten();
    Ok(TopicDetails {
        cluster: lab.map(|(_, cluster)| cluster.to_owned()),
        partition_details: partitions.map(|one| look.partition(topic, one)).collect(),
        setting_details: own
            .filter(|setting| setting.origin != Origin::Default)
            .map(|setting| SettingReport {
                name: setting.name.clone(),
                value: setting.value.clone(),
                from: setting.origin.to_string(),
            })
            .collect(),
        report,
    })
}

/// The topic that `topic` of `cluster` is a copy of: by its name, or where names stay the same because the source has it too.
pub fn source_of(
    topology: &Topology,
    cluster: &str,
    topic: &str,
    limit: &Limit,
) -> Option<RemoteTopic> {
    let mut into = topology
        .flows
        .iter()
        .filter(|flow| flow.spec.target == cluster);
    let names = if into.any(|flow| flow.spec.naming == Naming::Same) {
        names_of_others(topology, cluster, limit)
    } else {
        Names::new()
    };
    mirrored::copied(topology, cluster, topic, &names).from
}

/// The copies of `topic` of `cluster` that are on other clusters which answer.
pub fn copies_of(
    topology: &Topology,
    cluster: &str,
    topic: &str,
    limit: &Limit,
) -> Vec<RemoteTopic> {
    let names = names_of_others(topology, cluster, limit);
    mirrored::copied(topology, cluster, topic, &names).to
}

/// What the topics of the other clusters are called, as far as they answer at once.
fn names_of_others(topology: &Topology, cluster: &str, limit: &Limit) -> Names {
    let others = topology
        .clusters
        .iter()
        .filter(|other| other.name != cluster);
    let names = |other: &Cluster| {
        let mut admin = Admin::connect(&other.endpoints(), limit).ok()?;
        let topics = admin.topics(limit).ok()?;
        Some((other.name.clone(), topics.into_keys().collect()))
    };
    others.filter_map(names).collect()
}

fn mark(report: &mut TopicReport, topology: &Topology, cluster: &str, names: &Names) {
    let copied = mirrored::copied(topology, cluster, &report.topic, names);
    report.mirrored_from = copied.from;
    report.mirrored_to = copied.to;
}

/// How much is asked about a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Names,
    All,
}

/// What a cluster answered.
#[derive(Debug, Default)]
struct Look {
    topics: BTreeMap<String, TopicInfo>,
    hidden: BTreeSet<String>,
    first: Offsets,
    end: Offsets,
    sizes: BTreeMap<(String, i32), BTreeMap<i32, u64>>,
    settings: BTreeMap<String, Vec<Setting>>,
}

impl Look {
    fn at(
        bootstrap: &[Endpoint],
        depth: Depth,
        all: bool,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut admin = Admin::connect_patiently(bootstrap, limit)?;
        let topics = admin.describe_patiently(limit)?.topics;
        let (shown, hidden): (BTreeMap<_, _>, BTreeMap<_, _>) = topics
            .into_iter()
            .partition(|(name, _)| all || !is_internal(name));
        let mut look = match depth {
            Depth::All => Self::of(&mut admin, shown, limit)?,
            Depth::Names => Self {
                topics: shown,
                ..Self::default()
            },
        };
        look.hidden = hidden.into_keys().collect();
        Ok(look)
    }

    fn of(
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

    fn names(&self) -> BTreeSet<String> {
        self.topics.keys().chain(&self.hidden).cloned().collect()
    }

    fn report(&self, cluster: Option<&str>, bootstrap: &[Endpoint]) -> ClusterTopics {
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
    fn reports(&self) -> Vec<(TopicReport, &TopicInfo)> {
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
            ill_partitions: info.partitions.iter().filter(|one| is_ill(one)).count(),
            records: details.iter().map(records).sum(),
            bytes: details.iter().map(|one| one.bytes).sum(),
            bytes_of_replicas: info
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

    fn partition(&self, topic: &str, info: &PartitionInfo) -> PartitionReport {
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

fn is_ill(partition: &PartitionInfo) -> bool {
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

    fn look() -> Look {
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
        Look {
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
        let report = look().report(Some("primary"), &[]);
        assert_eq!(report.hidden, 1);
        let topic = &report.topics[0];
        assert_eq!(
            (topic.partitions, topic.replicas, topic.ill_partitions),
            (2, 2, 0)
        );
        assert_eq!(topic.records, Some(3 + 4));
        assert_eq!((topic.bytes, topic.bytes_of_replicas), (Some(120), 220));
        let own: Vec<_> = topic.settings.keys().collect();
        assert_eq!(own, ["retention.ms"]);
    }

    #[test]
    fn what_a_leader_does_not_tell_is_not_made_up() {
        let mut look = look();
        look.topics.get_mut("t").unwrap().partitions[1].leader = None;
        look.end.remove(&("t".to_owned(), 1));
        let topic = &look.report(None, &[]).topics[0];
        assert_eq!((topic.records, topic.bytes), (None, None));
        assert_eq!((topic.bytes_of_replicas, topic.ill_partitions), (220, 1));
    }

    #[test]
    fn a_topic_that_was_deleted_meanwhile_is_left_out() {
        let mut look = look();
        look.settings.clear();
        assert_eq!(look.report(None, &[]).topics, []);
    }
}
