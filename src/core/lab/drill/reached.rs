//! Notes in the journal which step a drill has reached: where its process died is known then. It is written beside the drill,
//! which does not wait for it.

use crate::core::docker::Docker;
use crate::core::event::{Event, Observer};
use crate::core::lab::journal;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// A step that has taken this long is noted. Those just after a fault are shorter, and docker has enough to do then: what the
/// drill measures must not grow by what it notes.
const SETTLED: Duration = Duration::from_secs(1);
/// How long writing may take.
const WRITE: Duration = Duration::from_secs(10);

/// The step that a drill began last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// As it is told.
    pub step: String,
    /// When it began, in milliseconds since the epoch.
    pub at: i64,
}

impl Reached {
    /// How long ago that was.
    pub fn age(&self, now: SystemTime) -> Duration {
        let millis = to_millis(now).saturating_sub(self.at);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// Notes the steps that it is told, and tells them on.
pub(super) struct Noting<'a> {
    observer: &'a dyn Observer,
    begun: Option<Sender<Reached>>,
    writer: Option<JoinHandle<()>>,
}

impl<'a> Noting<'a> {
    /// From now on.
    pub(super) fn new(docker: &Docker, lab: &str, observer: &'a dyn Observer) -> Self {
        let (begun, steps) = channel();
        let (docker, lab) = (docker.clone(), lab.to_owned());
        let writer = thread::Builder::new().name("kmk-journal".to_owned());
        Self {
            observer,
            begun: Some(begun),
            writer: writer.spawn(move || write(&docker, &lab, &steps)).ok(),
        }
    }
}

impl Observer for Noting<'_> {
    fn on(&self, event: Event) {
        if let (Event::Started(step), Some(begun)) = (&event, &self.begun) {
            let (step, at) = (step.clone(), to_millis(SystemTime::now()));
            // where no thread could be started, the step stays unknown
            let _ = begun.send(Reached { step, at });
        }
        self.observer.on(event);
    }
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.begun = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Until the drill ends. Where the journal cannot be written, the step stays unknown.
fn write(docker: &Docker, lab: &str, steps: &Receiver<Reached>) {
    while let Ok(mut reached) = steps.recv() {
        loop {
            match steps.recv_timeout(SETTLED) {
                Ok(next) => reached = next,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let limit = Limit::new(WRITE, &Interrupt::default());
        let _ = journal::change(docker, lab, &limit, |journal| {
            if let Some(drill) = &mut journal.drill {
                drill.reached = Some(reached.clone());
            }
        });
    }
}
