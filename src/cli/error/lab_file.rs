//! The words for a lab file that is not a valid lab file.

use super::{CliError, did_you_mean};
use crate::cli::init::config_flag;
use kafka_mirror_kit::core::lab_file::{MAX_BYTES, Problem, What};
use kafka_mirror_kit::core::spec;
use std::path::{Path, PathBuf};

/// A lab file with problems.
#[derive(Debug, thiserror::Error)]
#[error("{} is not a valid lab file", path.display())]
pub(crate) struct BadLabFile {
    pub(crate) path: PathBuf,
    pub(crate) problems: Vec<Problem>,
}

impl From<BadLabFile> for CliError {
    fn from(file: BadLabFile) -> Self {
        let path = file.path.display().to_string();
        Self::all(file.problems.iter().map(|problem| {
            let told = match &problem.what {
                What::Spec(problem) => of_spec(problem),
                what => Self::usage(what.to_string()).maybe(hint(what, &path)),
            };
            let what = &told.problems[0].what;
            let what = match problem.place {
                Some(place) => format!("{path}:{place}: {what}"),
                None => format!("{path}: {what}"),
            };
            told.what(what)
        }))
    }
}

/// As everywhere, but for hints that speak of flags and of a shell.
fn of_spec(problem: &spec::Problem) -> CliError {
    let told = CliError::from(problem);
    match problem {
        spec::Problem::Filter { .. } | spec::Problem::GroupFilter { .. } => {
            told.hint("put it in single quotes, where YAML keeps backslashes: 'payments\\..*'")
        }
        spec::Problem::Port { .. } | spec::Problem::PortTwice { .. } => {
            told.hint("choose another, or leave `port` out and let kmk choose with --any-port")
        }
        _ => told,
    }
}

fn hint(what: &What, path: &str) -> Option<String> {
    Some(match what {
        What::Unreadable(_) if !Path::new(path).exists() => {
            let config = config_flag(path);
            format!("`kmk init{config}` writes one that explains every field")
        }
        What::Empty => {
            let config = config_flag(path);
            format!("`kmk init{config} --overwrite` writes one that explains every field")
        }
        What::TooLarge => format!(
            "a lab of a hundred clusters fits into {} KiB",
            MAX_BYTES / 1024
        ),
        What::NotText => "save it as UTF-8".to_owned(),
        What::NotYaml(_) => {
            "a text that contains `: `, or begins with one of [ { * & ! % @ `, needs quotes"
                .to_owned()
        }
        What::Tab => "use two spaces instead".to_owned(),
        What::Alias => "write out what it refers to".to_owned(),
        What::Tag => "remove it: the field determines the type".to_owned(),
        What::SecondDocument => {
            "put the other lab in its own file: `kmk deploy --config FILE`".to_owned()
        }
        What::UnknownField { name, known, .. } => {
            let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            did_you_mean("field", name, &known)
        }
        What::FieldTwice(_) | What::KafkaAndImage => "remove one of them".to_owned(),
        What::WrongKind { found, .. } if found == "nothing" => {
            "write a value, or remove the field".to_owned()
        }
        _ => return None,
    })
}
