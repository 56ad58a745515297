//! How long records took, as reports show it.

use super::{Bar, Histogram, Number};
use kafka_mirror_kit::core::judge::ledger::Latency;

/// `850 µs`, `12.3 ms`, `4.56 s`: three figures, as they were kept.
pub(crate) fn time(micros: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three figures are shown")]
    let micros_f = micros as f64;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.2} ms", micros_f / 1e3),
        10_000..100_000 => format!("{:.1} ms", micros_f / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", micros_f / 1e3),
        1_000_000..10_000_000 => format!("{:.2} s", micros_f / 1e6),
        _ => format!("{:.1} s", micros_f / 1e6),
    }
}

impl Histogram {
    pub(crate) fn of(title: String, note: &str, latency: &Latency) -> Self {
        let bars = latency.histogram.iter().map(|bucket| Bar {
            name: format!("up to {}", time(bucket.up_to.min(latency.max))),
            records: bucket.records,
        });
        Self {
            title,
            bars: bars.collect(),
            note: note.to_owned(),
        }
    }
}

impl Number {
    /// From the fastest record to the slowest.
    pub(crate) fn of_latency(about: &str, latency: &Latency) -> impl Iterator<Item = Self> {
        let all = [
            (
                "latency_min_us",
                "Latency, least",
                latency.min,
                "from sending to reading on the target",
            ),
            (
                "latency_p50_us",
                "Latency, p50",
                latency.p50,
                "half of the records took at most this",
            ),
            (
                "latency_p90_us",
                "Latency, p90",
                latency.p90,
                "9 of 10 records",
            ),
            (
                "latency_p99_us",
                "Latency, p99",
                latency.p99,
                "99 of 100 records",
            ),
            (
                "latency_p99_9_us",
                "Latency, p99.9",
                latency.p99_9,
                "999 of 1,000 records",
            ),
            (
                "latency_max_us",
                "Latency, greatest",
                latency.max,
                "the slowest record",
            ),
        ];
        all.into_iter().map(|(key, name, micros, definition)| Self {
            about: about.to_owned(),
            key,
            value: micros.to_string(),
            name: name.to_owned(),
            text: time(micros),
            definition,
            is_bad: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_figures() {
        for (micros, text) in [
            (7, "7 µs"),
            (1_234, "1.23 ms"),
            (56_780, "56.8 ms"),
            (456_789, "457 ms"),
            (1_234_567, "1.23 s"),
            (61_000_000, "61.0 s"),
        ] {
            assert_eq!(time(micros), text);
        }
    }
}
