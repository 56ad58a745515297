//! What differs between the containers and what is asked for: another configuration, and what somebody took from them since
//! they were made: networks, memory, CPU.

use super::failure::DeployError;
use super::plan::Plan;
use super::refusal::explain;
use crate::core::compose::{LABEL_CONFIG, Place, RenderedService};
use crate::core::docker::{Container, EngineHost};
use crate::core::event::{Event, Observer};
use crate::core::lab::status::throttle;
use kmk_kafka::wait::Limit;
use std::path::PathBuf;
use std::time::Instant;

/// Whether it may use other memory than it was made with, or too little of a CPU (`docker update`). It is recreated then:
/// docker cannot take a limit away.
fn is_limited(container: &Container, made_with: &RenderedService) -> bool {
    let memory = container.memory();
    memory.is_some_and(|now| now != made_with.memory)
        || throttle(container.service(), container).is_some()
}

impl Plan<'_> {
    /// Networks that a container should be on and is not, or not under its name, where others look for it by that.
    pub(super) fn cut_off(
        &self,
        changed: &[String],
        superfluous: &[Container],
    ) -> Vec<(&Container, Place)> {
        let services = &self.rendered.compose.services;
        let topology = &self.rendered.topology;
        let brokers = topology
            .clusters
            .iter()
            .flat_map(|cluster| &cluster.brokers);
        let relays = topology.relays().map(|relay| relay.service.as_str());
        let named: Vec<&str> = (brokers.map(|broker| broker.service.as_str()))
            .chain(relays)
            .collect();
        let is_looked_for = |service: &str| topology.shares_work() || named.contains(&service);
        let mut cut = Vec::new();
        for container in &self.existing {
            let service = container.service();
            let goes = superfluous.iter().any(|other| other.id == container.id);
            if goes || changed.iter().any(|changed| changed == service) {
                continue;
            }
            let is_named = is_looked_for(service);
            let wanted = services
                .get(service)
                .into_iter()
                .flat_map(|one| &one.networks);
            let lacking = wanted.filter(|Place { network, alias }| {
                let is_on = container.networks().any(|one| one == network);
                let is_kept_off = self.cuts.keeps(service, network);
                !is_kept_off && (!is_on || (is_named && !container.is_called(alias, network)))
            });
            cut.extend(lacking.map(|place| (container, place.clone())));
        }
        cut
    }

    /// Services whose containers were made from another configuration, mount their files from elsewhere, or were given
    /// other limits since (`docker update`).
    pub(super) fn changed(&self) -> Vec<String> {
        let services = &self.rendered.compose.services;
        let mirrors = &self.rendered.topology.mirrors;
        let file = std::path::absolute(self.workdir.compose_file()).unwrap_or_default();
        let is_changed = |container: &&Container| {
            let service = container.service();
            let moved = self.engine_host == EngineHost::Local
                && mirrors
                    .iter()
                    .flat_map(|mirror| &mirror.workers)
                    .any(|s| s == service)
                && container.compose_file().map(PathBuf::from) != Some(file.clone());
            services.get(service).is_some_and(|one| {
                let digest = container.label(LABEL_CONFIG);
                moved || is_limited(container, one) || digest != Some(&one.digest)
            })
        };
        let changed = self.existing.iter().filter(is_changed);
        changed
            .map(|container| container.service().to_owned())
            .collect()
    }

    /// Mends links that were cut (`docker network disconnect`).
    pub(super) fn reconnect(
        &self,
        cut: &[(&Container, Place)],
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        for (container, Place { network, alias }) in cut {
            let (id, service) = (&container.id, container.service());
            let begun = Instant::now();
            if container.networks().any(|one| one == network) {
                self.docker.disconnect(network, id, limit)?;
            }
            let connected = self.docker.connect(network, id, alias, limit);
            connected
                .map_err(|error| explain(error, self.docker, &self.rendered.topology, limit))?;
            observer.on(Event::Done {
                what: format!("Reconnected {service} to network {network}"),
                took: begun.elapsed(),
            });
        }
        Ok(())
    }
}
