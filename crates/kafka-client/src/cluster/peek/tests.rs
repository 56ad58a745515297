//! What a look makes of answers. No broker is needed for most of that.

use super::{Cluster, FetchRequest, Limit, PartitionData, Range, look};
use crate::cluster::metadata::{PartitionInfo, TopicInfo};
use crate::compression::Compression;
use crate::producer::Batch;
use crate::protocol::batch::encode;
use crate::testing::{Asked, Reply, broker};
use crate::wait::Interrupt;
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::FetchableTopicResponse;
use proptest::prelude::*;
use std::time::Duration;

const CONTROL: i16 = 1 << 5;

/// A batch of `count` records from `base` on, as a broker keeps it.
fn batch(base: i64, count: usize, attributes: i16) -> Vec<u8> {
    let times: Vec<i64> = (100..).take(count).collect();
    batch_of(base, &times, attributes)
}

/// One of records with these times.
fn batch_of(base: i64, times: &[i64], attributes: i16) -> Vec<u8> {
    let mut batch = Batch::default();
    for time in times {
        batch.push(0, None, Some(b"value"), *time);
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
type Summary = (u64, i64, Option<(i64, i64)>);

fn seen(bytes: &[Vec<u8>], part: Range<i64>) -> Option<Summary> {
    let peek = look(bytes.concat().into(), 3, &part, None).unwrap()?;
    let first = peek.first.map(|first| (first.offset, first.time.unwrap()));
    Some((peek.records, peek.reached, first))
}

#[test]
fn whose_times_they_are_is_told() {
    const LOG_APPEND_TIME: i16 = 1 << 3;
    let is_producers = |attributes: [i16; 2]| {
        let bytes = [batch(0, 2, attributes[0]), batch(2, 2, attributes[1])];
        let peek = look(bytes.concat().into(), 3, &(0..4), None).unwrap();
        peek.unwrap().has_producer_time
    };
    assert!(!is_producers([LOG_APPEND_TIME, LOG_APPEND_TIME]));
    assert!(is_producers([LOG_APPEND_TIME, 0]) && is_producers([0, 0]));
    assert!(
        !is_producers([LOG_APPEND_TIME, CONTROL]),
        "a mark is no record"
    );
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
fn a_record_of_the_future_in_front_does_not_hide_the_oldest() {
    const IN_2100: i64 = 4_102_444_800_000;
    let oldest = |bytes: &[Vec<u8>], end: i64| {
        let peek = look(bytes.concat().into(), 3, &(0..end), None).unwrap();
        peek.unwrap().oldest
    };
    let together = [batch_of(0, &[IN_2100, 700, -1, 800], 0)];
    assert_eq!(oldest(&together, 4), Some(700));
    let apart = [batch_of(0, &[IN_2100], 0), batch_of(1, &[900, 950], 0)];
    assert_eq!(oldest(&apart, 3), Some(900));
    assert_eq!(oldest(&apart[..1], 1), Some(IN_2100));
    assert_eq!(oldest(&[batch_of(0, &[-1], 0)], 1), None);
}

#[test]
fn what_was_aborted_is_no_record_for_who_reads_what_is_committed() {
    use super::Aborted;
    use kafka_protocol::messages::ProducerId;
    use kafka_protocol::messages::fetch_response::AbortedTransaction;
    const TRANSACTIONAL: i16 = 1 << 4;
    let of_producer = |mut batch: Vec<u8>| {
        batch[43..51].copy_from_slice(&7i64.to_be_bytes());
        let checksum = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&checksum.to_be_bytes());
        batch
    };
    let bytes = [batch(0, 2, 0), of_producer(batch(2, 3, TRANSACTIONAL))].concat();
    let listed = AbortedTransaction::default()
        .with_producer_id(ProducerId(7))
        .with_first_offset(2);
    let records = |aborted: Option<Aborted>| {
        let peek = look(bytes.clone().into(), 3, &(0..5), aborted).unwrap();
        let peek = peek.unwrap();
        (peek.records, peek.reached)
    };
    assert_eq!(records(None), (5, 5));
    assert_eq!(records(Some(Aborted::of(Some(vec![listed])))), (2, 5));
    assert_eq!(records(Some(Aborted::of(None))), (5, 5));
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
    let limit = Limit::new(Duration::from_secs(10), &Interrupt::default());
    let endpoint = broker(reply);
    let mut cluster = Cluster::connect(std::slice::from_ref(&endpoint), &limit).unwrap();
    cluster.known.brokers.insert(1, endpoint);
    for topic in ["a", "b", "empty"] {
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
    let seen = stingy().peek(&parts.into(), false, &limit).unwrap();
    let of = |name: &str| {
        let peek = seen.get(&(name.to_owned(), 0))?;
        Some((peek.records, peek.reached))
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
        let _ = look(bytes.into(), 0, &(from..from.saturating_add(length)), None);
    }
}
