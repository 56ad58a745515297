//! Fails back after a drilled failover: what was written on the new side is mirrored back under its prefix, applications
//! switch back in order, and both sides are compared record by record.

mod copied;
mod flows;
mod groups;
mod rebuild;
mod rehearse;
mod report;
mod run;
mod undo;
mod way;

pub(super) use rehearse::steps;
pub use rehearse::{FailbackRehearsal, rehearse};
pub use report::{BothWays, FailbackReport};

use super::reached::Noting;
use super::state::{Back, DrillState, Stage};
use super::stopwatch::Stopwatch;
use super::{DOCKER, DrillError, Drilled, Finding, Unfit, drilled_lab, take_back};
use crate::core::docker::Docker;
use crate::core::event::Observer;
use crate::core::lab::Lab;
use crate::core::lab::compare::Stranded;
use crate::core::topology::Topology;
use kmk_kafka::KafkaError;
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::{Interrupt, Limit};
use run::Run;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;
pub(super) use undo::{redeploy, remove_flow, stop_mirrors};
pub(super) use way::Way;

/// How the source gets what was written on the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// It is mirrored back under the target's name.
    #[default]
    Prefix,
    /// Under the same names, only what comes after the end that the target's topic had when it took over is mirrored back.
    Watermark,
    /// The source's topic is recreated, and filled from the target. With prefixed names, what was written on the target is
    /// mirrored back under the target's name.
    Rebuild,
}

/// How to fail back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failback {
    /// How the source gets what was written on the target.
    pub by: By,
    /// Whether stranded records are written to the target, as new records.
    pub replay: bool,
    /// Records a second that are written meanwhile.
    pub rate: u64,
    /// How many different keys they have.
    pub keys: u32,
    /// How long is written on each side at least.
    pub load: Duration,
    /// Whether the drill's topics and the flow back stay, to be looked at; [`abort`](super::abort) removes them.
    pub keep: bool,
    /// How long each step may take that has no time of its own.
    pub timeout: Duration,
}

impl Failback {
    /// Kafka cannot cut the end of a log: under the same names, both sides cannot become equal while a record is stranded.
    fn fits(&self, state: &DrillState, stranded: &[Stranded]) -> Result<(), Unfit> {
        if self.by != By::Watermark || stranded.is_empty() {
            return Ok(());
        }
        Err(Unfit(vec![Finding::Stranded {
            source_cluster: state.source.clone(),
            target: state.target.clone(),
            places: stranded.iter().map(ToString::to_string).collect(),
        }]))
    }
}

/// Where stranded records are exported to.
pub trait Salvage {
    /// Takes a record of a topic.
    ///
    /// # Errors
    /// When it cannot be written.
    fn take(&mut self, topic: &str, record: &RecordRef<'_>) -> io::Result<()>;

    /// That was the last one; they are safe from now on.
    ///
    /// # Errors
    /// When they cannot be written.
    fn finish(&mut self) -> io::Result<()>;
}

/// Fails back, and compares both sides. In the end, the drill's topics and groups are removed, and so is a flow that was
/// added for the way back, unless they are to be kept.
///
/// # Errors
/// [`DrillError::NoDrill`], [`DrillError::Unfit`] before anything was touched; [`DrillError::TakenBack`] once something was.
pub fn failback(
    docker: &Docker,
    name: &str,
    what: &Failback,
    salvage: Option<&mut dyn Salvage>,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<FailbackReport, DrillError> {
    let drilled = drilled_lab(docker, name, &Limit::new(what.timeout, interrupt))?;
    let way = Way::find(&drilled.lab, &drilled.state, what)?;
    let both = (drilled, &way);
    until_the_end(docker, both, what, salvage, interrupt, observer)
}

/// Fails back once more where the kmk was killed that did it: from the lab as it was before, with no MirrorMaker running.
pub(super) fn again(
    docker: &Docker,
    mut drilled: Drilled,
    what: &Failback,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<FailbackReport, DrillError> {
    let limit = Limit::new(what.timeout, interrupt);
    stop_mirrors(docker, &drilled.lab, &limit)?;
    let lab = &mut drilled.lab;
    lab.containers = Lab::find(docker, &lab.spec.lab, &limit)?.containers;
    if let Some(before) = drilled
        .state
        .back
        .as_ref()
        .and_then(|back| back.lab.as_deref())
    {
        lab.topology = Topology::new(before);
        lab.spec = before.clone();
    }
    let flow = drilled.state.flow.clone();
    let failed_over = DrillState {
        back: None,
        ..drilled.state.clone()
    };
    let way = Way::find(lab, &failed_over, what)?;
    let both = (drilled, &way);
    let done = until_the_end(docker, both, what, None, interrupt, observer);
    done.map_err(|error| match error {
        DrillError::Kafka(KafkaError::UnknownTopic { .. }) => DrillError::NothingToResume {
            flow,
            why: "its topics are removed already",
        },
        other => other,
    })
}

fn until_the_end(
    docker: &Docker,
    (drilled, way): (Drilled, &Way),
    what: &Failback,
    salvage: Option<&mut dyn Salvage>,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<FailbackReport, DrillError> {
    let watch = Stopwatch::start(observer);
    let observer: &dyn Observer = &watch;
    let Drilled {
        engine,
        _lock,
        lab,
        state: mut changed,
    } = drilled;
    let name = &lab.spec.lab;
    let reached = changed
        .back
        .as_ref()
        .map_or(Stage::Begun, |back| back.stage);
    let state = DrillState {
        back: None,
        ..changed.clone()
    };
    let run = Run {
        docker,
        engine: &engine,
        lab: &lab,
        way,
        state: &state,
        stage: reached,
        what,
        interrupt,
        observer: &Noting::new(docker, name, observer),
    };
    let stranded = match run.look(salvage) {
        // the old side runs, its link is restored, and nothing else was done: what is stranded there must not be removed
        Err(error) if !error.is_interruption() => return Err(error),
        looked => looked,
    };
    let done = stranded.and_then(|stranded| {
        changed.back = Some(Back {
            is_added: way.is_new,
            topic: way.back().remote_topic(&state.topics.target),
            lab: Some(Box::new(lab.spec.clone())),
            what: Some(what.clone()),
            stage: reached,
        });
        // the step of the process before
        changed.reached = None;
        changed.save(docker, name, &Limit::new(DOCKER, interrupt))?;
        let report = run.until_the_end(stranded)?;
        if what.keep {
            run.reached(Stage::Kept)?;
        } else {
            let limit = Limit::new(what.timeout, interrupt);
            let lab = Lab::find(docker, name, &limit)?;
            take_back::take_back(docker, &lab, &changed, &limit, observer)?;
        }
        Ok(FailbackReport {
            millis: watch.millis(),
            steps: watch.steps(),
            ..report
        })
    });
    done.map_err(|cause| take_back::after(docker, &lab, &changed, cause, what.timeout, observer))
}
