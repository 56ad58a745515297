//! Record batches, as they travel and as they are on disk: message format 2.
//!
//! Our own code rather than kafka-protocol's: it reads records in place, and takes no number on trust.

mod decode;
mod encode;
mod error;
mod header;
mod records;
mod varint;

pub(crate) use decode::{Partial, batches};
pub(crate) use encode::{Identity, encode};
pub(crate) use error::BatchError;
pub(crate) use header::RecordBatch;
#[cfg(any(test, feature = "testing"))]
pub(crate) use header::{PREFIX, stamp};
pub(crate) use records::Marker;

#[cfg(test)]
mod tests;
