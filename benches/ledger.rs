//! The account of every record, as `kmk verify` keeps it.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kafka_mirror_kit::core::judge::ledger::{Arrivals, RunId, Sent, Stamp, judge};
use kmk_kafka::message::RecordRef;
use std::fmt;
use std::time::UNIX_EPOCH;

/// How many partitions the records are spread over.
const PARTITIONS: u64 = 6;
/// How many records stamping and noting are measured with.
const SOME: u64 = 12_000;
/// How many records are judged.
const MANY: u64 = 120_000;
/// How many records a broker acknowledges at once.
const ACKNOWLEDGED: u64 = 1_000;

/// What became of the records on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Each came once, in order.
    Sound,
    /// In each partition, of each hundred records in a row one is missing, and another came twice.
    Spoilt,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sound => "sound",
            Self::Spoilt => "spoilt",
        })
    }
}

impl Fate {
    /// How often a record comes.
    fn times(self, sequence: u64) -> usize {
        match (self, sequence % 100) {
            (Self::Spoilt, 17) => 0,
            (Self::Spoilt, 71) => 2,
            _ => 1,
        }
    }
}

fn run() -> RunId {
    RunId::new(UNIX_EPOCH, 1, 0)
}

/// The n-th record of a run, the partitions in turn.
fn stamp(number: u64) -> Stamp {
    Stamp {
        run: run(),
        partition: i32::try_from(number % PARTITIONS).expect("a small number"),
        sequence: number / PARTITIONS,
        sent_at: number,
    }
}

fn items(records: u64) -> ItemsCount {
    ItemsCount::new(usize::try_from(records).expect("a small number"))
}

fn bytes(records: u64, size: usize) -> BytesCount {
    BytesCount::new(usize::try_from(records).expect("a small number") * size)
}

/// Takes note of so many records, each as often as it came.
fn arrive(arrivals: &mut Arrivals, records: u64, size: usize, fate: Fate) {
    let mut value = Vec::new();
    for number in 0..records {
        value.clear();
        stamp(number).write(size, &mut value);
        for _ in 0..fate.times(stamp(number).sequence) {
            arrivals.arrive(&record(number, &value), number + 900);
        }
    }
}

fn record(number: u64, value: &[u8]) -> RecordRef<'_> {
    let stamp = stamp(number);
    RecordRef {
        partition: stamp.partition,
        offset: i64::try_from(stamp.sequence).expect("a small number"),
        time: Some(0),
        key: None,
        value: Some(value),
        headers: Vec::new(),
    }
}

/// A run that has sent so many records, all of them acknowledged.
fn sent(records: u64) -> Sent {
    let mut sent = Sent::new(run());
    for number in 0..records {
        sent.next(stamp(number).partition);
    }
    acknowledge(&mut sent, records);
    sent
}

fn acknowledge(sent: &mut Sent, records: u64) {
    for partition in 0..PARTITIONS {
        let each = records / PARTITIONS;
        for from in (0..each).step_by(usize::try_from(ACKNOWLEDGED).expect("a small number")) {
            let partition = i32::try_from(partition).expect("a small number");
            sent.acknowledge(partition, from..(from + ACKNOWLEDGED).min(each));
        }
    }
}

/// Writing stamps, checksum included.
#[divan::bench(args = [100, 1_000])]
fn write(bencher: Bencher<'_, '_>, size: usize) {
    let mut to = Vec::new();
    bencher
        .counter(items(SOME))
        .counter(bytes(SOME, size))
        .bench_local(|| {
            for number in 0..SOME {
                to.clear();
                stamp(number).write(size, &mut to);
                black_box(&to);
            }
        });
}

/// Numbering records, and noting what was acknowledged.
#[divan::bench]
fn send(bencher: Bencher<'_, '_>) {
    bencher.counter(items(SOME)).bench(|| sent(SOME));
}

/// Reading stamps, and noting what arrived.
#[divan::bench(args = [100, 1_000])]
fn read(bencher: Bencher<'_, '_>, size: usize) {
    let write = |number| {
        let mut value = Vec::new();
        stamp(number).write(size, &mut value);
        value
    };
    let values: Vec<Vec<u8>> = (0..SOME).map(write).collect();
    bencher
        .counter(items(SOME))
        .counter(bytes(SOME, size))
        .with_inputs(|| Arrivals::new(run()))
        .bench_refs(|arrivals| {
            for (number, value) in (0..).zip(&values) {
                arrivals.arrive(&record(number, value), number + 900);
            }
        });
}

/// The verdict, once all is sent and whatever comes has come.
#[divan::bench(name = "judge", args = [Fate::Sound, Fate::Spoilt])]
fn verdict(bencher: Bencher<'_, '_>, fate: Fate) {
    let sent = sent(MANY);
    let mut arrivals = Arrivals::new(run());
    arrive(&mut arrivals, MANY, 0, fate);
    let account = judge(&sent, &arrivals);
    assert_eq!(account.missing == 0, fate == Fate::Sound);
    bencher
        .counter(items(MANY))
        .bench(|| judge(black_box(&sent), black_box(&arrivals)));
}

/// Whether it is time for the verdict: asked again and again while records arrive, so that a no has to be cheap.
#[divan::bench(name = "all there", args = [Fate::Sound, Fate::Spoilt])]
fn has_all(bencher: Bencher<'_, '_>, fate: Fate) {
    let sent = sent(MANY);
    let mut arrivals = Arrivals::new(run());
    arrive(&mut arrivals, MANY, 0, fate);
    assert_eq!(arrivals.has_all(&sent), fate == Fate::Sound);
    bencher.bench(|| black_box(&arrivals).has_all(black_box(&sent)));
}
