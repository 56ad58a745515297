//! Notes when each step begins and ends.

use crate::core::event::{Event, Observer};
use crate::core::lab::verify::{Clock, locked};
use serde::Serialize;
use std::sync::Mutex;

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimedStep {
    /// What, in the words that were shown.
    pub what: String,
    /// When it began, in milliseconds since the drill did.
    pub from_millis: u64,
    /// When it ended.
    pub to_millis: u64,
}

/// Passes on what happens, and notes the time of it.
pub(super) struct Stopwatch<'a> {
    observer: &'a dyn Observer,
    clock: Clock,
    begun: Mutex<u64>,
    steps: Mutex<Vec<TimedStep>>,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn start(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            clock: Clock::start(),
            begun: Mutex::default(),
            steps: Mutex::default(),
        }
    }

    /// Those that were done, in the order in which they ended.
    pub(super) fn steps(&self) -> Vec<TimedStep> {
        locked(&self.steps).clone()
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Observer for Stopwatch<'_> {
    fn on(&self, event: Event) {
        let now = self.millis();
        match &event {
            Event::Started(_) => *locked(&self.begun) = now,
            Event::Done { what, .. } => locked(&self.steps).push(TimedStep {
                what: what.clone(),
                from_millis: *locked(&self.begun),
                to_millis: now,
            }),
            _ => {}
        }
        self.observer.on(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Silent, step};
    use kmk_kafka::wait::{Interrupt, Limit};
    use std::time::Duration;

    #[test]
    fn each_step_that_is_done_has_its_times() {
        let watch = Stopwatch::start(&Silent);
        let interrupt = Interrupt::default();
        let wait = || Limit::endless(&interrupt).pause(Duration::from_millis(20));
        step(&watch, "Waiting", "Waited", wait).unwrap();
        step(&watch, "Failing", "Failed", || Err::<(), _>(())).unwrap_err();
        step(&watch, "Waiting", "Waited again", wait).unwrap();
        let steps = watch.steps();
        let whats: Vec<_> = steps.iter().map(|step| step.what.as_str()).collect();
        assert_eq!(whats, ["Waited", "Waited again"]);
        let [first, second] = [&steps[0], &steps[1]];
        assert!(first.to_millis >= first.from_millis + 20);
        assert!(second.from_millis >= first.to_millis);
        assert!(second.to_millis >= second.from_millis + 20);
    }
}
