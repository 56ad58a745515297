//! Other flows of the same MirrorMaker: they stop with the flow that is drilled, and are looked at again afterwards.

use super::{DOCKER, DrillError};
use crate::core::docker::{Container, Docker};
use crate::core::judge::lag::FlowLag;
use crate::core::lab::link::workers;
use crate::core::lab::{Lab, lag};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::wait::{Interrupt, Limit};
use serde::Serialize;

/// A flow of the same MirrorMaker, as it was found after the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sibling {
    /// `source->target`.
    pub flow: String,
    /// Whether no container of its MirrorMaker runs.
    pub stopped: bool,
    /// Records that are not copied; none where that is unknown.
    pub behind: Option<u64>,
    /// Why it is unknown.
    pub problem: Option<String>,
}

/// The names of a flow's siblings.
pub(super) fn names(topology: &Topology, target: &str, flow: &str) -> Vec<String> {
    let flows = topology.flows.iter();
    let flows = flows.filter(|one| one.spec.target == target);
    flows.map(Flow::name).filter(|name| name != flow).collect()
}

/// What is said of them before a drill that restarts MirrorMaker.
pub(super) fn note(topology: &Topology, flow: &Flow) -> Option<String> {
    let names = names(topology, &flow.spec.target, &flow.name());
    let note = format!(
        "the same MirrorMaker also runs {}: it stops and starts with the flow",
        names.join(", ")
    );
    (!names.is_empty()).then_some(note)
}

/// How they are now.
pub(super) fn look(
    docker: &Docker,
    lab: &str,
    flow: &Flow,
    interrupt: &Interrupt,
) -> Result<Vec<Sibling>, DrillError> {
    let limit = Limit::new(DOCKER, interrupt);
    let lab = Lab::find(docker, lab, &limit)?;
    let names = names(&lab.topology, &flow.spec.target, &flow.name());
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let workers = workers(&lab.topology, flow, &lab.containers);
    let stopped = !workers.into_iter().any(Container::is_up);
    let flows = lag::glance(&lab, &limit).into_iter();
    let siblings = flows.filter(|lag| names.contains(&lag.name));
    let sibling = |lag: FlowLag| Sibling {
        flow: lag.name,
        stopped,
        behind: lag.behind.filter(|_| lag.problem.is_none()),
        problem: lag.problem,
    };
    Ok(siblings.map(sibling).collect())
}
