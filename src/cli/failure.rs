//! What went wrong, in words: heading, causes, hint and exit code of every error of the core, in one place.

mod broker;
mod deploy;
mod docker;
mod lab_file;

pub(crate) use broker::{OTHER_CLIENT, advice, exit_code};
pub(crate) use lab_file::BadLabFile;

use super::Context;
use super::output::{ERROR, HINT, styled, tell};
use kafka_mirror_kit::core::docker::DockerError;
use kafka_mirror_kit::core::lab::LabError;
use kafka_mirror_kit::core::lab::deploy::{DeployError, Failure as DeployFailure};
use kafka_mirror_kit::core::lab::destroy::DestroyError;
use kafka_mirror_kit::core::lab::lock::LockError;
use kafka_mirror_kit::core::lab::log::LogError;
use kafka_mirror_kit::core::lab::start::StartError;
use kafka_mirror_kit::core::lab::stop::StopError;
use kafka_mirror_kit::core::lab::workdir::WorkdirError;
use kafka_mirror_kit::core::nearest::nearest;
use kmk_kafka::KafkaError;
use kmk_kafka::printable;
use kmk_kafka::wait::Stop;
use std::error::Error;
use std::io;

/// The answer is no: too few by the deadline, a count that is short whatever the cause, not healthy, lost.
pub(crate) const NO: u8 = 1;
/// A flag, value, file or name inside the lab (cluster, flow, topic, group, service) that does not exist.
pub(crate) const USAGE: u8 = 2;
/// Nothing to work with: Docker, Kafka, an answer that cannot be had or understood, the lab not there or not up, a name in
/// use by somebody else, an output that cannot be written.
pub(crate) const UNUSABLE: u8 = 3;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// A failure for which a verb has found the words itself.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Told {
    what: String,
    source: Option<io::Error>,
    hint: Option<String>,
    code: u8,
}

impl Told {
    /// With an exit code that was found out elsewhere.
    pub(crate) fn new(what: impl Into<String>, code: u8) -> Self {
        Self {
            what: what.into(),
            source: None,
            hint: None,
            code,
        }
    }

    /// The answer is no.
    pub(crate) fn no(what: impl Into<String>) -> Self {
        Self::new(what, NO)
    }

    /// There is nothing to work with.
    pub(crate) fn unusable(what: impl Into<String>) -> Self {
        Self::new(what, UNUSABLE)
    }

    /// What was typed makes no sense, or names what does not exist.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(what, USAGE)
    }

    /// A file that was named cannot be used.
    pub(crate) fn file(what: impl Into<String>, cause: io::Error) -> Self {
        let mut told = Self::usage(what);
        told.source = Some(cause);
        told
    }

    /// Standard output cannot be written.
    pub(crate) fn unwritten(cause: io::Error) -> Self {
        let mut told = Self::unusable("cannot write to standard output");
        told.source = Some(cause);
        told
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a hint, where there is one.
    pub(crate) fn maybe(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// A name that does not exist, with the nearest one that does.
    pub(crate) fn unknown(kind: &str, name: &str, known: &[String]) -> Self {
        let what = format!("there is no {kind} `{}`", printable::name(name));
        Self::usage(what).hint(did_you_mean(kind, name, known))
    }
}

fn did_you_mean(kind: &str, name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{}`?", printable::name(meant)),
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

    pub(crate) fn of_told(told: &Told) -> Self {
        let mut item = Item::new(told);
        item.hint.clone_from(&told.hint);
        Self::one(item, told.code)
    }

    /// What an error means to the person who typed the command.
    pub(crate) fn of(error: &anyhow::Error, context: &Context) -> Self {
        if let Some(told) = error.downcast_ref::<Told>() {
            return Self::of_told(told);
        }
        if let Some(error) = error.downcast_ref::<BadLabFile>() {
            return error.failure();
        }
        if let Some(error) = error.downcast_ref::<DeployFailure>() {
            return deploy::of_deploy(error, context);
        }
        if let Some(error) = error.downcast_ref::<DeployError>() {
            return deploy::of_deploy_error(error);
        }
        if let Some(error) = error.downcast_ref::<StartError>() {
            return deploy::of_start(error, context);
        }
        if let Some(error) = error.downcast_ref::<StopError>() {
            return docker::of_stop(error);
        }
        if let Some(error) = error.downcast_ref::<DestroyError>() {
            return docker::of_destroy(error);
        }
        if let Some(error) = error.downcast_ref::<LogError>() {
            return docker::of_log(error, context);
        }
        if let Some(error) = error.downcast_ref::<LabError>() {
            return docker::of_lab(error);
        }
        if let Some(error) = error.downcast_ref::<DockerError>() {
            return docker::of_docker(error);
        }
        if let Some(error) = error.downcast_ref::<KafkaError>() {
            return broker::of_kafka(error, context);
        }
        if let Some(error) = error.downcast_ref::<WorkdirError>() {
            return Self::one(deploy::workdir(error), USAGE);
        }
        if let Some(error) = error.downcast_ref::<LockError>() {
            return docker::of_lock(error);
        }
        if let Some(Stop::Interrupted) = error.downcast_ref::<Stop>() {
            return Self::interrupted();
        }
        Self::one(Item::new(error.as_ref()), UNUSABLE)
    }

    /// Shows it on stderr, also when quiet.
    pub(crate) fn show(&self) {
        for item in &self.items {
            let what = printable::line(&item.what);
            tell(&format!("{} {what}", styled(ERROR, "error:")));
            for cause in &item.causes {
                tell(&format!("  caused by: {}", printable::line(cause)));
            }
            if let Some(hint) = &item.hint {
                let hint = printable::line(hint);
                tell(&format!("  {} {hint}", styled(HINT, "hint:")));
            }
        }
        for line in &self.more {
            tell(line);
        }
    }
}

#[cfg(test)]
mod tests;
