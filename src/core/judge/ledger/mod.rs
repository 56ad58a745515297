//! The ledger: compares every record that a run sends with every record that arrives. Pure: clients move the bytes, the
//! judgement is here.
//!
//! [`Stamp`] is what a record carries; [`Sent`] and [`Arrivals`] keep the two sides, a bit a record; [`judge`] sets one
//! against the other.

mod account;
mod arrivals;
mod bits;
mod latency;
mod sent;
mod span;
mod stamp;
#[cfg(test)]
mod tests;

pub use account::{Account, Guarantee, PartitionAccount, Repeated, judge};
pub use arrivals::{Arrivals, DamagedRecords, RecordPosition, UnrelatedRecords};
pub(in crate::core) use latency::Latencies;
pub use latency::{Bucket, Latency};
pub use sent::Sent;
pub use span::Span;
pub use stamp::{MIN_STAMPED, RunId, Stamp};
