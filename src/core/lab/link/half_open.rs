//! Makes a link half-open: its relays keep connections open, and pass nothing on.

use super::cut::{CutLink, entry, flow_of, note, siblings};
use super::look::{network, of_one, workers};
use super::shaped::put_some;
use super::{LinkError, locked, uninterrupted};
use crate::core::docker::Docker;
use crate::core::event::Observer;
use crate::core::judge::link::{LinkState, LinkStatus};
use crate::core::lab::{Lab, LabError};
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Tells the relays of a flow to pass nothing on. `time` is how long the link is to stay so: that is only written down,
/// [`hold`](super::hold) waits for it.
///
/// # Errors
/// [`LinkError::NoRelay`] before anything was done; what was begun stands in the journal, and [`heal`](super::heal()) takes it back.
pub fn half_open(
    docker: &Docker,
    name: &str,
    flow: &str,
    time: Option<Duration>,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<CutLink, LinkError> {
    let (lab, _lock) = locked(docker, name, "link cut", limit)?;
    let one = flow_of(&lab, flow)?;
    let was = fit(&lab, one)?;
    if one.link.is_none() {
        let flow = flow.to_owned();
        return Err(LinkError::NoRelay { flow });
    }
    let cut = entry(lab.journal.cut(flow), time, true);
    let limit = &uninterrupted();
    note(docker, name, flow, cut, limit).map_err(LabError::from)?;
    let lab = Lab::find(docker, name, limit)?;
    let one = flow_of(&lab, flow)?;
    put_some(one, &lab.journal, |_| true, limit, observer)?;
    Ok(CutLink {
        link: of_one(&lab.topology, one, &lab.containers, &lab.journal),
        cluster: one.spec.source.clone(),
        was_cut: was.is_half_open(),
        siblings: siblings(&lab, one),
        cut,
    })
}

/// How the link is, unless that does not allow it to be made half-open.
fn fit(lab: &Lab, flow: &Flow) -> Result<LinkStatus, LinkError> {
    let link = of_one(&lab.topology, flow, &lab.containers, &lab.journal);
    if network(&lab.topology, flow).is_none() {
        let cluster = flow.spec.source.clone();
        return Err(LinkError::Existing { cluster });
    }
    if workers(&lab.topology, flow, &lab.containers).is_empty() {
        let flow = flow.name();
        return Err(LinkError::NoContainer { flow });
    }
    let how = match link.state {
        LinkState::Connected | LinkState::HalfOpen | LinkState::Unknown => return Ok(link),
        LinkState::Cut => "cut",
        LinkState::PartlyCut if !link.is_half_open() => "cut",
        LinkState::PartlyCut | LinkState::Disconnected => "disconnected",
    };
    Err(LinkError::Otherwise {
        flow: flow.name(),
        how,
    })
}
