//! The words for docker.

use super::{CliError, Exit};
use kafka_mirror_kit::core::docker::{DockerError, EngineCause};
use kmk_kafka::wait::Stop;
use std::path::Path;

impl From<DockerError> for CliError {
    fn from(error: DockerError) -> Self {
        let told = Self::of(Exit::Unusable, &error);
        match error {
            DockerError::Missing => told.hint("install Docker Desktop, or Docker Engine with its compose plugin"),
            DockerError::Podman => told.hint("install Docker, or put it before Podman on PATH"),
            DockerError::Engine { cause, said } => told.because(&said).hint(engine(&cause)),
            DockerError::NoCompose => told.hint("install Docker's compose plugin, v2.20 or later; the old docker-compose (v1) is not enough"),
            DockerError::Failed { said, .. } => told.because(&said),
            DockerError::Stopped { stop: stop @ Stop::Interrupted, .. } => stop.into(),
            DockerError::Stopped { stop: Stop::Deadline { .. }, .. } => {
                told.hint("is the engine overloaded? `docker ps` should answer at once")
            }
            DockerError::NotStarted { .. } | DockerError::Answer { .. } => told,
        }
    }
}

fn engine(cause: &EngineCause) -> &'static str {
    match cause {
        EngineCause::NoPermission => {
            "add yourself to the group `docker` and log in again, or use sudo"
        }
        EngineCause::Host(_) => "correct DOCKER_HOST, or unset it to use this machine's engine",
        EngineCause::NoContext(_) => {
            "choose another context (`docker context ls` lists them); for this machine unset DOCKER_CONTEXT, or run `docker context use default`"
        }
        EngineCause::Context(_) => {
            "start that engine, or choose another context (`docker context ls` lists them); `docker context use default` is this machine"
        }
        EngineCause::NotRunning if Path::new("/run/systemd/system").exists() => {
            "start it: sudo systemctl start docker"
        }
        EngineCause::NotRunning => "start Docker Desktop or the docker service",
    }
}
