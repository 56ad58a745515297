//! How the source is left: it dies, and that is noticed; or it is left in order.

use super::predict::{Predictions, predict};
use super::run::Run;
use super::stage::{Scene, Signals};
use super::steps::FailoverStep;
use super::workload::{Workers, joined};
use super::{DrillError, Fault, fence, link, uncut};
use crate::core::judge::drill::{Bracket, Micros};
use crate::core::lab::link::put_some;
use crate::core::lab::verify::Clock;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How often it is looked whether applications notice.
const LOOK: Duration = Duration::from_millis(10);

/// The source is left: what follows is alike for every fault.
pub(super) struct Left {
    pub(super) fault: Bracket,
    /// An acknowledgement no later than this came before the fault.
    pub(super) acknowledged_before: Micros,
    pub(super) detected: Micros,
    pub(super) decided: Micros,
    pub(super) predictions: Predictions,
}

impl Run<'_> {
    /// Something happens to the source, is noticed, and the source is left. `at_fault` is done in between.
    pub(super) fn unplanned(
        &self,
        scene: &Scene,
        signals: &Signals,
        clock: Clock,
        at_fault: &dyn Fn() -> Result<(), DrillError>,
    ) -> Result<Left, DrillError> {
        let plan = self.plan;
        let predictions = predict(&self.lab.topology, plan.flow, &plan.topic, &self.limit())?;
        let (fault, acknowledged_before) = match self.what.fault {
            Fault::Cut | Fault::HalfOpen => self.cut(clock).map(|fault| (fault, fault.until))?,
            // what dies acknowledges nothing
            Fault::Kill | Fault::Planned => (self.kill(clock)?, Micros::MAX),
        };
        at_fault()?;
        let detected = self.step(FailoverStep::Detect, || self.detect(scene, clock))?;
        let decided = self.decide(clock)?;
        // no application of the source comes back to it
        signals.leave.raise();
        self.step(FailoverStep::KillMirrorMaker, || {
            Ok(self.docker.kill(&plan.mirrors, &uncut())?)
        })?;
        Ok(Left {
            fault,
            acknowledged_before,
            detected,
            decided,
            predictions,
        })
    }

    fn kill(&self, clock: Clock) -> Result<Bracket, DrillError> {
        self.step(FailoverStep::Kill, || {
            let from = clock.now();
            self.docker.kill(&self.plan.brokers, &uncut())?;
            let until = clock.now();
            Ok(Bracket { from, until })
        })
    }

    /// MirrorMaker leaves the network of the source, or relays pass nothing on.
    fn cut(&self, clock: Clock) -> Result<Bracket, DrillError> {
        let (flow, limit) = (self.plan.flow, uncut());
        let name = flow.name();
        let half_open = self.what.fault == Fault::HalfOpen;
        let cut = link::note_cut(self.docker, &self.lab.spec.lab, &name, half_open, &limit)?;
        let mut asked = self.lab.journal.clone();
        asked.link(&name).cut = Some(cut);
        self.step(FailoverStep::of_fault(self.what.fault), || {
            let from = clock.now();
            if half_open {
                put_some(flow, &asked, |_| true, &limit, self.observer)?;
            } else {
                let network = self.plan.network.as_deref();
                link::cut(self.docker, network, &self.plan.mirrors, &limit)?;
            }
            let until = clock.now();
            Ok(Bracket { from, until })
        })
    }

    /// The last that applications heard. Where the link is cut, those of the source notice nothing: what tells is that nothing
    /// arrives on the target.
    pub(super) fn last_sign(&self, scene: &Scene) -> Micros {
        let arrived = scene.arrived.get();
        match self.what.fault {
            Fault::Cut | Fault::HalfOpen => arrived,
            Fault::Kill | Fault::Planned => scene.source.last_acknowledged.get().max(arrived),
        }
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
        let fence = self.step(FailoverStep::Fence, || self.fenced())?;
        self.step(FailoverStep::Copy, || {
            fence::copied(self.lab, plan.flow, &self.limit())?;
            signals.close_source.raise();
            workers.members.into_iter().for_each(joined);
            let time = plan.group_sync;
            self.limit_of(time).pause(time)?;
            fence.holds(&plan.source, &self.limit())
        })?;
        let predictions = predict(&self.lab.topology, plan.flow, &plan.topic, &self.limit())?;
        self.step(FailoverStep::StopMirrorMaker, || {
            Ok(self.docker.stop(&plan.mirrors, &uncut())?)
        })?;
        Ok(Left {
            fault: Bracket { from, until },
            acknowledged_before: Micros::MAX,
            detected: from,
            decided,
            predictions,
        })
    }

    /// When nothing was acknowledged and nothing arrived for long enough. Applications do not know more than that.
    pub(super) fn detect(&self, scene: &Scene, clock: Clock) -> Result<Micros, DrillError> {
        let limit = self.limit_of(self.what.detect.saturating_add(self.what.timeout));
        loop {
            let now = clock.now();
            let quiet = Duration::from_micros(now.saturating_sub(self.last_sign(scene)));
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
            self.step(FailoverStep::Decide, || {
                Ok(Limit::endless(self.interrupt).pause(self.what.decide)?)
            })?;
        }
        Ok(clock.now())
    }
}
