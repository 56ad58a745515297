//! Everything that would make a deploy fail, found before anything is made. Reports all of it at once.

mod problem;

pub use problem::Problem;

use crate::core::compose::LABEL_LAB;
use crate::core::docker::{Container, Docker, DockerError, Engine, EngineHost, in_project};
use crate::core::event::Observer;
use crate::core::image::{ImageError, Images, Search};
use crate::core::lab::port;
use crate::core::lab::workdir::Workdir;
use crate::core::spec::{self, Spec};
use crate::core::topology::{self, KafkaImage, Topology};
use kmk_kafka::wait::Limit;
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

/// The oldest compose plugin that understands the rendered file.
pub const OLDEST_COMPOSE: (u32, u32, u32) = (2, 20, 0);
/// The oldest one that takes files along to an engine elsewhere: the first that knows `configs:` with `content:`.
pub const OLDEST_COMPOSE_FOR_REMOTE: (u32, u32, u32) = (2, 23, 1);
/// The part of what it may take that a container takes once records flow: measured 650 to 690 MiB for three, and some.
const USUAL_PART: u64 = 2;
const MIB: u64 = 1024 * 1024;
/// Disk space that Kafka should find, in MiB.
const NEEDED_DISK_MIB: u64 = 1024;

/// Whether clients reach what is published there.
///
/// # Errors
/// [`Problem::NoBind`], otherwise.
pub fn reach(engine_host: &EngineHost, spec: &Spec) -> Result<(), Problem> {
    match engine_host {
        EngineHost::Remote { address } if spec.bind.is_none() && makes_clusters(spec) => {
            Err(Problem::NoBind {
                address: address.clone(),
                host: engine_host.host().and_then(|host| host.parse().ok()),
            })
        }
        _ => Ok(()),
    }
}

/// What existed before is reached as it always was.
fn makes_clusters(spec: &Spec) -> bool {
    spec.clusters.iter().any(|cluster| !cluster.is_existing())
}

/// The compose plugin is there and new enough for an engine at that place.
///
/// # Errors
/// A problem, otherwise.
pub fn compose(docker: &Docker, engine_host: &EngineHost, limit: &Limit) -> Result<(), Problem> {
    let found = docker.compose_version(limit)?;
    let mut numbers = found
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    let mut number = || numbers.next().unwrap_or(0);
    let version = (number(), number(), number());
    if version < OLDEST_COMPOSE {
        return Err(Problem::ComposeTooOld { found });
    }
    if *engine_host != EngineHost::Local && version < OLDEST_COMPOSE_FOR_REMOTE {
        return Err(Problem::ComposeTooOldForRemote { found });
    }
    Ok(())
}

/// Ports of the lab that someone else listens on, found without an engine to ask.
pub(crate) fn busy_ports(topology: &Topology) -> impl Iterator<Item = Problem> {
    let address = topology::address(&topology.spec);
    let busy = topology
        .published()
        .filter(move |(_, port)| !port::is_free(address, *port));
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

/// What is found and needed before a lab is brought up.
pub(crate) struct Preflight<'a> {
    pub(crate) docker: &'a Docker,
    pub(crate) engine: &'a Engine,
    pub(crate) engine_host: &'a EngineHost,
    pub(crate) topology: &'a Topology,
    pub(crate) workdir: &'a Workdir,
    pub(crate) overwrite: bool,
    /// The lab's containers as they are now.
    pub(crate) existing: &'a [Container],
    /// What they run for each image that they were made for: it stays, whatever can be had by now.
    pub(crate) in_use: &'a BTreeMap<KafkaImage, String>,
    /// What relays are to run, where that is not the usual image.
    pub(crate) relay_image: Option<&'a str>,
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
        problems.extend(reach(self.engine_host, &self.topology.spec).err());
        problems.extend(compose(self.docker, self.engine_host, limit).err());
        problems.extend(
            self.not_ours(limit)
                .unwrap_or_else(|error| Some(error.into())),
        );
        problems.extend(missing_variables(self.topology));
        problems.extend(self.ports(limit));
        problems.extend(self.space());
        let owner = self.engine_host.owner(&self.topology.spec.lab);
        let workdir = self.workdir.check(&owner, self.overwrite);
        problems.extend(workdir.into_iter().map(Problem::from));
        let mut images = Search::default();
        for image in self.topology.images() {
            let in_use = self.in_use.get(image).map(String::as_str);
            let found = images.add(self.docker, image, in_use, limit);
            problems.extend(found.err().map(Problem::from));
        }
        problems.extend(self.add_relay(&mut images, limit).err().map(Problem::from));
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

    fn add_relay(&self, images: &mut Search, limit: &Limit) -> Result<(), ImageError> {
        let is_relay = |container: &&Container| {
            let mut relays = self.topology.relays();
            relays.any(|relay| relay.service == container.service())
        };
        if self.topology.relays().next().is_none() {
            return Ok(());
        }
        let in_use = self.existing.iter().find(is_relay).map(Container::image);
        images.add_relay(self.docker, self.relay_image, in_use, limit)
    }

    /// What is in the lab's compose project without our label.
    fn not_ours(&self, limit: &Limit) -> Result<Option<Problem>, DockerError> {
        let project = self.topology.project();
        let what = not_ours(self.docker, &project, limit)?;
        Ok((!what.is_empty()).then_some(Problem::NotOurs { project, what }))
    }

    /// Whether the engine shares this machine's files: then it runs right here, and not in a virtual machine.
    fn is_at_home(&self) -> bool {
        *self.engine_host == EngineHost::Local && self.engine.root.is_dir()
    }

    fn ports(&self, limit: &Limit) -> Vec<Problem> {
        let address = topology::address(&self.topology.spec);
        if *self.engine_host != EngineHost::Local {
            return Vec::new();
        }
        if !port::is_own(address) {
            let refused = self
                .is_at_home()
                .then_some(Problem::NotItsAddress { address });
            return refused.into_iter().collect();
        }
        let is_ours = |port: u16| self.is_held_by_this_lab(address, port);
        self.topology
            .published()
            .filter(|(_, port)| !is_ours(*port) && !port::is_free(address, *port))
            .map(|(cluster, port)| busy(self.docker, cluster, port, limit))
            .collect()
    }

    fn is_held_by_this_lab(&self, address: IpAddr, port: u16) -> bool {
        self.existing
            .iter()
            .any(|container| container.is_up() && container.publishes_on(address, port))
    }

    fn space(&self) -> Vec<Problem> {
        if !self.existing.is_empty() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        // a relay takes next to nothing
        let jvms = self.topology.services().len() - self.topology.relays().count();
        let needed = jvms as u64 * u64::from(self.topology.memory.container_mib) / USUAL_PART;
        let all = self.engine.memory / MIB;
        // only then do this machine's figures count
        let is_at_home = self.is_at_home();
        let free = available_memory()
            .filter(|_| is_at_home)
            .map(|bytes| bytes / MIB);
        if all < needed {
            problems.push(Problem::Memory {
                needed,
                there: all,
                what: "available to Docker",
            });
        } else if let Some(there) = free.filter(|there| *there < needed) {
            problems.push(Problem::Memory {
                needed,
                there,
                what: "free",
            });
        }
        if is_at_home
            && let Ok(disk) = rustix::fs::statvfs(&self.engine.root)
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
pub(crate) fn not_ours(
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
        let others = found
            .iter()
            .filter(|resource| resource.label(LABEL_LAB).is_none());
        what.extend(others.map(|resource| format!("{kind} {}", resource.name)));
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
    let is_here = EngineHost::find(limit).is_ok_and(|engine_host| engine_host == EngineHost::Local);
    Problem::Port {
        cluster: cluster.to_owned(),
        port,
        holder: container.or_else(|| port::holder(port).filter(|_| is_here)),
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
