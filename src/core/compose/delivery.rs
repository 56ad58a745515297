//! How MirrorMaker's properties file reaches its containers: mounted, or inside the compose file for a remote engine.

use super::{Mount, escape};
use crate::core::topology::Mirror;
use serde::Serialize;
use std::collections::BTreeMap;

/// What compose calls the file.
const NAME: &str = "mm2-properties";

/// How MirrorMaker's properties reach its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// Mounted from this path, as seen from the compose file: the engine shares this machine's files.
    Mount(&'a str),
    /// Inside the compose file, which compose copies from into each container (`configs:` with `content:`, from compose
    /// 2.23.1 on): the engine may be anywhere.
    Inline,
}

/// A file whose text stands in the compose file.
#[derive(Serialize)]
pub(super) struct Config {
    content: String,
}

/// Such a file, given to a service.
#[derive(Serialize)]
pub(super) struct Given {
    source: &'static str,
    target: &'static str,
}

/// What is special about a mount of a file of this machine.
#[derive(Serialize)]
pub(super) struct Bind {
    create_host_path: bool,
    selinux: &'static str,
}

impl Delivery<'_> {
    /// The files that the compose file holds itself.
    pub(super) fn configs(self, readers: &[Mirror], text: &str) -> BTreeMap<&'static str, Config> {
        if self != Self::Inline || readers.is_empty() {
            return BTreeMap::new();
        }
        let content = escape(text);
        BTreeMap::from([(NAME, Config { content })])
    }

    /// What mounts it at `target` in a service.
    pub(super) fn to(self, target: &'static str) -> (Vec<Mount>, Vec<Given>) {
        match self {
            Self::Mount(path) => {
                let mount = Mount {
                    r#type: "bind",
                    source: path.to_owned(),
                    target,
                    read_only: true,
                    bind: Some(Bind {
                        create_host_path: false,
                        selinux: "z",
                    }),
                };
                (vec![mount], Vec::new())
            }
            Self::Inline => {
                let source = NAME;
                (Vec::new(), vec![Given { source, target }])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::compose::{ClassCache, Compose, render};
    use crate::core::mirrormaker::config;
    use crate::core::spec::Spec;
    use crate::core::spec::sample::any_spec;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const MOUNTED: Delivery<'_> = Delivery::Mount("./mm2.properties");

    fn digests_of(compose: Compose) -> BTreeMap<String, String> {
        let services = compose.services.into_iter();
        services.map(|(name, one)| (name, one.digest)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn compose_reads_the_very_text_that_is_mounted_elsewhere(spec in any_spec()) {
            let topology = Topology::new(&spec);
            let properties = config::render(&topology);
            let text = render(&topology, Delivery::Inline, ClassCache::None, &properties).text;
            let file: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let content = file["configs"][NAME]["content"].as_str();
            prop_assert_eq!(content.is_some(), !topology.mirrors.is_empty());
            let Some(content) = content else { return Ok(()) };
            // every `$` is escaped, so that compose fills in nothing
            prop_assert!(!content.replace("$$", "").contains('$'));
            prop_assert_eq!(content.replace("$$", "$"), properties);
            prop_assert!(!text.contains("type: bind"));
            for worker in topology.mirrors.iter().flat_map(|mirror| &mirror.workers) {
                let given = &file["services"][worker.as_str()]["configs"][0];
                prop_assert_eq!(given["source"].as_str(), Some(NAME));
                prop_assert_eq!(given["target"].as_str(), Some("/mm2.properties"));
            }
        }
    }

    #[test]
    fn only_mirrors_are_recreated_when_the_delivery_or_a_setting_changes() {
        let topology = Topology::new(&scenario::dr("demo"));
        let digests =
            |delivery, text| digests_of(render(&topology, delivery, ClassCache::None, text));
        let before = digests(MOUNTED, "a = 1");
        assert_eq!(before, digests(Delivery::Mount("/elsewhere"), "a = 1"));
        assert_eq!(before, digests(MOUNTED, "# why\na = 1\n"));
        for after in [
            digests(Delivery::Inline, "a = 1"),
            digests(MOUNTED, "a = 2"),
        ] {
            let changed = before
                .iter()
                .filter(|(service, digest)| after[*service] != **digest);
            let changed: Vec<&String> = changed.map(|(service, _)| service).collect();
            assert_eq!(changed, ["mm2-secondary"]);
        }
        assert_ne!(
            digests(Delivery::Inline, "a = 1"),
            digests(Delivery::Inline, "a = 2")
        );
    }

    #[test]
    fn another_address_recreates_only_brokers() {
        let mut spec = scenario::dr("demo");
        let digests =
            |spec: &Spec| digests_of(render(&Topology::new(spec), MOUNTED, ClassCache::None, ""));
        let before = digests(&spec);
        spec.bind = Some("192.0.2.7".parse().unwrap());
        let after = digests(&spec);
        let changed = before
            .iter()
            .filter(|(service, digest)| after[*service] != **digest);
        let changed: Vec<&String> = changed.map(|(service, _)| service).collect();
        assert_eq!(changed, ["primary", "secondary"]);
    }

    #[test]
    fn ports_are_published_on_the_address_that_is_advertised() {
        for (address, shown) in [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "[2001:db8::7]")] {
            let mut spec = scenario::dr("demo");
            spec.bind = Some(address.parse().unwrap());
            let text = render(&Topology::new(&spec), MOUNTED, ClassCache::None, "").text;
            let file: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let primary = &file["services"]["primary"];
            let port = primary["ports"][0].as_str().unwrap();
            assert_eq!(port, format!("{shown}:19092:19092"));
            let advertised = &primary["environment"]["KAFKA_ADVERTISED_LISTENERS"];
            let outside = format!("INSIDE://primary:9092,OUTSIDE://{shown}:19092");
            assert_eq!(advertised.as_str(), Some(outside.as_str()));
            assert!(!text.contains("127.0.0.1"));
            assert_eq!(primary["labels"]["kmk.format"].as_str(), Some("2"));
        }
    }
}
