//! Formats records as `kmk consume` prints them.

// part of the binary, which has no door for others
#[path = "../src/cli/consume/format.rs"]
#[allow(dead_code)]
mod format;

use crate::payload;
use divan::Bencher;
use format::Format;
use kmk_kafka::message::RecordRef;

/// Values, JSON, and what kcat is asked for most.
const FORMATS: [&str; 3] = ["value", "json", "%t %p %o %k %v"];

/// Records as lines, into memory.
#[divan::bench(consts = [100, 1_000], args = FORMATS)]
fn write<const SIZE: usize>(bencher: Bencher<'_, '_>, format: &str) {
    let format: Format = format.parse().expect("a format of kmk consume");
    let values = payload::values(SIZE, 1_000);
    let record = |(offset, value)| RecordRef {
        partition: 0,
        offset,
        time: Some(payload::TIME),
        key: Some(b"key-1234"),
        value: Some(value),
        headers: Vec::new(),
    };
    let records: Vec<RecordRef<'_>> = (1_000_000..)
        .zip(values.iter().map(Vec::as_slice))
        .map(record)
        .collect();
    payload::time_writing(bencher, &values, |to| {
        for record in &records {
            format
                .write("orders", record, to)
                .expect("memory takes everything");
        }
    });
}
