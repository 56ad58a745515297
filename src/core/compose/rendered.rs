//! What a rendered compose file says of its services, read back from its text, so that there is one truth.

use std::collections::BTreeMap;

/// What a service's container has that somebody may take from it while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderedService {
    /// The networks that it is on, by docker's names.
    pub networks: Vec<String>,
    /// Memory that it may take, in bytes.
    pub memory: Option<u64>,
}

/// What each service has.
pub fn rendered_services(compose: &str) -> BTreeMap<String, RenderedService> {
    let file: serde_yaml::Value = serde_yaml::from_str(compose).unwrap_or_default();
    let project = file["name"].as_str().unwrap_or_default();
    let services = file["services"].as_mapping().into_iter().flatten();
    let one = |(name, service): (&serde_yaml::Value, &serde_yaml::Value)| {
        let networks = service["networks"].as_sequence().into_iter().flatten();
        let networks =
            networks.filter_map(|network| Some(format!("{project}_{}", network.as_str()?)));
        let limit = service["mem_limit"].as_str();
        let mebibytes = limit.and_then(|limit| limit.strip_suffix('m')?.parse::<u64>().ok());
        let written = RenderedService {
            networks: networks.collect(),
            memory: mebibytes.map(|number| number << 20),
        };
        Some((name.as_str()?.to_owned(), written))
    };
    services.filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::compose::{ClassCache, Delivery, render};
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    #[test]
    fn what_is_rendered_is_read_back() {
        let topology = Topology::new(&scenario::dr("demo"));
        let text = render(&topology, Delivery::Inline, ClassCache::None, "");
        let written = rendered_services(&text);
        assert_eq!(written.len(), 3);
        assert_eq!(written["primary"].networks, ["kmk-demo_primary"]);
        let both = ["kmk-demo_secondary", "kmk-demo_primary"];
        assert_eq!(written["mm2-secondary"].networks, both);
        assert_eq!(written["mm2-secondary"].memory, Some(512 << 20));
    }
}
