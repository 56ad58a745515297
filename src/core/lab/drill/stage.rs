//! What the threads of a drill share.

use super::DrillError;
use crate::core::judge::drill::{Acknowledged, Crossed, Given, Micros};
use crate::core::lab::verify::locked;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Interrupt;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What ends threads; each ends also when the drill does.
#[derive(Debug)]
pub(super) struct Signals {
    /// Everybody, at once.
    pub(super) stop: Interrupt,
    /// Who works on the source, at once: it may be dead.
    pub(super) leave: Interrupt,
    /// The producer of the source: what is on its way is still acknowledged.
    pub(super) finish_source: Interrupt,
    /// The producer of the target, likewise.
    pub(super) finish_target: Interrupt,
    /// The late producer of the source, likewise.
    pub(super) finish_late: Interrupt,
    /// Groups commit, and leave.
    pub(super) close_source: Interrupt,
    /// Groups commit, and leave.
    pub(super) close_target: Interrupt,
}

impl Signals {
    pub(super) fn new() -> Self {
        let stop = Interrupt::default();
        let leave = stop.below();
        Self {
            finish_source: leave.below(),
            close_source: leave.below(),
            finish_target: stop.below(),
            finish_late: stop.below(),
            close_target: stop.below(),
            leave,
            stop,
        }
    }
}

/// Whatever happens, nothing continues once this is gone.
pub(super) struct Stopping<'a>(pub(super) &'a Signals);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.stop.raise();
    }
}

/// A moment that others may look at any time; 0 as long as there was none.
#[derive(Debug, Default)]
pub(super) struct Moment(AtomicU64);

impl Moment {
    pub(super) fn set(&self, at: Micros) {
        self.0.store(at, Ordering::SeqCst);
    }

    /// Sets it once.
    pub(super) fn set_first(&self, at: Micros) {
        let set = self
            .0
            .compare_exchange(0, at, Ordering::SeqCst, Ordering::SeqCst);
        // it was set before
        let _ = set;
    }

    pub(super) fn get(&self) -> Micros {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn is_set(&self) -> bool {
        self.get() > 0
    }
}

/// What a producer wrote.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) books: Mutex<Books>,
    /// The producer is connected.
    pub(super) opened: Moment,
    pub(super) first_acknowledged: Moment,
    pub(super) last_acknowledged: Moment,
}

impl Written {
    /// Fails if the producer gave up on this cluster.
    pub(super) fn check(&self, cluster: &str) -> Result<(), DrillError> {
        match locked(&self.books).refused.clone() {
            None => Ok(()),
            Some(cause) => Err(DrillError::Load {
                cluster: cluster.to_owned(),
                cause,
            }),
        }
    }
}

/// The same, record by record.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) sent: BTreeMap<i32, u64>,
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Why it gave up.
    pub(super) refused: Option<KafkaError>,
}

/// All that is written and read in a drill.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) source: Written,
    pub(super) target: Written,
    /// On the source, by a producer that does not know of the switch.
    pub(super) late: Written,
    /// When the last record arrived on the target.
    pub(super) arrived: Moment,
    pub(super) crossed: Mutex<Crossed>,
    /// When the warm-up began.
    pub(super) steady: Moment,
    pub(super) groups: Vec<GroupScene>,
}

/// The readers of a group.
#[derive(Debug, Default)]
pub(super) struct GroupScene {
    pub(super) before: Read,
    pub(super) mirrored: Read,
    /// Of what is written after the switch, where that has a name of its own.
    pub(super) written: Option<Read>,
}

impl GroupScene {
    /// Those on the target.
    pub(super) fn after(&self) -> Vec<&Read> {
        [&self.mirrored].into_iter().chain(&self.written).collect()
    }
}

/// What a member of a group was given.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) diary: Mutex<Diary>,
    /// The consumer is connected.
    pub(super) opened: Moment,
}

/// The same, record by record.
#[derive(Debug, Clone, Default)]
pub(super) struct Diary {
    pub(super) given: Vec<Given>,
    pub(super) committed: BTreeMap<i32, i64>,
    /// The same, with a commit that got no answer.
    pub(super) asked: BTreeMap<i32, i64>,
    /// The offset at which each partition continues.
    pub(super) reached: BTreeMap<i32, i64>,
    /// What is wrong at the moment.
    pub(super) trouble: Option<String>,
}
