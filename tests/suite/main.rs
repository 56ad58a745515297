//! The real `kmk` against a scripted `docker`, and brokers in memory: exact output, exit codes, and exactly which docker commands are run.

mod changing;
mod docker;
mod drift;
mod kmk;
mod lab;
mod mirror;
mod ran;

mod color;
mod deploy;
mod destroy;
mod existing;
mod exit_codes;
mod explain;
mod files;
mod flags;
mod groups;
mod health;
mod healthy;
mod help;
mod house;
mod image;
mod interrupt;
mod lab_file;
mod labs;
mod lag;
mod lint;
mod lint_values;
mod lock;
mod logs_env_status;
mod mixed;

mod not_utf8;
mod pipes;
mod ports;
mod preflight;
mod records;
mod reference;
mod remote;
mod scenarios;
mod silence;
mod stop_start;
mod topics;
mod verify;
mod workers;
