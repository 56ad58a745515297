//! The real `kmk` against a scripted `docker`: exact output, exit codes, and exactly which docker commands are run.

mod docker;
mod kmk;
mod lab;
mod ran;

mod deploy;
mod destroy;
mod files;
mod flags;
mod house;
mod image;
mod interrupt;
mod lock;
mod logs_env_status;
mod pipes;
mod preflight;
mod reference;
