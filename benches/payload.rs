//! The records of the benches: text that compresses as events do.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kafka_mirror_kit::core::records::samples::Samples;
use kmk_kafka::Batch;
use std::time::{Duration, UNIX_EPOCH};

/// The time of the first record, in milliseconds since the epoch: the same in every run.
pub(crate) const TIME: i64 = 1_795_341_600_000;

/// How large the batch for one partition gets when `kmk produce` is fed as fast as it takes records, in bytes
/// (`FULL_PARTITION` in `core/records/produce/feed.rs`).
const FULL: usize = 900_000;

/// So many values of `size` bytes: kmk's sample events, one behind the other, cut where a value ends.
pub(crate) fn values(size: usize, count: usize) -> Vec<Vec<u8>> {
    let mut samples = Samples::new(None);
    let mut bytes = Vec::with_capacity(size * count);
    while bytes.len() < size * count {
        let millis = u64::try_from(TIME).expect("a time behind the epoch");
        samples.write_next(UNIX_EPOCH + Duration::from_millis(millis), &mut bytes);
    }
    let values = bytes.chunks_exact(size).take(count);
    values.map(<[u8]>::to_vec).collect()
}

/// As many values of `size` bytes as go out as one batch.
pub(crate) fn full(size: usize) -> Vec<Vec<u8>> {
    let one = Batch::default().growth(None, Some(&vec![0; size]));
    values(size, FULL / one)
}

/// A batch of these values, for partition 0.
pub(crate) fn batch(values: &[Vec<u8>]) -> Batch {
    let mut batch = Batch::default();
    for (time, value) in (TIME..).zip(values) {
        batch.push(0, None, Some(value), time);
    }
    batch
}

/// Times `write`, which appends `values` in some form; each time to memory that is empty, and was used before.
pub(crate) fn time_writing(
    bencher: Bencher<'_, '_>,
    values: &[Vec<u8>],
    write: impl Fn(&mut Vec<u8>),
) {
    let mut to = Vec::new();
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(bytes(values)))
        .bench_local(|| {
            to.clear();
            write(&mut to);
            black_box(&to);
        });
}

/// How many bytes these values have together.
pub(crate) fn bytes(values: &[Vec<u8>]) -> usize {
    values.iter().map(Vec::len).sum()
}
