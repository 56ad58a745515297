//! The facade: what can be done with a lab, each verb a readable list of steps.

mod batch_limits;
pub mod class_cache;
pub mod compare;
mod culprit;
pub mod delete;
pub mod deploy;
pub mod destroy;
pub mod drill;
pub mod explain;
pub mod groups;
pub mod journal;
pub mod lag;
mod leftover;
pub mod link;
pub mod list;
pub mod lock;
pub mod log;
pub mod port;
pub mod positions;
pub mod preflight;
pub mod start;
mod state;
pub mod status;
pub mod stop;
pub mod topics;
pub mod verify;
pub mod workdir;

pub use journal::Journal;
pub use leftover::{Leftover, Reachability};

pub use state::State;

use crate::core::compose::{FORMAT, LABEL_BATCH, LABEL_FORMAT, LABEL_LAB, LABEL_SPEC};
use crate::core::docker::{Container, Docker, DockerError, labelled};
pub use crate::core::observe::addresses;
use crate::core::spec::{Problem, Spec};
use crate::core::topology::{FULL_BATCH, Topology};
use journal::JournalError;
use kmk_kafka::wait::Limit;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

/// A lab that exists: described by the labels on its containers and of its journal, and by nothing else.
#[derive(Debug, Clone)]
pub struct Lab {
    /// What it was asked to be.
    pub spec: Spec,
    /// The same, resolved.
    pub topology: Topology,
    /// Its containers, running or not, in the order of their services' names.
    pub containers: Vec<Container>,
    /// What has changed since it was made, where it was [found](Lab::find): else an empty one.
    pub journal: Journal,
}

/// Why a lab cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// There is none of that name.
    #[error("there is no lab `{lab}`")]
    NotFound {
        /// The name that was asked for.
        lab: String,
        /// The labs there are.
        others: Vec<String>,
    },
    /// Its containers are gone, and something is left.
    #[error("lab `{lab}` is incomplete: its containers are gone, and {left} remain")]
    Incomplete {
        /// Its name.
        lab: String,
        /// What is left, such as "2 networks, 2 volumes".
        left: String,
    },
    /// A newer kmk made it.
    #[error(
        "lab `{lab}` was created by a newer kmk (its labels have format {found}; this kmk knows formats up to {FORMAT})"
    )]
    Newer {
        /// Its name.
        lab: String,
        /// The format of its labels.
        found: String,
    },
    /// Its label is not what kmk writes.
    #[error("container {container} of lab `{lab}` has an invalid label `{LABEL_SPEC}`: {cause}")]
    Label {
        /// The lab's name.
        lab: String,
        /// The container.
        container: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Docker cannot be asked.
    #[error(transparent)]
    Docker(#[from] DockerError),
}

impl Lab {
    /// Finds a lab by its label, from wherever kmk is run, with its journal.
    ///
    /// # Errors
    /// [`LabError::NotFound`] with the labs there are, [`LabError::Incomplete`], and whatever keeps it from being described.
    pub fn find(docker: &Docker, name: &str, limit: &Limit) -> Result<Self, LabError> {
        let (lab, journal) = thread::scope(|scope| {
            let journal = scope.spawn(|| journal::read(docker, name, limit));
            let lab = Self::look_for(docker, name, limit);
            let journal = journal.join();
            (lab, journal.expect("a question to docker does not panic"))
        });
        if let Some(lab) = lab? {
            let journal = journal?;
            return Ok(Self { journal, ..lab });
        }
        let lab = name.to_owned();
        let left = destroy::Remains::find(docker, name, limit)?;
        Err(if left.is_nothing() {
            let others = names(docker, limit)?;
            LabError::NotFound { lab, others }
        } else {
            let left = left.describe();
            LabError::Incomplete { lab, left }
        })
    }

    /// As [`Lab::find`], where there may be none, and without its journal.
    ///
    /// # Errors
    /// Whatever keeps it from being described.
    pub fn look_for(docker: &Docker, name: &str, limit: &Limit) -> Result<Option<Self>, LabError> {
        let containers = docker.containers(&[labelled(LABEL_LAB, name)], limit)?;
        Self::describe(name, containers)
    }

    fn describe(name: &str, mut containers: Vec<Container>) -> Result<Option<Self>, LabError> {
        for container in &containers {
            refuse_newer(name, container.label(LABEL_FORMAT))?;
        }
        // a container that was not recreated since still carries the spec of its own time
        let Some(newest) = containers.iter().max_by(|a, b| a.created.cmp(&b.created)) else {
            return Ok(None);
        };
        let label = |cause: String| LabError::Label {
            lab: name.to_owned(),
            container: newest.name().to_owned(),
            cause,
        };
        let text = newest
            .label(LABEL_SPEC)
            .ok_or_else(|| label("it is missing".to_owned()))?;
        let spec: Spec = serde_json::from_str(text).map_err(|error| label(error.to_string()))?;
        let mut problems = spec.validate().err().unwrap_or_default();
        // a lab of an earlier kmk, which let it be, is to be seen, and mended, all the same
        problems.retain(|one| !matches!(one, Problem::Loop { .. } | Problem::Filter { .. }));
        if !problems.is_empty() {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(label(problems.join("; ")));
        }
        containers.sort_by(|a, b| a.service().cmp(b.service()));
        let mut topology = Topology::new(&spec);
        for mirror in &mut topology.mirrors {
            let is_its = |one: &&Container| mirror.workers.iter().any(|w| w == one.service());
            if let Some(worker) = containers.iter().find(is_its) {
                let batch = worker.label(LABEL_BATCH);
                let batch = batch.and_then(|bytes| bytes.parse().ok());
                mirror.batch = batch.unwrap_or(FULL_BATCH);
            }
        }
        Ok(Some(Self {
            spec,
            topology,
            containers,
            journal: Journal::default(),
        }))
    }

    /// The container of a service.
    pub fn container(&self, service: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| container.service() == service)
    }

    /// Every directory that holds files from which its containers were made.
    pub fn directories(&self) -> Vec<PathBuf> {
        let files = self.containers.iter().filter_map(Container::compose_file);
        let directories: BTreeSet<&Path> =
            files.filter_map(|file| Path::new(file).parent()).collect();
        directories.into_iter().map(Path::to_owned).collect()
    }
}

/// Whether compose gave the container its final name: one that is to replace another carries a prefix until then.
fn is_original(container: &Container) -> bool {
    let project = container.project().unwrap_or_default();
    container.name() == format!("{project}-{}-1", container.service())
}

fn refuse_newer(lab: &str, format: Option<&str>) -> Result<(), LabError> {
    let found = format.unwrap_or_default();
    match found.parse::<u32>() {
        Ok(format) if format <= FORMAT => Ok(()),
        _ => Err(LabError::Newer {
            lab: lab.to_owned(),
            found: found.to_owned(),
        }),
    }
}

/// The names of all labs on the engine, in order.
///
/// # Errors
/// When docker cannot be asked.
pub fn names(docker: &Docker, limit: &Limit) -> Result<Vec<String>, DockerError> {
    let containers = docker.containers(&[format!("label={LABEL_LAB}")], limit)?;
    let names: BTreeSet<&str> = containers
        .iter()
        .filter_map(|c| c.label(LABEL_LAB))
        .collect();
    Ok(names.into_iter().map(str::to_owned).collect())
}
