//! What a short look into a part of a partition shows. Knows nothing of connections.

use crate::message::Record;

/// The beginning of a part of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glance {
    /// The first record in it, if one was seen.
    pub first: Option<Record>,
    /// The earliest time of those that were seen, in milliseconds since the epoch, if one has a time: that of a batch behind
    /// the first counts by its first record.
    pub oldest: Option<i64>,
    /// Whether some of these times are their producers' (`CreateTime`).
    pub has_producer_time: bool,
    /// How many records were seen. Marks that end transactions are none.
    pub records: u64,
    /// Up to where was looked: the offset behind what was seen, or the part's end.
    pub reached: i64,
}
