//! What one partition's part of an answer holds for a reader.

use crate::protocol::aborted::Aborted;
use crate::protocol::batch::{BatchError, Partial, RecordBatch, batches};
use bytes::Bytes;

/// One partition's part of an answer, looked at.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    /// The batches that hold something for a reader, in order.
    pub(super) batches: Vec<RecordBatch>,
    /// The last offset of all whole batches, for readers or not.
    pub(super) last: Option<i64>,
    /// A batch at the end that is not whole.
    pub(super) partial: Option<Partial>,
    /// What is wrong with the batch behind those.
    pub(super) fault: Option<BatchError>,
}

/// Looks at the batches among `bytes` from offset `next` on, up to `end` (exclusive). `aborted` is for
/// readers of what is committed; none for readers of everything.
pub(super) fn inspect(
    bytes: Bytes,
    mut aborted: Option<Aborted>,
    next: i64,
    end: Option<i64>,
) -> Inspected {
    let mut inspected = Inspected::default();
    let mut whole = batches(bytes);
    for batch in whole.by_ref() {
        let hidden = batch.and_then(|batch| {
            let is_aborted = match &mut aborted {
                Some(aborted) => aborted.hide(&batch)?,
                None => false,
            };
            Ok((is_aborted || batch.is_control(), batch))
        });
        let (is_hidden, batch) = match hidden {
            Ok(found) => found,
            Err(fault) => {
                inspected.fault = Some(fault);
                return inspected;
            }
        };
        // compressed together with what was asked for, or sent without being asked for
        if batch.last_offset < next {
            continue;
        }
        inspected.last = inspected.last.max(Some(batch.last_offset));
        if !is_hidden && end.is_none_or(|end| batch.base_offset < end) {
            inspected.batches.push(batch);
        }
    }
    inspected.partial = whole.partial();
    inspected
}
