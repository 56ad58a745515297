//! Who leads what, as the crate's client has learnt it.

use crate::endpoint::Endpoint;
use kafka::client::KafkaClient;
use std::collections::BTreeSet;

/// Refreshes the metadata of every topic: the one call that never creates a topic.
pub(super) fn reload(client: &mut KafkaClient) -> kafka::Result<()> {
    // otherwise topics deleted since would stay
    client.reset_metadata();
    client.load_metadata_all()
}

/// How many partitions the client knows of a topic.
pub(super) fn partitions(client: &KafkaClient, topic: &str) -> usize {
    let topics = client.topics();
    topics.partitions(topic).map_or(0, |found| found.len())
}

/// The `host:port` of the broker that leads a partition, as far as the client knows.
pub(super) fn leader(client: &KafkaClient, topic: &str, partition: i32) -> Option<String> {
    let topics = client.topics();
    let partitions = topics.partitions(topic)?;
    let partition = partitions.partition(partition)?;
    partition.leader().map(|broker| broker.host().to_owned())
}

/// The brokers that lead a partition; the crate keeps the list of all of them to itself.
pub(super) fn brokers(client: &KafkaClient) -> Vec<Endpoint> {
    let leaders: BTreeSet<Endpoint> = client
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions().iter().collect::<Vec<_>>())
        .filter_map(|partition| partition.leader()?.host().parse().ok())
        .collect();
    leaders.into_iter().collect()
}
