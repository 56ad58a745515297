//! The real `kmk` on a real engine, with real Kafka and real MirrorMaker. Each test needs Docker and kcat, and takes
//! seconds: `cargo test --test e2e -- --ignored --test-threads=1`, with --nocapture to see what it measures.

mod engine;
mod kcat;
mod lab;
mod process;
#[cfg(target_os = "linux")]
mod second_engine;

mod add_flow;
mod admin;
mod by_hand;
mod bytes;
mod classes;
mod clients;
mod drill;
mod drill_ends;
mod drill_observed;
mod drill_repeated;
mod drill_verified;
mod drills;
mod existing;
mod explain;
mod failback;
mod failback_ways;
mod faults;
mod first_typed;
mod groups;
mod groups_sync;
mod health;
mod held_up;
mod idempotent;
mod interrupt;
mod lab_file;
mod labs;
mod lag;
mod link;
mod logs_env;
mod losses;
mod main_line;
mod relays;
#[cfg(target_os = "linux")]
mod remote;
mod repair;
mod scenarios;
mod sharing;
mod silent_loss;
mod slow_link;
mod start_up;
mod strangers;
mod topics;
mod verify;
mod verify_faults;
mod workers;
