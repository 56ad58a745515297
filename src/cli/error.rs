//! What went wrong, in words, and the exit code of everything: each error of the core becomes a [`CliError`] in `error/`,
//! by a match without a wildcard wherever its variants end differently.

mod broker;
mod deploy;
mod docker;
mod drill;
mod lab;
mod lab_file;
mod link;
mod preflight;
mod records;
mod relay;
mod spec;
mod topics;

pub(crate) use broker::{OTHER_CLIENT, advice, short};
pub(crate) use lab_file::BadLabFile;

use super::output::{ERROR, HINT, styled, tell};
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::printable;
use std::error::Error;
use std::io;
use std::process::ExitCode;

/// How a command ends: README's table of exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, or yes.
    Done = 0,
    /// A check failed: too few records by the deadline, a short count whatever the cause, not healthy, records lost.
    No = 1,
    /// A flag, value, file or name inside the lab (cluster, flow, topic, group, service) that does not exist.
    Usage = 2,
    /// Nothing to work with: Docker, Kafka, an answer that cannot be had or understood, the lab not there or not up, a name
    /// in use by somebody else, an output that cannot be written.
    Unusable = 3,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// A file that was named cannot be used: it is the name that is wrong, unless the disk is full.
    pub(crate) fn of_file(cause: &io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Unusable,
            _ => Self::Usage,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Stands in a hint where the flag goes that names the lab, if one is needed: [`CliError::show`] knows it. Nothing that was
/// typed has this character.
const LAB: char = '\0';

/// A command that failed, as it is shown.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(super) problems: Vec<Problem>,
    /// What is said after the problems.
    after: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Problem {
    pub(super) what: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl CliError {
    /// Of an error, with all that caused it.
    fn of(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let mut told = Self::new(exit, error.to_string());
        for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
            told = told.cause(&cause.to_string());
        }
        told
    }

    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        let problem = Problem {
            what: what.into(),
            causes: Vec::new(),
            hint: None,
        };
        Self {
            exit,
            problems: vec![problem],
            after: Vec::new(),
        }
    }

    /// Of several problems at once; the worst says how it ends.
    fn all(problems: impl Iterator<Item = Self>) -> Self {
        let mut all = Self {
            exit: Exit::Usage,
            problems: Vec::new(),
            after: Vec::new(),
        };
        for problem in problems {
            all.exit = all.exit.max(problem.exit);
            all.problems.extend(problem.problems);
        }
        all
    }

    /// A check failed.
    pub(crate) fn no(what: impl Into<String>) -> Self {
        Self::new(Exit::No, what)
    }

    /// There is nothing to work with.
    pub(crate) fn unusable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unusable, what)
    }

    /// What was typed makes no sense, or names what does not exist.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A file that was named cannot be used.
    pub(crate) fn file(what: impl Into<String>, cause: &io::Error) -> Self {
        Self::new(Exit::of_file(cause), what).cause(&cause.to_string())
    }

    /// Standard output cannot be written.
    pub(crate) fn unwritten(cause: &io::Error) -> Self {
        Self::unusable("cannot write to standard output").cause(&cause.to_string())
    }

    /// A name that does not exist, with the nearest one that does.
    pub(crate) fn unknown(kind: &str, name: &str, known: &[String]) -> Self {
        let what = format!("there is no {kind} `{}`", printable::name(name));
        Self::usage(what).hint(did_you_mean(kind, name, known))
    }

    /// The same, said with these words.
    pub(crate) fn what(mut self, what: impl Into<String>) -> Self {
        let what = what.into();
        for problem in &mut self.problems {
            problem.what.clone_from(&what);
        }
        self
    }

    /// The cause, unless that is said already.
    fn cause(mut self, cause: &str) -> Self {
        let silent = |problem: &&mut Problem| !problem.what.contains(cause);
        for problem in self.problems.iter_mut().filter(silent) {
            problem.causes.push(cause.to_owned());
        }
        self
    }

    /// The last words of a child that failed; all of them were shown as they came.
    fn because(mut self, said: &str) -> Self {
        const LAST: usize = 3;
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut lines: Vec<&str> = lines.collect();
        let last = lines.split_off(lines.len().saturating_sub(LAST));
        for problem in &mut self.problems {
            let last = last.iter().copied().map(str::to_owned);
            problem.causes.extend(last);
        }
        self
    }

    /// With a line after the problems.
    pub(super) fn then(mut self, line: &str) -> Self {
        self.after.push(line.to_owned());
        self
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe(hint.into())
    }

    /// With a hint, where there is one.
    pub(crate) fn maybe(mut self, hint: impl Into<Option<String>>) -> Self {
        let hint = hint.into();
        for problem in &mut self.problems {
            problem.hint.clone_from(&hint);
        }
        self
    }

    /// Shows it on stderr, also when quiet, with commands for this lab.
    pub(crate) fn show(&self, lab: &str) {
        let lab = in_lab(lab);
        for problem in &self.problems {
            let what = printable::line(&problem.what);
            tell(&format!("{} {what}", styled(ERROR, "error:")));
            for cause in &problem.causes {
                tell(&format!("  caused by: {}", printable::line(cause)));
            }
            if let Some(hint) = &problem.hint {
                let hint = hint.replace(LAB, &lab);
                let hint = printable::line(&hint);
                tell(&format!("  {} {hint}", styled(HINT, "hint:")));
            }
        }
        for line in &self.after {
            tell(&line.replace(LAB, &lab));
        }
    }
}

/// Names that are alike first; of many, only the nearest is worth a word.
fn did_you_mean(kind: &str, name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{}`?", printable::name(meant)),
        None => existing(kind, known.iter().map(String::as_str)),
    }
}

/// As many names as are worth a line.
pub(crate) fn existing<'a>(kind: &str, names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let names: Vec<_> = names.map(printable::name).collect();
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len() {
        0 => format!("there are no {kind}s yet"),
        all if all > SHOWN => format!("existing {kind}s: {shown} and {} more", all - SHOWN),
        _ => format!("existing {kind}s: {shown}"),
    }
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        Self::unusable("cannot write JSON").cause(&error.to_string())
    }
}

#[cfg(test)]
mod tests;
