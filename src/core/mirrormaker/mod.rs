//! MirrorMaker as its files and its topics show it: its configuration written and checked, its topics' names, and the
//! positions, checkpoints and connector states that it keeps on clusters.

pub mod config;
pub mod lint;
pub mod patterns;
pub mod properties;
pub mod settings;
pub mod state;
