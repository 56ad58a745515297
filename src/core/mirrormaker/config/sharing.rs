//! What several MirrorMakers of one target need to share its work. Knows nothing of what is mirrored.

use crate::core::mirrormaker::properties::Properties;
use crate::core::topology::{Cluster, Flow, Topology, WORKER_VARIABLE};

/// Where workers listen for each other. No port of it is published.
const LISTENER: &str = "http://:8083";
/// Tasks of a flow for each worker, see [`tasks`].
const TASKS_A_WORKER: usize = 2;

fn workers(topology: &Topology, target: &str) -> usize {
    topology.mirror_of(target).map_or(1, |m| m.workers.len())
}

/// The way on which a worker gives the leader of its group work to hand out.
pub(super) fn internal_rest(file: &mut Properties, topology: &Topology) {
    if !topology.shares_work() {
        return;
    }
    file.section("Several MirrorMakers share the work of a target");
    file.set(
        "Without it they only share what the first of them found at start.",
        "dedicated.mode.enable.internal.rest",
        "true",
    );
    file.set("", "listeners", LISTENER);
    file.set(
        "By default a worker gives its first address, and that may be one on the network of a source, which is lost when the link is cut.",
        "rest.advertised.host.name",
        format!("${{env:{WORKER_VARIABLE}}}"),
    );
}

/// How many tasks the partitions of a flow are dealt to. Connect deals tasks to workers by their number, whatever they
/// do: with one for each worker and the one for heartbeats, a worker could be left with nothing to copy.
pub(super) fn tasks(file: &mut Properties, topology: &Topology, flow: &Flow) {
    let workers = workers(topology, &flow.spec.target);
    if workers > 1 {
        file.set(
            "Tasks that share the partitions, two for each MirrorMaker. Default 1: the other MirrorMakers would have nothing to copy.",
            &format!("{}.tasks.max", flow.name()),
            (workers * TASKS_A_WORKER).to_string(),
        );
    }
}

/// How soon a worker that was killed is missed, also by the one that takes its place: brokers allow no less.
pub(super) fn absence(file: &mut Properties, target: &Cluster) {
    let name = &target.name;
    file.set(
        "A MirrorMaker that was killed is missed after this, and nothing is copied until it is, even by itself when it is back; brokers allow no less. Default 10 s, with a heartbeat every 3 s.",
        &format!("{name}.session.timeout.ms"),
        "6000",
    );
    file.set("", &format!("{name}.heartbeat.interval.ms"), "1500");
}
