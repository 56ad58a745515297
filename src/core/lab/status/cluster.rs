//! How a cluster is, from what its brokers answered.

use super::report::{Clients, ClusterStatus};
use super::workers;
use crate::core::judge::health;
use crate::core::lab::Lab;
use crate::core::observe::ClusterSnapshot;
use crate::core::topology::Cluster;
use kmk_kafka::{Abilities, Client, KafkaError};

impl ClusterSnapshot {
    pub(in crate::core::lab) fn status(&self, lab: &Lab, cluster: &Cluster) -> ClusterStatus {
        let problem = self.trouble(lab, cluster);
        ClusterStatus {
            name: cluster.name.clone(),
            healthy: problem.is_none(),
            degraded: problem.is_some() && self.goes_on(cluster),
            brokers_up: self.brokers_up,
            brokers: self.brokers,
            existing: cluster.existing().is_some(),
            access: self.access,
            topics: (self.brokers_up > 0).then(|| {
                let names = self.topics.keys();
                names.filter(|name| !lab.topology.is_internal(name)).count()
            }),
            bootstrap: cluster.bootstrap_outside(),
            clients: self.clients(cluster),
            problem,
        }
    }

    /// What is wrong with a cluster: its brokers first, and then what follows from that.
    fn trouble(&self, lab: &Lab, cluster: &Cluster) -> Option<String> {
        let silent = self.silent.iter().map(|(service, error)| {
            let why = match error {
                KafkaError::Unreachable { cause, .. } => cause.clone(),
                other => other.to_string(),
            };
            (service.as_str(), seat(lab, service), why)
        });
        let brokers = health::brokers(silent);
        let problem = brokers.or_else(|| self.problem.clone())?;
        let told = throttled(lab, cluster).into_iter();
        Some(told.chain([problem]).collect::<Vec<_>>().join("; "))
    }
}

/// What a container does instead of running.
fn seat(lab: &Lab, service: &str) -> Option<String> {
    match lab.container(service) {
        None => Some("has no container".to_owned()),
        Some(container) if container.is_running() => None,
        Some(container) => Some(container.state.describe()),
    }
}

/// The brokers of a cluster that may use only so much of a CPU.
pub(super) fn throttled(lab: &Lab, cluster: &Cluster) -> Vec<String> {
    let brokers = cluster.brokers.iter();
    let told = brokers.filter_map(|broker| {
        let container = lab.container(&broker.service)?;
        workers::throttle(&broker.service, container)
    });
    told.collect()
}

impl ClusterSnapshot {
    /// Which clients move plain records, as `produce` and `consume` would find out for themselves.
    fn clients(&self, cluster: &Cluster) -> Option<Clients> {
        let speaker = |keeps_time| {
            let version_0 = self.version_0?;
            let cluster = Abilities {
                version_0,
                keeps_time,
            };
            Some(Client::Auto.choose(&[], true, cluster).ok()?.name())
        };
        Some(Clients {
            produce: speaker(!cluster.stamps_time)?,
            consume: speaker(false)?,
        })
    }
}
