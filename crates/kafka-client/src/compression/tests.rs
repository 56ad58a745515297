//! What is compressed comes back, and nothing else does harm.

use super::*;
use proptest::prelude::*;

fn round(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut compressed = b"before".to_vec();
    compression.compress(bytes, &mut compressed).unwrap();
    assert_eq!(&compressed[..6], b"before");
    let compressed = Bytes::from(compressed).slice(6..);
    compression.decompress(&compressed, LIMIT).unwrap().to_vec()
}

fn compressed(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut to = Vec::new();
    compression.compress(bytes, &mut to).unwrap();
    to
}

#[test]
fn names_and_numbers_are_those_of_kafka() {
    for (id, name) in ["none", "gzip", "snappy", "lz4", "zstd"].iter().enumerate() {
        let compression: Compression = name.parse().unwrap();
        assert_eq!(compression.to_string(), *name);
        assert_eq!(usize::from(compression.id()), id);
        assert_eq!(Compression::of(compression.id()), Some(compression));
    }
    assert_eq!(Compression::of(5), None);
    assert!("LZ4".parse::<Compression>().is_err());
}

#[test]
fn what_is_too_large_is_refused() {
    let bytes = vec![7; 1_000_000];
    for compression in Compression::ALL {
        let compressed = Bytes::from(compressed(compression, &bytes));
        assert_eq!(
            compression.decompress(&compressed, 999_999),
            Err(CompressionError::TooLarge { limit: 999_999 }),
            "{compression}"
        );
        assert_eq!(
            compression.decompress(&compressed, 1_000_000).unwrap(),
            bytes
        );
    }
}

#[test]
fn snappy_without_a_frame_is_read_too() {
    let raw = snap::raw::Encoder::new().compress_vec(&[9; 5_000]).unwrap();
    let read = Compression::Snappy.decompress(&raw.into(), LIMIT).unwrap();
    assert_eq!(read, vec![9; 5_000]);
}

#[test]
fn snappy_that_claims_more_than_it_can_hold_is_refused_at_once() {
    // 100 MiB, as a varint, and two bytes to make it from
    let claim = Bytes::from_static(b"\x80\x80\x80\x32\x00\x00");
    let refused = Compression::Snappy.decompress(&claim, LIMIT);
    assert!(matches!(refused, Err(CompressionError::Malformed { .. })));
}

#[test]
fn streams_one_behind_the_other_are_one() {
    for compression in [Compression::Gzip, Compression::Snappy, Compression::Zstd] {
        let mut both = compressed(compression, b"one ");
        both.extend(compressed(compression, b"two"));
        let read = compression.decompress(&both.into(), LIMIT);
        assert_eq!(read.unwrap(), &b"one two"[..], "{compression}");
    }
}

fn any_compression() -> impl Strategy<Value = Compression> {
    proptest::sample::select(Compression::ALL.to_vec())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (proptest::collection::vec(any::<u8>(), 1..50), 0usize..5_000)
            .prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(compression in any_compression(), bytes in any_bytes()) {
        prop_assert_eq!(round(compression, &bytes), bytes);
    }

    #[test]
    fn no_bytes_do_harm(
        compression in any_compression(), bytes in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        if let Ok(read) = compression.decompress(&bytes.into(), 100_000) {
            prop_assert!(read.len() <= 100_000);
        }
    }

    #[test]
    fn spoilt_bytes_do_no_harm(
        compression in any_compression(),
        bytes in any_bytes(),
        spoilt in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut compressed = compressed(compression, &bytes);
        for (at, byte) in spoilt {
            if !compressed.is_empty() {
                let at = at.index(compressed.len());
                compressed[at] = byte;
            }
        }
        let keep = cut.index(2 * compressed.len() + 1).min(compressed.len());
        compressed.truncate(keep);
        if let Ok(read) = compression.decompress(&compressed.into(), 100_000) {
            prop_assert!(read.len() <= 100_000);
        }
    }
}
