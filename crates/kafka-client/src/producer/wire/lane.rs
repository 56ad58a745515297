//! The records on their way to one partition, so that each gets there once and in order. Pure: knows nothing of
//! connections and clocks.
//!
//! The rules are those of Java's idempotent producer: several parcels may be on their way as long as all goes well. After
//! a failure the lane is drained, and what was sent before goes out again one parcel at a time, under the same sequence
//! numbers, so that the broker knows what it has already.

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
pub(super) struct Author {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// Records that go out as one batch.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Its name among the parcels of its lane.
    pub(super) number: u64,
    pub(super) chunk: Chunk,
    /// How many records the producer took for this partition before it.
    begins: u64,
    /// The number of its first record, as the broker counts.
    pub(super) sequence: i32,
    state: State,
    /// How often it was sent.
    attempts: u64,
    /// How many attempts left it open whether it was written.
    doubts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    InFlight,
    /// Sent in vain, refused later as out of sequence: either it was written, and more behind it, or the broker has lost
    /// something. What becomes of the next one tells.
    Unsettled,
}

/// What became of a parcel.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// Written; the first record at this offset, where the broker still knows.
    Written(Option<i64>),
    /// Not written: too large as one batch for this topic.
    TooLarge { topic: String },
    /// Not written: the broker expects another sequence number.
    OutOfSequence(KafkaError),
    /// Not written: the broker does not know the author, or knows it under another epoch.
    Unknown(KafkaError),
    /// Not written.
    Refused(KafkaError),
    /// Written or not.
    Doubtful(KafkaError),
}

/// How it goes on.
#[derive(Debug)]
pub(super) enum Verdict {
    /// As before.
    GoOn,
    /// With smaller batches from now on: at most so many bytes.
    Smaller(usize),
    /// Once more, after a moment.
    Again(KafkaError),
    /// Not at all.
    Final(KafkaError),
}

/// The records on their way to one partition.
#[derive(Debug)]
pub(super) struct Lane {
    author: Option<Author>,
    parcels: VecDeque<Parcel>,
    next_sequence: i32,
    next_number: u64,
    /// Why another author is needed, once no parcel is on its way any more.
    outdated: Option<KafkaError>,
    /// Whether nothing of this author is known to be written. A broker lets an author that it does not know begin with any
    /// sequence number: until then one parcel at a time, or the second might be written without the first.
    is_new: bool,
}

impl Lane {
    /// Nothing on its way. Without an author, one parcel at a time is what keeps the order.
    pub(super) fn new(author: Option<Author>) -> Self {
        Self {
            author,
            parcels: VecDeque::new(),
            next_sequence: 0,
            next_number: 0,
            outdated: None,
            is_new: true,
        }
    }

    pub(super) fn author(&self) -> Option<Author> {
        self.author
    }

    /// Puts records behind those already here; the producer took so many for this partition before them.
    pub(super) fn push(&mut self, chunk: Chunk, begins: u64) {
        let parcel = self.parcel(chunk, begins, self.next_sequence);
        self.next_sequence = sequence::after(parcel.sequence, parcel.chunk.records());
        self.parcels.push_back(parcel);
    }

    fn parcel(&mut self, chunk: Chunk, begins: u64, sequence: i32) -> Parcel {
        self.next_number += 1;
        Parcel {
            number: self.next_number,
            chunk,
            begins,
            sequence,
            state: State::Waiting,
            attempts: 0,
            doubts: 0,
        }
    }

    /// How many parcels are not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }

    fn in_flight(&self) -> usize {
        let parcels = self.parcels.iter();
        parcels
            .filter(|parcel| parcel.state == State::InFlight)
            .count()
    }

    /// The parcel that may go out now, if one may.
    pub(super) fn ready(&mut self) -> Option<&mut Parcel> {
        if self.outdated.is_some() {
            return None;
        }
        let in_flight = self.in_flight();
        let mut waiting = self.parcels.iter();
        let at = waiting.position(|parcel| parcel.state == State::Waiting)?;
        let may_go = if self.parcels[at].attempts > 0 {
            in_flight == 0
        } else {
            let mut before = self.parcels.iter().take(at);
            let knows_order = self.author.is_some() && !self.is_new;
            let window = if knows_order { WINDOW } else { 1 };
            in_flight < window
                && before.all(|parcel| parcel.state == State::InFlight && parcel.attempts == 1)
        };
        if may_go {
            self.parcels.get_mut(at)
        } else {
            None
        }
    }

    /// Takes what became of a parcel. What is acknowledged goes into `tally`.
    pub(super) fn settle(
        &mut self,
        partition: i32,
        number: u64,
        outcome: Outcome,
        tally: &mut Tally,
    ) -> Verdict {
        let Some(at) = self
            .parcels
            .iter()
            .position(|parcel| parcel.number == number)
        else {
            return Verdict::GoOn;
        };
        self.parcels[at].state = State::Waiting;
        match outcome {
            Outcome::Written(offset) => {
                self.written(partition, at, offset, tally);
                Verdict::GoOn
            }
            Outcome::TooLarge { topic } => self.cut(at, topic),
            Outcome::OutOfSequence(error) => self.out_of_sequence(at, error),
            Outcome::Unknown(error) => self.outdate(error),
            Outcome::Refused(error) => retry(error),
            Outcome::Doubtful(error) => {
                self.parcels[at].doubts += 1;
                retry(error)
            }
        }
    }

    fn written(&mut self, partition: i32, at: usize, offset: Option<i64>, tally: &mut Tally) {
        self.is_new = false;
        let Some(parcel) = self.parcels.remove(at) else {
            return;
        };
        // with sequence numbers none is there twice, however often it was sent
        let doubts = if self.author.is_some() {
            0
        } else {
            parcel.doubts
        };
        tally.written(partition, offset, &parcel.chunk, doubts);
        tally.numbered(partition, parcel.records());
        // one that comes after them was accepted, so they are there: a broker would have missed them
        for before in (0..at).rev() {
            if self.parcels[before].doubts == 0 {
                continue;
            }
            let Some(parcel) = self.parcels.remove(before) else {
                continue;
            };
            // where others write too, it need not lie right before its successor
            tally.written(partition, None, &parcel.chunk, 0);
            tally.numbered(partition, parcel.records());
        }
    }

    /// Two parcels in place of one: the sequence numbers of all others stay as they are.
    fn cut(&mut self, at: usize, topic: String) -> Verdict {
        if self.parcels[at].chunk.records() <= 1 {
            let bytes = self.parcels[at].chunk.payload();
            return Verdict::Final(KafkaError::RecordTooLarge { topic, bytes });
        }
        let Some(parcel) = self.parcels.remove(at) else {
            return Verdict::GoOn;
        };
        let smaller = parcel.chunk.size() / 2;
        let (first, second) = parcel.chunk.halves();
        let middle = sequence::after(parcel.sequence, first.records());
        let of_second = parcel.begins + first.records() as u64;
        let halves = [
            (second, of_second, middle),
            (first, parcel.begins, parcel.sequence),
        ];
        for (chunk, begins, sequence) in halves {
            let mut half = self.parcel(chunk, begins, sequence);
            half.attempts = parcel.attempts;
            half.doubts = parcel.doubts;
            self.parcels.insert(at, half);
        }
        Verdict::Smaller(smaller)
    }

    fn out_of_sequence(&mut self, at: usize, error: KafkaError) -> Verdict {
        let before = self.parcels.iter().take(at);
        if before
            .clone()
            .any(|parcel| parcel.state != State::Unsettled)
        {
            // the one before it has failed, and goes out again first
            return Verdict::GoOn;
        }
        if self.parcels[at].doubts == 0 {
            return self.outdate(error);
        }
        // a broker that was shut down knows again only the last batch it wrote: the one to find is behind this
        self.parcels[at].state = State::Unsettled;
        match self.parcels.get(at + 1) {
            Some(next) if next.doubts > 0 || next.state == State::InFlight => Verdict::GoOn,
            _ => Verdict::Final(error),
        }
    }

    /// The broker has lost what it knew of the author. Under a new name nothing may be repeated that is in doubt.
    fn outdate(&mut self, error: KafkaError) -> Verdict {
        if self.author.is_none() || self.is_new || self.is_in_doubt() {
            return Verdict::Final(error);
        }
        self.outdated = Some(error.clone());
        Verdict::Again(error)
    }

    fn is_in_doubt(&self) -> bool {
        self.parcels.iter().any(|parcel| parcel.doubts > 0)
    }

    /// Whether another author is needed now.
    ///
    /// # Errors
    /// Something is in doubt: under another name it might be written twice.
    pub(super) fn wants_author(&self) -> Result<bool, KafkaError> {
        match &self.outdated {
            None => Ok(false),
            Some(error) if self.is_in_doubt() => Err(error.clone()),
            Some(_) => Ok(self.in_flight() == 0),
        }
    }

    /// Begins anew under another name.
    pub(super) fn rename(&mut self, author: Author) {
        self.author = Some(author);
        self.outdated = None;
        self.is_new = true;
        self.next_sequence = 0;
        for parcel in &mut self.parcels {
            parcel.sequence = self.next_sequence;
            self.next_sequence = sequence::after(parcel.sequence, parcel.chunk.records());
        }
    }

    /// Gives up what is left.
    pub(super) fn give_up(self, tally: &mut Tally) {
        for parcel in self.parcels {
            let open = u64::from(parcel.state == State::InFlight);
            tally.given_up(&parcel.chunk, parcel.doubts + open);
        }
    }
}

impl Parcel {
    /// Its records, by number.
    fn records(&self) -> Range<u64> {
        self.begins..self.begins + self.chunk.records() as u64
    }

    /// Notes that it goes out.
    pub(super) fn leaves(&mut self) {
        self.state = State::InFlight;
        self.attempts += 1;
    }
}

fn retry(error: KafkaError) -> Verdict {
    if error.is_retriable() {
        Verdict::Again(error)
    } else {
        Verdict::Final(error)
    }
}

#[cfg(test)]
mod tests;
