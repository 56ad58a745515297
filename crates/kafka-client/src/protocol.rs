//! What travels between clients and brokers: requests and their versions, frames, record batches, and what members of a
//! group tell each other. No connections here.

pub(crate) mod aborted;
pub(crate) mod api;
pub(crate) mod batch;
pub(crate) mod bounds;
pub(crate) mod connect_protocol;
pub(crate) mod consumer_protocol;
pub(crate) mod frame;
