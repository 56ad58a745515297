//! How late single records are: written and read by one process, with one clock. Knows nothing of throughput.

use crate::cluster::Cluster;
use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Batch, Consumer, KafkaError, Producer, Tally};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long a record may be missing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Microseconds: twice what a record may be missing.
const MOST: u64 = 120_000_000;

/// Bytes of a record.
const SIZE: usize = 100;

/// Records that are not counted: a tenth of those that are, in which both ends warm up.
const WARM_UP: u64 = 10;

/// When each record is due: at an even rate, each at another moment of its turn, so that nobody's timers fit.
#[derive(Clone, Copy)]
struct Schedule {
    begin: Instant,
    rate: u64,
    /// Tells this run's records from another's.
    run: u64,
}

impl Schedule {
    fn due(&self, record: u64) -> Instant {
        // multiples of the golden ratio's fraction spread evenly
        let turn = 1_000_000_000 / self.rate.max(1);
        let within = turn / 1000 * (record * 618 % 1000);
        self.begin + Duration::from_nanos(turn * record + within)
    }

    fn write(&self, record: u64) -> Vec<u8> {
        let mut value = vec![b'.'; SIZE];
        value[..8].copy_from_slice(&self.run.to_be_bytes());
        value[8..16].copy_from_slice(&record.to_be_bytes());
        value
    }

    /// The number of one of this run's records.
    fn read(&self, value: &[u8]) -> Option<u64> {
        let run = value.get(..8)?.try_into().map(u64::from_be_bytes).ok()?;
        let record = value.get(8..16)?.try_into().map(u64::from_be_bytes).ok()?;
        (run == self.run).then_some(record)
    }
}

/// Prints the latency of `records` records at so many a second, as JSON.
pub(crate) fn measure(
    primary: &Cluster,
    secondary: &Cluster,
    topic: &str,
    copy: &str,
    records: u64,
    rate: u64,
) -> anyhow::Result<()> {
    let writer = primary.writer(topic, PATIENCE)?;
    let reader = secondary.reader(copy, PATIENCE)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let schedule = Schedule {
        begin: Instant::now() + Duration::from_millis(200),
        rate,
        run: u64::try_from(now.as_nanos())?,
    };
    let uncounted = records / WARM_UP;
    let all = records + uncounted;
    let sender = thread::spawn(move || send(writer, schedule, all));
    let late = receive(reader, schedule, uncounted, all)?;
    sender.join().ok().context("the sender panicked")??;
    ensure!(late.len() == records, "{} of {records} came", late.len());
    println!(
        "{{\"p50\": {:.3}, \"p99\": {:.3}, \"max\": {:.3}}}",
        millis(late.value_at_quantile(0.5)),
        millis(late.value_at_quantile(0.99)),
        millis(late.max())
    );
    Ok(())
}

fn send(mut writer: Producer, schedule: Schedule, all: u64) -> Result<(), KafkaError> {
    let interrupt = Interrupt::default();
    let mut tally = Tally::default();
    for record in 0..all {
        let limit = Limit::new(PATIENCE, &interrupt);
        limit.pause(
            schedule
                .due(record)
                .saturating_duration_since(Instant::now()),
        )?;
        let mut batch = Batch::default();
        let value = schedule.write(record);
        batch.push(0, None, Some(&value), to_millis(SystemTime::now()));
        writer.send(batch, &limit, &mut tally)?;
    }
    writer.flush(&Limit::new(PATIENCE, &interrupt), &mut tally)
}

/// Counted from when each was due: a sender that is held up makes records late too.
fn receive(
    mut reader: Consumer,
    schedule: Schedule,
    uncounted: u64,
    all: u64,
) -> anyhow::Result<Histogram<u64>> {
    let mut late = Histogram::new_with_bounds(1, MOST, 3)?;
    let mut seen = 0;
    let interrupt = Interrupt::default();
    while seen < all {
        let fetched = reader.poll(u64::MAX, &Limit::new(PATIENCE, &interrupt))?;
        let now = Instant::now();
        fetched.each(|record| {
            if let Some(number) = record.value.and_then(|value| schedule.read(value)) {
                seen += 1;
                if number >= uncounted {
                    let micros = now
                        .saturating_duration_since(schedule.due(number))
                        .as_micros();
                    late.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
                }
            }
            Ok::<_, KafkaError>(ControlFlow::Continue(()))
        })?;
        ensure!(
            now < schedule.due(all) + PATIENCE,
            "{seen} of {all} records came"
        );
    }
    Ok(late)
}

#[expect(clippy::cast_precision_loss, reason = "no record is centuries late")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}
