//! Encodes and decodes record batches (message format 2), as the wire client does.

use crate::payload;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kafka_mirror_kit::core::records::samples::Samples;
use kmk_kafka::{Batch, Compression, KafkaError, decode, encode};
use std::ops::ControlFlow;
use std::time::UNIX_EPOCH;

/// Making sample events.
#[divan::bench(consts = [100, 1_000])]
fn samples<const SIZE: usize>(bencher: Bencher<'_, '_>) {
    const COUNT: usize = 1_000;
    let mut samples = Samples::new(Some(SIZE));
    let mut to = Vec::with_capacity(SIZE * COUNT);
    bencher
        .counter(ItemsCount::new(COUNT))
        .counter(BytesCount::new(SIZE * COUNT))
        .bench_local(|| {
            to.clear();
            for _ in 0..COUNT {
                samples.write_next(UNIX_EPOCH, &mut to);
            }
            black_box(&to);
        });
}

/// Putting records together, before they are encoded.
#[divan::bench(consts = [100, 1_000])]
fn gather<const SIZE: usize>(bencher: Bencher<'_, '_>) {
    let values = payload::full(SIZE);
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(payload::bytes(&values)))
        .bench(|| payload::batch(&values));
}

/// A batch to bytes: checksum and compression are part of it.
#[divan::bench(name = "encode", consts = [100, 1_000], args = Compression::ALL)]
fn batch_to_bytes<const SIZE: usize>(bencher: Bencher<'_, '_>, compression: Compression) {
    let values = payload::full(SIZE);
    let batch = payload::batch(&values);
    payload::time_writing(bencher, &values, |to| encode_all(&batch, compression, to));
}

/// Bytes to records, each looked at: checksum and decompression are part of it.
#[divan::bench(name = "decode", consts = [100, 1_000], args = Compression::ALL)]
fn bytes_to_records<const SIZE: usize>(bencher: Bencher<'_, '_>, compression: Compression) {
    let values = payload::full(SIZE);
    let mut bytes = Vec::new();
    encode_all(&payload::batch(&values), compression, &mut bytes);
    let read = |bytes: Vec<u8>| {
        let mut records = 0;
        decode(0, bytes)
            .expect("whole batches")
            .each(|record| {
                records += usize::from(black_box(record).value.is_some());
                Ok::<_, KafkaError>(ControlFlow::Continue(()))
            })
            .expect("whole records");
        records
    };
    assert_eq!(read(bytes.clone()), values.len());
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(payload::bytes(&values)))
        .with_inputs(|| bytes.clone())
        .bench_values(read);
}

fn encode_all(batch: &Batch, compression: Compression, to: &mut Vec<u8>) {
    for chunk in batch.chunks() {
        encode(chunk, compression, to).expect("records of less than 2 GiB");
    }
}
