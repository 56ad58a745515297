//! Where the records of all topics go, and how many are still wanted.

use super::Sink;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Output<'a> {
    sink: Mutex<&'a mut (dyn Sink + Send)>,
    asked: Option<u64>,
    read: AtomicU64,
}

impl<'a> Output<'a> {
    pub(super) fn new(sink: &'a mut (dyn Sink + Send), asked: Option<u64>) -> Self {
        Self {
            sink: Mutex::new(sink),
            asked,
            read: AtomicU64::new(0),
        }
    }

    /// Holds it: what is wanted does not change before it is let go.
    pub(super) fn hold(&self) -> MutexGuard<'_, &'a mut (dyn Sink + Send)> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    /// This many more were passed on.
    pub(super) fn count(&self, records: u64) {
        self.read.fetch_add(records, Ordering::SeqCst);
    }

    /// How many records are still wanted.
    pub(super) fn wanted(&self) -> u64 {
        self.asked
            .map_or(u64::MAX, |asked| asked.saturating_sub(self.read()))
    }

    pub(super) fn is_full(&self) -> bool {
        self.wanted() == 0
    }
}
