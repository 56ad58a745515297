//! Breaks the line of a flow, and makes it whole: `MirrorMaker` leaves the network of the source, or relays are told to be
//! slower. What is to be taken back is always noted first.

use super::{DrillError, DrillState, Fault};
use crate::core::docker::{Docker, DockerError};
use crate::core::event::{Observer, Silent};
use crate::core::lab::Lab;
use crate::core::lab::journal::{self, Cut, Journal, JournalError};
use crate::core::lab::link::{network, put_all, workers};
use crate::core::spec::LinkSpec;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::Limit;
use std::time::SystemTime;

/// Notes that a link is cut, before it is: it is then known as cut by kmk. The journal of the lab with that.
pub(super) fn note_cut(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    half_open: bool,
    limit: &Limit,
) -> Result<Journal, JournalError> {
    let note = |journal: &mut Journal| {
        journal.link(flow).cut = Some(Cut {
            at: to_millis(SystemTime::now()),
            until: None,
            half_open,
        });
    };
    journal::change(docker, &lab.spec.lab, limit, note)?;
    let mut noted = lab.journal.clone();
    note(&mut noted);
    Ok(noted)
}

pub(super) fn cut(
    docker: &Docker,
    network: Option<&str>,
    mirrors: &[String],
    limit: &Limit,
) -> Result<(), DockerError> {
    let Some(network) = network else {
        return Ok(());
    };
    (mirrors.iter()).try_for_each(|mirror| docker.disconnect(network, mirror, limit))
}

/// Puts the `MirrorMaker` of a flow back on the network of the source, by a lab as it is now.
pub(super) fn heal(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    limit: &Limit,
) -> Result<(), DrillError> {
    let mut flows = lab.topology.flows.iter();
    let found = flows.find(|one| one.name() == flow);
    if let Some((found, network)) = found.and_then(|one| Some((one, network(&lab.topology, one)?)))
    {
        for worker in workers(&lab.topology, found, &lab.containers) {
            if !worker.networks().any(|one| one == network) {
                docker.connect(&network, &worker.id, worker.service(), limit)?;
            }
        }
    }
    Ok(journal::change(docker, &lab.spec.lab, limit, |journal| {
        journal.link(flow).cut = None;
    })?)
}

/// Tells the relays of a flow to be like this, or as the lab was deployed.
pub(super) fn shape(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    asked: Option<LinkSpec>,
    limit: &Limit,
) -> Result<(), DrillError> {
    let name = &lab.spec.lab;
    journal::change(docker, name, limit, |journal| {
        journal.link(flow).asked = asked;
    })?;
    let journal = journal::read(docker, name, limit)?;
    put_all(&lab.topology, &journal, limit, &Silent)?;
    Ok(())
}

/// Makes the line of a drill's flow whole again, and all relays do what is asked of them: those that were started again do
/// not.
pub(super) fn reconnect(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let flow = &state.flow;
    let may_be_cut = state.fault.is_none_or(Fault::is_of_link) && lab.journal.cut(flow).is_some();
    let mut restored = lab.journal.clone();
    if may_be_cut {
        restored.link(flow).cut = None;
    }
    if let Some(line) = state.line
        && line.asked != lab.journal.asked(flow)
    {
        restored.link(flow).asked = line.asked;
        journal::change(docker, &lab.spec.lab, limit, |journal| {
            journal.link(flow).asked = line.asked;
        })?;
    }
    put_all(&lab.topology, &restored, limit, observer)?;
    if may_be_cut {
        heal(docker, lab, flow, limit)?;
    }
    Ok(())
}
