//! Sums up the state of a lab's containers in one word.

use super::{Lab, is_original};
use crate::core::docker::Container;
use serde::Serialize;

/// A lab in one word, by its containers alone: what runs may still be unhealthy in other ways, which
/// [`status`](super::status) finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Every container runs.
    Running,
    /// Every container is there, and none runs.
    Stopped,
    /// A container is missing.
    Incomplete,
    /// Some containers run, and some do not.
    Unhealthy,
    /// Its labels are not what this kmk understands. Only labs that are [listed](super::list) are ever so.
    Unreadable,
}

impl Lab {
    /// The lab in one word.
    pub fn state(&self) -> State {
        let services = self.topology.services();
        let found: Vec<&Container> = services.iter().filter_map(|s| self.own(s)).collect();
        if found.len() < services.len() {
            State::Incomplete
        } else if found.iter().all(|container| container.is_running()) {
            State::Running
        } else if found.iter().any(|container| container.is_up()) {
            State::Unhealthy
        } else {
            State::Stopped
        }
    }

    /// Services that should have a container and have none.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut services = self.topology.services();
        services.retain(|service| self.own(service).is_none());
        services
    }

    /// The container of a service, and not one that is about to replace it.
    fn own(&self, service: &str) -> Option<&Container> {
        let mut originals = self.containers.iter().filter(|c| is_original(c));
        originals.find(|container| container.service() == service)
    }

    /// Whether a container of it is a MirrorMaker's.
    pub(super) fn is_mirror(&self, container: &Container) -> bool {
        let mirrors = self.topology.mirrors.iter();
        let mut workers = mirrors.flat_map(|mirror| &mirror.workers);
        workers.any(|service| service == container.service())
    }

    /// The ids of the containers of `MirrorMaker`, and of brokers: one kind comes and goes before the other.
    pub(super) fn mirrors_and_brokers<'a>(
        &self,
        containers: impl IntoIterator<Item = &'a Container>,
    ) -> (Vec<String>, Vec<String>) {
        let containers = containers.into_iter();
        let (mirrors, brokers): (Vec<&Container>, Vec<&Container>) =
            containers.partition(|container| self.is_mirror(container));
        (ids(mirrors), ids(brokers))
    }
}

/// The ids of some containers.
pub(super) fn ids<'a>(containers: impl IntoIterator<Item = &'a Container>) -> Vec<String> {
    let containers = containers.into_iter();
    containers.map(|container| container.id.clone()).collect()
}
