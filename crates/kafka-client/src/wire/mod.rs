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
#[cfg(test)]
mod scripted;
mod settings;
mod sizes;
mod topics;

pub(super) use batch::encode;
pub(super) use cluster::Cluster;
#[cfg(test)]
pub(super) use member::{Asked, Script, Scripted};
pub(super) use member::{Membership, Standing};
pub(super) use offsets::Offsets;
pub(super) use producer::Producer;
pub(super) use reader::{Fetched, Reader};
