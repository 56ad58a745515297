//! What a consumer reads, and how.

use super::start::Start;
use crate::client::{Client, Feature};

/// What a [`Consumer`](crate::Consumer) reads: by default every partition of the topic from the first record on, for ever, what
/// transactions have not committed included.
#[derive(Debug, Clone, Default)]
pub struct ConsumerOptions {
    /// Which partition; all of them if none is named.
    pub partition: Option<i32>,
    /// Where to begin, in partitions where the group (if any) has not committed an offset.
    pub start: Start,
    /// The consumer group to read for: where it has committed an offset, reading begins there. Unless a partition is named, the
    /// consumer joins the group and shares the partitions with its other members.
    pub group: Option<String>,
    /// Whether to end where the topic ends now; see [`Consumer::is_done`](crate::Consumer::is_done).
    pub to_end: bool,
    /// Whether to leave out what a transaction wrote that was aborted, or has not ended yet (`isolation.level=read_committed`).
    pub committed_only: bool,
    /// Which of the two clients reads.
    pub client: Client,
    /// What is needed that the `kafka` crate cannot do.
    pub needs: Vec<Feature>,
    /// Whether it ends after [`SMALL_RUN`](crate::SMALL_RUN) records at most.
    pub is_small: bool,
}
