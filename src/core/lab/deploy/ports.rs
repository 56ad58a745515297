//! Ports for clusters that nobody gave one, on a machine where the usual ones may be taken.

use crate::core::compose::LABEL_LAB;
use crate::core::docker::{Container, EngineHost};
use crate::core::lab::port;
use crate::core::spec::{ClusterSpec, Spec};
use crate::core::topology::{self, Topology};

/// Gives every cluster that has no port of its own, and whose usual one is taken, the next free one. Ports that the
/// lab's own containers hold are not taken; those of other containers are, also while these are stopped. Who else
/// listens can be known only of this machine.
pub(super) fn choose(spec: &mut Spec, existing: &[Container], engine_host: &EngineHost) {
    let (ours, others): (Vec<&Container>, Vec<&Container>) = existing
        .iter()
        .partition(|container| container.label(LABEL_LAB) == Some(&spec.lab));
    let is_ours = |port: u16| {
        let mut up = ours.iter().filter(|container| container.is_up());
        up.any(|container| container.publishes(port))
    };
    let range = |cluster: &ClusterSpec, first: u16| first..first.saturating_add(cluster.brokers);
    let given = spec
        .clusters
        .iter()
        .filter_map(|cluster| Some(range(cluster, cluster.port?)));
    let mut taken: Vec<u16> = given.flatten().collect();
    taken.extend(others.iter().flat_map(|container| container.ports()));
    let usual = Topology::new(spec).clusters;
    let address = topology::address(spec);
    let can_listen = |port: u16| *engine_host != EngineHost::Local || port::is_free(address, port);
    for (cluster, usual) in spec.clusters.iter_mut().zip(usual) {
        let Some(broker) = usual.brokers.first().filter(|_| cluster.port.is_none()) else {
            continue;
        };
        let first = broker.outside.port;
        let is_free = |port: u16| !taken.contains(&port) && (is_ours(port) || can_listen(port));
        if !range(cluster, first).all(is_free) {
            let can_be_had = |port: u16| !taken.contains(&port) && can_listen(port);
            cluster.port = port::next(first, cluster.brokers, can_be_had);
        }
        taken.extend(range(cluster, cluster.port.unwrap_or(first)));
    }
}
