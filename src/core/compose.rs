//! Renders the compose file of a lab: the same topology gives the same bytes.

mod broker;
mod delivery;
mod mirror;
mod networks;
mod relay;

pub use delivery::Delivery;

use crate::core::digest;
use crate::core::topology::{Broker, KafkaImage, Memory, Relay, Topology};
use delivery::{Config, Given};
use networks::Networks;
pub use networks::Place;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Label on everything that belongs to a lab; its value is the lab's name.
pub const LABEL_LAB: &str = "kmk.lab";
/// Label on everything that belongs to a lab: the version of its labels, see [`FORMAT`].
pub const LABEL_FORMAT: &str = "kmk.format";
/// Label on containers: the whole spec of the lab as JSON, as it was when the container was made.
pub const LABEL_SPEC: &str = "kmk.spec";
/// Label on containers: a digest of their own configuration, to recreate exactly what changed.
pub const LABEL_CONFIG: &str = "kmk.config";
/// Label on containers of a MirrorMaker whose batches are not full: their bytes at most.
pub const LABEL_BATCH: &str = "kmk.batch";
/// Label on the volume [`CLASSES`], which is no lab's.
pub const LABEL_CLASSES: &str = "kmk.classes";
/// The newest format of labels, raised when an older kmk could no longer understand them. Not kmk's own version: a
/// label that changed with every release would make compose recreate every container, and offer to delete the volumes.
///
/// Format 2 has existing clusters, images for each cluster, memory, groups, settings and addresses, and format 3 slow links and
/// exactly-once support, which an older kmk takes for damage. Only containers that say so carry it: other labs stay what every
/// kmk can read, and networks and volumes have nothing that changed.
pub const FORMAT: u32 = 3;
const SECOND_FORMAT: u32 = 2;
const FIRST_FORMAT: u32 = 1;

/// The volume in which MirrorMakers keep their class-data archives. It belongs to no lab and outlives them all: whoever
/// runs the compose file sees to it that it is there.
pub const CLASSES: &str = "kmk-classes";
/// The one of the image's volumes that holds records.
const DATA: &str = "/var/lib/kafka/data";
/// The image's other volumes; without a tmpfs each would become an anonymous volume.
const UNUSED_VOLUMES: [&str; 2] = ["/etc/kafka/secrets", "/mnt/shared/config"];
/// Quick to start and small, rather than best after an hour under load.
const JVM: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError";

/// A compose file, and what it says of each of its services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// The text of the file.
    pub text: String,
    /// What the containers of each service are made with.
    pub services: BTreeMap<String, RenderedService>,
}

/// What a container is made with, to be compared with the container as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedService {
    /// The digest of its configuration, which its [label](LABEL_CONFIG) has.
    pub digest: String,
    /// The networks that it is on.
    pub networks: Vec<Place>,
    /// Memory that it may take, in bytes.
    pub memory: u64,
}

#[derive(Serialize)]
struct File {
    name: String,
    services: BTreeMap<String, Service>,
    networks: BTreeMap<String, Resource>,
    volumes: BTreeMap<String, Resource>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    configs: BTreeMap<&'static str, Config>,
}

/// Whether a lab's MirrorMakers start from what earlier ones have loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassCache {
    /// Class-data archives are made and used, in the volume [`CLASSES`].
    Shared,
    /// The compose file needs nothing but itself.
    None,
}

#[derive(Serialize)]
struct Resource {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Service {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
    /// Without a value: as it is where compose runs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, Option<String>>,
    networks: Networks,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configs: Vec<Given>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tmpfs: Vec<&'static str>,
    cap_drop: [&'static str; 1],
    security_opt: [&'static str; 1],
    mem_limit: Mebibytes,
    pids_limit: u32,
    stop_grace_period: &'static str,
    logging: Logging,
    labels: BTreeMap<&'static str, String>,
}

/// Memory as compose has it: `512m`.
struct Mebibytes(u32);

impl Serialize for Mebibytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}m", self.0))
    }
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
pub fn render(
    topology: &Topology,
    delivery: Delivery<'_>,
    class_cache: ClassCache,
    properties: &str,
) -> Compose {
    let resource = || Resource {
        name: None,
        external: false,
        labels: common_labels(topology, FIRST_FORMAT),
    };
    let keeps = class_cache == ClassCache::Shared && !topology.mirrors.is_empty();
    let brokers = topology.clusters.iter().flat_map(|cluster| {
        let one = move |broker: &Broker| {
            (
                broker.service.clone(),
                broker::service(topology, cluster, broker),
            )
        };
        cluster.brokers.iter().map(one)
    });
    let mirrors = topology.mirrors.iter().flat_map(|mirror| {
        let one = move |worker: &String| {
            let mut service = mirror::service(topology, mirror, worker, delivery, properties);
            service.volumes.extend(keeps.then(mirror::class_cache));
            (worker.clone(), service)
        };
        mirror.workers.iter().map(one)
    });
    let links = topology.flows.iter().filter_map(|flow| flow.link.as_ref());
    let relays = links.flat_map(|link| {
        let one =
            move |relay: &Relay| (relay.service.clone(), relay::service(topology, link, relay));
        link.relays.iter().map(one)
    });
    let volumes = topology.clusters.iter().flat_map(|c| &c.brokers);
    let services: BTreeMap<String, Service> = brokers.chain(mirrors).chain(relays).collect();
    let networks = services
        .values()
        .flat_map(|service| service.networks.names());
    let kept = keeps.then(|| {
        let resource = Resource {
            name: Some(CLASSES),
            external: true,
            labels: BTreeMap::new(),
        };
        (mirror::CLASSES.to_owned(), resource)
    });
    let file = File {
        name: topology.project(),
        networks: networks.map(|name| (name.to_owned(), resource())).collect(),
        services,
        volumes: volumes
            .map(|broker| (broker.volume.clone(), resource()))
            .chain(kept)
            .collect(),
        configs: delivery.configs(&topology.mirrors, properties),
    };
    Compose {
        text: serde_yaml::to_string(&file).expect("plain maps and strings have no reason to fail"),
        services: file
            .services
            .iter()
            .map(|(name, one)| (name.clone(), one.config(topology, name)))
            .collect(),
    }
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
    let is_newest = spec.flows.iter().any(|flow| flow.link.is_some())
        || spec.clusters.iter().any(|cluster| cluster.exactly_once);
    match (is_newest, is_new) {
        (true, _) => FORMAT,
        (false, true) => SECOND_FORMAT,
        (false, false) => FIRST_FORMAT,
    }
}

/// A command that runs a script: its name comes first among the arguments.
fn script(text: &str, arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let words = ["bash", "-c", text].map(str::to_owned);
    let words = words.into_iter().chain(arguments);
    words.map(|word| escape(&word)).collect()
}

impl Service {
    /// What every container with a JVM has.
    fn new(memory: Memory, image: &KafkaImage) -> Self {
        let environment = BTreeMap::from([
            ("KAFKA_HEAP_OPTS".to_owned(), Some(memory.heap_options())),
            (
                "KAFKA_JVM_PERFORMANCE_OPTS".to_owned(),
                Some(JVM.to_owned()),
            ),
        ]);
        Self {
            environment,
            ..Self::bare(image.identity(), memory.container_mib)
        }
    }

    /// What every container of a lab has.
    fn bare(image: String, memory_mib: u32) -> Self {
        Self {
            image,
            user: None,
            command: Vec::new(),
            depends_on: Vec::new(),
            restart: None,
            ports: Vec::new(),
            environment: BTreeMap::new(),
            networks: Networks::List(Vec::new()),
            extra_hosts: Vec::new(),
            volumes: Vec::new(),
            configs: Vec::new(),
            tmpfs: Vec::new(),
            cap_drop: ["ALL"],
            security_opt: ["no-new-privileges:true"],
            mem_limit: Mebibytes(memory_mib),
            pids_limit: 1024,
            stop_grace_period: "5s",
            logging: Logging {
                driver: "json-file",
                options: BTreeMap::from([("max-size", "10m"), ("max-file", "3")]),
            },
            labels: BTreeMap::new(),
        }
    }

    fn config(&self, topology: &Topology, service: &str) -> RenderedService {
        RenderedService {
            digest: self.labels.get(LABEL_CONFIG).cloned().unwrap_or_default(),
            networks: self.networks.places(&topology.project(), service),
            memory: u64::from(self.mem_limit.0) << 20,
        }
    }

    /// Adds the labels, and the image as it is written; `mounted` is the text of the file that it mounts, or what else it
    /// is told once it runs.
    fn labelled(mut self, topology: &Topology, image: String, mounted: &str) -> Self {
        // where the mounted file is does not matter, only what it says
        let mut definition = serde_yaml::to_value(&self).unwrap_or_default();
        if let Some(map) = definition.as_mapping_mut() {
            map.remove("volumes");
        }
        let definition = serde_yaml::to_string(&definition).unwrap_or_default();
        let spec = serde_json::to_string(&topology.spec).unwrap_or_default();
        self.image = image;
        self.labels = common_labels(topology, format(topology));
        self.labels.insert(
            LABEL_CONFIG,
            digest::short(&(definition + &without_comments(mounted))),
        );
        self.labels.insert(LABEL_SPEC, escape(&spec));
        self
    }
}

/// The lines of a properties file that are not comments: rewording one is no reason to recreate a container.
fn without_comments(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Compose replaces `$NAME` in every value; `$$` stands for one `$`.
fn escape(value: &str) -> String {
    value.replace('$', "$$")
}
