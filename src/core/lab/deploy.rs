//! Brings a lab up, or to what is asked of it, and waits until it replicates.

use super::canary::Canary;
use super::destroy::{self, Remains};
use super::{Lab, LabError};
use crate::core::compose::{self, LABEL_CONFIG};
use crate::core::docker::{Container, Docker, DockerError, Engine, Recreate};
use crate::core::event::{Event, Observer};
use crate::core::kafka::{Admin, KafkaError};
use crate::core::lock::{self, Lock, LockError};
use crate::core::preflight::{self, Preflight};
use crate::core::scenario;
use crate::core::spec::{self, Spec};
use crate::core::topology::{self, Flow, IMAGE_VARIABLE, Topology};
use crate::core::wait::{Interrupt, Limit, Probe, Stop};
use crate::core::workdir::{PROPERTIES_FILE, Workdir, WorkdirError};
use crate::core::{mm2, port};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the files go when nobody says, in the current directory.
pub const DEFAULT_DIRECTORY: &str = "kmk-lab";
/// Lines of a container's log that a failure shows.
const LOG_LINES: usize = 20;
/// How often a cluster is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long one look at a cluster may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long taking back may take.
const ROLLBACK: Duration = Duration::from_secs(60);

/// What is asked of a deploy.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the lab.
    pub lab: String,
    /// What is to differ from the lab as it is, or from the default one.
    pub change: Change,
    /// Give clusters without a port of their own the next free one.
    pub any_port: bool,
    /// Where the files go; without, where the lab's files are, or [`DEFAULT_DIRECTORY`].
    pub directory: Option<PathBuf>,
    /// Overwrite files that kmk did not write, or that were edited since.
    pub overwrite: bool,
    /// Leave what was made when the deploy fails.
    pub keep: bool,
}

/// What is to differ; `None` and empty leave things as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Java regular expressions of the topics to mirror, on every flow.
    pub topics: Option<Vec<String>>,
    /// Java regular expressions of the topics to leave out, on every flow.
    pub exclude: Option<Vec<String>>,
    /// Partitions of new topics, on every cluster.
    pub partitions: Option<u32>,
    /// First port of clusters, by name.
    pub ports: Vec<(String, u16)>,
    /// The Kafka image.
    pub image: Option<String>,
}

/// A lab that replicates.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What runs.
    pub topology: Topology,
    /// What was done to get there.
    pub outcome: Outcome,
    /// The image that it runs.
    pub image: String,
    /// Where its files are.
    pub directory: PathBuf,
    /// From the first question to docker to the last canary.
    pub took: Duration,
}

/// What a deploy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Made the lab.
    Created,
    /// Nothing: it ran as asked.
    Unchanged,
    /// Made or started what was missing, and made these services anew.
    Changed(Vec<String>),
}

/// What a deploy would write.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// What would run.
    pub topology: Topology,
    /// Text of the compose file, without its header.
    pub compose: String,
    /// Text of MirrorMaker's properties, without its header.
    pub properties: String,
}

/// Why a lab did not come up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// What is asked for makes no lab.
    #[error("{}", list(.0))]
    Spec(Vec<spec::Problem>),
    /// Something stands in the way.
    #[error("{}", list(.0))]
    Preflight(Vec<preflight::Problem>),
    /// The lab that is there cannot be described.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The files cannot be written.
    #[error(transparent)]
    Workdir(#[from] WorkdirError),
    /// Docker has no network left to give.
    #[error("Docker has no free address range for another network")]
    NoNetworkLeft,
    /// Docker refused or failed.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A container ended, a broker did not answer, or a canary did not arrive.
    #[error("{what}: {why}")]
    NotReady {
        /// What was waited for.
        what: String,
        /// What was last seen, or what happened.
        why: String,
        /// The container that it most likely lies with.
        suspect: Option<Suspect>,
    },
    /// The person interrupted.
    #[error("interrupted")]
    Interrupted,
}

fn list<T: ToString>(problems: &[T]) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    problems.join("\n")
}

/// A container, as it was when a deploy failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Its name.
    pub container: String,
    /// What it was doing, such as "exited with code 137 (out of memory)".
    pub state: String,
    /// The end of its log.
    pub log: Vec<String>,
}

/// A failed deploy, and what became of what it had made.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failure {
    /// Why.
    #[source]
    pub cause: DeployError,
    /// What is left.
    pub aftermath: Aftermath,
}

/// What is left after a failed deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aftermath {
    /// It had made nothing.
    NothingMade,
    /// All that it had made is gone again.
    RolledBack,
    /// All that it had made is still there, as was asked.
    Kept,
    /// The lab was there before, and stays.
    LabStays,
    /// Taking back failed too, and why.
    RollbackFailed(String),
}

impl From<Stop> for DeployError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            Stop::Deadline { last_seen, .. } => Self::NotReady {
                what: "the lab is not ready".to_owned(),
                why: last_seen,
                suspect: None,
            },
        }
    }
}

impl Change {
    /// The spec with the change.
    ///
    /// # Errors
    /// All problems of the result.
    pub fn apply(&self, mut spec: Spec) -> Result<Spec, Vec<spec::Problem>> {
        let mut problems = Vec::new();
        for (name, port) in &self.ports {
            let known = spec.cluster_names();
            match spec.clusters.iter_mut().find(|cluster| cluster.name == *name) {
                Some(cluster) => cluster.port = Some(*port),
                None => problems.push(spec::Problem::UnknownCluster { name: name.clone(), known }),
            }
        }
        for cluster in &mut spec.clusters {
            cluster.partitions = self.partitions.unwrap_or(cluster.partitions);
        }
        for flow in &mut spec.flows {
            flow.topics = self.topics.clone().unwrap_or_else(|| flow.topics.clone());
            flow.exclude = self.exclude.clone().unwrap_or_else(|| flow.exclude.clone());
        }
        spec.image = self.image.clone().or(spec.image);
        problems.extend(spec.validate().err().unwrap_or_default());
        problems.extend(Topology::new(&spec).port_clashes());
        if problems.is_empty() { Ok(spec) } else { Err(problems) }
    }
}

/// What a deploy of a new lab would write. Needs no Docker.
///
/// # Errors
/// All problems of the spec.
pub fn render(request: &Request) -> Result<Rendered, Vec<spec::Problem>> {
    let spec = request.change.apply(scenario::dr(&request.lab))?;
    Ok(Rendered::new(&spec))
}

impl Rendered {
    fn new(spec: &Spec) -> Self {
        let topology = Topology::new(spec);
        let properties = mm2::render(&topology);
        Self {
            compose: compose::render(&topology, &format!("./{PROPERTIES_FILE}"), &properties),
            properties,
            topology,
        }
    }
}

/// Makes the lab what is asked, and waits until a canary has crossed every flow. Does nothing to a lab that already is.
///
/// # Errors
/// [`Failure`]. A lab that this deploy made is taken back, unless asked to keep it; one that was there before stays.
pub fn deploy(request: &Request, limit: &Limit, observer: &dyn Observer) -> Result<Deployed, Failure> {
    let begun = Instant::now();
    let nothing_made = |cause: DeployError| Failure { cause, aftermath: Aftermath::NothingMade };
    render(request).map_err(|problems| nothing_made(DeployError::Spec(problems)))?;
    let (docker, engine) = engine(limit).map_err(nothing_made)?;
    let lock = Lock::take(&lock::runtime_directory(), &engine.id, &request.lab, "deploy");
    let _lock = lock.map_err(|error| nothing_made(error.into()))?;
    let plan = Plan::make(request, &docker, &engine, limit, observer).map_err(nothing_made)?;
    match plan.carry_out(limit, observer) {
        Ok(outcome) => Ok(Deployed {
            topology: plan.rendered.topology,
            outcome,
            image: plan.image,
            directory: plan.workdir.path().to_owned(),
            took: begun.elapsed(),
        }),
        Err(cause) => {
            let aftermath = plan.clean_up(request.keep, observer);
            Err(Failure { cause, aftermath })
        }
    }
}

fn engine(limit: &Limit) -> Result<(Docker, Engine), DeployError> {
    let docker = Docker::find().map_err(one_problem)?;
    match docker.engine(limit) {
        Ok(engine) => Ok((docker, engine)),
        Err(DockerError::Stopped { stop: Stop::Interrupted, .. }) => Err(DeployError::Interrupted),
        Err(error) => {
            // the plugin is asked too: both problems in one go
            let problems = [Some(error.into()), preflight::compose(&docker, limit).err()];
            Err(DeployError::Preflight(problems.into_iter().flatten().collect()))
        }
    }
}

fn one_problem(error: DockerError) -> DeployError {
    DeployError::Preflight(vec![error.into()])
}

/// Everything that is known before anything is made.
struct Plan<'a> {
    docker: &'a Docker,
    rendered: Rendered,
    workdir: Workdir,
    overwrite: bool,
    image: String,
    existing: Vec<Container>,
    /// Whether there was anything of this lab before: then nothing of it is ever taken back.
    was_there: bool,
}

impl<'a> Plan<'a> {
    fn make(
        request: &Request,
        docker: &'a Docker,
        engine: &Engine,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Self, DeployError> {
        let lab = Lab::look_for(docker, &request.lab, limit).map_err(|error| match error {
            LabError::Docker(error) => DeployError::from(error),
            other => other.into(),
        })?;
        let was_there = lab.is_some() || !Remains::find(docker, &request.lab, limit)?.is_nothing();
        let base = lab.as_ref().map_or_else(|| scenario::dr(&request.lab), |lab| lab.spec.clone());
        let mut spec = request.change.apply(base).map_err(DeployError::Spec)?;
        let existing = lab.as_ref().map_or_else(Vec::new, |lab| lab.containers.clone());
        if request.any_port {
            choose_ports(&mut spec, &existing);
        }
        let directory = request.directory.clone().or_else(|| lab.as_ref().and_then(Lab::directory));
        let workdir = Workdir::new(directory.unwrap_or_else(|| default_directory(&request.lab)));
        let rendered = Rendered::new(&spec);
        let checks = Preflight {
            docker,
            engine,
            topology: &rendered.topology,
            workdir: &workdir,
            overwrite: request.overwrite,
            existing: &existing,
        };
        let image = checks.run(limit, observer).map_err(|problems| {
            if limit.interrupt().is_raised() {
                DeployError::Interrupted
            } else {
                DeployError::Preflight(problems)
            }
        })?;
        Ok(Self {
            docker,
            rendered,
            workdir,
            overwrite: request.overwrite,
            image,
            existing,
            was_there,
        })
    }

    fn lab(&self) -> &str {
        &self.rendered.topology.spec.lab
    }

    fn carry_out(&self, limit: &Limit, observer: &dyn Observer) -> Result<Outcome, DeployError> {
        let Rendered { compose, properties, .. } = &self.rendered;
        self.workdir.write(self.lab(), compose, properties, self.overwrite)?;
        let outcome = self.up(limit, observer)?;
        self.wait_for_brokers(limit, observer)?;
        self.wait_for_canaries(limit, observer)?;
        Ok(outcome)
    }

    fn up(&self, limit: &Limit, observer: &dyn Observer) -> Result<Outcome, DeployError> {
        let changed = self.changed();
        let is_whole = self.rendered.topology.services().iter().all(|service| {
            self.existing.iter().any(|c| c.service() == service && c.is_running())
        });
        if is_whole && changed.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let begun = Instant::now();
        observer.on(Event::Started("Starting the containers".to_owned()));
        let paused = self.existing.iter().filter(|c| c.state.status == "paused");
        let paused: Vec<String> = paused.map(|container| container.id.clone()).collect();
        self.docker.unpause(&paused, limit).map_err(|error| self.explain(error, limit))?;
        if !changed.is_empty() {
            self.compose_up(&Recreate::Services(changed.clone()), limit, observer)?;
        }
        self.compose_up(&Recreate::Nothing, limit, observer)?;
        observer.on(Event::Done {
            what: "Started the containers".to_owned(),
            took: begun.elapsed(),
        });
        Ok(if self.was_there { Outcome::Changed(changed) } else { Outcome::Created })
    }

    /// Services whose containers were made from another configuration, or mount their files from elsewhere.
    fn changed(&self) -> Vec<String> {
        let digests = compose::config_digests(&self.rendered.compose);
        let mirrors = &self.rendered.topology.mirrors;
        let file = std::path::absolute(self.workdir.compose_file()).unwrap_or_default();
        let is_changed = |container: &&Container| {
            let service = container.service();
            let moved = mirrors.iter().any(|mirror| mirror.service == service)
                && container.compose_file().map(PathBuf::from) != Some(file.clone());
            let digest = digests.get(service).map(String::as_str);
            digest.is_some() && (moved || container.label(LABEL_CONFIG) != digest)
        };
        let changed = self.existing.iter().filter(is_changed);
        changed.map(|container| container.service().to_owned()).collect()
    }

    fn compose_up(&self, recreate: &Recreate, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let variables = [(IMAGE_VARIABLE, OsString::from(&self.image))];
        let told = |line: String| observer.on(Event::Child(line));
        let file = self.workdir.compose_file();
        let project = topology::project(self.lab());
        let up = self.docker.up(&project, &file, &variables, recreate, limit, told);
        up.map_err(|error| self.explain(error, limit))
    }

    /// What docker's words mean, where that is known.
    fn explain(&self, error: DockerError, limit: &Limit) -> DeployError {
        let said = match &error {
            DockerError::Failed { said, .. } => said,
            DockerError::Stopped { stop: Stop::Interrupted, .. } => return DeployError::Interrupted,
            _ => return error.into(),
        };
        if said.contains("address pool") || said.contains("fully subnetted") {
            return DeployError::NoNetworkLeft;
        }
        let taken = ["already allocated", "already in use", "orts are not available"];
        if taken.iter().any(|words| said.contains(words)) {
            for cluster in &self.rendered.topology.clusters {
                let endpoints = cluster.endpoints();
                let port = endpoints.iter().find(|endpoint| said.contains(&endpoint.to_string()));
                if let Some(endpoint) = port {
                    let problem = preflight::busy(self.docker, &cluster.name, endpoint.port, limit);
                    return DeployError::Preflight(vec![problem]);
                }
            }
        }
        error.into()
    }

    fn wait_for_brokers(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let begun = Instant::now();
        observer.on(Event::Started("Waiting for the brokers".to_owned()));
        for cluster in &self.rendered.topology.clusters {
            for broker in &cluster.brokers {
                let what = format!("broker {} of cluster `{}` does not answer", broker.service, cluster.name);
                let mut watch = Watch::new(self, &broker.service);
                let probe = || {
                    watch.look(limit)?;
                    let short = limit.at_most(PATIENCE);
                    let endpoint = std::slice::from_ref(&broker.outside);
                    match Admin::connect(endpoint, &short).and_then(|mut admin| admin.topics(&short)) {
                        Ok(_) => Ok(Probe::Ready(())),
                        Err(error) => {
                            observer.on(Event::Progress(error.to_string()));
                            Ok(Probe::NotYet(error.to_string()))
                        }
                    }
                };
                let waited = limit.until(LOOK, probe);
                waited.map_err(|ended: Ended| self.not_ready(what, ended, &broker.service))?;
            }
        }
        observer.on(Event::Done {
            what: "All brokers answer".to_owned(),
            took: begun.elapsed(),
        });
        Ok(())
    }

    fn wait_for_canaries(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let begun = Instant::now();
        let flows = &self.rendered.topology.flows;
        observer.on(Event::Started("Waiting until a canary has crossed every flow".to_owned()));
        // sent all at once: MirrorMaker finds their topics when it first looks
        let sent: Vec<(&Flow, Canary)> = flows
            .iter()
            .map(|flow| {
                let canary = Canary::send(&self.rendered.topology, flow, limit);
                let canary = canary.map_err(|error| {
                    self.not_ready(does_not_replicate(flow), error.into(), &flow.spec.source)
                })?;
                Ok((flow, canary))
            })
            .collect::<Result<_, DeployError>>()?;
        for (flow, mut canary) in sent {
            let mut watch = Watch::new(self, self.mirror(flow));
            let probe = || {
                watch.look(limit)?;
                let seen = match canary.has_arrived(&limit.at_most(PATIENCE)) {
                    Ok(true) => return Ok(Probe::Ready(())),
                    Ok(false) => format!("no canary on cluster `{}` yet", flow.spec.target),
                    Err(error) => error.to_string(),
                };
                observer.on(Event::Progress(seen.clone()));
                Ok(Probe::NotYet(seen))
            };
            let arrived = limit.until(LOOK, probe);
            arrived.map_err(|ended| self.not_ready(does_not_replicate(flow), ended, self.mirror(flow)))?;
            observer.on(Event::Progress(format!("{} replicates", flow.name())));
        }
        observer.on(Event::Done {
            what: "A canary has crossed every flow".to_owned(),
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// The service of the MirrorMaker that carries a flow.
    fn mirror(&self, flow: &Flow) -> &str {
        let mut mirrors = self.rendered.topology.mirrors.iter();
        let mirror = mirrors.find(|mirror| mirror.target == flow.spec.target);
        mirror.map_or("", |mirror| &mirror.service)
    }

    fn not_ready(&self, what: String, ended: Ended, service: &str) -> DeployError {
        let why = match ended {
            Ended::Stop(Stop::Interrupted) => return DeployError::Interrupted,
            Ended::Stop(stop @ Stop::Deadline { .. }) => stop.to_string(),
            Ended::Because(why) => why,
        };
        DeployError::NotReady { what, why, suspect: self.suspect(service) }
    }

    /// The container of the service, with the end of its log.
    fn suspect(&self, service: &str) -> Option<Suspect> {
        let limit = Limit::new(PATIENCE, &Interrupt::default());
        let lab = Lab::look_for(self.docker, self.lab(), &limit).ok()??;
        let container = lab.container(service)?;
        Some(Suspect {
            container: container.name().to_owned(),
            state: container.state.describe(),
            log: self.docker.log_tail(&container.id, LOG_LINES, &limit).unwrap_or_default(),
        })
    }

    fn clean_up(&self, keep: bool, observer: &dyn Observer) -> Aftermath {
        if self.was_there {
            return Aftermath::LabStays;
        }
        if keep {
            return Aftermath::Kept;
        }
        observer.on(Event::Started("Taking back what was made".to_owned()));
        // not the limit that failed, nor the interrupt that brought us here
        let limit = Limit::new(ROLLBACK, &Interrupt::default());
        let removed = destroy::remove(self.docker, self.lab(), &limit).map_err(|error| error.to_string());
        let files = self.workdir.remove(self.lab()).map_err(|error| error.to_string());
        match removed.and(files) {
            Ok(_) => Aftermath::RolledBack,
            Err(why) => Aftermath::RollbackFailed(why),
        }
    }
}

/// How a wait for a service ended.
enum Ended {
    Stop(Stop),
    Because(String),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<KafkaError> for Ended {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Stopped(stop) => Self::Stop(stop),
            other => Self::Because(other.to_string()),
        }
    }
}

fn does_not_replicate(flow: &Flow) -> String {
    format!("flow {} does not replicate", flow.name())
}

/// Looks now and then whether a container that is waited for has died.
struct Watch<'a> {
    plan: &'a Plan<'a>,
    service: &'a str,
    looked: Instant,
}

impl<'a> Watch<'a> {
    const EVERY: Duration = Duration::from_secs(1);

    fn new(plan: &'a Plan<'a>, service: &'a str) -> Self {
        Self { plan, service, looked: Instant::now() }
    }

    fn look(&mut self, limit: &Limit) -> Result<(), Ended> {
        if self.looked.elapsed() < Self::EVERY {
            return Ok(());
        }
        self.looked = Instant::now();
        let Ok(Some(lab)) = Lab::look_for(self.plan.docker, self.plan.lab(), limit) else {
            return Ok(());
        };
        match lab.container(self.service) {
            None => Err(Ended::Because("its container is gone".to_owned())),
            Some(container) if ["exited", "dead"].contains(&container.state.status.as_str()) => {
                Err(Ended::Because(format!("its container {}", container.state.describe())))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Where a lab's files go when nobody says.
pub fn default_directory(lab: &str) -> PathBuf {
    PathBuf::from(if lab == spec::DEFAULT_LAB {
        DEFAULT_DIRECTORY.to_owned()
    } else {
        format!("{DEFAULT_DIRECTORY}-{lab}")
    })
}

/// Gives every cluster that has no port of its own, and whose usual one is taken, the next free one.
fn choose_ports(spec: &mut Spec, existing: &[Container]) {
    let resolved = Topology::new(spec);
    let ports = |cluster: &topology::Cluster| cluster.endpoints().iter().map(|e| e.port).collect::<Vec<_>>();
    let mut taken: Vec<u16> = Vec::new();
    for (cluster, resolved) in spec.clusters.iter_mut().zip(&resolved.clusters) {
        let usual = ports(resolved);
        let is_ours = |port: &u16| existing.iter().any(|c| c.is_running() && c.publishes(*port));
        let is_usable = |port: &u16| !taken.contains(port) && (is_ours(port) || port::is_free(*port));
        if cluster.port.is_none() && !usual.iter().all(is_usable) {
            cluster.port = port::next_free(usual[0], cluster.brokers, &taken);
        }
        let first = cluster.port.unwrap_or(usual[0]);
        taken.extend((0..cluster.brokers).map(|index| first + index));
    }
}
