//! The compose file of a lab. Pure: the same topology gives the same bytes. Knows nothing of what MirrorMaker's properties say.

mod delivery;

pub use delivery::Delivery;

use crate::core::digest;
use crate::core::spec::{self, Piece};
use crate::core::topology::{
    Broker, Cluster, Existing, HOST, KafkaImage, Memory, Mirror, Topology, WORKER_VARIABLE,
};
use delivery::{Config, Given};
use serde::Serialize;
use std::collections::BTreeMap;

/// Label on everything that belongs to a lab; its value is the lab's name.
pub const LABEL_LAB: &str = "kmk.lab";
/// Label on everything that belongs to a lab: the version of its labels, see [`FORMAT`].
pub const LABEL_FORMAT: &str = "kmk.format";
/// Label on containers: the whole spec of the lab as JSON, as it was when the container was made.
pub const LABEL_SPEC: &str = "kmk.spec";
/// Label on containers: a digest of their own configuration, to recreate exactly what changed.
pub const LABEL_CONFIG: &str = "kmk.config";
/// The newest format of labels, raised when an older kmk could no longer understand them. Not kmk's own version: a
/// label that changed with every release would make compose recreate every container, and offer to delete the volumes.
///
/// Format 2 has clusters with images of their own or that are there already, memory, groups, settings and addresses, which a kmk of format 1 takes for damage. Only containers
/// that say so carry it: other labs stay what every kmk can read, and networks and volumes have nothing that changed.
pub const FORMAT: u32 = 2;
const FIRST_FORMAT: u32 = 1;

/// Where a MirrorMaker finds its properties.
const PROPERTIES: &str = "/mm2.properties";
const MIRROR_SCRIPT: &str = include_str!("mirror.sh");
/// What the script need not heed where several share the work: a worker says so when the leader of its group has died,
/// and tries again until there is another. Starting it anew would leave nobody.
const SAID_OF_THE_LEADER: &str = "|Failed to reconfigure connector";
/// The one of the image's volumes that holds records.
const DATA: &str = "/var/lib/kafka/data";
/// The image's other volumes; without a tmpfs each would become an anonymous volume.
const UNUSED_VOLUMES: [&str; 2] = ["/etc/kafka/secrets", "/mnt/shared/config"];
/// The largest record batch that brokers take, in bytes (Kafka's default is 1 MiB).
pub const MAX_RECORD_BYTES: u32 = 16 * 1024 * 1024;
/// The network of a MirrorMaker all of whose clusters were there before; compose's own name for it.
const NO_CLUSTERS_NETWORK: &str = "default";
/// Quick to start and small, rather than best after an hour under load.
const JVM: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError";

#[derive(Serialize)]
struct File {
    name: String,
    services: BTreeMap<String, Service>,
    networks: BTreeMap<String, Resource>,
    volumes: BTreeMap<String, Resource>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    configs: BTreeMap<&'static str, Config>,
}

#[derive(Serialize)]
struct Resource {
    labels: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Service {
    image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
    /// Without a value: as it is where compose runs.
    environment: BTreeMap<String, Option<String>>,
    networks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configs: Vec<Given>,
    tmpfs: Vec<&'static str>,
    cap_drop: [&'static str; 1],
    security_opt: [&'static str; 1],
    mem_limit: String,
    pids_limit: u32,
    stop_grace_period: &'static str,
    logging: Logging,
    labels: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Mount {
    r#type: &'static str,
    source: String,
    target: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bind: Option<delivery::Bind>,
}

#[derive(Serialize)]
struct Logging {
    driver: &'static str,
    options: BTreeMap<&'static str, &'static str>,
}

/// The compose file; `properties`, the text for every MirrorMaker, reaches them as `delivery` says.
pub fn render(topology: &Topology, delivery: Delivery<'_>, properties: &str) -> String {
    let resource = || Resource {
        labels: common_labels(topology, FIRST_FORMAT),
    };
    let brokers = topology.clusters.iter().flat_map(|cluster| {
        let one = move |broker: &Broker| {
            (
                broker.service.clone(),
                broker_service(topology, cluster, broker),
            )
        };
        cluster.brokers.iter().map(one)
    });
    let mirrors = topology.mirrors.iter().flat_map(|mirror| {
        let one = move |worker: &String| {
            let service = mirror_service(topology, mirror, worker, delivery, properties);
            (worker.clone(), service)
        };
        mirror.workers.iter().map(one)
    });
    let volumes = topology.clusters.iter().flat_map(|c| &c.brokers);
    let services: BTreeMap<String, Service> = brokers.chain(mirrors).collect();
    let networks = services.values().flat_map(|service| &service.networks);
    let file = File {
        name: topology.project(),
        networks: networks.map(|name| (name.clone(), resource())).collect(),
        services,
        volumes: volumes
            .map(|broker| (broker.volume.clone(), resource()))
            .collect(),
        configs: delivery.configs(&topology.mirrors, properties),
    };
    serde_yaml::to_string(&file).expect("plain maps and strings have no reason to fail")
}

/// The digest on each service's container, as [`render`] writes it: read back from the rendered text, so that there is one truth.
pub fn config_digests(compose: &str) -> BTreeMap<String, String> {
    let file: serde_yaml::Value = serde_yaml::from_str(compose).unwrap_or_default();
    let services = file["services"].as_mapping().into_iter().flatten();
    let digest = |(name, service): (&serde_yaml::Value, &serde_yaml::Value)| {
        let digest = service["labels"][LABEL_CONFIG].as_str()?;
        Some((name.as_str()?.to_owned(), digest.to_owned()))
    };
    services.filter_map(digest).collect()
}

fn common_labels(topology: &Topology, format: u32) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (LABEL_LAB, topology.spec.lab.clone()),
        (LABEL_FORMAT, format.to_string()),
    ])
}

/// The oldest format that can say what the containers' labels say.
fn format(topology: &Topology) -> u32 {
    let spec = &topology.spec;
    let mut clusters = spec.clusters.iter();
    let mut flows = spec.flows.iter();
    let is_new = spec.memory.is_some()
        || spec.bind.is_some()
        || clusters.any(|cluster| {
            cluster.image.is_some()
                || cluster.mirrormakers.is_some()
                || !cluster.settings.is_empty()
                || cluster.is_existing()
        })
        || flows.any(|flow| !flow.groups.is_empty() || !flow.settings.is_empty());
    if is_new { FORMAT } else { FIRST_FORMAT }
}

fn broker_service(topology: &Topology, cluster: &Cluster, broker: &Broker) -> Service {
    let mut service = Service::new(topology.memory, &cluster.image);
    service.ports = vec![format!("{}:{}", broker.outside, broker.outside.port)];
    service
        .environment
        .extend(broker_environment(cluster, broker));
    service.networks = vec![cluster.name.clone()];
    service.volumes = vec![Mount {
        r#type: "volume",
        source: broker.volume.clone(),
        target: DATA,
        read_only: false,
        bind: None,
    }];
    service.tmpfs = UNUSED_VOLUMES.to_vec();
    service.labelled(topology, &cluster.image, "")
}

fn broker_environment(cluster: &Cluster, broker: &Broker) -> BTreeMap<String, Option<String>> {
    let replicas = cluster.replication_factor.to_string();
    let in_sync = if cluster.replication_factor > 2 {
        "2"
    } else {
        "1"
    };
    let stamp = if cluster.stamps_time {
        "LogAppendTime"
    } else {
        "CreateTime"
    };
    let settings = [
        ("node.id", broker.node_id.to_string()),
        ("process.roles", "broker,controller".to_owned()),
        ("controller.quorum.voters", cluster.quorum()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "listeners",
            format!(
                "INSIDE://:{},OUTSIDE://:{},CONTROLLER://:9093",
                broker.inside.port, broker.outside.port
            ),
        ),
        (
            "advertised.listeners",
            format!("INSIDE://{},OUTSIDE://{}", broker.inside, broker.outside),
        ),
        (
            "listener.security.protocol.map",
            "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        ),
        ("inter.broker.listener.name", "INSIDE".to_owned()),
        ("log.dirs", format!("{DATA}/kmk")),
        ("num.partitions", cluster.partitions.to_string()),
        ("default.replication.factor", replicas.clone()),
        ("min.insync.replicas", in_sync.to_owned()),
        ("message.max.bytes", MAX_RECORD_BYTES.to_string()),
        ("replica.fetch.max.bytes", MAX_RECORD_BYTES.to_string()),
        ("log.message.timestamp.type", stamp.to_owned()),
        // a broker that was killed is let in again once its old session has ended: after 9 s by default
        ("broker.session.timeout.ms", "2000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        // fewer partitions and no waiting: a lab starts faster
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("offsets.topic.replication.factor", replicas.clone()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("transaction.state.log.replication.factor", replicas),
        ("transaction.state.log.min.isr", in_sync.to_owned()),
        // 128 MiB of heap by default, for a cleaner that has little to clean
        (
            "log.cleaner.dedupe.buffer.size",
            (4 * 1024 * 1024).to_string(),
        ),
    ];
    let own = settings.iter().map(|(key, value)| (*key, escape(value)));
    let asked_for = cluster.settings.iter();
    // the last one counts
    own.chain(asked_for.map(|(key, value)| (key.as_str(), resolved(value))))
        .map(|(key, value)| (variable(key), Some(value)))
        .chain([("CLUSTER_ID".to_owned(), Some(cluster.id.clone()))])
        .collect()
}

fn mirror_service(
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
    if topology.shares_work() {
        let name = Some(worker.to_owned());
        service.environment.insert(WORKER_VARIABLE.to_owned(), name);
    }
    let script = match mirror.workers.len() {
        1 => MIRROR_SCRIPT.to_owned(),
        _ => MIRROR_SCRIPT.replace(SAID_OF_THE_LEADER, ""),
    };
    service.command = ["bash", "-c", &script]
        .map(str::to_owned)
        .into_iter()
        .chain(arguments)
        .chain(joined.iter().map(|cluster| dialled(cluster)))
        .map(|word| escape(&word))
        .collect();
    service.depends_on = joined
        .iter()
        .flat_map(|cluster| &cluster.brokers)
        .map(|broker| broker.service.clone())
        .collect();
    service.restart = Some("on-failure");
    let made = joined.iter().filter(|cluster| cluster.existing().is_none());
    service.networks = made.map(|cluster| cluster.name.clone()).collect();
    if service.networks.is_empty() {
        service.networks.push(NO_CLUSTERS_NETWORK.to_owned());
    }
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
    service.labelled(topology, &mirror.image, properties)
}

/// A cluster's addresses as the script of MirrorMaker's container dials them: bash wants no brackets.
fn dialled(cluster: &Cluster) -> String {
    cluster.bootstrap_inside().replace(['[', ']'], "")
}

impl Service {
    /// What every container of a lab has.
    fn new(memory: Memory, image: &KafkaImage) -> Self {
        Self {
            image: image.identity(),
            command: Vec::new(),
            depends_on: Vec::new(),
            restart: None,
            ports: Vec::new(),
            environment: BTreeMap::from([
                ("KAFKA_HEAP_OPTS".to_owned(), Some(memory.heap_options())),
                (
                    "KAFKA_JVM_PERFORMANCE_OPTS".to_owned(),
                    Some(JVM.to_owned()),
                ),
            ]),
            networks: Vec::new(),
            extra_hosts: Vec::new(),
            volumes: Vec::new(),
            configs: Vec::new(),
            tmpfs: Vec::new(),
            cap_drop: ["ALL"],
            security_opt: ["no-new-privileges:true"],
            mem_limit: format!("{}m", memory.container_mib),
            pids_limit: 1024,
            stop_grace_period: "5s",
            logging: Logging {
                driver: "json-file",
                options: BTreeMap::from([("max-size", "10m"), ("max-file", "3")]),
            },
            labels: BTreeMap::new(),
        }
    }

    /// Adds the labels, and the image as it is written; `mounted` is the text of the file that it mounts.
    fn labelled(mut self, topology: &Topology, image: &KafkaImage, mounted: &str) -> Self {
        // where the mounted file lies is no part of what it says
        let mut definition = serde_yaml::to_value(&self).unwrap_or_default();
        if let Some(map) = definition.as_mapping_mut() {
            map.remove("volumes");
        }
        let definition = serde_yaml::to_string(&definition).unwrap_or_default();
        let spec = serde_json::to_string(&topology.spec).unwrap_or_default();
        self.image = image.expression();
        self.labels = common_labels(topology, format(topology));
        self.labels
            .insert(LABEL_CONFIG, digest::short(&(definition + mounted)));
        self.labels.insert(LABEL_SPEC, escape(&spec));
        self
    }
}

/// The variable that the image makes a broker's setting of: it reads `_` as `.`, `__` as `_` and `___` as `-`.
fn variable(key: &str) -> String {
    let key = key.replace('_', "__").replace('-', "___");
    format!("KAFKA_{}", key.replace('.', "_").to_uppercase())
}

/// A setting's value as compose fills it in: references to the environment are its own, and an empty one is refused.
fn resolved(value: &str) -> String {
    let one = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => escape(text),
        Piece::Variable(name) => format!("${{{name}:?}}"),
    };
    let pieces = spec::pieces(value).unwrap_or_else(|_| vec![Piece::Text(value)]);
    pieces.iter().map(one).collect()
}

/// Compose replaces `$NAME` in every value; `$$` stands for one `$`.
fn escape(value: &str) -> String {
    value.replace('$', "$$")
}
