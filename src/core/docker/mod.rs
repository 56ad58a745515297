//! The docker command line, asked and told. Knows plain names and paths: nothing of topologies, nothing of Kafka.

mod argv;
mod error;
mod memory;
mod process;
mod resource;
mod site;

pub(crate) use argv::Recreate;
pub use error::{DockerError, EngineCause};
pub use memory::bytes;
pub use resource::{Container, Labelled};
pub(crate) use resource::{in_project, labelled};
pub use site::Site;

use crate::core::wait::Limit;
use argv::Argv;
use process::{Finished, Unfinished};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What is asked of the engine once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Engine {
    /// The engine's own id.
    pub id: String,
    /// Memory of the machine, or of Docker's virtual machine, in bytes.
    pub memory: u64,
    /// Where it keeps images and volumes, on the machine that it runs on.
    pub root: PathBuf,
}

/// The docker command line.
#[derive(Debug, Clone)]
pub struct Docker {
    program: PathBuf,
}

impl Docker {
    /// Finds `docker` on PATH.
    ///
    /// # Errors
    /// [`DockerError::Missing`].
    pub fn find() -> Result<Self, DockerError> {
        let program = which::which("docker").map_err(|_| DockerError::Missing)?;
        Ok(Self { program })
    }

    /// Asks the engine who it is.
    ///
    /// # Errors
    /// [`DockerError::Engine`] with the usual cause that fits.
    pub fn engine(&self, limit: &Limit) -> Result<Engine, DockerError> {
        let answer = self.query(&argv::engine(), limit);
        let said = match answer {
            Ok(text) => match serde_json::from_str::<Engine>(&text) {
                Ok(engine) if !engine.id.is_empty() => return Ok(engine),
                _ => text,
            },
            Err(DockerError::Failed { said, .. }) => said,
            Err(other) => return Err(other),
        };
        let client = self.query(&argv::version(), limit).unwrap_or_default();
        if client.to_lowercase().contains("podman") {
            return Err(DockerError::Podman);
        }
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let cause = if said.contains("permission denied") {
            EngineCause::NoPermission
        } else if !host.is_empty() {
            EngineCause::Host(host)
        } else if let Ok(Site::Elsewhere { address }) = Site::find(limit) {
            EngineCause::Context(address)
        } else {
            EngineCause::NotRunning
        };
        Err(DockerError::Engine { cause, said })
    }

    /// The version of the compose plugin, such as `2.26.1`.
    ///
    /// # Errors
    /// [`DockerError::NoCompose`] where there is none.
    pub fn compose_version(&self, limit: &Limit) -> Result<String, DockerError> {
        match self.query(&argv::compose_version(), limit) {
            Ok(text) => Ok(text.trim().trim_start_matches('v').to_owned()),
            Err(DockerError::Failed { .. }) => Err(DockerError::NoCompose),
            Err(other) => Err(other),
        }
    }

    /// All containers, running or not, that match every filter, such as `label=kmk.lab=demo`.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn containers(
        &self,
        filters: &[String],
        limit: &Limit,
    ) -> Result<Vec<Container>, DockerError> {
        self.inspect("container", &argv::containers(filters), limit)
    }

    /// All volumes that match every filter.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn volumes(&self, filters: &[String], limit: &Limit) -> Result<Vec<Labelled>, DockerError> {
        self.inspect("volume", &argv::volumes(filters), limit)
    }

    /// All networks that match every filter.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn networks(
        &self,
        filters: &[String],
        limit: &Limit,
    ) -> Result<Vec<Labelled>, DockerError> {
        self.inspect("network", &argv::networks(filters), limit)
    }

    /// Lists ids and asks for all about them. What is gone in between is asked for no more.
    fn inspect<T: DeserializeOwned>(
        &self,
        kind: &str,
        list: &Argv,
        limit: &Limit,
    ) -> Result<Vec<T>, DockerError> {
        let ids: Vec<String> = self
            .query(list, limit)?
            .lines()
            .map(str::to_owned)
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let inspect = argv::inspect(kind, &ids);
        let finished = self.capture(&inspect, limit)?;
        match serde_json::from_str(&finished.stdout) {
            Ok(found) => Ok(found),
            Err(_) if finished.code != Some(0) => Err(failed(&inspect, &finished)),
            Err(cause) => Err(DockerError::Answer {
                command: line(&inspect),
                cause,
            }),
        }
    }

    /// Whether the engine has the image.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn has_image(&self, image: &str, limit: &Limit) -> Result<bool, DockerError> {
        let finished = self.capture(&argv::inspect("image", &[image.to_owned()]), limit)?;
        Ok(finished.code == Some(0))
    }

    /// Whether a registry has the image.
    ///
    /// # Errors
    /// [`DockerError::Failed`] with what the registry said.
    pub fn can_pull(&self, image: &str, limit: &Limit) -> Result<(), DockerError> {
        self.query(&argv::manifest(image), limit).map(drop)
    }

    /// Fetches the image from its registry; every line that docker writes is told.
    ///
    /// # Errors
    /// [`DockerError::Failed`] with what the registry said.
    pub fn pull(
        &self,
        image: &str,
        limit: &Limit,
        on_line: impl FnMut(String),
    ) -> Result<(), DockerError> {
        self.run(&argv::pull(image), &[], limit, on_line)
    }

    /// File names of the libraries in a Kafka image.
    ///
    /// # Errors
    /// [`DockerError::Failed`] when the image has no `/opt/kafka/libs`.
    pub fn libraries(&self, image: &str, limit: &Limit) -> Result<Vec<String>, DockerError> {
        let text = self.query(&argv::libraries(image), limit)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Makes and starts what the compose file describes.
    pub(crate) fn up(
        &self,
        project: &str,
        file: &Path,
        variables: &[(String, OsString)],
        recreate: &Recreate,
        limit: &Limit,
        on_line: impl FnMut(String),
    ) -> Result<(), DockerError> {
        self.run(
            &argv::up(project, file, recreate),
            variables,
            limit,
            on_line,
        )
    }

    /// Lets paused containers go on.
    ///
    /// # Errors
    /// When docker refuses.
    pub fn unpause(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::unpause, limit)
    }

    /// Starts containers that were made before, in this order.
    ///
    /// # Errors
    /// When docker refuses, such as for a port that is taken by now.
    pub fn start(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::start, limit)
    }

    /// Stops containers, all at once: each has its own grace to end by itself, and is killed after that.
    ///
    /// # Errors
    /// When docker refuses.
    pub fn stop(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::stop, limit)
    }

    /// Kills and removes containers with their anonymous volumes.
    ///
    /// # Errors
    /// When docker refuses.
    pub fn remove_containers(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::remove_containers, limit)
    }

    /// Takes a container off a network.
    ///
    /// # Errors
    /// When docker refuses.
    pub fn disconnect(
        &self,
        network: &str,
        container: &str,
        limit: &Limit,
    ) -> Result<(), DockerError> {
        self.query(&argv::disconnect(network, container), limit)
            .map(drop)
    }

    /// Removes networks.
    ///
    /// # Errors
    /// When docker refuses, such as for one that is in use.
    pub fn remove_networks(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::remove_networks, limit)
    }

    /// Removes volumes and what is in them.
    ///
    /// # Errors
    /// When docker refuses, such as for one that is in use.
    pub fn remove_volumes(&self, names: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(names, argv::remove_volumes, limit)
    }

    fn each(
        &self,
        names: &[String],
        argv: fn(&[String]) -> Argv,
        limit: &Limit,
    ) -> Result<(), DockerError> {
        if names.is_empty() {
            return Ok(());
        }
        self.query(&argv(names), limit).map(drop)
    }

    /// The last lines of a container's log.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn log_tail(
        &self,
        container: &str,
        lines: usize,
        limit: &Limit,
    ) -> Result<Vec<String>, DockerError> {
        let mut tail = Vec::new();
        self.logs(container, &lines.to_string(), false, limit, |line| {
            tail.push(String::from_utf8_lossy(&line).into_owned());
        })?;
        Ok(tail)
    }

    /// A container's log, line by line; `tail` is a number of lines or `all`.
    ///
    /// # Errors
    /// When docker cannot be asked, or the limit ends it.
    pub fn logs(
        &self,
        container: &str,
        tail: &str,
        follow: bool,
        limit: &Limit,
        on_line: impl FnMut(Vec<u8>),
    ) -> Result<(), DockerError> {
        let argv = argv::logs(container, tail, follow);
        let finished = process::stream(&self.program, &argv, &[], limit, on_line);
        check(&argv, finished.map_err(|error| unfinished(&argv, error))?).map(drop)
    }

    /// All that a container has written, each line after the time at which the engine got it (RFC 3339 in UTC, and a
    /// space).
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn timed_log(&self, container: &str, limit: &Limit) -> Result<Vec<String>, DockerError> {
        let argv = argv::timed_logs(container);
        let mut lines = Vec::new();
        let on_line = |line: Vec<u8>| lines.push(String::from_utf8_lossy(&line).into_owned());
        let finished = process::stream(&self.program, &argv, &[], limit, on_line);
        check(&argv, finished.map_err(|error| unfinished(&argv, error))?)?;
        Ok(lines)
    }

    fn capture(&self, argv: &Argv, limit: &Limit) -> Result<Finished, DockerError> {
        process::capture(&self.program, argv, limit).map_err(|error| unfinished(argv, error))
    }

    fn query(&self, argv: &Argv, limit: &Limit) -> Result<String, DockerError> {
        check(argv, self.capture(argv, limit)?).map(|finished| finished.stdout)
    }

    fn run(
        &self,
        argv: &Argv,
        variables: &[(String, OsString)],
        limit: &Limit,
        mut on_line: impl FnMut(String),
    ) -> Result<(), DockerError> {
        let told = |bytes: Vec<u8>| on_line(String::from_utf8_lossy(&bytes).into_owned());
        let finished = process::stream(&self.program, argv, variables, limit, told);
        check(argv, finished.map_err(|error| unfinished(argv, error))?).map(drop)
    }
}

fn check(argv: &Argv, finished: Finished) -> Result<Finished, DockerError> {
    if finished.code == Some(0) {
        Ok(finished)
    } else {
        Err(failed(argv, &finished))
    }
}

fn failed(argv: &Argv, finished: &Finished) -> DockerError {
    DockerError::Failed {
        command: line(argv),
        code: finished.code,
        said: finished.stderr.trim().to_owned(),
    }
}

fn unfinished(argv: &Argv, error: Unfinished) -> DockerError {
    let command = line(argv);
    match error {
        Unfinished::NotStarted(cause) => DockerError::NotStarted { command, cause },
        Unfinished::Stopped(stop) => DockerError::Stopped { command, stop },
    }
}

/// To paste into a shell.
fn line(argv: &Argv) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let words = argv.iter().map(|word| {
        let word = word.to_string_lossy();
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    let words: Vec<String> = ["docker".to_owned()].into_iter().chain(words).collect();
    words.join(" ")
}
