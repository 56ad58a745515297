//! How links are: by the networks that Docker names, and by the journal.

use super::shaped::{self, asked_line};
use crate::core::docker::Container;
use crate::core::judge::link::{LinkCut, LinkState, LinkStatus};
use crate::core::lab::{Journal, Lab, is_original};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::{Duration, SystemTime};

/// How long relays that are to be half-open may take to say whether they are.
const RELAYS: Duration = Duration::from_secs(2);

/// All links of a lab that was [found](Lab::find), in the order of its flows. Relays that are to be half-open are asked.
pub fn look(lab: &Lab) -> Vec<LinkStatus> {
    let mut links = of_all(&lab.topology, &lab.containers, &lab.journal);
    for (link, flow) in links.iter_mut().zip(&lab.topology.flows) {
        let limit = Limit::new(RELAYS, &Interrupt::default());
        if link.state == LinkState::HalfOpen
            && runs(lab, flow)
            && !shaped::problems(flow, &lab.journal, &limit).is_empty()
        {
            link.state = LinkState::PartlyCut;
        }
    }
    links
}

/// Whether a relay or a MirrorMaker of the flow runs: those of a lab that is stopped say nothing.
fn runs(lab: &Lab, flow: &Flow) -> bool {
    let workers = workers(&lab.topology, flow, &lab.containers);
    let relays = flow.link.iter().flat_map(|link| &link.relays);
    let mut relays = relays.filter_map(|relay| lab.container(&relay.service));
    workers.iter().any(|one| one.is_running()) || relays.any(Container::is_running)
}

pub(super) fn of_all(
    topology: &Topology,
    containers: &[Container],
    journal: &Journal,
) -> Vec<LinkStatus> {
    let flows = topology.flows.iter();
    flows
        .map(|flow| of_one(topology, flow, containers, journal))
        .collect()
}

pub(super) fn of_one(
    topology: &Topology,
    flow: &Flow,
    containers: &[Container],
    journal: &Journal,
) -> LinkStatus {
    let name = flow.name();
    let workers = workers(topology, flow, containers);
    let network = network(topology, flow);
    let is_off = |worker: &&&Container| {
        let mut networks = worker.networks();
        network
            .as_ref()
            .is_some_and(|network| !networks.any(|one| one == network))
    };
    let cut_off: Vec<String> = (workers.iter().filter(is_off))
        .map(|worker| worker.service().to_owned())
        .collect();
    let is_unknown = network.is_none() || workers.is_empty();
    let cut = journal.cut(&name).filter(|cut| {
        if cut.half_open {
            // without relays it cannot be so
            flow.link.is_some()
        } else {
            is_unknown || !cut_off.is_empty()
        }
    });
    let half_open = cut.is_some_and(|cut| cut.half_open);
    let now = to_millis(SystemTime::now());
    LinkStatus {
        state: match cut {
            _ if is_unknown => LinkState::Unknown,
            Some(_) if half_open && cut_off.is_empty() => LinkState::HalfOpen,
            _ if cut_off.is_empty() => LinkState::Connected,
            None => LinkState::Disconnected,
            Some(_) if cut_off.len() == workers.len() && !half_open => LinkState::Cut,
            Some(_) => LinkState::PartlyCut,
        },
        cut: cut.map(|cut| LinkCut {
            half_open,
            ..LinkCut::new(cut.at, cut.until, now)
        }),
        flow: name,
        cut_off,
        asked: asked_line(flow, journal),
        measured: None,
        lab: topology.spec.lab.clone(),
    }
}

/// Whether `kmk link cut` cut the link of a flow, and every MirrorMaker of it is still off the network.
pub(in crate::core::lab) fn is_cut(lab: &Lab, flow: &Flow) -> bool {
    of_one(&lab.topology, flow, &lab.containers, &lab.journal).state == LinkState::Cut
}

/// The containers of a flow's MirrorMaker.
pub(in crate::core::lab) fn workers<'a>(
    topology: &Topology,
    flow: &Flow,
    containers: &'a [Container],
) -> Vec<&'a Container> {
    let mirror = topology.mirror_of(&flow.spec.target);
    let is_its = |container: &&Container| {
        let mut services = mirror.into_iter().flat_map(|mirror| &mirror.workers);
        is_original(container) && services.any(|service| service == container.service())
    };
    containers.iter().filter(is_its).collect()
}

/// The ends of a flow, and the networks through which its MirrorMaker reaches them, as docker calls them; not those that
/// are existing clusters.
pub(in crate::core::lab) fn networks<'a>(
    topology: &Topology,
    flow: &'a Flow,
) -> impl Iterator<Item = (&'a String, String)> {
    let ends = [&flow.spec.source, &flow.spec.target].into_iter();
    let made = ends.filter(|end| {
        topology
            .cluster(end)
            .is_some_and(|one| one.existing().is_none())
    });
    made.map(|end| {
        let network = topology.network_to(end, &flow.spec.target);
        (end, format!("{}_{network}", topology.project()))
    })
}

/// The network through which a flow's MirrorMaker reaches the source.
pub(in crate::core::lab) fn network(topology: &Topology, flow: &Flow) -> Option<String> {
    let mut networks = networks(topology, flow);
    networks.find_map(|(end, network)| (*end == flow.spec.source).then_some(network))
}
