//! The API: everything `kmk` can do, for programs as well as for the command line.
//!
//! Knows nothing of clap, terminals or exit codes.

pub mod compose;
pub mod digest;
pub mod docker;
pub mod event;
pub mod image;
pub mod judge;
pub mod lab;
pub mod lab_file;
pub mod mirrormaker;
pub mod nearest;
mod observe;
pub mod records;
pub mod shell;
pub mod spec;
pub mod topology;
