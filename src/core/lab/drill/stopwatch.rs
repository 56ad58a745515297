//! Notes when each step begins and ends.

use crate::core::event::{Event, Observer};
use crate::core::lab::verify::{Clock, locked};
use serde::Serialize;
use std::sync::Mutex;
use std::time::Duration;

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
    steps: Mutex<Vec<TimedStep>>,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn start(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            clock: Clock::start(),
            steps: Mutex::default(),
        }
    }

    /// Those that were done, in the order in which they ended.
    pub(super) fn steps(&self) -> Vec<TimedStep> {
        locked(&self.steps).clone()
    }

    /// Since it was started.
    pub(super) fn millis(&self) -> u64 {
        millis(self.clock.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Observer for Stopwatch<'_> {
    fn on(&self, event: Event) {
        if let Event::Done { what, took } = &event {
            let now = self.clock.elapsed();
            locked(&self.steps).push(TimedStep {
                what: what.clone(),
                from_millis: millis(now.saturating_sub(*took)),
                to_millis: millis(now),
            });
        }
        self.observer.on(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Silent, step};
    use kmk_kafka::wait::{Interrupt, Limit};

    #[test]
    fn each_step_that_is_done_has_its_times() {
        let watch = Stopwatch::start(&Silent);
        let interrupt = Interrupt::default();
        let wait = || Limit::endless(&interrupt).pause(Duration::from_millis(20));
        step(&watch, "Waiting", "Waited", wait).unwrap();
        step(&watch, "Failing", "Failed", || Err::<(), _>(())).unwrap_err();
        let within = || step(&watch, "Inside", "Waited inside", wait);
        step(&watch, "Outside", "Waited outside", within).unwrap();
        let steps = watch.steps();
        let whats: Vec<_> = steps.iter().map(|step| step.what.as_str()).collect();
        assert_eq!(whats, ["Waited", "Waited inside", "Waited outside"]);
        let times: Vec<_> = steps
            .iter()
            .map(|step| (step.from_millis, step.to_millis))
            .collect();
        let [first, inside, outside] = times[..] else {
            panic!("{times:?}")
        };
        assert!(first.1 >= first.0 + 19, "{times:?}");
        assert!(inside.1 >= inside.0 + 19, "{times:?}");
        // in whole milliseconds
        assert!(
            outside.0 + 1 >= first.1 && outside.0 <= inside.0,
            "{times:?}"
        );
        assert!(outside.1 >= inside.1, "{times:?}");
    }
}
