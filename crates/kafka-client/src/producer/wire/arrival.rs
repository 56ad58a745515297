//! Taking in what became of requests on their way. Knows nothing of what goes out.

use super::lane::{Outcome, Verdict};
use super::{FIRST_PAUSE, Producer, request};
use crate::cluster::{Asked, Line};
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
pub(super) struct Flight {
    pub(super) asked: Asked<ProduceRequest>,
    pub(super) line: Line,
    pub(super) since: Instant,
    /// Partition and number of each parcel in it.
    pub(super) parcels: Vec<(i32, u64)>,
}

impl Producer {
    /// Takes in the answers that are there.
    pub(super) fn take_in(&mut self, limit: &Limit, tally: &mut Tally) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        let mut at = 0;
        while at < self.flights.len() {
            if !self.cluster.is_answered(&self.flights[at].asked) {
                at += 1;
                continue;
            }
            let flight = self.flights.remove(at);
            worst = worst.and(self.land(&flight, limit, tally));
        }
        worst
    }

    /// Takes in the answer to one request, or the news that there will be none.
    pub(super) fn land(
        &mut self,
        flight: &Flight,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        self.heard.insert(flight.line, Instant::now());
        match self.cluster.answer(&flight.asked, limit) {
            Ok(answer) => {
                let mut outcomes = request::outcomes(&self.topic, &answer);
                self.settle_all(&flight.parcels, tally, |partition| {
                    outcomes.remove(&partition)
                })
            }
            Err(error) => {
                let mut worst = self.settle_all(&flight.parcels, tally, |_| {
                    Some(Outcome::Doubtful(error.clone()))
                });
                // what else was asked over the same connection is lost with it
                let (lost, left) = std::mem::take(&mut self.flights)
                    .into_iter()
                    .partition(|other| other.line == flight.line);
                self.flights = left;
                for other in Vec::<Flight>::into_iter(lost) {
                    worst = worst.and(self.settle_all(&other.parcels, tally, |_| {
                        Some(Outcome::Doubtful(error.clone()))
                    }));
                }
                worst
            }
        }
    }

    pub(super) fn settle_all(
        &mut self,
        parcels: &[(i32, u64)],
        tally: &mut Tally,
        mut outcome: impl FnMut(i32) -> Option<Outcome>,
    ) -> Result<(), KafkaError> {
        let mut worst = Ok(());
        for &(partition, number) in parcels {
            let Some(lane) = self.lanes.get_mut(&partition) else {
                continue;
            };
            let outcome = outcome(partition).unwrap_or_else(|| {
                Outcome::Doubtful(KafkaError::Garbled {
                    address: format!("the leader of partition {partition}"),
                    cause: "it leaves out a partition".to_owned(),
                })
            });
            let is_written = matches!(outcome, Outcome::Written(_));
            match lane.settle(partition, number, outcome, tally) {
                Verdict::GoOn if is_written => {
                    self.pause = FIRST_PAUSE;
                    self.trouble = None;
                }
                Verdict::GoOn => {}
                Verdict::Smaller(bytes) => self.allowed = self.allowed.min(bytes),
                Verdict::Again(error) => self.later(error),
                Verdict::Final(error) => worst = worst.and(Err(error)),
            }
        }
        worst
    }

    /// Leaders are looked for anew, after a pause.
    pub(super) fn later(&mut self, error: KafkaError) {
        self.trouble = Some(error);
        self.cluster.forget();
        // one pause for whatever goes wrong at the same time
        if self.not_before.is_none() {
            self.not_before = Some(Instant::now() + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A broker that has said nothing for too long is no longer waited for.
    pub(super) fn give_up_the_silent(
        &mut self,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let patience = (limit.allowed() / 2).clamp(SHORTEST_SILENCE, LONGEST_SILENCE);
        let silent = self.flights.iter().position(|flight| {
            let heard = self.heard.get(&flight.line).copied();
            heard
                .map_or(flight.since, |heard| heard.max(flight.since))
                .elapsed()
                > patience
        });
        let Some(at) = silent else {
            return Ok(());
        };
        let flight = self.flights.remove(at);
        self.land(&flight, &limit.at_most(Duration::ZERO), tally)
    }
}
