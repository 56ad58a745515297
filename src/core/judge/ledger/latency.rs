//! How long records took from source to target.

use hdrhistogram::Histogram;
use serde::Serialize;

/// How exact times are kept: to three figures.
const FIGURES: u8 = 3;

/// What took longer than a day counts as a day.
const LONGEST: u64 = 86_400_000_000;

/// Times as they come.
#[derive(Debug, Clone)]
pub(in crate::core) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_max(LONGEST, FIGURES);
        Self(histogram.expect("bounds that are allowed"))
    }
}

/// How long records took from being sent to being read on the target, in microseconds, to three figures. Of those that
/// came more than once, the first time counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// The fastest.
    pub min: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// Nine of ten.
    pub p90: u64,
    /// 99 of 100.
    pub p99: u64,
    /// 999 of 1,000.
    pub p99_9: u64,
    /// The slowest.
    pub max: u64,
    /// How many took how long, from the fastest to the slowest; none is left out, some may be empty.
    pub histogram: Vec<Bucket>,
}

/// Records that took about as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// At most this, in microseconds, and more than the one before.
    pub up_to: u64,
    /// This many records.
    pub records: u64,
}

impl Latencies {
    pub(in crate::core) fn add(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    /// None where there are no times.
    pub(in crate::core) fn latency(&self) -> Option<Latency> {
        if self.0.is_empty() {
            return None;
        }
        let at = |percentile: f64| self.0.value_at_percentile(percentile).min(self.0.max());
        Some(Latency {
            min: self.0.min(),
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            max: self.0.max(),
            histogram: self.buckets(),
        })
    }

    fn buckets(&self) -> Vec<Bucket> {
        let mut steps = steps();
        let mut buckets: Vec<Bucket> = Vec::new();
        for times in self.0.iter_recorded() {
            let micros = self.0.lowest_equivalent(times.value_iterated_to());
            while buckets.last().is_none_or(|bucket| bucket.up_to < micros) {
                let Some(up_to) = steps.next() else { break };
                if up_to >= micros || !buckets.is_empty() {
                    buckets.push(Bucket { up_to, records: 0 });
                }
            }
            if let Some(bucket) = buckets.last_mut() {
                bucket.records += times.count_since_last_iteration();
            }
        }
        buckets
    }
}

/// 1, 2, 5, 10, 20, 50, …, and what is beyond all of them.
fn steps() -> impl Iterator<Item = u64> {
    let tens = (0..19_u32).map(|power| 10_u64.pow(power));
    let steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    steps.chain([u64::MAX])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_times_are_no_latency() {
        assert_eq!(Latencies::default().latency(), None);
    }

    #[test]
    fn hundred_times_have_their_percentiles() {
        let mut times = Latencies::default();
        (1..=100).for_each(|micros| times.add(micros));
        let latency = times.latency().unwrap();
        let figures = (
            latency.min,
            latency.p50,
            latency.p90,
            latency.p99,
            latency.max,
        );
        assert_eq!(figures, (1, 50, 90, 99, 100));
        let histogram: Vec<_> = (latency.histogram.iter())
            .map(|bucket| (bucket.up_to, bucket.records))
            .collect();
        assert_eq!(
            histogram,
            [
                (1, 1),
                (2, 1),
                (5, 3),
                (10, 5),
                (20, 10),
                (50, 30),
                (100, 50)
            ]
        );
    }

    proptest! {
        #[test]
        fn no_record_is_left_out(micros in proptest::collection::vec(prop_oneof![0_u64.., 0..100_000_000_u64], 1..50)) {
            let mut times = Latencies::default();
            for &micros in &micros {
                times.add(micros);
            }
            let latency = times.latency().unwrap();
            let counted: u64 = latency.histogram.iter().map(|bucket| bucket.records).sum();
            prop_assert_eq!(counted, micros.len() as u64);
            let slowest = micros.iter().max().copied().unwrap_or_default().min(LONGEST);
            prop_assert!(latency.max.abs_diff(slowest) <= slowest / 1000, "{} for {slowest}", latency.max);
            prop_assert!(latency.min <= latency.p50 && latency.p50 <= latency.p90);
            prop_assert!(latency.p90 <= latency.p99 && latency.p99 <= latency.p99_9);
            prop_assert!(latency.p99_9 <= latency.max);
        }
    }
}
