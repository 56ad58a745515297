//! The compose service of one MirrorMaker.

use super::{DATA, Delivery, LABEL_BATCH, Mount, Networks, Service, UNUSED_VOLUMES, relay, script};
use crate::core::topology::{
    Cluster, Existing, FULL_BATCH, HOST, Link, Mirror, Topology, WORKER_VARIABLE,
};

/// Where a MirrorMaker finds its properties.
const PROPERTIES: &str = "/mm2.properties";
const SCRIPT: &str = include_str!("mirror.sh");
/// What the script need not watch for where several share the work: a worker says so when the leader of its group has died,
/// and tries again until there is another. Restarting it would leave nobody.
const SAID_OF_THE_LEADER: &str = "|Failed to reconfigure connector";
/// What the compose file calls the volume of class-data archives: no cluster's volume has such a name.
pub(super) const CLASSES: &str = "classes";
/// Where a MirrorMaker has that volume: a directory of the image that belongs to its user, as the volume then does too,
/// and that nothing else uses.
const CLASSES_AT: &str = "/usr/logs";
/// The network of a MirrorMaker whose clusters all exist already; compose's own name for it.
const NO_CLUSTERS_NETWORK: &str = "default";

/// The mount of the volume of class-data archives.
pub(super) fn class_cache() -> Mount {
    Mount {
        r#type: "volume",
        source: CLASSES.to_owned(),
        target: CLASSES_AT,
        read_only: false,
        bind: None,
    }
}

pub(super) fn service(
    topology: &Topology,
    mirror: &Mirror,
    worker: &str,
    delivery: Delivery<'_>,
    properties: &str,
) -> Service {
    let joined: Vec<&Cluster> = [&mirror.target]
        .into_iter()
        .chain(&mirror.sources)
        .filter_map(|name| topology.cluster(name))
        .collect();
    let arguments = ["mirror".to_owned(), mirror.target.clone()];
    let mut service = Service::new(topology.memory, &mirror.image);
    let passed_on = mirror.variables.iter().map(|name| (name.clone(), None));
    service.environment.extend(passed_on);
    if topology.has_listeners() {
        let name = Some(worker.to_owned());
        service.environment.insert(WORKER_VARIABLE.to_owned(), name);
    }
    let text = match mirror.workers.len() {
        1 => SCRIPT.to_owned(),
        _ => SCRIPT.replace(SAID_OF_THE_LEADER, ""),
    };
    let dialled = joined.iter().map(|cluster| dialled(cluster));
    service.command = script(&text, arguments.into_iter().chain(dialled));
    service.depends_on = joined
        .iter()
        .flat_map(|cluster| &cluster.brokers)
        .map(|broker| broker.service.clone())
        .collect();
    service.restart = Some("on-failure");
    let made = joined.iter().filter(|cluster| cluster.existing().is_none());
    let mut networks: Vec<String> = made
        .map(|cluster| {
            topology
                .network_to(&cluster.name, &mirror.target)
                .to_owned()
        })
        .collect();
    if networks.is_empty() {
        networks.push(NO_CLUSTERS_NETWORK.to_owned());
    }
    service.networks = Networks::List(networks);
    let flows = topology.flows.iter();
    let links = flows.filter_map(|flow| {
        flow.link
            .as_ref()
            .filter(|_| flow.spec.target == mirror.target)
    });
    let links: Vec<&Link> = links.collect();
    let relays = links.iter().flat_map(|link| &link.relays);
    service
        .depends_on
        .extend(relays.map(|relay| relay.service.clone()));
    let mut there = joined.iter().filter_map(|cluster| cluster.existing());
    if there.any(Existing::is_on_this_machine) {
        // a broker there tells its clients to go to `localhost`, most likely: refused in the container itself, they try the
        // second address of the name (`client.dns.lookup`)
        service.extra_hosts = [HOST, "localhost"]
            .map(|name| format!("{name}:host-gateway"))
            .to_vec();
    }
    (service.volumes, service.configs) = delivery.to(PROPERTIES);
    service.tmpfs = [DATA].into_iter().chain(UNUSED_VOLUMES).collect();
    // it keeps to the relay that it knows: another one needs another MirrorMaker
    let shapes: String = links.into_iter().map(relay::shape).collect();
    let told = properties.to_owned() + &shapes;
    let mut service = service.labelled(topology, mirror.image.expression(), &told);
    if mirror.batch != FULL_BATCH {
        let batch = mirror.batch.to_string();
        service.labels.insert(LABEL_BATCH, batch);
    }
    service
}

/// A cluster's addresses as the script of MirrorMaker's container dials them: bash wants no brackets.
fn dialled(cluster: &Cluster) -> String {
    cluster.bootstrap_inside().replace(['[', ']'], "")
}
