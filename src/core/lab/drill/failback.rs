//! Comes home after a drilled failover: what was written on the new side is mirrored back under its prefix, applications
//! switch back in order, and both sides are compared record by record.

mod copied;
mod groups;
mod rehearse;
mod report;
mod run;
mod undo;

pub(super) use rehearse::steps;
pub use rehearse::{FailbackRehearsal, rehearse};
pub use report::{BothWays, FailbackReport};

use super::state::{Back, DrillState, Phase};
use super::{DOCKER, DrillError, Finding, Unfit, take_back};
use crate::core::docker::Docker;
use crate::core::event::Observer;
use crate::core::lab::Lab;
use crate::core::lab::deploy::add_flow;
use crate::core::lab::lock::{self, Lock};
use crate::core::spec::{Naming, Spec};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::{Interrupt, Limit};
use run::Run;
use std::io;
use std::time::Duration;
pub(super) use undo::{remove_flow, stop_mirrors};

/// How to come home.
#[derive(Debug, Clone)]
pub struct Failback {
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

/// Comes home, and compares both sides. In the end, the drill's topics and groups are removed, and so is a flow that was
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
    let limit = Limit::new(what.timeout, interrupt);
    let engine = docker.engine(&limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "drill")?;
    let lab = Lab::find(docker, name, &limit)?;
    let Some(mut state) = DrillState::load(docker, name, &limit)? else {
        let lab = name.to_owned();
        return Err(DrillError::NoDrill { lab });
    };
    let way = Way::find(&lab, &state)?;
    // one that was added by a failback that did not come to its end
    let was_added = state.back.as_ref().is_some_and(|back| back.is_added);
    state.back = Some(Back {
        is_added: way.is_new || was_added,
        topic: way.back().remote_topic(&state.topics.target),
    });
    state.save(docker, name, &Limit::new(DOCKER, interrupt))?;
    let run = Run {
        docker,
        engine: &engine,
        lab: &lab,
        way: &way,
        state: &state,
        what,
        interrupt,
        observer,
    };
    let done = run.until_the_end(salvage).and_then(|report| {
        if what.keep {
            return Ok(report);
        }
        let limit = Limit::new(what.timeout, interrupt);
        let lab = Lab::find(docker, name, &limit)?;
        take_back::take_back(docker, &lab, &state, &limit, observer)?;
        Ok(report)
    });
    done.map_err(|cause| take_back::after(docker, &lab, &state, cause, what.timeout, observer))
}

/// Both directions of a lab that comes home.
pub(super) struct Way {
    /// The lab with both flows.
    topology: Topology,
    /// Places of the flow that failed over, and of the one back.
    forward: usize,
    back: usize,
    /// Whether the one back is not there yet.
    is_new: bool,
}

impl Way {
    pub(super) fn find(lab: &Lab, state: &DrillState) -> Result<Self, Unfit> {
        if state.phase != Phase::FailedOver {
            let flow = state.flow.clone();
            return Err(Unfit(vec![Finding::Unfinished { flow }]));
        }
        let mut spec = lab.spec.clone();
        let place = |spec: &Spec, source: &str, target: &str| {
            let mut flows = spec.flows.iter();
            flows.position(|flow| flow.source == source && flow.target == target)
        };
        let is_new = place(&spec, &state.target, &state.source).is_none();
        if is_new {
            add_flow(&mut spec, &state.target, &state.source);
        }
        let forward = place(&spec, &state.source, &state.target);
        let back = place(&spec, &state.target, &state.source);
        let (Some(forward), Some(back)) = (forward, back) else {
            let (name, known) = (state.flow.clone(), Vec::new());
            return Err(Unfit(vec![Finding::NoFlow { name, known }]));
        };
        let keeps = |place: &&usize| spec.flows[**place].naming == Naming::Same;
        if let Some(place) = [forward, back].iter().find(keeps) {
            let flow = &spec.flows[*place];
            let flow = format!("{}->{}", flow.source, flow.target);
            return Err(Unfit(vec![Finding::NotPrefixed { flow }]));
        }
        if let Err(problems) = spec.validate() {
            let problems = problems.iter().map(ToString::to_string);
            let problems = problems.map(|what| Finding::NoWayBack { what });
            return Err(Unfit(problems.collect()));
        }
        Ok(Self {
            topology: Topology::new(&spec),
            forward,
            back,
            is_new,
        })
    }

    fn forward(&self) -> &Flow {
        &self.topology.flows[self.forward]
    }

    fn back(&self) -> &Flow {
        &self.topology.flows[self.back]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::super::state::Topics;
    use super::*;
    use crate::core::lab::journal::Journal;
    use crate::core::spec::scenario::Scenario;

    fn way(scenario: Scenario, phase: Phase) -> Result<Way, Unfit> {
        let spec = scenario.spec("demo");
        let (source, target) = (spec.flows[0].source.clone(), spec.flows[0].target.clone());
        let lab = Lab {
            topology: Topology::new(&spec),
            spec,
            containers: Vec::new(),
            journal: Journal::default(),
        };
        let topics = Topics {
            source: "t".to_owned(),
            mirrored: format!("{source}.t"),
            target: "t".to_owned(),
        };
        let state = DrillState {
            flow: format!("{source}->{target}"),
            source,
            target,
            fault: Some(Fault::Kill),
            name: None,
            phase,
            since: 0,
            topics,
            groups: Vec::new(),
            back: None,
            line: None,
        };
        Way::find(&lab, &state)
    }

    #[test]
    fn the_way_back_is_added_where_it_is_not_there() {
        let dr = way(Scenario::Dr, Phase::FailedOver).unwrap();
        assert!(dr.is_new);
        assert_eq!(dr.back().name(), "secondary->primary");
        assert_eq!(dr.forward().name(), "primary->secondary");
        let both = way(Scenario::ActiveActive, Phase::FailedOver).unwrap();
        assert!(!both.is_new);
        assert_eq!(both.back().remote_topic("t"), "west.t");
    }

    #[test]
    fn what_keeps_its_names_or_did_not_fail_over_does_not_fit() {
        let migrate = way(Scenario::Migrate, Phase::FailedOver).map(drop);
        assert!(
            matches!(&migrate, Err(Unfit(found)) if matches!(found[..], [Finding::NotPrefixed { .. }])),
            "{migrate:?}"
        );
        let running = way(Scenario::Dr, Phase::Running).map(drop);
        assert!(
            matches!(&running, Err(Unfit(found)) if matches!(found[..], [Finding::Unfinished { .. }])),
            "{running:?}"
        );
    }
}
