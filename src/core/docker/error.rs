//! Why a docker command failed.

use kmk_kafka::wait::Stop;
use std::io;

/// Why docker did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// There is no `docker` on PATH.
    #[error("`docker` is not on PATH")]
    Missing,
    /// It is Podman under docker's name.
    #[error("`docker` is Podman here, which kmk does not support")]
    Podman,
    /// The engine does not answer, and why.
    #[error("the Docker engine does not answer: {}", cause.describe())]
    Engine {
        /// The usual cause that fits.
        cause: EngineCause,
        /// What docker said.
        said: String,
    },
    /// The compose plugin is not there.
    #[error("`docker compose` is not installed")]
    NoCompose,
    /// A command ended with an error.
    #[error("`{command}` failed{}", code.map(|code| format!(" with exit code {code}")).unwrap_or_default())]
    Failed {
        /// To paste into a shell.
        command: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// The end of what it wrote.
        said: String,
    },
    /// A command could not be started.
    #[error("cannot run `{command}`")]
    NotStarted {
        /// To paste into a shell.
        command: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// An answer that is no JSON, or not the JSON that is expected.
    #[error("cannot parse the output of `{command}`")]
    Answer {
        /// To paste into a shell.
        command: String,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
    /// The deadline passed, or someone interrupted.
    #[error("`{command}`: {stop}")]
    Stopped {
        /// To paste into a shell.
        command: String,
        /// Which of both.
        stop: Stop,
    },
}

impl DockerError {
    /// Whether it is no error at all, but a person who interrupted.
    pub fn is_interruption(&self) -> bool {
        let stopped = |stop: &Stop| *stop == Stop::Interrupted;
        matches!(self, Self::Stopped { stop, .. } if stopped(stop))
    }
}

/// The usual causes of an engine that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineCause {
    /// The socket is there, and this person may not use it.
    NoPermission,
    /// `DOCKER_HOST` is set, and nothing answers there.
    Host(String),
    /// There is no such context as the client is told to use.
    NoContext(String),
    /// The current context leads to another machine, and nothing answers there.
    Context(String),
    /// It is not running.
    NotRunning,
}

impl EngineCause {
    fn describe(&self) -> String {
        match self {
            Self::NoPermission => "no permission to use its socket".to_owned(),
            Self::Host(host) => format!("nothing answers at DOCKER_HOST={host}"),
            Self::NoContext(name) => format!("docker has no context `{name}`"),
            Self::Context(address) => {
                format!("nothing answers at {address}, the address of docker's current context")
            }
            Self::NotRunning => "it is not running".to_owned(),
        }
    }
}
