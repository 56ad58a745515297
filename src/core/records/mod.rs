//! Records into a topic and out of it, for the command line and for programs.

pub mod consume;
pub mod produce;
pub mod samples;
