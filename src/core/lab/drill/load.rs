//! The producer of a drill: keyed, numbered records at a steady rate.

use super::stage::Written;
use crate::core::judge::drill::Acknowledged;
use crate::core::judge::ledger::{MIN_STAMPED, RunId, Stamp};
use crate::core::lab::verify::{Amount, Clock, due, locked, most};
use crate::core::records::produce::has_room;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use kmk_kafka::{Admin, Batch, Client, KafkaError, Partitioner, Producer, ProducerOptions, Tally};
use std::time::{Duration, SystemTime};

/// It sends no more often than this: what has become due meanwhile goes out together.
const STEP: Duration = Duration::from_millis(5);
/// The bytes of each record.
const SIZE: usize = 100;
/// The size of a record without a key is known before it is stamped.
const _: () = assert!(SIZE >= MIN_STAMPED);
/// How long it tries where no broker answers, unless it is told to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is written where.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) topic: String,
    pub(super) run: RunId,
    pub(super) keys: u32,
    /// Records a second.
    pub(super) rate: u64,
    /// Records that go first, as fast as they can.
    pub(super) backlog: u64,
}

/// The key of that number.
pub(super) fn key(number: u64) -> String {
    format!("key-{number:05}")
}

/// The number of a key of the drill.
pub(super) fn number_of(key: &[u8]) -> Option<u32> {
    std::str::from_utf8(key)
        .ok()?
        .strip_prefix("key-")?
        .parse()
        .ok()
}

impl Load {
    /// Writes until `finish`, and then until all is acknowledged; `stop` ends that too.
    pub(super) fn run(
        &self,
        written: &Written,
        clock: Clock,
        finish: &Interrupt,
        stop: &Interrupt,
    ) {
        match self.write(written, clock, finish, stop) {
            Ok(()) | Err(KafkaError::Stopped(Stop::Interrupted)) => {}
            Err(error) => locked(&written.books).refused = Some(error),
        }
    }

    fn write(
        &self,
        written: &Written,
        clock: Clock,
        finish: &Interrupt,
        stop: &Interrupt,
    ) -> Result<(), KafkaError> {
        let limit = Limit::new(PATIENCE, stop);
        // our own client: which records are acknowledged is known one by one
        let writing = ProducerOptions {
            client: Client::Wire,
            ..ProducerOptions::default()
        };
        let admin = Admin::connect_patiently(&self.endpoints, &limit)?;
        let producer = Producer::open(admin, &self.topic, &writing, &limit)?;
        written.opened.set(clock.now());
        let mut writer = Writer {
            load: self,
            partitioner: Partitioner::new(producer.partitions(), None),
            producer,
            written,
            clock,
            taken: 0,
            value: Vec::with_capacity(SIZE),
            tally: Tally::default(),
        };
        while writer.taken < self.backlog && !finish.is_raised() {
            let most = self.backlog - writer.taken;
            writer.send(most, &Limit::new(PATIENCE, stop))?;
        }
        let (begun, first) = (clock.elapsed(), writer.taken);
        while !finish.is_raised() {
            let limit = Limit::new(PATIENCE, stop);
            let paced = writer.taken - first;
            let due = due(paced, self.rate);
            let early = |clock: Clock| due.saturating_sub(clock.elapsed().saturating_sub(begun));
            if early(clock).is_zero() {
                let elapsed = clock.elapsed().saturating_sub(begun);
                let most = most(Amount::Time(Duration::MAX), Some(self.rate), paced, elapsed);
                writer.send(most, &limit)?;
                continue;
            }
            writer.flush(&limit)?;
            limit.pause(early(clock).max(STEP))?;
        }
        writer.flush(&Limit::new(PATIENCE, stop))
    }
}

struct Writer<'a> {
    load: &'a Load,
    producer: Producer,
    partitioner: Partitioner,
    written: &'a Written,
    clock: Clock,
    taken: u64,
    value: Vec<u8>,
    tally: Tally,
}

impl Writer<'_> {
    /// Sends as many records as fit into a batch.
    fn send(&mut self, most: u64, limit: &Limit) -> Result<(), KafkaError> {
        let mut batch = Batch::default();
        let time = to_millis(SystemTime::now());
        let mut books = locked(&self.written.books);
        while (batch.records() as u64) < most {
            let key = key(self.taken % u64::from(self.load.keys.max(1)));
            let size = batch.growth(Some(key.as_bytes()), None) + SIZE;
            if !batch.is_empty() && !has_room(&batch, size) {
                break;
            }
            let partition = self.partitioner.choose(Some(key.as_bytes()));
            let sequence = books.sent.entry(partition).or_default();
            let stamp = Stamp {
                run: self.load.run,
                partition,
                sequence: *sequence,
                sent_at: self.clock.now(),
            };
            *sequence += 1;
            self.value.clear();
            stamp.write(SIZE, &mut self.value);
            batch.push(partition, Some(key.as_bytes()), Some(&self.value), time);
            self.taken += 1;
        }
        drop(books);
        let sent = self.producer.send(batch, limit, &mut self.tally);
        self.note();
        sent
    }

    fn flush(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let flushed = self.producer.flush(limit, &mut self.tally);
        self.note();
        flushed
    }

    /// Notes what has been acknowledged, with the moment when that was known.
    fn note(&mut self) {
        let acknowledged = self.tally.take_acknowledged();
        if acknowledged.is_empty() {
            return;
        }
        let at = self.clock.now();
        let noted = acknowledged.into_iter().map(|told| Acknowledged {
            partition: told.partition,
            sequences: told.records,
            offset: told.offset,
            at,
        });
        locked(&self.written.books).acknowledged.extend(noted);
        self.written.first_acknowledged.set_first(at);
        self.written.last_acknowledged.set(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_number() {
        for number in [0, 7, 99_999, 123_456] {
            let key = key(u64::from(number));
            assert_eq!(number_of(key.as_bytes()), Some(number), "{key}");
        }
        assert_eq!(number_of(b"key-"), None);
        assert_eq!(number_of(b"\xff"), None);
    }
}
