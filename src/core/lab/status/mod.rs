//! How a lab is: its containers, clusters and flows, and whether all is well.

mod cluster;
mod crossing;
mod ended;
mod quorum;
mod report;
mod workers;

pub use report::{
    Clients, ClusterStatus, ConnectorStatus, ContainerStatus, FlowStatus, RecentFailure, Status,
    TopicStatus,
};

pub use crate::core::judge::health::{CanaryStatus, FlowState};
pub use crate::core::mirrormaker::state::COPIES;

use super::{Lab, State, lag, link};
use crate::core::docker::{Docker, DockerError};
use crate::core::judge::culprit::{Culprit, Why};
use crate::core::judge::health::{self, Life, Pace, Seen};
use crate::core::judge::lag::{FlowLag, TopicLag};
use crate::core::judge::link::LinkStatus;
use crate::core::observe::{self, ClusterSnapshot, FlowSnapshot, Snapshots, Wanted, snapshots};
use crate::core::spec::in_lab;
use crate::core::topology::{Access, Flow};
use cluster::throttled;
use crossing::Crossing;
use kmk_kafka::wait::Limit;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use workers::Workers;
pub(super) use workers::throttle;

/// What was seen of flows, by their names.
type Crossings = BTreeMap<String, Crossing>;

/// How long work that passes from one worker to another may be on its way: a rebalance of theirs took about a second.
const HANDOVER: Duration = Duration::from_millis(300);
const HANDOVER_LOOKS: u32 = 8;
/// How long it takes at most to find out how a lab is, whatever of it is silent.
const PATIENCE: Duration = Duration::from_millis(4500);
/// So much of that must be left for another look.
const AGAIN: Duration = Duration::from_secs(2);

/// Looks at a lab, and sends a canary through each of its flows that may have one. Takes well under a tenth of a second where
/// all is well, and at most 5 s whatever is silent; once interrupted, whoever was still asked counts as silent. With `memory`,
/// also looks at what its containers use: that takes the engine about 2 s.
///
/// # Errors
/// When docker cannot be asked about memory. A broker that does not answer is part of the status.
pub fn status(
    docker: &Docker,
    lab: &Lab,
    memory: bool,
    limit: &Limit,
) -> Result<Status, DockerError> {
    Ok(observed(docker, lab, memory, &Wanted::default(), limit)?.0)
}

/// As [`status`], with what it rests on.
pub(super) fn observed<'a>(
    docker: &Docker,
    lab: &'a Lab,
    memory: bool,
    wanted: &Wanted,
    limit: &Limit,
) -> Result<(Status, Snapshots<'a>), DockerError> {
    let state = lab.state();
    let whole = limit;
    let limit = &limit.at_most(PATIENCE);
    let (mut views, mut crossings) = if state == State::Stopped {
        // nothing of it answers, and its ports may belong to another lab by now
        (observe::of_stopped(&lab.topology), Crossings::new())
    } else {
        look(lab, wanted, limit)
    };
    // a task that moves to another worker is assigned to none for a moment
    let mut looks = HANDOVER_LOOKS;
    while looks > 0
        && views.values().any(ClusterSnapshot::is_rebalancing)
        && limit.remaining() > AGAIN
        && limit.pause(HANDOVER).is_ok()
    {
        views = snapshots(&lab.topology, wanted, limit);
        looks -= 1;
    }
    if looks < HANDOVER_LOOKS && limit.remaining() > AGAIN {
        crossings = crossing::of_all(lab, limit);
    }
    let lags;
    (views, lags) = if state == State::Stopped {
        (views, Vec::new())
    } else {
        let in_trouble = |views: &Snapshots<'_>, lag: &FlowLag| {
            is_in_trouble(crossings.get(&lag.name), views, lag)
        };
        lag::settled((lab, wanted), views, &in_trouble, limit)
    };
    if !limit.interrupt().is_raised() {
        lag::remember(docker, lab, &lags, limit);
    }
    let memory = if memory {
        used_memory(docker, lab, whole)?
    } else {
        BTreeMap::new()
    };
    let containers: Vec<ContainerStatus> = lab
        .topology
        .services()
        .iter()
        .map(|service| container(lab, service, &memory))
        .collect();
    let clusters: Vec<ClusterStatus> = lab
        .topology
        .clusters
        .iter()
        .map(|cluster| views[cluster.name.as_str()].status(lab, cluster))
        .collect();
    let relays = observe::side_by_side(&lab.topology.flows, |flow| match state {
        State::Stopped => Vec::new(),
        _ => link::problems(flow, &lab.journal, limit),
    });
    let mut lags = lags.into_iter();
    let links = link::look(lab).into_iter().zip(relays);
    let flows: Vec<FlowStatus> = (lab.topology.flows.iter().zip(links))
        .map(|(one, link)| {
            let crossing = crossings.get(&one.name());
            let mut lag = lags.next();
            if let Some(lag) = lag.as_mut().filter(|_| !stands(crossing)) {
                // what was said may be over, where records cross
                let is_told = |one: &Culprit| matches!(one.why, Why::Reported { .. });
                lag.culprits.retain(|one| !is_told(one));
            }
            let ended = is_silent(crossing).then(|| ended::ended(docker, lab, one, limit));
            flow((lab, one), link, &views, crossing, (lag, ended.flatten()))
        })
        .collect();
    let status = Status {
        lab: lab.spec.lab.clone(),
        healthy: containers.iter().all(|c| c.healthy)
            && clusters.iter().all(|c| c.healthy)
            && flows.iter().all(|f| f.healthy),
        state,
        directory: lab.directory(),
        containers,
        clusters,
        flows,
        drill: (lab.journal.drill.as_ref()).map(|drill| drill.status(&lab.spec.lab)),
    };
    Ok((status, views))
}

/// Looks at all clusters, while canaries cross all flows.
fn look<'a>(lab: &'a Lab, wanted: &Wanted, limit: &Limit) -> (Snapshots<'a>, Crossings) {
    thread::scope(|scope| {
        let crossings = scope.spawn(|| crossing::of_all(lab, limit));
        let views = snapshots(&lab.topology, wanted, limit);
        let crossings = crossings.join();
        (views, crossings.expect("a look at flows does not panic"))
    })
}

fn used_memory(
    docker: &Docker,
    lab: &Lab,
    limit: &Limit,
) -> Result<BTreeMap<String, String>, DockerError> {
    let running = lab
        .containers
        .iter()
        .filter(|container| container.is_running());
    let ids: Vec<String> = running.map(|container| container.id.clone()).collect();
    Ok(docker.memory(&ids, limit)?.into_iter().collect())
}

fn container(lab: &Lab, service: &str, memory: &BTreeMap<String, String>) -> ContainerStatus {
    let Some(container) = lab.container(service) else {
        return ContainerStatus {
            service: service.to_owned(),
            name: None,
            state: "missing".to_owned(),
            healthy: false,
            since: None,
            problem: Some(format!("container of {service} is missing")),
            memory: None,
        };
    };
    let state = &container.state;
    let since = if container.is_running() || state.finished_at < state.started_at {
        &state.started_at
    } else {
        &state.finished_at
    };
    // a MirrorMaker that cannot start ends with the same code
    let why = if state.is_java_out_of_memory() && !lab.is_mirror(container) {
        let lab = in_lab(&lab.spec.lab);
        format!(" (Java was out of memory; `kmk logs{lab} {service}` shows it)")
    } else {
        String::new()
    };
    let problem = format!("container {} {}{why}", container.name(), state.describe());
    ContainerStatus {
        service: service.to_owned(),
        name: Some(container.name().to_owned()),
        state: state.status.clone(),
        healthy: container.is_running(),
        since: (!since.starts_with("0001")).then(|| since.clone()),
        problem: (!container.is_running()).then_some(problem),
        memory: memory.get(&container.id).cloned(),
    }
}

/// Whether no canary crosses.
fn stands(crossing: Option<&Crossing>) -> bool {
    let canary = crossing.and_then(|crossing| crossing.canary.as_ref());
    is_silent(crossing) || matches!(canary, Some(CanaryStatus::Missing { .. }))
}

fn is_silent(crossing: Option<&Crossing>) -> bool {
    crossing.is_some_and(|crossing| matches!(crossing.life, Life::Silent(_)))
}

/// Whether something may keep the records of a whole flow from crossing.
fn is_in_trouble(crossing: Option<&Crossing>, views: &Snapshots<'_>, lag: &FlowLag) -> bool {
    let mirror = (views.get(lag.target.as_str())).and_then(|view| view.flows.get(&lag.source));
    let fails = mirror.is_some_and(|mirror| !mirror.recent_failure().is_empty());
    stands(crossing) || (fails && lag.behind > Some(0))
}

fn flow(
    (lab, flow): (&Lab, &Flow),
    (link, relays): (LinkStatus, Vec<String>),
    views: &Snapshots<'_>,
    crossing: Option<&Crossing>,
    (lag, ended): (Option<FlowLag>, Option<String>),
) -> FlowStatus {
    let (source, target) = (
        &views[flow.spec.source.as_str()],
        &views[flow.spec.target.as_str()],
    );
    let mirror = target.flows.get(&flow.spec.source);
    let parts = mirror.map(|mirror| &mirror.parts);
    let behind = lag.as_ref().and_then(|lag| lag.behind);
    let mut seen = seen((lab, flow, &link), source, target);
    seen.canary = crossing.and_then(|crossing| crossing.canary.as_ref());
    seen.life = crossing.map_or(Life::Unknown, |crossing| crossing.life);
    if behind > Some(0) {
        seen.pace = Pace::Blocked;
    }
    seen.ended = ended.as_deref();
    (seen.relays, seen.line) = (relays, link::delay(flow, &lab.journal));
    if let Some(lag) = &lag {
        (seen.stalled, seen.culprits) = (&lag.stalled, &lag.culprits);
    }
    let verdict = health::judge(&seen);
    let mut problems = verdict.problems;
    problems.extend(lag.iter().flat_map(FlowLag::losses));
    let mut doubts = verdict.doubts;
    let of_losses: Vec<String> = lag.iter().flat_map(FlowLag::doubts).collect();
    problems.extend(of_losses.iter().cloned());
    doubts.extend(of_losses);
    FlowStatus {
        name: flow.name(),
        proof: flow.proof,
        source: flow.spec.source.clone(),
        target: flow.spec.target.clone(),
        healthy: problems.is_empty(),
        state: verdict.state,
        canary: seen.canary.cloned(),
        heartbeat_age_ms: match seen.life {
            Life::Unknown => None,
            Life::Heard(age) | Life::Silent(age) => u64::try_from(age.as_millis()).ok(),
        },
        down: seen.down.is_some() || seen.ended.is_some(),
        parts: (parts.into_iter().flatten())
            .map(|(part, status)| ConnectorStatus {
                connector: part.connector.clone(),
                task: part.task,
                state: status.state.clone(),
                worker: (mirror.and_then(|mirror| mirror.assignment.as_ref()?.holder(part)))
                    .map(str::to_owned),
                cause: status.cause().map(str::to_owned),
                recent_failure: (seen.failed.iter())
                    .find(|(failed, ..)| *failed == part)
                    .map(|(_, age, cause)| RecentFailure {
                        millis: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                        cause: (*cause).to_owned(),
                    }),
            })
            .collect(),
        behind,
        seconds_behind: lag.as_ref().and_then(|lag| lag.seconds_behind),
        lost: lag.as_ref().map_or(0, |lag| lag.lost),
        last_known: None,
        position_age_seconds: lag.as_ref().and_then(|lag| lag.position_age_seconds),
        never_copied: lag.as_ref().map_or(0, |lag| lag.never_copied),
        topics: (lag.iter().flat_map(FlowLag::copied))
            .map(TopicStatus::from)
            .collect(),
        stalled: seen.stalled.to_vec(),
        culprits: seen.culprits.to_vec(),
        lag,
        ended,
        link,
        problems,
        doubts,
    }
}

impl From<&TopicLag> for TopicStatus {
    fn from(lag: &TopicLag) -> Self {
        Self {
            source: lag.source.clone(),
            remote: lag.remote.clone(),
            partitions: lag.partition_count,
            state: lag.state,
            behind: lag.behind,
            seconds_behind: lag.seconds_behind,
            lost: lag.lost,
            never_copied: lag.never_copied,
            is_never_copied_exact: lag.is_never_copied_exact,
            possibly_never_copied: lag.possibly_never_copied,
            doubtful: lag.doubtful(),
            recreated: lag.recreated,
            past: lag.past.clone(),
        }
    }
}

/// What is seen of a flow by looking at its clusters and containers.
fn seen<'a>(
    (lab, flow, link): (&Lab, &'a Flow, &LinkStatus),
    source: &'a ClusterSnapshot,
    target: &'a ClusterSnapshot,
) -> Seen<'a> {
    let workers = Workers::of(lab, flow);
    let mirror = target.flows.get(&flow.spec.source);
    let assignment = mirror.and_then(|mirror| mirror.assignment.as_ref());
    let ends = [(&flow.spec.source, source), (&flow.spec.target, target)];
    let silent = ends
        .iter()
        .filter(|(_, view)| view.brokers_up == 0 && view.access == Access::Open);
    let clusters = ends
        .iter()
        .filter_map(|(name, _)| lab.topology.cluster(name));
    let is_far = clusters.clone().any(|cluster| cluster.existing().is_some());
    let mut limited = workers.throttled();
    limited.extend(clusters.flat_map(|cluster| throttled(lab, cluster)));
    Seen {
        down: workers.down(),
        absent: workers.absent(assignment),
        cut: workers.cut_links(lab, flow, link),
        out_of_reach: silent.map(|(name, _)| name.as_str()).collect(),
        parts: mirror.map(|mirror| &mirror.parts),
        failed: mirror.map_or_else(Vec::new, FlowSnapshot::recent_failure),
        orphans: mirror.map_or_else(Vec::new, |_| workers.orphans(assignment)),
        throttled: limited,
        policies: (source.policies.iter().chain(&target.policies))
            .filter(|wrong| {
                (&wrong.flow.0, &wrong.flow.1) == (&flow.spec.source, &flow.spec.target)
            })
            .collect(),
        pace: if is_far || !flow.spec.settings.is_empty() {
            Pace::Blocked
        } else {
            Pace::Free
        },
        ..Seen::default()
    }
}
