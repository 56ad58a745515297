//! What can prevent a deploy.

use super::{NEEDED_DISK_MIB, OLDEST_COMPOSE, OLDEST_COMPOSE_FOR_REMOTE};
use crate::core::docker::DockerError;
use crate::core::image::ImageError;
use crate::core::lab::workdir::WorkdirError;
use std::net::IpAddr;

/// Something that prevents a deploy.
#[derive(Debug, thiserror::Error)]
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
    /// The compose plugin cannot take files along to an engine elsewhere.
    #[error(
        "docker compose {found} is too old for a remote Docker engine; {}.{}.{} or later is needed",
        OLDEST_COMPOSE_FOR_REMOTE.0, OLDEST_COMPOSE_FOR_REMOTE.1, OLDEST_COMPOSE_FOR_REMOTE.2
    )]
    ComposeTooOldForRemote {
        /// Its version.
        found: String,
    },
    /// The engine is remote, and no address is set by which clients reach it.
    #[error(
        "the Docker engine is remote ({address}), and there a lab's ports are published on 127.0.0.1, which cannot be reached from here"
    )]
    NoBind {
        /// As docker was told.
        address: String,
        /// The host that it names, where that is an address.
        host: Option<IpAddr>,
    },
    /// Ports are to be published on an address of another machine.
    #[error(
        "{address} is not an address of the machine that the Docker engine runs on: no port can be published on it"
    )]
    NotItsAddress {
        /// As given.
        address: IpAddr,
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
    #[error("the lab needs about {needed} MiB of memory, but only {there} MiB are {what}")]
    Memory {
        /// MiB.
        needed: u64,
        /// MiB.
        there: u64,
        /// "free" or "available to Docker".
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
    #[error(
        "environment variable {name} is not set or is empty, and setting `{key}` of {owner} refers to it"
    )]
    Variable {
        /// Its name.
        name: String,
        /// The setting.
        key: String,
        /// The cluster or flow that has it.
        owner: String,
    },
    /// An existing cluster does not answer.
    #[error("cluster `{cluster}` does not answer at {bootstrap}: {cause}")]
    NoAnswer {
        /// The cluster.
        cluster: String,
        /// Its addresses.
        bootstrap: String,
        /// Why not.
        cause: String,
    },
    /// Two names for one cluster: MirrorMaker would copy it into itself.
    #[error(
        "clusters `{one}` ({}) and `{other}` ({}) are the same cluster: both have the cluster ID {id}, and MirrorMaker would copy it into itself endlessly",
        bootstrap[0], bootstrap[1]
    )]
    OneCluster {
        /// A name.
        one: String,
        /// Another.
        other: String,
        /// The addresses of both.
        bootstrap: [String; 2],
        /// Kafka's id of the cluster.
        id: String,
    },
    /// A broker of such a cluster sends its clients to an address that MirrorMaker's container takes for itself.
    #[error(
        "a broker of cluster `{cluster}` advertises {address} (advertised.listeners), and in MirrorMaker's container that is the container itself"
    )]
    Advertised {
        /// The cluster.
        cluster: String,
        /// The address.
        address: String,
    },
    /// A broker on this machine that no container can reach.
    #[error(
        "port {port} of cluster `{cluster}` listens only on this machine's loopback address, which containers cannot reach"
    )]
    OnlyLoopback {
        /// The cluster.
        cluster: String,
        /// The port.
        port: u16,
    },
    /// A broker on this machine, and MirrorMaker on another.
    #[error(
        "cluster `{cluster}` is on this machine ({bootstrap}), but MirrorMaker would run where the Docker engine is, at {engine}: `localhost` is another machine there"
    )]
    OtherMachine {
        /// The cluster.
        cluster: String,
        /// Its addresses.
        bootstrap: String,
        /// Where the engine is, as docker was told.
        engine: String,
    },
    /// Positions of an earlier MirrorMaker in a cluster that is to be recreated: its first records would be skipped.
    #[error(
        "cluster `{cluster}` still has another MirrorMaker's positions for a cluster `{source_cluster}`, so the first records of this lab's new one could be skipped: {}",
        topics.join(", ")
    )]
    LeftBehind {
        /// The cluster.
        cluster: String,
        /// Where it answers.
        bootstrap: String,
        /// The cluster that is made.
        source_cluster: String,
        /// The topics that the positions are stored in.
        topics: Vec<String>,
    },
    /// Something of the project's name is not ours.
    #[error("compose project `{project}` exists and was not created by kmk: {}", what.join(", "))]
    NotOurs {
        /// The project.
        project: String,
        /// Its containers, volumes and networks that carry no label of kmk's.
        what: Vec<String>,
    },
}
