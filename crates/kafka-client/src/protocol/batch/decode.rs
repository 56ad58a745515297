//! Whole batches out of what a broker sends.

use super::error::BatchError;
use super::header::{FORMAT, HEADER, MAGIC, PREFIX, RecordBatch, prefix};
use bytes::Bytes;

/// The whole batches among `bytes`, in order. The first that is wrong ends them.
pub(crate) fn batches(bytes: Bytes) -> Batches {
    Batches {
        rest: bytes,
        failed: false,
    }
}

/// See [`batches`].
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    rest: Bytes,
    failed: bool,
}

/// A batch whose end is missing: a broker cuts where the size asked for ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partial {
    /// How many of its bytes are there.
    pub(crate) there: usize,
    /// How many it claims to have, unless that is missing as well.
    pub(crate) whole: Option<u64>,
}

impl Batches {
    /// The batch at the end that is not whole. Asked once there are no more.
    pub(crate) fn partial(&self) -> Option<Partial> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let length = self.rest.first_chunk::<PREFIX>().map(prefix);
        Some(Partial {
            there: self.rest.len(),
            whole: length.and_then(|(_, length)| whole(length)),
        })
    }

    /// The next batch, unless it is not whole.
    fn take(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        let Some(first) = self.rest.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let (base_offset, length) = prefix(first);
        if let Some(&magic) = self.rest.get(MAGIC - 1)
            && magic.cast_signed() != FORMAT
        {
            let magic = magic.cast_signed();
            return Err(BatchError::Magic { base_offset, magic });
        }
        // what is shorter may be a batch of another format, as long as that is not known
        let least = if self.rest.len() < MAGIC {
            MAGIC
        } else {
            HEADER
        };
        let whole = whole(length).filter(|&whole| whole >= least as u64);
        let whole = whole.ok_or(BatchError::Header {
            base_offset,
            field: "length",
            value: length.into(),
        })?;
        match usize::try_from(whole) {
            Ok(whole) if whole <= self.rest.len() => {
                RecordBatch::parse(&self.rest.split_to(whole)).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let taken = self.take().transpose();
        self.failed = matches!(taken, Some(Err(_)));
        taken
    }
}

/// How many bytes a batch of this length has in all.
fn whole(length: i32) -> Option<u64> {
    u64::try_from(length)
        .ok()
        .map(|length| length + PREFIX as u64)
}
