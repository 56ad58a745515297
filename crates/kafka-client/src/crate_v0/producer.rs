//! Writing records so that each is known to be acknowledged, or not.

use super::connection::Connection;
use super::write::{WriteOptions, WriteOutcome, write};
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::producer::ProducerOptions;
use crate::producer::Tally;
use crate::producer::{Batch, Chunk};
use crate::wait::{Interrupt, Limit, Stop};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer on its way is waited for after an interruption, so that the account is exact.
const GRACE: Duration = Duration::from_secs(1);

/// The pause before a refused write is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// Writes to one topic; a record counts once every in-sync replica has it (`acks=all`).
#[derive(Debug)]
pub(crate) struct Producer {
    connection: Connection,
    topic: String,
    how: WriteOptions,
    /// The largest request for one partition that was not refused as too large, once one was.
    allowed: usize,
}

impl Producer {
    /// Connects; the topic must be there.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`].
    pub(crate) fn open(
        bootstrap: &[Endpoint],
        topic: &str,
        writing: &ProducerOptions,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            how: WriteOptions::of(writing)?,
            connection: Connection::open(bootstrap, limit)?,
            topic: topic.to_owned(),
            allowed: usize::MAX,
        })
    }

    /// Writes all records of `batch`, trying again whatever time may heal, until `limit`. What was acknowledged goes
    /// into `tally` as it happens, whether or not the whole succeeds.
    ///
    /// # Errors
    /// The first refusal that time does not heal, or the last one seen when time was up. What `tally` does not count
    /// was then not acknowledged.
    pub(crate) fn send(
        &mut self,
        batch: Batch,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let mut left: Left = batch
            .into_chunks()
            .into_iter()
            .map(|(partition, chunk)| {
                let pieces = chunk.cut(self.allowed).into_iter();
                (
                    partition,
                    pieces.map(|chunk| Piece::new(chunk, 0)).collect(),
                )
            })
            .collect();
        let sent = self.send_all(&mut left, limit, tally);
        for piece in left.values().flatten() {
            tally.given_up(&piece.chunk, piece.doubts);
        }
        sent
    }

    fn send_all(
        &mut self,
        left: &mut Left,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        while !left.is_empty() {
            let failure = self.attempt(left, limit, tally);
            left.retain(|_, queue| !queue.is_empty());
            if limit.interrupt().is_raised() && !left.is_empty() {
                return Err(Stop::Interrupted.into());
            }
            let Some(failure) = failure else { continue };
            if !failure.is_retriable() {
                return Err(failure);
            }
            self.connection.forget();
            match limit.check(String::new).and_then(|()| limit.pause(RETRY)) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                Err(Stop::Deadline { .. }) => return Err(failure),
            }
        }
        Ok(())
    }

    /// One request to each leader. What is written leaves `left`; the worst of what went wrong is returned.
    fn attempt(&mut self, left: &mut Left, limit: &Limit, tally: &mut Tally) -> Option<KafkaError> {
        let round = left
            .iter()
            .filter_map(|(&partition, queue)| Some((partition, Arc::clone(&queue.front()?.chunk))))
            .collect();
        let mut outcomes = self.request(round, limit);
        let mut worst: Option<KafkaError> = None;
        for (&partition, queue) in left.iter_mut() {
            let Some(outcome) = outcomes.remove(&partition) else {
                continue;
            };
            let Some(mut piece) = queue.pop_front() else {
                continue;
            };
            let error = match outcome {
                WriteOutcome::Written(offset) => {
                    tally.written(partition, Some(offset), &piece.chunk, piece.doubts);
                    continue;
                }
                WriteOutcome::TooLarge if piece.chunk.records() > 1 => {
                    self.allowed = self.allowed.min(piece.chunk.size() / 2);
                    let (first, second) = piece.chunk.halves();
                    queue.push_front(Piece::new(second, piece.doubts));
                    queue.push_front(Piece::new(first, piece.doubts));
                    continue;
                }
                WriteOutcome::TooLarge => KafkaError::RecordTooLarge {
                    topic: self.topic.clone(),
                    bytes: piece.chunk.payload(),
                },
                WriteOutcome::Refused(error) => error,
                WriteOutcome::Doubtful(error) => {
                    piece.doubts += 1;
                    error
                }
            };
            queue.push_front(piece);
            if worst.as_ref().is_none_or(KafkaError::is_retriable) {
                worst = Some(error);
            }
        }
        worst
    }

    /// Sends and waits: what became of the records for each partition.
    fn request(
        &mut self,
        round: Vec<(i32, Arc<Chunk>)>,
        limit: &Limit,
    ) -> BTreeMap<i32, WriteOutcome> {
        let partitions: Vec<i32> = round.iter().map(|(partition, _)| *partition).collect();
        let topic = self.topic.clone();
        let how = self.how;
        let doing = format!("write to topic `{topic}`");
        let answer = self
            .connection
            .start(&doing, limit, move |client| {
                Ok(write(client, &topic, how, &round))
            })
            .map_err(WriteOutcome::Refused)
            .and_then(|pending| {
                let answer = match self.connection.finish(&pending, limit) {
                    Err(KafkaError::Stopped(Stop::Interrupted)) => {
                        let grace = Limit::new(GRACE, &Interrupt::default());
                        self.connection.finish(&pending, &grace)
                    }
                    answer => answer,
                };
                answer.map_err(WriteOutcome::Doubtful)
            });
        let (mut outcomes, otherwise) = match answer {
            Ok(outcomes) => (
                outcomes,
                WriteOutcome::Doubtful(KafkaError::Garbled {
                    address: self.connection.address(),
                    cause: "it leaves out a partition".to_owned(),
                }),
            ),
            Err(failed) => (BTreeMap::new(), failed),
        };
        for partition in partitions {
            outcomes
                .entry(partition)
                .or_insert_with(|| otherwise.clone());
        }
        outcomes
    }
}

/// Records still to be acknowledged, by partition, in order.
type Left = BTreeMap<i32, VecDeque<Piece>>;

/// Records that go out together.
#[derive(Debug)]
struct Piece {
    chunk: Arc<Chunk>,
    /// How many attempts got no answer.
    doubts: u64,
}

impl Piece {
    fn new(chunk: Chunk, doubts: u64) -> Self {
        Self {
            chunk: Arc::new(chunk),
            doubts,
        }
    }
}
