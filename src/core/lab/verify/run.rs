//! A run under way: a sender for each source, a reader for each flow, and the one who sees when it is over. Knows nothing
//! of brokers.

use super::course::Course;
use super::reader::{Reader, Seen};
use super::report::VerifyEnd;
use super::sender::{SendEnd, Sender};
use super::watch::Watch;
use super::{Progress, Verify, VerifyError};
use crate::core::judge::ledger::{Account, Arrivals, Sent, judge};
use kmk_kafka::Written;
use kmk_kafka::wait::{Interrupt, Limit};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time since the run began: it only goes forward, whatever is done to the machine's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// In microseconds.
    pub(super) fn now(self) -> u64 {
        micros(self.0.elapsed())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What a sender and its readers share.
#[derive(Debug)]
pub(super) struct Desk {
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
    /// Where the records lie, by partition.
    pub(super) written: BTreeMap<i32, Written>,
}

/// Who has a lock has done with it even if it panicked: the books of one record are never half kept.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of it all, course by course.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) end: VerifyEnd,
    pub(super) elapsed: Duration,
    pub(super) courses: Vec<CourseDone>,
}

#[derive(Debug)]
pub(super) struct CourseDone {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) took: Duration,
    pub(super) end: SendEnd,
    pub(super) written: BTreeMap<i32, Written>,
    /// One for each flow.
    pub(super) legs: Vec<LegDone>,
}

#[derive(Debug)]
pub(super) struct LegDone {
    pub(super) account: Account,
    pub(super) seen: Seen,
}

/// A run that is ready to begin.
pub(super) struct Run<'a> {
    courses: &'a [Course],
    timeout: Duration,
    interrupt: &'a Interrupt,
    senders: Vec<Sender>,
    /// Those of each course.
    readers: Vec<Vec<Reader>>,
}

impl<'a> Run<'a> {
    /// The readers first: they begin where their topics end before anything is sent.
    pub(super) fn open(
        courses: &'a [Course],
        what: &Verify,
        interrupt: &'a Interrupt,
    ) -> Result<Self, VerifyError> {
        let limit = Limit::new(what.timeout, interrupt);
        let mut readers = Vec::new();
        for course in courses {
            let legs = course.legs.iter();
            let open = |leg| Reader::open(course, leg, what, &limit.restarted());
            let opened: Result<Vec<Reader>, _> = legs.map(open).collect();
            readers.push(opened?);
        }
        let mut senders = Vec::new();
        for course in courses {
            senders.push(Sender::open(course, what, &limit.restarted())?);
        }
        Ok(Self {
            courses,
            timeout: what.timeout,
            interrupt,
            senders,
            readers,
        })
    }

    pub(super) fn until_the_end(
        self,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Done, VerifyError> {
        let desks: Vec<Desk> = self.courses.iter().map(Desk::new).collect();
        let end = Signals::default();
        let clock = Clock::start();
        let (ended, seen) = thread::scope(|scope| {
            // whatever goes wrong here, nobody is waited for who waits for us
            let _stop = Stopping(&end);
            let mut reading = Vec::new();
            for (desk, readers) in desks.iter().zip(self.readers) {
                for (arrivals, reader) in desk.arrivals.iter().zip(readers) {
                    let end = &end;
                    let run = move || reader.run(desk, arrivals, clock, end);
                    reading.push(spawned("kmk-reader", scope, run)?);
                }
            }
            for (desk, sender) in desks.iter().zip(self.senders) {
                let end = &end;
                spawned("kmk-sender", scope, move || {
                    sender.run(desk, clock, &end.stop);
                })?;
            }
            let watch = Watch {
                courses: self.courses,
                desks: &desks,
                timeout: self.timeout,
                clock,
            };
            let ended = watch.until_the_end(&end, self.interrupt, progress);
            let is_over = || reading.iter().all(thread::ScopedJoinHandle::is_finished);
            let ended = watch.until_looked(ended, is_over, &end, self.interrupt, progress);
            let seen = reading.into_iter();
            let seen: Vec<Seen> = seen
                .map(|reader| reader.join().expect("a reader does not panic"))
                .collect();
            Ok::<_, VerifyError>((ended, seen))
        })?;
        let elapsed = clock.elapsed();
        let mut seen = seen.into_iter();
        let courses = desks.into_iter().map(|desk| desk.done(&mut seen, elapsed));
        Ok(Done {
            end: ended,
            elapsed,
            courses: courses.collect(),
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

fn spawned<'scope, T: Send + 'scope>(
    name: &str,
    scope: &'scope thread::Scope<'scope, '_>,
    run: impl FnOnce() -> T + Send + 'scope,
) -> Result<thread::ScopedJoinHandle<'scope, T>, VerifyError> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, run).map_err(VerifyError::Thread)
}

impl Desk {
    pub(super) fn new(course: &Course) -> Self {
        let arrivals = course.legs.iter();
        Self {
            sent: Mutex::new(Sent::new(course.run)),
            ended: OnceLock::new(),
            arrivals: arrivals
                .map(|_| Mutex::new(Arrivals::new(course.run)))
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

    fn done(self, seen: &mut impl Iterator<Item = Seen>, elapsed: Duration) -> CourseDone {
        let sent = self
            .sent
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let legs = self.arrivals.into_iter().zip(seen);
        let legs = legs.map(|(arrivals, seen)| LegDone {
            account: judge(&sent, &locked(&arrivals)),
            seen,
        });
        // a sender always says how it ended, unless it panicked
        let sending = self.ended.into_inner().unwrap_or(Sending {
            took: elapsed,
            end: SendEnd::Interrupted,
            written: BTreeMap::new(),
        });
        CourseDone {
            legs: legs.collect(),
            sent: sent.sent(),
            acknowledged: sent.acknowledged(),
            took: sending.took,
            end: sending.end,
            written: sending.written,
        }
    }
}
