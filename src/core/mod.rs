//! The API: everything `kmk` can do, for programs as well as for the command line.
//!
//! Knows nothing of clap, terminals or exit codes. Start at [`lab`].

pub mod endpoint;
pub mod event;
pub mod wait;
