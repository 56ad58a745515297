//! Compares what is seen of topics with what the journal has of the last look, and writes down what is new. Judges by
//! [`FlowMemory`].

use super::stall;
use crate::core::docker::Docker;
use crate::core::judge::lag::{Countable, FlowLag, FlowMemory, Later, TopicLag};
use crate::core::lab::Lab;
use crate::core::lab::journal::{self, JournalError};
use crate::core::lab::topics::Truncated;
use crate::core::mirrormaker::config;
use crate::core::observe::{ClusterSnapshot, connect};
use crate::core::topology::{Flow, TRANSACTIONS};
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::Limit;
use kmk_kafka::{KafkaError, Subject};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(1);
const POLICY: &str = "cleanup.policy";

/// What is the case for some flows.
type OfFlow<'a> = &'a dyn Fn(&FlowLag) -> bool;

/// Adds to the topics of a flow what happened since they were last seen.
pub(super) fn compare(
    lab: &Lab,
    flow: &Flow,
    source: &ClusterSnapshot,
    topics: &mut [TopicLag],
    limit: &Limit,
) {
    let nothing = FlowMemory::default();
    let memory = lab.journal.seen.get(&flow.name()).unwrap_or(&nothing);
    let each_is_mirrored = ["transforms", "predicates"]
        .iter()
        .all(|key| flow.setting(key).is_none());
    let known = |records| Countable {
        records: records && each_is_mirrored && !source.topics.contains_key(TRANSACTIONS),
        now: to_millis(SystemTime::now()),
    };
    let countable = known(true);
    let mut lossy = BTreeSet::new();
    for topic in &mut *topics {
        let mut compared = topic.clone();
        compared.compare(memory, countable);
        let has_lost = compared.never_copied > 0
            || compared
                .past
                .as_ref()
                .is_some_and(|past| past.never_copied > 0);
        if has_lost && countable.records {
            lossy.insert(topic.source.clone());
        } else {
            *topic = compared;
        }
    }
    // where offsets may hold no record, none is counted
    let compacted = compacted(lab, flow, &lossy, limit).unwrap_or_else(|_| lossy.clone());
    for topic in topics
        .iter_mut()
        .filter(|topic| lossy.contains(&topic.source))
    {
        let records = !compacted.contains(&topic.source);
        topic.compare(memory, known(records));
        topic.is_never_copied_exact = records && topic.never_copied > 0;
    }
}

/// Those of some topics that are compacted, or may be.
fn compacted(
    lab: &Lab,
    flow: &Flow,
    topics: &BTreeSet<String>,
    limit: &Limit,
) -> Result<BTreeSet<String>, KafkaError> {
    let mut compacted = topics.clone();
    if topics.is_empty() {
        return Ok(compacted);
    }
    let limit = limit.at_most(PATIENCE);
    let mut admin = connect(&lab.topology, &flow.spec.source, &limit)?;
    let subjects: Vec<Subject> = topics.iter().cloned().map(Subject::Topic).collect();
    for (subject, settings) in admin.settings_named(&subjects, &[POLICY], &limit)? {
        let policy = settings.into_iter().find(|one| one.name == POLICY);
        let deletes = policy
            .and_then(|one| one.value)
            .is_some_and(|policy| policy == "delete");
        if let (Subject::Topic(topic), true) = (subject, deletes) {
            compacted.remove(&topic);
        }
    }
    Ok(compacted)
}

/// Writes down what was seen of flows, where something that matters is new. What cannot be written is compared with what was
/// seen before, the next time.
pub(in crate::core::lab) fn remember(docker: &Docker, lab: &Lab, flows: &[FlowLag], limit: &Limit) {
    let now = to_millis(SystemTime::now());
    let outdated = |(flow, lag): &(&Flow, &FlowLag)| {
        let before = lab.journal.seen.get(&lag.name);
        lag.behind.is_some() && FlowMemory::is_outdated(before, lag, &flow.verify, now)
    };
    let flows: Vec<(&Flow, &FlowLag)> = each(lab, flows).filter(outdated).collect();
    if !flows.is_empty() {
        let _ = write(docker, lab, &flows, None, limit);
    }
}

/// With their flows.
fn each<'a>(lab: &'a Lab, seen: &'a [FlowLag]) -> impl Iterator<Item = (&'a Flow, &'a FlowLag)> {
    let flow = |lag: &FlowLag| {
        lab.topology
            .flows
            .iter()
            .find(|flow| flow.name() == lag.name)
    };
    seen.iter().filter_map(move |lag| Some((flow(lag)?, lag)))
}

/// Everything seen of these flows has been reported, and is not reported again. For flows that restart from the beginning,
/// earlier observations are dropped.
///
/// # Errors
/// When the journal cannot be written.
pub(in crate::core::lab) fn acknowledge(
    docker: &Docker,
    lab: &Lab,
    flows: &[FlowLag],
    restarts: OfFlow<'_>,
    limit: &Limit,
) -> Result<(), JournalError> {
    let seen = each(lab, flows);
    let seen: Vec<(&Flow, &FlowLag)> = seen.filter(|(_, lag)| lag.behind.is_some()).collect();
    write(docker, lab, &seen, Some(restarts), limit)
}

fn write(
    docker: &Docker,
    lab: &Lab,
    flows: &[(&Flow, &FlowLag)],
    told: Option<OfFlow<'_>>,
    limit: &Limit,
) -> Result<(), JournalError> {
    let now = to_millis(SystemTime::now());
    // by then MirrorMaker has committed whatever the target had
    let _ = limit.pause(config::NOTED * 3 / 2);
    let later: Vec<Option<Later>> = (flows.iter())
        .map(|(flow, lag)| {
            let is_known = lag.stalled.is_empty() && commits_soon(lab, flow);
            let positions = is_known.then(|| stall::positions(lab, flow, limit).ok());
            positions.flatten()
        })
        .collect();
    journal::change(docker, &lab.spec.lab, limit, |journal| {
        for ((flow, lag), later) in flows.iter().zip(&later) {
            let compared_with = lab.journal.seen.get(&lag.name);
            let before = journal.seen.get(&lag.name);
            if before.map(|before| before.at) != compared_with.map(|memory| memory.at) {
                // somebody else has looked meanwhile, and written it down
                continue;
            }
            let before = before.filter(|_| !told.is_some_and(|restarts| restarts(lag)));
            let own = (flow.verify.as_str(), flow.starts_at_end(&lab.topology));
            let mut renewed = FlowMemory::renewed(before, lag, own, later.as_ref(), now);
            if told.is_some() {
                renewed.acknowledge(lag);
            }
            journal.seen.insert(lag.name.clone(), renewed);
        }
    })
}

/// Forgets a topic that kmk has deleted, or whose mirrored topic it has deleted: MirrorMaker starts the next one from its beginning. `flows`
/// are those that read it.
pub(in crate::core::lab) fn forget<'a>(
    docker: &Docker,
    lab: &Lab,
    flows: impl IntoIterator<Item = &'a Flow>,
    topic: &str,
    limit: &Limit,
) {
    let flows = flows.into_iter().map(Flow::name);
    let flows: Vec<String> = flows.filter(|flow| has_seen(lab, flow, topic)).collect();
    change(docker, lab, &flows, limit, |memory| memory.forget(topic));
}

/// Takes note that a person has removed records from a topic of `cluster`, having been told which were not mirrored.
pub fn note_removal(
    docker: &Docker,
    lab: &Lab,
    (cluster, topic): (&str, &str),
    removed: &[Truncated],
    limit: &Limit,
) {
    let flows = lab.topology.flows.iter();
    let flows = flows
        .filter(|flow| flow.spec.source == cluster)
        .map(Flow::name);
    let flows: Vec<String> = flows.filter(|flow| has_seen(lab, flow, topic)).collect();
    change(docker, lab, &flows, limit, |memory| {
        for one in removed.iter().filter(|one| one.removed() > 0) {
            memory.removed(topic, one.partition, one.now);
        }
    });
}

fn has_seen(lab: &Lab, flow: &str, topic: &str) -> bool {
    let seen = lab.journal.seen.get(flow);
    seen.is_some_and(|memory| memory.topics.contains_key(topic))
}

/// What cannot be written now is told at the next look.
fn change(
    docker: &Docker,
    lab: &Lab,
    flows: &[String],
    limit: &Limit,
    change: impl Fn(&mut FlowMemory),
) {
    if flows.is_empty() {
        return;
    }
    let _ = journal::change(docker, &lab.spec.lab, limit, |journal| {
        let seen = journal.seen.iter_mut();
        for (_, memory) in seen.filter(|(flow, _)| flows.contains(flow)) {
            change(memory);
        }
    });
}

/// Whether MirrorMaker commits what it has written as often as kmk has it do, and is not held in the midst of that.
fn commits_soon(lab: &Lab, flow: &Flow) -> bool {
    let mirror = lab.topology.mirror_of(&flow.spec.target);
    let workers = mirror.into_iter().flat_map(|mirror| &mirror.workers);
    let mut containers = workers.filter_map(|service| lab.container(service));
    flow.setting("offset.flush.interval.ms").is_none()
        && containers.all(|container| container.state.status != "paused")
}
