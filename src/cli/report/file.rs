//! The files for `--report`: checked before anything is done, and each written as a whole or not at all.

use super::{Report, html, junit, markdown};
use crate::cli::CliError;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The flag of every command that has a report.
#[derive(clap::Args)]
pub(crate) struct ReportArgs {
    /// Also write the report to this file: as HTML, JUnit XML or Markdown if its name ends in .html, .xml or .md, otherwise
    /// as JSON; may be repeated
    #[arg(long = "report", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl ReportArgs {
    /// Nothing is changed about what is there.
    pub(crate) fn prepare(self) -> Result<ReportFiles, CliError> {
        let files = self.files.into_iter().map(ReportFile::prepare);
        Ok(ReportFiles(files.collect::<Result<_, _>>()?))
    }
}

/// Where a report will go.
pub(crate) struct ReportFiles(Vec<ReportFile>);

impl ReportFiles {
    /// Each as its name says; `json` is the command's own.
    pub(crate) fn write(self, report: &Report, json: &str) -> Result<(), CliError> {
        for file in self.0 {
            match Format::of(&file.path) {
                Format::Html => file.write(&html::page(report)),
                Format::Junit => file.write(&junit::suites(report)),
                Format::Markdown => file.write(markdown::text(report).trim_end()),
                Format::Json => file.write(json),
            }?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Junit,
    Markdown,
    Json,
}

impl Format {
    fn of(path: &Path) -> Self {
        let ending = path.extension().unwrap_or_default();
        let formats = [
            ("html", Self::Html),
            ("xml", Self::Junit),
            ("md", Self::Markdown),
        ];
        let found = formats
            .into_iter()
            .find(|(name, _)| ending.eq_ignore_ascii_case(name));
        found.map_or(Self::Json, |(_, format)| format)
    }
}

struct ReportFile {
    path: PathBuf,
    to: To,
}

enum To {
    /// Beside it, to replace it.
    Beside(NamedTempFile),
    /// A device or a pipe, such as `/dev/stderr`.
    Straight(File),
}

impl ReportFile {
    fn prepare(path: PathBuf) -> Result<Self, CliError> {
        let refuse = |error: &io::Error| {
            let what = format!("cannot write the report to {}: {error}", path.display());
            CliError::usage(what).hint("use --report with a file in an existing directory")
        };
        let to = open(&path).map_err(|error| refuse(&error))?;
        Ok(Self { path, to })
    }

    fn write(self, text: &str) -> Result<(), CliError> {
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
    fn the_ending_of_its_name_says_what_a_report_is() {
        for (path, format) in [
            ("a.html", Format::Html),
            ("A.HTML", Format::Html),
            ("a.xml", Format::Junit),
            ("a.md", Format::Markdown),
            ("a.json", Format::Json),
            ("a.htmlx", Format::Json),
            ("html", Format::Json),
            (".md", Format::Json),
            ("/dev/stderr", Format::Json),
        ] {
            assert_eq!(Format::of(Path::new(path)), format, "{path}");
        }
    }

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
