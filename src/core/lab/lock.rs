//! Lets only one kmk at a time change a lab of an engine.
//!
//! A file lock: the system drops it with the process that held it, however it died.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Unlocks, where closing the file would not be enough: a child that another thread is just starting has a copy
/// of it until it becomes another program.
impl Drop for Lock {
    fn drop(&mut self) {
        // the system unlocks it with the last copy
        let _ = self.file.unlock();
    }
}

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("lab `{lab}` is in use by {holder}")]
    Held {
        /// Of which lab.
        lab: String,
        /// What the holder wrote about itself, such as "kmk deploy (process 4711)".
        holder: String,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl Lock {
    /// Takes the lock of `lab` on `engine` in `directory`, to do `verb`.
    ///
    /// # Errors
    /// [`LockError::Held`] at once, without waiting, when another process has it.
    pub fn take(directory: &Path, engine: &str, lab: &str, verb: &str) -> Result<Self, LockError> {
        let path = directory.join(format!("{}-{lab}.lock", crate::core::digest::short(engine)));
        Self::at(&path, lab, verb).map_err(|error| match error {
            Ok(held) => held,
            Err(cause) => LockError::Io { path, cause },
        })
    }

    fn at(path: &Path, lab: &str, verb: &str) -> Result<Self, Result<LockError, io::Error>> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(Err)?;
        }
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let mut file = options.map_err(Err)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(cause)) => return Err(Err(cause)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // another kind of holder may have written anything
                let _ = file.take(200).read_to_string(&mut holder);
                return Err(Ok(LockError::Held {
                    lab: lab.to_owned(),
                    holder: if holder.is_empty() {
                        "another kmk".to_owned()
                    } else {
                        holder
                    },
                }));
            }
        }
        let holder = format!("kmk {verb} (process {})", std::process::id());
        let note = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()));
        note.map_err(Err)?;
        Ok(Self { file })
    }
}

/// Where locks lie: the person's runtime directory, or one of their own below the temporary directory.
pub fn runtime_directory() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| Path::new(dir).is_dir()) {
        Some(dir) => Path::new(&dir).join("kmk"),
        None => std::env::temp_dir().join(format!("kmk-{}", rustix::process::getuid().as_raw())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), "engine", "demo", "deploy").unwrap();
        let error = Lock::take(dir.path(), "engine", "demo", "destroy").unwrap_err();
        let me = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("lab `demo` is in use by kmk deploy (process {me})")
        );
        Lock::take(dir.path(), "engine", "other", "deploy").unwrap();
        Lock::take(dir.path(), "elsewhere", "demo", "deploy").unwrap();
        drop(first);
        Lock::take(dir.path(), "engine", "demo", "destroy").unwrap();
    }

    #[test]
    fn a_copy_of_the_file_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path(), "engine", "demo", "deploy").unwrap();
        let _in_a_child_being_started = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(dir.path(), "engine", "demo", "destroy").unwrap();
    }
}
