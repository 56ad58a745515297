//! What a look makes of answers. No broker is needed for most of that.

use super::{Aborted, Cluster, FetchRequest, Limit, PartitionData, Range, look};
use crate::core::endpoint::Endpoint;
use crate::core::kafka::batch::Batch;
use crate::core::kafka::compression::Compression;
use crate::core::kafka::metadata::{PartitionInfo, TopicInfo};
use crate::core::kafka::wire::batch::encode;
use crate::core::kafka::wire::scripted::{Asked, Reply, broker};
use crate::core::wait::Interrupt;
use bytes::Bytes;
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::{AbortedTransaction, FetchableTopicResponse};
use proptest::prelude::*;
use std::time::Duration;

const CONTROL: i16 = 1 << 5;
const TRANSACTIONAL: i16 = 1 << 4;

/// A batch of `count` records from `base` on, as a broker keeps it.
fn batch(base: i64, count: usize, attributes: i16) -> Vec<u8> {
    let mut batch = Batch::default();
    for number in 0..count {
        batch.push(
            0,
            None,
            Some(b"value"),
            100 + i64::try_from(number).unwrap(),
        );
    }
    let chunk = batch.into_chunks().remove(&0).unwrap_or_default();
    let mut bytes = Vec::new();
    encode(&chunk, Compression::Gzip, None, &mut bytes).unwrap();
    let attributes = attributes | i16::from(Compression::Gzip.id());
    bytes[..8].copy_from_slice(&base.to_be_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// How many records, up to where, and offset and time of the first one.
type Told = (u64, i64, Option<(i64, i64)>);

fn seen(bytes: &[Vec<u8>], part: Range<i64>) -> Option<Told> {
    let glance = look(bytes.concat().into(), None, 3, &part).unwrap()?;
    let first = glance
        .first
        .map(|first| (first.offset, first.time.unwrap()));
    Some((glance.records, glance.reached, first))
}

#[test]
fn only_the_part_is_counted() {
    let bytes = [batch(0, 10, 0), batch(10, 10, 0), batch(20, 10, 0)];
    assert_eq!(seen(&bytes, 0..30), Some((30, 30, Some((0, 100)))));
    assert_eq!(seen(&bytes, 4..25), Some((21, 25, Some((4, 104)))));
    assert_eq!(seen(&bytes, 4..99), Some((26, 30, Some((4, 104)))));
    assert_eq!(seen(&bytes[2..], 0..30), Some((10, 30, Some((20, 100)))));
}

#[test]
fn marks_are_no_records() {
    assert_eq!(seen(&[batch(9, 1, CONTROL)], 9..10), Some((0, 10, None)));
    let bytes = [batch(9, 1, CONTROL), batch(10, 2, 0)];
    assert_eq!(seen(&bytes, 9..12), Some((2, 12, Some((10, 100)))));
}

#[test]
fn what_was_aborted_is_not_counted_by_who_reads_what_is_committed() {
    // producer 7: aborted, marked so; then committed
    let of_7 = |base, attributes| {
        let mut bytes = batch(base, 2, TRANSACTIONAL | attributes);
        bytes[43..51].copy_from_slice(&7i64.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
        bytes
    };
    let bytes: Bytes = [of_7(5, 0), batch(7, 3, 0)].concat().into();
    let aborted = || {
        let aborted = AbortedTransaction::default().with_first_offset(5);
        Some(Aborted::of(Some(vec![aborted.with_producer_id(7.into())])))
    };
    let seen = |aborted| look(bytes.clone(), aborted, 3, &(5..10)).unwrap().unwrap();
    assert_eq!(seen(None).records, 5);
    assert_eq!((seen(aborted()).records, seen(aborted()).reached), (3, 10));
    assert_eq!(seen(aborted()).first.unwrap().offset, 7);
    // nothing but that: nothing is left, and all of it was seen
    let only = look(of_7(5, 0).into(), aborted(), 3, &(5..7))
        .unwrap()
        .unwrap();
    assert_eq!((only.records, only.reached, only.first), (0, 7, None));
}

#[test]
fn from_a_transaction_on_that_has_not_ended_nothing_is_seen() {
    let reply = |asked: &Asked| -> Reply {
        let request: FetchRequest = asked.request();
        assert_eq!(request.isolation_level, 1);
        let answers = request.topics.iter().map(|topic| {
            let stable = if topic.topic.to_string() == "ended" {
                5
            } else {
                1
            };
            let data = PartitionData::default()
                .with_high_watermark(5)
                .with_last_stable_offset(stable);
            FetchableTopicResponse::default()
                .with_topic(topic.topic.clone())
                .with_partitions(vec![data])
        });
        asked.with(&FetchResponse::default().with_responses(answers.collect()))
    };
    let limit = Limit::new(Duration::from_secs(10), &Interrupt::default());
    let parts = ["ended", "open"].map(|name| ((name.to_owned(), 0), 1..5));
    let mut cluster = leading(broker(reply), ["ended", "open"]);
    let seen = cluster.glances(&parts.into(), true, &limit).unwrap();
    assert_eq!(seen[&("ended".to_owned(), 0)].reached, 5);
    assert!(!seen.contains_key(&("open".to_owned(), 0)), "{seen:?}");
}

#[test]
fn nothing_whole_is_nothing_seen() {
    assert_eq!(seen(&[], 0..5), None);
    let whole = batch(0, 5, 0);
    assert_eq!(seen(&[whole[..whole.len() - 1].to_vec()], 0..5), None);
    // compressed together with what was asked for
    assert_eq!(seen(&[whole], 5..9), None);
}

/// A broker that leads one partition of each topic, and shows only what is asked for first.
fn stingy() -> Cluster {
    let reply = |asked: &Asked| -> Reply {
        let request: FetchRequest = asked.request();
        let answers = request.topics.iter().enumerate().map(|(index, topic)| {
            let is_empty = topic.topic.to_string() == "empty";
            let records = if index == 0 && !is_empty {
                batch(0, 5, 0)
            } else {
                Vec::new()
            };
            let data = PartitionData::default()
                .with_high_watermark(5)
                .with_records(Some(records.into()));
            FetchableTopicResponse::default()
                .with_topic(topic.topic.clone())
                .with_partitions(vec![data])
        });
        asked.with(&FetchResponse::default().with_responses(answers.collect()))
    };
    leading(broker(reply), ["a", "b", "empty"])
}

/// A cluster whose one broker leads a partition of each of these topics.
fn leading<const N: usize>(endpoint: Endpoint, topics: [&str; N]) -> Cluster {
    let limit = Limit::new(Duration::from_secs(10), &Interrupt::default());
    let mut cluster = Cluster::connect(std::slice::from_ref(&endpoint), &limit).unwrap();
    cluster.known.brokers.insert(1, endpoint);
    for topic in topics {
        let partition = PartitionInfo {
            id: 0,
            leader: Some(1),
            replicas: Vec::new(),
            in_sync: Vec::new(),
        };
        let info = TopicInfo {
            id: None,
            partitions: vec![partition],
        };
        cluster.known.topics.insert(topic.to_owned(), info);
    }
    cluster
}

#[test]
fn what_does_not_fit_beside_others_is_asked_for_alone() {
    let limit = Limit::new(Duration::from_secs(10), &Interrupt::default());
    let parts = ["a", "b", "empty"].map(|name| ((name.to_owned(), 0), 1..5));
    let seen = stingy().glances(&parts.into(), false, &limit).unwrap();
    let of = |name: &str| {
        let glance = seen.get(&(name.to_owned(), 0))?;
        Some((glance.records, glance.reached))
    };
    assert_eq!(of("a"), Some((4, 5)));
    assert_eq!(of("b"), Some((4, 5)));
    assert_eq!(
        of("empty"),
        Some((0, 5)),
        "asked for alone, nothing means nothing"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), from in any::<i64>(), length in 0i64..) {
        let _ = look(bytes.into(), Some(Aborted::default()), 0, &(from..from.saturating_add(length)));
    }
}
