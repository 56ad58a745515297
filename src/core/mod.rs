//! The API: everything `kmk` can do, for programs as well as for the command line.
//!
//! Knows nothing of clap, terminals or exit codes.

pub mod compose;
pub mod digest;
pub mod docker;
pub mod endpoint;
pub mod event;
pub mod filter;
pub mod lock;
pub mod mm2;
pub mod scenario;
pub mod spec;
pub mod topology;
pub mod wait;
pub mod workdir;
