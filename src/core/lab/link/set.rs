//! Makes the line of a flow another one: at once where it has relays, and by a deploy that adds them where it has none.

use super::cut::flow_of;
use super::{LinkError, locked, put_all};
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer};
use crate::core::judge::line;
use crate::core::lab::deploy::{self, Change, Failure, Request};
use crate::core::lab::{Lab, LabError, journal};
use crate::core::spec::{LinkSpec, Spec};
use kmk_kafka::wait::Limit;

/// Tells the relays of a flow to be like this from now on. Whether it has any: where not, nothing was done.
///
/// # Errors
/// [`LinkError`]. What was asked for stands in the journal, and a deploy makes it so.
pub fn set(
    docker: &Docker,
    name: &str,
    flow: &str,
    wanted: LinkSpec,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<bool, LinkError> {
    let (lab, _lock) = locked(docker, name, "link set", limit)?;
    let one = flow_of(&lab, flow)?;
    // a toxic that comes before another replaces it, and relays have a network of their own: records would pass meanwhile
    if let Some(cut) = lab.journal.cut(flow) {
        let how = if cut.half_open { "half-open" } else { "cut" };
        let flow = flow.to_owned();
        return Err(LinkError::Otherwise { flow, how });
    }
    if one.link.is_none() {
        return Ok(false);
    }
    remember(docker, name, flow, wanted, limit)?;
    let journal = journal::read(docker, name, limit).map_err(LabError::from)?;
    put_all(&lab.topology, &journal, limit, observer)?;
    let changed = flow_of(&lab, flow)?;
    if let Some(note) = line::window(changed, &lab.topology, &wanted) {
        observer.on(Event::Note(note));
    }
    Ok(true)
}

/// Adds the relays: MirrorMaker is recreated, brokers and records stay.
///
/// # Errors
/// What keeps the deploy from it.
pub fn add(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    wanted: LinkSpec,
    relay_image: Option<String>,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), Failure> {
    let mut spec: Spec = lab.spec.clone();
    for (one, resolved) in spec.flows.iter_mut().zip(&lab.topology.flows) {
        if resolved.name() == flow {
            one.link = Some(wanted);
        }
    }
    let request = Request {
        lab: lab.spec.lab.clone(),
        wanted: Some(spec),
        scenario: None,
        change: Change::default(),
        any_port: false,
        directory: None,
        overwrite: false,
        keep: false,
        relay_image,
    };
    deploy::deploy(&request, limit, observer)?;
    let remembered = remember(docker, &lab.spec.lab, flow, wanted, limit);
    remembered.map_err(|error| Failure::early(error.into()))
}

/// A file that says nothing of the line then leaves it as it is.
fn remember(
    docker: &Docker,
    name: &str,
    flow: &str,
    wanted: LinkSpec,
    limit: &Limit,
) -> Result<(), LabError> {
    let changed = journal::change(docker, name, limit, |journal| {
        journal.link(flow).asked = Some(wanted);
    });
    Ok(changed?)
}
