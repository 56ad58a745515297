//! Our own small synchronous client, over the message types of the `kafka-protocol` crate: for Kafka 4, and for all that
//! version 0 of the protocol cannot say. Knows nothing of what it is used for.

mod api;
mod batch;
mod claim;
mod cluster;
mod connect;
mod connection;
mod dial;
mod frame;
mod glance;
mod groups;
mod member;
mod metadata;
mod offsets;
mod producer;
mod reader;
mod settings;
mod sizes;
mod topics;

#[cfg(any(test, feature = "testing"))]
pub(super) use api::APIS;
pub(super) use batch::encode;
#[cfg(any(test, feature = "testing"))]
pub(super) use batch::{PREFIX, RecordBatch, batches, stamp};
pub(super) use cluster::Cluster;
#[cfg(any(test, feature = "testing"))]
pub(super) use member::assignment;
#[cfg(test)]
pub(super) use member::{Asked, Scripted};
pub(super) use member::{Membership, Standing};
pub(super) use offsets::Offsets;
pub(super) use producer::Producer;
pub(super) use reader::{Fetched, Reader};
