//! What went wrong, in words: heading, causes, hint and exit code of every error of the core, in one place.

use super::output::{ERROR, HINT, styled};
use super::{Context, deploy};
use kafka_mirror_kit::core::compose::FORMAT;
use kafka_mirror_kit::core::docker::{DockerError, EngineCause};
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::kafka::KafkaError;
use kafka_mirror_kit::core::lab::LabError;
use kafka_mirror_kit::core::lab::deploy::{
    Aftermath, DeployError, Failure as DeployFailure, Suspect,
};
use kafka_mirror_kit::core::lab::destroy::DestroyError;
use kafka_mirror_kit::core::lab::log::LogError;
use kafka_mirror_kit::core::lock::LockError;
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::wait::Stop;
use kafka_mirror_kit::core::workdir::{Owner, WorkdirError};
use kafka_mirror_kit::core::{preflight, spec};
use std::error::Error;
use std::path::Path;

/// The answer is no.
pub(crate) const NO: u8 = 1;
/// Bad flags, values, names or files.
pub(crate) const USAGE: u8 = 2;
/// Docker or Kafka cannot be used.
pub(crate) const UNUSABLE: u8 = 3;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Something that was typed makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Usage {
    what: String,
    hint: Option<String>,
}

impl Usage {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A name that does not exist, with the nearest one that does.
    pub(crate) fn unknown(kind: &str, name: &str, known: &[String]) -> Self {
        Self::new(format!("there is no {kind} `{name}`")).hint(did_you_mean(kind, name, known))
    }
}

fn did_you_mean(kind: &str, name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => format!("there is no {kind} at all"),
        None => format!("{kind}s there are: {}", known.join(", ")),
    }
}

/// One problem as it is shown.
struct Item {
    what: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Item {
    fn new(error: &(dyn Error + 'static)) -> Self {
        let sources = std::iter::successors(error.source(), |cause| (*cause).source());
        let what = error.to_string();
        let causes = sources
            .map(ToString::to_string)
            .filter(|cause| !what.contains(cause.as_str()));
        Self {
            causes: causes.collect(),
            what,
            hint: None,
        }
    }

    /// Adds the last words of a child that failed; all of them were shown as they came.
    fn because(mut self, said: &str) -> Self {
        const LAST: usize = 3;
        let lines: Vec<&str> = said.lines().map(str::trim).collect();
        let mut words: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let last = words.split_off(words.len().saturating_sub(LAST));
        self.causes.extend(last.into_iter().map(str::to_owned));
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A verb that failed, as it is shown.
pub(crate) struct Failure {
    items: Vec<Item>,
    /// What is said after the problems.
    more: Vec<String>,
    pub(crate) code: u8,
}

impl Failure {
    fn one(item: Item, code: u8) -> Self {
        Self {
            items: vec![item],
            more: Vec::new(),
            code,
        }
    }

    fn interrupted() -> Self {
        Self::one(
            Item {
                what: "interrupted".to_owned(),
                causes: Vec::new(),
                hint: None,
            },
            INTERRUPTED,
        )
    }

    /// What an error means to the person who typed the command.
    pub(crate) fn of(error: &anyhow::Error, context: &Context) -> Self {
        if let Some(usage) = error.downcast_ref::<Usage>() {
            let mut item = Item::new(usage);
            item.hint.clone_from(&usage.hint);
            return Self::one(item, USAGE);
        }
        if let Some(error) = error.downcast_ref::<DeployFailure>() {
            return of_deploy(error, context);
        }
        if let Some(error) = error.downcast_ref::<DeployError>() {
            return of_deploy_error(error);
        }
        if let Some(error) = error.downcast_ref::<DestroyError>() {
            return of_destroy(error);
        }
        if let Some(error) = error.downcast_ref::<LogError>() {
            return of_log(error);
        }
        if let Some(error) = error.downcast_ref::<LabError>() {
            return of_lab(error);
        }
        if let Some(error) = error.downcast_ref::<DockerError>() {
            return of_docker(error);
        }
        if let Some(error) = error.downcast_ref::<KafkaError>() {
            return of_kafka(error);
        }
        if let Some(error) = error.downcast_ref::<WorkdirError>() {
            return Self::one(workdir(error), USAGE);
        }
        if let Some(Stop::Interrupted) = error.downcast_ref::<Stop>() {
            return Self::interrupted();
        }
        Self::one(Item::new(error.as_ref()), USAGE)
    }

    /// Shows it on stderr, also when quiet.
    pub(crate) fn show(&self) {
        for item in &self.items {
            anstream::eprintln!("{} {}", styled(ERROR, "error:"), item.what);
            for cause in &item.causes {
                anstream::eprintln!("  caused by: {cause}");
            }
            if let Some(hint) = &item.hint {
                anstream::eprintln!("  {} {hint}", styled(HINT, "hint:"));
            }
        }
        for line in &self.more {
            anstream::eprintln!("{line}");
        }
    }
}

fn of_deploy(failure: &DeployFailure, context: &Context) -> Failure {
    let mut shown = of_deploy_error(&failure.cause);
    let lab = deploy::in_lab(&context.lab);
    shown.more.extend(match &failure.aftermath {
        Aftermath::NothingMade => None,
        Aftermath::RolledBack => Some("Everything that this deploy had made is gone again.".to_owned()),
        Aftermath::Kept => Some(format!(
            "Left as it is for a look: `kmk logs{lab}`, `kmk status{lab}`; take it away with `kmk destroy{lab}`."
        )),
        Aftermath::LabStays => Some(format!(
            "The lab was there before and stays: `kmk status{lab}` says how it is, `kmk deploy{lab}` tries again."
        )),
        Aftermath::RollbackFailed(why) => Some(format!(
            "Taking back what was made failed too: {why}\nTry again with `kmk destroy{lab}`."
        )),
    });
    shown
}

fn of_deploy_error(error: &DeployError) -> Failure {
    match error {
        DeployError::Spec(problems) => Failure {
            items: problems.iter().map(spec_problem).collect(),
            more: Vec::new(),
            code: USAGE,
        },
        DeployError::Preflight(problems) => Failure {
            code: if problems.iter().all(is_usage) { USAGE } else { UNUSABLE },
            items: problems.iter().map(preflight_problem).collect(),
            more: Vec::new(),
        },
        DeployError::Lab(error) => of_lab(error),
        DeployError::Lock(error) => of_lock(error),
        DeployError::Workdir(error) => Failure::one(workdir(error), USAGE),
        DeployError::NoNetworkLeft => Failure::one(
            Item::new(error).hint("a lab takes one network a cluster and Docker has about 30: destroy a lab, or `docker network rm` one of yours"),
            UNUSABLE,
        ),
        DeployError::Docker(error) => of_docker(error),
        DeployError::NotReady { suspect, .. } => {
            let item = Item::new(error).hint("give it more time with --timeout 300s, or keep it for a look with --keep");
            let mut failure = Failure::one(item, UNUSABLE);
            failure.more = suspect.as_ref().map_or_else(Vec::new, log);
            failure
        }
        DeployError::Interrupted => Failure::interrupted(),
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

fn log(suspect: &Suspect) -> Vec<String> {
    let heading = format!(
        "Container {} {}; the last lines of its log:",
        suspect.container, suspect.state
    );
    [heading]
        .into_iter()
        .chain(suspect.log.iter().map(|line| format!("  | {line}")))
        .collect()
}

fn spec_problem(problem: &spec::Problem) -> Item {
    let item = Item::new(problem);
    match problem {
        spec::Problem::UnknownCluster { name, known } => {
            item.hint(did_you_mean("cluster", name, known))
        }
        spec::Problem::Port { .. } | spec::Problem::PortTwice { .. } => {
            item.hint("choose another with --port CLUSTER=PORT, or let kmk choose with --any-port")
        }
        spec::Problem::Filter { .. } => {
            item.hint("quote it for the shell, such as --topics 'orders,payments\\..*'")
        }
        _ => item,
    }
}

fn is_usage(problem: &preflight::Problem) -> bool {
    matches!(
        problem,
        preflight::Problem::Workdir(_) | preflight::Problem::Image(ImageError::TooNew { .. })
    )
}

fn preflight_problem(problem: &preflight::Problem) -> Item {
    match problem {
        preflight::Problem::Docker(error) => docker(error),
        preflight::Problem::ComposeTooOld { .. } => {
            Item::new(problem).hint("update Docker Desktop, or Docker's compose plugin")
        }
        preflight::Problem::Port { cluster, port, .. } => Item::new(problem).hint(format!(
            "choose another with --port {cluster}={}, or let kmk choose with --any-port",
            if *port < 40_000 {
                port + 10_000
            } else {
                port - 10_000
            }
        )),
        preflight::Problem::Workdir(error) => workdir(error),
        preflight::Problem::Image(error) => image(error),
        preflight::Problem::Memory { .. } => Item::new(problem).hint(
            "end something else, or give Docker more memory (Docker Desktop: Settings, Resources)",
        ),
        preflight::Problem::Disk { .. } => {
            Item::new(problem).hint("see what takes space with `docker system df`")
        }
        preflight::Problem::NotOurs { .. } => Item::new(problem)
            .hint("choose another name with --lab, or remove it with docker if it is yours"),
        other => Item::new(other),
    }
}

fn image(error: &ImageError) -> Item {
    let item = Item::new(error);
    match error {
        ImageError::NotFound { .. } => {
            item.hint("check the name and the network, or name one that is here with --image (`docker images` lists them)")
        }
        ImageError::TooNew { .. } => item.hint("leave --image and --kafka-version out, or ask for a 3.x such as --kafka-version 3.9.2"),
        ImageError::NoKafka { .. } => item.hint("kmk runs apache/kafka, or an image that is laid out like it"),
        ImageError::Docker(error) => docker(error),
        _ => item,
    }
}

fn workdir(error: &WorkdirError) -> Item {
    let item = Item::new(error);
    match error {
        WorkdirError::Io { .. } => item.hint("choose another directory with --dir"),
        WorkdirError::NotOurs {
            owner: Owner::Lab(_),
            ..
        } => item.hint("choose another directory with --dir, or replace it with --overwrite"),
        WorkdirError::NotOurs { .. } => {
            item.hint("replace it with --overwrite, or choose another directory with --dir")
        }
    }
}

fn of_docker(error: &DockerError) -> Failure {
    match error {
        DockerError::Stopped {
            stop: Stop::Interrupted,
            ..
        } => Failure::interrupted(),
        other => Failure::one(docker(other), UNUSABLE),
    }
}

fn docker(error: &DockerError) -> Item {
    let item = Item::new(error);
    match error {
        DockerError::Missing => item.hint("install Docker Desktop, or Docker Engine with its compose plugin"),
        DockerError::Podman => item.hint("install Docker, or put it before Podman on PATH"),
        DockerError::Engine { cause, said } => item.because(said).hint(match cause {
            EngineCause::NoPermission => "add yourself to the group `docker` and log in again, or use sudo".to_owned(),
            EngineCause::Host(_) => "correct DOCKER_HOST, or unset it to use the engine of this machine".to_owned(),
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

fn of_lab(error: &LabError) -> Failure {
    let item = Item::new(error);
    let item = match error {
        LabError::NotFound { lab, others } => match nearest(lab, others.iter().map(String::as_str))
        {
            Some(meant) => item.hint(format!("did you mean --lab {meant}?")),
            None if others.is_empty() => item.hint(format!(
                "bring it up with `kmk deploy{}`",
                deploy::in_lab(lab)
            )),
            None => item.hint(format!("labs there are: {}", others.join(", "))),
        },
        LabError::Newer { .. } => item.hint(format!(
            "use the kmk that made it, or a newer one; this one knows formats up to {FORMAT}"
        )),
        LabError::Docker(error) => return of_docker(error),
        _ => item,
    };
    Failure::one(item, UNUSABLE)
}

fn of_lock(error: &LockError) -> Failure {
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

fn of_destroy(error: &DestroyError) -> Failure {
    match error {
        DestroyError::Docker(error) => of_docker(error),
        DestroyError::NotOurs(problem) => Failure::one(preflight_problem(problem), UNUSABLE),
        DestroyError::Lab(error) => of_lab(error),
        DestroyError::Lock(error) => of_lock(error),
        DestroyError::Workdir(error) => Failure::one(workdir(error), USAGE),
        DestroyError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

fn of_log(error: &LogError) -> Failure {
    match error {
        LogError::Lab(error) => of_lab(error),
        LogError::UnknownService { service, known, .. } => Failure::one(
            Item::new(error).hint(did_you_mean("service", service, known)),
            USAGE,
        ),
        LogError::Docker(error) => of_docker(error),
        LogError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

fn of_kafka(error: &KafkaError) -> Failure {
    match error {
        KafkaError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        KafkaError::Unreachable { .. } => Failure::one(
            Item::new(error).hint("`kmk status` says how the lab is; `kmk deploy` repairs it"),
            UNUSABLE,
        ),
        other => Failure::one(Item::new(other), NO),
    }
}
