//! What clusters know of consumer groups, and what MirrorMaker stores of them.
//!
//! All clusters are asked at the same time, in steps, so that what is written meanwhile makes less certain, and nothing
//! wrong: first which groups there are, so that no more is read than they need; then what MirrorMaker notes, then groups
//! and ends as the target of a flow has them, then groups as its source has them, and last where partitions end.

use super::{addresses, in_steps, internal, side_by_side};
use crate::core::judge::failover::Bounds;
use crate::core::mirrormaker::state::{self, Checkpoint, GroupPlace, OffsetSync};
use crate::core::topology::{Cluster, Flow, TRANSACTIONS, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, Group, KafkaError, Setting, Subject, TopicInfo};
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
    /// The topics that groups need, here and at the other end of their flows.
    needed: BTreeSet<String>,
    /// What MirrorMaker stores of each flow to this cluster, by the source.
    pub(in crate::core) flows: BTreeMap<String, FlowOffsets>,
    /// Offset syncs in the order in which they were written, by the other cluster of a flow.
    syncs: BTreeMap<String, ByPartition<Vec<OffsetSync>>>,
    compacted: BTreeSet<String>,
    /// Why these cannot be read, by the other cluster of a flow.
    problems: BTreeMap<String, String>,
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
    pub(in crate::core) fn ask_ends(
        &mut self,
        topics: impl IntoIterator<Item = String>,
        admin: &mut Admin,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let topics: Vec<String> = topics.into_iter().collect();
        self.first = admin.offsets(&topics, At::Earliest, limit)?;
        self.end = admin.offsets(&topics, At::Latest, limit)?;
        Ok(())
    }

    /// The topics in which groups have committed offsets, or that their members read.
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

/// What MirrorMaker stores of a flow on its target.
#[derive(Debug, Default)]
pub(in crate::core) struct FlowOffsets {
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
    let mut connected = side_by_side(clusters, |cluster| {
        let mut admin = Admin::connect_patiently(&addresses(cluster)?, &first)?;
        let seen = GroupSnapshot {
            topics: admin.describe_patiently(&first)?.topics,
            needed: Groups::ask(&mut admin, &first)?.topics(),
            ..GroupSnapshot::default()
        };
        Ok((*cluster, admin, seen))
    });
    let flows = add_needs_of_flows(topology, clusters, &mut connected);
    let notes = |seen: &mut GroupSnapshot, admin: &mut Admin, cluster: &Cluster| {
        seen.read_notes(&flows, cluster, admin, &first);
        Ok(())
    };
    let as_target = |seen: &mut GroupSnapshot, admin: &mut Admin, _: &Cluster| {
        seen.as_target = Groups::ask(admin, limit)?;
        let topics = seen.needed_here();
        seen.as_target.ask_ends(topics, admin, limit)
    };
    let groups_as_source = |seen: &mut GroupSnapshot, admin: &mut Admin, _: &Cluster| {
        seen.as_source = Groups::ask(admin, limit)?;
        Ok(())
    };
    let ends_as_source = |seen: &mut GroupSnapshot, admin: &mut Admin, _: &Cluster| {
        let topics = seen.needed_here();
        seen.as_source.ask_ends(topics, admin, limit)
    };
    let asked = in_steps(
        connected,
        &[
            &|one| ask(one, notes),
            &|one| ask(one, as_target),
            &|one| ask(one, groups_as_source),
            &|one| ask(one, ends_as_source),
        ],
    );
    let names = clusters.iter().map(|cluster| cluster.name.as_str());
    let seen = asked.into_iter().map(|one| one.map(|(_, _, seen)| seen));
    names.zip(seen).collect()
}

/// A cluster that is being asked, as far as it has answered.
type Asked<'a> = Result<(&'a Cluster, Admin, GroupSnapshot), KafkaError>;

fn ask(
    one: Asked<'_>,
    step: impl FnOnce(&mut GroupSnapshot, &mut Admin, &Cluster) -> Result<(), KafkaError>,
) -> Asked<'_> {
    let (cluster, mut admin, mut seen) = one?;
    step(&mut seen, &mut admin, cluster)?;
    Ok((cluster, admin, seen))
}

/// The flows whose source has groups, or cannot say; with the topics that their groups need at the target. A flow that leads
/// back counts too: it brought topics that the groups of its target may read.
fn add_needs_of_flows<'a>(
    topology: &'a Topology,
    clusters: &[&Cluster],
    connected: &mut [Asked<'_>],
) -> Vec<&'a Flow> {
    let needed: BTreeMap<&str, Option<BTreeSet<String>>> = clusters
        .iter()
        .zip(connected.iter())
        .map(|(cluster, one)| {
            let needed = one.as_ref().ok().map(|(_, _, seen)| seen.needed.clone());
            (cluster.name.as_str(), needed)
        })
        .collect();
    let has_groups = |cluster: &str| match needed.get(cluster) {
        Some(Some(topics)) => !topics.is_empty(),
        Some(None) => true,
        None => false,
    };
    for (cluster, _, seen) in connected.iter_mut().flatten() {
        let to_here = topology.flows.iter();
        for flow in to_here.filter(|flow| flow.spec.target == cluster.name) {
            match needed.get(flow.spec.source.as_str()) {
                Some(Some(topics)) => {
                    let remote = topics.iter().flat_map(|topic| flow.names_on_target(topic));
                    seen.needed.extend(remote);
                }
                Some(None) => seen.needed.extend(seen.topics.keys().cloned()),
                None => {}
            }
        }
    }
    let flows = topology.flows.iter();
    let needed =
        flows.filter(|flow| has_groups(&flow.spec.source) || has_groups(&flow.spec.target));
    needed.collect()
}

impl GroupSnapshot {
    /// What MirrorMaker stores here of what it copies from another cluster.
    pub(in crate::core) fn flow_offsets(&self, source: &str) -> Option<&FlowOffsets> {
        self.flows.get(source)
    }

    /// Why that, or the offset syncs of a flow between this cluster and another one, cannot be read.
    pub(in crate::core) fn problem(&self, other: &str) -> Option<&String> {
        self.problems.get(other)
    }

    /// Whether the topic was asked about at both ends: not where the first offset in it was committed meanwhile.
    pub(in crate::core) fn needs(&self, topic: &str) -> bool {
        self.needed.contains(topic)
    }

    fn needed_here(&self) -> Vec<String> {
        let topics = self.topics.keys();
        let needed = topics.filter(|topic| self.needed.contains(*topic));
        needed.cloned().collect()
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

    fn read_notes(&mut self, flows: &[&Flow], cluster: &Cluster, admin: &mut Admin, limit: &Limit) {
        let here = |flow: &&&Flow| [&flow.spec.source, &flow.spec.target].contains(&&cluster.name);
        let here: Vec<&&Flow> = flows.iter().filter(here).collect();
        for flow in &here {
            let other = if flow.spec.target == cluster.name {
                &flow.spec.source
            } else {
                &flow.spec.target
            };
            if let Err(error) = self.read_flow(flow, (cluster, other), admin, limit) {
                self.problems.insert(other.clone(), error.to_string());
            }
        }
        if here.is_empty() {
            return;
        }
        let subjects: Vec<Subject> = self.needed_here().into_iter().map(Subject::Topic).collect();
        match admin.settings_named(&subjects, &["cleanup.policy"], limit) {
            Ok(settings) => self.compacted = compacted(settings),
            Err(error) => {
                let others = here
                    .iter()
                    .flat_map(|flow| [&flow.spec.source, &flow.spec.target]);
                let problems = others.map(|other| (other.clone(), error.to_string()));
                self.problems.extend(problems);
            }
        }
    }

    fn read_flow(
        &mut self,
        flow: &Flow,
        (cluster, other): (&Cluster, &str),
        admin: &mut Admin,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        if flow.spec.target == cluster.name {
            let mut read = |topic: String| internal::read(admin, &self.topics, &topic, limit);
            let offsets = FlowOffsets {
                copied: state::copied(&read(state::offsets_topic(other))?, other),
                checkpoints: state::checkpoints(&read(state::checkpoints_topic(other))?),
            };
            self.flows.insert(other.to_owned(), offsets);
        }
        let topic = state::offset_syncs_topic(other);
        if self.topics.contains_key(&topic) && !self.syncs.contains_key(other) {
            let mut syncs: ByPartition<Vec<OffsetSync>> = BTreeMap::new();
            // one for each record, where they come one by one
            internal::each(admin, &self.topics, &topic, limit, |record| {
                if let Some((place, sync)) = state::offset_sync(record.key, record.value) {
                    syncs.entry(place).or_default().push(sync);
                }
            })?;
            self.syncs.insert(other.to_owned(), syncs);
        }
        Ok(())
    }
}

/// The topics that are compacted.
fn compacted(settings: BTreeMap<Subject, Vec<Setting>>) -> BTreeSet<String> {
    let compacted = settings.into_iter().filter_map(|(subject, settings)| {
        let mut policies = settings.into_iter().filter_map(|one| one.value);
        match subject {
            Subject::Topic(topic) if policies.any(|one| one.contains("compact")) => Some(topic),
            _ => None,
        }
    });
    compacted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario::Scenario;
    use kmk_kafka::testing::{FakeBroker, Fault};
    use kmk_kafka::wait::Interrupt;

    const TOPIC_AUTHORIZATION_FAILED: i16 = 29;

    /// Two sources and their target; the group `billing` has committed an offset at these sources.
    fn seen_at_target(
        with_groups: &[&str],
        set_up: impl Fn(&FakeBroker),
    ) -> Result<GroupSnapshot, KafkaError> {
        let mut spec = Scenario::Aggregate.spec("demo");
        let brokers: Vec<FakeBroker> = spec.clusters.iter().map(|_| FakeBroker::start()).collect();
        let target = spec.flows[0].target.clone();
        for (cluster, broker) in spec.clusters.iter_mut().zip(&brokers) {
            let name = cluster.name.clone();
            broker.topic("orders", 1, &[]);
            broker.append("orders", 0, &[(None, Some("1")), (None, Some("2"))]);
            if with_groups.contains(&name.as_str()) {
                broker.commit("billing", "orders", 0, 1);
            }
            *cluster = ClusterSpec::existing(&name, &[&broker.endpoint().to_string()]);
        }
        let at = spec.clusters.iter().position(|one| one.name == target);
        let broker = &brokers[at.expect("the target is a cluster")];
        for flow in &spec.flows {
            let topic = state::offsets_topic(&flow.source);
            broker.topic(&topic, 1, &[]);
            broker.append(&topic, 0, &[(Some("[]"), Some("{}"))]);
        }
        set_up(broker);
        let topology = Topology::new(&spec);
        let clusters: Vec<&Cluster> = topology.clusters.iter().collect();
        let limit = Limit::new(Duration::from_secs(20), &Interrupt::default());
        let mut seen = group_snapshots(&topology, &clusters, &limit);
        seen.remove(target.as_str()).expect("it was asked")
    }

    #[test]
    fn one_topic_that_cannot_be_read_makes_one_flow_unknown() {
        let seen = seen_at_target(&["emea", "apac"], |target| {
            target.fail("Fetch", Fault::Code(TOPIC_AUTHORIZATION_FAILED));
        });
        let seen = seen.expect("all else can be read");
        assert!(seen.problem("emea").is_some() && seen.flow_offsets("emea").is_none());
        assert_eq!(seen.problem("apac"), None);
        assert!(seen.flow_offsets("apac").is_some());
    }

    #[test]
    fn what_mirrormaker_notes_is_read_where_groups_are() {
        let seen = seen_at_target(&["apac"], |_| ()).expect("it answers");
        let read: Vec<&String> = seen.flows.keys().collect();
        assert_eq!(read, ["apac"]);
        let seen = seen_at_target(&[], |_| ()).expect("it answers");
        assert!(seen.flows.is_empty() && seen.as_source.end.is_empty());
    }
}
