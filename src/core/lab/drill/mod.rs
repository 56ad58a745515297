//! Drills: a failover as it would be done on a bad day, with a workload of kmk's own, measured by one clock.
//!
//! [`failover`] is the list of steps; the verdict is [`judge::drill`](crate::core::judge::drill)'s.

mod canary;
mod curve;
mod cycle;
mod drain;
mod error;
pub mod experiment;
mod facts;
mod failback;
mod fault;
mod fence;
mod finding;
mod link;
mod load;
mod member;
mod observe;
mod plan;
mod predict;
mod prepare;
mod reached;
mod report;
mod resume;
mod run;
mod setting;
mod siblings;
mod sides;
mod stage;
mod state;
mod steps;
mod stopwatch;
mod take_back;
mod workload;

pub use curve::{Counted, Curve};
pub use cycle::{CycleRehearsal, CycleReport, cycle, rehearse_cycle};
pub use error::DrillError;
pub use failback::{
    BothWays, By, Failback, FailbackRehearsal, FailbackReport, Salvage, failback, rehearse,
};
pub use finding::{Finding, Unfit};
pub use observe::{Observe, ObservedReport};
pub use reached::Reached;
pub use report::{FailoverReport, Step};
pub use resume::{Resumed, ResumedFailover, resume};
pub use siblings::Sibling;
pub use state::{DrillState, DrillStatus, Phase, Stage};
pub use steps::FailoverStep;
pub use stopwatch::TimedStep;
pub use take_back::{TakenBack, abort};

use crate::core::docker::{Docker, Engine};
use crate::core::event::Observer;
use crate::core::judge::drill::Budget;
use crate::core::lab::Lab;
use crate::core::lab::lock::{self, Lock};
use kmk_kafka::wait::{Interrupt, Limit};
use plan::Plan;
use reached::Noting;
use run::Run;
use serde::{Deserialize, Serialize};
use sides::Ends;
use std::time::Duration;

/// How long docker may take for a step.
const DOCKER: Duration = Duration::from_secs(60);

/// For what is stopped, killed or disconnected: Ctrl-C does not cut it short. Docker would continue with it, after the drill was
/// taken back.
fn uncut() -> Limit {
    Limit::new(DOCKER, &Interrupt::default())
}

/// What to drill, and how.
#[derive(Debug, Clone)]
pub struct Failover {
    /// The flow, by name; none where the lab has only one.
    pub flow: Option<String>,
    /// What happens to the source.
    pub fault: Fault,
    /// Records a second.
    pub rate: u64,
    /// Partitions of the drill's topic.
    pub partitions: i32,
    /// How many different keys the records have.
    pub keys: u32,
    /// The groups that read.
    pub groups: Vec<Habit>,
    /// How long everything runs before the fault.
    pub warm_up: Duration,
    /// For so long nothing is acknowledged and nothing arrives before it counts as a failure.
    pub detect: Duration,
    /// How long it takes to decide.
    pub decide: Duration,
    /// What is allowed.
    pub budget: Budget,
    /// Whose producers and consumers are drilled, where it is not kmk's own workload.
    pub observe: Option<Observe>,
    /// How long each step may take that has no time of its own.
    pub timeout: Duration,
}

impl Failover {
    /// Where a person's own producers and consumers are drilled, kmk writes only what it takes to notice the fault.
    fn observing(self) -> Self {
        if self.observe.is_none() {
            return self;
        }
        Self {
            rate: observe::PROBE_RATE,
            partitions: 1,
            groups: Vec::new(),
            ..self
        }
    }
}

/// What happens to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// All its brokers are killed at once.
    Kill,
    /// Its brokers live on, and the target no longer reaches them.
    Cut,
    /// The same, and connections stay open: no client is told.
    HalfOpen,
    /// Nothing: it is a planned failover.
    Planned,
}

impl Fault {
    /// Whether it is the link that fails, and the source lives on unknowing.
    pub(super) fn is_of_link(self) -> bool {
        matches!(self, Self::Cut | Self::HalfOpen)
    }
}

/// How a group reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Habit {
    /// It reads everything, and commits every second.
    CaughtUp,
    /// It stopped long ago: thousands of records are left.
    Lagging,
    /// It reads, and never commits.
    Fresh,
}

impl Habit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CaughtUp, Self::Lagging, Self::Fresh];

    /// As it is typed and told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaughtUp => "caught-up",
            Self::Lagging => "lagging",
            Self::Fresh => "fresh",
        }
    }
}

/// A lab with a drill that was not taken back, locked.
struct Drilled {
    engine: Engine,
    _lock: Lock,
    lab: Lab,
    state: DrillState,
}

fn drilled_lab(docker: &Docker, name: &str, limit: &Limit) -> Result<Drilled, DrillError> {
    let engine = docker.engine(limit)?;
    let lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "drill")?;
    let lab = Lab::find(docker, name, limit)?;
    let Some(state) = DrillState::load(docker, name, limit)? else {
        let lab = name.to_owned();
        return Err(DrillError::NoDrill { lab });
    };
    Ok(Drilled {
        engine,
        _lock: lock,
        lab,
        state,
    })
}

/// Looks whether a failover can be drilled, and touches nothing.
///
/// # Errors
/// [`DrillError::Unfit`] with all that was found.
pub fn check(
    docker: &Docker,
    name: &str,
    what: &Failover,
    interrupt: &Interrupt,
) -> Result<Rehearsal, DrillError> {
    let limit = Limit::new(what.timeout, interrupt);
    let lab = Lab::find(docker, name, &limit)?;
    let what = what.clone().observing();
    let plan = Plan::make(docker, &lab, &what, &limit)?;
    Ok(Rehearsal::of(&plan, &what))
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// The flow.
    pub flow: String,
    /// The steps, in words.
    pub steps: Vec<String>,
    /// Worth knowing.
    pub notes: Vec<String>,
}

/// Fails over, and measures it. The lab is left failed over; [`abort`] takes it back.
///
/// # Errors
/// [`DrillError::Unfit`] before anything was touched; [`DrillError::TakenBack`] once something was, with the lab as it was
/// before, as far as that went.
pub fn failover(
    docker: &Docker,
    name: &str,
    what: &Failover,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<FailoverReport, DrillError> {
    drilled(docker, name, what, interrupt, observer, |run| {
        run.until_the_end()
    })
}

/// The same around a person's own producers and consumers.
///
/// # Errors
/// As [`failover`].
pub fn observe(
    docker: &Docker,
    name: &str,
    (what, observe): (&Failover, &Observe),
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<ObservedReport, DrillError> {
    let what = what.clone().observing();
    drilled(docker, name, &what, interrupt, observer, |run| {
        run.observe(observe)
    })
}

fn drilled<T>(
    docker: &Docker,
    name: &str,
    what: &Failover,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    to_its_end: impl FnOnce(&Run<'_>) -> Result<(T, Ends), DrillError>,
) -> Result<T, DrillError> {
    let limit = Limit::new(what.timeout, interrupt);
    let engine = docker.engine(&limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "drill")?;
    let lab = Lab::find(docker, name, &limit)?;
    let plan = Plan::make(docker, &lab, what, &limit)?;
    let state = DrillState {
        observed: what.observe.is_some(),
        ..DrillState::begin(&plan, what.fault)
    };
    state.save(docker, name, &limit)?;
    let run = Run {
        docker,
        lab: &lab,
        plan: &plan,
        what,
        interrupt,
        observer: &Noting::new(docker, name, observer),
    };
    let done = to_its_end(&run).and_then(|(report, watermark)| {
        let done = state.failed_over(watermark);
        done.save(docker, name, &Limit::new(DOCKER, interrupt))?;
        Ok(report)
    });
    done.map_err(|cause| take_back::after(docker, &lab, &state, cause, what.timeout, observer))
}
