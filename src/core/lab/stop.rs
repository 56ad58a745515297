//! Stops a lab: its memory is free again, and its containers, records and offsets stay for [`start`](super::start).

use super::state::ids;
use super::{Lab, LabError, link};
use crate::core::docker::{Container, Docker, DockerError};
use crate::core::event::{Event, Observer, step};
use crate::core::judge::link::LinkStatus;
use crate::core::lab::lock::{self, Lock, LockError};
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::{Duration, Instant};

/// What was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Containers that ran; none where the lab was stopped before.
    pub containers: usize,
    /// How long it took.
    pub took: Duration,
}

/// Why a lab is not, or not wholly, stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// There is none of that name, or none that this kmk understands.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Docker did not stop something.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A person interrupted, when it had begun.
    #[error("interrupted: {} of lab `{lab}` still run", running.join(", "))]
    Interrupted {
        /// The lab.
        lab: String,
        /// The services that run.
        running: Vec<String>,
    },
}

/// How long is looked at what an interruption has left.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// Stops what runs of `name`, each container with its own grace. Where nothing of it runs, that is no error.
///
/// # Errors
/// [`StopError`].
pub fn stop(
    docker: &Docker,
    name: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Stopped, StopError> {
    let begun = Instant::now();
    let engine = docker.engine(limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "stop")?;
    let lab = Lab::find(docker, name, limit)?;
    let up: Vec<&Container> = lab.containers.iter().filter(|c| c.is_up()).collect();
    // a paused process hears nothing of its end
    let paused = up.iter().filter(|c| c.state.status == "paused");
    docker.unpause(&ids(paused.copied()), limit)?;
    let (mirrors, brokers) = lab.mirrors_and_brokers(up.iter().copied());
    // MirrorMaker first: it commits its positions on the target
    for (what, containers) in [("MirrorMaker", &mirrors), ("the brokers", &brokers)] {
        if containers.is_empty() {
            continue;
        }
        step(
            observer,
            &format!("Stopping {what}"),
            &format!("Stopped {what}"),
            || {
                let stopped = docker.stop(containers, limit);
                stopped.map_err(|error| with_what_runs(error, docker, name))
            },
        )?;
    }
    for note in link::look(&lab).iter().filter_map(LinkStatus::note) {
        observer.on(Event::Note(note));
    }
    Ok(Stopped {
        containers: up.len(),
        took: begun.elapsed(),
    })
}

/// An interruption, with what still runs.
fn with_what_runs(error: DockerError, docker: &Docker, name: &str) -> StopError {
    let limit = Limit::new(LAST_LOOK, &Interrupt::default());
    let look = || Lab::look_for(docker, name, &limit).ok().flatten();
    let lab = error.is_interruption().then(look).flatten();
    let containers = lab.iter().flat_map(|lab| &lab.containers);
    let running = containers.filter(|container| container.is_up());
    let running: Vec<String> = running.map(|c| c.service().to_owned()).collect();
    if running.is_empty() {
        return error.into();
    }
    let lab = name.to_owned();
    StopError::Interrupted { lab, running }
}
