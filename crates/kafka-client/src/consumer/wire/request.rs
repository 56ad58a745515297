//! One request to one leader for the partitions it leads.

use super::cursor::Cursor;
use crate::cluster::metadata::topic_name;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a broker holds a fetch when there is nothing new. As soon as there is one byte it answers.
pub(super) const IDLE: Duration = Duration::from_millis(250);

/// How much is asked of one leader at once, in bytes. More is slower: it no longer fits the processor's cache when its
/// records are looked at (200 MB out of six partitions took 0.19 s so, 0.31 s by 32 MiB).
const TOTAL: i32 = 4 * 1024 * 1024;

/// The least that is asked of one partition, in bytes.
const LEAST: i32 = 256 * 1024;

/// How many bytes to ask of each of this many partitions.
pub(super) fn usual(partitions: usize) -> i32 {
    let partitions = i32::try_from(partitions.max(1)).unwrap_or(i32::MAX);
    (TOTAL / partitions).clamp(LEAST, TOTAL)
}

/// What is asked, and where each partition stood then.
#[derive(Debug, Default)]
pub(super) struct Requested {
    pub(super) offsets: BTreeMap<i32, i64>,
    /// Whether one partition is asked for alone, to learn whether anything is there.
    pub(super) is_alone: bool,
}

/// Asks for these partitions, those first that were not served for longest; for one alone where the broker showed
/// nothing of it beside others.
pub(super) fn request(
    topic: &str,
    mut cursors: Vec<&Cursor>,
    committed_only: bool,
) -> (FetchRequest, Requested) {
    let alone = cursors.iter().find(|cursor| cursor.is_blank());
    let is_alone = alone.is_some();
    if let Some(&alone) = alone {
        cursors = vec![alone];
    }
    cursors.sort_by_key(|cursor| cursor.served);
    let total = cursors
        .iter()
        .fold(0i32, |total, cursor| total.saturating_add(cursor.size));
    let largest = cursors.iter().map(|cursor| cursor.size).max();
    let partition = |cursor: &&Cursor| {
        FetchPartition::default()
            .with_partition(cursor.at.partition)
            .with_fetch_offset(cursor.at.next)
            .with_partition_max_bytes(cursor.size)
    };
    let partitions = cursors.iter().map(partition).collect();
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(partitions);
    let wait = if is_alone { Duration::ZERO } else { IDLE };
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(wait.as_millis()).unwrap_or(0))
        .with_min_bytes(1)
        .with_max_bytes(total.min(TOTAL).max(largest.unwrap_or(0)))
        .with_isolation_level(i8::from(committed_only))
        // no session: see the module's words
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let offsets = cursors.iter().map(|c| (c.at.partition, c.at.next));
    let wanted = Requested {
        offsets: offsets.collect(),
        is_alone,
    };
    (request, wanted)
}
