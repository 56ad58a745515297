//! A lab of a test's own: its name, ports and directory; gone at the end, whatever the end.

use crate::engine::{docker_words, things};
use crate::kcat::Kcat;
use crate::process::{Ran, Running};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

pub(crate) const KMK: &str = env!("CARGO_BIN_EXE_kmk");

pub(crate) struct Lab {
    pub(crate) name: String,
    /// Where kmk runs.
    pub(crate) home: tempfile::TempDir,
    pub(crate) ports: [u16; 2],
}

impl Lab {
    /// One that is not deployed yet.
    pub(crate) fn new(theme: &str) -> Self {
        let lab = Self {
            name: format!("e2e-{theme}"),
            home: tempfile::tempdir().unwrap(),
            ports: [free_port(), free_port()],
        };
        println!("lab {}", lab.name);
        // of a run that was killed
        lab.take_away();
        lab
    }

    /// One that runs.
    #[track_caller]
    pub(crate) fn deployed(theme: &str, flags: &str) -> Self {
        let lab = Self::new(theme);
        lab.deploy(flags).code(0);
        lab
    }

    /// `kmk deploy` on this test's ports.
    pub(crate) fn deploy(&self, flags: &str) -> Ran {
        self.start(&self.deploy_line(flags)).finish()
    }

    pub(crate) fn deploy_line(&self, flags: &str) -> String {
        let [primary, secondary] = self.ports;
        format!("deploy --port primary={primary} --port secondary={secondary} {flags}")
    }

    /// `kmk` with the words of a line, and this lab.
    pub(crate) fn kmk(&self, line: &str) -> Ran {
        self.start(line).finish()
    }

    pub(crate) fn kmk_reading(&self, line: &str, input: &[u8]) -> Ran {
        Ran::of(&mut self.command(line), input)
    }

    pub(crate) fn kmk_in(&self, directory: &Path, line: &str) -> Ran {
        Ran::of(self.command(line).current_dir(directory), b"")
    }

    pub(crate) fn start(&self, line: &str) -> Running {
        Running::start(&mut self.command(line), b"")
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(KMK);
        command
            .args(line.split_whitespace())
            .args(["--lab", &self.name])
            .current_dir(self.home.path())
            .env_remove("KMK_DIR");
        command
    }

    /// A line for bash, in which `kmk` is this one, and `$LAB` names the lab.
    pub(crate) fn bash(&self, line: &str) -> Ran {
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("kmk() {{ \"{KMK}\" \"$@\"; }}; {line}")])
            .env("LAB", &self.name)
            .env_remove("KMK_DIR")
            .current_dir(self.home.path());
        Ran::of(&mut command, b"")
    }

    pub(crate) fn primary(&self) -> Kcat {
        Kcat(format!("127.0.0.1:{}", self.ports[0]))
    }

    pub(crate) fn secondary(&self) -> Kcat {
        Kcat(format!("127.0.0.1:{}", self.ports[1]))
    }

    /// The name of a service's container.
    pub(crate) fn container(&self, service: &str) -> String {
        format!("kmk-{}-{service}-1", self.name)
    }

    /// The names of all its containers, in order.
    pub(crate) fn whole(&self) -> [String; 3] {
        ["mm2-secondary", "primary", "secondary"].map(|service| self.container(service))
    }

    /// The name of a cluster's network.
    pub(crate) fn network(&self, cluster: &str) -> String {
        format!("kmk-{}_{cluster}", self.name)
    }

    /// What kmk wrote its files into.
    pub(crate) fn directory(&self) -> PathBuf {
        self.home.path().join(format!("kmk-lab-{}", self.name))
    }

    /// Ids of the running containers, by service.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        let format = "{{.Label \"com.docker.compose.service\"}} {{.ID}}";
        let label = format!("label=kmk.lab={}", self.name);
        let listed = docker_words(&["ps", "--filter", &label, "--format", format], b"");
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        pairs
            .map(|(service, id)| (service.to_owned(), id.to_owned()))
            .collect()
    }

    /// Containers, networks and volumes that carry the lab's label or are of its compose project.
    pub(crate) fn remains(&self) -> Vec<String> {
        let label = format!("label=kmk.lab={}", self.name);
        let project = format!("label=com.docker.compose.project=kmk-{}", self.name);
        let mut found = things(&label);
        found.extend(things(&project));
        found.into_iter().collect()
    }

    /// The volumes that its containers should mount, in order.
    pub(crate) fn volumes(&self) -> [String; 3] {
        let data = |cluster: &str| format!("kmk-{}_{cluster}-data", self.name);
        ["kmk-classes".to_owned(), data("primary"), data("secondary")]
    }

    /// The volumes that the lab's containers mount, anonymous ones too.
    pub(crate) fn mounted_volumes(&self) -> Vec<String> {
        let format = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}";
        let containers = self.remains().into_iter();
        let volumes = containers.filter_map(|thing| {
            let name = thing.strip_prefix("container ")?.to_owned();
            Some(docker_words(&["inspect", "--format", format, &name], b""))
        });
        let mut names: Vec<String> = volumes
            .flat_map(|line| {
                line.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        names.sort();
        names
    }

    /// Fails if anything is left: on the engine, or in the directory.
    #[track_caller]
    pub(crate) fn assert_gone(&self) {
        assert_eq!(self.remains(), Vec::<String>::new());
        let files: Vec<_> = self
            .home
            .path()
            .read_dir()
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files, Vec::<PathBuf>::new());
    }

    fn take_away(&self) {
        let _ = self.kmk("destroy");
        let remains = self.remains();
        if remains.is_empty() {
            return;
        }
        println!("kmk destroy left {remains:?}");
        for thing in remains {
            let _ = Command::new("docker")
                .args(thing.split(' ').take(1))
                .args(["rm", "-f"])
                .args(thing.split(' ').skip(1))
                .output();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// Kafka's own tool in a container: `bin` in /opt/kafka/bin, with the words of a line.
#[track_caller]
pub(crate) fn kafka_tool(container: &str, bin: &str, line: &str, input: &[u8]) -> String {
    let tool = format!("/opt/kafka/bin/{bin}");
    let mut words = vec!["exec", "-i", container, &tool];
    words.extend(line.split_whitespace());
    docker_words(&words, input)
}

/// A port that nobody listens on, and that no other test of this process was given: below those that systems hand out
/// by themselves.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 30_000;
    const COUNT: u16 = 2_700;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < COUNT, "no port is free");
        let port = FIRST + (offset + next) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
