//! Events that report progress while a lab is worked on; the caller decides how to show them.

use std::time::{Duration, Instant};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A step has begun, such as "starting the containers".
    Started(String),
    /// The step that began last goes on; what was last seen of it.
    Progress(String),
    /// The step that began last is done.
    Done {
        /// The step, in the past tense.
        what: String,
        /// How long it took.
        took: Duration,
    },
    /// Worth knowing, no problem.
    Note(String),
    /// Worth knowing, maybe a problem.
    Warning(String),
    /// A line that a child process (docker) wrote.
    Child(String),
}

/// Whoever wants to be told. Shared between threads.
pub trait Observer: Send + Sync {
    /// Called on the thread where it happened; must not block for long.
    fn on(&self, event: Event);
}

/// Runs a step, and reports its beginning and, where it succeeds, its end.
pub(in crate::core) fn step<T, E>(
    observer: &dyn Observer,
    what: &str,
    done: &str,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let begun = Instant::now();
    observer.on(Event::Started(what.to_owned()));
    let result = run()?;
    observer.on(Event::Done {
        what: done.to_owned(),
        took: begun.elapsed(),
    });
    Ok(result)
}

/// Tells no one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: Event) {}
}

impl<F: Fn(Event) + Send + Sync> Observer for F {
    fn on(&self, event: Event) {
        self(event);
    }
}
