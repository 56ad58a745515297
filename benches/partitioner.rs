//! Which partition a key goes to.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kmk_kafka::{Partitioner, murmur2};

/// How many keys are hashed in a row.
const KEYS: usize = 1_000;

/// Keys of so many bytes, no two the same. 7 is not a multiple of the hash's word of 4; 36 is a UUID as text.
fn keys(size: usize) -> Vec<Vec<u8>> {
    let key = |number| format!("{number:0size$}").into_bytes();
    (0..KEYS).map(key).collect()
}

/// The hash alone.
#[divan::bench(args = [7, 36, 100])]
fn hash(bencher: Bencher<'_, '_>, size: usize) {
    let keys = keys(size);
    bencher
        .counter(ItemsCount::new(KEYS))
        .counter(BytesCount::new(KEYS * size))
        .bench(|| keys.iter().for_each(|key| _ = black_box(murmur2(key))));
}

/// The whole choice among six partitions.
#[divan::bench(args = [7, 36, 100])]
fn choose(bencher: Bencher<'_, '_>, size: usize) {
    let keys = keys(size);
    let mut partitioner = Partitioner::new(6, None);
    bencher
        .counter(ItemsCount::new(KEYS))
        .counter(BytesCount::new(KEYS * size))
        .bench_local(|| {
            for key in &keys {
                black_box(partitioner.choose(Some(key)));
            }
        });
}
