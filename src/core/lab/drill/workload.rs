//! Who writes and reads in a drill, on either side of the switch.

use super::DrillError;
use super::canary::Canary;
use super::load::Load;
use super::member::{BACKLOG, Member};
use super::plan::Side;
use super::run::Run;
use super::stage::{Scene, Signals};
use crate::core::judge::ledger::RunId;
use crate::core::lab::verify::{Clock, spawned};
use std::thread::{Scope, ScopedJoinHandle};

/// The producer and the consumers of one side.
pub(super) struct Workers<'scope> {
    pub(super) producer: ScopedJoinHandle<'scope, ()>,
    pub(super) members: Vec<ScopedJoinHandle<'scope, ()>>,
}

/// Waits for a thread that was told to end.
pub(super) fn joined(thread: ScopedJoinHandle<'_, ()>) {
    thread.join().expect("a thread of a drill does not panic");
}

impl Run<'_> {
    /// The workload on the source.
    pub(super) fn begin<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        scene: &'scope Scene,
        signals: &'scope Signals,
        clock: Clock,
    ) -> Result<Workers<'scope>, DrillError> {
        let plan = self.plan;
        let load = self.load(&plan.source, &plan.topic, plan.runs.0, BACKLOG);
        let producer = spawned("kmk-producer", scope, move || {
            load.run(&scene.source, clock, &signals.finish_source, &signals.leave);
        });
        let canary = Canary {
            endpoints: plan.target.endpoints.clone(),
            topic: plan.mirrored.clone(),
            run: plan.runs.0,
        };
        spawned("kmk-canary", scope, move || {
            canary.watch(scene, clock, &signals.stop);
        })
        .map_err(DrillError::Thread)?;
        let mut members = Vec::new();
        for ((habit, group), reads) in plan.groups.iter().zip(&scene.groups) {
            let member = self
                .member(&plan.source, &plan.topic, group)
                .with_habit(*habit);
            let thread = spawned("kmk-consumer", scope, move || {
                member.run(&reads.before, clock, &signals.close_source, &signals.leave);
            });
            members.push(thread.map_err(DrillError::Thread)?);
        }
        Ok(Workers {
            producer: producer.map_err(DrillError::Thread)?,
            members,
        })
    }

    /// The workload on the target.
    pub(super) fn go_on<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        scene: &'scope Scene,
        signals: &'scope Signals,
        clock: Clock,
    ) -> Result<Workers<'scope>, DrillError> {
        let plan = self.plan;
        let load = self.load(&plan.target, &plan.target_topic, plan.runs.1, 0);
        let producer = spawned("kmk-producer", scope, move || {
            load.run(&scene.target, clock, &signals.finish_target, &signals.stop);
        });
        let mut members = Vec::new();
        for ((_, group), reads) in plan.groups.iter().zip(&scene.groups) {
            let topics = [&plan.mirrored, &plan.target_topic];
            for (topic, read) in topics.into_iter().zip(reads.after()) {
                let member = self.member(&plan.target, topic, group);
                let thread = spawned("kmk-consumer", scope, move || {
                    member.run(read, clock, &signals.close_target, &signals.stop);
                });
                members.push(thread.map_err(DrillError::Thread)?);
            }
        }
        Ok(Workers {
            producer: producer.map_err(DrillError::Thread)?,
            members,
        })
    }

    /// A producer that stays on the source, as it was not told of the switch.
    pub(super) fn stay<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        scene: &'scope Scene,
        signals: &'scope Signals,
        clock: Clock,
    ) -> Result<ScopedJoinHandle<'scope, ()>, DrillError> {
        let plan = self.plan;
        let load = self.load(&plan.source, &plan.topic, plan.late_run, 0);
        let producer = spawned("kmk-producer", scope, move || {
            load.run(&scene.late, clock, &signals.finish_late, &signals.stop);
        });
        producer.map_err(DrillError::Thread)
    }

    fn load(&self, side: &Side, topic: &str, run: RunId, backlog: u64) -> Load {
        Load {
            endpoints: side.endpoints.clone(),
            topic: topic.to_owned(),
            run,
            keys: self.what.keys,
            rate: self.what.rate,
            backlog,
        }
    }

    fn member(&self, side: &Side, topic: &str, group: &str) -> Member {
        Member {
            group: group.to_owned(),
            endpoints: side.endpoints.clone(),
            topic: topic.to_owned(),
            runs: self.plan.runs,
            stops_after: None,
            commits: true,
        }
    }
}
