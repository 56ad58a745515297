//! Takes a lab away: what carries its label, and the files that kmk wrote for it. Nothing else.

use super::leftover::{self, Leftover};
use super::{Lab, LabError, refuse_newer};
use crate::core::compose::{LABEL_FORMAT, LABEL_LAB};
use crate::core::docker::{Container, Docker, DockerError, EngineHost, Labelled, labelled};
use crate::core::lab::lock::{self, Lock, LockError};
use crate::core::lab::preflight;
use crate::core::lab::workdir::{Workdir, WorkdirError};
use crate::core::topology;
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What was taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Number of containers.
    pub containers: usize,
    /// Number of networks.
    pub networks: usize,
    /// Number of volumes.
    pub volumes: usize,
    /// Containers of others that were on its networks, and go on without them.
    pub guests: Vec<String>,
    /// Files that were edited by hand since kmk wrote them, and therefore stay.
    pub kept: Vec<PathBuf>,
    /// What stays on existing clusters.
    pub left: Vec<Leftover>,
    /// How long it took.
    pub took: Duration,
}

impl Destroyed {
    /// Whether there was no container, network or volume of the lab.
    pub fn is_nothing(&self) -> bool {
        self.containers + self.networks + self.volumes == 0
    }
}

/// Why a lab is not, or not wholly, gone.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// Docker did not remove something.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// It is not kmk's.
    #[error(transparent)]
    NotOurs(#[from] Box<preflight::Problem>),
    /// A newer kmk made it.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file could not be removed.
    #[error(transparent)]
    Workdir(#[from] WorkdirError),
    /// Something came back, or never went, to the deadline.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// A person interrupted, when it had begun.
    #[error("interrupted: {left} of lab `{lab}` are left")]
    Interrupted {
        /// The lab.
        lab: String,
        /// What is left, such as "2 networks, 2 volumes".
        left: String,
    },
}

impl DestroyError {
    fn is_interruption(&self) -> bool {
        match self {
            Self::Docker(error) => error.is_interruption(),
            Self::Stopped(stop) => *stop == Stop::Interrupted,
            _ => false,
        }
    }
}

/// How long is looked at what an interruption has left.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// Everything on the engine that carries a lab's label.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) containers: Vec<Container>,
    networks: Vec<Labelled>,
    volumes: Vec<Labelled>,
}

impl Remains {
    pub(super) fn find(docker: &Docker, lab: &str, limit: &Limit) -> Result<Self, DockerError> {
        let filters = [labelled(LABEL_LAB, lab)];
        Ok(Self {
            containers: docker.containers(&filters, limit)?,
            networks: docker.networks(&filters, limit)?,
            volumes: docker.volumes(&filters, limit)?,
        })
    }

    /// The names of its volumes.
    pub(super) fn volumes(&self) -> Vec<String> {
        self.volumes.iter().map(|one| one.name.clone()).collect()
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty() && self.volumes.is_empty()
    }

    /// In words, such as "1 container, 2 networks".
    pub(super) fn describe(&self) -> String {
        let counts = [
            (self.containers.len(), "container"),
            (self.networks.len(), "network"),
            (self.volumes.len(), "volume"),
        ];
        let there = counts.iter().filter(|(number, _)| *number > 0);
        let told = there.map(|(number, what)| {
            format!("{number} {what}{}", if *number == 1 { "" } else { "s" })
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn remove(&self, docker: &Docker, limit: &Limit) -> Result<(), DockerError> {
        let names =
            |found: &[Labelled]| found.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let containers: Vec<String> = self.containers.iter().map(|c| c.id.clone()).collect();
        docker.remove_containers(&containers, limit)?;
        docker.remove_volumes(&names(&self.volumes), limit)?;
        // a person's own container on a network of ours would keep it from going
        for (network, container, _) in self.guests() {
            docker.disconnect(network, container, limit)?;
        }
        docker.remove_networks(&names(&self.networks), limit)
    }

    /// Containers of others on the lab's networks: network, id and name.
    fn guests(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.networks.iter().flat_map(|network| {
            let guests = network.containers();
            let guests = guests.filter(|(id, _)| self.containers.iter().all(|ours| ours.id != *id));
            guests.map(|(id, name)| (network.name.as_str(), id, name))
        })
    }
}

/// Takes `lab` away, half deployed or whole, and its files from `directory` and from wherever else it was deployed.
/// Where nothing of it is left, that is no error.
///
/// # Errors
/// When something of the lab's compose project is not kmk's, when a newer kmk made it, when another kmk is at it,
/// and when docker or the disk refuses.
pub fn destroy(
    docker: &Docker,
    lab: &str,
    directory: &Workdir,
    limit: &Limit,
) -> Result<Destroyed, DestroyError> {
    let begun = Instant::now();
    let engine = docker.engine(limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, lab, "destroy")?;
    let remains = Remains::find(docker, lab, limit)?;
    refuse_what_is_not_ours(docker, lab, &remains, limit)?;
    // known from labels that go with it; one that cannot be described goes all the same
    let described = Lab::describe(lab, remains.containers.clone());
    // known once is enough: each question takes docker a tenth of a second
    let guests = remains.guests();
    let guests = guests.map(|(_, _, name)| name.to_owned()).collect();
    let files = remains
        .containers
        .iter()
        .filter_map(Container::compose_file);
    let made_from: Vec<PathBuf> = files.map(PathBuf::from).collect();
    let removed = remove(docker, lab, remains, limit);
    let mut destroyed = removed.map_err(|error| with_what_is_left(error, docker, lab))?;
    if let Ok(Some(lab)) = described {
        destroyed.left = leftover::look(&lab.topology, limit);
    }
    destroyed.guests = guests;
    let mut directories = BTreeSet::from([absolute(directory.path())]);
    let parents = made_from.iter().filter_map(|file| file.parent());
    directories.extend(parents.map(Path::to_owned));
    let owner = EngineHost::find(limit)?.owner(lab);
    for directory in directories {
        destroyed
            .kept
            .extend(Workdir::new(directory).remove(&owner)?);
    }
    destroyed.took = begun.elapsed();
    Ok(destroyed)
}

/// An interruption, with what it has left.
fn with_what_is_left(error: DestroyError, docker: &Docker, lab: &str) -> DestroyError {
    let limit = Limit::new(LAST_LOOK, &Interrupt::default());
    let look = || Remains::find(docker, lab, &limit).ok();
    match error.is_interruption().then(look).flatten() {
        Some(left) if !left.is_nothing() => DestroyError::Interrupted {
            lab: lab.to_owned(),
            left: left.describe(),
        },
        _ => error,
    }
}

fn refuse_what_is_not_ours(
    docker: &Docker,
    lab: &str,
    remains: &Remains,
    limit: &Limit,
) -> Result<(), DestroyError> {
    for container in &remains.containers {
        refuse_newer(lab, container.label(LABEL_FORMAT))?;
    }
    let project = topology::project(lab);
    let what = preflight::not_ours(docker, &project, limit)?;
    if what.is_empty() {
        return Ok(());
    }
    Err(Box::new(preflight::Problem::NotOurs { project, what }).into())
}

/// Removes what remains, and whatever carries the label until nothing does: a compose that was interrupted may have one
/// more on the way.
pub(super) fn remove(
    docker: &Docker,
    lab: &str,
    mut remains: Remains,
    limit: &Limit,
) -> Result<Destroyed, DestroyError> {
    const SETTLE: Duration = Duration::from_millis(200);
    /// Later than this before the deadline, a refusal is final: another try would end in a less telling one.
    const LAST_TRY: Duration = Duration::from_secs(1);
    let [mut containers, mut networks, mut volumes] = [const { BTreeSet::new() }; 3];
    loop {
        if remains.is_nothing() {
            return Ok(Destroyed {
                containers: containers.len(),
                networks: networks.len(),
                volumes: volumes.len(),
                ..Destroyed::default()
            });
        }
        containers.extend(remains.containers.iter().map(|c| c.id.clone()));
        networks.extend(remains.networks.iter().map(|n| n.name.clone()));
        volumes.extend(remains.volumes.iter().map(|v| v.name.clone()));
        match remains.remove(docker, limit) {
            // what went away meanwhile is no error; what stays is one at the deadline
            Err(DockerError::Failed { .. }) if limit.remaining() > LAST_TRY => {
                limit.pause(SETTLE)?;
            }
            other => other?,
        }
        remains = Remains::find(docker, lab, limit)?;
    }
}

/// As compose writes it on its containers.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Lab {
    /// The directory that a lab's files lie in: the one of its newest container.
    pub fn directory(&self) -> Option<PathBuf> {
        let newest = self
            .containers
            .iter()
            .max_by(|a, b| a.created.cmp(&b.created))?;
        Some(PathBuf::from(newest.compose_file()?).parent()?.to_owned())
    }
}
