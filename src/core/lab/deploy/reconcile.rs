//! Merges a lab file with a running lab: what cannot be changed is refused, and what the file leaves open stays.

use crate::core::spec::{Problem, Spec};
use crate::core::topology::{Topology, default_port};
use std::collections::BTreeSet;

/// What is wanted of a lab that is there: its clusters and their brokers must be the same; ports that are left open
/// stay, and so does the address that they are published on.
pub(super) fn kept(mut wanted: Spec, there: &Topology) -> Result<Spec, Vec<Problem>> {
    let (old, new) = (there.spec.cluster_names(), wanted.cluster_names());
    if old.iter().collect::<BTreeSet<_>>() != new.iter().collect::<BTreeSet<_>>() {
        return Err(vec![Problem::OtherClusters {
            lab: wanted.lab,
            there: old,
            wanted: new,
        }]);
    }
    wanted.bind = wanted.bind.or(there.spec.bind);
    let mut problems = Vec::new();
    for (index, cluster) in (0u16..).zip(&mut wanted.clusters) {
        let Some(before) = there.cluster(&cluster.name) else {
            continue;
        };
        let existed = before.existing().is_some();
        if existed != cluster.is_existing() {
            problems.push(Problem::OtherOrigin {
                lab: wanted.lab.clone(),
                cluster: cluster.name.clone(),
                existed,
            });
            continue;
        }
        let brokers = u16::try_from(before.brokers.len()).unwrap_or(u16::MAX);
        if brokers != cluster.brokers {
            problems.push(Problem::OtherBrokers {
                lab: wanted.lab.clone(),
                cluster: cluster.name.clone(),
                there: brokers,
                wanted: cluster.brokers,
            });
        }
        let first = before.brokers.first().map(|broker| broker.outside.port);
        if cluster.port.is_none() {
            let was_given = there.spec.cluster(&cluster.name).and_then(|c| c.port);
            cluster.port = was_given.or(first.filter(|port| *port != default_port(index)));
        }
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario;

    #[test]
    fn clusters_and_brokers_stay_and_ports_that_are_left_open() {
        let mut before = scenario::dr("demo");
        before.clusters[0].port = Some(29092);
        let there = Topology::new(&before);
        let mut wanted = scenario::dr("demo");
        assert_eq!(
            kept(wanted.clone(), &there).unwrap().clusters[0].port,
            Some(29092)
        );
        wanted.clusters[0].port = Some(39092);
        assert_eq!(
            kept(wanted.clone(), &there).unwrap().clusters[0].port,
            Some(39092)
        );
        wanted.clusters.reverse();
        let ports = |spec: Spec| {
            Topology::new(&spec)
                .clusters
                .into_iter()
                .map(|c| c.bootstrap_outside())
        };
        assert_eq!(
            ports(kept(wanted.clone(), &there).unwrap()).collect::<Vec<_>>(),
            ["127.0.0.1:19192", "127.0.0.1:39092"]
        );
        wanted.clusters[0].brokers = 3;
        assert!(matches!(
            kept(wanted.clone(), &there).unwrap_err()[..],
            [Problem::OtherBrokers {
                there: 1,
                wanted: 3,
                ..
            }]
        ));
        wanted.clusters.push(ClusterSpec::new("third"));
        assert!(matches!(
            kept(wanted, &there).unwrap_err()[..],
            [Problem::OtherClusters { .. }]
        ));
    }
}
