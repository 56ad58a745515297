//! Numbered records that a drill writes one portion after the other, which of them are on the target, and what `lag` and
//! `status` say of that.

use super::Run;
use crate::core::judge::drill::RecordId;
use crate::core::judge::drill::experiment::told::Told;
use crate::core::judge::lag::TopicLag;
use crate::core::judge::ledger::{RunId, Stamp};
use crate::core::lab::Lab;
use crate::core::lab::drill::load::Load;
use crate::core::lab::drill::stage::Written;
use crate::core::lab::drill::workload::joined;
use crate::core::lab::drill::{DrillError, sides};
use crate::core::lab::lag::lag;
use crate::core::lab::status::{FlowStatus, status};
use crate::core::lab::verify::{locked, spawned};
use crate::core::mirrormaker::config;
use kmk_kafka::wait::{Limit, seconds};
use kmk_kafka::{Admin, Client, KafkaError, Producer, ProducerOptions};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, SystemTime};

/// How many different keys the records have: enough for each partition to get some.
const KEYS: u32 = 1_000;

/// Records that were written together, and acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    run: RunId,
    pub(super) written: u64,
}

impl Run<'_> {
    /// Writes records to the drill's topic for a while.
    pub(super) fn write(&self, time: Duration) -> Result<Portion, DrillError> {
        let (topic, source) = (&self.topic, &self.source);
        let run = self.next_run();
        let load = Load {
            endpoints: source.endpoints.clone(),
            topic: topic.clone(),
            run,
            keys: KEYS,
            rate: self.choice.rate,
            backlog: 0,
        };
        let what = format!("Writing to {} for {}", source.name, seconds(time));
        let done = format!("Wrote to {}", source.name);
        let written = Written::default();
        let (stop, clock) = (self.interrupt.below(), self.clock);
        let finish = stop.below();
        self.step(&what, &done, || {
            thread::scope(|scope| {
                let write = || load.run(&written, clock, &finish, &stop);
                let writing = spawned("kmk-producer", scope, write).map_err(DrillError::Thread)?;
                let paused = Limit::endless(self.interrupt).pause(time);
                finish.raise();
                joined(writing);
                Ok::<_, DrillError>(paused?)
            })?;
            written.check(&source.name)
        })?;
        let sent = locked(&written.books).sent.values().sum();
        Ok(Portion { run, written: sent })
    }

    /// Writes one record of that size to the first partition.
    pub(super) fn write_one(&self, size: usize) -> Result<Portion, DrillError> {
        let source = &self.source;
        let what = format!("a record of {size} bytes to {}", source.name);
        let (begins, done) = (format!("Writing {what}"), format!("Wrote {what}"));
        self.step(&begins, &done, || {
            let limit = self.limit();
            let admin = Admin::connect_patiently(&source.endpoints, &limit)?;
            let writing = ProducerOptions {
                client: Client::Wire,
                ..ProducerOptions::default()
            };
            let mut producer = Producer::open(admin, &self.topic, &writing, &limit)?;
            let stamp = Stamp {
                run: self.next_run(),
                partition: 0,
                sequence: 0,
                sent_at: self.clock.now(),
            };
            let mut value = Vec::with_capacity(size);
            stamp.write(size, &mut value);
            producer.send_one(0, None, Some(&value), &limit)?;
            Ok(Portion {
                run: stamp.run,
                written: 1,
            })
        })
    }

    fn next_run(&self) -> RunId {
        let nth = u32::try_from(self.clock.now()).unwrap_or(u32::MAX);
        RunId::new(SystemTime::now(), std::process::id(), nth)
    }

    /// Waits until the mirrored topic has this many records, and MirrorMaker has committed that. Where it does not get them, what
    /// it has is counted later.
    pub(super) fn until_mirrored(&self, records: u64) -> Result<bool, DrillError> {
        let words = ("Waiting until records are mirrored", "Records are mirrored");
        let is_there = |limit: &Limit| Ok(self.mirrored_records(limit)? >= records);
        let seen = self.until(words, is_there)?;
        self.limit().pause(config::NOTED * 3)?;
        Ok(seen.is_some())
    }

    /// Writes the first records for a while, and waits until they are mirrored.
    pub(super) fn write_first(&self, time: Duration) -> Result<Portion, DrillError> {
        let first = self.write(time)?;
        if self.until_mirrored(first.written)? {
            return Ok(first);
        }
        let (topic, target) = (&self.topic, &self.target.name);
        Err(DrillError::NotSteady {
            seen: format!("not all records of `{topic}` arrived on {target}"),
            waited: self.choice.timeout,
        })
    }

    pub(super) fn mirrored_records(&self, limit: &Limit) -> Result<u64, KafkaError> {
        let mut admin = Admin::connect_patiently(&self.target.endpoints, limit)?;
        let ends = sides::ends(&mut admin, &self.mirrored, limit)?;
        let ends = ends
            .into_values()
            .map(|end| u64::try_from(end).unwrap_or(0));
        Ok(ends.sum())
    }

    /// How many records of these are not on the target.
    pub(super) fn missing(&self, portions: &[Portion]) -> Result<u64, DrillError> {
        let limit = self.limit();
        let mut found: BTreeSet<(usize, RecordId)> = BTreeSet::new();
        self.step(
            "Reading the mirrored topic",
            "Read the mirrored topic",
            || {
                let ends = sides::frozen(&self.target, &self.mirrored, &limit)?;
                Ok(sides::each(
                    &self.target,
                    &self.mirrored,
                    &ends,
                    &limit,
                    |_, stamp| {
                        let Some(stamp) = stamp else { return };
                        let portion = portions.iter().position(|one| one.run == stamp.run);
                        let record = RecordId {
                            partition: stamp.partition,
                            sequence: stamp.sequence,
                        };
                        found.extend(portion.map(|portion| (portion, record)));
                    },
                )?)
            },
        )?;
        let written: u64 = portions.iter().map(|one| one.written).sum();
        Ok(written.saturating_sub(found.len() as u64))
    }

    /// A look at the drill's topic, as `kmk lag` makes it: what is seen is kept for the next one.
    pub(super) fn look(&self) -> Result<Option<TopicLag>, DrillError> {
        self.step("Running lag", "Ran lag", || self.lag(&self.limit()))
    }

    pub(super) fn lag(&self, limit: &Limit) -> Result<Option<TopicLag>, DrillError> {
        let lab = Lab::find(self.docker, &self.lab.spec.lab, limit)?;
        let lag = lag(self.docker, &lab, limit)?;
        let mut flows = lag.flows.into_iter();
        let flow = flows.find(|one| one.name == self.flow.name());
        let mut topics = flow.into_iter().flat_map(|flow| flow.topics);
        Ok(topics.find(|one| one.source == self.topic))
    }

    /// What `status` says of the flow, where that is not healthy.
    pub(super) fn status(
        &self,
        lab: &Lab,
        limit: &Limit,
    ) -> Result<Option<FlowStatus>, DrillError> {
        let status = status(self.docker, lab, false, limit)?;
        let mut flows = status.flows.into_iter();
        Ok(flows.find(|one| one.name == self.flow.name() && !one.healthy))
    }

    /// What `lag` and `status` say of the drill's topic.
    pub(super) fn told(&self) -> Result<Told, DrillError> {
        let lag = self.look()?;
        let status = self.step("Running status", "Ran status", || {
            let limit = self.limit();
            let lab = Lab::find(self.docker, &self.lab.spec.lab, &limit)?;
            self.status(&lab, &limit)
        })?;
        let topic = format!("`{}`", self.topic);
        let mut problems = status.into_iter().flat_map(|flow| flow.problems);
        let problem = problems.find(|problem| problem.contains(&topic));
        let (source, target) = (&self.source.name, &self.target.name);
        let losses = lag.as_ref().map(|lag| lag.losses(source, target));
        Ok(Told {
            counted: lag.as_ref().map_or(0, lost),
            lag: losses.unwrap_or_default().join("; "),
            status: problem.unwrap_or_default(),
        })
    }
}

/// Records that are lost, by what is seen now or was seen between two looks.
fn lost(lag: &TopicLag) -> u64 {
    let past = lag.past.as_ref().map_or(0, |past| past.never_copied);
    lag.never_copied.max(past)
}
