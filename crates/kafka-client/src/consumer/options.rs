//! What a consumer reads, and how.

use super::start::Start;
use crate::client::{Client, Feature};

/// What to read.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// Which partition; all of them if none is named.
    pub partition: Option<i32>,
    /// Where to begin, unless the group has been further.
    pub start: Start,
    /// The group whose committed offsets come first. Where no partition is named its members share them.
    pub group: Option<String>,
    /// Whether to end where the topic ends now.
    pub to_end: bool,
    /// Whether to leave out what a transaction wrote that was aborted, or has not ended yet.
    pub committed_only: bool,
    /// Which client reads.
    pub client: Client,
    /// What is wanted that the crate cannot do.
    pub needs: Vec<Feature>,
    /// Whether it ends after [`SMALL_RUN`](crate::SMALL_RUN) records at most.
    pub is_small: bool,
}
