//! Batches on their way from the thread that fills them to the one that sends them.
//!
//! A batch that is not full may lie at the end of the queue: sent as it is if its turn comes, taken back and filled further
//! if more records come first. So none waits for the next, and where the broker is what limits it all are full.

use super::lines::LinesError;
use kmk_kafka::Batch;
use kmk_kafka::wait::{Limit, Stop};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Batches that wait to be sent.
const WAITING: usize = 3;

/// A batch, or why there are no more.
pub(super) type Filled = Result<Batch, LinesError>;

/// A queue, from its two ends.
pub(super) fn batch_queue() -> (BatchSender, BatchReceiver) {
    let (to, from) = mpsc::sync_channel(WAITING);
    let partial = Arc::new(Mutex::new(Partial::default()));
    let sender = BatchSender {
        to,
        partial: Arc::clone(&partial),
        laid: 0,
        is_last: false,
    };
    (sender, BatchReceiver { from, partial })
}

/// What is in the queue.
#[derive(Debug)]
enum Slot {
    Whole(Filled),
    /// The place of the partial batch of this number, if that was not taken back.
    Partial(u64),
}

/// The batch that is not full.
#[derive(Debug, Default)]
struct Partial {
    /// Of the place that waits for it in the queue; none once that has come out.
    place: Option<u64>,
    batch: Option<Batch>,
}

/// Where batches are put on.
#[derive(Debug)]
pub(super) struct BatchSender {
    to: SyncSender<Slot>,
    partial: Arc<Mutex<Partial>>,
    laid: u64,
    /// Whether nothing was put on behind the partial batch's place.
    is_last: bool,
}

impl BatchSender {
    /// Passes a batch on, if there is anything in it; waits while there is no room. False when no one wants it.
    pub(super) fn pass_on(&mut self, batch: &mut Batch) -> bool {
        if batch.is_empty() {
            return true;
        }
        self.is_last = false;
        self.to.send(Slot::Whole(Ok(batch.take()))).is_ok()
    }

    /// Passes on why there are no more.
    pub(super) fn break_off(&self, error: LinesError) {
        // a receiver that is gone need not know
        let _ = self.to.send(Slot::Whole(Err(error)));
    }

    /// Passes a batch on so that it can be taken back; waits only where it needs a new place. False when no one wants it.
    pub(super) fn lay(&mut self, batch: &mut Batch) -> bool {
        if batch.is_empty() {
            return true;
        }
        let mut partial = held(&self.partial);
        partial.batch = Some(batch.take());
        if self.is_last && partial.place == Some(self.laid) {
            // the thread that takes batches off holds the other end
            return Arc::strong_count(&self.partial) > 1;
        }
        self.laid += 1;
        self.is_last = true;
        partial.place = Some(self.laid);
        drop(partial);
        self.to.send(Slot::Partial(self.laid)).is_ok()
    }

    /// The batch that was laid there last, unless it is on its way.
    pub(super) fn take_back(&self) -> Option<Batch> {
        held(&self.partial).batch.take()
    }
}

/// Where batches come out, in order.
#[derive(Debug)]
pub(super) struct BatchReceiver {
    from: Receiver<Slot>,
    partial: Arc<Mutex<Partial>>,
}

impl BatchReceiver {
    /// The next, if there is one by now.
    pub(super) fn try_next(&self) -> Result<Filled, TryRecvError> {
        loop {
            if let Some(filled) = self.pick(self.from.try_recv()?) {
                return Ok(filled);
            }
        }
    }

    /// Waits for the next; none when there are no more.
    pub(super) fn next(&self, limit: &Limit) -> Result<Option<Filled>, Stop> {
        while let Some(slot) = limit.receive(&self.from)? {
            if let Some(filled) = self.pick(slot) {
                return Ok(Some(filled));
            }
        }
        Ok(None)
    }

    fn pick(&self, slot: Slot) -> Option<Filled> {
        match slot {
            Slot::Whole(filled) => Some(filled),
            Slot::Partial(number) => {
                let mut partial = held(&self.partial);
                // another one has its place further back
                partial.place.take_if(|place| *place == number)?;
                partial.batch.take().map(Ok)
            }
        }
    }
}

fn held(partial: &Mutex<Partial>) -> MutexGuard<'_, Partial> {
    partial.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::wait::Interrupt;
    use proptest::prelude::*;
    use std::time::Duration;

    fn batch(records: usize) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..records {
            batch.push(0, None, Some(b"v"), 0);
        }
        batch
    }

    fn records(filled: Result<Filled, TryRecvError>) -> Option<usize> {
        filled.ok().map(|filled| filled.unwrap().records())
    }

    #[test]
    fn a_batch_that_was_taken_back_does_not_come_out_before_it_is_laid_again() {
        let (mut sender, batches) = batch_queue();
        assert!(sender.lay(&mut batch(1)));
        assert_eq!(sender.take_back().unwrap().records(), 1);
        assert!(sender.pass_on(&mut batch(7)));
        assert!(sender.lay(&mut batch(2)));
        assert_eq!(records(batches.try_next()), Some(7));
        assert_eq!(records(batches.try_next()), Some(2));
        assert!(sender.take_back().is_none(), "it is on its way");
        assert_eq!(batches.try_next().unwrap_err(), TryRecvError::Empty);
        drop(sender);
        assert_eq!(batches.try_next().unwrap_err(), TryRecvError::Disconnected);
    }

    #[test]
    fn a_batch_that_is_filled_little_by_little_keeps_its_place() {
        let (mut sender, batches) = batch_queue();
        for pieces in 1..=10 * WAITING {
            let mut laid = sender.take_back().unwrap_or_default();
            laid.push(0, None, Some(b"v"), 0);
            assert!(sender.lay(&mut laid));
            assert_eq!(
                held(&sender.partial).batch.as_ref().unwrap().records(),
                pieces
            );
        }
        assert_eq!(records(batches.try_next()), Some(10 * WAITING));
        drop(batches);
        assert!(!sender.lay(&mut batch(1)), "no one wants it");
    }

    #[test]
    fn what_is_laid_last_comes_out_although_the_loader_has_gone() {
        let (mut sender, batches) = batch_queue();
        assert!(sender.lay(&mut batch(3)));
        drop(sender);
        assert_eq!(records(batches.try_next()), Some(3));
    }

    #[test]
    fn who_fills_for_no_one_is_told() {
        let (mut sender, batches) = batch_queue();
        drop(batches);
        assert!(!sender.pass_on(&mut batch(1)));
        assert!(!sender.lay(&mut batch(1)));
        assert!(sender.lay(&mut batch(0)), "there is nothing to send");
    }

    proptest! {
        #[test]
        fn records_come_out_in_the_order_in_which_they_went_on(
            reads in proptest::collection::vec(0usize..9, 0..40),
        ) {
            let (mut sender, batches) = batch_queue();
            let loader = std::thread::spawn(move || {
                let mut on = 0;
                for records in reads {
                    let mut batch = sender.take_back().unwrap_or_default();
                    for _ in 0..records {
                        if batch.records() == 4 {
                            assert!(sender.pass_on(&mut batch));
                        }
                        batch.push(0, None, None, on);
                        on += 1;
                    }
                    assert!(sender.lay(&mut batch));
                }
                on
            });
            let limit = Limit::new(Duration::from_secs(60), &Interrupt::default());
            let mut out = Vec::new();
            while let Some(filled) = batches.next(&limit).unwrap() {
                for chunk in filled.unwrap().chunks() {
                    prop_assert!(chunk.records() <= 4);
                    out.extend(chunk.iter().map(|item| item.time));
                }
            }
            let on = loader.join().unwrap();
            prop_assert_eq!(out, (0..on).collect::<Vec<_>>());
        }
    }
}
