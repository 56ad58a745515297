//! A synchronous Kafka client in safe Rust: no C library, no async runtime.
//!
//! - [`Admin`] describes a cluster and changes it: topics, partitions, configurations, offsets, consumer groups.
//! - [`Producer`] writes to one topic, idempotently unless told otherwise, and accounts for every record in a [`Tally`].
//! - [`Consumer`] reads one topic: alone, or sharing its partitions with the other members of a consumer group.
//! - [`Line`] measures the round trip and the rate of the line to one broker.
//!
//! Each call takes a [`Limit`](wait::Limit): how long it may take, and who may interrupt it.
//!
//! # What it does
//!
//! It works with Kafka 3.3 and later, 4.x included; versions of requests are negotiated with each broker. Records may have
//! headers and timestamps, and may be compressed with gzip, snappy, lz4 or zstd. Retries, new leaders, brokers that
//! restart, partitions that are added, and topics that are deleted and created again are dealt with. What comes from a
//! broker is checked before memory is set aside for it.
//!
//! # What it does not do
//!
//! - **No TLS and no SASL.** It connects in plaintext, without credentials. TLS would come as a feature of its own.
//! - **No transactions as a producer.** A consumer can read with `read_committed`
//!   ([`ConsumerOptions::committed_only`]).
//! - A consumer reads one topic. As a member of a group it speaks the classic protocol (`range`, `roundrobin`): it shares
//!   a group with members of the Java client, but not one of the new protocol (KIP-848) or a share group. These are
//!   listed and described.
//!
//! # Deadlines and interrupts
//!
//! No call blocks for longer than its [`Limit`](wait::Limit), but for moments in which an answer that is on its way is
//! still taken in. Raising the limit's [`Interrupt`](wait::Interrupt), from a signal handler's thread for instance, ends
//! every call within about 25 ms with [`Stop::Interrupted`](wait::Stop::Interrupted). Within the limit, what time may
//! heal is tried again; [`KafkaError::is_retriable`] tells whether it is worth trying further.
//!
//! # Threads
//!
//! Requests are sent, and responses decoded, on the thread that calls. There are three others: `kafka-heartbeat`, one for
//! each member of a group, so that a slow caller stays a member; `kafka-resolve`, while a host name is looked up; and
//! `kafka-crate`, where the `kafka` crate is used (below). A thread that hangs in the operating system is left behind
//! when time is up.
//!
//! # Memory
//!
//! A response takes 160 MiB at most, and decoding it no more than 64 times its size; a batch may decompress to 128 MiB. A
//! fetch asks each broker for 4 MiB, or for one batch where that is larger. [`Producer::send`] takes over what is in its
//! [`Batch`], and returns only once no partition has more than five batches that are not acknowledged.
//!
//! # The two backends
//!
//! Small runs of plain records on Kafka 3 may go through the `kafka` crate, which speaks version 0 of the protocol; all
//! else goes through the `wire` client of this crate. [`Client::Auto`] chooses, and with the default options it takes the
//! `wire` client; [`Backend`] tells which it was, and why.
//!
//! # Produce
//!
//! ```no_run
//! use kmk_kafka::message::to_millis;
//! use kmk_kafka::wait::{Interrupt, Limit};
//! use kmk_kafka::{Admin, Batch, Partitioner, Producer, ProducerOptions, Tally};
//! use std::time::{Duration, SystemTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limit = Limit::new(Duration::from_secs(30), &Interrupt::default());
//! let admin = Admin::connect(&["localhost:9092".parse()?], &limit)?;
//! let mut producer = Producer::open(admin, "orders", &ProducerOptions::default(), &limit)?;
//! let mut partitioner = Partitioner::new(producer.partitions(), None);
//!
//! let mut batch = Batch::default();
//! for number in 0..1_000 {
//!     let key = format!("customer-{}", number % 10);
//!     let partition = partitioner.choose(Some(key.as_bytes()));
//!     let now = to_millis(SystemTime::now());
//!     batch.push(partition, Some(key.as_bytes()), Some(b"a value"), now);
//! }
//! let mut tally = Tally::default();
//! producer.send(batch, &limit, &mut tally)?;
//! producer.flush(&limit, &mut tally)?;
//! println!("{} records acknowledged", tally.acknowledged());
//! # Ok(())
//! # }
//! ```
//!
//! # Consume
//!
//! ```no_run
//! use kmk_kafka::wait::{Interrupt, Limit};
//! use kmk_kafka::{Admin, Consumer, ConsumerOptions, KafkaError};
//! use std::ops::ControlFlow;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limit = Limit::new(Duration::from_secs(30), &Interrupt::default());
//! let mut admin = Admin::connect(&["localhost:9092".parse()?], &limit)?;
//! let topic = admin.topics(&limit)?.remove("orders").ok_or("no topic `orders`")?;
//! let options = ConsumerOptions {
//!     to_end: true,
//!     ..ConsumerOptions::default()
//! };
//! let mut consumer = Consumer::open(admin, "orders", &topic, &options, &limit)?;
//! while !consumer.is_done() {
//!     consumer.poll(u64::MAX, &limit)?.each(|record| {
//!         println!("{}:{} {:?}", record.partition, record.offset, record.value);
//!         Ok::<_, KafkaError>(ControlFlow::Continue(()))
//!     })?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Consume as a member of a group
//!
//! ```no_run
//! use kmk_kafka::wait::{Interrupt, Limit, Stop};
//! use kmk_kafka::{Admin, Consumer, ConsumerOptions, GroupEvent, KafkaError};
//! use std::collections::BTreeMap;
//! use std::ops::ControlFlow;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // raise it to stop, from a signal handler for instance
//! let interrupt = Interrupt::default();
//! let limit = || Limit::new(Duration::from_secs(30), &interrupt);
//! let mut admin = Admin::connect(&["localhost:9092".parse()?], &limit())?;
//! let topic = admin.topics(&limit())?.remove("orders").ok_or("no topic `orders`")?;
//! let options = ConsumerOptions {
//!     group: Some("billing".to_owned()),
//!     ..ConsumerOptions::default()
//! };
//! let mut consumer = Consumer::open(admin, "orders", &topic, &options, &limit())?;
//! let mut next = BTreeMap::new();
//! loop {
//!     let fetched = match consumer.poll(u64::MAX, &limit()) {
//!         Err(KafkaError::Stopped(Stop::Interrupted)) => break,
//!         fetched => fetched?,
//!     };
//!     for event in consumer.events() {
//!         match event {
//!             // the last moment to commit what was dealt with
//!             GroupEvent::Revoked => {
//!                 consumer.commit("billing", &next, &limit())?;
//!                 next.clear();
//!             }
//!             GroupEvent::Lost => next.clear(),
//!             GroupEvent::Waiting | GroupEvent::Assigned { .. } => {}
//!         }
//!     }
//!     fetched.each(|record| {
//!         next.insert(record.partition, record.offset + 1);
//!         Ok::<_, KafkaError>(ControlFlow::Continue(()))
//!     })?;
//! }
//! // with a limit of its own: the interrupt would end these at once
//! let last = Limit::new(Duration::from_secs(5), &Interrupt::default());
//! consumer.commit("billing", &next, &last)?;
//! consumer.leave(&last)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Administer
//!
//! ```no_run
//! use kmk_kafka::wait::{Interrupt, Limit};
//! use kmk_kafka::{Admin, NewTopic};
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limit = Limit::new(Duration::from_secs(30), &Interrupt::default());
//! let mut admin = Admin::connect_patiently(&["localhost:9092".parse()?], &limit)?;
//! let topic = NewTopic {
//!     name: "orders".to_owned(),
//!     partitions: Some(6),
//!     settings: BTreeMap::from([("retention.ms".to_owned(), "3600000".to_owned())]),
//!     ..NewTopic::default()
//! };
//! admin.create_topic(&topic, &limit)?;
//! for (group, offsets) in admin.groups(&limit)? {
//!     println!("{} is {}, {} partitions", group.name, group.state, offsets.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Stability
//!
//! The version is 0.x: a minor version may change the API, and the changelog says how. Errors and enums may get further
//! variants.

mod admin;
mod client;
mod client_id;
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
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wait;

pub use admin::Admin;
pub use client::{Abilities, Backend, Client, Feature, Reason, SMALL_RUN};
pub use client_id::set_client_id;
pub use cluster::groups::{Group, GroupKind, Member};
pub use cluster::line::{Fetches, Line, RoundTrip};
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
    Acknowledged, Acks, Batch, Chunk, Item, OVERHEAD, Partitioner, Producer, ProducerOptions,
    Tally, Written, murmur2,
};
pub use protocol::connect_protocol::{ConnectTask, ConnectWork};

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
