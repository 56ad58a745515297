//! How the line of a flow is, as measured through its relays, against what is asked of it.

use crate::core::spec::LinkSpec;
use crate::core::topology::{Flow, Topology};
use kmk_kafka::RoundTrip;
use serde::Serialize;
use std::time::Duration;

/// How much may be measured more or less than is asked for.
const TOLERANCE: f64 = 0.15;
/// What relay and broker take for themselves, in milliseconds.
const OWN_TIME: f64 = 1.0;

/// What was measured of the line of a flow. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MeasuredLine {
    /// Median of 20 round trips, in milliseconds; of several relays, that of the slowest.
    pub rtt_ms: Option<f64>,
    /// What one connection carries, in kbit/s, of several relays the slowest; only with `--load`.
    pub rate_kbit: Option<f64>,
    /// How many connections for records share the line's rate; none where that is not known.
    pub connections: Option<u32>,
    /// Why something was not measured.
    pub unknown: Option<String>,
    /// Where it differs from what is asked, and what no relay shows.
    pub warnings: Vec<String>,
}

impl MeasuredLine {
    /// Nothing was measured.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self {
            unknown: Some(why.into()),
            ..Self::default()
        }
    }

    /// By round trips through each relay of a flow; `asked` is what each connection gets.
    pub fn of_round_trips(flow: &str, asked: &LinkSpec, relays: &[Vec<RoundTrip>]) -> Self {
        let medians = relays.iter().filter_map(|trips| median(trips));
        let slowest = medians.max_by_key(|trip| trip.took);
        let Some(trip) = slowest else {
            return Self::unknown("no answer came through its relays");
        };
        let rtt = millis(trip.took);
        Self {
            rtt_ms: Some(rtt),
            warnings: of_round_trip(flow, asked, rtt, trip.bytes)
                .into_iter()
                .collect(),
            ..Self::default()
        }
    }

    /// Adds what one connection carries, in bytes a second.
    pub fn add_rate(&mut self, flow: &str, asked: &LinkSpec, bytes: f64) {
        let kbit = bytes * 8.0 / 1000.0;
        self.rate_kbit = Some(kbit);
        let wanted = asked.rate.map(|rate| f64::from(rate.0));
        let differs = wanted.filter(|wanted| (kbit - wanted).abs() > wanted * TOLERANCE);
        self.warnings.extend(differs.map(|wanted| {
            format!(
                "a connection of {flow} carries {} instead of {}{}",
                mbit(kbit),
                mbit(wanted),
                cause(kbit < wanted)
            )
        }));
    }
}

fn of_round_trip(flow: &str, asked: &LinkSpec, rtt: f64, bytes: u64) -> Option<String> {
    let wanted = f64::from(asked.rtt?.0);
    // the answer itself takes its time at the asked rate
    let rate = asked.rate.map_or(f64::INFINITY, |rate| f64::from(rate.0));
    #[expect(
        clippy::cast_precision_loss,
        reason = "an answer has less than 2^53 bytes"
    )]
    let expected = wanted + bytes as f64 * 8.0 / rate;
    let differs = (rtt - expected).abs() > expected * TOLERANCE + OWN_TIME;
    differs.then(|| {
        format!(
            "a round trip of {flow} takes {rtt:.1} ms instead of {expected:.1} ms{}",
            cause(rtt > expected)
        )
    })
}

fn cause(is_slower: bool) -> &'static str {
    if is_slower {
        "; other load on this machine may be the reason"
    } else {
        ""
    }
}

fn median(trips: &[RoundTrip]) -> Option<RoundTrip> {
    let mut trips = trips.to_vec();
    trips.sort_by_key(|trip| trip.took);
    trips.get(trips.len() / 2).copied()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A rate in kbit/s, as people read it.
pub fn mbit(kbit: f64) -> String {
    if kbit < 1000.0 {
        format!("{kbit:.0} kbit/s")
    } else {
        format!("{:.1} mbit/s", kbit / 1000.0)
    }
}

/// What a real line would do and a relay does not: MirrorMaker's consumers acknowledge no more than their receive buffer
/// holds before they get more.
pub fn window(flow: &Flow, topology: &Topology, asked: &LinkSpec) -> Option<String> {
    let connections = flow.link.as_ref().and_then(|link| link.connections);
    let of_one = asked.shared_by(connections.unwrap_or(1));
    let buffer = flow.receive_buffer(topology)?;
    let needed = of_one.bytes_on_the_way()?;
    if needed <= u64::from(buffer) {
        return None;
    }
    // bytes a millisecond are kB a second
    let real = f64::from(buffer) * 8.0 / f64::from(asked.rtt_ms());
    Some(format!(
        "on a real line of {}, a consumer of {} gets at most {} through a connection, not {}: its receive.buffer.bytes is {buffer}, and a relay does not show TCP's window. Set `source.consumer.receive.buffer.bytes` of the flow to {needed} or more, or to -1 (the operating system chooses)",
        asked.rtt?,
        flow.name(),
        mbit(real),
        mbit(of_one.rate.map_or(0.0, |rate| f64::from(rate.0))),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario::Scenario;

    fn link(text: &str) -> LinkSpec {
        text.parse().unwrap()
    }

    fn trips(micros: &[u64]) -> Vec<RoundTrip> {
        let trip = |micros: &u64| RoundTrip {
            took: Duration::from_micros(*micros),
            bytes: 600,
        };
        micros.iter().map(trip).collect()
    }

    #[test]
    fn a_round_trip_is_the_median_of_the_slowest_relay() {
        let relays = [trips(&[1, 81_000, 9_000_000]), trips(&[80_000; 20])];
        let measured = MeasuredLine::of_round_trips("a->b", &link("rtt=80ms"), &relays);
        assert_eq!((measured.rtt_ms, measured.warnings.len()), (Some(81.0), 0));
        let none = MeasuredLine::of_round_trips("a->b", &link("rtt=80ms"), &[Vec::new()]);
        assert!(none.rtt_ms.is_none() && none.unknown.is_some());
    }

    #[test]
    fn what_differs_by_more_than_15_percent_is_told() {
        let told = |asked: &str, micros: u64| {
            let relays = [trips(&[micros])];
            MeasuredLine::of_round_trips("a->b", &link(asked), &relays).warnings
        };
        for near in [(80, 92_900), (80, 67_100), (2, 3_200), (10, 12_400)] {
            assert!(
                told(&format!("rtt={}ms", near.0), near.1).is_empty(),
                "{near:?}"
            );
        }
        assert_eq!(
            told("rtt=80ms", 93_100),
            [
                "a round trip of a->b takes 93.1 ms instead of 80.0 ms; other load on this machine may be the reason"
            ]
        );
        assert_eq!(
            told("rtt=80ms", 66_900),
            ["a round trip of a->b takes 66.9 ms instead of 80.0 ms"]
        );
        // 600 bytes take 75 ms, and nothing was asked of the round trip
        assert!(told("rtt=80ms,rate=64kbit", 156_000).is_empty());
        assert!(told("rate=64kbit", 76_000).is_empty());
    }

    #[test]
    fn a_rate_is_that_of_a_connection() {
        let told = |asked: &str, bytes: f64| {
            let mut measured = MeasuredLine::default();
            measured.add_rate("a->b", &link(asked), bytes);
            assert_eq!(measured.rate_kbit, Some(bytes / 125.0));
            measured.warnings
        };
        assert!(told("rate=100mbit", 12_000_000.0).is_empty());
        assert!(told("rtt=1ms", 99_000_000.0).is_empty());
        assert_eq!(
            told("rate=100mbit", 10_000_000.0),
            [
                "a connection of a->b carries 80.0 mbit/s instead of 100.0 mbit/s; other load on this machine may be the reason"
            ]
        );
        assert_eq!(
            told("rate=512kbit", 100_000.0),
            ["a connection of a->b carries 800 kbit/s instead of 512 kbit/s"]
        );
    }

    #[test]
    fn a_line_that_a_receive_buffer_would_limit_names_the_setting_and_its_value() {
        let told = |asked: &str, setting: Option<(&str, &str)>, brokers: u16| {
            let mut spec = Scenario::Dr.spec("demo");
            spec.clusters[0].brokers = brokers;
            spec.flows[0].link = Some(link(asked));
            let setting = setting.map(|(key, value)| (key.to_owned(), value.to_owned()));
            spec.flows[0].settings = setting.into_iter().collect();
            let topology = Topology::new(&spec);
            window(&topology.flows[0], &topology, &link(asked))
        };
        let asked = "rtt=80ms,rate=100mbit";
        assert_eq!(
            told(asked, None, 1).unwrap(),
            "on a real line of 80ms, a consumer of primary->secondary gets at most 6.6 mbit/s through a connection, not 100.0 mbit/s: its receive.buffer.bytes is 65536, and a relay does not show TCP's window. Set `source.consumer.receive.buffer.bytes` of the flow to 1000000 or more, or to -1 (the operating system chooses)"
        );
        // 65,536 bytes are 80 ms of 6.5536 mbit/s
        assert_eq!(told("rtt=80ms,rate=6553kbit", None, 1), None);
        assert!(told("rtt=80ms,rate=6554kbit", None, 1).is_some());
        assert_eq!(told("rtt=80ms", None, 1), None);
        // three brokers, three connections
        assert_eq!(told("rtt=80ms,rate=19660kbit", None, 3), None);
        let key = "source.consumer.receive.buffer.bytes";
        assert_eq!(told(asked, Some((key, "1000000")), 1), None);
        assert_eq!(told(asked, Some((key, "-1")), 1), None);
        let other = told(asked, Some(("consumer.receive.buffer.bytes", "131072")), 1);
        assert!(other.unwrap().contains("is 131072"));
    }
}
