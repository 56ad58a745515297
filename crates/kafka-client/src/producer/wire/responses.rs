//! Taking in what became of requests on their way.

use super::partition_queue::{NextStep, SendOutcome};
use super::{FIRST_PAUSE, Producer, request};
use crate::cluster::{ConnectionId, Pending};
use crate::error::KafkaError;
use crate::producer::Tally;
use crate::wait::Limit;
use kafka_protocol::messages::ProduceRequest;
use std::time::{Duration, Instant};

/// The longest pause before what failed is sent again.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A broker is given up after half of the time there is, within these bounds.
const SHORTEST_SILENCE: Duration = Duration::from_secs(5);
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// A request on its way.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) asked: Pending<ProduceRequest>,
    pub(super) connection: ConnectionId,
    pub(super) since: Instant,
    /// Partition and number of each batch in it.
    pub(super) batches: Vec<(i32, u64)>,
}

impl Producer {
    /// Takes in the answers that are there.
    pub(super) fn take_responses(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        let mut at = 0;
        while at < self.in_flight.len() {
            if !self.cluster.is_answered(&self.in_flight[at].asked) {
                at += 1;
                continue;
            }
            let request = self.in_flight.remove(at);
            worst = worst.and(self.handle_response(&request, limit, tally));
        }
        worst
    }

    /// Takes in the answer to one request, or the news that there will be none.
    pub(super) fn handle_response(
        &mut self,
        request: &InFlight,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        self.last_heard.insert(request.connection, Instant::now());
        match self.cluster.answer(&request.asked, limit) {
            Ok(answer) => {
                let mut outcomes = request::outcomes(&self.topic, &answer);
                self.settle_batches(&request.batches, tally, |partition| {
                    outcomes.remove(&partition)
                })
            }
            Err(error) => {
                let mut worst = self.settle_batches(&request.batches, tally, |_| {
                    Some(SendOutcome::Doubtful(error.clone()))
                });
                // what else was asked over the same connection is lost with it
                let (lost, left) = std::mem::take(&mut self.in_flight)
                    .into_iter()
                    .partition(|other| other.connection == request.connection);
                self.in_flight = left;
                for other in Vec::<InFlight>::into_iter(lost) {
                    worst = worst.and(self.settle_batches(&other.batches, tally, |_| {
                        Some(SendOutcome::Doubtful(error.clone()))
                    }));
                }
                worst
            }
        }
    }

    pub(super) fn settle_batches(
        &mut self,
        batches: &[(i32, u64)],
        tally: &mut Tally,
        mut outcome: impl FnMut(i32) -> Option<SendOutcome>,
    ) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        for &(partition, number) in batches {
            let Some(queue) = self.queues.get_mut(&partition) else {
                continue;
            };
            let outcome = outcome(partition).unwrap_or_else(|| {
                SendOutcome::Doubtful(KafkaError::Garbled {
                    address: format!("the leader of partition {partition}"),
                    cause: "it leaves out a partition".to_owned(),
                })
            });
            let is_written = matches!(outcome, SendOutcome::Written(_));
            match queue.settle(partition, number, outcome, tally) {
                NextStep::GoOn if is_written => {
                    self.pause = FIRST_PAUSE;
                    self.trouble = None;
                }
                NextStep::GoOn => {}
                NextStep::Smaller(bytes) => self.allowed = self.allowed.min(bytes),
                NextStep::Again(error) => self.back_off(error),
                NextStep::Final(error) => worst = worst.and(Err(error)),
            }
        }
        worst
    }

    /// The metadata is refreshed after a pause, to find the leaders.
    pub(super) fn back_off(&mut self, error: KafkaError) {
        self.trouble = Some(error);
        self.cluster.forget();
        // one pause for whatever goes wrong at the same time
        if self.not_before.is_none() {
            self.not_before = Some(Instant::now() + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A broker that has said nothing for too long is no longer waited for.
    pub(super) fn give_up_silent(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let patience = (limit.allowed() / 2).clamp(SHORTEST_SILENCE, LONGEST_SILENCE);
        let silent = self.in_flight.iter().position(|request| {
            let last_heard = self.last_heard.get(&request.connection).copied();
            last_heard
                .map_or(request.since, |last_heard| last_heard.max(request.since))
                .elapsed()
                > patience
        });
        let Some(at) = silent else {
            return Ok(());
        };
        let request = self.in_flight.remove(at);
        self.handle_response(&request, &limit.at_most(Duration::ZERO), tally)
    }
}
