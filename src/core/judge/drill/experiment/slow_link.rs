//! The link of a flow was given one round trip after another: what records and throughput make of it.

use super::{Crossed, Quantity, Verdict};
use crate::core::judge::ledger::Account;
use std::time::Duration;

/// A record may be late by two round trips: a fetch may just be on its way.
const TRIPS: u32 = 2;
/// What else delays a record on a busy machine.
const SLACK: Duration = Duration::from_millis(200);

/// What was seen at one round trip.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// What was asked for.
    pub rtt: Duration,
    /// Records at a steady rate.
    pub steady: Crossed<'a>,
    /// 10 MB at a high rate.
    pub burst: Crossed<'a>,
    /// Bytes that crossed a second in that burst; none where it was too short to say.
    pub bytes_per_second: Option<f64>,
    /// The most that MirrorMaker's consumer fetches of a partition at once, in bytes.
    pub fetch: u64,
    /// Partitions of the topic.
    pub partitions: u32,
}

impl Round<'_> {
    /// What tells it from the others.
    fn about(&self, usual: u64) -> String {
        let rtt = format!("{} ms", self.rtt.as_millis());
        if self.fetch == usual {
            return rtt;
        }
        format!("{rtt}, fetches of {}", size(self.fetch))
    }
}

/// Each record is late by at least half a round trip and at most two. What fetch sizes do is measured, not expected: brokers
/// return a batch whole, and large batches make up for small fetches.
pub fn judge(rounds: &[Round<'_>]) -> Verdict {
    let mut verdict = Verdict::default();
    let crossed = rounds
        .iter()
        .flat_map(|round| [&round.steady, &round.burst]);
    let sum = |of: fn(&Account) -> u64| crossed.clone().map(|one| of(one.account)).sum::<u64>();
    let (missing, of) = (sum(|one| one.missing), sum(|one| one.acknowledged));
    let unknown = crossed.clone().find_map(|one| one.unknown);
    verdict.expect(
        "every acknowledged record arrives, however slow the link is",
        missing == 0 && of > 0 && unknown.is_none(),
        unknown.map_or(format!("{missing} of {of} missing"), str::to_owned),
    );
    let usual = rounds.first().map_or(0, |round| round.fetch);
    for round in rounds {
        let about = round.about(usual);
        let latency = round.steady.account.latency.as_ref();
        let p50 = latency.map(|latency| Duration::from_micros(latency.p50));
        let (least, most) = (round.rtt / 2, round.rtt * TRIPS + SLACK);
        verdict.expect(
            format!(
                "RTT {about}: the median record takes {} to {} ms",
                least.as_millis(),
                most.as_millis()
            ),
            p50.is_some_and(|p50| (least..=most).contains(&p50)),
            p50.map_or("none arrived".to_owned(), |p50| {
                format!("{:.1} ms", p50.as_secs_f64() * 1000.0)
            }),
        );
        measure(&mut verdict, &about, round);
    }
    verdict
}

fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        _ if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

fn measure(verdict: &mut Verdict, about: &str, round: &Round<'_>) {
    #[allow(clippy::cast_precision_loss, reason = "a time is never exact")]
    let millis = |micros: u64| Quantity::Milliseconds(micros as f64 / 1000.0);
    if let Some(latency) = &round.steady.account.latency {
        verdict.measure(
            about,
            "latency_p50_ms",
            "p50",
            millis(latency.p50),
            "half of the records took at most this from the producer to the target, at the steady rate",
        );
        verdict.measure(
            about,
            "latency_p99_ms",
            "p99",
            millis(latency.p99),
            "99 of 100 took at most this",
        );
    }
    if let Some(bytes) = round.bytes_per_second {
        verdict.measure(
            about,
            "bytes_per_second",
            "throughput",
            Quantity::BytesPerSecond(bytes),
            "what arrived a second when 10 MB were written at 30 MB/s",
        );
    }
    if !round.rtt.is_zero() {
        #[allow(clippy::cast_precision_loss, reason = "a limit is never exact")]
        let fetches = round.fetch as f64 * f64::from(round.partitions);
        let limit = fetches / round.rtt.as_secs_f64();
        verdict.measure(
            about,
            "fetch_bytes_per_second",
            "fetch size per RTT",
            Quantity::BytesPerSecond(limit),
            "partitions x max.partition.fetch.bytes in one round trip: consumers read no faster, except that a larger batch is fetched whole",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all_arrived, broken, crossed, nothing_arrived};
    use super::*;
    use crate::core::judge::ledger::Latency;

    fn took(p50: Duration) -> Account {
        let micros = u64::try_from(p50.as_micros()).unwrap();
        let latency = Latency {
            min: micros,
            p50: micros,
            p90: micros,
            p99: micros,
            p99_9: micros,
            max: micros,
            histogram: Vec::new(),
        };
        Account {
            latency: Some(latency),
            ..all_arrived(100, 0)
        }
    }

    fn judged(steady: &Account, burst: &Account) -> Verdict {
        judge(&[Round {
            rtt: Duration::from_millis(100),
            steady: crossed(steady),
            burst: crossed(burst),
            bytes_per_second: Some(5e6),
            fetch: 1_000_000,
            partitions: 3,
        }])
    }

    #[test]
    fn another_fetch_size_is_named() {
        let (account, all) = (took(Duration::from_millis(80)), all_arrived(100, 0));
        let round = |fetch| Round {
            rtt: Duration::from_millis(100),
            steady: crossed(&account),
            burst: crossed(&all),
            bytes_per_second: Some(3e6),
            fetch,
            partitions: 3,
        };
        let verdict = judge(&[round(8 << 20), round(64 << 10)]);
        assert!(verdict.passed());
        let abouts: Vec<&str> = (verdict.measured.iter())
            .map(|one| one.about.as_str())
            .collect();
        assert!(abouts.contains(&"100 ms") && abouts.contains(&"100 ms, fetches of 64 KiB"));
    }

    #[test]
    fn what_comes_sooner_than_the_line_allows_went_round_it() {
        let all = all_arrived(100, 0);
        let broken_at = |millis| {
            let verdict = judged(&took(Duration::from_millis(millis)), &all);
            broken(&verdict).join(", ")
        };
        assert_eq!(broken_at(50), "");
        assert_eq!(broken_at(400), "");
        assert_eq!(broken_at(49), "49.0 ms");
        assert_eq!(broken_at(401), "401.0 ms");
        assert_eq!(broken(&judged(&all, &all)), ["none arrived"]);
    }

    #[test]
    fn a_record_that_is_lost_in_the_burst_is_named() {
        let verdict = judged(&took(Duration::from_millis(80)), &nothing_arrived(7));
        assert_eq!(broken(&verdict), ["7 of 107 missing"]);
    }

    #[test]
    fn the_limit_is_a_fetch_of_each_partition_in_a_round_trip() {
        let verdict = judged(&took(Duration::from_millis(80)), &all_arrived(100, 0));
        let limit = verdict.measured.last().unwrap();
        assert_eq!(limit.quantity, Quantity::BytesPerSecond(3e7));
    }
}
