//! An existing cluster: where it answers, and what its clients need.

use crate::core::spec::ClusterSpec;
use kmk_kafka::endpoint::Endpoint;
use serde::Serialize;
use std::collections::BTreeMap;

/// What containers call this machine; compose is told so, as only Docker Desktop has the name by itself.
pub const HOST: &str = "host.docker.internal";

/// Where a cluster comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// kmk makes it, and takes it away.
    Made,
    /// It existed before, and stays.
    Existing(Existing),
}

/// A cluster that kmk neither makes nor removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// Where it answers, as a person on this machine would write it.
    pub endpoints: Vec<Endpoint>,
    /// What MirrorMaker's clients need there, by Kafka's names.
    pub properties: BTreeMap<String, String>,
    /// Whether kmk's own clients are let in.
    pub access: Access,
}

/// Whether kmk's own clients, which speak PLAINTEXT and have no name, are let in. MirrorMaker's may be all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// They are, as far as is known.
    #[default]
    Open,
    /// A `security.protocol` is asked for that they do not speak.
    Secured,
}

impl Existing {
    pub(super) fn new(cluster: &ClusterSpec) -> Self {
        let is_locked = |(key, value): (&String, &String)| {
            key.ends_with("security.protocol") && !value.trim().eq_ignore_ascii_case("PLAINTEXT")
        };
        Self {
            endpoints: cluster
                .bootstrap
                .iter()
                .filter_map(|one| one.parse().ok())
                .collect(),
            properties: cluster.properties.clone(),
            access: if cluster.properties.iter().any(is_locked) {
                Access::Secured
            } else {
                Access::Open
            },
        }
    }

    /// Whether it is reached through an address of this machine itself.
    pub fn is_on_this_machine(&self) -> bool {
        self.endpoints.iter().any(Endpoint::is_loopback)
    }

    /// Where a container finds it: `localhost` is the container there.
    pub(super) fn inside(&self) -> Vec<Endpoint> {
        let inside = |endpoint: &Endpoint| {
            if endpoint.is_loopback() {
                Endpoint::new(HOST, endpoint.port)
            } else {
                endpoint.clone()
            }
        };
        self.endpoints.iter().map(inside).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kmk_is_let_in_unless_another_protocol_is_asked_for() {
        let access = |key: &str, value: &str| {
            let mut cluster = ClusterSpec::existing("a", &["h:1"]);
            cluster.properties.insert(key.to_owned(), value.to_owned());
            Existing::new(&cluster).access
        };
        assert_eq!(access("client.id", "x"), Access::Open);
        assert_eq!(access("security.protocol", "plaintext"), Access::Open);
        for locked in ["SASL_SSL", "SSL", "SASL_PLAINTEXT", "${env:PROTOCOL}"] {
            assert_eq!(access("security.protocol", locked), Access::Secured);
        }
        assert_eq!(access("admin.security.protocol", "SSL"), Access::Secured);
    }

    #[test]
    fn a_container_finds_this_machine_by_another_name() {
        let bootstrap = [
            "localhost:1",
            "127.0.0.1:2",
            "[::1]:3",
            "h.example:4",
            "[fd00::1]:5",
        ];
        let existing = Existing::new(&ClusterSpec::existing("a", &bootstrap));
        let inside: Vec<String> = existing.inside().iter().map(ToString::to_string).collect();
        assert_eq!(
            inside.join(","),
            "host.docker.internal:1,host.docker.internal:2,host.docker.internal:3,h.example:4,[fd00::1]:5"
        );
    }
}
