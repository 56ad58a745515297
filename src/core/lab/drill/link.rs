//! Cuts the link of a flow for a drill, or makes it slow, and restores it.

use super::DrillError;
use crate::core::docker::{Docker, DockerError};
use crate::core::event::{Observer, Silent};
use crate::core::lab::Lab;
use crate::core::lab::journal::{self, Cut, Journal, JournalError};
use crate::core::lab::link::{self, network, put_all, workers};
use crate::core::spec::LinkSpec;
use kmk_kafka::wait::Limit;

/// Notes that a link is cut, before it is: it is then known as cut by kmk, and what died meanwhile can be taken back.
pub(super) fn note_cut(
    docker: &Docker,
    lab: &str,
    flow: &str,
    half_open: bool,
    limit: &Limit,
) -> Result<Cut, JournalError> {
    let cut = link::entry(None, None, half_open);
    link::note(docker, lab, flow, cut, limit)?;
    Ok(cut)
}

/// Takes MirrorMaker off the network of the source.
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

/// Restores a link that is noted as cut, of a lab as it is now, and makes all relays do what is asked of them: those that
/// were started again do not.
pub(super) fn reconnect(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let restore = |journal: &mut Journal| journal.link(flow).cut = None;
    let mut restored = lab.journal.clone();
    restore(&mut restored);
    put_all(&lab.topology, &restored, limit, observer)?;
    if lab.journal.cut(flow).is_none() {
        return Ok(());
    }
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
    Ok(journal::change(docker, &lab.spec.lab, limit, restore)?)
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
