//! The one door to Kafka's brokers: [`Admin`], [`Producer`] and [`Consumer`], and nothing of Docker or of labs.
//!
//! Behind it stands the `kafka` crate, which no other module may name. Nothing here holds its caller past a
//! [`Limit`](crate::core::wait::Limit): every request runs on a thread of its own (see `connection`), because the
//! crate itself may block for two minutes. It speaks to brokers up to Kafka 3.9 (KIP-896).

mod admin;
mod batch;
mod code;
mod compression;
mod connection;
mod consumer;
mod cursor;
mod error;
mod fetch;
mod fetched;
mod metadata;
mod offsets;
mod partitioner;
mod producer;
mod tally;
#[allow(dead_code)]
mod wire;
mod worker;
mod write;

pub use admin::Admin;
pub use batch::{Batch, Chunk, Item, OVERHEAD};
pub use code::Code;
pub use compression::{Compression, CompressionError, UnknownCompression};
pub use consumer::{Consumer, Moved, Reading, Start};
pub use error::{Codec, KafkaError};
pub use fetched::Fetched;
pub use metadata::{PartitionInfo, TopicInfo};
pub use offsets::At;
pub use partitioner::{Partitioner, murmur2};
pub use producer::Producer;
pub use tally::{Tally, Written};
