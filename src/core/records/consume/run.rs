//! Reading: records go to the sink, the group's offsets to the broker; a broker that went away is waited for.

use super::output::Output;
use super::{Consume, ConsumeEnd, ConsumeError, LOOK};
use crate::core::event::{Event, Observer};
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use kmk_kafka::{Backend, Consumer, Fetched, GroupEvent, KafkaError};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// A broker that says nothing for less than this may only be waiting for records.
const HELD: Duration = Duration::from_secs(1);

/// How often a group's offsets are committed while reading goes on.
const COMMIT: Duration = Duration::from_secs(1);

/// How long noting it may take when it is the last thing to do.
const LAST_COMMIT: Duration = Duration::from_secs(5);

/// Reading under way.
pub(super) struct Run<'a, 's> {
    topic: &'a str,
    what: &'a Consume,
    limit: Limit,
    observer: &'a dyn Observer,
    output: &'a Output<'s>,
    /// Where each partition goes on behind what was passed on.
    handed: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    next_commit: Instant,
    /// The failure that was reported, until the broker answers again.
    uneasy: Option<KafkaError>,
    /// Which client was last told to read.
    backend: Option<Backend>,
}

impl<'a, 's> Run<'a, 's> {
    pub(super) fn new(
        topic: &'a str,
        what: &'a Consume,
        limit: Limit,
        observer: &'a dyn Observer,
        output: &'a Output<'s>,
    ) -> Self {
        Self {
            topic,
            what,
            limit,
            observer,
            output,
            handed: BTreeMap::new(),
            committed: BTreeMap::new(),
            next_commit: Instant::now() + COMMIT,
            uneasy: None,
            backend: None,
        }
    }

    pub(super) fn until_the_end(
        &mut self,
        consumer: &mut Consumer,
    ) -> Result<ConsumeEnd, ConsumeError> {
        loop {
            if self.output.wanted() == 0 || consumer.is_done() {
                return Ok(ConsumeEnd::Complete);
            }
            self.tell_backend(consumer.backend());
            let left = self.output.wanted();
            let polled = consumer.poll(left, &self.limit);
            self.tell_backend(consumer.backend());
            self.tell_changes(consumer);
            self.follow_group(consumer);
            match polled {
                Ok(fetched) => match self.hand_over(consumer, &fetched) {
                    Ok(()) => self.went_well(consumer),
                    Err(ConsumeError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return Ok(ConsumeEnd::NoReader);
                    }
                    // what came before it has been passed on
                    Err(ConsumeError::Kafka(error)) => return Ok(ConsumeEnd::Lost(error)),
                    Err(error) => return Err(error),
                },
                Err(KafkaError::Stopped(Stop::Interrupted)) => return Ok(ConsumeEnd::Interrupted),
                Err(error) if !error.is_retriable() => return Ok(ConsumeEnd::Lost(error)),
                Err(error) => {
                    if let Some(end) = self.tolerate(error) {
                        return Ok(end);
                    }
                    continue;
                }
            }
            if self.output.wanted() > 0 && self.limit.check(String::new).is_err() {
                let interrupted = self.limit.interrupt().is_raised();
                return Ok(if interrupted {
                    ConsumeEnd::Interrupted
                } else {
                    ConsumeEnd::Deadline
                });
            }
        }
    }

    fn tell_backend(&mut self, backend: Backend) {
        if self.backend != Some(backend) {
            self.backend = Some(backend);
            let what = format!("reading topic `{}` with {backend}", self.topic);
            self.observer.on(Event::Started(what));
        }
    }

    fn tell_changes(&self, consumer: &mut Consumer) {
        if consumer.was_recreated() {
            self.observer.on(Event::Warning(format!(
                "topic `{}` was deleted and recreated: reading it from its beginning",
                self.topic
            )));
        }
        for moved in consumer.moved() {
            let (partition, from, to) = (moved.partition, moved.from, moved.to);
            self.warn(if from < to {
                let lost = to - from;
                format!("partition {partition} does not hold offset {from} any more: reading from {to}, {lost} further on")
            } else {
                format!("partition {partition} does not hold offset {from} yet: reading from {to}")
            });
        }
        for partition in consumer.added() {
            self.observer.on(Event::Note(format!(
                "partition {partition} is new: reading it from its beginning"
            )));
        }
    }

    /// The partitions of a member of a group come and go.
    fn follow_group(&mut self, consumer: &mut Consumer) {
        for change in consumer.events() {
            match change {
                GroupEvent::Waiting => {
                    let what = "waiting for the other members of the group";
                    self.observer.on(Event::Progress(what.to_owned()));
                }
                GroupEvent::Assigned { places, of } => {
                    let what = mine(&places, of);
                    self.observer.on(if places.is_empty() {
                        Event::Note(what)
                    } else {
                        Event::Started(what)
                    });
                    // committed even if nothing is read: the next member continues from here
                    self.committed
                        .retain(|partition, _| !places.contains_key(partition));
                    self.handed = places;
                }
                GroupEvent::Revoked => {
                    let what = "the group is rebalancing";
                    self.observer.on(Event::Started(what.to_owned()));
                    // once the partition is given up they can no longer be committed, so not even an interruption cuts this short
                    let limit = Limit::new(LAST_COMMIT, &Interrupt::default());
                    if let Err(error) = self.commit(consumer, &limit) {
                        self.warn(format!("{error}; others may read the same records again"));
                    }
                    self.handed.clear();
                }
                GroupEvent::Lost => {
                    let what = "left the group for a while; others may have read the same records";
                    self.warn(what.to_owned());
                    self.handed.clear();
                }
            }
        }
    }

    fn warn(&self, what: String) {
        self.observer.on(Event::Warning(what));
    }

    /// Passes records on, no more than are wanted. The sink may be slow: the group's offsets are committed on the way,
    /// and what other members wait for is left to them.
    fn hand_over(
        &mut self,
        consumer: &mut Consumer,
        fetched: &Fetched,
    ) -> Result<(), ConsumeError> {
        let output = self.output;
        let mut sink = output.hold();
        let wanted = output.wanted();
        if wanted == 0 {
            return Ok(());
        }
        let mut reached: Vec<(i32, i64)> = Vec::new();
        let mut count = 0;
        let mut is_all = true;
        let taken = fetched.each(|record| {
            let (partition, next) = (record.partition, record.offset + 1);
            sink.record(self.topic, record)
                .map_err(ConsumeError::Sink)?;
            count += 1;
            match reached.last_mut() {
                Some((same, reached)) if *same == partition => *reached = next,
                _ => reached.push((partition, next)),
            }
            let mut is_enough = count == wanted;
            if self.what.group.is_some() && self.is_commit_due() {
                sink.flush().map_err(ConsumeError::Sink)?;
                self.handed.extend(reached.drain(..));
                self.commit_now_and_then(consumer);
                is_enough |= consumer.is_rebalancing();
            }
            is_all &= !is_enough;
            Ok(if is_enough {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        });
        if let Err(error @ ConsumeError::Sink(_)) = taken {
            return Err(error);
        }
        sink.flush().map_err(ConsumeError::Sink)?;
        output.count(count);
        drop(sink);
        self.handed.extend(reached);
        if taken.is_ok() && is_all {
            self.handed.extend(fetched.reached().iter().copied());
        }
        taken
    }

    /// The broker answered: the timeout restarts, unless a number of records is due in a fixed time.
    fn went_well(&mut self, consumer: &mut Consumer) {
        if self.what.messages.is_none() || self.what.follow {
            self.limit = Limit::new(self.what.timeout, self.limit.interrupt());
        }
        if !consumer.is_troubled() && self.uneasy.take().is_some() {
            self.observer
                .on(Event::Note("the broker is back".to_owned()));
        }
        if self.is_commit_due() {
            self.commit_now_and_then(consumer);
        }
    }

    fn is_commit_due(&self) -> bool {
        Instant::now() >= self.next_commit
    }

    fn commit_now_and_then(&mut self, consumer: &mut Consumer) {
        self.next_commit = Instant::now() + COMMIT;
        let limit = self.limit.clone();
        if let Err(error) = self.commit(consumer, &limit) {
            self.warn(error.to_string());
        }
    }

    /// A failure that may pass with time: reports the first, and waits. How it ends once time is up.
    fn tolerate(&mut self, error: KafkaError) -> Option<ConsumeEnd> {
        // time was up while a broker with nothing new held a fetch, as it should
        if matches!(error, KafkaError::Silent { waited, .. } if waited < HELD) {
            return Some(match self.uneasy.take() {
                Some(error) => ConsumeEnd::Lost(error),
                None => ConsumeEnd::Deadline,
            });
        }
        if self.uneasy.is_none() {
            self.observer
                .on(Event::Warning(format!("{error}; trying again")));
            self.uneasy = Some(error.clone());
        }
        match self
            .limit
            .check(String::new)
            .and_then(|()| self.limit.pause(LOOK))
        {
            Ok(()) => None,
            Err(Stop::Interrupted) => Some(ConsumeEnd::Interrupted),
            Err(Stop::Deadline { .. }) => Some(ConsumeEnd::Lost(error)),
        }
    }

    fn commit(&mut self, consumer: &mut Consumer, limit: &Limit) -> Result<(), KafkaError> {
        let Some(group) = &self.what.group else {
            return Ok(());
        };
        let mut new = self.handed.clone();
        new.retain(|partition, next| self.committed.get(partition) != Some(next));
        if !new.is_empty() {
            consumer.commit(group, &new, limit)?;
            self.committed.extend(new);
        }
        Ok(())
    }

    /// The last thing done, after an interruption too.
    pub(super) fn commit_last(&mut self, consumer: &mut Consumer) -> Result<(), KafkaError> {
        let limit = Limit::new(LAST_COMMIT, &Interrupt::default());
        loop {
            match self.commit(consumer, &limit) {
                Err(error) if error.is_retriable() && !limit.remaining().is_zero() => {
                    limit.pause(LOOK)?;
                }
                settled => return settled,
            }
        }
    }
}

/// Such as `partitions 0, 2 of 4 are mine`.
fn mine(places: &BTreeMap<i32, i64>, of: usize) -> String {
    let ids: Vec<String> = places.keys().map(ToString::to_string).collect();
    match ids.as_slice() {
        [] => {
            format!("none of {of} partitions is mine for now: the group's other members have them")
        }
        [one] => format!("partition {one} of {of} is mine"),
        _ => format!("partitions {} of {of} are mine", ids.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_told_as_people_count() {
        let told = |partitions: &[i32]| mine(&partitions.iter().map(|&id| (id, 0)).collect(), 4);
        assert_eq!(told(&[0, 2]), "partitions 0, 2 of 4 are mine");
        assert_eq!(told(&[3]), "partition 3 of 4 is mine");
        assert!(told(&[]).starts_with("none of 4 partitions is mine"));
    }
}
