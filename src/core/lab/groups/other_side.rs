//! Asking both ends of a flow what becomes of groups there. Changes nothing, and creates nothing.

use super::report::ClusterGroups;
use super::sides::{ByPartition, Notes, Sides, home_topic, unknown};
use crate::core::mirrormaker::state::{self, OffsetSync};
use crate::core::observe::{connect_patiently, internal};
use crate::core::topology::{Flow, TRANSACTIONS, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, Subject, TopicInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::thread;

/// Records of a compacted partition at most that are worth counting.
const COUNTED: usize = 10_000;

type Topics = BTreeMap<String, TopicInfo>;

/// Tells the groups of each cluster what would become of them at the other end of the flows (of the one named) that leave it.
pub(super) fn add(
    topology: &Topology,
    flow: Option<&str>,
    clusters: &mut [Result<ClusterGroups, KafkaError>],
    limit: &Limit,
) {
    let mut with_groups: BTreeMap<String, &mut ClusterGroups> = clusters
        .iter_mut()
        .flatten()
        .filter(|cluster| !cluster.groups.is_empty())
        .filter_map(|cluster| Some((cluster.cluster.clone()?, cluster)))
        .collect();
    let meant = |one: &&Flow| {
        flow.is_none_or(|name| one.name() == name) && with_groups.contains_key(&one.spec.source)
    };
    let flows: Vec<&Flow> = topology.flows.iter().filter(meant).collect();
    let sides: Vec<Result<Sides, KafkaError>> = thread::scope(|scope| {
        let looks = flows
            .iter()
            .map(|flow| scope.spawn(move || look(topology, flow, limit)));
        let looks: Vec<_> = looks.collect();
        let looks = looks.into_iter();
        looks
            .map(|look| look.join().expect("a look at a flow does not panic"))
            .collect()
    });
    for (flow, sides) in flows.into_iter().zip(sides) {
        let Some(cluster) = with_groups.get_mut(&flow.spec.source) else {
            continue;
        };
        for group in &mut cluster.groups {
            let report = match &sides {
                Ok(sides) => sides.report(flow, &group.group),
                // one that noted no place has nothing to go on with
                Err(_) if group.lag.is_none() => None,
                Err(error) => Some(unknown(flow, error.to_string())),
            };
            group.flows.extend(report);
        }
    }
}

fn look(topology: &Topology, flow: &Flow, limit: &Limit) -> Result<Sides, KafkaError> {
    let mut sides = Sides::default();
    let (source, target) = (&flow.spec.source, &flow.spec.target);
    let mut at_target = connect_patiently(topology, target, limit)?;
    // what is noted as copied is asked for before what is there, and what groups read after both: see `failover::Partition`
    let target_topics = sides.ask_target(&mut at_target, flow, limit)?;
    let mut at_source = connect_patiently(topology, source, limit)?;
    let source_topics = at_source.describe_patiently(limit)?.topics;
    let is_at_source = !flow.keeps_syncs_at_target()
        && source_topics.contains_key(&state::offset_syncs_topic(target));
    sides.notes.syncs = if is_at_source {
        syncs(&mut at_source, &source_topics, target, limit)?
    } else {
        syncs(&mut at_target, &target_topics, source, limit)?
    };
    sides.notes_of_return = notes(&mut at_source, &source_topics, target, limit)?;
    let topics = sides.ask_source(&mut at_source, &source_topics, limit)?;
    let home = topics.iter().filter_map(|topic| home_topic(flow, topic));
    let home: Vec<String> = home.map(str::to_owned).collect();
    if !home.is_empty() {
        let topic = state::offset_syncs_topic(source);
        sides.notes_of_return.syncs = if target_topics.contains_key(&topic) {
            syncs(&mut at_target, &target_topics, source, limit)?
        } else {
            syncs(&mut at_source, &source_topics, target, limit)?
        };
        sides.home_end = at_target.offsets(&home, At::Latest, limit)?;
    }
    let copies = topics.iter().map(|topic| flow.remote_topic(topic));
    let copies: BTreeSet<String> = copies.chain(home).collect();
    sides.source_gaps = with_gaps(&mut at_source, &source_topics, topics, limit)?;
    sides.target_gaps = with_gaps(&mut at_target, &target_topics, copies, limit)?;
    if !target_topics.contains_key(TRANSACTIONS) {
        sides.count_records(&mut at_target, limit)?;
    }
    Ok(sides)
}

/// What the target alone tells, without the source.
pub(super) fn look_at_target(
    topology: &Topology,
    flow: &Flow,
    limit: &Limit,
) -> Result<Sides, KafkaError> {
    let mut sides = Sides::default();
    let mut admin = connect_patiently(topology, &flow.spec.target, limit)?;
    sides.ask_target(&mut admin, flow, limit)?;
    Ok(sides)
}

fn syncs(
    admin: &mut Admin,
    there: &Topics,
    other: &str,
    limit: &Limit,
) -> Result<ByPartition<Vec<OffsetSync>>, KafkaError> {
    let topic = state::offset_syncs_topic(other);
    let mut syncs: ByPartition<Vec<OffsetSync>> = BTreeMap::new();
    // one for each record, where they come one by one
    internal::each(admin, there, &topic, limit, |record| {
        if let Some((place, sync)) = state::offset_sync(record.key, record.value) {
            syncs.entry(place).or_default().push(sync);
        }
    })?;
    Ok(syncs)
}

/// Those of `topics` that may have offsets without a record: compacted ones, and all where there ever was a transaction.
fn with_gaps(
    admin: &mut Admin,
    there: &Topics,
    topics: BTreeSet<String>,
    limit: &Limit,
) -> Result<BTreeSet<String>, KafkaError> {
    if there.contains_key(TRANSACTIONS) {
        return Ok(topics);
    }
    let there = topics.into_iter().filter(|topic| there.contains_key(topic));
    let subjects: Vec<Subject> = there.map(Subject::Topic).collect();
    if subjects.is_empty() {
        return Ok(BTreeSet::new());
    }
    let settings = admin.settings(&subjects, limit)?.into_iter();
    let compacted = settings.filter_map(|(subject, settings)| {
        let mut policies = settings.iter().filter(|one| one.name == "cleanup.policy");
        let is_compacted =
            policies.any(|one| one.value.as_deref().unwrap_or_default().contains("compact"));
        match subject {
            Subject::Topic(topic) if is_compacted => Some(topic),
            _ => None,
        }
    });
    Ok(compacted.collect())
}

/// What MirrorMaker noted, where it writes, of what it copies from `source`: without the syncs.
fn notes(
    admin: &mut Admin,
    there: &Topics,
    source: &str,
    limit: &Limit,
) -> Result<Notes, KafkaError> {
    let mut read = |topic: &str| internal::read(admin, there, topic, limit);
    let noted = read(&state::offsets_topic(source))?;
    let checkpoints = read(&state::checkpoints_topic(source))?;
    Ok(Notes {
        noted: state::copied(&noted, source),
        checkpoints: state::checkpoints(&checkpoints),
        syncs: ByPartition::new(),
    })
}

impl Sides {
    fn ask_target(
        &mut self,
        admin: &mut Admin,
        flow: &Flow,
        limit: &Limit,
    ) -> Result<Topics, KafkaError> {
        let source = &flow.spec.source;
        let topics = admin.describe_patiently(limit)?.topics;
        self.notes = notes(admin, &topics, source, limit)?;
        let groups = admin.groups(limit)?.into_iter();
        let by_name = groups.map(|(group, offsets)| (group.name.clone(), (group, offsets)));
        self.target_groups = by_name.collect();
        let names: Vec<String> = topics.keys().cloned().collect();
        self.target_first = admin.offsets(&names, At::Earliest, limit)?;
        self.target_end = admin.offsets(&names, At::Latest, limit)?;
        Ok(topics)
    }

    /// Which offsets of compacted mirrored topics have a record. Of one with many records that is not looked for.
    fn count_records(&mut self, admin: &mut Admin, limit: &Limit) -> Result<(), KafkaError> {
        let compacted = &self.target_gaps;
        let firsts = self.target_first.iter();
        for (place, &first) in firsts.filter(|(place, _)| compacted.contains(&place.0)) {
            let mut offsets = Vec::new();
            admin.scan(&place.0, place.1, first, limit, |record| {
                offsets.push(record.offset);
                if offsets.len() > COUNTED {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            if offsets.len() <= COUNTED {
                self.target_records.insert(place.clone(), offsets);
            }
        }
        Ok(())
    }

    /// The topics in which groups have places.
    fn ask_source(
        &mut self,
        admin: &mut Admin,
        there: &Topics,
        limit: &Limit,
    ) -> Result<BTreeSet<String>, KafkaError> {
        let groups = admin.groups(limit)?.into_iter();
        let with_places = groups.filter(|(_, offsets)| !offsets.is_empty());
        let by_name = with_places.map(|(group, offsets)| (group.name, offsets));
        self.source_groups = by_name.collect();
        let topics: BTreeSet<String> = self
            .source_groups
            .values()
            .flat_map(BTreeMap::keys)
            .map(|(topic, _)| topic.clone())
            .filter(|topic| there.contains_key(topic))
            .collect();
        let names: Vec<String> = topics.iter().cloned().collect();
        if !names.is_empty() {
            self.source_first = admin.offsets(&names, At::Earliest, limit)?;
            self.source_end = admin.offsets(&names, At::Latest, limit)?;
        }
        Ok(topics)
    }
}
