//! Starts a lab that was stopped, as it was, and waits until it replicates. Makes nothing: that is for a deploy.

use super::deploy::ready::Readiness;
use super::deploy::refusal::explain;
use super::deploy::{DeployError, Rendered};
use super::link::{KeptCuts, put_all};
use super::state::ids;
use super::{Lab, LabError, is_original};
use crate::core::compose::ClassCache;
use crate::core::docker::{Container, Docker, DockerError, EngineHost};
use crate::core::event::{Event, Observer, step};
use crate::core::judge::link::LinkStatus;
use crate::core::lab::lock::{self, Lock, LockError};
use crate::core::lab::workdir::{PROPERTIES_FILE, Workdir};
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A lab that replicates again.
#[derive(Debug, Clone)]
pub struct Started {
    /// What runs.
    pub topology: Topology,
    /// Containers that did not run; none where the lab ran before.
    pub containers: usize,
    /// Links that stay cut, as `kmk link cut` left them.
    pub cut: Vec<LinkStatus>,
    /// From the first question to docker to the last canary.
    pub took: Duration,
}

/// Why a lab does not run again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is none of that name, or none that this kmk understands.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Docker cannot be asked.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// There is nothing to start: these services have no container any more.
    #[error("lab `{lab}` is missing containers: {}", services.join(", "))]
    Incomplete {
        /// The lab.
        lab: String,
        /// The services.
        services: Vec<String>,
    },
    /// It was begun, and failed as a deploy can.
    #[error(transparent)]
    NotUp(#[from] DeployError),
}

/// Starts what does not run of `name`, and waits until a canary has crossed every flow. A lab that runs is only waited for.
///
/// # Errors
/// [`StartError`]. What was started goes on.
pub fn start(
    docker: &Docker,
    name: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Started, StartError> {
    let begun = Instant::now();
    let engine = docker.engine(limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "start")?;
    let lab = Lab::find(docker, name, limit)?;
    let services = lab.missing();
    if !services.is_empty() {
        let lab = name.to_owned();
        return Err(StartError::Incomplete { lab, services });
    }
    let cuts = KeptCuts::of(&lab.topology, &lab.containers, &lab.journal);
    cuts.tell(observer);
    write_files(&lab, limit, observer)?;
    let containers = wake(docker, &lab, limit, observer)?;
    let readiness = Readiness {
        docker,
        topology: &cuts.uncut(&lab.topology),
        existing: &lab.containers,
    };
    readiness.wait(limit, observer)?;
    Ok(Started {
        topology: lab.topology,
        containers,
        cut: cuts.into_links(),
        took: begun.elapsed(),
    })
}

/// Writes the files that a lab was deployed with, where they are gone: MirrorMaker's container mounts one.
fn write_files(lab: &Lab, limit: &Limit, observer: &dyn Observer) -> Result<(), StartError> {
    let engine_host = EngineHost::find(limit)?;
    let is_gone = |directory: &PathBuf| !directory.join(PROPERTIES_FILE).exists();
    let gone: Vec<PathBuf> = lab.directories().into_iter().filter(is_gone).collect();
    // elsewhere the engine has its own
    if engine_host != EngineHost::Local || gone.is_empty() {
        return Ok(());
    }
    let rendered = Rendered::of(lab.topology.clone(), &engine_host, ClassCache::Shared);
    let owner = engine_host.owner(&lab.spec.lab);
    for directory in gone {
        let workdir = Workdir::new(directory);
        let written = workdir.write(&owner, &rendered.compose.text, &rendered.properties, false);
        written.map_err(DeployError::from)?;
        observer.on(Event::Note(format!(
            "the lab's files were missing from {}, and have been written again",
            workdir.path().display()
        )));
    }
    Ok(())
}

/// Starts the containers that do not run, brokers first, and counts them.
fn wake(
    docker: &Docker,
    lab: &Lab,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<usize, DeployError> {
    let asleep = lab
        .containers
        .iter()
        .filter(|container| is_original(container) && !container.is_running());
    let (paused, down): (Vec<&Container>, Vec<&Container>) =
        asleep.partition(|container| container.state.status == "paused");
    let (mirrors, brokers) = lab.mirrors_and_brokers(down);
    let count = paused.len() + mirrors.len() + brokers.len();
    if count == 0 {
        put_all(&lab.topology, &lab.journal, limit, observer)?;
        return Ok(0);
    }
    let (what, done) = ("Starting the containers", "Started the containers");
    step(observer, what, done, || {
        let started = docker
            .unpause(&ids(paused), limit)
            .and_then(|()| docker.start(&brokers, limit));
        started.map_err(|error| explain(error, docker, &lab.topology, limit))?;
        put_all(&lab.topology, &lab.journal, limit, observer)?;
        let started = docker.start(&mirrors, limit);
        started.map_err(|error| explain(error, docker, &lab.topology, limit))?;
        Ok(count)
    })
}
