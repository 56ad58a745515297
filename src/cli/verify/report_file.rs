//! The file for `kmk verify --report`: checked before anything is sent, and written as a whole or not at all.

use crate::cli::CliError;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where a report will go.
pub(in crate::cli) struct ReportFile {
    path: PathBuf,
    to: To,
}

enum To {
    /// Beside it, to take its place.
    Beside(NamedTempFile),
    /// A device or a pipe, such as `/dev/stderr`.
    Straight(File),
}

impl ReportFile {
    /// Nothing is changed about what is there.
    pub(in crate::cli) fn prepare(path: PathBuf) -> Result<Self, CliError> {
        let refuse = |error: &io::Error| {
            let what = format!("cannot write the report to {}: {error}", path.display());
            CliError::usage(what).hint("use --report with a file in an existing directory")
        };
        let to = open(&path).map_err(|error| refuse(&error))?;
        Ok(Self { path, to })
    }

    pub(in crate::cli) fn write(self, text: &str) -> Result<(), CliError> {
        let written = match self.to {
            To::Straight(mut file) => writeln!(file, "{text}"),
            To::Beside(mut file) => writeln!(file, "{text}")
                .and_then(|()| file.persist(&self.path).map_err(|error| error.error))
                .map(drop),
        };
        written.map_err(|cause| {
            let what = format!("cannot write the report to {}", self.path.display());
            CliError::file(what, &cause)
        })
    }
}

fn open(path: &Path) -> io::Result<To> {
    match path.metadata() {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => {
            return Ok(To::Straight(OpenOptions::new().write(true).open(path)?));
        }
        // a file that may not be written is not replaced either
        Ok(_) => drop(OpenOptions::new().append(true).open(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let file = tempfile::Builder::new()
        .prefix(".kmk-report")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    Ok(To::Beside(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_report_takes_the_place_of_the_one_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        fs::write(&path, "old and longer than the new one").unwrap();
        let file = ReportFile::prepare(path.clone()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("old"));
        file.write("{}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    }

    #[test]
    fn nothing_is_left_where_nothing_was_written() {
        let directory = tempfile::tempdir().unwrap();
        drop(ReportFile::prepare(directory.path().join("report.json")).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for path in [
            directory.path().to_owned(),
            directory.path().join("none/report.json"),
        ] {
            assert!(ReportFile::prepare(path).is_err());
        }
    }
}
