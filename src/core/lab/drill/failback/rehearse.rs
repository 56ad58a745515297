//! What a failback would do, as far as that can be said without touching anything.

use super::report::sum;
use super::{Failback, Way};
use crate::core::docker::{Docker, Engine};
use crate::core::lab::Lab;
use crate::core::lab::compare::{self, Stranded};
use crate::core::lab::deploy::{Change, Request, ahead};
use crate::core::lab::drill::DrillError;
use crate::core::lab::drill::state::DrillState;
use crate::core::topology::Cluster;
use kmk_kafka::wait::{Interrupt, Limit, seconds};
use serde::Serialize;
use std::time::Duration;

/// How long it may take to read what is stranded.
const LOOK: Duration = Duration::from_secs(20);

/// What a failback would do. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailbackRehearsal {
    /// The flow that has failed over.
    pub flow: String,
    /// The flow back.
    pub back: String,
    /// Whether it would be added, and removed in the end.
    pub adds_flow: bool,
    /// The steps, in words.
    pub steps: Vec<String>,
    /// Records that are only on the source now, partition by partition; none where they cannot be read.
    pub stranded: Option<Vec<Stranded>>,
    /// How many records these are.
    pub stranded_records: Option<u64>,
    /// Why they cannot be read.
    pub unknown: Option<String>,
    /// Worth knowing.
    pub notes: Vec<String>,
}

/// Looks how a lab would come home, and touches nothing.
///
/// # Errors
/// [`DrillError::NoDrill`], [`DrillError::Unfit`]; whatever does not allow the flow back.
pub fn rehearse(
    docker: &Docker,
    name: &str,
    what: &Failback,
    interrupt: &Interrupt,
) -> Result<FailbackRehearsal, DrillError> {
    let limit = Limit::new(what.timeout, interrupt);
    let engine = docker.engine(&limit)?;
    let lab = Lab::find(docker, name, &limit)?;
    let Some(state) = &lab.journal.drill else {
        let lab = name.to_owned();
        return Err(DrillError::NoDrill { lab });
    };
    let way = Way::find(&lab, state)?;
    let down = down(&lab, &state.source);
    let stranded = match &down {
        true => Err(format!("{} is down", state.source)),
        false => stranded(&way, state, &limit.at_most(LOOK)),
    };
    let notes = way.note((docker, &engine), &lab, &limit)?;
    Ok(FailbackRehearsal {
        flow: state.flow.clone(),
        back: way.back().name(),
        adds_flow: way.is_new,
        steps: steps(&way, state, what, down),
        stranded_records: (stranded.as_ref().ok())
            .map(|stranded| stranded.iter().map(Stranded::records).sum()),
        unknown: stranded.as_ref().err().cloned(),
        stranded: stranded.ok(),
        notes: notes.into_iter().collect(),
    })
}

impl Way {
    /// What adding the flow back starts and recreates, where it is not there.
    pub(in crate::core::lab::drill) fn note(
        &self,
        both: (&Docker, &Engine),
        lab: &Lab,
        limit: &Limit,
    ) -> Result<Option<String>, DrillError> {
        if !self.is_new {
            return Ok(None);
        }
        let back = &self.back().spec;
        let request = Request {
            change: Change {
                flows: vec![(back.source.clone(), back.target.clone())],
                ..Change::default()
            },
            ..Request::unchanged(&lab.spec.lab)
        };
        Ok(ahead(&request, both, limit).map_err(Box::new)?)
    }
}

/// Whether a broker of a cluster does not run.
fn down(lab: &Lab, cluster: &str) -> bool {
    let cluster = lab.topology.cluster(cluster);
    let services = cluster
        .iter()
        .flat_map(|cluster: &&Cluster| &cluster.brokers);
    let mut services = services.map(|broker| &broker.service);
    services.any(|service| {
        let mut up = lab.containers.iter().filter(|one| one.is_up());
        !up.any(|one| one.service() == *service)
    })
}

fn stranded(way: &Way, state: &DrillState, limit: &Limit) -> Result<Vec<Stranded>, String> {
    let topics = [state.topics.source.clone()];
    let compared = compare::topics(&way.topology, way.forward(), &topics, limit);
    let compared = compared.map_err(|error| error.to_string())?;
    let unknown = sum(&way.forward().name(), &compared).unknown;
    if unknown.is_empty() {
        return Ok(Stranded::of(&compared));
    }
    Err(unknown.join(", "))
}

pub(in crate::core::lab::drill) fn steps(
    way: &Way,
    state: &DrillState,
    what: &Failback,
    starts_source: bool,
) -> Vec<String> {
    let (source, target, topics) = (&state.source, &state.target, &state.topics);
    let (forward, back) = (way.forward().name(), way.back().name());
    let write = |topic: &str, cluster: &str| {
        format!(
            "write {} records/s with {} keys to `{topic}` on {cluster} for {}; the groups read",
            what.rate,
            what.keys,
            seconds(what.load)
        )
    };
    let mut steps = Vec::new();
    if starts_source {
        steps.push(format!("start {source}"));
    }
    steps.push(format!(
        "check that no mirrored topic grows on {source} for 3 s, and list the records that are only there"
    ));
    steps.push(if way.is_new {
        format!("add flow {back}, and start {forward}: it mirrors these records too, late")
    } else {
        format!("start {forward} and {back}: these records are mirrored too, late")
    });
    steps.push(write(&topics.target, target));
    steps.push(format!(
        "stop the producer, and wait until {forward} and {back} have mirrored everything and the groups are synced"
    ));
    steps.push("compare both sides, record by record".to_owned());
    steps.push(write(&topics.source, source));
    steps.push("compare both sides once more".to_owned());
    if !what.keep {
        steps.push(if way.is_new {
            format!("remove the drill's topics and groups, and flow {back}")
        } else {
            "remove the drill's topics and groups".to_owned()
        });
    }
    steps
}
