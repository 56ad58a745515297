//! Where a partition is read.

/// A position in one partition, and where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Which partition.
    pub(crate) partition: i32,
    /// The offset to read next.
    pub(crate) next: i64,
    /// Where to stop, exclusive; none to go on for ever.
    pub(crate) end: Option<i64>,
}

impl Position {
    /// Whether there is nothing more to read, ever.
    pub(crate) fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}
