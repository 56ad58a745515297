//! The one door to Kafka's brokers: [`Admin`], [`Producer`] and [`Consumer`], and nothing of Docker or of labs.
//!
//! Behind it stand two clients: the `kafka` crate (`crate_v0`), which moves plain records on Kafka 3, and our own (`wire`),
//! which does everything else; [`Client::choose`] says which. Nothing here holds its caller past a
//! [`Limit`](crate::wait::Limit).

mod admin;
mod client;
mod cluster;
mod code;
mod coding;
mod compression;
mod consumer;
mod crate_v0;
pub mod endpoint;
mod error;
pub mod message;
pub mod printable;
mod producer;
mod protocol;
pub mod wait;

pub use admin::Admin;
pub use client::{Abilities, Backend, Client, Feature, SMALL_RUN, Why};
pub use cluster::groups::{Group, GroupKind, Member};
pub use cluster::metadata::{Metadata, PartitionInfo, TopicInfo};
pub use cluster::offsets::At;
pub use cluster::peek::Peek;
pub use cluster::settings::{Origin, Setting, Subject};
pub use cluster::topics::NewTopic;
pub use code::Code;
pub use coding::{decode, encode};
pub use compression::{Compression, CompressionError, UnknownCompression};
pub use consumer::{Consumer, ConsumerOptions, Fetched, GroupEvent, Moved, Start, StartOffset};
pub use error::{Codec, KafkaError};
pub use producer::{
    Acks, Batch, Chunk, Item, OVERHEAD, Partitioner, Producer, ProducerOptions, Tally, Written,
    murmur2,
};
pub use protocol::connect_protocol::{ConnectTask, ConnectWork};
