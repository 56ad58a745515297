//! The words for labs: those that cannot be found, their locks and files, and what stops, starts and destroys them.

use super::{CliError, Exit, LAB, did_you_mean, existing};
use kafka_mirror_kit::core::compose::FORMAT;
use kafka_mirror_kit::core::lab::LabError;
use kafka_mirror_kit::core::lab::deploy::DeployError;
use kafka_mirror_kit::core::lab::destroy::DestroyError;
use kafka_mirror_kit::core::lab::journal::JournalError;
use kafka_mirror_kit::core::lab::lock::LockError;
use kafka_mirror_kit::core::lab::log::LogError;
use kafka_mirror_kit::core::lab::start::StartError;
use kafka_mirror_kit::core::lab::stop::StopError;
use kafka_mirror_kit::core::lab::workdir::{Owner, WorkdirError};
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::{DEFAULT_LAB, in_lab};

impl From<LabError> for CliError {
    fn from(error: LabError) -> Self {
        let told = Self::of(Exit::Unusable, &error);
        match error {
            LabError::NotFound { lab, others } => told.hint(instead_of(&lab, &others)),
            LabError::Newer { .. } => told.hint(format!(
                "use the kmk that made it, or a newer one; this one supports formats up to {FORMAT}"
            )),
            LabError::Incomplete { lab, .. } => {
                let lab = in_lab(&lab);
                told.hint(format!(
                    "`kmk destroy{lab}` removes what is left; `kmk deploy{lab}` rebuilds the lab, with the records on its volumes"
                ))
            }
            LabError::Label { .. } => told,
            LabError::Journal(error) => error.into(),
            LabError::Docker(error) => error.into(),
        }
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        let told = Self::of(Exit::Unusable, &error);
        match error {
            JournalError::Newer { .. } => told.hint("use the kmk that wrote it, or a newer one"),
            JournalError::Labels { volume, .. } => told.hint(format!(
                "`docker volume rm {volume}` removes it: what `kmk link` changed is then forgotten, and no record is touched"
            )),
            JournalError::Docker(error) => error.into(),
        }
    }
}

/// The only lab there is, where none was named, or one of nearly that name.
fn instead_of(name: &str, labs: &[String]) -> String {
    let meant = match labs {
        [only] if name == DEFAULT_LAB => Some(only.as_str()),
        labs => nearest(name, labs.iter().map(String::as_str)),
    };
    let lab = in_lab(name);
    match meant {
        Some(meant) => format!("did you mean{}?", shell::flag("--lab", meant)),
        None if labs.is_empty() => format!("`kmk deploy{lab}` starts it"),
        None => format!(
            "{}; `kmk deploy{lab}` creates this one",
            existing("lab", labs.iter().map(String::as_str))
        ),
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        let hint = match error {
            LockError::Held { .. } => "wait until it has finished, or use another lab with --lab",
            LockError::Io { .. } => {
                "XDG_RUNTIME_DIR, or else TMPDIR, must be a directory you can write to"
            }
        };
        Self::of(Exit::Unusable, &error).hint(hint)
    }
}

impl From<WorkdirError> for CliError {
    fn from(error: WorkdirError) -> Self {
        let (exit, hint) = match &error {
            WorkdirError::Io { cause, .. } => {
                (Exit::of_file(cause), "choose another directory with --dir")
            }
            WorkdirError::NotOurs {
                owner: Owner::Lab(_),
                ..
            } => (
                Exit::Usage,
                "choose another directory with --dir, or replace it with --overwrite",
            ),
            WorkdirError::NotOurs { .. } => (
                Exit::Usage,
                "replace it with --overwrite, or choose another directory with --dir",
            ),
        };
        Self::of(exit, &error).hint(hint)
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Lab(error) => error.into(),
            StartError::Lock(error) => error.into(),
            StartError::Docker(error) => error.into(),
            StartError::Incomplete { .. } => Self::of(Exit::Unusable, &error).hint(format!(
                "`kmk deploy{LAB}` recreates them; the records on the lab's volumes are used again"
            )),
            StartError::NotUp(error) => not_up(error),
        }
    }
}

fn not_up(error: DeployError) -> CliError {
    let hint = match &error {
        DeployError::NotReady { .. } => Some("give it more time with --timeout 300s".to_owned()),
        DeployError::Preflight(_) => Some(format!(
            "free the port, or choose another with `kmk deploy{LAB} --port CLUSTER=PORT`"
        )),
        DeployError::Docker(_) => Some(format!("`kmk deploy{LAB}` repairs what can be repaired")),
        _ => None,
    };
    let mut told = CliError::from(error);
    if hint.is_some() {
        told = told.maybe(hint);
    }
    told.after.push(format!(
        "What was started keeps running: `kmk status{LAB}` shows the lab's health, `kmk start{LAB}` tries again."
    ));
    told
}

impl From<StopError> for CliError {
    fn from(error: StopError) -> Self {
        match error {
            StopError::Docker(error) => error.into(),
            StopError::Lab(error) => error.into(),
            StopError::Lock(error) => error.into(),
            StopError::Interrupted { ref lab, .. } => {
                let lab = in_lab(lab);
                let hint =
                    format!("`kmk stop{lab}` continues, `kmk start{lab}` starts what was stopped");
                Self::of(Exit::Interrupted, &error).hint(hint)
            }
        }
    }
}

impl From<DestroyError> for CliError {
    fn from(error: DestroyError) -> Self {
        match error {
            DestroyError::Docker(error) => error.into(),
            DestroyError::NotOurs(problem) => (*problem).into(),
            DestroyError::Lab(error) => error.into(),
            DestroyError::Lock(error) => error.into(),
            DestroyError::Workdir(error) => error.into(),
            DestroyError::Stopped(stop) => stop.into(),
            DestroyError::Interrupted { ref lab, .. } => {
                let hint = format!("`kmk destroy{}` continues", in_lab(lab));
                Self::of(Exit::Interrupted, &error).hint(hint)
            }
        }
    }
}

impl From<LogError> for CliError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::UnknownService {
                ref service,
                ref known,
                ..
            } => Self::of(Exit::Usage, &error).hint(did_you_mean("service", service, known)),
            LogError::NoContainer { .. } => {
                Self::of(Exit::Unusable, &error).hint(format!("`kmk deploy{LAB}` recreates it"))
            }
            LogError::Docker(error) => error.into(),
            LogError::Stopped(stop) => stop.into(),
        }
    }
}
