//! The records on their way to one partition, so that each gets there once and in order.
//!
//! The rules are those of Java's idempotent producer: several batches may be on their way as long as all goes well.
//! After a failure the queue is drained, and what was sent before goes out again one batch at a time, under the same
//! sequence numbers, so that the broker knows what it has already.

use super::sequence;
use crate::error::KafkaError;
use crate::producer::Chunk;
use crate::producer::Tally;
use std::collections::VecDeque;
use std::ops::Range;

/// A broker knows the last five batches of a producer in a partition again (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
pub(super) const WINDOW: usize = 5;

/// Who writes, as brokers know it: without it a batch sent twice is written twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProducerId {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// Records that go out as one batch.
#[derive(Debug)]
pub(super) struct ProducerBatch {
    /// Its name among the batches of its queue.
    pub(super) number: u64,
    pub(super) chunk: Chunk,
    /// How many records the producer took for this partition before it.
    begins: u64,
    /// The number of its first record, as the broker counts.
    pub(super) sequence: i32,
    state: BatchState,
    /// How often it was sent.
    attempts: u64,
    /// How many attempts left it open whether it was written.
    doubts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BatchState {
    Waiting,
    InFlight,
    /// Sent in vain, refused later as out of sequence: either it was written, and more behind it, or the broker has lost
    /// something. What becomes of the next one tells.
    Unsettled,
}

/// What happened to a batch.
#[derive(Debug, Clone)]
pub(super) enum SendOutcome {
    /// Written; the first record at this offset, where the broker still knows.
    Written(Option<i64>),
    /// Not written: too large as one batch for this topic.
    TooLarge { topic: String },
    /// Not written: the broker expects another sequence number.
    OutOfSequence(KafkaError),
    /// Not written: the broker does not know the producer id, or knows it under another epoch.
    Unknown(KafkaError),
    /// Not written.
    Refused(KafkaError),
    /// Written or not.
    Doubtful(KafkaError),
}

/// How it goes on.
#[derive(Debug)]
pub(super) enum NextStep {
    /// As before.
    GoOn,
    /// With smaller batches from now on: at most this many bytes.
    Smaller(usize),
    /// Once more, after a moment.
    Again(KafkaError),
    /// Not at all.
    Final(KafkaError),
}

/// The records on their way to one partition.
#[derive(Debug)]
pub(super) struct PartitionQueue {
    producer_id: Option<ProducerId>,
    batches: VecDeque<ProducerBatch>,
    next_sequence: i32,
    next_number: u64,
    /// Why another producer id is needed, once no batch is on its way any more.
    retired: Option<KafkaError>,
    /// Whether nothing of this producer id is known to be written. A broker lets a producer id that it does not know begin with any
    /// sequence number: until then one batch at a time, or the second might be written without the first.
    is_new: bool,
}

impl PartitionQueue {
    /// Nothing on its way. Without a producer id, one batch at a time is what keeps the order.
    pub(super) fn new(producer_id: Option<ProducerId>) -> Self {
        Self {
            producer_id,
            batches: VecDeque::new(),
            next_sequence: 0,
            next_number: 0,
            retired: None,
            is_new: true,
        }
    }

    pub(super) fn producer_id(&self) -> Option<ProducerId> {
        self.producer_id
    }

    /// Puts records behind those already here; the producer took this many for this partition before them.
    pub(super) fn push(&mut self, chunk: Chunk, begins: u64) {
        let batch = self.batch(chunk, begins, self.next_sequence);
        self.next_sequence = sequence::after(batch.sequence, batch.chunk.records());
        self.batches.push_back(batch);
    }

    fn batch(&mut self, chunk: Chunk, begins: u64, sequence: i32) -> ProducerBatch {
        self.next_number += 1;
        ProducerBatch {
            number: self.next_number,
            chunk,
            begins,
            sequence,
            state: BatchState::Waiting,
            attempts: 0,
            doubts: 0,
        }
    }

    /// How many batches are not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    fn in_flight(&self) -> usize {
        let batches = self.batches.iter();
        batches
            .filter(|batch| batch.state == BatchState::InFlight)
            .count()
    }

    /// The batch that may go out now, if one may.
    pub(super) fn ready(&mut self) -> Option<&mut ProducerBatch> {
        if self.retired.is_some() {
            return None;
        }
        let in_flight = self.in_flight();
        let mut waiting = self.batches.iter();
        let at = waiting.position(|batch| batch.state == BatchState::Waiting)?;
        let may_go = if self.batches[at].attempts > 0 {
            in_flight == 0
        } else {
            let mut before = self.batches.iter().take(at);
            let knows_order = self.producer_id.is_some() && !self.is_new;
            let window = if knows_order { WINDOW } else { 1 };
            in_flight < window
                && before.all(|batch| batch.state == BatchState::InFlight && batch.attempts == 1)
        };
        if may_go {
            self.batches.get_mut(at)
        } else {
            None
        }
    }

    /// Takes what became of a batch. What is acknowledged goes into `tally`.
    pub(super) fn settle(
        &mut self,
        partition: i32,
        number: u64,
        outcome: SendOutcome,
        tally: &mut Tally,
    ) -> NextStep {
        let Some(at) = self.batches.iter().position(|batch| batch.number == number) else {
            return NextStep::GoOn;
        };
        self.batches[at].state = BatchState::Waiting;
        match outcome {
            SendOutcome::Written(offset) => {
                self.written(partition, at, offset, tally);
                NextStep::GoOn
            }
            SendOutcome::TooLarge { topic } => self.split(at, topic),
            SendOutcome::OutOfSequence(error) => self.out_of_sequence(at, error),
            SendOutcome::Unknown(error) => self.retire_producer_id(error),
            SendOutcome::Refused(error) => retry(error),
            SendOutcome::Doubtful(error) => {
                self.batches[at].doubts += 1;
                retry(error)
            }
        }
    }

    fn written(&mut self, partition: i32, at: usize, offset: Option<i64>, tally: &mut Tally) {
        self.is_new = false;
        let Some(batch) = self.batches.remove(at) else {
            return;
        };
        // with sequence numbers none is there twice, however often it was sent
        let doubts = if self.producer_id.is_some() {
            0
        } else {
            batch.doubts
        };
        tally.written(partition, offset, &batch.chunk, doubts);
        tally.numbered(partition, batch.records(), offset);
        // one that comes after them was accepted, so they are there: a broker would have missed them
        for before in (0..at).rev() {
            if self.batches[before].doubts == 0 {
                continue;
            }
            let Some(batch) = self.batches.remove(before) else {
                continue;
            };
            // where others write too, it need not be right before its successor
            tally.written(partition, None, &batch.chunk, 0);
            tally.numbered(partition, batch.records(), None);
        }
    }

    /// Two batches instead of one: the sequence numbers of all others stay as they are.
    fn split(&mut self, at: usize, topic: String) -> NextStep {
        if self.batches[at].chunk.records() <= 1 {
            let bytes = self.batches[at].chunk.payload();
            return NextStep::Final(KafkaError::RecordTooLarge { topic, bytes });
        }
        let Some(batch) = self.batches.remove(at) else {
            return NextStep::GoOn;
        };
        let smaller = batch.chunk.size() / 2;
        let (first, second) = batch.chunk.halves();
        let middle = sequence::after(batch.sequence, first.records());
        let of_second = batch.begins + first.records() as u64;
        let halves = [
            (second, of_second, middle),
            (first, batch.begins, batch.sequence),
        ];
        for (chunk, begins, sequence) in halves {
            let mut half = self.batch(chunk, begins, sequence);
            half.attempts = batch.attempts;
            half.doubts = batch.doubts;
            self.batches.insert(at, half);
        }
        NextStep::Smaller(smaller)
    }

    fn out_of_sequence(&mut self, at: usize, error: KafkaError) -> NextStep {
        let before = self.batches.iter().take(at);
        if before
            .clone()
            .any(|batch| batch.state != BatchState::Unsettled)
        {
            // the one before it has failed, and goes out again first
            return NextStep::GoOn;
        }
        if self.batches[at].doubts == 0 {
            return self.retire_producer_id(error);
        }
        // a broker that was shut down knows again only the last batch it wrote: the one to find is behind this
        self.batches[at].state = BatchState::Unsettled;
        match self.batches.get(at + 1) {
            Some(next) if next.doubts > 0 || next.state == BatchState::InFlight => NextStep::GoOn,
            _ => NextStep::Final(error),
        }
    }

    /// The broker has lost what it knew of the producer id. Under a new name nothing may be repeated that is in doubt.
    fn retire_producer_id(&mut self, error: KafkaError) -> NextStep {
        if self.producer_id.is_none() || self.is_new || self.is_in_doubt() {
            return NextStep::Final(error);
        }
        self.retired = Some(error.clone());
        NextStep::Again(error)
    }

    fn is_in_doubt(&self) -> bool {
        self.batches.iter().any(|batch| batch.doubts > 0)
    }

    /// Whether another producer id is needed now.
    ///
    /// # Errors
    /// Something is in doubt: under another name it might be written twice.
    pub(super) fn needs_producer_id(&self) -> Result<bool, KafkaError> {
        match &self.retired {
            None => Ok(false),
            Some(error) if self.is_in_doubt() => Err(error.clone()),
            Some(_) => Ok(self.in_flight() == 0),
        }
    }

    /// Starts again with another producer id.
    pub(super) fn restart_as(&mut self, producer_id: ProducerId) {
        self.producer_id = Some(producer_id);
        self.retired = None;
        self.is_new = true;
        self.next_sequence = 0;
        for batch in &mut self.batches {
            batch.sequence = self.next_sequence;
            self.next_sequence = sequence::after(batch.sequence, batch.chunk.records());
        }
    }

    /// Gives up what is left.
    pub(super) fn give_up(self, tally: &mut Tally) {
        for batch in self.batches {
            let open = u64::from(batch.state == BatchState::InFlight);
            tally.given_up(&batch.chunk, batch.doubts + open);
        }
    }
}

impl ProducerBatch {
    /// Its records, by number.
    fn records(&self) -> Range<u64> {
        self.begins..self.begins + self.chunk.records() as u64
    }

    /// Notes that it goes out.
    pub(super) fn mark_sent(&mut self) {
        self.state = BatchState::InFlight;
        self.attempts += 1;
    }
}

fn retry(error: KafkaError) -> NextStep {
    if error.is_retriable() {
        NextStep::Again(error)
    } else {
        NextStep::Final(error)
    }
}

#[cfg(test)]
mod tests;
