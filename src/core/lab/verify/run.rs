//! Runs a verification: a sender for each source, a reader for each flow, and a watch that decides when it is over.

use super::reader::{ReadResult, Reader};
use super::report::VerifyEnd;
use super::route::Route;
use super::sender::{SendEnd, Sender};
use super::watch::Watch;
use super::{Progress, Verify, VerifyError};
use crate::core::judge::ledger::{Account, Arrivals, Sent, judge};
use kmk_kafka::Written;
use kmk_kafka::wait::{Interrupt, Limit};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time since the run began: it only goes forward, whatever is done to the machine's clock.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::lab) struct Clock(Instant);

impl Clock {
    pub(in crate::core::lab) fn start() -> Self {
        Self(Instant::now())
    }

    /// In microseconds.
    pub(in crate::core::lab) fn now(self) -> u64 {
        micros(self.0.elapsed())
    }

    pub(in crate::core::lab) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What a sender and its readers share.
#[derive(Debug)]
pub(super) struct RunState {
    pub(super) sent: Mutex<Sent>,
    /// Once nothing more is sent or acknowledged.
    pub(super) ended: OnceLock<Sending>,
    /// One for each flow.
    pub(super) arrivals: Vec<Mutex<Arrivals>>,
}

/// How sending into one source ended.
#[derive(Debug)]
pub(super) struct Sending {
    /// Since the run began.
    pub(super) took: Duration,
    pub(super) end: SendEnd,
    /// Where the records are, by partition.
    pub(super) written: BTreeMap<i32, Written>,
}

/// Who has a lock has done with it even if it panicked: the books of one record are never half kept.
pub(in crate::core::lab) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of it all, route by route.
#[derive(Debug)]
pub(super) struct RunResult {
    pub(super) end: VerifyEnd,
    pub(super) elapsed: Duration,
    pub(super) routes: Vec<RouteResult>,
}

#[derive(Debug)]
pub(super) struct RouteResult {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) took: Duration,
    pub(super) end: SendEnd,
    pub(super) written: BTreeMap<i32, Written>,
    /// One for each flow.
    pub(super) targets: Vec<TargetResult>,
}

#[derive(Debug)]
pub(super) struct TargetResult {
    pub(super) account: Account,
    pub(super) seen: ReadResult,
}

/// A run that is ready to begin.
pub(super) struct Run<'a> {
    routes: &'a [Route],
    timeout: Duration,
    interrupt: &'a Interrupt,
    senders: Vec<Sender>,
    /// Those of each route.
    readers: Vec<Vec<Reader>>,
}

impl<'a> Run<'a> {
    /// The readers first: they begin where their topics end before anything is sent.
    pub(super) fn open(
        routes: &'a [Route],
        what: &Verify,
        interrupt: &'a Interrupt,
    ) -> Result<Self, VerifyError> {
        let limit = Limit::new(what.timeout, interrupt);
        let mut readers = Vec::new();
        for route in routes {
            let targets = route.targets.iter();
            let open = |target| Reader::open(route, target, what, &limit.restarted());
            let opened: Result<Vec<Reader>, _> = targets.map(open).collect();
            readers.push(opened?);
        }
        let mut senders = Vec::new();
        for route in routes {
            senders.push(Sender::open(route, what, &limit.restarted())?);
        }
        Ok(Self {
            routes,
            timeout: what.timeout,
            interrupt,
            senders,
            readers,
        })
    }

    pub(super) fn until_the_end(
        self,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<RunResult, VerifyError> {
        let states: Vec<RunState> = self.routes.iter().map(RunState::new).collect();
        let end = Signals::default();
        let clock = Clock::start();
        let (ended, seen) = thread::scope(|scope| {
            // whatever goes wrong here, we do not wait for a thread that waits for us
            let _stop = Stopping(&end);
            let mut reading = Vec::new();
            for (state, readers) in states.iter().zip(self.readers) {
                for (arrivals, reader) in state.arrivals.iter().zip(readers) {
                    let end = &end;
                    let run = move || reader.run(state, arrivals, clock, end);
                    let reader = spawned("kmk-reader", scope, run);
                    reading.push(reader.map_err(VerifyError::Thread)?);
                }
            }
            for (state, sender) in states.iter().zip(self.senders) {
                let end = &end;
                spawned("kmk-sender", scope, move || {
                    sender.run(state, clock, &end.stop);
                })
                .map_err(VerifyError::Thread)?;
            }
            let watch = Watch {
                routes: self.routes,
                states: &states,
                timeout: self.timeout,
                clock,
            };
            let ended = watch.until_the_end(&end, self.interrupt, progress);
            let is_over = || reading.iter().all(thread::ScopedJoinHandle::is_finished);
            let ended = watch.until_looked(ended, is_over, &end, self.interrupt, progress);
            let seen = reading.into_iter();
            let seen: Vec<ReadResult> = seen
                .map(|reader| reader.join().expect("a reader does not panic"))
                .collect();
            Ok::<_, VerifyError>((ended, seen))
        })?;
        let elapsed = clock.elapsed();
        let mut seen = seen.into_iter();
        let routes = states
            .into_iter()
            .map(|state| state.done(&mut seen, elapsed));
        Ok(RunResult {
            end: ended,
            elapsed,
            routes: routes.collect(),
        })
    }
}

/// What ends a run.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Nothing more is waited for: readers read on to where their topics end now, and look what is there.
    pub(super) finish: Interrupt,
    /// Everybody ends at once.
    pub(super) stop: Interrupt,
}

impl Signals {
    pub(super) fn stop(&self) {
        self.stop.raise();
        self.finish.raise();
    }
}

struct Stopping<'a>(&'a Signals);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A thread of its own, by this name.
pub(in crate::core::lab) fn spawned<'scope, T: Send + 'scope>(
    name: &str,
    scope: &'scope thread::Scope<'scope, '_>,
    run: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<thread::ScopedJoinHandle<'scope, T>> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, run)
}

impl RunState {
    pub(super) fn new(route: &Route) -> Self {
        let arrivals = route.targets.iter();
        Self {
            sent: Mutex::new(Sent::new(route.run)),
            ended: OnceLock::new(),
            arrivals: arrivals
                .map(|_| Mutex::new(Arrivals::new(route.run)))
                .collect(),
        }
    }

    /// Whether all was sent, and everything acknowledged has arrived through every flow.
    pub(super) fn is_complete(&self) -> bool {
        self.arrivals
            .iter()
            .all(|arrivals| self.is_complete_in(arrivals))
    }

    /// The same through one flow.
    pub(super) fn is_complete_in(&self, arrivals: &Mutex<Arrivals>) -> bool {
        let ended = self.ended.get();
        ended.is_some_and(|sending| matches!(sending.end, SendEnd::Complete))
            && self.has_all(arrivals)
    }

    /// Whether nothing more is sent, and everything acknowledged has arrived through every flow, given up or not.
    pub(super) fn is_settled(&self) -> bool {
        self.ended.get().is_some() && self.arrivals.iter().all(|arrivals| self.has_all(arrivals))
    }

    fn has_all(&self, arrivals: &Mutex<Arrivals>) -> bool {
        let sent = locked(&self.sent);
        locked(arrivals).has_all(&sent)
    }

    fn done(self, seen: &mut impl Iterator<Item = ReadResult>, elapsed: Duration) -> RouteResult {
        let sent = self
            .sent
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let targets = self.arrivals.into_iter().zip(seen);
        let targets = targets.map(|(arrivals, seen)| TargetResult {
            account: judge(&sent, &locked(&arrivals)),
            seen,
        });
        // a sender always says how it ended, unless it panicked
        let sending = self.ended.into_inner().unwrap_or(Sending {
            took: elapsed,
            end: SendEnd::Interrupted,
            written: BTreeMap::new(),
        });
        RouteResult {
            targets: targets.collect(),
            sent: sent.sent(),
            acknowledged: sent.acknowledged(),
            took: sending.took,
            end: sending.end,
            written: sending.written,
        }
    }
}
