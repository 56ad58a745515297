use super::super::super::consume::json_line;
use crate::cli::CliError;
use kafka_mirror_kit::core::lab::drill::Salvage;
use kmk_kafka::message::RecordRef;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The file for `--salvage`: new, and there as a whole or not at all. What it holds may exist nowhere else, so nothing is
/// ever replaced.
pub(in crate::cli::drill) struct SalvageFile {
    path: PathBuf,
    to: Option<BufWriter<NamedTempFile>>,
}

impl SalvageFile {
    pub(super) fn prepare(path: PathBuf) -> Result<Self, CliError> {
        if path.symlink_metadata().is_ok() {
            let what = format!("{} exists already", path.display());
            let hint = "use --salvage with a new file: stranded records of another failover are not replaced";
            return Err(CliError::usage(what).hint(hint));
        }
        let directory = match path.parent() {
            Some(directory) if directory != Path::new("") => directory,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new()
            .prefix(".kmk-salvage")
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(directory)
            .map_err(|error| {
                let what = format!("cannot write to {}: {error}", path.display());
                CliError::usage(what).hint("use --salvage with a file in an existing directory")
            })?;
        let to = Some(BufWriter::new(file));
        Ok(Self { path, to })
    }

    pub(in crate::cli::drill) fn path(&self) -> &Path {
        &self.path
    }
}

impl Salvage for SalvageFile {
    fn take(&mut self, topic: &str, record: &RecordRef<'_>) -> io::Result<()> {
        match &mut self.to {
            Some(to) => json_line(topic, record, to),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some(mut to) = self.to.take() else {
            return Ok(());
        };
        to.flush()?;
        let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        let kept = file.persist_noclobber(&self.path);
        kept.map(drop).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::message::{HeaderRef, RecordRef};
    use std::fs;

    #[test]
    fn each_record_is_a_line_and_there_only_once_all_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stranded.jsonl");
        let mut file = SalvageFile::prepare(path.clone()).unwrap();
        let record = RecordRef {
            partition: 2,
            offset: 7,
            time: Some(1_767_225_600_000),
            key: Some(b"k"),
            value: Some(b"a \"b\""),
            headers: vec![HeaderRef {
                key: b"h",
                value: None,
            }],
        };
        file.take("orders", &record).unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(
            (&line["topic"], &line["partition"], &line["offset"]),
            (&"orders".into(), &2.into(), &7.into())
        );
        assert_eq!(
            (&line["key"], &line["value"]),
            (&"k".into(), &"a \"b\"".into())
        );
    }

    #[test]
    fn what_is_there_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stranded.jsonl");
        let mut file = SalvageFile::prepare(path.clone()).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(SalvageFile::prepare(path.clone()).is_err());
        assert!(file.finish().is_err(), "it came meanwhile");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let nowhere = directory.path().join("none/stranded.jsonl");
        assert!(SalvageFile::prepare(nowhere).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
