//! Nothing that comes from a broker makes the reader panic or go on for ever.

use super::*;
use crate::protocol::batch::error::Fault;
use proptest::sample::Index;

fn error(bytes: Vec<u8>) -> BatchError {
    let mut all = batches(bytes.into());
    let error = all.next().unwrap().unwrap_err();
    assert_eq!((all.next(), all.partial()), (None, None));
    error
}

/// A batch of one record with this body, and everything else as it should be.
fn with_body(body: &[u8]) -> Result<Vec<Record>, BatchError> {
    let mut bytes = encoded(&chunk(&[(None, None, 0)], &[]), Compression::None);
    bytes.truncate(61);
    bytes.extend_from_slice(body);
    let length = i32::try_from(bytes.len() - 12).unwrap();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    sign(&mut bytes);
    read(&only(bytes))
}

#[track_caller]
fn faulty(body: &[u8], fault: Fault) {
    let error = BatchError::Record {
        base_offset: 0,
        index: 0,
        fault,
    };
    assert_eq!(with_body(body), Err(error));
}

#[test]
fn another_message_format_is_named() {
    for magic in [0, 1, 3, -1i8] {
        let mut bytes = ten(Compression::None);
        bytes[16] = magic.cast_unsigned();
        let named = BatchError::Magic {
            base_offset: 0,
            magic,
        };
        // known as soon as the byte is there, whatever the rest
        assert_eq!(error(bytes[..17].to_vec()), named);
        assert_eq!(error(bytes), named);
    }
}

#[test]
fn a_damaged_batch_is_named() {
    let mut bytes = [ten(Compression::None), ten(Compression::None)].concat();
    let second = bytes.len() / 2;
    bytes[second..second + 8].copy_from_slice(&10i64.to_be_bytes());
    *bytes.last_mut().unwrap() ^= 1;
    let mut all = batches(bytes.into());
    assert_eq!(all.next().unwrap().unwrap().base_offset, 0);
    let damaged = all.next().unwrap().unwrap_err();
    assert!(
        matches!(
            damaged,
            BatchError::Checksum {
                base_offset: 10,
                ..
            }
        ),
        "{damaged}"
    );
    assert_eq!(all.next(), None);
}

#[test]
fn numbers_that_cannot_be_right_are_named() {
    let field = |at: usize, value: &[u8]| {
        let mut bytes = ten(Compression::None);
        bytes[at..at + value.len()].copy_from_slice(value);
        if at > 8 {
            sign(&mut bytes);
        }
        match error(bytes) {
            BatchError::Header { field, value, .. } => (field, value),
            other => panic!("{other}"),
        }
    };
    assert_eq!(field(0, &[0xff; 8]), ("first offset", -1));
    assert_eq!(field(8, &[0xff; 4]), ("length", -1));
    assert_eq!(field(8, &48i32.to_be_bytes()), ("length", 48));
    assert_eq!(field(21, &[0, 5]), ("compression", 5));
    let distance = "distance to its last offset";
    assert_eq!(field(23, &[0xff; 4]), (distance, -1));
    assert_eq!(field(57, &[0xff; 4]), ("number of records", -1));
    assert_eq!(field(57, &11i32.to_be_bytes()), ("number of records", 11));
    let mut last = ten(Compression::None);
    last[..8].copy_from_slice(&i64::MAX.to_be_bytes());
    assert!(matches!(error(last), BatchError::Header { value: 9, .. }));
}

#[test]
fn a_record_that_makes_no_sense_is_named() {
    assert_eq!(with_body(b"\x0c\0\0\0\x01\x01\0").unwrap().len(), 1);
    faulty(b"", Fault::Cut);
    faulty(b"\x01", Fault::Length(-1));
    faulty(b"\x03", Fault::Length(-2));
    faulty(b"\x0e\0\0\0\x01\x01\0", Fault::Cut);
    faulty(b"\x0a\0\0\0\x01\x01\0", Fault::Cut);
    faulty(b"\x0e\0\0\0\x01\x01\0\0", Fault::Rest(1));
    faulty(b"\x0c\0\0\x02\x01\x01\0", Fault::Offset(1));
    faulty(b"\x0c\0\0\x01\x01\x01\0", Fault::Offset(-1));
    faulty(b"\x0c\0\0\0\x03\x01\0", Fault::Length(-2));
    faulty(b"\x0c\0\0\0\x02\x01\0", Fault::Cut);
    faulty(b"\x0c\0\0\0\x01\x01\x01", Fault::Headers(-1));
    faulty(b"\x0c\0\0\0\x01\x01\x02", Fault::Headers(1));
    let many = b"\x14\0\0\0\x01\x01\xfe\xff\xff\xff\x0f";
    faulty(many, Fault::Headers(i32::MAX));
    faulty(b"\x10\0\0\0\x01\x01\x02\x01\x01", Fault::Length(-1));
    let trailing = BatchError::Trailing {
        base_offset: 0,
        bytes: 2,
    };
    assert_eq!(with_body(b"\x0c\0\0\0\x01\x01\0xx"), Err(trailing));
}

#[test]
fn a_claim_of_many_records_is_no_reason_to_go_on() {
    let mut bytes = ten(Compression::None);
    bytes[23..27].copy_from_slice(&i32::MAX.to_be_bytes());
    bytes[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    sign(&mut bytes);
    let cut = BatchError::Record {
        base_offset: 0,
        index: 10,
        fault: Fault::Cut,
    };
    let batch = only(bytes);
    let records = batch.records(0).unwrap();
    assert_eq!(records.iter().count(), 11);
    assert_eq!(read(&batch), Err(cut));
}

#[test]
fn a_batch_that_is_not_compressed_as_it_says_is_named() {
    for id in 1..=4 {
        let mut bytes = ten(Compression::None);
        bytes[22] = id;
        sign(&mut bytes);
        let read = read(&only(bytes));
        assert!(
            matches!(read, Err(BatchError::Compression { base_offset: 0, .. })),
            "{id}: {read:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_flipped_byte_is_noticed(
        records in any_records(), compression in any_compression(), at in any::<Index>(), flip in 1u8..
    ) {
        let mut bytes = encoded(&chunk(&records, &[]), compression);
        // the first offset, the length and the leader's epoch are the broker's, and not checked
        let at = 16 + at.index(bytes.len() - 16);
        bytes[at] ^= flip;
        let first = batches(bytes.into()).next();
        prop_assert!(matches!(first, Some(Err(_))), "{:?}", first);
    }

    #[test]
    fn no_bytes_do_harm(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(read_all(&bytes.into()), 0);
    }

    #[test]
    fn spoilt_bytes_do_no_harm(
        records in any_records(),
        headers in any_headers(),
        compression in any_compression(),
        spoilt in vec((any::<Index>(), any::<u8>()), 1..10),
        times in 1usize..3,
    ) {
        let one = encoded(&chunk(&records, &headers), compression);
        let mut bytes = one.repeat(times);
        for (at, byte) in spoilt {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let length = bytes.len();
        for batch in bytes.chunks_mut(one.len()) {
            sign(batch);
        }
        // the least record takes seven bytes, and an element of a compression makes many of few
        prop_assert!(read_all(&bytes.into()) <= length * 1_100);
    }

    #[test]
    fn any_records_under_a_right_header_do_no_harm(
        body in vec(prop_oneof![0u8..16, any::<u8>()], 0..200), count in 0i32..50, compressed in any::<bool>()
    ) {
        let mut bytes = ten(Compression::None)[..61].to_vec();
        if compressed {
            bytes[22] = Compression::Gzip.id();
            Compression::Gzip.compress(&body, &mut bytes).unwrap();
        } else {
            bytes.extend_from_slice(&body);
        }
        let length = i32::try_from(bytes.len() - 12).unwrap();
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[23..27].copy_from_slice(&count.to_be_bytes());
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        sign(&mut bytes);
        prop_assert!(read_all(&bytes.into()) <= body.len() / 7);
    }
}
