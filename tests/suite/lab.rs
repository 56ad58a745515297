//! A lab as docker tells of it: containers, networks and volumes that go when they are removed.

use crate::docker::Rule;
use serde_json::{Value, json};

/// What kmk would have made, or something near it.
#[derive(Debug, Clone)]
pub(crate) struct FakeLab {
    name: String,
    spec: Value,
    directory: String,
    format: String,
    containers: Vec<FakeContainer>,
    /// Names of networks and volumes.
    networks: Vec<String>,
    volumes: Vec<String>,
}

#[derive(Debug, Clone)]
struct FakeContainer {
    service: String,
    state: Value,
    ports: Vec<u16>,
    image: String,
    /// Digest of its configuration.
    config: String,
    /// The cluster whose network it was taken off.
    cut: Option<String>,
    /// Billionths of a CPU that it may use; 0 for no limit.
    nano_cpus: u64,
    memory: u64,
}

impl FakeLab {
    /// The default lab, all of it running, its files in the default directory of `work`.
    pub(crate) fn new(name: &str, work: &str, [primary, secondary]: [u16; 2]) -> Self {
        let cluster = |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
        let container = |service: &str, port: Option<u16>| FakeContainer {
            service: service.to_owned(),
            state: running(),
            ports: port.into_iter().collect(),
            image: "apache/kafka:3.9.2".to_owned(),
            config: "0000000000000000".to_owned(),
            cut: None,
            nano_cpus: 0,
            memory: 0,
        };
        Self {
            name: name.to_owned(),
            spec: json!({
                "lab": name,
                "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
                "flows": [{"source": "primary", "target": "secondary", "naming": "prefix"}],
            }),
            directory: format!("{work}/kmk-lab"),
            format: "1".to_owned(),
            containers: vec![
                container("mm2-secondary", None),
                container("primary", Some(primary)),
                container("secondary", Some(secondary)),
            ],
            networks: ["primary", "secondary"]
                .map(|n| format!("kmk-{name}_{n}"))
                .to_vec(),
            volumes: ["primary", "secondary"]
                .map(|n| format!("kmk-{name}_{n}-data"))
                .to_vec(),
        }
    }

    /// As if a kmk had made it whose labels have another format.
    pub(crate) fn format(mut self, format: &str) -> Self {
        format.clone_into(&mut self.format);
        self
    }

    /// As if `docker compose` had made its containers from a file that kmk wrote.
    pub(crate) fn made_from(mut self, compose: &str) -> Self {
        let file: serde_yaml::Value = serde_yaml::from_str(compose).unwrap();
        for container in &mut self.containers {
            let service = &file["services"][container.service.as_str()];
            let text = |value: &serde_yaml::Value| value.as_str().unwrap().to_owned();
            let image = text(&service["image"]);
            let default = image
                .split_once(":-")
                .map(|(_, rest)| rest.trim_end_matches('}'));
            default.unwrap_or(&image).clone_into(&mut container.image);
            let labels = &service["labels"];
            container.config = text(&labels["kmk.config"]);
            self.format = text(&labels["kmk.format"]);
            self.spec = serde_json::from_str(&text(&labels["kmk.spec"])).unwrap();
        }
        self
    }

    /// With containers that run another image than compose would take by itself.
    pub(crate) fn running(mut self, service: &str, image: &str) -> Self {
        let container = self.containers.iter_mut().find(|c| c.service == service);
        image.clone_into(&mut container.unwrap().image);
        self
    }

    /// With another description than a kmk would have given it.
    pub(crate) fn spec(mut self, spec: Value) -> Self {
        self.spec = spec;
        self
    }

    pub(crate) fn has(&self, service: &str) -> bool {
        self.containers.iter().any(|one| one.service == service)
    }

    /// A container that has ended.
    pub(crate) fn exited(self, service: &str, code: u8) -> Self {
        let ended = "2026-01-01T00:01:00Z";
        let state = json!({"Status": "exited", "ExitCode": code, "StartedAt": STARTED, "FinishedAt": ended});
        self.state(service, state)
    }

    /// A container in any state, as `docker inspect` words it.
    pub(crate) fn state(mut self, service: &str, state: Value) -> Self {
        let found = self
            .containers
            .iter_mut()
            .find(|container| container.service == service);
        found.unwrap().state = state;
        self
    }

    /// A container that was taken off the network of a cluster.
    pub(crate) fn cut(mut self, service: &str, cluster: &str) -> Self {
        self.of(service).cut = Some(cluster.to_owned());
        self
    }

    /// A container that may take only so many bytes of memory.
    pub(crate) fn memory(mut self, service: &str, bytes: u64) -> Self {
        self.of(service).memory = bytes;
        self
    }

    /// A container that may use only so many billionths of a CPU.
    pub(crate) fn nano_cpus(mut self, service: &str, nano_cpus: u64) -> Self {
        self.of(service).nano_cpus = nano_cpus;
        self
    }

    fn of(&mut self, service: &str) -> &mut FakeContainer {
        let mut containers = self.containers.iter_mut();
        containers.find(|c| c.service == service).unwrap()
    }

    /// Without the container of a service.
    pub(crate) fn without(mut self, service: &str) -> Self {
        self.containers
            .retain(|container| container.service != service);
        self
    }

    /// With more MirrorMakers, running.
    pub(crate) fn also(mut self, workers: &[&str]) -> Self {
        let like = self.containers[0].clone();
        self.containers
            .extend(workers.iter().map(|worker| FakeContainer {
                service: (*worker).to_owned(),
                ports: Vec::new(),
                ..like.clone()
            }));
        self
    }

    /// With a journal, by the number in its volume's name.
    pub(crate) fn journal(mut self, number: u32) -> Self {
        let volume = format!("kmk-{}_journal-{number}", self.name);
        self.volumes.push(volume);
        self
    }

    /// Without any container: its networks and volumes are still there.
    pub(crate) fn without_containers(mut self) -> Self {
        self.containers.clear();
        self
    }

    /// With a relay that publishes these ports, and a network of its own for its line; all containers are on it.
    pub(crate) fn relay(mut self, name: &str, ports: [u16; 2]) -> Self {
        self = self.also(&[name]);
        self.of(name).ports = ports.to_vec();
        self.networks.push(format!("kmk-{}_{name}", self.name));
        self
    }

    fn id(&self, container: &FakeContainer) -> String {
        format!("id-{}-{}", self.name, container.service)
    }

    fn labels(&self) -> Value {
        json!({"kmk.lab": self.name, "kmk.format": self.format})
    }

    fn container(&self, container: &FakeContainer) -> Value {
        let project = format!("kmk-{}", self.name);
        let mut labels = self.labels();
        labels["kmk.spec"] = self.spec.to_string().into();
        labels["kmk.config"] = container.config.clone().into();
        labels["com.docker.compose.project"] = project.clone().into();
        labels["com.docker.compose.service"] = container.service.clone().into();
        let file = format!("{}/docker-compose.yml", self.directory);
        labels["com.docker.compose.project.config_files"] = file.into();
        labels["com.docker.compose.project.working_dir"] = self.directory.clone().into();
        let mut bindings = serde_json::Map::new();
        for port in &container.ports {
            let binding = json!([{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]);
            bindings.insert(format!("{port}/tcp"), binding);
        }
        let networks: serde_json::Map<String, Value> = self
            .networks
            .iter()
            .filter(|name| {
                let cut = container.cut.as_ref();
                cut.is_none_or(|cluster| **name != format!("kmk-{}_{cluster}", self.name))
            })
            .map(|name| (name.clone(), json!({})))
            .collect();
        json!({
            "Id": self.id(container),
            "Name": format!("/{project}-{}-1", container.service),
            "Image": format!("sha256:{}-{}", self.name, container.service),
            "Created": "2026-01-01T00:00:00Z",
            "State": container.state,
            "Config": {"Image": container.image, "Labels": labels},
            "HostConfig": {"PortBindings": bindings, "NanoCpus": container.nano_cpus, "Memory": container.memory},
            "NetworkSettings": {"Networks": networks},
        })
    }

    /// What `docker container inspect` tells of all its containers.
    pub(crate) fn inspected(&self) -> String {
        let containers = self
            .containers
            .iter()
            .map(|container| self.container(container));
        Value::Array(containers.collect()).to_string()
    }

    /// Docker's answers about it.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let labelled = |names: &[String]| -> Vec<Value> {
            let one = |name| json!({"Name": name, "Labels": self.labels()});
            names.iter().map(one).collect()
        };
        let containers: Vec<Value> = self.containers.iter().map(|c| self.container(c)).collect();
        rules_of(
            &self.name,
            &containers,
            &labelled(&self.networks),
            &labelled(&self.volumes),
        )
    }
}

/// Docker's answers about a lab, from what `inspect` tells of each of its containers, networks and volumes.
pub(crate) fn rules_of(
    name: &str,
    containers: &[Value],
    networks: &[Value],
    volumes: &[Value],
) -> Vec<Rule> {
    let mut rules = listed(name, "ps", "container", "rm", containers);
    for container in containers {
        let id = text(container, "Id");
        rules.push(
            Rule::on(&format!("container inspect {id}")).says(&json!([container]).to_string()),
        );
        let bindings = container["HostConfig"]["PortBindings"].as_object();
        for port in bindings.into_iter().flatten().map(|(port, _)| port) {
            let port = port.trim_end_matches("/tcp");
            let list = format!("ps *--filter publish={port} --filter status=running");
            rules.push(Rule::on(&list).says(id).until("rm *"));
        }
    }
    rules.extend(listed(
        name,
        "network ls",
        "network",
        "network rm",
        networks,
    ));
    rules.extend(listed(name, "volume ls", "volume", "volume rm", volumes));
    rules
}

/// Listed and inspected until it is removed.
fn listed(lab: &str, list: &str, kind: &str, remove: &str, found: &[Value]) -> Vec<Rule> {
    if found.is_empty() {
        return Vec::new();
    }
    // of this lab: others on the engine stay
    let (key, gone) = match kind {
        "container" => ("Id", format!("{remove} *id-{lab}-*")),
        "volume" => ("Name", format!("{remove} *kmk-{lab}_*-data*")),
        _ => ("Name", format!("{remove} *kmk-{lab}_*")),
    };
    let ids: Vec<&str> = found.iter().map(|one| text(one, key)).collect();
    let filters = [
        format!("label=kmk.lab={lab}"),
        "label=kmk.lab".to_owned(),
        format!("label=com.docker.compose.project=kmk-{lab}"),
    ];
    let listings = filters.iter().map(|filter| {
        Rule::on(&format!("{list} *--filter {filter}"))
            .says(&(ids.join("\n") + "\n"))
            .until(&gone)
    });
    let inspect =
        Rule::on(&format!("{kind} inspect {}", ids.join(" "))).says(&json!(found).to_string());
    listings
        .chain([inspect, Rule::on(&format!("{remove}* {}", ids.join(" ")))])
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// Something in the compose project of the default lab that does not carry kmk's labels.
pub(crate) fn stranger(kind: &str) -> [Rule; 2] {
    let list = if kind == "container" {
        "ps"
    } else {
        &format!("{kind} ls")
    };
    let one = json!({
        "Id": "id-stranger", "Name": "stranger", "Created": "2026-01-01T00:00:00Z", "State": running(),
        "Config": {"Image": "nginx", "Labels": null}, "Labels": {"com.docker.compose.project": "kmk-demo"},
    });
    [
        Rule::on(&format!(
            "{list} *--filter label=com.docker.compose.project=kmk-demo"
        ))
        .says("id-stranger\n"),
        Rule::on(&format!("{kind} inspect id-stranger")).says(&json!([one]).to_string()),
    ]
}

const STARTED: &str = "2026-01-01T00:00:01Z";

fn running() -> Value {
    json!({"Status": "running", "ExitCode": 0, "StartedAt": STARTED, "FinishedAt": "0001-01-01T00:00:00Z"})
}
