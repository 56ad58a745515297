//! Places in a partition that a broker can name. Knows nothing of how it is asked.

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The first record that is still there.
    Earliest,
    /// Where the next record will go (the high watermark).
    Latest,
    /// As [`At::Latest`] for whoever reads only what is committed: where the first transaction that has not ended began
    /// (the last stable offset).
    Stable,
    /// The first record that is as late as this or later, in milliseconds since the epoch; [`At::Latest`] where there
    /// is none.
    Time(i64),
    /// The record with the greatest time (KIP-734).
    MaxTime,
}
