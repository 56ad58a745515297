//! The words for docker, for labs that cannot be found, and for locks.

use super::deploy::{preflight_problem, workdir};
use super::{Failure, INTERRUPTED, Item, UNUSABLE, USAGE, did_you_mean};
use crate::cli::Context;
use crate::cli::deploy::in_lab;
use kafka_mirror_kit::core::compose::FORMAT;
use kafka_mirror_kit::core::docker::{DockerError, EngineCause};
use kafka_mirror_kit::core::lab::LabError;
use kafka_mirror_kit::core::lab::destroy::DestroyError;
use kafka_mirror_kit::core::lab::lock::LockError;
use kafka_mirror_kit::core::lab::log::LogError;
use kafka_mirror_kit::core::lab::stop::StopError;
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::DEFAULT_LAB;
use kmk_kafka::wait::Stop;
use std::path::Path;

pub(super) fn of_docker(error: &DockerError) -> Failure {
    match error {
        DockerError::Stopped {
            stop: Stop::Interrupted,
            ..
        } => Failure::interrupted(),
        other => Failure::one(docker(other), UNUSABLE),
    }
}

pub(super) fn docker(error: &DockerError) -> Item {
    let item = Item::new(error);
    match error {
        DockerError::Missing => item.hint("install Docker Desktop, or Docker Engine with its compose plugin"),
        DockerError::Podman => item.hint("install Docker, or put it before Podman on PATH"),
        DockerError::Engine { cause, said } => item.because(said).hint(match cause {
            EngineCause::NoPermission => "add yourself to the group `docker` and log in again, or use sudo".to_owned(),
            EngineCause::Host(_) => "correct DOCKER_HOST, or unset it to use the engine of this machine".to_owned(),
            EngineCause::NoContext(_) => "choose another: `docker context ls` shows them; unset DOCKER_CONTEXT, or `docker context use default`, means this machine".to_owned(),
            EngineCause::Context(_) => "start that engine, or choose another: `docker context ls` shows them, `docker context use default` means this machine".to_owned(),
            EngineCause::NotRunning if Path::new("/run/systemd/system").exists() => {
                "start it: sudo systemctl start docker".to_owned()
            }
            EngineCause::NotRunning => "start Docker Desktop, or the docker service".to_owned(),
        }),
        DockerError::NoCompose => item.hint("install Docker's compose plugin, v2.20 or later; the old docker-compose (v1) is not enough"),
        DockerError::Failed { said, .. } => item.because(said),
        DockerError::Stopped { .. } => item.hint("is the engine overloaded? `docker ps` should answer at once"),
        _ => item,
    }
}

pub(super) fn of_lab(error: &LabError) -> Failure {
    let item = Item::new(error);
    let item = match error {
        LabError::NotFound { lab, others } => match lab_that_is_meant(lab, others) {
            Some(meant) => item.hint(format!("did you mean{}?", shell::flag("--lab", meant))),
            None if others.is_empty() => {
                item.hint(format!("bring it up with `kmk deploy{}`", in_lab(lab)))
            }
            None => item.hint(format!(
                "labs there are: {}; `kmk deploy{}` brings it up",
                others.join(", "),
                in_lab(lab)
            )),
        },
        LabError::Newer { .. } => item.hint(format!(
            "use the kmk that made it, or a newer one; this one knows formats up to {FORMAT}"
        )),
        LabError::Incomplete { lab, .. } => {
            let lab = in_lab(lab);
            item.hint(format!(
                "`kmk destroy{lab}` takes away what is left; `kmk deploy{lab}` makes a lab of it again, with the records on its volumes"
            ))
        }
        LabError::Docker(error) => return of_docker(error),
        _ => item,
    };
    Failure::one(item, UNUSABLE)
}

pub(super) fn of_lock(error: &LockError) -> Failure {
    let item = Item::new(error);
    let item = match error {
        LockError::Held { .. } => {
            item.hint("wait until it has ended, or use another lab with --lab")
        }
        LockError::Io { .. } => {
            item.hint("XDG_RUNTIME_DIR, or else TMPDIR, should be a directory that you may write")
        }
    };
    Failure::one(item, UNUSABLE)
}

pub(super) fn of_destroy(error: &DestroyError) -> Failure {
    match error {
        DestroyError::Docker(error) => of_docker(error),
        DestroyError::NotOurs(problem) => Failure::one(preflight_problem(problem), UNUSABLE),
        DestroyError::Lab(error) => of_lab(error),
        DestroyError::Lock(error) => of_lock(error),
        DestroyError::Workdir(error) => Failure::one(workdir(error), USAGE),
        DestroyError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        DestroyError::Interrupted { lab, .. } => {
            let hint = format!("`kmk destroy{}` goes on", in_lab(lab));
            Failure::one(Item::new(error).hint(hint), INTERRUPTED)
        }
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

pub(super) fn of_stop(error: &StopError) -> Failure {
    match error {
        StopError::Docker(error) => of_docker(error),
        StopError::Lab(error) => of_lab(error),
        StopError::Lock(error) => of_lock(error),
        StopError::Interrupted { lab, .. } => {
            let lab = in_lab(lab);
            let hint = format!("`kmk stop{lab}` goes on, `kmk start{lab}` starts what was stopped");
            Failure::one(Item::new(error).hint(hint), INTERRUPTED)
        }
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

pub(super) fn of_log(error: &LogError, context: &Context) -> Failure {
    match error {
        LogError::UnknownService { service, known, .. } => Failure::one(
            Item::new(error).hint(did_you_mean("service", service, known)),
            USAGE,
        ),
        LogError::NoContainer { .. } => Failure::one(
            Item::new(error).hint(format!(
                "`kmk deploy{}` brings it back",
                in_lab(&context.lab)
            )),
            UNUSABLE,
        ),
        LogError::Docker(error) => of_docker(error),
        LogError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

/// The only one there is, where none was named, or one of nearly that name.
fn lab_that_is_meant<'a>(name: &str, labs: &'a [String]) -> Option<&'a str> {
    match labs {
        [only] if name == DEFAULT_LAB => Some(only),
        labs => nearest(name, labs.iter().map(String::as_str)),
    }
}
