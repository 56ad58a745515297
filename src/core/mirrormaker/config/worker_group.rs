//! The settings with which several MirrorMakers of one target share its tasks.

use crate::core::mirrormaker::properties::Properties;
use crate::core::topology::{Cluster, Flow, TASKS_A_WORKER, Topology, WORKER_VARIABLE};

/// Where workers listen for each other. No port of it is published.
const LISTENER: &str = "http://:8083";

fn workers(topology: &Topology, target: &str) -> usize {
    topology.mirror_of(target).map_or(1, |m| m.workers.len())
}

/// The way on which a worker gives the leader of its group work to hand out.
pub(super) fn internal_rest(file: &mut Properties, topology: &Topology) {
    if !topology.has_listeners() {
        return;
    }
    file.section(if topology.shares_work() {
        "Several MirrorMakers share the tasks of a target"
    } else {
        "With exactly-once support, MirrorMaker fences its own tasks this way"
    });
    file.set(
        "Without it, only the tasks that the first of them found at start are shared.",
        "dedicated.mode.enable.internal.rest",
        "true",
    );
    file.set("", "listeners", LISTENER);
    file.set(
        "By default a worker advertises its first address, which may be on the network of a source and is lost when that link is cut.",
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
            "Tasks that share the partitions, two for each MirrorMaker. Default 1, which leaves the other MirrorMakers nothing to copy.",
            &format!("{}.tasks.max", flow.name()),
            (workers * usize::from(TASKS_A_WORKER)).to_string(),
        );
    }
}

/// Writes in transactions, with the position in the same one: what a crash interrupts is aborted.
pub(super) fn exactly_once(file: &mut Properties, target: &Cluster) {
    if !target.exactly_once {
        return;
    }
    let name = &target.name;
    file.set(
        "Records and MirrorMaker's position are written in one transaction: consumers with isolation.level=read_committed see each record once. Default disabled.",
        &format!("{name}.exactly.once.source.support"),
        "enabled",
    );
    file.set(
        "What a killed MirrorMaker left open is aborted after this; until then consumers wait at it. Default 60 s.",
        &format!("{name}.producer.transaction.timeout.ms"),
        "10000",
    );
}

/// How soon a worker that was killed is missed, also by the one that replaces it: brokers allow no less.
pub(super) fn absence(file: &mut Properties, target: &Cluster) {
    let name = &target.name;
    file.set(
        "A killed MirrorMaker leaves its group only after this, and until then nothing is copied, even if it is back; brokers allow no less. Default 10 s, with a heartbeat every 3 s.",
        &format!("{name}.session.timeout.ms"),
        "6000",
    );
    file.set("", &format!("{name}.heartbeat.interval.ms"), "1500");
}
