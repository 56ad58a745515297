//! What a failback would do, as far as that can be said without touching anything.

use super::report::sum;
use super::{By, Failback, Way};
use crate::core::docker::Docker;
use crate::core::lab::Lab;
use crate::core::lab::compare::{self, Stranded};
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
    /// How the source would get what was written on the target.
    pub by: By,
    /// Whether stranded records would be written to the target.
    pub replays: bool,
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

/// Looks how a lab would fail back, and touches nothing.
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
    let lab = Lab::find(docker, name, &limit)?;
    let Some(state) = &lab.journal.drill else {
        let lab = name.to_owned();
        return Err(DrillError::NoDrill { lab });
    };
    let way = Way::find(&lab, state, what)?;
    let down = down(&lab, &state.source);
    let stranded = match &down {
        true => Err(format!("{} is down", state.source)),
        false => stranded(&way, state, &limit.at_most(LOOK)),
    };
    what.fits(state, stranded.as_deref().unwrap_or_default())?;
    Ok(FailbackRehearsal {
        flow: state.flow.clone(),
        back: way.back().name(),
        by: what.by,
        replays: what.replay,
        adds_flow: way.is_new,
        steps: steps(&way, state, what, down),
        stranded_records: (stranded.as_ref().ok())
            .map(|stranded| stranded.iter().map(Stranded::records).sum()),
        unknown: stranded.as_ref().err().cloned(),
        stranded: stranded.ok(),
        notes: way.ahead(&lab).into_iter().collect(),
    })
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
    if what.replay {
        steps.push(format!("write these records to {target}, as new records"));
    }
    if what.by == By::Rebuild {
        steps.push(format!(
            "delete `{}` on {source}, and create it again",
            topics.source
        ));
    }
    let is_refilled = what.by == By::Rebuild && !way.keeps_names();
    if is_refilled {
        let (copied, into) = (&topics.mirrored, &topics.source);
        steps.push(format!(
            "copy `{copied}` on {target} to `{into}` on {source}"
        ));
    }
    let add = if way.is_new { "add and start" } else { "start" };
    steps.push(match what.by {
        By::Prefix => format!("{add} {back}"),
        By::Rebuild if is_refilled => format!("{add} {back}"),
        By::Watermark => format!(
            "set MirrorMaker's positions to the ends that {target} had when it took over, remove {forward}, and {add} {back}"
        ),
        By::Rebuild => format!(
            "set MirrorMaker's positions to the beginning, remove {forward}, and {add} {back}"
        ),
    });
    steps.push(write(&topics.target, target));
    steps.push(format!(
        "stop the producer, and wait until {back} has mirrored everything and the groups are synced"
    ));
    steps.push("compare both sides, record by record".to_owned());
    steps.push(write(&topics.source, source));
    steps.push(match what.by {
        By::Prefix => {
            format!("start {forward} again: it mirrors what is only on {source}, late")
        }
        By::Rebuild if is_refilled => {
            format!("start {forward} again behind what was copied")
        }
        By::Watermark | By::Rebuild => {
            format!("stop {back}, and start {forward} again behind what was mirrored back")
        }
    });
    steps.push("compare both sides once more".to_owned());
    if !what.keep {
        steps.push(if way.is_new && !way.keeps_names() {
            format!("remove the drill's topics and groups, and flow {back}")
        } else {
            "remove the drill's topics and groups".to_owned()
        });
    }
    steps
}
