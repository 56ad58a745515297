//! Reading one flow's topic on its target, whatever happens to it meanwhile. Knows nothing of what was sent.

use super::course::Leg;
use super::report::{Incident, Noted};
use super::run::{Clock, Signals, locked};
use crate::core::kafka::{Admin, At, Client, Consumer, KafkaError, Reading, Start};
use crate::core::ledger::Arrivals;
use crate::core::wait::Limit;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

/// How long a broker may give no answer before that is an incident.
const ANSWER: Duration = Duration::from_secs(10);

/// How soon after trouble it is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long what is there in the end may take to be read.
const DRAIN: Duration = Duration::from_secs(5);

/// How many incidents are kept.
const INCIDENTS: usize = 100;

/// What a broker answers of a topic that it does not know (`UNKNOWN_TOPIC_OR_PARTITION`).
const NO_TOPIC: i16 = 3;

/// Reads one topic.
pub(super) struct Reader {
    leg: Leg,
    consumer: Consumer,
    /// Where reading began.
    begun: BTreeMap<i32, i64>,
    seen: Seen,
    /// The trouble noted last, until the broker answers again.
    trouble: Option<Incident>,
}

/// What was seen beside the records.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Where each partition goes on behind what was read.
    pub(super) reached: BTreeMap<i32, i64>,
    pub(super) incidents: Vec<Noted>,
}

impl Reader {
    /// From where the topic ends now. What transactions gave up is no delivery, so only what is committed is read.
    pub(super) fn open(leg: &Leg, limit: &Limit) -> Result<Self, KafkaError> {
        let mut admin = Admin::connect_patiently(&leg.endpoints, limit)?;
        let mut topics = admin.describe_patiently(limit)?.topics;
        let info = topics.remove(&leg.remote).unwrap_or_default();
        let begun = ends(&mut admin, &leg.remote, limit)?;
        let reading = Reading {
            partition: None,
            start: Start::Latest,
            group: None,
            to_end: false,
            committed_only: true,
            client: Client::Wire,
            needs: Vec::new(),
        };
        Ok(Self {
            consumer: Consumer::open(admin, &leg.remote, &info, &reading, limit)?,
            leg: leg.clone(),
            begun,
            seen: Seen::default(),
            trouble: None,
        })
    }

    /// Reads until the end is signalled.
    pub(super) fn run(mut self, arrivals: &Mutex<Arrivals>, clock: Clock, end: &Signals) -> Seen {
        loop {
            let limit = Limit::new(ANSWER, &end.finish);
            let taken = self.take(arrivals, clock, &limit);
            if end.stop.is_raised() {
                return self.seen;
            }
            if end.finish.is_raised() {
                break;
            }
            if let Err(error) = taken {
                self.bear(&error, clock);
                // cut short where it is over
                let _ = limit.pause(AGAIN);
            }
        }
        // what is behind the last record that was waited for counts too
        let limit = Limit::new(DRAIN, &end.stop);
        let drained = self.drain(arrivals, clock, &limit);
        if let Err(error) = drained {
            self.bear(&error, clock);
        }
        self.seen
    }

    /// Notes the next records that arrive, with the moment when their answer was there.
    fn take(
        &mut self,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let polled = self.consumer.poll(u64::MAX, limit);
        let now = clock.now();
        self.note_changes(clock);
        let fetched = polled?;
        let mut arrivals = locked(arrivals);
        let shown = fetched.each(|record| {
            arrivals.arrive(&record, now);
            Ok::<_, KafkaError>(ControlFlow::Continue(()))
        });
        drop(arrivals);
        self.seen.reached.extend(fetched.reached().iter().copied());
        self.trouble = None;
        shown
    }

    /// Reads on to where the topic ends now.
    fn drain(
        &mut self,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let mut admin = Admin::connect_patiently(&self.leg.endpoints, limit)?;
        let ends = ends(&mut admin, &self.leg.remote, limit)?;
        let is_short = |reader: &Self, (partition, end): (&i32, &i64)| {
            let reached = reader.seen.reached.get(partition);
            let at = reached.or(reader.begun.get(partition));
            at.copied().unwrap_or(0) < *end
        };
        while ends.iter().any(|end| is_short(self, end)) {
            limit.check(|| "not all of the topic is read".to_owned())?;
            self.take(arrivals, clock, limit)?;
        }
        Ok(())
    }

    fn note_changes(&mut self, clock: Clock) {
        if self.consumer.was_remade() {
            self.begun.clear();
            self.seen.reached.clear();
            self.note(Incident::TopicRemade, clock);
        }
        for moved in self.consumer.moved() {
            let incident = Incident::Moved {
                partition: moved.partition,
                from: moved.from,
                to: moved.to,
            };
            self.note(incident, clock);
        }
        for partition in self.consumer.added() {
            self.note(Incident::PartitionAdded { partition }, clock);
        }
    }

    /// Trouble of one kind is noted once, until it is over.
    fn bear(&mut self, error: &KafkaError, clock: Clock) {
        let incident = match error {
            KafkaError::UnknownTopic { .. } => Incident::TopicGone,
            error if error.code().is_some_and(|code| code.number() == NO_TOPIC) => {
                Incident::TopicGone
            }
            KafkaError::Stopped(_) => Incident::NotAnswering,
            error if error.is_retriable() => Incident::NotAnswering,
            error => Incident::Unreadable {
                error: error.to_string(),
            },
        };
        if self.trouble.as_ref() != Some(&incident) {
            self.trouble = Some(incident.clone());
            self.note(incident, clock);
        }
    }

    fn note(&mut self, what: Incident, clock: Clock) {
        if self.seen.incidents.len() < INCIDENTS {
            let at_seconds = clock.elapsed().as_secs_f64();
            self.seen.incidents.push(Noted { at_seconds, what });
        }
    }
}

/// Where each partition of a topic ends, for whoever reads what is committed.
fn ends(admin: &mut Admin, topic: &str, limit: &Limit) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let found = admin.offsets(&[topic.to_owned()], At::Stable, limit)?;
    let ends = found
        .into_iter()
        .map(|((_, partition), end)| (partition, end));
    Ok(ends.collect())
}
