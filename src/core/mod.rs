//! The API: everything `kmk` can do, for programs as well as for the command line.
//!
//! Knows nothing of clap, terminals or exit codes.

pub mod compose;
pub mod culprit;
pub mod digest;
pub mod docker;
pub mod event;
pub mod explain;
pub mod failover;
pub mod filter;
pub mod flow_setting;
pub mod image;
pub mod lab;
pub mod lab_file;
pub mod lag;
pub mod ledger;
pub mod lint;
pub mod lock;
pub mod mirror_state;
pub mod mm2;
pub mod mm2_settings;
pub mod nearest;
pub mod port;
pub mod preflight;
pub mod properties;
pub mod ring;
pub mod scenario;
pub mod selection;
pub mod shell;
pub mod spec;
pub mod topology;
pub mod workdir;
