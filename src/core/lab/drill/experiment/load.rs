//! The load of a drill: numbered records cross the flow, each is accounted for, and meanwhile something is done to the lab.

use super::Run;
use crate::core::event::{Event, Silent};
use crate::core::judge::drill::experiment::Crossed;
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::drill::DrillError;
use crate::core::lab::verify::{
    Afterwards, Amount, FlowReport, Progress, Verify, VerifyEnd, VerifyError, locked, spawned,
    verify,
};
use kmk_kafka::wait::{Interrupt, Stop};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked how far the records have come.
const LOOK: Duration = Duration::from_millis(10);
/// The size of a record in bytes.
const SIZE: usize = 200;

/// What crosses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) amount: Amount,
    /// Records a second.
    pub(super) rate: u64,
    /// Bytes of a record.
    pub(super) size: usize,
    /// With exactly once, it is also waited until no record can arrive a second time.
    pub(super) guarantee: Guarantee,
    /// The step that ends when all are accounted for, and what is said then.
    pub(super) words: (&'static str, &'static str),
}

/// Records on their way.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    seen: Mutex<Option<Progress>>,
    has_ended: Interrupt,
}

/// How far they have come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) acknowledged: u64,
    pub(super) arrived: u64,
}

impl Crossing {
    pub(super) fn counts(&self) -> Counts {
        let seen = locked(&self.seen);
        let of = |seen: &Progress| Counts {
            acknowledged: seen.acknowledged,
            arrived: seen.arrived.iter().map(|(_, arrived)| arrived).sum(),
        };
        seen.as_ref().map(of).unwrap_or_default()
    }

    /// Waits until the records have come so far. How long that took; none where they do not in the time that a step may take.
    pub(super) fn until(
        &self,
        run: &Run<'_>,
        (what, done): (&str, &'static str),
        is_there: impl Fn(Counts) -> bool,
    ) -> Result<Option<Duration>, DrillError> {
        run.observer.on(Event::Started(what.to_owned()));
        let (begun, limit) = (Instant::now(), run.limit());
        loop {
            // what was told last is looked at too
            let has_ended = self.has_ended.is_raised();
            if is_there(self.counts()) {
                let (what, took) = (done.to_owned(), begun.elapsed());
                run.observer.on(Event::Done { what, took });
                run.mark(done);
                return Ok(Some(took));
            }
            if has_ended || limit.remaining().is_zero() {
                return Ok(None);
            }
            limit.pause(LOOK)?;
        }
    }

    /// Waits until records cross, and lets that go on for a quarter of the time for which they are sent.
    pub(super) fn warm_up(&self, run: &Run<'_>) -> Result<(), DrillError> {
        let words = ("Waiting until records cross", "Records cross");
        let crosses = self.until(run, words, |counts| counts.arrived > 0)?;
        if crosses.is_none() {
            let (topic, target) = (&run.topic, &run.target.name);
            return Err(DrillError::NotSteady {
                seen: format!("no record of `{topic}` arrived on {target}"),
                waited: run.choice.timeout,
            });
        }
        run.hold("Warming up", "Warmed up", run.choice.time / 4)
    }
}

impl Run<'_> {
    /// What a person chose.
    pub(super) fn load(&self) -> Load {
        Load {
            amount: Amount::Time(self.choice.time),
            rate: self.choice.rate,
            size: SIZE,
            guarantee: Guarantee::AtLeastOnce,
            words: ("Accounting for every record", "Accounted for every record"),
        }
    }

    /// Does something while records cross as a person chose, and accounts for all of them.
    pub(super) fn under_load<T>(
        &self,
        guarantee: Guarantee,
        act: impl FnOnce(&Crossing) -> Result<T, DrillError>,
    ) -> Result<(T, FlowReport), DrillError> {
        let load = self.load();
        self.under(&Load { guarantee, ..load }, act)
    }

    /// The same with other records.
    pub(super) fn under<T>(
        &self,
        load: &Load,
        act: impl FnOnce(&Crossing) -> Result<T, DrillError>,
    ) -> Result<(T, FlowReport), DrillError> {
        let what = Verify {
            flows: vec![self.flow.name()],
            topic: Some(self.topic.clone()),
            partitions: 1,
            amount: load.amount,
            rate: Some(load.rate),
            size: load.size,
            timeout: self.choice.timeout,
            afterwards: Afterwards::Keep,
            guarantee: load.guarantee,
        };
        let (crossing, stop) = (Crossing::default(), self.interrupt.below());
        let (acted, report) = thread::scope(|scope| {
            let send = || {
                let mut note = |at: &Progress| *locked(&crossing.seen) = Some(at.clone());
                let done = verify(&self.lab.topology, &what, &stop, &Silent, &mut note);
                crossing.has_ended.raise();
                done
            };
            let sending = spawned("kmk-load", scope, send).map_err(DrillError::Thread)?;
            let account = || sending.join().expect("a thread of a drill does not panic");
            let acted = match act(&crossing) {
                Ok(acted) => acted,
                Err(error) => {
                    stop.raise();
                    return match account().map_err(failed) {
                        // without records, nothing else could be done either
                        Err(cause) if !cause.is_interruption() => Err(cause),
                        _ => Err(error),
                    };
                }
            };
            let (what, done) = load.words;
            let report = self.step(what, done, || account().map_err(failed))?;
            Ok::<_, DrillError>((acted, report))
        })?;
        if report.end == VerifyEnd::Interrupted {
            return Err(Stop::Interrupted.into());
        }
        let flow = report.flows.into_iter().next();
        let flow = flow.expect("the one that was asked for");
        Ok((acted, flow))
    }
}

fn failed(error: VerifyError) -> DrillError {
    Box::new(error).into()
}

/// The same for its judge.
pub(super) fn crossed(report: &FlowReport) -> Crossed<'_> {
    Crossed {
        flow: &report.flow,
        target: &report.target,
        account: &report.account,
        unknown: report.unknown.as_deref(),
    }
}
