//! Ports for clusters without a given one, on a machine where the usual ones may be taken.

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
    let usual = Topology::new(spec);
    let mut taken: Vec<u16> = others
        .iter()
        .flat_map(|container| container.ports())
        .collect();
    for cluster in &spec.clusters {
        if let Some(first) = cluster.port {
            taken.extend(offsets(&usual, cluster).iter().map(|offset| first + offset));
        }
    }
    let address = topology::address(spec);
    let can_listen = |port: u16| *engine_host != EngineHost::Local || port::is_free(address, port);
    for cluster in &mut spec.clusters {
        let first = first(&usual, cluster).filter(|_| cluster.port.is_none());
        let Some(first) = first else {
            continue;
        };
        let offsets = offsets(&usual, cluster);
        let is_free = |port: u16| !taken.contains(&port) && (is_ours(port) || can_listen(port));
        if !offsets.iter().all(|offset| is_free(first + offset)) {
            let can_be_had = |port: u16| !taken.contains(&port) && can_listen(port);
            cluster.port = port::next(first, &offsets, can_be_had);
        }
        let first = cluster.port.unwrap_or(first);
        taken.extend(offsets.iter().map(|offset| first + offset));
    }
}

/// The first port of a cluster's brokers.
fn first(topology: &Topology, cluster: &ClusterSpec) -> Option<u16> {
    let resolved = topology.cluster(&cluster.name)?;
    resolved.brokers.first().map(|broker| broker.outside.port)
}

/// How far above its first port the others are that it publishes, for brokers and relays to them.
fn offsets(topology: &Topology, cluster: &ClusterSpec) -> Vec<u16> {
    let first = first(topology, cluster).unwrap_or_default();
    let ports = topology.published();
    let its = ports.filter(|(name, _)| *name == cluster.name);
    its.map(|(_, port)| port - first).collect()
}
