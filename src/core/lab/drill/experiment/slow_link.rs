//! The link is given one round trip after another.

use super::load::{Load, crossed};
use super::run::PARTITIONS;
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::slow_link::{self, Round};
use crate::core::lab::drill::{DrillError, Finding, link};
use crate::core::lab::verify::{Amount, FlowReport};
use crate::core::mirrormaker::config::FETCH_BYTES;
use crate::core::spec::{LinkSpec, Millis};
use std::time::Duration;

pub(super) static DRILL: Experiment = Experiment {
    name: "slow-link",
    lab: "the flow has a relay",
    shows: "one round trip after another, and two fetch sizes: what records take, and what throughput is left",
    teaches: "A record crosses in half a round trip at best, and in one and a half where a fetch was just on its way, so \
              latency follows the RTT and no setting helps. Throughput is another matter: a consumer has one fetch on its \
              way at a time, so the longer the round trip, the fewer fetches a second. Larger fetches \
              (max.partition.fetch.bytes, fetch.max.bytes and, on a real line, receive.buffer.bytes), larger batches and more \
              partitions make up for distance; a faster line does not. Brokers return a batch whole, however small the \
              fetch is: with large batches, small fetches cost little.",
    restarts: true,
    unfit: |_, flow| match flow.link {
        Some(_) => Vec::new(),
        None => vec![Finding::NeverSlow { flow: flow.name() }],
    },
    run,
};

/// Round trips in milliseconds: on one machine, in a country, across an ocean, around the world.
const RTTS: [u32; 4] = [0, 40, 100, 250];
/// What is written at once: small enough for a slow line, and larger than one default fetch of each partition. Paced, so
/// that batches do not become as large as they can.
const BURST: u64 = 10_000;
const BURST_RATE: u64 = 30_000;
const SIZE: u16 = 1_000;
/// What kmk gives all consumers of a source wins over `consumer.` of a flow.
const FETCH: &str = "source.consumer.max.partition.fetch.bytes";
/// Small enough to be felt at the longest round trip.
const SMALL: u64 = 64 * 1024;

/// Records at a steady rate, and then many at once.
struct Seen {
    rtt: u32,
    fetch: u64,
    steady: FlowReport,
    burst: FlowReport,
}

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let large: u64 = FETCH_BYTES.parse().unwrap_or(0);
    let own = run.flow.setting(FETCH);
    let own = own.and_then(|own| own.parse().ok()).unwrap_or(large);
    let mut seen: Vec<Seen> = Vec::new();
    for rtt in RTTS {
        seen.push(round(run, rtt, own)?);
    }
    let other = if own > SMALL { SMALL } else { large };
    run.set(FETCH, &other.to_string())?;
    let longest = RTTS[RTTS.len() - 1];
    seen.push(round(run, longest, other)?);
    let rounds = seen.iter().map(|one| Round {
        rtt: Duration::from_millis(u64::from(one.rtt)),
        steady: crossed(&one.steady),
        burst: crossed(&one.burst),
        bytes_per_second: one
            .burst
            .records_per_second
            .map(|records| records * f64::from(SIZE)),
        fetch: one.fetch,
        partitions: PARTITIONS.unsigned_abs(),
    });
    Ok(slow_link::judge(&rounds.collect::<Vec<_>>()))
}

fn round(run: &Run<'_>, rtt: u32, fetch: u64) -> Result<Seen, DrillError> {
    let (what, done) = (
        format!("Asking for a round trip of {rtt} ms"),
        format!("Told the relays to delay by a round trip of {rtt} ms"),
    );
    run.step(&what, &done, || {
        let asked = LinkSpec {
            rtt: Some(Millis(rtt)),
            ..LinkSpec::default()
        };
        let (flow, limit) = (run.flow.name(), run.docker_limit());
        link::shape(run.docker, run.lab, &flow, Some(asked), &limit)
    })?;
    let steady = Load {
        amount: Amount::Time(run.choice.time / 4),
        words: (
            "Writing records at a steady rate",
            "Accounted for records at a steady rate",
        ),
        ..run.load()
    };
    let burst = Load {
        amount: Amount::Records(BURST),
        rate: BURST_RATE,
        size: SIZE.into(),
        words: ("Writing 10 MB at 30 MB/s", "Accounted for 10 MB at 30 MB/s"),
        ..run.load()
    };
    let ((), steady) = run.under(&steady, |_| Ok(()))?;
    let ((), burst) = run.under(&burst, |_| Ok(()))?;
    Ok(Seen {
        rtt,
        fetch,
        steady,
        burst,
    })
}
