//! What clusters know of consumer groups, and what MirrorMaker notes of them.
//!
//! All clusters are asked at the same time, in steps, so that what is written meanwhile makes less certain, and nothing
//! wrong: first what MirrorMaker noted, then groups and ends as the target of a flow has them, then groups as its source
//! has them, and last where partitions end.

use super::{addresses, in_steps, internal, side_by_side};
use crate::core::judge::failover::Bounds;
use crate::core::mirrormaker::state::{self, Checkpoint, GroupPlace, OffsetSync};
use crate::core::topology::{Cluster, TRANSACTIONS, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, Group, KafkaError, Subject, TopicInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How much of the time is left for clusters that answer, once one has not: less where that is much of the whole.
const REST: Duration = Duration::from_secs(5);

/// By topic and partition.
pub(in crate::core) type ByPartition<T> = BTreeMap<(String, i32), T>;

/// What a cluster answered.
#[derive(Debug, Default)]
pub(in crate::core) struct GroupSnapshot {
    topics: BTreeMap<String, TopicInfo>,
    /// What MirrorMaker noted of each flow to this cluster, by the source.
    pub(in crate::core) flows: BTreeMap<String, Noted>,
    /// Offset syncs in the order in which they were written, by the other cluster of a flow.
    syncs: BTreeMap<String, ByPartition<Vec<OffsetSync>>>,
    compacted: BTreeSet<String>,
    /// Why these cannot be read.
    pub(in crate::core) problem: Option<String>,
    pub(in crate::core) as_target: Groups,
    pub(in crate::core) as_source: Groups,
}

/// How far groups and partitions are.
#[derive(Debug, Default)]
pub(in crate::core) struct Groups {
    pub(in crate::core) by_name: BTreeMap<String, (Group, ByPartition<i64>)>,
    pub(in crate::core) first: ByPartition<i64>,
    pub(in crate::core) end: ByPartition<i64>,
}

impl Groups {
    /// Asks for all groups.
    pub(in crate::core) fn ask(admin: &mut Admin, limit: &Limit) -> Result<Self, KafkaError> {
        let groups = admin.groups(limit)?.into_iter();
        let by_name = groups.map(|(group, offsets)| (group.name.clone(), (group, offsets)));
        Ok(Self {
            by_name: by_name.collect(),
            ..Self::default()
        })
    }

    /// Asks where the partitions of topics begin and end.
    pub(in crate::core) fn ask_ends<'a>(
        &mut self,
        topics: impl IntoIterator<Item = &'a String>,
        admin: &mut Admin,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let topics: Vec<String> = topics.into_iter().cloned().collect();
        self.first = admin.offsets(&topics, At::Earliest, limit)?;
        self.end = admin.offsets(&topics, At::Latest, limit)?;
        Ok(())
    }

    /// The topics in which groups have places, or that their members read.
    pub(in crate::core) fn topics(&self) -> BTreeSet<String> {
        let topics = self.by_name.values().flat_map(|(group, offsets)| {
            let reads = group.members.iter().flat_map(|member| &member.reads);
            offsets.keys().chain(reads).map(|(topic, _)| topic.clone())
        });
        topics.collect()
    }

    pub(in crate::core) fn bounds(&self, place: &(String, i32)) -> Option<Bounds> {
        let (first, end) = (*self.first.get(place)?, *self.end.get(place)?);
        Some(Bounds { first, end })
    }
}

/// What MirrorMaker noted of a flow on its target.
#[derive(Debug, Default)]
pub(in crate::core) struct Noted {
    pub(in crate::core) copied: ByPartition<i64>,
    pub(in crate::core) checkpoints: BTreeMap<GroupPlace, Checkpoint>,
}

/// Asks these clusters of a lab; by their names.
pub(in crate::core) fn group_snapshots<'a>(
    topology: &Topology,
    clusters: &[&'a Cluster],
    limit: &Limit,
) -> BTreeMap<&'a str, Result<GroupSnapshot, KafkaError>> {
    let all = limit.remaining();
    let first = limit.at_most(all.saturating_sub(REST.min(all / 4)));
    let connected = side_by_side(clusters, |cluster| {
        let mut admin = Admin::connect_patiently(&addresses(cluster)?, &first)?;
        let topics = admin.describe_patiently(&first)?.topics;
        let mut seen = GroupSnapshot {
            topics,
            ..GroupSnapshot::default()
        };
        let noted = seen.read_notes((topology, cluster), &mut admin, &first);
        seen.problem = noted.err().map(|error| error.to_string());
        Ok((admin, seen))
    });
    let as_target = |seen: &mut GroupSnapshot, admin: &mut Admin| {
        seen.as_target = Groups::ask(admin, limit)?;
        seen.as_target.ask_ends(seen.topics.keys(), admin, limit)
    };
    let groups_as_source = |seen: &mut GroupSnapshot, admin: &mut Admin| {
        seen.as_source = Groups::ask(admin, limit)?;
        Ok(())
    };
    let ends_as_source = |seen: &mut GroupSnapshot, admin: &mut Admin| {
        seen.as_source.ask_ends(seen.topics.keys(), admin, limit)
    };
    let asked = in_steps(
        connected,
        &[
            &|one| ask(one, as_target),
            &|one| ask(one, groups_as_source),
            &|one| ask(one, ends_as_source),
        ],
    );
    let names = clusters.iter().map(|cluster| cluster.name.as_str());
    let seen = asked.into_iter().map(|one| one.map(|(_, seen)| seen));
    names.zip(seen).collect()
}

/// A cluster that is being asked, as far as it has answered.
type Asked = Result<(Admin, GroupSnapshot), KafkaError>;

fn ask(
    one: Asked,
    step: impl FnOnce(&mut GroupSnapshot, &mut Admin) -> Result<(), KafkaError>,
) -> Asked {
    let (mut admin, mut seen) = one?;
    step(&mut seen, &mut admin)?;
    Ok((admin, seen))
}

impl GroupSnapshot {
    /// What MirrorMaker noted here of what it copies from another cluster.
    pub(in crate::core) fn noted(&self, source: &str) -> Option<&Noted> {
        self.flows.get(source)
    }

    /// The offset syncs of a flow between this cluster and another one, where they are kept here.
    pub(in crate::core) fn syncs(&self, other: &str) -> Option<&ByPartition<Vec<OffsetSync>>> {
        self.syncs.get(other)
    }

    pub(in crate::core) fn has_transactions(&self) -> bool {
        self.topics.contains_key(TRANSACTIONS)
    }

    pub(in crate::core) fn is_compacted(&self, topic: &str) -> bool {
        self.compacted.contains(topic)
    }

    fn read_notes(
        &mut self,
        (topology, cluster): (&Topology, &Cluster),
        admin: &mut Admin,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        for flow in &topology.flows {
            let (source, target) = (&flow.spec.source, &flow.spec.target);
            if *target == cluster.name {
                let mut read = |topic: String| internal::read(admin, &self.topics, &topic, limit);
                let noted = Noted {
                    copied: state::copied(&read(state::offsets_topic(source))?, source),
                    checkpoints: state::checkpoints(&read(state::checkpoints_topic(source))?),
                };
                self.flows.insert(source.clone(), noted);
            }
            let other = match &cluster.name {
                name if name == source => target,
                name if name == target => source,
                _ => continue,
            };
            let topic = state::offset_syncs_topic(other);
            if self.topics.contains_key(&topic) && !self.syncs.contains_key(other) {
                let mut syncs: ByPartition<Vec<OffsetSync>> = BTreeMap::new();
                // one for each record, where they come one by one
                internal::each(admin, &self.topics, &topic, limit, |record| {
                    if let Some((place, sync)) = state::offset_sync(record.key, record.value) {
                        syncs.entry(place).or_default().push(sync);
                    }
                })?;
                self.syncs.insert(other.clone(), syncs);
            }
        }
        let subjects: Vec<Subject> = self.topics.keys().cloned().map(Subject::Topic).collect();
        let settings = admin.settings_named(&subjects, &["cleanup.policy"], limit)?;
        let compacted = settings.into_iter().filter_map(|(subject, settings)| {
            let mut policies = settings.into_iter().filter_map(|one| one.value);
            match subject {
                Subject::Topic(topic) if policies.any(|one| one.contains("compact")) => Some(topic),
                _ => None,
            }
        });
        self.compacted = compacted.collect();
        Ok(())
    }
}
