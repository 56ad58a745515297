//! Benches of the parts that a record or a lab's files go through, without brokers and without disk: `cargo bench`.
//!
//! The column `fastest` is the one to compare: between two runs on one machine it differs by some 5 % as a rule, where
//! the median is whatever else the machine had to do.
//!
//! `cargo bench -- ledger` runs those of one subject, `cargo test --benches` each of them once.

mod coding;
mod ledger;
mod lines;
mod partitioner;
mod payload;
mod rendering;
mod version_0;

use std::time::Duration;

/// How long each may take, unless `--max-time` says otherwise: all of them together are done in seconds.
const MAX_TIME: Duration = Duration::from_millis(500);

fn main() {
    divan::Divan::default()
        .max_time(MAX_TIME)
        .config_with_args()
        .main();
}
