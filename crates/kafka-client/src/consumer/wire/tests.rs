//! What a reader makes of answers. No broker is needed for that.

use super::cursor::{Cursor, FetchedTo};
use super::fetched::Fetched;
use super::inspect::{Inspected, inspect};
use super::request::{request, usual};
use crate::compression::Compression;
use crate::consumer::Position;
use crate::error::KafkaError;
use crate::producer::Batch;
use crate::protocol::aborted::Aborted;
use crate::protocol::batch::encode;
use bytes::Bytes;
use kafka_protocol::messages::ProducerId;
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// A batch of `count` records from `base` on, as a broker keeps it.
fn batch(base: i64, count: usize, producer: i64, attributes: i16, key: Option<&[u8]>) -> Vec<u8> {
    let mut batch = Batch::default();
    for _ in 0..count {
        batch.push(0, key, Some(b"value"), 7);
    }
    let chunk = batch.into_chunks().remove(&0).unwrap_or_default();
    let mut bytes = Vec::new();
    encode(&chunk, Compression::Gzip, None, &mut bytes).unwrap();
    let attributes = attributes | i16::from(Compression::Gzip.id());
    bytes[..8].copy_from_slice(&base.to_be_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[43..51].copy_from_slice(&producer.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn marker(base: i64, producer: i64, is_commit: bool) -> Vec<u8> {
    let key = [0, 0, 0, u8::from(is_commit)];
    batch(base, 1, producer, TRANSACTIONAL | CONTROL, Some(&key))
}

fn aborted(producer: i64, first: i64) -> AbortedTransaction {
    AbortedTransaction::default()
        .with_producer_id(ProducerId(producer))
        .with_first_offset(first)
}

fn offsets(inspected: Inspected, from: i64, end: i64) -> Vec<i64> {
    let mut fetched = Fetched::new("broker:1".to_owned(), "t".to_owned());
    fetched.add(0, from..end, inspected.batches);
    let most = fetched.most();
    let mut offsets = Vec::new();
    fetched
        .each(|record| {
            offsets.push(record.offset);
            Ok::<_, KafkaError>(ControlFlow::Continue(()))
        })
        .unwrap();
    assert!(offsets.len() as u64 <= most);
    offsets
}

#[test]
fn a_partial_batch_at_the_end_is_no_error() {
    let mut bytes = batch(0, 3, -1, 0, None);
    bytes.extend(&batch(3, 3, -1, 0, None)[..40]);
    let inspected = inspect(bytes.into(), None, 0, None);
    assert_eq!((inspected.last, inspected.fault.is_none()), (Some(2), true));
    assert_eq!(inspected.partial.map(|partial| partial.there), Some(40));
    assert_eq!(offsets(inspected, 0, i64::MAX), [0, 1, 2]);
}

#[test]
fn a_damaged_batch_is_told_behind_what_came_before_it() {
    let mut bytes = batch(0, 2, -1, 0, None);
    let whole = bytes.len();
    bytes.extend(batch(2, 2, -1, 0, None));
    bytes[whole + 62] ^= 1;
    let inspected = inspect(bytes.into(), None, 0, None);
    assert!(inspected.fault.is_some());
    assert_eq!(offsets(inspected, 0, i64::MAX), [0, 1]);
}

#[test]
fn records_before_the_offset_asked_for_and_behind_the_end_are_left_out() {
    let mut bytes = batch(0, 5, -1, 0, None);
    bytes.extend(batch(5, 5, -1, 0, None));
    bytes.extend(batch(10, 5, -1, 0, None));
    let inspected = inspect(bytes.into(), None, 3, Some(7));
    assert_eq!(inspected.last, Some(14));
    assert_eq!(offsets(inspected, 3, 7), [3, 4, 5, 6]);
}

#[test]
fn markers_are_no_records_and_still_move_the_place() {
    let bytes = marker(4, 1, true);
    let inspected = inspect(bytes.into(), None, 4, Some(5));
    assert_eq!((inspected.last, inspected.batches.len()), (Some(4), 0));
}

#[test]
fn only_readers_of_what_is_committed_miss_what_was_given_up() {
    let mut bytes = batch(0, 2, 1, TRANSACTIONAL, None);
    bytes.extend(marker(2, 1, false));
    bytes.extend(batch(3, 1, 1, TRANSACTIONAL, None));
    bytes.extend(marker(4, 1, true));
    let bytes = Bytes::from(bytes);
    let all = inspect(bytes.clone(), None, 0, None);
    assert_eq!(offsets(all, 0, i64::MAX), [0, 1, 3]);
    let committed = inspect(bytes, Some(Aborted::of(Some(vec![aborted(1, 0)]))), 0, None);
    assert_eq!(offsets(committed, 0, i64::MAX), [3]);
}

#[test]
fn a_sink_that_has_enough_is_given_no_more() {
    let inspected = inspect(batch(0, 5, -1, 0, None).into(), None, 0, None);
    let mut fetched = Fetched::new("broker:1".to_owned(), "t".to_owned());
    fetched.add(0, 0..5, inspected.batches);
    let mut taken = 0;
    fetched
        .each(|_| {
            taken += 1;
            Ok::<_, KafkaError>(if taken == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })
        .unwrap();
    assert_eq!(taken, 2);
}

#[test]
fn who_has_waited_longest_is_asked_for_first_and_a_blank_one_alone() {
    let cursor = |partition, served| {
        let at = Position {
            partition,
            next: 5,
            end: None,
        };
        let mut cursor = Cursor::new(at, usual(3));
        cursor.served = served;
        cursor
    };
    let mut cursors = [cursor(0, 9), cursor(1, 2), cursor(2, 4)];
    let asked = |cursors: &[Cursor]| {
        let (request, wanted) = request("t", cursors.iter().collect(), true);
        assert_eq!(request.isolation_level, 1);
        let partitions = request.topics[0].partitions.iter();
        let partitions: Vec<i32> = partitions.map(|asked| asked.partition).collect();
        assert_eq!(wanted.offsets.len(), partitions.len());
        (partitions, wanted.is_alone)
    };
    assert_eq!(asked(&cursors), (vec![1, 2, 0], false));
    let fetched_to = FetchedTo {
        bound: 9,
        is_certain: false,
    };
    cursors[0].take(&Inspected::default(), fetched_to).unwrap();
    assert_eq!(asked(&cursors), (vec![0], true));
}

/// What happens in a partition.
#[derive(Debug, Clone, Copy)]
enum Act {
    Write { producer: i64, count: usize },
    Plain { count: usize },
    End { producer: i64, is_commit: bool },
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1i64..4, 1usize..4).prop_map(|(producer, count)| Act::Write { producer, count }),
        (1usize..3).prop_map(|count| Act::Plain { count }),
        (1i64..4, any::<bool>()).prop_map(|(producer, is_commit)| Act::End {
            producer,
            is_commit
        }),
    ]
}

/// A partition, as a broker keeps it and as a reader of what is committed should see it.
#[derive(Debug, Default)]
struct Log {
    batches: Vec<(i64, Vec<u8>)>,
    next: i64,
    open: BTreeMap<i64, Vec<i64>>,
    visible: Vec<i64>,
    /// First offset, producer, and the offset of the mark.
    aborted: Vec<(i64, i64, i64)>,
}

impl Log {
    fn act(&mut self, act: Act) {
        let base = self.next;
        let (bytes, count) = match act {
            Act::Write { producer, count } => {
                self.next += i64::try_from(count).unwrap();
                self.open
                    .entry(producer)
                    .or_default()
                    .extend(base..self.next);
                (batch(base, count, producer, TRANSACTIONAL, None), count)
            }
            Act::Plain { count } => {
                self.visible
                    .extend(base..base + i64::try_from(count).unwrap());
                (batch(base, count, -1, 0, None), count)
            }
            Act::End {
                producer,
                is_commit,
            } => {
                let Some(written) = self.open.remove(&producer) else {
                    return;
                };
                if is_commit {
                    self.visible.extend(written);
                } else {
                    self.aborted.push((written[0], producer, base));
                }
                (marker(base, producer, is_commit), 1)
            }
        };
        self.next = base + i64::try_from(count).unwrap();
        self.batches.push((self.next - 1, bytes));
    }

    /// The last stable offset.
    fn stable(&self) -> i64 {
        let open = self.open.values().map(|written| written[0]);
        open.min().unwrap_or(self.next)
    }

    /// What a broker answers a reader of what is committed, cut after this many bytes.
    fn fetch(&self, next: i64, size: usize) -> (Bytes, Vec<AbortedTransaction>) {
        let shown = self.batches.iter();
        let shown = shown.filter(|(last, _)| *last >= next && *last < self.stable());
        let mut bytes: Vec<u8> = shown.flat_map(|(_, bytes)| bytes.clone()).collect();
        bytes.truncate(size);
        let listed = self.aborted.iter().filter(|aborted| aborted.2 >= next);
        let listed = listed.map(|&(first, producer, _)| self::aborted(producer, first));
        (bytes.into(), listed.collect())
    }
}

proptest! {
    /// However many transactions run side by side, and however answers are cut: all that is committed is read, once and
    /// in order, and it ends.
    #[test]
    fn what_is_committed_is_read_once_and_nothing_else(
        acts in proptest::collection::vec(any_act(), 0..25), start in 0i64..20, size in 300usize..900
    ) {
        let mut log = Log::default();
        for act in acts {
            log.act(act);
        }
        let end = log.stable();
        let at = Position { partition: 0, next: start.min(end), end: Some(end) };
        let mut cursor = Cursor::new(at, usual(1));
        let mut read = Vec::new();
        for _ in 0..200 {
            if cursor.at.is_done() {
                break;
            }
            let from = cursor.at.next;
            let (bytes, listed) = log.fetch(from, size);
            let inspected = inspect(bytes, Some(Aborted::of(Some(listed))), from, Some(end));
            prop_assert!(inspected.fault.is_none());
            cursor.take(&inspected, FetchedTo { bound: end, is_certain: true }).unwrap();
            read.extend(offsets(inspected, from, end));
        }
        prop_assert!(cursor.at.is_done());
        log.visible.sort_unstable();
        log.visible.retain(|offset| (at.next..end).contains(offset));
        prop_assert_eq!(read, log.visible);
    }

    #[test]
    fn garbage_never_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), next: i64) {
        let inspected = inspect(bytes.into(), Some(Aborted::of(None)), next, Some(next));
        prop_assert!(inspected.batches.is_empty());
    }
}
