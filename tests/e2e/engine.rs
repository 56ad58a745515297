//! The Docker engine, asked and ordered about without kmk.

use crate::process::Ran;
use kafka_mirror_kit::core::topology::RelayImage;
use std::collections::BTreeSet;
use std::process::Command;

/// Runs docker with the words of a line, and returns what it printed.
#[track_caller]
pub(crate) fn docker(line: &str) -> String {
    docker_words(&line.split_whitespace().collect::<Vec<_>>(), b"")
}

#[track_caller]
pub(crate) fn docker_words(words: &[&str], input: &[u8]) -> String {
    let ran = Ran::of(Command::new("docker").args(words), input).code(0);
    ran.text().trim().to_owned()
}

/// The Kafka image that this engine has, as `dev/kafka-image.sh` would choose it.
pub(crate) fn kafka_image() -> String {
    image_of(kafka_mirror_kit::core::topology::KAFKA_VERSION)
}

/// The same, of another Kafka.
pub(crate) fn image_of(version: &str) -> String {
    here([
        format!("apache/kafka:{version}"),
        format!("kmk-kafka:{version}"),
    ])
}

/// The image of relays that this engine has, as `dev/toxiproxy-image.sh` would choose it.
pub(crate) fn relay_image() -> String {
    let (official, stand_in) = (RelayImage::name(), RelayImage::stand_in());
    here([official, stand_in])
}

/// The first of these that this engine has.
fn here(names: [String; 2]) -> String {
    let is_here = |name: &String| {
        let mut inspect = Command::new("docker");
        inspect.args(["image", "inspect", name]);
        inspect.output().is_ok_and(|output| output.status.success())
    };
    let looked_for = format!("{names:?}");
    let found = names.into_iter().find(is_here);
    found.unwrap_or_else(|| panic!("there is none of {looked_for}: run `make image`"))
}

/// Containers, networks and volumes, as `kind name`, that a filter lets through.
pub(crate) fn things(filter: &str) -> BTreeSet<String> {
    let lists = [
        ("container", "ps -a --format {{.Names}}"),
        ("network", "network ls --format {{.Name}}"),
        ("volume", "volume ls --format {{.Name}}"),
    ];
    lists
        .iter()
        .flat_map(|(kind, list)| {
            let mut command = Command::new("docker");
            command.args(list.split_whitespace());
            command.args(["--filter", filter]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{command:?}");
            let names = String::from_utf8(output.stdout).unwrap();
            let things = names.lines().map(|name| format!("{kind} {name}"));
            things.collect::<Vec<_>>()
        })
        .collect()
}

/// A container of the test's own, gone at the end.
pub(crate) struct Bystander(String);

impl Bystander {
    /// Makes and starts a container that does nothing.
    pub(crate) fn start(name: &str, flags: &str) -> Self {
        Self::make("run -d", name, flags)
    }

    /// Makes a container, and does not start it.
    pub(crate) fn create(name: &str, flags: &str) -> Self {
        Self::make("create", name, flags)
    }

    fn make(verb: &str, name: &str, flags: &str) -> Self {
        let _ = Command::new("docker").args(["rm", "-fv", name]).output();
        let image = kafka_image();
        docker(&format!(
            "{verb} --name {name} {flags} --entrypoint sleep {image} 600"
        ));
        Self(name.to_owned())
    }

    /// Its id and state.
    #[track_caller]
    pub(crate) fn state(&self) -> String {
        let format = "{{.Id}} {{.State.Status}} {{.State.StartedAt}}";
        docker_words(&["inspect", "--format", format, &self.0], b"")
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-fv", &self.0]).output();
    }
}
