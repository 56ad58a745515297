//! Runs a failover from the first topic to the last record.

use super::drain::{self, Reading};
use super::plan::Plan;
use super::predict::Predictions;
use super::stage::{GroupScene, Read, Scene, Signals, Stopping};
use super::steps::FailoverStep;
use super::workload::{Workers, joined};
use super::{DOCKER, DrillError, Failover, FailoverReport, Fault, Habit, Step};
use super::{curve, facts, prepare, siblings, sides};
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer, step};
use crate::core::judge::drill::{Micros, Times, judge, partitions};
use crate::core::lab::Lab;
use crate::core::lab::verify::{Clock, locked};
use kmk_kafka::Admin;
use kmk_kafka::wait::{Interrupt, Limit};
use sides::Ends;
use std::collections::BTreeMap;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

/// How long the load continues after the switch, at least.
const LOAD_AFTER: Duration = Duration::from_secs(3);

/// A drill under way.
pub(super) struct Run<'a> {
    pub(super) docker: &'a Docker,
    pub(super) lab: &'a Lab,
    pub(super) plan: &'a Plan<'a>,
    pub(super) what: &'a Failover,
    pub(super) interrupt: &'a Interrupt,
    pub(super) observer: &'a dyn Observer,
}

/// What was seen until then.
pub(super) struct Seen {
    pub(super) times: Times,
    pub(super) predictions: Predictions,
    /// Where groups stood on the target at the switch, by their names.
    pub(super) synced: BTreeMap<String, BTreeMap<i32, i64>>,
    /// Where the mirrored topic ended once MirrorMaker had.
    pub(super) frozen: Ends,
}

impl Run<'_> {
    /// With where the mirrored topic ended once MirrorMaker had.
    pub(super) fn until_the_end(&self) -> Result<(FailoverReport, Ends), DrillError> {
        let clock = Clock::start();
        let plan = self.plan;
        self.prepare()?;
        let has_own = plan.target_topic != plan.mirrored;
        let group = |_| GroupScene {
            written: has_own.then(Read::default),
            ..GroupScene::default()
        };
        let scene = Scene {
            groups: plan.groups.iter().map(group).collect(),
            ..Scene::default()
        };
        let signals = Signals::new();
        let seen = thread::scope(|scope| {
            let _stop = Stopping(&signals);
            self.play(scope, &scene, &signals, clock)
        })?;
        let sides = self.step(FailoverStep::ReadBothSides, || {
            let partitions = usize::try_from(self.what.partitions).unwrap_or(0);
            let mut sides = sides::target(plan, &seen.frozen, &self.limit())?;
            if self.what.fault == Fault::Kill {
                self.docker.start(&plan.brokers, &self.docker_limit())?;
            }
            sides.source = Some(sides::source(plan, partitions, &self.limit())?);
            Ok(sides)
        })?;
        let siblings = siblings::look(self.docker, &self.lab.spec.lab, plan.flow, self.interrupt)?;
        let until = clock.now();
        let steady = at("steady_state", scene.steady.get());
        let latency = locked(&scene.crossed).latency();
        let curves = curve::all(&scene, until);
        let facts = facts::gather(self.what, plan, scene, &seen, sides);
        let judgement = judge(&facts, &self.what.budget);
        let report = FailoverReport {
            lab: self.lab.spec.lab.clone(),
            flow: plan.flow.name(),
            source: plan.source.name.clone(),
            target: plan.target.name.clone(),
            run: plan.runs.0.to_string(),
            fault: self.what.fault,
            topic: plan.topic.clone(),
            mirrored_topic: plan.mirrored.clone(),
            target_topic: plan.target_topic.clone(),
            rate: self.what.rate,
            partitions: self.what.partitions,
            keys: self.what.keys,
            sent: facts.sent.values().sum(),
            written_after: (facts.written_after.iter())
                .map(|one| one.sequences.end - one.sequences.start)
                .sum(),
            seconds: clock.elapsed().as_secs_f64(),
            steps: [steady].into_iter().chain(steps(&seen.times)).collect(),
            by_partition: partitions(&facts, &judgement.rpo, self.what.partitions),
            latency,
            judgement,
            siblings,
            notes: plan.notes.clone(),
            curves,
        };
        Ok((report, seen.frozen))
    }

    /// Says what is worth knowing, and makes topics.
    pub(super) fn prepare(&self) -> Result<(), DrillError> {
        for note in &self.plan.notes {
            self.observer.on(Event::Note(note.clone()));
        }
        self.step(FailoverStep::CreateTopics, || {
            prepare::topics(self.plan, self.what.partitions, &self.limit())
        })
    }

    fn play<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        scene: &'scope Scene,
        signals: &'scope Signals,
        clock: Clock,
    ) -> Result<Seen, DrillError> {
        let workers = self.begin(scope, scene, signals, clock)?;
        self.steady(scene, clock)?;
        let left = match self.what.fault {
            Fault::Kill | Fault::Cut | Fault::HalfOpen => {
                self.unplanned(scene, signals, clock, &|| Ok(()))?
            }
            Fault::Planned => self.planned(workers, signals, clock)?,
        };
        let plan = self.plan;
        let frozen = sides::frozen(&plan.target, &plan.mirrored, &self.limit())?;
        let fenced = clock.now();
        let synced = self.synced()?;
        let Workers { producer, members } = self.go_on(scope, scene, signals, clock)?;
        let groups = self.readings(scene);
        drain::until_opened(&groups, &scene.target, &self.limit())?;
        let opened = groups
            .iter()
            .flat_map(|(_, reads)| reads.iter().map(|read| read.opened.get()));
        let switched = opened
            .chain([scene.target.opened.get()])
            .max()
            .unwrap_or(fenced);
        let late = if self.what.fault.is_of_link() {
            Some(self.stay(scope, scene, signals, clock)?)
        } else {
            None
        };
        self.step(FailoverStep::Switch, || {
            drain::until_served(&groups, &scene.target, &self.limit())?;
            Ok(self.limit_of(LOAD_AFTER).pause(LOAD_AFTER)?)
        })?;
        self.read_to_the_end(scene, signals, producer)?;
        signals.finish_late.raise();
        late.into_iter().for_each(joined);
        signals.close_target.raise();
        for member in members {
            joined(member);
        }
        let first_write = scene.target.first_acknowledged.get();
        Ok(Seen {
            times: Times {
                fault: left.fault,
                acknowledged_before: left.acknowledged_before,
                detected: left.detected,
                decided: left.decided,
                fenced,
                switched,
                first_write: (first_write > 0).then_some(first_write),
            },
            predictions: left.predictions,
            synced,
            frozen,
        })
    }

    /// Waits until records cross and every group reads, and lets that run for a while.
    pub(super) fn steady(&self, scene: &Scene, clock: Clock) -> Result<(), DrillError> {
        let limit = self.limit();
        self.step(FailoverStep::SteadyState, || {
            let groups = self.plan.groups.iter().zip(&scene.groups);
            let groups = groups.map(|((habit, group), reads)| {
                let reading: Reading<'_> = (group.as_str(), vec![&reads.before]);
                (reading, *habit != Habit::Fresh)
            });
            drain::until_all_read(&groups.collect::<Vec<_>>(), &limit)
        })?;
        scene.steady.set(clock.now());
        self.step(FailoverStep::WarmUp, || {
            Limit::endless(self.interrupt).pause(self.what.warm_up)?;
            scene.source.check(&self.plan.source.name)?;
            let quiet = Duration::from_micros(clock.now().saturating_sub(self.last_sign(scene)));
            if !scene.arrived.is_set() || quiet >= self.what.detect {
                let seen = "records do not cross".to_owned();
                let waited = self.what.warm_up;
                return Err(DrillError::NotSteady { seen, waited });
            }
            Ok(())
        })
    }

    /// Where each group stands on the target.
    fn synced(&self) -> Result<BTreeMap<String, BTreeMap<i32, i64>>, DrillError> {
        let limit = self.limit();
        let mut admin = Admin::connect_patiently(&self.plan.target.endpoints, &limit)?;
        let mut synced = BTreeMap::new();
        for (_, group) in &self.plan.groups {
            let offsets = admin.group_offsets(group, &self.plan.mirrored, &limit)?;
            synced.insert(group.clone(), offsets);
        }
        Ok(synced)
    }

    fn read_to_the_end(
        &self,
        scene: &Scene,
        signals: &Signals,
        producer: ScopedJoinHandle<'_, ()>,
    ) -> Result<(), DrillError> {
        let plan = self.plan;
        signals.finish_target.raise();
        joined(producer);
        scene.target.check(&plan.target.name)?;
        let limit = self.limit();
        let mut admin = Admin::connect_patiently(&plan.target.endpoints, &limit)?;
        let mirrored = sides::ends(&mut admin, &plan.mirrored, &limit)?;
        let written = sides::ends(&mut admin, &plan.target_topic, &limit)?;
        let groups = plan.groups.iter().zip(&scene.groups);
        let readers = groups.flat_map(|((_, group), reads)| {
            let ends = [&mirrored, &written].into_iter();
            let readers = reads.after().into_iter().zip(ends);
            readers.map(|(read, ends)| (group.as_str(), read, ends))
        });
        drain::until_read(&readers.collect::<Vec<_>>(), &limit)
    }

    fn readings<'s>(&self, scene: &'s Scene) -> Vec<Reading<'s>>
    where
        Self: 's,
    {
        let groups = self.plan.groups.iter().zip(&scene.groups);
        groups
            .map(|((habit, _), reads)| (habit.name(), reads.after()))
            .collect()
    }

    pub(super) fn limit(&self) -> Limit {
        self.limit_of(self.what.timeout)
    }

    pub(super) fn limit_of(&self, time: Duration) -> Limit {
        Limit::new(time, self.interrupt)
    }

    pub(super) fn docker_limit(&self) -> Limit {
        self.limit_of(DOCKER)
    }

    pub(super) fn step<T>(
        &self,
        which: FailoverStep,
        run: impl FnOnce() -> Result<T, DrillError>,
    ) -> Result<T, DrillError> {
        let (what, done) = which.words(self.plan, self.what);
        step(self.observer, &what, &done, run)
    }
}

fn at(what: &'static str, at: Micros) -> Step {
    Step {
        what,
        at_seconds: Duration::from_micros(at).as_secs_f64(),
    }
}

pub(super) fn steps(times: &Times) -> Vec<Step> {
    let steps = [
        at("fault", times.fault.from),
        at("detected", times.detected),
        at("decided", times.decided),
        at("fenced", times.fenced),
        at("switched", times.switched),
    ];
    let first = times
        .first_write
        .map(|first| at("first_write_acknowledged", first));
    steps.into_iter().chain(first).collect()
}
