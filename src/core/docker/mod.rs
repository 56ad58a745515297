//! Runs the docker command line and reads its answers.

mod argv;
mod engine_host;
mod error;
mod kill;
mod log;
mod memory;
mod process;
mod resource;

pub(crate) use argv::Recreate;
pub use engine_host::EngineHost;
pub use error::{DockerError, EngineCause};
pub use memory::bytes;
pub use resource::{Container, Labelled};
pub(crate) use resource::{in_project, labelled};

use argv::{Argv, line};
use kmk_kafka::wait::Limit;
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

    /// The one at this path.
    #[cfg(test)]
    pub(crate) fn at(program: PathBuf) -> Self {
        Self { program }
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
                _ => errors_of(&text),
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
        } else if said.contains("context not found") {
            EngineCause::NoContext(engine_host::context().unwrap_or_default())
        } else if !host.is_empty() {
            EngineCause::Host(host)
        } else if let Ok(EngineHost::Remote { address }) = EngineHost::find(limit) {
            EngineCause::Context(address)
        } else {
            EngineCause::NotRunning
        };
        // of a template that found no answer to fill in
        let said = said.lines().filter(|line| !line.contains("nil pointer"));
        let said = said.collect::<Vec<_>>().join("\n");
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

    /// Whether there is a volume that matches every filter.
    ///
    /// # Errors
    /// When docker cannot be asked.
    pub fn has_volumes(&self, filters: &[String], limit: &Limit) -> Result<bool, DockerError> {
        let names = self.query(&argv::volumes(filters), limit)?;
        Ok(!names.trim().is_empty())
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

    /// Lists ids and asks for all about them. What is gone in between is not asked for again; where all of it is, others may
    /// have come in its place.
    fn inspect<T: DeserializeOwned>(
        &self,
        kind: &str,
        list: &Argv,
        limit: &Limit,
    ) -> Result<Vec<T>, DockerError> {
        loop {
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
            match serde_json::from_str::<Vec<T>>(&finished.stdout) {
                Ok(found) if found.is_empty() => {}
                Ok(found) => return Ok(found),
                Err(_) if finished.code != Some(0) => return Err(failed(&inspect, &finished)),
                Err(cause) => {
                    return Err(DockerError::Answer {
                        command: line(&inspect),
                        cause,
                    });
                }
            }
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

    /// Puts a container on a network, where others find it by its id and by `alias`.
    ///
    /// # Errors
    /// When docker refuses, such as for a network that is not there.
    pub fn connect(
        &self,
        network: &str,
        container: &str,
        alias: &str,
        limit: &Limit,
    ) -> Result<(), DockerError> {
        self.query(&argv::connect(network, container, alias), limit)
            .map(drop)
    }

    /// Removes networks.
    ///
    /// # Errors
    /// When docker refuses, such as for one that is in use.
    pub fn remove_networks(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::remove_networks, limit)
    }

    /// Makes a volume with labels; an existing one of that name stays as it is.
    ///
    /// # Errors
    /// When docker refuses.
    pub fn make_volume(
        &self,
        name: &str,
        labels: &[(String, String)],
        limit: &Limit,
    ) -> Result<(), DockerError> {
        self.query(&argv::make_volume(name, labels), limit)
            .map(drop)
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

/// What went wrong, by an answer of [`argv::engine`] without an engine.
fn errors_of(answer: &str) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Option<Vec<String>>,
    }
    match serde_json::from_str(answer) {
        Ok(Errors { errors }) => errors.unwrap_or_default().join("\n"),
        Err(_) => answer.to_owned(),
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
