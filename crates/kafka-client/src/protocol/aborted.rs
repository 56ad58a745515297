//! Which batches of an answer belong to transactions that were given up (KIP-98).

use crate::protocol::batch::{BatchError, Marker, RecordBatch};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use std::collections::{BTreeSet, VecDeque};

/// The transactions given up in one partition's part of an answer, and how far they are known: asked batch by batch, in
/// order.
#[derive(Debug, Default)]
pub(crate) struct Aborted {
    /// First offset and producer of those still to come, by offset.
    coming: VecDeque<(i64, i64)>,
    /// The producers in the middle of one.
    producers: BTreeSet<i64>,
}

impl Aborted {
    /// As a broker lists them.
    pub(crate) fn of(listed: Option<Vec<AbortedTransaction>>) -> Self {
        let listed = listed.unwrap_or_default().into_iter();
        let mut coming: Vec<(i64, i64)> = listed
            .map(|aborted| (aborted.first_offset, aborted.producer_id.0))
            .collect();
        coming.sort_unstable();
        Self {
            coming: coming.into(),
            producers: BTreeSet::new(),
        }
    }

    /// Whether the next batch is one of theirs.
    pub(crate) fn hide(&mut self, batch: &RecordBatch) -> Result<bool, BatchError> {
        if batch.producer_id < 0 {
            return Ok(false);
        }
        while let Some(&(first, producer)) = self.coming.front()
            && first <= batch.last_offset
        {
            self.producers.insert(producer);
            self.coming.pop_front();
        }
        if batch.is_control() {
            if batch.marker()? == Some(Marker::Abort) {
                self.producers.remove(&batch.producer_id);
            }
            return Ok(false);
        }
        Ok(batch.is_transactional() && self.producers.contains(&batch.producer_id))
    }
}
