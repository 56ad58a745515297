//! What changes while a lab lives, on the labels of a volume that holds nothing else: it outlives containers, working
//! directory and kmk itself, and is removed with the lab.
//!
//! The labels of a volume cannot be changed. So the volume is replaced: one with the next number in its name is made, then those
//! before it are removed. The highest number counts, wherever a replacement was interrupted. Docker gives a name only
//! once: of two that change the journal at the same time, the one that is late starts from what the other wrote.

mod labels;
mod model;

pub use model::{Cut, Journal, LinkState};

use crate::core::compose::{LABEL_FORMAT, LABEL_LAB};
use crate::core::docker::{Docker, DockerError, Labelled, labelled};
use crate::core::topology::project;
use kmk_kafka::wait::Limit;
use labels::LABEL_PARTS;

/// The format of a journal, raised when an older kmk would misread it. Fields that are added do not raise it.
pub const JOURNAL_FORMAT: u32 = 1;

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A newer kmk wrote it.
    #[error(
        "volume {volume} was written by a newer kmk (its labels have format {found}; this kmk knows formats up to {JOURNAL_FORMAT})"
    )]
    Newer {
        /// The journal's volume.
        volume: String,
        /// The format of its labels.
        found: String,
    },
    /// Its labels are not what kmk writes.
    #[error("volume {volume} has invalid labels `{LABEL_PARTS}`: {cause}")]
    Labels {
        /// The journal's volume.
        volume: String,
        /// What is wrong with them.
        cause: String,
    },
    /// Docker cannot be asked.
    #[error(transparent)]
    Docker(#[from] DockerError),
}

/// Reads a lab's journal: an empty one where nothing was ever written.
///
/// # Errors
/// [`JournalError`].
pub fn read(docker: &Docker, lab: &str, limit: &Limit) -> Result<Journal, JournalError> {
    let volumes = Volumes::look(docker, lab, limit)?;
    volumes.newest().map_or(Ok(Journal::default()), parse)
}

/// A lab's journal, where volumes of it, or of others too, were found.
///
/// # Errors
/// As [`read`].
pub(super) fn among(lab: &str, volumes: &[Labelled]) -> Result<Journal, JournalError> {
    let volumes = Volumes::of(lab, volumes.iter().cloned());
    volumes.newest().map_or(Ok(Journal::default()), parse)
}

/// Changes a lab's journal, if `change` changes it. It may be called more than once, each time with what is written by
/// then; what it returns last is returned. A lab that is gone meanwhile leaves no journal.
///
/// # Errors
/// [`JournalError`]; the journal is then as it was, or changed.
pub fn change<T>(
    docker: &Docker,
    lab: &str,
    limit: &Limit,
    mut change: impl FnMut(&mut Journal) -> T,
) -> Result<T, JournalError> {
    let mut volumes = Volumes::look(docker, lab, limit)?;
    loop {
        let before = volumes.newest().map_or(Ok(Journal::default()), parse)?;
        let mut journal = before.clone();
        let result = change(&mut journal);
        journal.tidy();
        if journal == before {
            return Ok(result);
        }
        let name = volumes.next();
        let wanted = written(lab, &journal);
        docker.make_volume(&name, &wanted, limit)?;
        volumes = Volumes::look(docker, lab, limit)?;
        if !volumes.is_newest(&name, &wanted) {
            continue;
        }
        let mut superfluous = volumes.before(&name);
        if docker
            .containers(&[labelled(LABEL_LAB, lab)], limit)?
            .is_empty()
        {
            superfluous.push(name);
        }
        docker.remove_volumes(&superfluous, limit)?;
        return Ok(result);
    }
}

/// The labels of a lab's journal.
fn written(lab: &str, journal: &Journal) -> Vec<(String, String)> {
    let text = serde_json::to_string(journal).expect("a journal can be written as JSON");
    let whose = [
        (LABEL_LAB.to_owned(), lab.to_owned()),
        (LABEL_FORMAT.to_owned(), JOURNAL_FORMAT.to_string()),
    ];
    whose.into_iter().chain(labels::split(&text)).collect()
}

fn parse(volume: &Labelled) -> Result<Journal, JournalError> {
    let name = || volume.name.clone();
    let found = volume.label(LABEL_FORMAT).unwrap_or_default();
    if !found
        .parse()
        .is_ok_and(|found: u32| found <= JOURNAL_FORMAT)
    {
        return Err(JournalError::Newer {
            volume: name(),
            found: found.to_owned(),
        });
    }
    let invalid = |cause: String| JournalError::Labels {
        volume: name(),
        cause,
    };
    let text = labels::join(|label| volume.label(label)).map_err(invalid)?;
    serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))
}

/// The volumes of a lab's journal, by their numbers: one, or more where a replacement was interrupted.
struct Volumes {
    lab: String,
    all: Vec<(u64, Labelled)>,
}

impl Volumes {
    fn look(docker: &Docker, lab: &str, limit: &Limit) -> Result<Self, DockerError> {
        let filters = [labelled(LABEL_LAB, lab), format!("label={LABEL_PARTS}")];
        let volumes = docker.volumes(&filters, limit)?.into_iter();
        Ok(Self::of(lab, volumes))
    }

    fn of(lab: &str, volumes: impl Iterator<Item = Labelled>) -> Self {
        let prefix = prefix(lab);
        let number = |volume: &Labelled| volume.name.strip_prefix(&prefix)?.parse().ok();
        let numbered = volumes.filter_map(|volume| Some((number(&volume)?, volume)));
        let mut all: Vec<(u64, Labelled)> = numbered.collect();
        all.sort_by_key(|(number, _)| *number);
        let lab = lab.to_owned();
        Self { lab, all }
    }

    fn newest(&self) -> Option<&Labelled> {
        self.all.last().map(|(_, volume)| volume)
    }

    /// The name of the one that is to replace them.
    fn next(&self) -> String {
        let newest = self.all.last().map_or(0, |(number, _)| *number);
        format!("{}{}", prefix(&self.lab), newest + 1)
    }

    /// Whether this is the newest one, and as it was to be made.
    fn is_newest(&self, name: &str, wanted: &[(String, String)]) -> bool {
        let mut labels = wanted.iter();
        self.newest().is_some_and(|volume| {
            volume.name == name
                && labels.all(|(label, value)| volume.label(label) == Some(value.as_str()))
        })
    }

    /// All but that one.
    fn before(&self, name: &str) -> Vec<String> {
        let all = self.all.iter().map(|(_, volume)| volume.name.clone());
        all.filter(|one| one != name).collect()
    }
}

fn prefix(lab: &str) -> String {
    format!("{}_journal-", project(lab))
}

#[cfg(test)]
mod tests;
