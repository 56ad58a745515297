//! Finds out whether standard input has lines to send.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

/// What standard input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdin {
    Terminal,
    /// `/dev/null`, or closed before kmk was started.
    Nothing,
    /// A pipe, a file, or anything else that can be read to its end.
    Lines,
}

impl Stdin {
    pub(super) fn look() -> Self {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Self::Terminal;
        }
        let found = stdin.as_fd().try_clone_to_owned().map(File::from);
        match found.and_then(|file| file.metadata()) {
            Ok(found) if found.file_type().is_char_device() && is_null(&found) => Self::Nothing,
            Ok(_) => Self::Lines,
            Err(_) => Self::Nothing,
        }
    }
}

fn is_null(found: &fs::Metadata) -> bool {
    fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == found.rdev())
}

impl fmt::Display for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminal => "stdin is a terminal",
            Self::Nothing => "stdin is empty (/dev/null)",
            Self::Lines => "stdin has lines",
        })
    }
}
