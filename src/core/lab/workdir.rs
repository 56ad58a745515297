//! The lab's files on disk, and whether they are still as kmk wrote them.
//!
//! Each file begins with a line that names the lab and a digest of the rest: so a file of a person's own,
//! one edited by hand and one of another lab are told apart without any state beside them.

use crate::core::digest;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Name of the compose file.
pub const COMPOSE_FILE: &str = "docker-compose.yml";
/// Name of MirrorMaker's properties file.
pub const PROPERTIES_FILE: &str = "mm2.properties";

/// A working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdir {
    path: PathBuf,
}

/// What a file that stands where kmk would write is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// There is none.
    Nobody,
    /// kmk wrote it for this lab, and no one changed it since.
    Lab(String),
    /// kmk wrote it for this lab, and someone changed it since.
    Edited(String),
    /// kmk did not write it.
    Someone,
}

/// Why the files cannot be written or removed.
#[derive(Debug, thiserror::Error)]
pub enum WorkdirError {
    /// The directory cannot be made, read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// Such as "write".
        doing: &'static str,
        /// Of what.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// kmk will not overwrite what it did not write.
    #[error("{} {}", path.display(), match owner {
        Owner::Lab(lab) => format!("belongs to lab `{lab}`"),
        Owner::Edited(_) => "was edited since kmk wrote it".to_owned(),
        _ => "was not written by kmk".to_owned(),
    })]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is.
        owner: Owner,
    },
}

impl Workdir {
    /// The directory at `path`, whether or not it exists yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the compose file is.
    pub fn compose_file(&self) -> PathBuf {
        self.path.join(COMPOSE_FILE)
    }

    fn files(&self) -> [PathBuf; 2] {
        [COMPOSE_FILE, PROPERTIES_FILE].map(|name| self.path.join(name))
    }

    /// Whether the files of `lab` could be written here, found out without leaving anything behind.
    ///
    /// # Errors
    /// What stands in the way, all of it. Files that kmk would not overwrite do not, with `overwrite`.
    pub fn check(&self, lab: &str, overwrite: bool) -> Vec<WorkdirError> {
        let mut problems = Vec::new();
        let existing = self
            .path
            .ancestors()
            .find(|path| path.exists() || path.is_symlink());
        let existing = match existing {
            Some(path) if path.as_os_str().is_empty() => Path::new("."),
            Some(path) => path,
            None => Path::new("."),
        };
        // a file that is never linked into the directory: made and gone in one step
        if let Err(cause) = tempfile::tempfile_in(existing) {
            problems.push(failure("write to", existing)(cause));
            return problems;
        }
        for path in self.files() {
            match owner(&path) {
                Err(problem) => problems.push(problem),
                Ok(Owner::Nobody) => {}
                Ok(Owner::Lab(of)) if of == lab => {}
                Ok(_) if overwrite => {}
                Ok(owner) => problems.push(WorkdirError::NotOurs { path, owner }),
            }
        }
        problems
    }

    /// Writes both files of `lab`, each at once or not at all, readable for the containers' user whatever the umask.
    ///
    /// # Errors
    /// As [`Workdir::check`], the first problem; and what the system says while writing.
    pub fn write(
        &self,
        lab: &str,
        compose: &str,
        properties: &str,
        overwrite: bool,
    ) -> Result<(), WorkdirError> {
        fs::create_dir_all(&self.path).map_err(failure("make", &self.path))?;
        if let Some(problem) = self.check(lab, overwrite).into_iter().next() {
            return Err(problem);
        }
        for (path, text) in self.files().iter().zip([compose, properties]) {
            write(path, &with_header(lab, text)).map_err(failure("write", path))?;
        }
        Ok(())
    }

    /// Removes the files that kmk wrote for `lab` and the directory if nothing else is in it.
    ///
    /// # Errors
    /// What the system said.
    ///
    /// # Returns
    /// The files that were edited by hand since and therefore stay.
    pub fn remove(&self, lab: &str) -> Result<Vec<PathBuf>, WorkdirError> {
        let mut kept = Vec::new();
        let mut removed = false;
        for path in self.files() {
            match owner(&path)? {
                Owner::Lab(of) if of == lab => {
                    fs::remove_file(&path).map_err(failure("remove", &path))?;
                    removed = true;
                }
                Owner::Edited(of) if of == lab => kept.push(path),
                _ => {}
            }
        }
        if removed && kept.is_empty() {
            // fails while anything of the person's is in it, as it should
            let _ = fs::remove_dir(&self.path);
        }
        Ok(kept)
    }
}

/// The text as it is written: below a line by which kmk knows its own files.
pub fn with_header(lab: &str, text: &str) -> String {
    format!(
        "{MARK}{lab} ({}). If you edit it, kmk replaces it only with --overwrite.\n{text}",
        digest::short(text)
    )
}

const MARK: &str = "# Written by kmk for lab ";

fn owner(path: &Path) -> Result<Owner, WorkdirError> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Owner::Nobody),
        Err(error) => return Err(failure("read", path)(error)),
    };
    Ok(owner_of(&text))
}

fn owner_of(text: &str) -> Owner {
    let parse = || {
        let (header, rest) = text.split_once('\n')?;
        let (lab, tail) = header.strip_prefix(MARK)?.split_once(" (")?;
        let (digest, _) = tail.split_once(')')?;
        let lab = lab.to_owned();
        Some(if digest == digest::short(rest) {
            Owner::Lab(lab)
        } else {
            Owner::Edited(lab)
        })
    };
    parse().unwrap_or(Owner::Someone)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn failure(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> WorkdirError {
    let path = path.to_owned();
    move |cause| WorkdirError::Io {
        doing,
        path: path.clone(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written() -> (tempfile::TempDir, Workdir) {
        let root = tempfile::tempdir().unwrap();
        let dir = Workdir::new(root.path().join("a/b"));
        dir.write("demo", "compose", "properties", false).unwrap();
        (root, dir)
    }

    #[test]
    fn what_was_written_is_overwritten_and_removed() {
        let (root, dir) = written();
        dir.write("demo", "other", "properties", false).unwrap();
        assert!(
            fs::read_to_string(dir.compose_file())
                .unwrap()
                .ends_with("\nother")
        );
        let mode = fs::metadata(dir.compose_file())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(dir.remove("demo").unwrap(), Vec::<PathBuf>::new());
        assert!(!dir.path().exists() && root.path().join("a").exists());
    }

    #[test]
    fn a_hand_edited_file_stays() {
        let (_root, dir) = written();
        let text = fs::read_to_string(dir.compose_file()).unwrap();
        fs::write(dir.compose_file(), text + "# mine\n").unwrap();
        assert!(matches!(
            dir.write("demo", "x", "y", false),
            Err(WorkdirError::NotOurs {
                owner: Owner::Edited(_),
                ..
            })
        ));
        assert_eq!(dir.remove("demo").unwrap(), [dir.compose_file()]);
        dir.write("demo", "x", "y", true).unwrap();
    }

    #[test]
    fn another_labs_files_and_a_persons_own_are_left_alone() {
        let (_root, dir) = written();
        assert_eq!(dir.check("other", false).len(), 2);
        assert!(dir.remove("other").unwrap().is_empty() && dir.compose_file().exists());
        fs::write(dir.compose_file(), "services: {}\n").unwrap();
        assert_eq!(dir.check("demo", false).len(), 1);
        assert_eq!(dir.check("demo", true).len(), 0);
    }

    #[test]
    fn a_directory_that_is_a_file_is_a_problem() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let dir = Workdir::new(file.path());
        assert_eq!(dir.check("demo", true).len(), 1);
        assert!(dir.write("demo", "x", "y", true).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_known_again(text in any::<String>(), other in any::<String>()) {
            let file = with_header("demo", &text);
            prop_assert_eq!(owner_of(&file), Owner::Lab("demo".to_owned()));
            if !other.is_empty() {
                prop_assert_eq!(owner_of(&(file + &other)), Owner::Edited("demo".to_owned()));
            }
        }
    }
}
