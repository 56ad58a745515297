//! How a producer writes.

use crate::client::{Client, Feature};
use crate::compression::Compression;

/// How a [`Producer`](crate::Producer) writes: by default uncompressed and idempotently, acknowledged by every in-sync replica.
#[derive(Debug, Clone, Default)]
pub struct ProducerOptions {
    /// Which of the two clients writes.
    pub client: Client,
    /// What is needed that the `kafka` crate cannot do.
    pub needs: Vec<Feature>,
    /// Whether it ends after [`SMALL_RUN`](crate::SMALL_RUN) records at most.
    pub is_small: bool,
    /// How they are compressed.
    pub compression: Compression,
    /// When a record counts as written.
    pub acks: Acks,
}

/// When a record counts as written (`acks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// Once every in-sync replica has it. The wire client then writes idempotently: a retry neither repeats nor reorders.
    #[default]
    All,
    /// Once the leader has it: lost with the leader, and repeated where an answer is lost.
    One,
}
