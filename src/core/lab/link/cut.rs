//! Cuts a link.

use super::look::{self, network, of_one};
use super::{LinkError, locked, uninterrupted};
use crate::core::docker::{Container, Docker};
use crate::core::event::{Event, Observer};
use crate::core::judge::link::{LinkState, LinkStatus};
use crate::core::lab::journal::{self, Cut, JournalError};
use crate::core::lab::{Lab, LabError};
use crate::core::topology::Flow;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Limit, Stop, seconds};
use std::time::{Duration, Instant, SystemTime};

/// A link that is cut.
#[derive(Debug, Clone)]
pub struct CutLink {
    /// As Docker and the journal tell of it.
    pub link: LinkStatus,
    /// The source, whose network MirrorMaker left.
    pub cluster: String,
    /// Whether it was cut before.
    pub was_cut: bool,
    /// Other flows that the same MirrorMaker carries.
    pub siblings: Vec<String>,
    /// What stands in the journal.
    pub cut: Cut,
}

/// Takes the MirrorMaker of a flow off the network of the source. `time` is how long the link is to stay cut: that is only written
/// down, [`hold`] waits for it.
///
/// # Errors
/// [`LinkError`]. What was begun stands in the journal, and [`heal`](super::heal()) takes it back.
pub fn cut(
    docker: &Docker,
    name: &str,
    flow: &str,
    time: Option<Duration>,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<CutLink, LinkError> {
    let (lab, _lock) = locked(docker, name, "link cut", limit)?;
    let one = flow_of(&lab, flow)?;
    let network = line(&lab, one)?;
    let workers = look::workers(&lab.topology, one, &lab.containers);
    let was = of_one(&lab.topology, one, &lab.containers, &lab.journal);
    if was.is_half_open() {
        let (flow, how) = (flow.to_owned(), "half-open");
        return Err(LinkError::Otherwise { flow, how });
    }
    let was_cut = was.state == LinkState::Cut;
    let cut = entry(lab.journal.cut(flow).filter(|_| was_cut), time, false);
    let limit = &uninterrupted();
    note(docker, name, flow, cut, limit).map_err(LabError::from)?;
    let begun = Instant::now();
    let on = workers.iter().filter(|worker| {
        let mut networks = worker.networks();
        networks.any(|one| one == network)
    });
    for worker in on {
        docker.disconnect(&network, &worker.id, limit)?;
        observer.on(Event::Done {
            what: format!("Disconnected {} from network {network}", worker.service()),
            took: begun.elapsed(),
        });
    }
    let lab = Lab::find(docker, name, limit)?;
    let one = flow_of(&lab, flow)?;
    let link = of_one(&lab.topology, one, &lab.containers, &lab.journal);
    let workers = look::workers(&lab.topology, one, &lab.containers);
    let services = workers.iter().map(|worker| worker.service().to_owned());
    let services: Vec<String> = services
        .filter(|service| !link.cut_off.contains(service))
        .collect();
    if !services.is_empty() {
        return Err(LinkError::NotDone {
            services,
            cluster: one.spec.source.clone(),
            is_on: true,
        });
    }
    Ok(CutLink {
        cluster: one.spec.source.clone(),
        siblings: siblings(&lab, one),
        link,
        was_cut,
        cut,
    })
}

/// Other flows that the same MirrorMaker carries.
pub(super) fn siblings(lab: &Lab, flow: &Flow) -> Vec<String> {
    let others = lab.topology.flows.iter();
    let others = others.filter(|other| other.spec.target == flow.spec.target && *other != flow);
    others.map(Flow::name).collect()
}

/// What is to stand in the journal: a link that was cut before has been cut since then.
pub(in crate::core::lab) fn entry(
    before: Option<&Cut>,
    time: Option<Duration>,
    half_open: bool,
) -> Cut {
    let now = to_millis(SystemTime::now());
    let time = time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    Cut {
        at: before.map_or(now, |before| before.at),
        until: time.map(|time| now.saturating_add(time)),
        half_open,
    }
}

/// Notes in the journal that a link is cut, before it is: it is then always known as cut by kmk.
pub(in crate::core::lab) fn note(
    docker: &Docker,
    lab: &str,
    flow: &str,
    cut: Cut,
    limit: &Limit,
) -> Result<(), JournalError> {
    journal::change(docker, lab, limit, |journal| {
        journal.link(flow).cut = Some(cut);
    })
}

pub(super) fn flow_of<'a>(lab: &'a Lab, name: &str) -> Result<&'a Flow, LinkError> {
    let mut flows = lab.topology.flows.iter();
    flows.find(|flow| flow.name() == name).ok_or_else(|| {
        let flow = name.to_owned();
        LinkError::NoFlow { flow }
    })
}

/// The network that MirrorMaker is to leave, unless that would not cut the link, or would cut more.
fn line(lab: &Lab, flow: &Flow) -> Result<String, LinkError> {
    let cluster = flow.spec.source.clone();
    let Some(network) = network(&lab.topology, flow) else {
        return Err(LinkError::Existing { cluster });
    };
    let workers = look::workers(&lab.topology, flow, &lab.containers);
    if workers.is_empty() {
        let flow = flow.name();
        return Err(LinkError::NoContainer { flow });
    }
    let is_all_it_has = |worker: &&&Container| worker.networks().eq([network.as_str()]);
    if let Some(worker) = workers.iter().find(is_all_it_has) {
        return Err(LinkError::OnlyNetwork {
            service: worker.service().to_owned(),
            cluster,
            target: flow.spec.target.clone(),
        });
    }
    Ok(network)
}

/// Waits for as long as a link is to stay as it was cut.
///
/// # Errors
/// [`Stop::Interrupted`].
pub fn hold(cut: &Cut, time: Duration, limit: &Limit, observer: &dyn Observer) -> Result<(), Stop> {
    const LOOK: Duration = Duration::from_secs(1);
    let begun = Instant::now();
    let how = if cut.half_open { "half-open" } else { "cut" };
    observer.on(Event::Started(format!(
        "Keeping the link {how} for {}",
        seconds(time)
    )));
    loop {
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        observer.on(Event::Progress(format!("{} left", seconds(left))));
        limit.pause(left.min(LOOK))?;
    }
}
