//! The one door to Kafka's brokers: [`Admin`], [`Producer`] and [`Consumer`], and nothing of Docker or of labs.
//!
//! Behind it stand two clients: the `kafka` crate (`crate_v0`), which moves plain records on Kafka 3, and our own (`wire`),
//! which does everything else; [`Client::choose`] says which. Nothing here holds its caller past a
//! [`Limit`](crate::wait::Limit).

mod admin;
mod batch;
mod client;
mod code;
mod coding;
mod compression;
mod consumer;
mod crate_v0;
pub mod endpoint;
mod error;
mod failure;
mod fetched;
mod glance;
mod group;
pub mod message;
mod metadata;
mod offsets;
mod partitioner;
mod position;
pub mod printable;
mod producer;
mod reader;
mod setting;
mod sharing;
mod start;
mod tally;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod topic;
pub mod wait;
mod wire;

pub use admin::Admin;
pub use batch::{Batch, Chunk, Item, OVERHEAD};
pub use client::{Abilities, Client, Feature, SMALL_RUN, Speaker, Why};
pub use code::Code;
pub use coding::{decode, encode};
pub use compression::{Compression, CompressionError, UnknownCompression};
pub use consumer::{Consumer, Reading};
pub use error::{Codec, KafkaError};
pub use fetched::Fetched;
pub use glance::Glance;
pub use group::{Group, GroupKind, Member, Piece, Work};
pub use metadata::{Metadata, PartitionInfo, TopicInfo};
pub use offsets::At;
pub use partitioner::{Partitioner, murmur2};
pub use producer::{Acks, Producer, Writing};
pub use setting::{Origin, Setting, Subject};
pub use sharing::Change;
pub use start::{Moved, Place, Start};
pub use tally::{Tally, Written};
pub use topic::NewTopic;
