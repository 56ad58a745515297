//! Containers, volumes and networks, parsed from docker's JSON.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Compose's own label for the project.
const PROJECT: &str = "com.docker.compose.project";
/// Compose's own label for the service.
const SERVICE: &str = "com.docker.compose.service";
/// Compose's own label for the files that it read, separated by commas.
const FILES: &str = "com.docker.compose.project.config_files";
/// Compose's own label for the directory of the first of them: a comma in it is one of its name.
const DIRECTORY: &str = "com.docker.compose.project.working_dir";

/// With what a JVM ends that was told to with `-XX:+ExitOnOutOfMemoryError`.
const JAVA_OUT_OF_MEMORY: i64 = 3;

type Labels = BTreeMap<String, String>;

/// One container, from `docker container inspect`.
#[derive(Debug, Clone, Deserialize)]
pub struct Container {
    /// The whole id.
    #[serde(rename = "Id")]
    pub id: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Image", default)]
    image_id: Option<String>,
    /// When it was made, as RFC 3339 in UTC; sorts by time.
    #[serde(rename = "Created")]
    pub created: String,
    /// What it is doing.
    #[serde(rename = "State")]
    pub state: State,
    #[serde(rename = "Config")]
    config: Config,
    #[serde(rename = "HostConfig", default)]
    host: HostConfig,
    #[serde(rename = "NetworkSettings", default)]
    network: NetworkSettings,
}

/// What a container is doing.
#[derive(Debug, Clone, Deserialize)]
pub struct State {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    #[serde(rename = "Status")]
    pub status: String,
    /// Of the last run.
    #[serde(rename = "ExitCode", default)]
    pub exit_code: i64,
    /// Whether the kernel ended it for want of memory.
    #[serde(rename = "OOMKilled", default)]
    pub out_of_memory: bool,
    /// What docker says of a container that it could not start.
    #[serde(rename = "Error", default)]
    pub error: String,
    /// As RFC 3339 in UTC.
    #[serde(rename = "StartedAt", default)]
    pub started_at: String,
    /// As RFC 3339 in UTC.
    #[serde(rename = "FinishedAt", default)]
    pub finished_at: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Config {
    #[serde(rename = "Image")]
    image: String,
    #[serde(rename = "Labels", default)]
    labels: Option<Labels>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct NetworkSettings {
    #[serde(rename = "Networks", default)]
    networks: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct HostConfig {
    #[serde(rename = "PortBindings", default)]
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
    /// Billionths of a CPU; 0 where there is no limit.
    #[serde(rename = "NanoCpus", default)]
    nano_cpus: u64,
    /// Bytes; 0 where there is no limit.
    #[serde(rename = "Memory", default)]
    memory: u64,
}

#[derive(Debug, Clone, Deserialize)]
struct Binding {
    #[serde(rename = "HostIp", default)]
    address: String,
    #[serde(rename = "HostPort", default)]
    port: String,
}

impl State {
    /// Whether it ended as a JVM does that is out of memory, if what runs in it never does so itself.
    pub fn is_java_out_of_memory(&self) -> bool {
        self.status == "exited" && self.exit_code == JAVA_OUT_OF_MEMORY
    }

    /// What it is doing, in words that follow the container's name.
    pub fn describe(&self) -> String {
        let why = if self.out_of_memory {
            " (out of memory)"
        } else {
            ""
        };
        match self.status.as_str() {
            "exited" | "dead" => format!("has exited with code {}{why}", self.exit_code),
            "created" if self.error.is_empty() => "was created but never started".to_owned(),
            "created" => format!("could not be started: {}", self.error),
            "running" => "runs".to_owned(),
            other => format!("is {other}"),
        }
    }
}

impl Container {
    /// Its name, without docker's leading slash.
    pub fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// The image that it was made from, as it was named then.
    pub fn image(&self) -> &str {
        &self.config.image
    }

    /// The id of that image, such as `sha256:…`, where docker tells it.
    pub fn image_id(&self) -> Option<&str> {
        self.image_id.as_deref()
    }

    /// The label of that name.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// Its compose service; its name where compose did not make it.
    pub fn service(&self) -> &str {
        self.label(SERVICE).unwrap_or_else(|| self.name())
    }

    /// Its compose project.
    pub fn project(&self) -> Option<&str> {
        self.label(PROJECT)
    }

    /// The compose file that it was made from.
    pub fn compose_file(&self) -> Option<&str> {
        let files = self.label(FILES)?;
        let directory = self.label(DIRECTORY).unwrap_or_default();
        let name = files.strip_prefix(directory).unwrap_or(files);
        let end = name
            .find(',')
            .map_or(files.len(), |at| files.len() - name.len() + at);
        files.get(..end)
    }

    /// Whether it runs and is not paused.
    pub fn is_running(&self) -> bool {
        self.state.status == "running"
    }

    /// The CPUs that it may use at once, where they are limited (`docker update --cpus`).
    pub fn cpus(&self) -> Option<f64> {
        let thousandths = u32::try_from(self.host.nano_cpus / 1_000_000).ok()?;
        (thousandths > 0).then(|| f64::from(thousandths) / 1000.0)
    }

    /// The bytes of memory that it may take, where they are limited.
    pub fn memory(&self) -> Option<u64> {
        (self.host.memory > 0).then_some(self.host.memory)
    }

    /// Whether others on a network find it by that name, as far as docker tells.
    pub fn is_called(&self, alias: &str, network: &str) -> bool {
        let networks = self.network.networks.as_ref();
        let Some(aliases) = networks.and_then(|all| all.get(network)?.get("Aliases")) else {
            return true;
        };
        let mut aliases = aliases.as_array().into_iter().flatten();
        aliases.any(|one| one.as_str() == Some(alias))
    }

    /// The networks that it is on.
    pub fn networks(&self) -> impl Iterator<Item = &str> {
        self.network
            .networks
            .iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// Whether it holds its ports: it runs, or is paused, or about to run again.
    pub fn is_up(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state.status.as_str())
    }

    /// Whether it publishes `port` on the laptop once it runs.
    pub fn publishes(&self, port: u16) -> bool {
        self.ports().any(|published| published == port)
    }

    /// Whether it publishes `port` on that address, or on all of them.
    pub fn publishes_on(&self, address: IpAddr, port: u16) -> bool {
        let is_meant = |binding: &Binding| {
            let on = binding.address.parse::<IpAddr>().ok();
            let is_there = on.is_none_or(|on| on == address || on.is_unspecified());
            is_there && binding.port.parse() == Ok(port)
        };
        self.bindings().any(is_meant)
    }

    /// The ports that it publishes on the laptop once it runs.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.bindings()
            .filter_map(|binding| binding.port.parse().ok())
    }

    fn bindings(&self) -> impl Iterator<Item = &Binding> {
        let ports = self.host.ports.iter().flatten();
        ports.flat_map(|(_, bindings)| bindings.iter().flatten())
    }
}

/// A volume or a network, from `docker … inspect`.
#[derive(Debug, Clone, Deserialize)]
pub struct Labelled {
    /// Its name.
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "Labels", default)]
    labels: Option<Labels>,
    #[serde(rename = "Containers", default)]
    containers: Option<BTreeMap<String, Member>>,
}

/// A container on a network.
#[derive(Debug, Clone, Deserialize)]
struct Member {
    #[serde(rename = "Name", default)]
    name: String,
}

impl Labelled {
    /// The label of that name.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.as_ref()?.get(name).map(String::as_str)
    }
}

impl Labelled {
    /// The containers on a network that run: ids and names.
    pub fn containers(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.containers.iter().flatten();
        members.map(|(id, member)| (id.as_str(), member.name.as_str()))
    }
}

/// The filter for everything with a label.
pub(crate) fn labelled(name: &str, value: &str) -> String {
    format!("label={name}={value}")
}

/// The filter for everything that compose made for a project.
pub(crate) fn in_project(project: &str) -> String {
    labelled(PROJECT, project)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made_from(files: &str, directory: Option<&str>) -> Container {
        let labels = json!({FILES: files, DIRECTORY: directory.unwrap_or_default()});
        let container = json!({
            "Id": "1", "Name": "/a", "Created": "", "State": {"Status": "running"},
            "Config": {"Image": "i", "Labels": labels},
        });
        serde_json::from_value(container).unwrap()
    }

    #[test]
    fn a_comma_in_a_directory_belongs_to_its_name() {
        for (files, directory, first) in [
            ("/d/a,b/c.yml", Some("/d/a,b"), "/d/a,b/c.yml"),
            (
                "/d/a,b/c.yml,/d/a,b/more.yml",
                Some("/d/a,b"),
                "/d/a,b/c.yml",
            ),
            ("/d/c.yml,/e/more.yml", Some("/d"), "/d/c.yml"),
            ("/d/c.yml,/e/more.yml", None, "/d/c.yml"),
            ("/d/c.yml", Some("/elsewhere"), "/d/c.yml"),
        ] {
            assert_eq!(made_from(files, directory).compose_file(), Some(first));
        }
    }
}
