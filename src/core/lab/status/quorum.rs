//! Whether a cluster does all its work with fewer brokers than it should have.

use crate::core::observe::ClusterSnapshot;
use crate::core::topology::Cluster;
use kmk_kafka::{PartitionInfo, TopicInfo};
use std::collections::BTreeSet;

impl ClusterSnapshot {
    /// Whether the brokers that answer are enough for everything: to vote, and to lead and keep every partition.
    pub(super) fn goes_on(&self, cluster: &Cluster) -> bool {
        let is_silent = |service: &str| self.silent.iter().any(|(silent, _)| silent == service);
        let brokers = cluster.brokers.iter();
        let silent = brokers.filter(|broker| is_silent(&broker.service));
        let silent: BTreeSet<i32> = silent.map(|broker| i32::from(broker.node_id)).collect();
        self.problem.is_none()
            && self.brokers_up * 2 > self.brokers
            && self.topics.values().all(|topic| is_served(topic, &silent))
    }
}

/// Whether each partition is led by a broker that answers, with as many replicas in sync as a lab's brokers want for a
/// record that all of them acknowledge.
fn is_served(topic: &TopicInfo, silent: &BTreeSet<i32>) -> bool {
    let is_kept = |partition: &PartitionInfo| {
        let in_sync = partition.in_sync.iter();
        let in_sync = in_sync.filter(|broker| !silent.contains(broker)).count();
        in_sync >= if partition.replicas.len() > 2 { 2 } else { 1 }
    };
    let is_led = |partition: &PartitionInfo| {
        partition
            .leader
            .is_some_and(|leader| !silent.contains(&leader))
    };
    topic
        .partitions
        .iter()
        .all(|one| is_led(one) && is_kept(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario::Scenario;
    use crate::core::topology::Topology;
    use kmk_kafka::KafkaError;

    fn partition(leader: Option<i32>, replicas: &[i32], in_sync: &[i32]) -> TopicInfo {
        let partition = PartitionInfo {
            id: 0,
            leader,
            replicas: replicas.to_vec(),
            in_sync: in_sync.to_vec(),
        };
        TopicInfo {
            partitions: vec![partition],
            ..TopicInfo::default()
        }
    }

    #[test]
    fn one_of_three_brokers_may_be_missed_where_no_partition_misses_it() {
        let topology = Topology::new(&Scenario::Ha.spec("demo"));
        let cluster = &topology.clusters[0];
        let goes_on = |silent: &[usize], topic: TopicInfo| {
            let refused = |at: &usize| {
                let service = cluster.brokers[*at].service.clone();
                let cluster = service.clone();
                (service, KafkaError::NoLogin { cluster })
            };
            let seen = ClusterSnapshot {
                brokers: 3,
                brokers_up: 3 - silent.len(),
                silent: silent.iter().map(refused).collect(),
                topics: [("orders".to_owned(), topic)].into(),
                ..ClusterSnapshot::default()
            };
            seen.goes_on(cluster)
        };
        let all = [1, 2, 3];
        assert!(goes_on(&[0], partition(Some(2), &all, &[2, 3])));
        // not noticed yet
        assert!(!goes_on(&[0], partition(Some(1), &all, &all)));
        assert!(goes_on(&[0], partition(Some(2), &all, &all)));
        assert!(!goes_on(&[0], partition(None, &[1], &[1])));
        assert!(!goes_on(&[0], partition(Some(2), &all, &[2])));
        assert!(goes_on(&[0], partition(Some(2), &[1, 2], &[2])));
        assert!(!goes_on(&[0, 1], partition(Some(3), &all, &[3])));
    }
}
