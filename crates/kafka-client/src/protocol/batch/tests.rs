//! Batches that are written, read back, cut off and spoilt.

mod judge;
mod spoilt;

use super::*;
use crate::compression::Compression;
use crate::message::{Header, Record};
use crate::producer::{Batch, Chunk};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Key, value and time of a record.
type Sent = (Option<Vec<u8>>, Option<Vec<u8>>, i64);

fn chunk(records: &[Sent], headers: &[Header]) -> Chunk {
    let mut batch = Batch::new(headers.into());
    for (key, value, time) in records {
        batch.push(0, key.as_deref(), value.as_deref(), *time);
    }
    batch.into_chunks().remove(&0).unwrap_or_default()
}

fn encoded(chunk: &Chunk, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(chunk, compression, None, &mut bytes).unwrap();
    bytes
}

fn ten(compression: Compression) -> Vec<u8> {
    let records = vec![(Some(b"key".to_vec()), Some(b"value".to_vec()), 1_000); 10];
    encoded(&chunk(&records, &[]), compression)
}

/// Sets the checksum to what it must be.
fn sign(batch: &mut [u8]) {
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
}

/// The one batch there is.
fn only(bytes: Vec<u8>) -> RecordBatch {
    let mut all = batches(bytes.into());
    let batch = all.next().unwrap().unwrap();
    assert_eq!((all.next(), all.partial()), (None, None));
    batch
}

fn read(batch: &RecordBatch) -> Result<Vec<Record>, BatchError> {
    let records = batch.records(7)?;
    records
        .iter()
        .map(|record| Ok(record?.to_record()))
        .collect()
}

/// Reads all there is, and says how many records came before an error or the end.
fn read_all(bytes: &Bytes) -> usize {
    let mut count = 0;
    for batch in batches(bytes.clone()).flatten() {
        let _ = batch.marker();
        if let Ok(records) = batch.records(0) {
            count += records.iter().flatten().count();
        }
    }
    count
}

fn any_payload() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(prop_oneof![
        4 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), 60..200),
    ])
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-1), 0..2_000_000_000_000i64, any::<i64>()]
}

fn any_records() -> impl Strategy<Value = Vec<Sent>> {
    vec((any_payload(), any_payload(), any_time()), 1..30)
}

fn any_headers() -> impl Strategy<Value = Vec<Header>> {
    let header = ("[a-z]{0,5}", any_payload()).prop_map(|(key, value)| Header {
        key: key.into_bytes(),
        value,
    });
    prop_oneof![Just(Vec::new()), vec(header, 0..4)]
}

fn any_compression() -> impl Strategy<Value = Compression> {
    proptest::sample::select(Compression::ALL.to_vec())
}

#[test]
fn an_empty_chunk_gives_no_batch() {
    assert_eq!(encoded(&Chunk::default(), Compression::None), b"");
}

#[test]
fn a_batch_has_the_bytes_that_kafka_documents() {
    let header = Header {
        key: b"h".to_vec(),
        value: None,
    };
    let records = [
        (Some(b"k".to_vec()), Some(b"v".to_vec()), 1_000),
        (None, Some(Vec::new()), 999),
    ];
    let mut bytes = b"before".to_vec();
    let identity = Identity {
        producer_id: 5,
        epoch: 6,
        sequence: 7,
    };
    let chunk = chunk(&records, &[header]);
    encode(&chunk, Compression::None, Some(identity), &mut bytes).unwrap();
    let batch = bytes.strip_prefix(b"before").unwrap();
    let records = b"\x16\0\0\0\x02k\x02v\x02\x02h\x01\x12\0\x01\x02\x01\0\x02\x02h\x01";
    assert_eq!(&batch[..8], &0i64.to_be_bytes());
    assert_eq!(&batch[8..12], &i32::to_be_bytes(49 + 22));
    assert_eq!(&batch[12..17], b"\xff\xff\xff\xff\x02");
    assert_eq!(&batch[21..27], b"\0\0\0\0\0\x01");
    assert_eq!(&batch[27..35], &1_000i64.to_be_bytes());
    assert_eq!(&batch[35..43], &1_000i64.to_be_bytes());
    assert_eq!(&batch[43..57], b"\0\0\0\0\0\0\0\x05\0\x06\0\0\0\x07");
    assert_eq!(&batch[57..61], b"\0\0\0\x02");
    assert_eq!(&batch[61..], records);
}

#[test]
fn what_the_broker_sets_is_read() {
    let mut bytes = ten(Compression::None);
    bytes[..8].copy_from_slice(&500i64.to_be_bytes());
    // log append time, transactional
    bytes[22] = 0b1_1000;
    bytes[35..43].copy_from_slice(&77i64.to_be_bytes());
    bytes[43..51].copy_from_slice(&9i64.to_be_bytes());
    sign(&mut bytes);
    let batch = only(bytes);
    assert!(batch.is_transactional() && batch.has_broker_time() && !batch.is_control());
    assert_eq!((batch.base_offset, batch.last_offset), (500, 509));
    assert_eq!((batch.producer_id, batch.count), (9, 10));
    let records = read(&batch).unwrap();
    assert!(records.iter().all(|record| record.time == Some(77)));
    assert!(records.iter().map(|record| record.offset).eq(500..510));
    assert_eq!(batch.marker(), Ok(None));
}

#[test]
fn a_control_batch_says_whether_a_transaction_is_complete() {
    for (key, marker) in [
        (&[0, 0, 0, 0][..], Marker::Abort),
        (&[0, 0, 0, 1], Marker::Commit),
        (&[0, 0, 0, 2], Marker::Other(Some(2))),
        (&[0, 0, 0], Marker::Other(None)),
    ] {
        let records = [(Some(key.to_vec()), Some(vec![0; 6]), 0)];
        let mut bytes = encoded(&chunk(&records, &[]), Compression::None);
        bytes[22] = 0b11_0000;
        sign(&mut bytes);
        assert_eq!(only(bytes).marker(), Ok(Some(marker)));
    }
}

#[test]
fn a_batch_that_compaction_emptied_still_says_where_it_ends() {
    let mut bytes = ten(Compression::None)[..61].to_vec();
    bytes[8..12].copy_from_slice(&49i32.to_be_bytes());
    bytes[22] = 0b10_0010;
    bytes[57..61].copy_from_slice(&[0; 4]);
    sign(&mut bytes);
    let batch = only(bytes);
    assert_eq!((batch.last_offset, read(&batch)), (9, Ok(Vec::new())));
    assert_eq!(batch.marker(), Ok(None));
}

#[test]
fn compaction_may_leave_gaps() {
    let mut bytes = ten(Compression::None);
    bytes[23..27].copy_from_slice(&400i32.to_be_bytes());
    sign(&mut bytes);
    let batch = only(bytes);
    assert_eq!((batch.last_offset, batch.count), (400, 10));
    assert_eq!(read(&batch).unwrap().len(), 10);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        records in any_records(), headers in any_headers(), compression in any_compression()
    ) {
        let chunk = chunk(&records, &headers);
        let bytes = encoded(&chunk, compression);
        if compression == Compression::None {
            prop_assert!(bytes.len() <= chunk.size(), "{} > {}", bytes.len(), chunk.size());
        }
        let batch = only(bytes);
        prop_assert_eq!(batch.compression, compression);
        prop_assert_eq!(Some(batch.max_time), records.iter().map(|record| record.2).max());
        let expected: Vec<Record> = (0..).zip(&records).map(|(offset, (key, value, time))| Record {
            partition: 7,
            offset,
            time: Some(*time),
            key: key.clone(),
            value: value.clone(),
            headers: headers.clone(),
        }).collect();
        prop_assert_eq!(read(&batch), Ok(expected));
    }

    #[test]
    fn a_partial_batch_at_the_end_is_no_error(
        records in any_records(), compression in any_compression(), cut in any::<proptest::sample::Index>()
    ) {
        let first = encoded(&chunk(&records, &[]), compression);
        let whole = ten(compression);
        let there = cut.index(whole.len());
        let bytes = [&first, &whole[..there]].concat();
        let mut all = batches(bytes.into());
        let count = all.next().unwrap().unwrap().count;
        prop_assert_eq!(usize::try_from(count).unwrap(), records.len());
        prop_assert_eq!(all.next(), None);
        let claimed = (there >= 12).then_some(whole.len() as u64);
        let expected = (there > 0).then_some(Partial { there, whole: claimed });
        prop_assert_eq!(all.partial(), expected);
    }
}

#[test]
fn a_batch_may_be_cut_anywhere() {
    let whole = ten(Compression::None);
    for there in 0..whole.len() {
        let mut all = batches(Bytes::copy_from_slice(&whole[..there]));
        assert_eq!(all.next(), None, "{there}");
        let claimed = (there >= 12).then_some(whole.len() as u64);
        assert_eq!(
            all.partial(),
            (there > 0).then_some(Partial {
                there,
                whole: claimed
            })
        );
    }
}
