//! Our own small synchronous client, over the message types of the `kafka-protocol` crate: for Kafka 4, and for all that
//! version 0 of the protocol cannot say. Knows nothing of what it is used for.

mod api;
mod batch;
mod claim;
