//! Reads the lab file, `kmk.yml`, into a `Spec`, and reports everything that is wrong with it, with line and column.

mod brokers;
mod clients;
mod field;
mod fields;
pub mod flow_setting;
mod problem;
mod read;
mod schema;
mod text_position;
mod write;
mod yaml;

pub use problem::{Problem, What};
pub use read::LabFile;
pub use schema::schema;
pub use text_position::TextPosition;
pub use write::write;

use problem::What::{NotText, TooLarge, Unreadable};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The lab file that a deploy takes by itself, in the current directory.
pub const FILE: &str = "kmk.yml";
/// Bytes of a lab file at most: a hundred clusters with a page of settings each. Checked before anything is parsed.
pub const MAX_BYTES: u64 = 256 * 1024;

/// Reads a lab file.
///
/// # Errors
/// All problems at once, in the order of the file.
pub fn load(path: &Path) -> Result<LabFile, Vec<Problem>> {
    let unreadable = |error: io::Error| vec![Problem::of_file(Unreadable(error.to_string()))];
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // whatever its length is said to be: it may be a pipe
    let mut file = file.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(vec![Problem::of_file(TooLarge)]);
    }
    match String::from_utf8(bytes) {
        Ok(text) => read(&text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            Err(vec![Problem::at(TextPosition::after(&before), NotText)])
        }
    }
}

/// Reads the text of a lab file.
///
/// # Errors
/// As [`load`].
pub fn read(text: &str) -> Result<LabFile, Vec<Problem>> {
    read::read(text)
}

#[cfg(test)]
mod tests;
