//! The API: everything `kmk` can do, for programs as well as for the command line.
//!
//! It neither parses arguments nor prints: that is the command line's.

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
