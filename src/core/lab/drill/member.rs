//! A consumer of a drill, as an application would have it: a member of a group that reads a topic, and commits or not.

use super::Habit;
use super::load::number_of;
use super::stage::{Diary, Read};
use crate::core::judge::drill::{Era, Given, RecordId};
use crate::core::judge::ledger::{RunId, Stamp};
use crate::core::lab::verify::{Clock, locked};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, Client, Consumer, ConsumerOptions, GroupEvent, KafkaError, Start};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How often a group commits.
const COMMIT: Duration = Duration::from_secs(1);
/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the last commit, and leaving the group, may take: the source may be dead.
const LAST: Duration = Duration::from_secs(2);
/// How soon it tries again after a failure.
const AGAIN: Duration = Duration::from_millis(50);
/// How many records a lagging group has read before it stopped.
pub(super) const READ_OF_BACKLOG: usize = 1_000;
/// How many there are when it begins, so that thousands are left.
pub(super) const BACKLOG: u64 = 3_000;

/// Who reads what.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) group: String,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) topic: String,
    /// What is written before the switch, and after it.
    pub(super) runs: (RunId, RunId),
    /// Reads only this many records, and then stops.
    pub(super) stops_after: Option<usize>,
    pub(super) commits: bool,
}

impl Member {
    /// As it reads before the switch.
    pub(super) fn with_habit(self, habit: Habit) -> Self {
        Self {
            stops_after: (habit == Habit::Lagging).then_some(READ_OF_BACKLOG),
            commits: habit != Habit::Fresh,
            ..self
        }
    }

    /// Reads until `close`, commits and leaves; `stop` ends it at once.
    pub(super) fn run(&self, read: &Read, clock: Clock, close: &Interrupt, stop: &Interrupt) {
        while !close.is_raised() && !stop.is_raised() {
            if let Err(error) = self.read(read, clock, close, stop) {
                locked(&read.diary).trouble = Some(error.to_string());
                let _ = Limit::endless(close).pause(AGAIN);
            }
        }
    }

    fn read(
        &self,
        read: &Read,
        clock: Clock,
        close: &Interrupt,
        stop: &Interrupt,
    ) -> Result<(), KafkaError> {
        let limit = Limit::new(ANSWER, close);
        let mut admin = Admin::connect(&self.endpoints, &limit)?;
        let info = admin.topics(&limit)?.remove(&self.topic);
        let info = info.filter(kmk_kafka::TopicInfo::is_ready);
        let Some(info) = info else {
            let topic = self.topic.clone();
            return Err(KafkaError::UnknownTopic { topic });
        };
        let reading = ConsumerOptions {
            start: Start::Earliest,
            group: Some(self.group.clone()),
            client: Client::Wire,
            ..ConsumerOptions::default()
        };
        let consumer = Consumer::open(admin, &self.topic, &info, &reading, &limit)?;
        read.opened.set_first(clock.now());
        let mut reader = Reader {
            member: self,
            consumer,
            read,
            clock,
            next: BTreeMap::new(),
            next_commit: Instant::now() + COMMIT,
        };
        let ended = reader.until(close);
        let last = Limit::new(LAST, &Interrupt::default());
        let committed = if close.is_raised() && !stop.is_raised() {
            reader.commit(&last)
        } else {
            ended
        };
        // the group may be removed at once; else when its coordinator notices
        let _ = reader.consumer.leave(&last);
        committed
    }
}

struct Reader<'a> {
    member: &'a Member,
    consumer: Consumer,
    read: &'a Read,
    clock: Clock,
    /// What was dealt with.
    next: BTreeMap<i32, i64>,
    next_commit: Instant,
}

impl Reader<'_> {
    fn until(&mut self, close: &Interrupt) -> Result<(), KafkaError> {
        while !close.is_raised() {
            let limit = Limit::new(ANSWER, close);
            if self.has_enough() {
                // as an application that hangs: its heartbeats continue
                self.commit(&limit)?;
                Limit::endless(close).pause(Duration::MAX)?;
                continue;
            }
            let polled = self.consumer.poll(u64::MAX, &limit);
            self.heed_events(&limit)?;
            let fetched = polled?;
            let now = self.clock.now();
            let mut diary = locked(&self.read.diary);
            let (next, member) = (&mut self.next, self.member);
            let left = member
                .stops_after
                .map(|most| most.saturating_sub(diary.given.len()));
            let mut left = left.unwrap_or(usize::MAX);
            fetched.each(|record| {
                if left == 0 {
                    return Ok(ControlFlow::Break(()));
                }
                left -= 1;
                diary.given.extend(member.given(&record, now));
                diary.reached.insert(record.partition, record.offset + 1);
                next.insert(record.partition, record.offset + 1);
                Ok::<_, KafkaError>(ControlFlow::Continue(()))
            })?;
            diary.trouble = None;
            drop(diary);
            if Instant::now() >= self.next_commit {
                self.commit(&limit)?;
            }
        }
        Ok(())
    }

    fn has_enough(&self) -> bool {
        let most = self.member.stops_after;
        most.is_some_and(|most| locked(&self.read.diary).given.len() >= most)
    }

    fn heed_events(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        for event in self.consumer.events() {
            match event {
                GroupEvent::Assigned { places, .. } => {
                    let mut diary = locked(&self.read.diary);
                    for (partition, place) in places {
                        diary.reached.entry(partition).or_insert(place);
                    }
                }
                GroupEvent::Revoked => {
                    self.commit(limit)?;
                    self.next.clear();
                }
                GroupEvent::Lost => self.next.clear(),
                GroupEvent::Waiting => {}
            }
        }
        Ok(())
    }

    /// Commits what was dealt with, where that is more than before.
    fn commit(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        self.next_commit = Instant::now() + COMMIT;
        let diary = locked(&self.read.diary);
        let mut new = self.next.clone();
        new.retain(|partition, next| diary.committed.get(partition) != Some(next));
        drop(diary);
        if new.is_empty() || !self.member.commits {
            return Ok(());
        }
        let group = &self.member.group;
        locked(&self.read.diary).asked.extend(&new);
        self.consumer.commit(group, &new, limit)?;
        locked(&self.read.diary).committed.extend(&new);
        Ok(())
    }
}

impl Member {
    /// The record, if it is one of the drill's.
    fn given(&self, record: &RecordRef<'_>, at: u64) -> Option<Given> {
        let stamp = Stamp::of(record.value?)?;
        let stamp = (stamp.partition == record.partition).then_some(stamp)?;
        let era = match stamp.run {
            run if run == self.runs.0 => Era::Before,
            run if run == self.runs.1 => Era::After,
            _ => return None,
        };
        Some(Given {
            at,
            era,
            record: RecordId {
                partition: stamp.partition,
                sequence: stamp.sequence,
            },
            offset: record.offset,
            key: number_of(record.key?)?,
        })
    }
}

impl Diary {
    /// Whether it has read every partition of its topic to here.
    pub(super) fn has_reached(&self, ends: &BTreeMap<i32, i64>) -> bool {
        let reached = |partition| self.reached.get(partition).copied().unwrap_or(0);
        ends.iter()
            .all(|(partition, end)| reached(partition) >= *end)
    }
}
