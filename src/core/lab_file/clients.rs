//! Checks the client properties of existing clusters against Kafka's own definitions.
//!
//! MirrorMaker silently ignores unknown properties; but a custom class may read them, so they are only a warning.

use super::problem::What;
use crate::core::mirrormaker::lint::{MOST, has_own_code};
use crate::core::mirrormaker::settings::{
    Alternative, ClusterUse, Generation, KeyVerdict, Scope, known_for,
};
use crate::core::topology::{Cluster, Topology};
use std::collections::BTreeMap;

/// What looks wrong: a cluster, the name of a property of it, and why.
pub(super) fn judge(topology: &Topology) -> Vec<(usize, String, What)> {
    let mut warnings = Vec::new();
    for (index, cluster) in topology.clusters.iter().enumerate() {
        let Some(there) = cluster.existing() else {
            continue;
        };
        let properties = there.properties.iter();
        let properties: BTreeMap<&str, &str> = properties
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        if has_own_code(&properties) {
            continue;
        }
        let (place, kafka) = (
            Scope::Cluster(used(topology, cluster)),
            kafka(topology, cluster),
        );
        for key in properties.keys() {
            // to look for what was meant takes its time
            if warnings.len() >= MOST {
                return warnings;
            }
            let meant = match known_for(place, key, kafka) {
                KeyVerdict::Unknown { meant } => meant,
                KeyVerdict::Misplaced(alternatives) => alternatives,
                _ => continue,
            };
            let here = meant.into_iter().find_map(|right| match right {
                Alternative::Cluster(_, meant) if meant != **key => Some(meant),
                _ => None,
            });
            let what = What::IgnoredProperty {
                key: (*key).to_owned(),
                meant: here,
            };
            warnings.push((index, (*key).to_owned(), what));
        }
    }
    warnings
}

/// What the flows do with a cluster.
fn used(topology: &Topology, cluster: &Cluster) -> ClusterUse {
    let mut flows = topology.flows.iter();
    let is_written = flows.any(|flow| flow.spec.target == cluster.name);
    let mut flows = topology.flows.iter();
    ClusterUse {
        is_read: flows.any(|flow| flow.spec.source == cluster.name),
        is_written,
        has_worker: is_written,
    }
}

/// The Kafka of a MirrorMaker that joins it, if its image tells.
fn kafka(topology: &Topology, cluster: &Cluster) -> Option<Generation> {
    let mut mirrors = topology.mirrors.iter();
    let mirror = mirrors
        .find(|mirror| mirror.target == cluster.name || mirror.sources.contains(&cluster.name));
    mirror?.image.version().as_ref().map(Generation::of)
}
