//! The cuts that `kmk link cut` made, as a repair or start of a lab keeps them.

use super::look::{network, of_all};
use crate::core::compose::LABEL_LAB;
use crate::core::docker::{Container, Docker, DockerError, labelled};
use crate::core::event::{Event, Observer};
use crate::core::judge::link::{LinkState, LinkStatus};
use crate::core::lab::{Journal, LabError, journal};
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;

/// Links that stay cut. One that somebody has connected by hand since is not among them.
#[derive(Debug, Default)]
pub(in crate::core::lab) struct KeptCuts {
    links: Vec<LinkStatus>,
    /// Services of MirrorMaker, and the networks that they are kept off.
    off: Vec<(String, String)>,
}

impl KeptCuts {
    /// Of a lab that is to be like this, by the containers that it has.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(in crate::core::lab) fn read(
        docker: &Docker,
        topology: &Topology,
        containers: &[Container],
        limit: &Limit,
    ) -> Result<Self, LabError> {
        let journal = journal::read(docker, &topology.spec.lab, limit)?;
        Ok(Self::of(topology, containers, &journal))
    }

    /// The same, from a journal that was read.
    pub(in crate::core::lab) fn of(
        topology: &Topology,
        containers: &[Container],
        journal: &Journal,
    ) -> Self {
        let mut links = of_all(topology, containers, journal);
        links.retain(|link| link.cut.is_some() && link.state != LinkState::Connected);
        let flows = topology.flows.iter();
        let is_off = |link: &LinkStatus| !link.is_half_open();
        let cut = flows.filter(|flow| {
            let mut off = links.iter().filter(|link| is_off(link));
            off.any(|link| link.flow == flow.name())
        });
        let off = cut.flat_map(|flow| {
            let mirror = topology.mirror_of(&flow.spec.target);
            let workers = mirror.into_iter().flat_map(|mirror| &mirror.workers);
            let network = network(topology, flow);
            workers.filter_map(move |service| Some((service.clone(), network.clone()?)))
        });
        let off = off.collect();
        Self { links, off }
    }

    /// Whether a service is kept off a network.
    pub(in crate::core::lab) fn keeps(&self, service: &str, network: &str) -> bool {
        let mut off = self.off.iter();
        off.any(|one| (one.0.as_str(), one.1.as_str()) == (service, network))
    }

    /// What they are.
    pub(in crate::core::lab) fn into_links(self) -> Vec<LinkStatus> {
        self.links
    }

    /// The same lab with only the flows whose records are to cross.
    pub(in crate::core::lab) fn uncut(&self, topology: &Topology) -> Topology {
        let mut uncut = topology.clone();
        uncut
            .flows
            .retain(|flow| self.links.iter().all(|link| link.flow != flow.name()));
        uncut
    }

    /// Says that they stay.
    pub(in crate::core::lab) fn tell(&self, observer: &dyn Observer) {
        for note in self.links.iter().filter_map(LinkStatus::note) {
            observer.on(Event::Note(note));
        }
    }

    /// Takes off their networks those that docker has put back, as it does with a container that is recreated: the JVM in it
    /// needs longer to start than this takes.
    pub(in crate::core::lab) fn restore(
        &self,
        docker: &Docker,
        lab: &str,
        limit: &Limit,
    ) -> Result<(), DockerError> {
        if self.off.is_empty() {
            return Ok(());
        }
        for container in docker.containers(&[labelled(LABEL_LAB, lab)], limit)? {
            let back = self.off.iter().filter(|(service, network)| {
                service == container.service() && container.networks().any(|one| one == network)
            });
            for (_, network) in back {
                docker.disconnect(network, &container.id, limit)?;
            }
        }
        Ok(())
    }
}
