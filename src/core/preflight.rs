//! Everything that would make a deploy fail, found before anything is made. Reports all of it at once.

use crate::core::compose::LABEL_LAB;
use crate::core::docker::{Container, Docker, DockerError, Engine, in_project};
use crate::core::event::Observer;
use crate::core::image::{ImageError, Images, Search};
use crate::core::port;
use crate::core::spec;
use crate::core::topology::{KafkaImage, Topology};
use crate::core::wait::Limit;
use crate::core::workdir::{Workdir, WorkdirError};
use std::collections::BTreeMap;
use std::fs;

/// The oldest compose plugin that understands the rendered file.
pub const OLDEST_COMPOSE: (u32, u32) = (2, 20);
/// The part of what it may take that a container takes once records flow: measured 650 to 690 MiB for three, and some.
const USUAL_PART: u64 = 2;
const MIB: u64 = 1024 * 1024;
/// Disk space that Kafka should find, in MiB.
const NEEDED_DISK_MIB: u64 = 1024;

/// One thing that stands in the way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Docker cannot be used.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// The compose plugin is too old.
    #[error("docker compose {found} is too old; {}.{} or later is needed", OLDEST_COMPOSE.0, OLDEST_COMPOSE.1)]
    ComposeTooOld {
        /// Its version.
        found: String,
    },
    /// Someone else listens on a port of a broker.
    #[error("port {port} for cluster `{cluster}` is in use{}", holder.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    Port {
        /// The cluster.
        cluster: String,
        /// The port.
        port: u16,
        /// The container or process, where it can be known.
        holder: Option<String>,
    },
    /// The working directory cannot be used.
    #[error(transparent)]
    Workdir(#[from] WorkdirError),
    /// The image cannot be used.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Too little memory.
    #[error("the lab needs about {needed} MiB of memory, and {there} MiB are {what}")]
    Memory {
        /// MiB.
        needed: u64,
        /// MiB.
        there: u64,
        /// "free" or "Docker's".
        what: &'static str,
    },
    /// Too little disk.
    #[error("Docker's disk has {there} MiB left at {path}; {NEEDED_DISK_MIB} MiB are needed")]
    Disk {
        /// MiB.
        there: u64,
        /// Where Docker keeps its volumes.
        path: String,
    },
    /// A setting refers to a variable that is not there.
    #[error("variable {name} is not set, or is empty, and setting `{key}` of {owner} refers to it")]
    Variable {
        /// Its name.
        name: String,
        /// The setting.
        key: String,
        /// The cluster or flow that has it.
        owner: String,
    },
    /// A cluster that should be there already does not answer.
    #[error("cluster `{cluster}` does not answer at {bootstrap}: {cause}")]
    NoAnswer {
        /// The cluster.
        cluster: String,
        /// Its addresses.
        bootstrap: String,
        /// Why not.
        cause: String,
    },
    /// A broker of such a cluster sends its clients to an address that MirrorMaker's container takes for itself.
    #[error(
        "a broker of cluster `{cluster}` tells its clients to come to {address} (advertised.listeners), and in MirrorMaker's container that is the container itself"
    )]
    Advertised {
        /// The cluster.
        cluster: String,
        /// The address.
        address: String,
    },
    /// A broker on this machine that no container can reach.
    #[error(
        "port {port} of cluster `{cluster}` listens on this machine's loopback address only, and containers come from outside"
    )]
    OnlyLoopback {
        /// The cluster.
        cluster: String,
        /// The port.
        port: u16,
    },
    /// What an earlier MirrorMaker noted about a cluster that is to be made anew: its first records would be skipped.
    #[error(
        "cluster `{cluster}` still has what another MirrorMaker noted about a `{source_cluster}`, and could pass over the first records of this lab's new one: {}",
        topics.join(", ")
    )]
    LeftBehind {
        /// The cluster.
        cluster: String,
        /// Where it answers.
        bootstrap: String,
        /// The cluster that is made.
        source_cluster: String,
        /// The topics that it was noted in.
        topics: Vec<String>,
    },
    /// Something of the project's name is not ours.
    #[error("compose project `{project}` exists and was not made by kmk: {}", what.join(", "))]
    NotOurs {
        /// The project.
        project: String,
        /// Its containers, volumes and networks that carry no label of kmk's.
        what: Vec<String>,
    },
}

/// The compose plugin is there and new enough.
///
/// # Errors
/// A problem, otherwise.
pub fn compose(docker: &Docker, limit: &Limit) -> Result<(), Problem> {
    let found = docker.compose_version(limit)?;
    let mut numbers = found
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < OLDEST_COMPOSE {
        return Err(Problem::ComposeTooOld { found });
    }
    Ok(())
}

/// Ports of the lab that someone else listens on, found without an engine to ask.
pub(crate) fn busy_ports(topology: &Topology) -> impl Iterator<Item = Problem> {
    let busy = ports(topology).filter(|(_, port)| !port::is_free(*port));
    busy.map(|(cluster, port)| Problem::Port {
        cluster: cluster.to_owned(),
        port,
        holder: port::holder(port),
    })
}

/// Variables of the environment that settings refer to, and that are not there or empty. Their values are never read.
pub(crate) fn missing_variables(topology: &Topology) -> Vec<Problem> {
    let clusters = topology.clusters.iter();
    let existing = clusters.clone().filter_map(|cluster| {
        let properties = &cluster.existing()?.properties;
        Some((format!("cluster `{}`", cluster.name), properties))
    });
    let clusters = clusters.map(|c| (format!("cluster `{}`", c.name), &c.settings));
    let flows = topology.flows.iter();
    let flows = flows.map(|flow| (format!("flow {}", flow.name()), &flow.spec.settings));
    let mut problems = Vec::new();
    for (owner, settings) in clusters.chain(existing).chain(flows) {
        for (key, value) in settings {
            let names = spec::names_in(value).into_iter();
            let missing = names.filter(|name| std::env::var_os(name).is_none_or(|v| v.is_empty()));
            problems.extend(missing.map(|name| Problem::Variable {
                name: name.to_owned(),
                key: key.clone(),
                owner: owner.clone(),
            }));
        }
    }
    problems
}

/// Every port that the lab publishes, with its cluster.
fn ports(topology: &Topology) -> impl Iterator<Item = (&str, u16)> {
    topology.clusters.iter().flat_map(|cluster| {
        let published = cluster.published();
        published.map(|endpoint| (cluster.name.as_str(), endpoint.port))
    })
}

/// What is found and needed before a lab is brought up.
pub(crate) struct Preflight<'a> {
    pub(crate) docker: &'a Docker,
    pub(crate) engine: &'a Engine,
    pub(crate) topology: &'a Topology,
    pub(crate) workdir: &'a Workdir,
    pub(crate) overwrite: bool,
    /// The lab's containers as they are now.
    pub(crate) existing: &'a [Container],
    /// What they run for each image that they were made for: it stays, whatever can be had by now.
    pub(crate) in_use: &'a BTreeMap<KafkaImage, String>,
}

impl Preflight<'_> {
    /// Checks everything, with what was `found` already, then makes sure that the images are there.
    pub(crate) fn run(
        &self,
        found: Vec<Problem>,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Images, Vec<Problem>> {
        let mut problems = found;
        problems.extend(compose(self.docker, limit).err());
        problems.extend(
            self.strangers(limit)
                .unwrap_or_else(|error| Some(error.into())),
        );
        problems.extend(missing_variables(self.topology));
        problems.extend(self.ports(limit));
        problems.extend(self.space());
        let workdir = self.workdir.check(&self.topology.spec.lab, self.overwrite);
        problems.extend(workdir.into_iter().map(Problem::from));
        let mut images = Search::default();
        for image in self.topology.images() {
            let in_use = self.in_use.get(image).map(String::as_str);
            let found = images.add(self.docker, image, in_use, limit);
            problems.extend(found.err().map(Problem::from));
        }
        if !problems.is_empty() || images.lacks_several() {
            let missing = images.problems(self.docker, limit);
            problems.extend(missing.into_iter().map(Problem::from));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let fetched = images.fetch(self.docker, limit, observer);
        fetched.map_err(|errors| errors.into_iter().map(Problem::from).collect())
    }

    /// What is in the lab's compose project without our label.
    fn strangers(&self, limit: &Limit) -> Result<Option<Problem>, DockerError> {
        let project = self.topology.project();
        let what = strangers(self.docker, &project, limit)?;
        Ok((!what.is_empty()).then_some(Problem::NotOurs { project, what }))
    }

    fn ports(&self, limit: &Limit) -> Vec<Problem> {
        ports(self.topology)
            .filter(|(_, port)| !self.is_held_by_this_lab(*port) && !port::is_free(*port))
            .map(|(cluster, port)| busy(self.docker, cluster, port, limit))
            .collect()
    }

    fn is_held_by_this_lab(&self, port: u16) -> bool {
        self.existing
            .iter()
            .any(|container| container.is_up() && container.publishes(port))
    }

    fn space(&self) -> Vec<Problem> {
        if !self.existing.is_empty() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        let needed = self.topology.services().len() as u64
            * u64::from(self.topology.memory.container_mib)
            / USUAL_PART;
        let all = self.engine.memory / MIB;
        // the engine's directory is there: it runs on this machine, and this machine's figures count
        let here = self.engine.root.is_dir();
        let free = available_memory().filter(|_| here).map(|bytes| bytes / MIB);
        if all < needed {
            problems.push(Problem::Memory {
                needed,
                there: all,
                what: "Docker's",
            });
        } else if let Some(there) = free.filter(|there| *there < needed) {
            problems.push(Problem::Memory {
                needed,
                there,
                what: "free",
            });
        }
        if let Ok(disk) = rustix::fs::statvfs(&self.engine.root)
            && disk.f_bavail.saturating_mul(disk.f_frsize) / MIB < NEEDED_DISK_MIB
        {
            problems.push(Problem::Disk {
                there: disk.f_bavail * disk.f_frsize / MIB,
                path: self.engine.root.display().to_string(),
            });
        }
        problems
    }
}

/// Containers, volumes and networks of a compose project that carry no label of kmk's.
pub(crate) fn strangers(
    docker: &Docker,
    project: &str,
    limit: &Limit,
) -> Result<Vec<String>, DockerError> {
    let filters = [in_project(project)];
    let mut what = Vec::new();
    for container in docker.containers(&filters, limit)? {
        if container.label(LABEL_LAB).is_none() {
            what.push(format!("container {}", container.name()));
        }
    }
    for (kind, found) in [
        ("volume", docker.volumes(&filters, limit)?),
        ("network", docker.networks(&filters, limit)?),
    ] {
        let foreign = found
            .iter()
            .filter(|resource| resource.label(LABEL_LAB).is_none());
        what.extend(foreign.map(|resource| format!("{kind} {}", resource.name)));
    }
    Ok(what)
}

/// A port that is in use, with whoever holds it.
pub(crate) fn busy(docker: &Docker, cluster: &str, port: u16, limit: &Limit) -> Problem {
    let containers = docker.containers(
        &[format!("publish={port}"), "status=running".to_owned()],
        limit,
    );
    let container = containers.ok().and_then(|found| {
        let container = found.first()?;
        Some(match container.label(LABEL_LAB) {
            Some(lab) => format!("container {} of lab `{lab}`", container.name()),
            None => format!("container {}", container.name()),
        })
    });
    Problem::Port {
        cluster: cluster.to_owned(),
        port,
        holder: container.or_else(|| port::holder(port)),
    }
}

/// Bytes that could be given to new programs, where the system tells.
fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}
