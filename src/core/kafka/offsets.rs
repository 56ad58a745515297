//! Where partitions begin and end, and where groups stand. Knows nothing of records.

use super::code::Code;
use super::connection::Connection;
use super::error::KafkaError;
use super::metadata;
use crate::core::wait::Limit;
use kafka::client::{CommitOffset, FetchGroupOffset, FetchOffset};
use kafka::error::KafkaCode;
use std::collections::BTreeMap;

/// One of the two ends of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The first record that is still there.
    Earliest,
    /// Where the next record will go (the high watermark).
    Latest,
}

/// The offsets of all partitions of `topics`. A topic that is not there, and a partition without a leader, is left out.
pub(super) fn of_topics(
    connection: &mut Connection,
    topics: &[String],
    at: At,
    limit: &Limit,
) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
    let topics = topics.to_vec();
    let at = match at {
        At::Earliest => FetchOffset::Earliest,
        At::Latest => FetchOffset::Latest,
    };
    let found = connection.call("list offsets", limit, move |client| {
        let ready = |topic| metadata::known(client, topic).is_some_and(|info| info.is_ready());
        if !topics.iter().all(|topic| ready(topic)) {
            metadata::reload(client)?;
        }
        client.fetch_offsets(&topics, at)
    })?;
    Ok(found
        .into_iter()
        .flat_map(|(topic, partitions)| {
            partitions
                .into_iter()
                .map(move |found| ((topic.clone(), found.partition), found.offset))
        })
        .collect())
}

/// Where `group` stands in these partitions of `topic`; one that it never committed is left out.
pub(super) fn of_group(
    connection: &mut Connection,
    group: &str,
    topic: &str,
    partitions: Vec<i32>,
    limit: &Limit,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let doing = format!("tell where group `{group}` stands");
    let (group, topic) = (group.to_owned(), topic.to_owned());
    let found = connection.call(&doing, limit, move |client| {
        let asked = partitions
            .iter()
            .map(|&partition| FetchGroupOffset::new(&topic, partition));
        client.fetch_group_offsets(&group, asked)
    })?;
    Ok(found
        .into_values()
        .flatten()
        .filter(|found| found.offset >= 0)
        .map(|found| (found.partition, found.offset))
        .collect())
}

/// Notes that `group` has dealt with everything before these offsets. The group needs no members; if it has some
/// (a running consumer elsewhere), the broker refuses.
pub(super) fn commit(
    connection: &mut Connection,
    group: &str,
    topic: &str,
    offsets: BTreeMap<i32, i64>,
    limit: &Limit,
) -> Result<(), KafkaError> {
    let doing = format!("note where group `{group}` stands");
    let (group, topic) = (group.to_owned(), topic.to_owned());
    connection.call(&doing, limit, move |client| {
        if !client.topics().contains(&topic) {
            metadata::reload(client)?;
        }
        let all = offsets
            .iter()
            .map(|(&partition, &offset)| CommitOffset::new(&topic, partition, offset));
        client.commit_offsets(&group, all)
    })
}

/// The error for a partition that the broker no longer has.
pub(super) fn unknown(topic: &str, partition: i32) -> KafkaError {
    KafkaError::Refused {
        doing: format!("read partition {partition} of topic `{topic}`"),
        code: Code(KafkaCode::UnknownTopicOrPartition),
    }
}
