//! Sends numbered records into one source, and notes which of them are acknowledged.

use super::route::Route;
use super::run::{Clock, RunState, Sending, locked};
use super::{Amount, Verify};
use crate::core::judge::ledger::Stamp;
use crate::core::records::produce::has_room;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use kmk_kafka::{Admin, Batch, Client, KafkaError, Producer, ProducerOptions, Tally};
use std::time::{Duration, SystemTime};

/// A paced run sends no more often than this: what has become due meanwhile goes out together.
const STEP: Duration = Duration::from_millis(5);

/// How sending ended.
#[derive(Debug)]
pub(super) enum SendEnd {
    /// Every record is acknowledged.
    Complete,
    /// The person interrupted.
    Interrupted,
    /// The source refused permanently, or for too long.
    GaveUp(KafkaError),
}

/// Sends into one topic.
pub(super) struct Sender {
    producer: Producer,
    route: Route,
    amount: Amount,
    rate: Option<u64>,
    size: usize,
    patience: Duration,
    taken: u64,
    turn: i32,
    value: Vec<u8>,
    tally: Tally,
}

impl Sender {
    /// The topic is there. Always our own client: with it no retry repeats or reorders, and which records are
    /// acknowledged is known one by one.
    pub(super) fn open(route: &Route, what: &Verify, limit: &Limit) -> Result<Self, KafkaError> {
        let writing = ProducerOptions {
            client: Client::Wire,
            ..ProducerOptions::default()
        };
        let admin = Admin::connect_patiently(&route.endpoints, limit)?;
        Ok(Self {
            producer: Producer::open(admin, &route.topic, &writing, limit)?,
            route: route.clone(),
            amount: what.amount,
            rate: what.rate,
            size: what.size,
            patience: what.timeout,
            taken: 0,
            turn: 0,
            value: Vec::with_capacity(what.size),
            tally: Tally::default(),
        })
    }

    /// Sends until all is sent and acknowledged, or nothing more can be.
    pub(super) fn run(mut self, state: &RunState, clock: Clock, stop: &Interrupt) {
        let end = match self.send(state, clock, stop) {
            Ok(()) => SendEnd::Complete,
            Err(KafkaError::Stopped(Stop::Interrupted)) => SendEnd::Interrupted,
            Err(error) => SendEnd::GaveUp(error),
        };
        self.note(state);
        let sending = Sending {
            took: clock.elapsed(),
            end,
            written: self.tally.partitions,
        };
        // nobody else says it
        let _ = state.ended.set(sending);
    }

    fn send(&mut self, state: &RunState, clock: Clock, stop: &Interrupt) -> Result<(), KafkaError> {
        while !self.is_over(clock.elapsed()) {
            self.pace(state, clock, stop)?;
            let batch = self.batch(state, clock);
            let limit = Limit::new(self.patience, stop);
            let sent = self.producer.send(batch, &limit, &mut self.tally);
            self.note(state);
            sent?;
        }
        loop {
            let limit = Limit::new(self.patience, stop);
            let left = self.producer.settle(&limit, &mut self.tally);
            self.note(state);
            if !left? {
                return Ok(());
            }
        }
    }

    fn is_over(&self, elapsed: Duration) -> bool {
        match self.amount {
            Amount::Records(records) => self.taken >= records,
            Amount::Time(time) => elapsed >= time,
        }
    }

    /// Waits until the next record is due.
    fn pace(&mut self, state: &RunState, clock: Clock, stop: &Interrupt) -> Result<(), KafkaError> {
        let limit = Limit::new(self.patience, stop);
        // an interruption is heard even by who is never early
        limit.pause(Duration::ZERO)?;
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let early = due(self.taken, rate).saturating_sub(clock.elapsed());
        if early.is_zero() {
            return Ok(());
        }
        let flushed = self.producer.flush(&limit, &mut self.tally);
        self.note(state);
        flushed?;
        let early = due(self.taken, rate).saturating_sub(clock.elapsed());
        Ok(limit.pause(early.max(STEP))?)
    }

    /// The next records, the partitions by turns: as many as are due and fit.
    fn batch(&mut self, state: &RunState, clock: Clock) -> Batch {
        let mut batch = Batch::default();
        let time = to_millis(SystemTime::now());
        let most = most(self.amount, self.rate, self.taken, clock.elapsed());
        let mut sent = locked(&state.sent);
        while (batch.records() as u64) < most {
            let size = batch.growth(None, Some(&self.value)).max(self.size);
            if !batch.is_empty() && !has_room(&batch, size) {
                break;
            }
            let partition = self.turn;
            self.turn = (self.turn + 1) % self.route.partitions.max(1);
            let stamp = Stamp {
                run: self.route.run,
                partition,
                sequence: sent.next(partition),
                sent_at: clock.now(),
            };
            self.value.clear();
            stamp.write(self.size, &mut self.value);
            batch.push(partition, None, Some(&self.value), time);
            self.taken += 1;
        }
        batch
    }

    /// Notes in the ledger what has been acknowledged.
    fn note(&mut self, state: &RunState) {
        let acknowledged = self.tally.take_acknowledged();
        if acknowledged.is_empty() {
            return;
        }
        let mut sent = locked(&state.sent);
        for told in acknowledged {
            sent.acknowledge(told.partition, told.records);
        }
    }
}

/// How many more records may go out after this many, at least one.
pub(in crate::core::lab) fn most(
    amount: Amount,
    rate: Option<u64>,
    taken: u64,
    elapsed: Duration,
) -> u64 {
    let left = match amount {
        Amount::Records(records) => records.saturating_sub(taken),
        Amount::Time(_) => u64::MAX,
    };
    let due = rate.map_or(u64::MAX, |rate| {
        let all = elapsed.as_micros() * u128::from(rate) / 1_000_000 + 1;
        u64::try_from(all).unwrap_or(u64::MAX).saturating_sub(taken)
    });
    left.min(due).max(1)
}

/// When a record is due, counted from 0, since the run began.
pub(in crate::core::lab) fn due(record: u64, rate: u64) -> Duration {
    let micros = u128::from(record) * 1_000_000 / u128::from(rate.max(1));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_kept_to_the_microsecond() {
        assert_eq!(due(0, 500), Duration::ZERO);
        assert_eq!(due(500, 500), Duration::from_secs(1));
        assert_eq!(due(1, 3), Duration::from_micros(333_333));
        assert_eq!(due(u64::MAX, 1), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn without_a_rate_all_that_is_left_may_go() {
        let most = |amount, taken| most(amount, None, taken, Duration::ZERO);
        assert_eq!(most(Amount::Records(10), 4), 6);
        assert_eq!(most(Amount::Time(Duration::from_secs(1)), 4), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_paced_run_is_never_ahead_and_never_far_behind(
            rate in 1..100_000_u64, looks in proptest::collection::vec(0..50_000_u64, 1..200)
        ) {
            let (mut now, mut taken) = (Duration::ZERO, 0);
            for look in looks {
                now += Duration::from_micros(look);
                if due(taken, rate) > now {
                    continue;
                }
                taken += most(Amount::Time(Duration::MAX), Some(rate), taken, now);
                prop_assert!(due(taken - 1, rate) <= now, "{taken} by {now:?}");
                prop_assert!(due(taken, rate) + Duration::from_micros(1) >= now, "{taken} by {now:?}");
            }
        }

        #[test]
        fn no_more_are_sent_than_were_asked_for(records in 1..10_000_u64, rate in proptest::option::of(1..1_000_u64)) {
            let (mut now, mut taken) = (Duration::ZERO, 0);
            while taken < records {
                taken += most(Amount::Records(records), rate, taken, now);
                now += Duration::from_millis(500);
            }
            prop_assert_eq!(taken, records);
        }
    }
}
