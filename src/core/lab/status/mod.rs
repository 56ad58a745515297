//! How a lab is: its containers, clusters and flows, and whether all is well.

mod crossing;
mod report;
pub(super) mod view;
mod workers;

pub use report::{
    CanaryStatus, Clients, ClusterStatus, ContainerStatus, FlowState, FlowStatus, PartStatus,
    Status, TopicStatus,
};

use super::{Lab, State, lag};
use crate::core::docker::{Docker, DockerError};
use crate::core::kafka::{Abilities, Client};
use crate::core::lag::{FlowLag, TopicLag};
use crate::core::mirror_state::Part;
use crate::core::topology::{Access, Cluster, Flow, is_internal};
use crate::core::wait::Limit;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use view::View;
use workers::Workers;

/// What became of the canaries, by the names of their flows.
type Canaries = BTreeMap<String, CanaryStatus>;

/// The connector that copies records; without it a flow is dead.
pub const COPIES: &str = "MirrorSourceConnector";
/// How long work that passes from one worker to another may be on its way: a rebalance of theirs took about a second.
const HANDOVER: Duration = Duration::from_millis(300);
const HANDOVER_LOOKS: u32 = 8;

/// Looks at a lab. With `memory`, also at what its containers use: that takes the engine about 2 s.
///
/// # Errors
/// When docker cannot be asked about memory. A broker that does not answer is part of the status.
pub fn status(
    docker: &Docker,
    lab: &Lab,
    memory: bool,
    limit: &Limit,
) -> Result<Status, DockerError> {
    let state = lab.state();
    let (mut views, mut canaries) = if state == State::Stopped {
        // nobody of it answers, and by now its ports may be those of another lab
        (view::of_none(lab), Canaries::new())
    } else {
        look(lab, limit)
    };
    // a part that changes hands is nobody's for a moment
    let mut looks = HANDOVER_LOOKS;
    while looks > 0 && views.values().any(View::is_sharing_out) && limit.pause(HANDOVER).is_ok() {
        (views, canaries) = look(lab, limit);
        looks -= 1;
    }
    let lags;
    (views, lags) = if state == State::Stopped {
        (views, Vec::new())
    } else {
        lag::settled(lab, views, limit)
    };
    let memory = if memory {
        used_memory(docker, lab, limit)?
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
        .map(|cluster| views[cluster.name.as_str()].status(cluster))
        .collect();
    let mut lags = lags.into_iter();
    let flows: Vec<FlowStatus> = lab
        .topology
        .flows
        .iter()
        .map(|one| flow(lab, one, &views, &canaries, lags.next()))
        .collect();
    Ok(Status {
        lab: lab.spec.lab.clone(),
        healthy: containers.iter().all(|c| c.healthy)
            && clusters.iter().all(|c| c.healthy)
            && flows.iter().all(|f| f.healthy),
        state,
        directory: lab.directory(),
        containers,
        clusters,
        flows,
    })
}

/// Looks at all clusters, while canaries cross all flows.
fn look<'a>(lab: &'a Lab, limit: &Limit) -> (BTreeMap<&'a str, View>, Canaries) {
    thread::scope(|scope| {
        let canaries = scope.spawn(|| crossing::of_all(lab, limit));
        let views = view::of_all(lab, limit);
        let canaries = canaries.join();
        (views, canaries.expect("a look for canaries does not panic"))
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
    let problem = format!("container {} {}", container.name(), state.describe());
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

impl View {
    fn status(&self, cluster: &Cluster) -> ClusterStatus {
        ClusterStatus {
            name: cluster.name.clone(),
            healthy: self.problem.is_none(),
            brokers_up: self.brokers_up,
            brokers: self.brokers,
            existing: cluster.existing().is_some(),
            access: self.access,
            topics: (self.brokers_up > 0)
                .then(|| self.topics.keys().filter(|name| !is_internal(name)).count()),
            bootstrap: cluster.bootstrap_outside(),
            clients: self.clients(cluster),
            problem: self.problem.clone(),
        }
    }
}

impl View {
    /// Which clients move plain records, as `produce` and `consume` would find out for themselves.
    fn clients(&self, cluster: &Cluster) -> Option<Clients> {
        let speaker = |keeps_time| {
            let version_0 = self.version_0?;
            let cluster = Abilities {
                version_0,
                keeps_time,
            };
            Some(Client::Auto.choose(&[], cluster).ok()?.name())
        };
        Some(Clients {
            produce: speaker(!cluster.stamps_time)?,
            consume: speaker(false)?,
        })
    }
}

fn flow(
    lab: &Lab,
    flow: &Flow,
    views: &BTreeMap<&str, View>,
    canaries: &Canaries,
    lag: Option<FlowLag>,
) -> FlowStatus {
    let (source, target) = (
        &views[flow.spec.source.as_str()],
        &views[flow.spec.target.as_str()],
    );
    let mirror = target.mirrors.get(&flow.spec.source);
    let parts = mirror.map(|mirror| &mirror.parts);
    let workers = Workers::of(lab, flow);
    let crew = mirror.and_then(|mirror| mirror.crew.as_ref());
    let absent = workers.absent(crew);
    let canary = canaries.get(&flow.name()).cloned();
    let mut problems = problems(lab, flow, &workers, source, target);
    problems.extend(canary.as_ref().and_then(CanaryStatus::problem));
    let state = match (absent.is_empty(), problems.is_empty()) {
        (true, true) => FlowState::Running,
        (false, true) => FlowState::Degraded,
        (_, false) => FlowState::Ill,
    };
    problems.splice(0..0, absent);
    FlowStatus {
        name: flow.name(),
        proof: flow.proof,
        source: flow.spec.source.clone(),
        target: flow.spec.target.clone(),
        healthy: problems.is_empty(),
        state,
        canary,
        parts: (parts.into_iter().flatten())
            .map(|(part, status)| PartStatus {
                connector: part.connector.clone(),
                task: part.task,
                state: status.state.clone(),
                worker: (mirror.and_then(|mirror| mirror.crew.as_ref()?.holder(part)))
                    .map(str::to_owned),
                cause: status.cause().map(str::to_owned),
            })
            .collect(),
        behind: lag.as_ref().and_then(|lag| lag.behind),
        seconds_behind: lag.as_ref().and_then(|lag| lag.seconds_behind),
        lost: lag.as_ref().map_or(0, |lag| lag.lost),
        topics: (lag.iter().flat_map(FlowLag::copied))
            .map(TopicStatus::from)
            .collect(),
        lag,
        problems,
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
        }
    }
}

/// What keeps records from being copied.
fn problems(
    lab: &Lab,
    flow: &Flow,
    workers: &Workers<'_>,
    source: &View,
    target: &View,
) -> Vec<String> {
    if !workers.any_runs() {
        return vec!["MirrorMaker does not run".to_owned()];
    }
    let mut problems = workers.cut_links(lab, flow);
    for (name, view) in [(&flow.spec.source, source), (&flow.spec.target, target)] {
        if view.brokers_up == 0 && view.access == Access::Open {
            problems.push(format!("cluster {name} cannot be reached"));
        }
    }
    let copies = |part: &Part| part.connector == COPIES && part.task.is_none();
    match target.mirrors.get(&flow.spec.source) {
        Some(mirror) if mirror.parts.keys().any(copies) => {
            let ill = mirror
                .parts
                .iter()
                .filter(|(_, status)| !status.is_running());
            problems.extend(ill.map(|(part, status)| match status.cause() {
                Some(cause) => format!("{part} is {}: {cause}", status.state),
                None => format!("{part} is {}", status.state),
            }));
            problems.extend(workers.orphans(mirror.crew.as_ref()));
        }
        Some(_) => problems.push(format!("MirrorMaker has not reported its {COPIES} yet")),
        None => {}
    }
    problems
}
