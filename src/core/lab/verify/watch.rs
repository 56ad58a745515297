//! Decides when a run is over.

use super::Progress;
use super::report::VerifyEnd;
use super::route::Route;
use super::run::{Clock, RunState, Signals, locked};
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::Duration;

/// How often it is looked whether all is over.
const LOOK: Duration = Duration::from_millis(10);

/// How often it is told how far it has come.
const TELL: Duration = Duration::from_millis(100);

/// Who sees when it is over.
pub(super) struct Watch<'a> {
    pub(super) routes: &'a [Route],
    pub(super) states: &'a [RunState],
    pub(super) timeout: Duration,
    pub(super) clock: Clock,
}

impl Watch<'_> {
    pub(super) fn until_the_end(
        &self,
        end: &Signals,
        interrupt: &Interrupt,
        progress: &mut dyn FnMut(&Progress),
    ) -> VerifyEnd {
        let limit = Limit::endless(interrupt);
        let mut next_tell = TELL;
        let mut waiting = Waiting::new(self.timeout);
        loop {
            let interrupted = limit.pause(LOOK).is_err();
            if self.clock.elapsed() >= next_tell || interrupted {
                progress(&self.progress());
                next_tell = self.clock.elapsed() + TELL;
            }
            if interrupted {
                end.stop();
                return VerifyEnd::Interrupted;
            }
            if self.states.iter().all(RunState::is_settled) {
                progress(&self.progress());
                end.finish.raise();
                // what a source refused permanently will never come
                let is_complete = self.states.iter().all(RunState::is_complete);
                return if is_complete {
                    VerifyEnd::Complete
                } else {
                    VerifyEnd::Deadline
                };
            }
            if waiting.is_over(self.all_sent(), || (self.arrived(), self.clock.elapsed())) {
                progress(&self.progress());
                end.finish.raise();
                return VerifyEnd::Deadline;
            }
        }
    }

    /// Waits until all readers have looked what is there in the end; an interruption ends that too. How it ended.
    pub(super) fn until_looked(
        &self,
        ended: VerifyEnd,
        is_over: impl Fn() -> bool,
        end: &Signals,
        interrupt: &Interrupt,
        progress: &mut dyn FnMut(&Progress),
    ) -> VerifyEnd {
        let limit = Limit::endless(interrupt);
        let mut next_tell = self.clock.elapsed() + TELL;
        while !is_over() {
            if limit.pause(LOOK).is_err() {
                end.stop();
                return VerifyEnd::Interrupted;
            }
            if self.clock.elapsed() >= next_tell {
                progress(&self.progress());
                next_tell = self.clock.elapsed() + TELL;
            }
        }
        // what came while it was looked counts too
        let is_complete = || self.states.iter().all(RunState::is_complete);
        if ended == VerifyEnd::Deadline && is_complete() {
            return VerifyEnd::Complete;
        }
        ended
    }

    /// When everything had been sent, if it has.
    fn all_sent(&self) -> Option<Duration> {
        let ended = self.states.iter().map(|state| state.ended.get());
        let ended: Option<Vec<Duration>> = ended.map(|sending| Some(sending?.took)).collect();
        ended?.into_iter().max()
    }

    /// How many different records have arrived anywhere.
    fn arrived(&self) -> u64 {
        let arrivals = self.states.iter().flat_map(|state| &state.arrivals);
        arrivals.map(|arrivals| locked(arrivals).distinct()).sum()
    }

    fn progress(&self) -> Progress {
        let elapsed = self.clock.elapsed();
        let (mut sent, mut acknowledged, mut arrived) = (0, 0, Vec::new());
        for (route, state) in self.routes.iter().zip(self.states) {
            let of = locked(&state.sent);
            sent += of.sent();
            acknowledged += of.acknowledged();
            drop(of);
            let targets = route.targets.iter().zip(&state.arrivals);
            arrived.extend(
                targets
                    .map(|(target, arrivals)| (target.flow.clone(), locked(arrivals).distinct())),
            );
        }
        Progress {
            elapsed,
            sent,
            acknowledged,
            arrived,
        }
    }
}

/// How long records are waited for once all are sent: a flow that is slower than its source is no loss as long as it brings
/// more.
#[derive(Debug)]
struct Waiting {
    patience: Duration,
    arrived: u64,
    /// When that was first so.
    since: Duration,
}

impl Waiting {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            arrived: 0,
            since: Duration::ZERO,
        }
    }

    /// Whether nothing has come for too long. `look` tells how many records have arrived, and when that is.
    fn is_over(
        &mut self,
        all_sent: Option<Duration>,
        look: impl FnOnce() -> (u64, Duration),
    ) -> bool {
        let Some(sent) = all_sent else {
            return false;
        };
        let (arrived, now) = look();
        if arrived > self.arrived {
            self.arrived = arrived;
            self.since = now;
        }
        now >= self.since.max(sent).saturating_add(self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::Target;
    use super::super::run::Sending;
    use super::super::sender::SendEnd;
    use super::*;
    use crate::core::judge::ledger::RunId;
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn nothing_is_over_while_records_are_sent_or_come() {
        let mut waiting = Waiting::new(5 * SECOND);
        assert!(!waiting.is_over(None, || (0, 99 * SECOND)));
        let sent = Some(100 * SECOND);
        assert!(!waiting.is_over(sent, || (3, 104 * SECOND)));
        assert!(!waiting.is_over(sent, || (4, 108 * SECOND)));
        assert!(!waiting.is_over(sent, || (4, 112 * SECOND)));
        assert!(waiting.is_over(sent, || (4, 113 * SECOND)));
    }

    #[test]
    fn where_none_comes_it_is_over_so_long_after_the_last_was_sent() {
        let mut waiting = Waiting::new(5 * SECOND);
        let sent = Some(100 * SECOND);
        assert!(!waiting.is_over(sent, || (0, 104 * SECOND)));
        assert!(waiting.is_over(sent, || (0, 105 * SECOND)));
    }

    /// How a run ends in which this many records were acknowledged and none came before the last look.
    fn end(ended: VerifyEnd, acknowledged: u64, sending: SendEnd) -> VerifyEnd {
        let route = Route {
            run: RunId::new(SystemTime::now(), 1, 1),
            cluster: "a".to_owned(),
            endpoints: Vec::new(),
            topic: "t".to_owned(),
            partitions: 1,
            targets: vec![Target {
                flow: "a->b".to_owned(),
                cluster: "b".to_owned(),
                endpoints: Vec::new(),
                remote: "a.t".to_owned(),
            }],
        };
        let routes = [route];
        let states = [RunState::new(&routes[0])];
        for _ in 0..acknowledged {
            locked(&states[0].sent).next(0);
        }
        locked(&states[0].sent).acknowledge(0, 0..acknowledged);
        let sending = Sending {
            took: SECOND,
            end: sending,
            written: BTreeMap::new(),
        };
        states[0].ended.set(sending).unwrap();
        let watch = Watch {
            routes: &routes,
            states: &states,
            timeout: SECOND,
            clock: Clock::start(),
        };
        let (end, interrupt) = (Signals::default(), Interrupt::default());
        watch.until_looked(ended, || true, &end, &interrupt, &mut |_| {})
    }

    #[test]
    fn what_came_while_it_was_looked_is_not_too_late() {
        let (deadline, interrupted) = (VerifyEnd::Deadline, VerifyEnd::Interrupted);
        assert_eq!(
            end(deadline, 0, SendEnd::Complete),
            VerifyEnd::Complete,
            "nothing is missing"
        );
        assert_eq!(end(deadline, 1, SendEnd::Complete), deadline);
        assert_eq!(end(deadline, 0, SendEnd::Interrupted), deadline);
        assert_eq!(end(interrupted, 0, SendEnd::Complete), interrupted);
    }
}
