//! Deadlines and interruption. The only place that sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How soon an interruption is noticed while waiting.
const REACTION: Duration = Duration::from_millis(25);

/// A flag that says "stop what you are doing"; clones share it. Raised by Ctrl-C in the command line.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    raised: Arc<AtomicBool>,
    above: Option<Box<Self>>,
}

impl Interrupt {
    /// Asks everything that watches this flag to stop.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
    }

    /// Whether someone asked to stop.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
            || self.above.as_ref().is_some_and(|above| above.is_raised())
    }

    /// One that is raised when this one is, and can be raised alone.
    #[must_use]
    pub fn below(&self) -> Self {
        Self {
            raised: Arc::default(),
            above: Some(Box::new(self.clone())),
        }
    }
}

/// Why a wait ended without what was waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Time is up.
    #[error("not within {}; last seen: {last_seen}", span(*.allowed))]
    Deadline {
        /// The whole time that was allowed.
        allowed: Duration,
        /// What the last look showed.
        last_seen: String,
    },
    /// The [`Interrupt`] was raised.
    #[error("interrupted")]
    Interrupted,
}

/// A time span as people read it: `5.3 s`, `2m 10s`.
pub fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
    }
}

/// How long something was waited for: what is short is told in milliseconds, and never as none.
pub fn span(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..100 => format!("{} ms", millis.max(1)),
        _ => seconds(time),
    }
}

/// What one look at a condition showed.
#[derive(Debug)]
pub enum Probe<T> {
    /// It holds.
    Ready(T),
    /// It does not hold yet, and why.
    NotYet(String),
}

/// How long something may take, and who may interrupt it.
#[derive(Debug, Clone)]
pub struct Limit {
    end: Option<Instant>,
    allowed: Duration,
    interrupt: Interrupt,
}

impl Limit {
    /// A deadline `allowed` from now.
    pub fn new(allowed: Duration, interrupt: &Interrupt) -> Self {
        Self {
            // a deadline that the clock cannot express is no deadline
            end: Instant::now().checked_add(allowed),
            allowed,
            interrupt: interrupt.clone(),
        }
    }

    /// No deadline: only an interruption ends it.
    pub fn endless(interrupt: &Interrupt) -> Self {
        Self::new(Duration::MAX, interrupt)
    }

    /// The same interrupt, and a deadline that is `allowed` from now, or this one where that is sooner.
    #[must_use]
    pub fn at_most(&self, allowed: Duration) -> Self {
        let shorter = Self::new(allowed, &self.interrupt);
        match (self.end, shorter.end) {
            (Some(mine), Some(theirs)) if mine <= theirs => self.clone(),
            (Some(_), None) => self.clone(),
            _ => shorter,
        }
    }

    /// The same interrupt, and the whole time that was allowed once more, from now on.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self::new(self.allowed, &self.interrupt)
    }

    /// The whole time that was allowed.
    pub fn allowed(&self) -> Duration {
        self.allowed
    }

    /// The time that is left; zero once the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.end.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        })
    }

    /// The flag that ends this wait early.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// # Errors
    /// [`Stop`] when interrupted or past the deadline; `last_seen` goes into it.
    pub fn check(&self, last_seen: impl FnOnce() -> String) -> Result<(), Stop> {
        if self.interrupt.is_raised() {
            return Err(Stop::Interrupted);
        }
        if self.remaining().is_zero() {
            return Err(Stop::Deadline {
                allowed: self.allowed,
                last_seen: last_seen(),
            });
        }
        Ok(())
    }

    /// Sleeps for `time`, or until the deadline or an interruption, whichever comes first.
    ///
    /// # Errors
    /// [`Stop::Interrupted`] only: a deadline that passed is for the caller's next [`Limit::check`].
    pub fn pause(&self, time: Duration) -> Result<(), Stop> {
        let end = Instant::now() + time.min(self.remaining()).min(Duration::from_secs(86_400));
        loop {
            if self.interrupt.is_raised() {
                return Err(Stop::Interrupted);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(REACTION));
        }
    }

    /// Looks again `every` so often until the condition holds.
    ///
    /// # Errors
    /// [`Stop`] with the last reason, when it did not hold in time; the probe's own error at once.
    pub fn until<T, E: From<Stop>>(
        &self,
        every: Duration,
        mut probe: impl FnMut() -> Result<Probe<T>, E>,
    ) -> Result<T, E> {
        loop {
            let reason = match probe()? {
                Probe::Ready(value) => return Ok(value),
                Probe::NotYet(reason) => reason,
            };
            self.check(|| reason.clone())?;
            self.pause(every)?;
        }
    }

    /// Waits for a message from another thread.
    ///
    /// # Errors
    /// [`Stop`] when none came in time; `Ok(None)` when the sender is gone.
    pub fn receive<T>(&self, from: &Receiver<T>) -> Result<Option<T>, Stop> {
        loop {
            match from.recv_timeout(self.remaining().min(REACTION)) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.check(|| "no answer".to_owned())?,
            }
        }
    }

    /// Does what may block for as long as it likes, such as opening a pipe that nobody writes to. When time is up its thread is
    /// left behind.
    ///
    /// # Errors
    /// [`Stop`] when it was not done in time.
    ///
    /// # Panics
    /// When `job` does.
    pub fn aside<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stop> {
        let (sender, done) = std::sync::mpsc::sync_channel(1);
        // fails if nothing waits any more
        let thread = std::thread::spawn(move || drop(sender.send(job())));
        match self.receive(&done)? {
            Some(done) => Ok(done),
            None => match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => unreachable!("what is done is sent"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_deadline_says_what_it_last_saw() {
        let mut looks = 0;
        let stop = Limit::new(20 * MILLI, &Interrupt::default())
            .until(MILLI, || -> Result<Probe<()>, Stop> {
                looks += 1;
                Ok(Probe::NotYet(format!("look {looks}")))
            })
            .unwrap_err();
        assert_eq!(
            stop.to_string(),
            format!("not within 20 ms; last seen: look {looks}")
        );
    }

    #[test]
    fn an_interrupt_ends_every_wait() {
        let interrupt = Interrupt::default();
        interrupt.raise();
        let limit = Limit::endless(&interrupt);
        let (_sender, receiver) = std::sync::mpsc::channel::<()>();
        assert_eq!(limit.pause(Duration::MAX), Err(Stop::Interrupted));
        assert_eq!(limit.receive(&receiver), Err(Stop::Interrupted));
        assert_eq!(limit.check(String::new), Err(Stop::Interrupted));
    }

    #[test]
    fn what_blocks_is_left_behind() {
        let (_sender, silent) = std::sync::mpsc::channel::<()>();
        let limit = Limit::new(20 * MILLI, &Interrupt::default());
        let waited = limit.aside(move || silent.recv());
        assert!(matches!(waited, Err(Stop::Deadline { .. })));
        assert_eq!(limit.restarted().aside(|| 7), Ok(7));
    }

    #[test]
    fn the_shorter_deadline_wins() {
        let limit = Limit::new(10 * MILLI, &Interrupt::default());
        assert!(limit.at_most(Duration::from_secs(9)).remaining() <= 10 * MILLI);
        assert!(limit.at_most(MILLI).remaining() <= MILLI);
        assert!(
            Limit::endless(&Interrupt::default())
                .at_most(MILLI)
                .remaining()
                <= MILLI
        );
    }
}
