//! Looks at a lab before a drill: what it will work with, and everything that does not allow it.

use super::finding::{Finding, Unfit};
use super::{DrillError, DrillState, Failover, Fault, Habit, siblings};
use crate::core::docker::Docker;
use crate::core::judge::failover::Mirroring;
use crate::core::judge::ledger::RunId;
use crate::core::lab::groups::{groups_at, mirroring};
use crate::core::lab::link::network;
use crate::core::lab::state::ids;
use crate::core::lab::status::{FlowState, Status, status};
use crate::core::lab::{Lab, State};
use crate::core::mirrormaker::config::EVERY;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::spec::Naming;
use crate::core::topology::{Access, Cluster, Flow, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use std::time::{Duration, SystemTime};

/// What the names of a drill's topics and groups begin with.
pub(super) const PREFIX: &str = "kmk-drill-";

/// Fewer records than this in the time of detection, and a pause is no failure.
const FEW: f64 = 4.0;

/// How many of the problems of a flow are told.
const TOLD: usize = 3;

/// What a drill works with.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) flow: &'a Flow,
    pub(super) source: Side,
    pub(super) target: Side,
    /// What producers write to before the switch, and what it is called on the target.
    pub(super) topic: String,
    pub(super) mirrored: String,
    /// What they write to after it.
    pub(super) target_topic: String,
    /// Whose names are in the order of the habits.
    pub(super) groups: Vec<(Habit, String)>,
    /// The numbers of what is written before the switch, and after it.
    pub(super) runs: (RunId, RunId),
    /// The number of what a producer writes to the source that does not know of the switch.
    pub(super) late_run: RunId,
    /// Containers: all brokers of the source, and the `MirrorMaker` of the flow.
    pub(super) brokers: Vec<String>,
    pub(super) mirrors: Vec<String>,
    /// The network on which MirrorMaker reaches the source; none where the source is an existing cluster.
    pub(super) network: Option<String>,
    /// How long it takes at most until the target has what a group committed on the source.
    pub(super) group_sync: Duration,
    /// Worth knowing.
    pub(super) notes: Vec<String>,
}

/// One end of the flow.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) name: String,
    pub(super) endpoints: Vec<Endpoint>,
}

impl Side {
    pub(super) fn of(topology: &Topology, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            endpoints: topology
                .cluster(name)
                .map_or(Vec::new(), Cluster::endpoints),
        }
    }
}

impl<'a> Plan<'a> {
    /// Looks at everything at once.
    ///
    /// # Errors
    /// [`DrillError::Unfit`] with all that was found.
    pub(super) fn make(
        docker: &Docker,
        lab: &'a Lab,
        what: &Failover,
        limit: &Limit,
    ) -> Result<Self, DrillError> {
        let flow = chosen(&lab.topology, what.flow.as_deref())?;
        let plan = Self::of(lab, flow, what);
        let mut findings = look(docker, lab, flow, plan.unfit(&lab.topology, what), limit)?;
        if let Some(observe) = &what.observe
            && !findings.iter().any(Finding::is_of_cluster)
        {
            findings.extend(observe.missing(&plan, limit)?);
        }
        none(findings)?;
        Ok(plan.with_groups_of_others(limit))
    }

    fn of(lab: &'a Lab, flow: &'a Flow, what: &Failover) -> Self {
        let run = |nth| RunId::new(SystemTime::now(), std::process::id(), nth);
        let runs = (run(0), run(1));
        let number = number(runs.0);
        let topic = format!("{PREFIX}{number}-orders");
        let mirrored = flow.remote_topic(&topic);
        let target_topic = match flow.spec.naming {
            Naming::Prefix => topic.clone(),
            Naming::Same => mirrored.clone(),
        };
        let group = |habit: &Habit| (*habit, format!("{PREFIX}{number}-{}", habit.name()));
        let (brokers, mirrors) = containers(lab, flow);
        Self {
            source: Side::of(&lab.topology, &flow.spec.source),
            target: Side::of(&lab.topology, &flow.spec.target),
            groups: what.groups.iter().map(group).collect(),
            brokers,
            mirrors,
            group_sync: group_sync(flow),
            notes: notes(&lab.topology, flow),
            flow,
            topic,
            mirrored,
            target_topic,
            runs,
            late_run: run(2),
            network: network(&lab.topology, flow),
        }
    }

    fn unfit(&self, topology: &Topology, what: &Failover) -> Vec<Finding> {
        let flow = self.flow.name();
        let mut findings = unfit(topology, self.flow, &self.topic);
        let groups = self.groups.iter();
        let groups = groups.filter(|(habit, _)| *habit != Habit::Fresh);
        let mut not_synced = groups.filter_map(|(_, group)| not_synced(self.flow, group));
        findings.extend(not_synced.next());
        findings.extend(what.observe.iter().flat_map(|observe| observe.unfit(self)));
        let is_back = |other: &&Flow| {
            (&other.spec.source, &other.spec.target) == (&self.target.name, &self.source.name)
        };
        if let Some(back) = topology.flows.iter().find(is_back)
            && (self.flow.spec.naming == Naming::Same || back.spec.naming == Naming::Same)
        {
            let back = back.name();
            findings.push(Finding::Circle { back });
        }
        if what.fault == Fault::HalfOpen && self.flow.link.is_none() {
            findings.push(Finding::NoRelay { flow: flow.clone() });
        }
        #[allow(clippy::cast_precision_loss, reason = "only few of them matter")]
        let expected = what.rate as f64 * what.detect.as_secs_f64();
        if what.fault != Fault::Planned && expected < FEW {
            findings.push(Finding::TooFewToDetect {
                rate: what.rate,
                detect: what.detect,
            });
        }
        findings
    }

    /// Groups that no MirrorMaker syncs are worth a word: a drill says nothing of them.
    fn with_groups_of_others(mut self, limit: &Limit) -> Self {
        let seen = groups_at(&self.source.endpoints, false, limit);
        let groups = seen.map(|seen| seen.groups).unwrap_or_default();
        let others = groups
            .iter()
            .filter(|group| group.is_seen() && group.kind != "classic" && group.kind != "consumer");
        self.notes.extend(others.map(|group| {
            let (name, kind) = (&group.group, &group.kind);
            format!("MirrorMaker does not sync group `{name}`, a {kind} group")
        }));
        self
    }
}

/// The beginning of the names of one drill's topics and groups: in a topic that was recreated, MirrorMaker would look for the
/// offsets of the old one.
pub(super) fn number(run: RunId) -> String {
    run.to_string()[..6].to_owned()
}

/// The ids of the containers that run: the brokers of a flow's source, and the workers of its `MirrorMaker`.
pub(super) fn containers(lab: &Lab, flow: &Flow) -> (Vec<String>, Vec<String>) {
    let up = || lab.containers.iter().filter(|container| container.is_up());
    let mirror = lab.topology.mirror_of(&flow.spec.target);
    let of_mirror = |service: &str| {
        let mut workers = mirror.iter().flat_map(|mirror| &mirror.workers);
        workers.any(|worker| worker == service)
    };
    (
        brokers_up(lab, &flow.spec.source),
        ids(up().filter(|one| of_mirror(one.service()))),
    )
}

/// What no drill of a flow can do without.
pub(super) fn unfit(topology: &Topology, flow: &Flow, topic: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in [&flow.spec.source, &flow.spec.target] {
        let cluster = topology.cluster(name);
        let is_ours =
            |cluster: &Cluster| cluster.existing().is_none() && cluster.access() == Access::Open;
        if !cluster.is_some_and(is_ours) {
            let cluster = name.clone();
            findings.push(Finding::Existing { cluster });
        }
    }
    match Rules::of_flow(flow).select(topic) {
        // what only Java can tell, the flow itself shows
        Selection::Included | Selection::NotEvaluated(_) => {}
        selection => findings.push(Finding::NotReplicated {
            flow: flow.name(),
            topic: topic.to_owned(),
            selection,
        }),
    }
    findings
}

/// Adds to what was found whether an earlier drill is in the way, or else whether the flow is healthy.
///
/// # Errors
/// When docker or the journal cannot be read.
pub(super) fn look(
    docker: &Docker,
    lab: &Lab,
    flow: &Flow,
    mut findings: Vec<Finding>,
    limit: &Limit,
) -> Result<Vec<Finding>, DrillError> {
    if let Some(state) = DrillState::load(docker, &lab.spec.lab, limit)? {
        // it says best why the flow is not healthy
        findings.push(Finding::Unfinished { flow: state.flow });
    } else if lab.state() == State::Stopped {
        let lab = lab.spec.lab.clone();
        findings.push(Finding::Stopped { lab });
    } else {
        findings.extend(health(flow, &status(docker, lab, false, limit)?));
    }
    Ok(findings)
}

/// Whether nothing was found.
///
/// # Errors
/// [`Unfit`] with all that was.
pub(super) fn none(findings: Vec<Finding>) -> Result<(), Unfit> {
    if findings.is_empty() {
        return Ok(());
    }
    Err(Unfit(findings))
}

fn health(flow: &Flow, status: &Status) -> Vec<Finding> {
    let ends = [&flow.spec.source, &flow.spec.target];
    let clusters = status.clusters.iter();
    let sick = clusters.filter(|one| ends.contains(&&one.name) && !one.healthy && !one.degraded);
    let told = sick.map(|one| Finding::ClusterNotHealthy {
        cluster: one.name.clone(),
        why: one.problem.clone().unwrap_or_default(),
    });
    let flow = status.flows.iter().find(|one| one.name == flow.name());
    let flow = flow.filter(|flow| flow.state == FlowState::Unhealthy || !flow.healthy);
    let of_flow = flow.into_iter().flat_map(|flow| {
        let problems = flow.problems.iter().take(TOLD);
        problems.map(|problem| Finding::FlowNotHealthy {
            flow: flow.name.clone(),
            why: problem.clone(),
        })
    });
    told.chain(of_flow).collect()
}

pub(super) fn chosen<'a>(topology: &'a Topology, name: Option<&str>) -> Result<&'a Flow, Unfit> {
    let names = || topology.flows.iter().map(Flow::name).collect::<Vec<_>>();
    let found = match (name, topology.flows.as_slice()) {
        (None, []) => Err(Finding::NoFlows),
        (None, [only]) => Ok(only),
        (None, _) => Err(Finding::WhichFlow(names())),
        (Some(name), flows) => {
            let found = flows.iter().find(|flow| flow.name() == name);
            found.ok_or_else(|| Finding::NoFlow {
                name: name.to_owned(),
                known: names(),
            })
        }
    };
    found.map_err(|finding| Unfit(vec![finding]))
}

/// The containers of a cluster's brokers that are up.
pub(super) fn brokers_up(lab: &Lab, cluster: &str) -> Vec<String> {
    let brokers = lab.topology.cluster(cluster).into_iter();
    let brokers = brokers.flat_map(|cluster| &cluster.brokers);
    let containers = brokers.filter_map(|broker| lab.container(&broker.service));
    ids(containers.filter(|container| container.is_up()))
}

/// What keeps a group from being synced.
pub(super) fn not_synced(flow: &Flow, group: &str) -> Option<Finding> {
    let why = match mirroring(flow, group) {
        Mirroring::Excluded => "its `groups` or `groups.exclude` leaves it out",
        Mirroring::CheckpointsOff => "emit.checkpoints.enabled=false",
        Mirroring::SyncOff => "sync.group.offsets.enabled=false",
        Mirroring::On | Mirroring::Active => return None,
    };
    Some(Finding::GroupsNotSynced {
        flow: flow.name(),
        group: group.to_owned(),
        why,
    })
}

/// What MirrorMaker's own timers may be late by.
const LATE: Duration = Duration::from_millis(500);

/// The longest time until MirrorMaker has brought along what a group committed: it notes it, and then syncs it.
pub(super) fn group_sync(flow: &Flow) -> Duration {
    let seconds = |key: &str| {
        let value = flow.setting(key).and_then(|value| value.parse().ok());
        value.unwrap_or(EVERY)
    };
    let checkpoints: u64 = seconds("emit.checkpoints.interval.seconds");
    let syncs = seconds("sync.group.offsets.interval.seconds");
    Duration::from_secs(checkpoints.saturating_add(syncs)).saturating_add(LATE)
}

fn notes(topology: &Topology, flow: &Flow) -> Vec<String> {
    let (source, target) = (&flow.spec.source, &flow.spec.target);
    let siblings = siblings::names(topology, target, &flow.name());
    let others = topology.flows.iter();
    let others = others.filter(|one| one.spec.source == *source && one.spec.target != *target);
    let others: Vec<String> = others.map(Flow::name).collect();
    let mut notes = Vec::new();
    if !siblings.is_empty() {
        notes.push(format!(
            "the same MirrorMaker also runs {}: it stops with the flow",
            siblings.join(", ")
        ));
    }
    if !others.is_empty() {
        notes.push(format!("{} loses its source too", others.join(", ")));
    }
    notes
}
