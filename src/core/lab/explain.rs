//! Why a topic is not, or not yet, where a flow leads: what is seen, flow by flow, and the answer that follows from it.

mod first;
mod mirror;
mod missing;
mod origin;
mod sight;
mod tight;
mod unhealthy;

use super::Lab;
use super::status::{self, ContainerStatus, FlowState, FlowStatus, TopicStatus};
use crate::core::docker::{Docker, DockerError};
use crate::core::judge::explain::{
    Answer, Beyond, Facts, Failure, Missing, Obstacle, Refresh, Sight, Whose, Worker, judge,
};
use crate::core::judge::lag::{Ends, TopicLag};
use crate::core::judge::link::LinkState;
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::mirrormaker::state::Config;
use crate::core::nearest::nearest;
use crate::core::observe::{ClusterSnapshot, FlowSnapshot, Snapshots, Wanted};
use crate::core::topology::{Flow, TRANSACTIONS};
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};
use unhealthy::{concerning, failures, unmoved};

/// What MirrorMaker takes where its settings say nothing: seconds from one look for topics to the next.
const REFRESH_BY_DEFAULT: u64 = 600;
/// How long one cluster may take to answer a further question.
const PATIENCE: Duration = Duration::from_secs(3);

/// A topic and a flow: what becomes of the one on the other, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// `source->target`.
    pub flow: String,
    /// The topic, as it is called on the source.
    pub topic: String,
    /// What its copy is called, or would be, on the target.
    pub remote: String,
    /// Whether records cross: they are all there, or on their way.
    pub mirrored: bool,
    /// Why, or why not.
    #[serde(flatten)]
    pub answer: Answer,
    /// What it rests on.
    pub seen: Facts,
}

/// Explains a topic for every flow that it concerns, in the order of the lab; or for the one that is named. A name that is a copy's
/// stands for the topic that it is a copy of. No flow, no explanation.
///
/// # Errors
/// When docker cannot be asked. A broker that does not answer is part of the explanation.
pub fn explain(
    docker: &Docker,
    lab: &Lab,
    topic: &str,
    only: Option<&str>,
    limit: &Limit,
) -> Result<Vec<Explanation>, DockerError> {
    let is_meant = |flow: &&Flow| only.is_none_or(|only| only == flow.name());
    let flows: Vec<&Flow> = lab.topology.flows.iter().filter(is_meant).collect();
    let names = flows.iter().flat_map(|flow| {
        let original = flow.source_topic(topic).unwrap_or(topic);
        let copies = [topic, original].map(|name| Rules::of_flow(flow).remote(name));
        [topic.to_owned(), original.to_owned()]
            .into_iter()
            .chain(copies)
    });
    let wanted = Wanted {
        topics: names.collect(),
        configs: true,
    };
    let (status, clusters) = status::observed(docker, lab, false, &wanted, limit)?;
    let scene = Scene {
        docker,
        lab,
        clusters,
        containers: &status.containers,
        limit,
    };
    let about = flows.iter().filter_map(|flow| {
        let status = status.flows.iter().find(|one| one.name == flow.name())?;
        let (original, is_copy) = scene.meant(flow, topic);
        Some((scene.explain(flow, original, status), is_copy))
    });
    Ok(concerned(about.collect()))
}

/// Without flows that have nothing to do with the topic, unless none has.
fn concerned(mut about: Vec<(Explanation, bool)>) -> Vec<Explanation> {
    let is_elsewhere = |(one, _): &(Explanation, bool)| match one.answer {
        Answer::NoSuchTopic { .. } | Answer::NoFlow { .. } => true,
        Answer::Internal { .. } => one.seen.original == Sight::Absent,
        _ => false,
    };
    // a person who names a mirrored topic does not wonder why it does not come back
    let is_back = |(one, is_copy): &(Explanation, bool)| {
        !is_copy && matches!(one.answer, Answer::Cycle { .. })
    };
    if !about.iter().all(is_elsewhere) {
        about.retain(|one| !is_elsewhere(one));
    }
    if about.iter().any(|one| !is_back(one)) {
        about.retain(|one| !is_back(one));
    }
    about.into_iter().map(|(one, _)| one).collect()
}

/// All that was looked at.
struct Scene<'a> {
    docker: &'a Docker,
    lab: &'a Lab,
    clusters: Snapshots<'a>,
    containers: &'a [ContainerStatus],
    limit: &'a Limit,
}

impl Scene<'_> {
    /// The topic of the source that a name stands for, and whether it is the name of its copy.
    fn meant<'t>(&self, flow: &Flow, topic: &'t str) -> (&'t str, bool) {
        let is_there = self.clusters[flow.spec.source.as_str()]
            .topics
            .contains_key(topic);
        match flow.source_topic(topic) {
            Some(original) if !is_there => (original, true),
            _ => (topic, false),
        }
    }

    fn explain(&self, flow: &Flow, topic: &str, status: &FlowStatus) -> Explanation {
        let mut facts = self.facts(flow, topic, status);
        let remote = Rules::of_flow(flow).remote(topic);
        let mut answer = judge(&facts);
        if let Answer::NotCreated { obstacle: None, .. } = answer {
            let told = mirror::told(self.docker, self.lab, &facts.workers, &remote, self.limit);
            facts.obstacle = told.map(|message| Obstacle::Reported { message });
            answer = judge(&facts);
        }
        if let Answer::MirroredRecordsLost { .. } = answer {
            facts.missing = self.missing(flow, topic, status);
        }
        Explanation {
            flow: flow.name(),
            topic: topic.to_owned(),
            remote,
            mirrored: answer.is_mirrored(),
            answer,
            seen: facts,
        }
    }

    fn facts(&self, flow: &Flow, topic: &str, status: &FlowStatus) -> Facts {
        let (source, target) = (&flow.spec.source, &flow.spec.target);
        let (from, to) = (
            &self.clusters[source.as_str()],
            &self.clusters[target.as_str()],
        );
        let nothing = FlowSnapshot::default();
        let there = to.flows.get(source);
        let said = there.unwrap_or(&nothing);
        let config = &said.config;
        let workers = mirror::workers(self.lab, flow);
        // what does not run reads its settings when it starts
        let runs = workers.iter().any(Worker::runs);
        let settings = config.settings.as_ref().filter(|_| runs);
        let rules = rules(flow, settings);
        let (selection, whose) = authored(flow, topic, rules.select(topic));
        let remote = rules.remote(topic);
        let original = sight::of(from, topic);
        let records = original.contents().map(|contents| contents.records);
        let copied = there.map(|there| counted(topic, from, there));
        let names = from.topics.keys().map(String::as_str);
        let shown = status.topics.iter().find(|one| one.source == topic);
        let failures = failures(status);
        let is_of_size = failures.iter().any(Failure::is_of_size);
        // one that should be half-open, and is not, is what the flow's problems tell of
        let is_cut = status.link.state != LinkState::PartlyCut || !status.link.is_half_open();
        Facts {
            topic: topic.to_owned(),
            source: source.clone(),
            target: target.clone(),
            elsewhere: self.elsewhere(flow, topic),
            flows: self.lab.topology.flows.iter().map(Flow::name).collect(),
            nearest: nearest(
                topic,
                names.filter(|name| !self.lab.topology.is_internal(name)),
            )
            .map(str::to_owned),
            included_by_name: rules.takes_for_its_name(topic),
            origin: (selection == Selection::Cycle).then(|| self.origin(source, topic, target)),
            selection,
            topics: rules
                .topics()
                .iter()
                .filter(|topic| **topic != flow.canary)
                .cloned()
                .collect(),
            whose,
            disabled_by: mirror::disabled_by(self.lab, flow, &workers),
            cut_off: mirror::cut_off(self.lab, flow, &workers, &status.link),
            cut: (status.link.cut.clone()).filter(|_| is_cut),
            workers,
            down: self.down(flow),
            original,
            copy: sight::of(to, &remote),
            tight: if is_of_size {
                tight::copies(self.lab, flow, from, to, self.limit)
            } else {
                Vec::new()
            },
            failures,
            ended: status.ended.clone(),
            culprits: (status.culprits.iter())
                .filter(|one| one.stops_flow || one.topic == topic)
                .cloned()
                .collect(),
            // with several MirrorMakers, the others go on; and a loss is reported for its own topic
            problems: match status.state {
                FlowState::Degraded | FlowState::Running => unmoved(topic, status),
                FlowState::Unhealthy => concerning(topic, status),
            },
            is_uncertain: status.state != FlowState::Unhealthy,
            assigned: settings.map(|_| config.topics.get(topic).copied().unwrap_or(0)),
            refresh: refresh(said),
            obstacle: obstacle(config, &remote, to),
            behind: behind(topic, shown, from, records, copied),
            seconds_behind: shown.and_then(|shown| shown.seconds_behind),
            lost: shown.map_or(0, |shown| shown.lost),
            never_copied: shown.map_or(0, |shown| shown.never_copied),
            is_never_copied_exact: shown.is_some_and(|shown| shown.is_never_copied_exact),
            past: shown.and_then(|shown| shown.past.clone()),
            losses: lag_of(topic, status).map_or_else(Vec::new, |lag| lag.losses(source, target)),
            possibly_never_copied: shown.map_or(0, |shown| shown.doubtful),
            starts_at_end: flow.starts_at_end(&self.lab.topology),
            beyond: beyond(topic, status),
            is_first_mirrored: first::is_there(self.lab, flow, topic, status, self.limit),
            missing: Vec::new(),
            open: if flow.reads_committed_only(&self.lab.topology) {
                sight::open_transactions(from, topic)
            } else {
                Vec::new()
            },
            transactions: from.topics.contains_key(TRANSACTIONS),
        }
    }

    fn missing(&self, flow: &Flow, topic: &str, status: &FlowStatus) -> Vec<Missing> {
        let target = &self.clusters[flow.spec.target.as_str()];
        lag_of(topic, status).map_or_else(Vec::new, |topic| {
            missing::records(self.lab, flow, topic, target, self.limit)
        })
    }

    /// What is wrong with the containers of brokers at both ends.
    fn down(&self, flow: &Flow) -> Vec<String> {
        let ends = [&flow.spec.source, &flow.spec.target];
        let clusters = ends.iter().filter_map(|end| self.lab.topology.cluster(end));
        let services = clusters.flat_map(|cluster| cluster.brokers.iter().map(|b| &b.service));
        let services: Vec<&String> = services.collect();
        let containers = self.containers.iter();
        let ill = containers.filter(|container| services.contains(&&container.service));
        ill.filter_map(|container| container.problem.clone())
            .collect()
    }

    /// Clusters other than the source that have a topic of that name.
    fn elsewhere(&self, flow: &Flow, topic: &str) -> Vec<String> {
        let others = self
            .clusters
            .iter()
            .filter(|(name, seen)| **name != flow.spec.source && seen.topics.contains_key(topic));
        others.map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// What MirrorMaker runs with, as it has stored it itself, or as kmk tells it.
fn rules(flow: &Flow, settings: Option<&BTreeMap<String, String>>) -> Rules {
    let Some(settings) = settings else {
        return Rules::of_flow(flow);
    };
    let list = |key: &str, default: &str| {
        let said = settings.get(key).map_or(default, String::as_str);
        said.to_owned()
    };
    let (topics, exclude) = (list("topics", ".*"), list("topics.exclude", config::NEVER));
    Rules::new(flow, &topics, &exclude)
}

/// A pattern as it was written, and by whom.
fn authored(flow: &Flow, topic: &str, selection: Selection) -> (Selection, Whose) {
    let Selection::Excluded(pattern) = selection else {
        let is_lab = Rules::of_flow(flow).select(topic) == selection;
        return (selection, if is_lab { Whose::Lab } else { Whose::Edited });
    };
    let mut own = flow.spec.exclude.iter();
    let written = own.find(|own| [*own, &config::spared(flow, own)].contains(&&pattern));
    let whose = if written.is_some() {
        Whose::Lab
    } else if config::NEVER.split(", ").any(|never| never == pattern) {
        Whose::Default
    } else {
        Whose::Edited
    };
    let pattern = written.cloned().unwrap_or(pattern);
    (Selection::Excluded(pattern), whose)
}

fn refresh(flow: &FlowSnapshot) -> Refresh {
    let said = flow.config.settings.as_ref().and_then(|settings| {
        let every = settings.get("refresh.topics.interval.seconds")?;
        every.parse().ok()
    });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(0));
    Refresh::new(said.unwrap_or(REFRESH_BY_DEFAULT), flow.began, now)
}

/// What keeps the target from having the topic, as far as that can be seen there.
fn obstacle(config: &Config, remote: &str, target: &ClusterSnapshot) -> Option<Obstacle> {
    let alike = |name: &str| name.replace('.', "_");
    let mut others = target.topics.keys().filter(|name| *name != remote);
    if let Some(with) = others.find(|name| alike(name) == alike(remote)) {
        return Some(Obstacle::Collision { with: with.clone() });
    }
    let asked = config.settings.as_ref()?.get("replication.factor")?;
    let asked: u64 = asked.parse().ok()?;
    let is_too_many = usize::try_from(asked).is_ok_and(|asked| asked > target.registered);
    is_too_many.then_some(Obstacle::Replicas {
        asked,
        brokers: target.registered,
    })
}

/// Records of a topic before MirrorMaker's committed position that are still on the source.
fn counted(topic: &str, source: &ClusterSnapshot, flow: &FlowSnapshot) -> u64 {
    let counted = source
        .bounds(topic)
        .map(|(partition, Ends { first, end })| {
            let last = flow.copied(&(topic.to_owned(), partition));
            let next = last.map_or(first, |last| last.saturating_add(1).min(end));
            u64::try_from(next.saturating_sub(first)).unwrap_or(0)
        });
    counted.sum()
}

fn lag_of<'a>(topic: &str, status: &'a FlowStatus) -> Option<&'a TopicLag> {
    let mut topics = status.lag.iter().flat_map(|lag| &lag.topics);
    topics.find(|lag| lag.source == topic)
}

/// A position of MirrorMaker's in the topic that is beyond the end.
fn beyond(topic: &str, status: &FlowStatus) -> Option<Beyond> {
    let lag = lag_of(topic, status)?;
    let one = lag.partitions.iter().find(|one| one.recreated)?;
    Some(Beyond {
        position: one.position?,
        end: one.end,
    })
}

/// As the status has it; of topics that it does not show, kmk's and MirrorMaker's own, by what MirrorMaker notes. None where some
/// partition has no leader to ask.
fn behind(
    topic: &str,
    shown: Option<&TopicStatus>,
    source: &ClusterSnapshot,
    records: Option<u64>,
    copied: Option<u64>,
) -> Option<u64> {
    let partitions = source.topics.get(topic)?.partitions.len();
    if source.bounds(topic).count() < partitions {
        return None;
    }
    let shown = shown.map(|shown| shown.behind);
    shown.or_else(|| Some(records?.saturating_sub(copied?)))
}
