//! What a relay does to what goes through it: what is asked of it, as toxiproxy has it, and how that differs from what it
//! does.

use crate::core::spec::LinkSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked of a relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// How the line is to be.
    pub(super) link: LinkSpec,
    /// Whether connections stay open, and nothing comes through.
    pub(super) half_open: bool,
}

/// What toxiproxy calls a toxic: one thing that it does to one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Toxic {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) stream: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, i64>,
}

/// What a relay passes on, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Proxy {
    pub(super) upstream: String,
    pub(super) enabled: bool,
    /// In the order in which they follow each other.
    #[serde(default)]
    pub(super) toxics: Vec<Toxic>,
}

/// From MirrorMaker to the broker, and back.
pub(super) const STREAMS: [&str; 2] = ["upstream", "downstream"];

impl Shape {
    /// In the order in which they follow each other: what was held up is then sent at its rate.
    pub(super) fn toxics(&self) -> Vec<Toxic> {
        let mut toxics = Vec::new();
        for stream in STREAMS {
            // an odd millisecond goes the way that records go
            let half = |whole: u32| match stream {
                "upstream" => i64::from(whole / 2),
                _ => i64::from(whole - whole / 2),
            };
            let (latency, jitter) = (half(self.link.rtt_ms()), half(self.link.jitter_ms()));
            let mut add = |kind: &str, attributes: &[(&str, i64)]| {
                let own = |(name, value): &(&str, i64)| ((*name).to_owned(), *value);
                toxics.push(Toxic {
                    name: format!("kmk-{kind}-{stream}"),
                    kind: kind.to_owned(),
                    stream: stream.to_owned(),
                    attributes: attributes.iter().map(own).collect(),
                });
            };
            if latency > 0 {
                add("latency", &[("latency", latency), ("jitter", jitter)]);
            }
            if let Some(rate) = self.link.rate {
                // thousands of bytes a second
                add("bandwidth", &[("rate", i64::from((rate.0 / 8).max(1)))]);
            }
            if self.half_open {
                add("timeout", &[("timeout", 0)]);
            }
        }
        toxics
    }

    /// What is asked, as it is told to a relay.
    pub(super) fn order(&self) -> &'static str {
        match self {
            Self {
                half_open: true, ..
            } => "to keep connections open, and to pass nothing on",
            _ if self.toxics().is_empty() => "to pass records on at once",
            _ => "how slow to be",
        }
    }

    /// How what a relay does differs from this, in words; `upstream` is where it should lead.
    pub(super) fn difference(&self, found: Option<&Proxy>, upstream: &str) -> Option<String> {
        let Some(found) = found else {
            return Some("it was restarted, and passes nothing on".to_owned());
        };
        if !found.enabled {
            return Some("it is switched off, and passes nothing on".to_owned());
        }
        if found.upstream != upstream {
            return Some(format!("it leads to {}", found.upstream));
        }
        let asked = self.toxics();
        if of_streams(&found.toxics) == of_streams(&asked) {
            return None;
        }
        let words = |toxics: &[Toxic]| match toxics {
            [] => "nothing".to_owned(),
            _ => toxics
                .iter()
                .map(Toxic::describe)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let (found, asked) = (words(&found.toxics), words(&asked));
        Some(format!("it does {found} instead of {asked}"))
    }
}

/// By their direction: between these the order means nothing.
fn of_streams(toxics: &[Toxic]) -> [Vec<&Toxic>; 2] {
    STREAMS.map(|stream| toxics.iter().filter(|one| one.stream == stream).collect())
}

impl Toxic {
    fn describe(&self) -> String {
        let attributes = self.attributes.iter();
        let attributes: Vec<String> = attributes.map(|(k, v)| format!("{k} {v}")).collect();
        format!("{} {} ({})", self.kind, self.stream, attributes.join(" "))
    }

    /// Whether the other one becomes this one by other numbers alone.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.name, &self.kind, &self.stream) == (&other.name, &other.kind, &other.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(link: &str, half_open: bool) -> Shape {
        let link = link.parse().unwrap_or_default();
        Shape { link, half_open }
    }

    fn proxy(toxics: Vec<Toxic>) -> Proxy {
        Proxy {
            upstream: "broker:9092".to_owned(),
            enabled: true,
            toxics,
        }
    }

    #[test]
    fn half_a_round_trip_goes_each_way_and_rates_are_in_thousands_of_bytes() {
        let told: Vec<String> = (shape("rtt=81ms,jitter=5ms,rate=100mbit", false)
            .toxics()
            .iter())
        .map(Toxic::describe)
        .collect();
        assert_eq!(
            told,
            [
                "latency upstream (jitter 2 latency 40)",
                "bandwidth upstream (rate 12500)",
                "latency downstream (jitter 3 latency 41)",
                "bandwidth downstream (rate 12500)",
            ]
        );
        let least = shape("rtt=1ms,rate=8kbit", false).toxics();
        assert_eq!(least.len(), 3);
        assert_eq!(least[0].attributes["rate"], 1);
        assert!(shape("", false).toxics().is_empty());
        assert_eq!(shape("", true).toxics().len(), 2);
    }

    #[test]
    fn a_relay_that_does_something_else_is_told_with_what() {
        let asked = shape("rtt=80ms", false);
        let differs = |found: Option<&Proxy>| asked.difference(found, "broker:9092");
        let mut right = proxy(asked.toxics());
        assert_eq!(differs(Some(&right)), None);
        // the other direction may come first
        right.toxics.reverse();
        assert_eq!(differs(Some(&right)), None);
        assert!(differs(None).unwrap().contains("was restarted"));
        let bare = differs(Some(&proxy(Vec::new()))).unwrap();
        assert!(
            bare.starts_with("it does nothing instead of latency upstream"),
            "{bare}"
        );
        let other = differs(Some(&proxy(shape("rtt=90ms", false).toxics()))).unwrap();
        assert!(other.contains("latency 45"), "{other}");
        let off = Proxy {
            enabled: false,
            ..right.clone()
        };
        assert!(differs(Some(&off)).unwrap().contains("switched off"));
        let astray = Proxy {
            upstream: "x:1".to_owned(),
            ..right
        };
        assert_eq!(differs(Some(&astray)).unwrap(), "it leads to x:1");
    }
}
