//! How the source is left: it dies, and that is noticed; or it is left in order.

use super::predict::{Predictions, predict};
use super::run::Run;
use super::stage::{Scene, Signals};
use super::workload::{Workers, joined};
use super::{DrillError, fence};
use crate::core::judge::drill::{Bracket, Micros};
use crate::core::lab::verify::Clock;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How often it is looked whether applications notice.
const LOOK: Duration = Duration::from_millis(10);
/// What MirrorMaker's own timers may be late by.
const LATE: Duration = Duration::from_millis(500);

/// The source is left: what follows is alike for every fault.
pub(super) struct Left {
    pub(super) fault: Bracket,
    pub(super) detected: Micros,
    pub(super) decided: Micros,
    pub(super) predictions: Predictions,
}

impl Run<'_> {
    /// The source dies, is noticed to be dead, and left.
    pub(super) fn killed(
        &self,
        scene: &Scene,
        signals: &Signals,
        clock: Clock,
    ) -> Result<Left, DrillError> {
        let plan = self.plan;
        let predictions = predict(&self.lab.topology, plan, &self.limit())?;
        let (what, done) = (
            format!("Killing the brokers of {}", plan.source.name),
            format!("Killed the brokers of {}", plan.source.name),
        );
        let fault = self.step(&what, &done, || {
            let from = clock.now();
            self.docker.kill(&plan.brokers, &self.docker_limit())?;
            let until = clock.now();
            Ok(Bracket { from, until })
        })?;
        let detected = self.step(
            "Waiting until applications notice",
            "Applications noticed",
            || self.detect(scene, clock),
        )?;
        let decided = self.decide(clock)?;
        // nobody of the source's applications comes back to it
        signals.leave.raise();
        self.step("Killing MirrorMaker", "Killed MirrorMaker", || {
            Ok(self.docker.kill(&plan.mirrors, &self.docker_limit())?)
        })?;
        Ok(Left {
            fault,
            detected,
            decided,
            predictions,
        })
    }

    /// The source is left in order: nothing is written any more, and all of it is copied.
    pub(super) fn planned(
        &self,
        workers: Workers<'_>,
        signals: &Signals,
        clock: Clock,
    ) -> Result<Left, DrillError> {
        let plan = self.plan;
        let from = clock.now();
        signals.finish_source.raise();
        joined(workers.producer);
        let until = clock.now();
        let decided = self.decide(clock)?;
        self.step(
            "Checking that no topic grows",
            "No mirrored topic grows",
            || fence::verify(&self.lab.topology, plan.flow, &plan.source, &self.limit()),
        )?;
        self.step(
            "Waiting for the copy",
            "Every partition is copied, every group synced",
            || {
                fence::copied(plan, &self.limit())?;
                signals.close_source.raise();
                workers.members.into_iter().for_each(joined);
                let time = plan.group_sync + LATE;
                Ok(self.limit_of(time).pause(time)?)
            },
        )?;
        let predictions = predict(&self.lab.topology, plan, &self.limit())?;
        self.step("Stopping MirrorMaker", "Stopped MirrorMaker", || {
            Ok(self.docker.stop(&plan.mirrors, &self.docker_limit())?)
        })?;
        Ok(Left {
            fault: Bracket { from, until },
            detected: from,
            decided,
            predictions,
        })
    }

    /// When nothing was acknowledged and nothing arrived for long enough. Applications know no more than that.
    pub(super) fn detect(&self, scene: &Scene, clock: Clock) -> Result<Micros, DrillError> {
        let limit = self.limit_of(self.what.detect.saturating_add(self.what.timeout));
        loop {
            let now = clock.now();
            let quiet = Duration::from_micros(now.saturating_sub(last_sign(scene)));
            if quiet >= self.what.detect {
                return Ok(now);
            }
            limit.pause(LOOK)?;
            if limit.remaining().is_zero() {
                let waited = limit.allowed();
                return Err(DrillError::NotDetected { waited });
            }
        }
    }

    pub(super) fn decide(&self, clock: Clock) -> Result<Micros, DrillError> {
        if !self.what.decide.is_zero() {
            self.step("Deciding", "Decided", || {
                Ok(Limit::endless(self.interrupt).pause(self.what.decide)?)
            })?;
        }
        Ok(clock.now())
    }
}

/// The last that an application heard of the source.
pub(super) fn last_sign(scene: &Scene) -> Micros {
    scene
        .source
        .last_acknowledged
        .get()
        .max(scene.arrived.get())
}
