//! How the line of a flow is to be: its round trip, how much that varies, and its rate.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest round trip, in milliseconds, a sanity limit of kmk: MirrorMaker's clients give up soon after.
pub const MAX_RTT_MS: u32 = 2000;
/// The least rate in kbit/s: toxiproxy counts thousands of bytes.
const MIN_KBIT: u32 = 8;
/// The highest rate in kbit/s, a sanity limit of kmk: a relay on a laptop moves less.
const MAX_KBIT: u32 = 10_000_000;

/// The line of a flow, from its source's brokers to MirrorMaker. Without any of these, a relay that passes everything on
/// as it comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// Round trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Millis>,
    /// How much a round trip may be longer or shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Millis>,
    /// Of each direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// A time, written as `80ms` or `1s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Millis(pub u32);

/// A rate in kbit/s, written as `100mbit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Rate(pub u32);

/// Lines that have a name.
pub const PRESETS: [(&str, LinkSpec); 4] = [
    ("metro", line(2, 0, 1_000_000)),
    ("continental", line(40, 2, 500_000)),
    ("transatlantic", line(80, 4, 200_000)),
    ("satellite", line(600, 40, 20_000)),
];

const fn line(rtt: u32, jitter: u32, kbit: u32) -> LinkSpec {
    LinkSpec {
        rtt: Some(Millis(rtt)),
        jitter: if jitter > 0 {
            Some(Millis(jitter))
        } else {
            None
        },
        rate: Some(Rate(kbit)),
    }
}

impl LinkSpec {
    /// The one of that name.
    pub fn preset(name: &str) -> Option<Self> {
        let mut presets = PRESETS.iter();
        presets.find_map(|(known, link)| (*known == name).then_some(*link))
    }

    /// Milliseconds of a round trip; 0 where none is asked for.
    pub fn rtt_ms(&self) -> u32 {
        self.rtt.map_or(0, |rtt| rtt.0)
    }

    /// Milliseconds by which that may differ.
    pub fn jitter_ms(&self) -> u32 {
        self.jitter.map_or(0, |jitter| jitter.0)
    }

    /// The share of each of this many connections.
    #[must_use]
    pub fn shared_by(self, connections: u32) -> Self {
        let share = |rate: Rate| Rate((rate.0 / connections.max(1)).max(MIN_KBIT));
        Self {
            rate: self.rate.map(share),
            ..self
        }
    }

    /// How many bytes are on their way at most in one direction and back, until the first is acknowledged: round trip × rate.
    /// None where one of these is not asked for.
    pub fn bytes_on_the_way(&self) -> Option<u64> {
        let rate = self.rate.filter(|_| self.rtt_ms() > 0)?;
        // kbit/s times ms is bits
        Some(u64::from(rate.0) * u64::from(self.rtt_ms()) / 8)
    }

    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<String> {
        let (rtt, jitter) = (self.rtt_ms(), self.jitter_ms());
        let in_range = |rate: Rate| (MIN_KBIT..=MAX_KBIT).contains(&rate.0);
        if rtt > MAX_RTT_MS {
            Some(format!(
                "a round trip (rtt) of {} is too long: {} at most",
                Millis(rtt),
                Millis(MAX_RTT_MS)
            ))
        } else if jitter > rtt {
            Some(format!(
                "the jitter of {} is more than the round trip (rtt) of {}",
                Millis(jitter),
                Millis(rtt)
            ))
        } else {
            let rate = self.rate.filter(|rate| !in_range(*rate))?;
            Some(format!(
                "a rate of {rate} is out of range: {} to {} are allowed",
                Rate(MIN_KBIT),
                Rate(MAX_KBIT)
            ))
        }
    }
}

/// As it is written on the command line: `rtt=80ms,rate=100mbit`.
impl fmt::Display for LinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.rtt.map(|rtt| format!("rtt={rtt}")),
            self.jitter.map(|jitter| format!("jitter={jitter}")),
            self.rate.map(|rate| format!("rate={rate}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(","))
    }
}

/// `rtt=80ms,jitter=5ms,rate=100mbit`, or the name of a preset.
impl FromStr for LinkSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(preset) = Self::preset(text.trim()) {
            return Ok(preset);
        }
        let mut link = Self::default();
        for part in text.split(',').map(str::trim) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!(
                    "write it as rtt=80ms,rate=100mbit, or as one of {}",
                    PRESETS.map(|(name, _)| name).join(", ")
                ));
            };
            let is_twice = match name {
                "rtt" => link.rtt.replace(value.parse()?).is_some(),
                "jitter" => link.jitter.replace(value.parse()?).is_some(),
                "rate" => link.rate.replace(value.parse()?).is_some(),
                _ => return Err(format!("`{name}` is none of rtt, jitter and rate")),
            };
            if is_twice {
                return Err(format!("`{name}` is given twice"));
            }
        }
        link.fault().map_or(Ok(link), Err)
    }
}

/// A whole number and its unit.
fn measure(text: &str, units: &[(&str, u32)]) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, times) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u32>().ok()?.checked_mul(*times)
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

impl FromStr for Millis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = measure(text, &[("ms", 1), ("s", 1000)]);
        millis
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a time such as 80ms or 1s"))
    }
}

const RATES: [(&str, u32); 3] = [("gbit", 1_000_000), ("mbit", 1_000), ("kbit", 1)];

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, times): &&(&str, u32)| self.0 > 0 && self.0.is_multiple_of(*times);
        let (unit, times) = RATES.iter().find(fits).unwrap_or(&RATES[2]);
        write!(f, "{}{unit}", self.0 / times)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kbit = measure(&text.to_ascii_lowercase(), &RATES);
        kbit.map(Self)
            .ok_or_else(|| format!("`{text}` is not a rate such as 100mbit, 1gbit or 512kbit"))
    }
}

impl From<Millis> for String {
    fn from(millis: Millis) -> Self {
        millis.to_string()
    }
}

impl TryFrom<String> for Millis {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link(text: &str) -> Result<LinkSpec, String> {
        text.parse()
    }

    #[test]
    fn a_line_as_people_write_it() {
        let all = link("rtt=80ms, jitter=5ms,rate=100mbit").unwrap();
        assert_eq!((all.rtt_ms(), all.jitter_ms()), (80, 5));
        assert_eq!(all.rate, Some(Rate(100_000)));
        assert_eq!(link("rtt=1s").unwrap().rtt_ms(), 1000);
        assert_eq!(link("satellite").unwrap().rtt_ms(), 600);
        assert_eq!(link("rate=1500Kbit").unwrap().to_string(), "rate=1500kbit");
        assert_eq!(link("rate=2000mbit").unwrap().to_string(), "rate=2gbit");
    }

    #[test]
    fn what_is_no_line_hears_what_one_is() {
        for (text, said) in [
            ("", "write it as rtt=80ms,rate=100mbit, or as one of metro"),
            ("80ms", "write it as"),
            ("lunar", "write it as"),
            ("rtt=80", "`80` is not a time"),
            ("rtt=-1ms", "not a time"),
            ("rtt=99999999999ms", "not a time"),
            ("rate=100", "not a rate"),
            ("rate=10MB", "not a rate"),
            ("loss=1%", "`loss` is none of rtt, jitter and rate"),
            ("rtt=1ms,rtt=2ms", "given twice"),
            ("rtt=2001ms", "too long: 2000ms at most"),
            ("jitter=1ms", "more than the round trip"),
            ("rate=7kbit", "out of range: 8kbit to 10gbit"),
            ("rate=0mbit", "a rate of 0kbit is out of range"),
        ] {
            let error = link(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn connections_share_a_rate_and_a_line_holds_what_is_on_its_way() {
        let line = link("rtt=80ms,rate=100mbit").unwrap();
        assert_eq!(line.bytes_on_the_way(), Some(1_000_000));
        assert_eq!(line.shared_by(4).to_string(), "rtt=80ms,rate=25mbit");
        assert_eq!(line.shared_by(0), line);
        assert_eq!(
            link("rate=8kbit").unwrap().shared_by(9).rate,
            Some(Rate(MIN_KBIT))
        );
        for unknown in ["rtt=80ms", "rate=1gbit", "rtt=0ms,rate=1gbit"] {
            assert_eq!(link(unknown).unwrap().bytes_on_the_way(), None);
        }
    }

    #[test]
    fn presets_are_lines_that_are_possible() {
        for (name, preset) in PRESETS {
            assert_eq!(preset.fault(), None, "{name}");
            assert_eq!(link(&preset.to_string()), Ok(preset));
        }
    }

    #[test]
    fn a_label_has_it_as_people_write_it() {
        let text = r#"{"rtt":"80ms","rate":"100mbit"}"#;
        let read: LinkSpec = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(serde_json::from_str::<LinkSpec>(r#"{"loss":"1%"}"#).is_err());
        assert!(serde_json::from_str::<LinkSpec>(r#"{"rtt":"80"}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(rtt in 1u32..=MAX_RTT_MS, jitter in 0u32..9, kbit in MIN_KBIT..=MAX_KBIT) {
            let jitter = (jitter <= rtt).then_some(Millis(jitter));
            let one = LinkSpec { rtt: Some(Millis(rtt)), jitter, rate: Some(Rate(kbit)) };
            prop_assert_eq!(link(&one.to_string()), Ok(one));
        }

        #[test]
        fn no_text_is_too_odd(text in "[a-z0-9=,]{0,30}") {
            let _ = link(&text);
        }
    }
}
