//! Reads one flow's topic on its target, whatever happens to it meanwhile.

use super::Verify;
use super::ending::{Steps, look_at_the_end};
use super::report::{Incident, TimedIncident};
use super::route::{Route, Target};
use super::run::{Clock, RunState, Signals, locked};
use super::topic_setup::look;
use super::topic_snapshot::{AGAIN, Times, TopicSnapshot, patiently, settled};
use crate::core::judge::ledger::{Arrivals, Guarantee, RunId};
use kmk_kafka::wait::{Limit, Probe};
use kmk_kafka::{Admin, Client, Consumer, ConsumerOptions, KafkaError, Start};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

/// How long a broker may give no answer before that is an incident.
const ANSWER: Duration = Duration::from_secs(10);

/// How many incidents are kept.
const INCIDENTS: usize = 100;

/// What a broker answers of a topic that it does not know (`UNKNOWN_TOPIC_OR_PARTITION`).
const NO_TOPIC: i16 = 3;

/// Reads one topic.
pub(super) struct Reader {
    target: Target,
    /// Where the records come from, and the topic there.
    from: (String, String),
    run: RunId,
    guarantee: Guarantee,
    patience: Duration,
    consumer: Consumer,
    /// Kafka's id of the topic when reading began.
    id: Option<u128>,
    /// Where reading began.
    begun: BTreeMap<i32, i64>,
    seen: ReadResult,
    /// The last trouble, until the broker answers again.
    trouble: Option<Incident>,
}

/// What was seen beside the records.
#[derive(Debug)]
pub(super) struct ReadResult {
    /// Where each partition goes on behind what was read.
    pub(super) reached: BTreeMap<i32, i64>,
    pub(super) incidents: Vec<TimedIncident>,
    pub(super) times: Times,
    /// What could not be seen in the end, so that nothing is proven.
    pub(super) unknown: Option<String>,
}

impl Reader {
    /// From where the topic ends now. What transactions gave up is no delivery, so only what is committed is read.
    pub(super) fn open(
        route: &Route,
        target: &Target,
        what: &Verify,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut admin = Admin::connect_patiently(&target.endpoints, limit)?;
        // another broker than the one that showed it may learn of it later
        let info = patiently(limit, || {
            let info = admin.topics(limit)?.remove(&target.remote);
            let lacks = look(info.as_ref(), route.partitions);
            Ok(lacks.map_or_else(|| Probe::Ready(info.unwrap_or_default()), Probe::NotYet))
        })?;
        let sight = TopicSnapshot::of(target, limit)?;
        let begun = sight.as_ref().map(|sight| sight.stable.clone());
        Ok(Self {
            consumer: Consumer::open(admin, &target.remote, &info, &reading(Start::Latest), limit)?,
            target: target.clone(),
            from: (route.cluster.clone(), route.topic.clone()),
            run: route.run,
            guarantee: what.guarantee,
            patience: what.timeout,
            id: info.id,
            begun: begun.unwrap_or_default(),
            seen: ReadResult {
                reached: BTreeMap::new(),
                incidents: Vec::new(),
                times: sight.map_or(Times::Unknown, |sight| sight.times),
                unknown: None,
            },
            trouble: None,
        })
    }

    /// Reads until the end is signalled.
    pub(super) fn run(
        mut self,
        state: &RunState,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        end: &Signals,
    ) -> ReadResult {
        while !end.finish.is_raised() {
            let limit = Limit::new(ANSWER, &end.finish);
            let taken = self.take(arrivals, clock, &limit);
            if let Err(error) = taken
                && !end.finish.is_raised()
            {
                self.tolerate(&error, clock);
                // cut short where it is over
                let _ = limit.pause(AGAIN);
            }
        }
        let limit = Limit::new(self.patience, &end.stop);
        if end.stop.is_raised() {
            return self.seen;
        }
        let (guarantee, reader) = (self.guarantee, &mut self);
        let looked = look_at_the_end(
            guarantee,
            &mut Ending {
                reader,
                state,
                arrivals,
                clock,
                limit: &limit,
            },
        );
        if let Err(error) = looked {
            self.seen.unknown = Some(format!(
                "cannot see what {} has at the end: {error}",
                self.target.cluster
            ));
            self.tolerate(&error, clock);
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

    /// What a look at the end finds where the topic did not go on as it was: what is no longer there does not count.
    fn read_again_if_need_be(
        &mut self,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let sight = TopicSnapshot::of(&self.target, limit)?;
        let happened = self.seen.incidents.iter().any(|noted| {
            let what = &noted.what;
            matches!(what, Incident::TopicGone | Incident::TopicRecreated)
                || matches!(what, Incident::OffsetOutOfRange { .. })
        });
        match sight {
            None => {
                if self.trouble != Some(Incident::TopicGone) {
                    self.note(Incident::TopicGone, clock);
                }
                self.seen.reached.clear();
                locked(arrivals).replace(Arrivals::new(self.run));
            }
            Some(sight) => {
                self.seen.times = self.seen.times.max(sight.times);
                if happened || sight.has_lost(self.id, &self.begun) {
                    let (held, reached) = self.read_again(&sight, limit)?;
                    self.seen.reached = reached;
                    locked(arrivals).replace(held);
                }
            }
        }
        Ok(())
    }

    /// Reads on to where the topic ends now, if there is one.
    fn drain_what_is_there(
        &mut self,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        match self.drain(arrivals, clock, limit) {
            Err(KafkaError::UnknownTopic { .. }) => self.note(Incident::TopicGone, clock),
            drained => drained?,
        }
        Ok(())
    }

    fn drain(
        &mut self,
        arrivals: &Mutex<Arrivals>,
        clock: Clock,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let ends = TopicSnapshot::of(&self.target, limit)?.map(|sight| sight.stable);
        let ends = ends.unwrap_or_default();
        let is_short = |reader: &Self, (partition, end): (&i32, &i64)| {
            let reached = reader.seen.reached.get(partition);
            let at = reached.or(reader.begun.get(partition));
            at.copied().unwrap_or(0) < *end
        };
        patiently(limit, || {
            while ends.iter().any(|end| is_short(self, end)) {
                limit.check(|| "the topic is not fully read".to_owned())?;
                self.take(arrivals, clock, limit)?;
            }
            Ok(Probe::Ready(()))
        })
    }

    /// What the topic holds of the run, and where each partition goes on behind that.
    fn read_again(
        &self,
        sight: &TopicSnapshot,
        limit: &Limit,
    ) -> Result<(Arrivals, BTreeMap<i32, i64>), KafkaError> {
        let begun = sight.begun(self.id, &self.begun);
        let start = begun.values().min();
        let start = start.map_or(Start::Earliest, |first| Start::Offset(*first));
        patiently(limit, || {
            let (mut held, mut reached) = (Arrivals::new(self.run), BTreeMap::new());
            let mut admin = Admin::connect(&self.target.endpoints, limit)?;
            let info = admin.topics(limit)?.remove(&self.target.remote);
            let info = info.unwrap_or_default();
            let reading = ConsumerOptions {
                to_end: true,
                ..reading(start)
            };
            let mut consumer = Consumer::open(admin, &self.target.remote, &info, &reading, limit)?;
            while !consumer.is_done() {
                limit.check(|| "the topic is not fully read again".to_owned())?;
                let fetched = consumer.poll(u64::MAX, limit)?;
                fetched.each(|record| {
                    if begun.get(&record.partition) <= Some(&record.offset) {
                        held.arrive(&record, 0);
                    }
                    Ok::<_, KafkaError>(ControlFlow::Continue(()))
                })?;
                reached.extend(fetched.reached().iter().copied());
            }
            Ok(Probe::Ready((held, reached)))
        })
    }

    fn note_changes(&mut self, clock: Clock) {
        if self.consumer.was_recreated() {
            self.begun.clear();
            self.seen.reached.clear();
            self.note(Incident::TopicRecreated, clock);
        }
        for moved in self.consumer.moved() {
            let incident = Incident::OffsetOutOfRange {
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
    fn tolerate(&mut self, error: &KafkaError, clock: Clock) {
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
            self.seen.incidents.push(TimedIncident { at_seconds, what });
        }
    }
}

struct Ending<'a> {
    reader: &'a mut Reader,
    state: &'a RunState,
    arrivals: &'a Mutex<Arrivals>,
    clock: Clock,
    limit: &'a Limit,
}

impl Steps for Ending<'_> {
    fn read_on(&mut self) -> Result<(), KafkaError> {
        let limit = self.limit.restarted();
        (self.reader).drain_what_is_there(self.arrivals, self.clock, &limit)
    }

    fn read_again(&mut self) -> Result<(), KafkaError> {
        let limit = self.limit.restarted();
        (self.reader).read_again_if_need_be(self.arrivals, self.clock, &limit)
    }

    fn is_complete(&self) -> bool {
        self.state.is_complete_in(self.arrivals)
    }

    fn settle(&mut self) -> Result<(), KafkaError> {
        let written = self.state.ended.get().map(|sending| &sending.written);
        let written = written.cloned().unwrap_or_default();
        let (source, topic) = &self.reader.from;
        let limit = self.limit.restarted();
        let open = settled(&self.reader.target, source, topic, &written, &limit)?;
        self.reader.seen.unknown = open.map(|why| format!("more may still come: {why}"));
        Ok(())
    }
}

/// All partitions, of what is committed.
fn reading(start: Start) -> ConsumerOptions {
    ConsumerOptions {
        partition: None,
        start,
        group: None,
        to_end: false,
        committed_only: true,
        client: Client::Wire,
        needs: Vec::new(),
        is_small: false,
    }
}
