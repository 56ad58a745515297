//! How a producer writes.

use crate::client::{Client, Feature};
use crate::compression::Compression;

/// How records are written.
#[derive(Debug, Clone, Default)]
pub struct ProducerOptions {
    /// Which client writes them.
    pub client: Client,
    /// What the records need that the crate cannot do.
    pub needs: Vec<Feature>,
    /// Whether it ends after [`SMALL_RUN`](crate::SMALL_RUN) records at most.
    pub is_small: bool,
    /// How they are compressed.
    pub compression: Compression,
    /// When a record counts.
    pub acks: Acks,
}

/// When a record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// Once every in-sync replica has it. Our own client then writes idempotently: a retry neither repeats nor reorders.
    #[default]
    All,
    /// Once the leader has it: lost with the leader, and repeated where an answer is lost.
    One,
}
