//! Decides which topic keeps records from being mirrored, and what to do about it, where a flow or a part of it stands
//! still. Rules that can be checked come before what MirrorMaker reported.

use crate::core::mirrormaker::patterns::{MAX_TOPIC_NAME, Rules, Selection};
use crate::core::spec::in_lab;
use crate::core::topology::BATCH_LIMITS;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// A topic that keeps records from being copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Culprit {
    /// On the source.
    pub topic: String,
    /// The mirrored topic.
    pub remote: String,
    /// Whether all topics of the flow are stalled because of it, or only itself.
    pub stops_flow: bool,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
    /// The lab, for commands to type.
    #[serde(skip)]
    pub lab: String,
}

/// Why a topic keeps records from being copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// The name of the mirrored topic is longer than Kafka allows.
    NameTooLong {
        /// Characters that it would have.
        length: usize,
    },
    /// The target has a topic whose name differs only in `.` and `_`.
    Collision {
        /// That topic.
        with: String,
    },
    /// MirrorMaker's batches are larger than it takes.
    BatchTooLarge {
        /// The setting that says what it takes.
        setting: &'static str,
        /// Bytes that it takes.
        takes: u64,
        /// Bytes that MirrorMaker sends.
        sends: u64,
    },
    /// A record was too large, and the mirrored topic takes only smaller ones than the topic does.
    RecordTooLarge {
        /// Bytes that the mirrored topic takes.
        takes: u64,
        /// Bytes that the topic takes.
        original: u64,
    },
    /// MirrorMaker reports it.
    Reported {
        /// Its words.
        message: String,
    },
}

/// What a topic takes, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLimit {
    /// On the source; none where it stands for all topics of the target that say nothing themselves.
    pub topic: Option<String>,
    /// The setting that says so, one of [`BATCH_LIMITS`].
    pub setting: &'static str,
    /// Bytes of a batch at most, on the target as it is or soon will be.
    pub bytes: u64,
    /// Bytes that the topic takes on the source.
    pub original: Option<u64>,
}

/// What was seen of a flow that is stalled, or that has a stalled topic.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The lab's name.
    pub lab: &'a str,
    /// What the flow takes.
    pub rules: &'a Rules,
    /// Topics of the source that hold records.
    pub with_records: BTreeSet<&'a str>,
    /// Topics of the source with records that are not copied.
    pub behind: BTreeSet<&'a str>,
    /// Topics of the target.
    pub on_target: BTreeSet<&'a str>,
    /// What topics take.
    pub limits: &'a [BatchLimit],
    /// Bytes of a batch of MirrorMaker's.
    pub sends: u64,
    /// Whether MirrorMaker halves a batch that is too large for a topic until it fits.
    pub halves: bool,
    /// Why tasks failed lately.
    pub failures: Vec<&'a str>,
    /// Whether more than these topics are stalled.
    pub stands: bool,
}

impl Evidence<'_> {
    /// The culprits: those that stop the whole flow first.
    pub fn culprits(&self) -> Vec<Culprit> {
        let mut found: Vec<Culprit> = self.names().chain(self.sizes()).collect();
        if found.is_empty() {
            found.extend(self.told());
        }
        found.sort_by_key(|culprit| !culprit.stops_flow);
        found
    }

    fn culprit(&self, topic: &str, stops_flow: bool, why: Why) -> Culprit {
        Culprit {
            topic: topic.to_owned(),
            remote: self.rules.remote(topic),
            stops_flow,
            why,
            lab: self.lab.to_owned(),
        }
    }

    fn names(&self) -> impl Iterator<Item = Culprit> {
        self.with_records.iter().filter_map(|topic| {
            let why = match self.rules.select(topic) {
                Selection::NameTooLong(length) => Why::NameTooLong { length },
                Selection::Included | Selection::NotEvaluated(_) if self.behind.contains(topic) => {
                    let with = clash(&self.rules.remote(topic), &self.on_target)?.to_owned();
                    Why::Collision { with }
                }
                _ => return None,
            };
            Some(self.culprit(topic, true, why))
        })
    }

    fn sizes(&self) -> impl Iterator<Item = Culprit> {
        let is_of_size = self
            .failures
            .iter()
            .any(|one| one.contains("RecordTooLargeException"));
        self.limits.iter().filter_map(move |batch_limit| {
            let topic = batch_limit
                .topic
                .as_deref()
                .filter(|topic| self.behind.contains(topic))?;
            let (takes, is_message) = (batch_limit.bytes, batch_limit.setting == BATCH_LIMITS[0]);
            let original = batch_limit.original.filter(|original| takes < *original);
            if let Some(original) = original.filter(|_| is_of_size && is_message) {
                return Some(self.culprit(topic, true, Why::RecordTooLarge { takes, original }));
            }
            // one that is too large for the topic is tried again and again, one that is too large for its log ends the task
            let stops_flow = self.stands || !is_message;
            let (setting, sends) = (batch_limit.setting, self.sends);
            let why = Why::BatchTooLarge {
                setting,
                takes,
                sends,
            };
            (takes < sends && !(self.halves && is_message))
                .then(|| self.culprit(topic, stops_flow, why))
        })
    }

    /// A topic that the words of a failure name.
    fn told(&self) -> Option<Culprit> {
        self.behind.iter().find_map(|topic| {
            let remote = self.rules.remote(topic);
            let words = self.failures.iter().find(|words| names(words, &remote))?;
            let words = (*words).to_owned();
            Some(self.culprit(topic, true, Why::Reported { message: words }))
        })
    }
}

/// The topic that keeps another from being made beside it: Kafka takes `.` and `_` in names for the same.
fn clash<'a>(remote: &str, there: &BTreeSet<&'a str>) -> Option<&'a str> {
    let alike = |name: &str| name.replace('.', "_");
    if there.contains(remote) {
        return None;
    }
    there
        .iter()
        .find(|name| alike(name) == alike(remote))
        .copied()
}

/// Whether words name a topic, and not one whose name is longer.
fn names(words: &str, topic: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut tokens = words.split(|c| !is_of_name(c));
    tokens.any(|token| token.trim_end_matches('.') == topic)
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            remote,
            stops_flow,
            why,
            ..
        } = self;
        let effect = if *stops_flow {
            "blocks the whole flow"
        } else {
            "cannot be mirrored"
        };
        write!(f, "topic `{topic}` {effect}: ")?;
        match why {
            Why::NameTooLong { length } => write!(
                f,
                "the name of its mirrored topic would have {length} characters, and Kafka allows {MAX_TOPIC_NAME}"
            ),
            Why::Collision { with } => write!(
                f,
                "`{remote}` collides with topic `{with}`: Kafka treats `.` and `_` as the same"
            ),
            Why::BatchTooLarge {
                setting,
                takes,
                sends,
            } => write!(
                f,
                "it accepts batches of up to {takes} bytes ({setting}), and MirrorMaker sends {sends}"
            ),
            Why::RecordTooLarge { takes, original } => write!(
                f,
                "`{remote}` accepts records of up to {takes} bytes, and `{topic}` of up to {original}"
            ),
            Why::Reported { message } => f.write_str(message),
        }?;
        write!(f, "; {}", self.cure())
    }
}

impl Culprit {
    /// What cures it, in words.
    pub fn cure(&self) -> String {
        let Self { topic, remote, .. } = self;
        match &self.why {
            Why::NameTooLong { .. } => "delete it or exclude it".to_owned(),
            Why::Collision { with } => format!("delete `{with}`, or exclude `{topic}`"),
            Why::BatchTooLarge { .. } => {
                format!(
                    "`kmk deploy{}` makes the batches smaller",
                    in_lab(&self.lab)
                )
            }
            Why::RecordTooLarge { .. } => {
                format!("raise max.message.bytes of `{remote}`, or exclude `{topic}`")
            }
            Why::Reported { .. } => "fix that, or exclude it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    fn rules() -> Rules {
        Rules::of_flow(&Topology::new(&scenario::dr("demo")).flows[0])
    }

    fn batch_limit(topic: &str, setting: &'static str, bytes: u64) -> BatchLimit {
        BatchLimit {
            topic: Some(topic.to_owned()),
            setting,
            bytes,
            original: Some(1_048_588),
        }
    }

    fn evidence<'a>(
        rules: &'a Rules,
        behind: &[&'a str],
        limits: &'a [BatchLimit],
    ) -> Evidence<'a> {
        Evidence {
            lab: "two",
            rules,
            with_records: behind.iter().copied().collect(),
            behind: behind.iter().copied().collect(),
            on_target: BTreeSet::from(["primary_a.b", "primary.orders"]),
            limits,
            sends: 262_144,
            halves: false,
            failures: Vec::new(),
            stands: false,
        }
    }

    fn told(evidence: &Evidence<'_>) -> Vec<String> {
        evidence
            .culprits()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn names_that_cannot_be_made_are_told_by_rule() {
        let (rules, long) = (rules(), "x".repeat(245));
        let seen = evidence(&rules, &["a_b", "orders", &long, "fresh"], &[]);
        assert_eq!(
            told(&seen),
            [
                "topic `a_b` blocks the whole flow: `primary.a_b` collides with topic `primary_a.b`: Kafka treats `.` and `_` as the same; delete `primary_a.b`, or exclude `a_b`".to_owned(),
                format!("topic `{long}` blocks the whole flow: the name of its mirrored topic would have 253 characters, and Kafka allows 249; delete it or exclude it"),
            ]
        );
        // without records nothing is sent there
        assert!(told(&evidence(&rules, &["orders"], &[])).is_empty());
    }

    #[test]
    fn a_topic_that_takes_less_than_is_sent_is_told_if_it_is_behind() {
        let rules = rules();
        let limits = [
            batch_limit("small", "max.message.bytes", 100_000),
            batch_limit("copied", "max.message.bytes", 100_000),
            batch_limit("big", "max.message.bytes", 1_048_588),
            batch_limit("files", "segment.bytes", 50_000),
        ];
        let mut seen = evidence(&rules, &["small", "big", "files"], &limits);
        assert_eq!(
            told(&seen),
            [
                "topic `files` blocks the whole flow: it accepts batches of up to 50000 bytes (segment.bytes), and MirrorMaker sends 262144; `kmk deploy --lab two` makes the batches smaller",
                "topic `small` cannot be mirrored: it accepts batches of up to 100000 bytes (max.message.bytes), and MirrorMaker sends 262144; `kmk deploy --lab two` makes the batches smaller",
            ]
        );
        seen.stands = true;
        assert!(seen.culprits().iter().all(|culprit| culprit.stops_flow));
        seen.halves = true;
        assert_eq!(told(&seen).len(), 1);
        seen.sends = 50_000;
        assert!(told(&seen).is_empty());
    }

    #[test]
    fn a_record_too_large_is_blamed_on_the_topic_that_takes_less_than_its_source() {
        let rules = rules();
        let limits = [batch_limit("big", "max.message.bytes", 500_000)];
        let mut seen = evidence(&rules, &["big"], &limits);
        assert!(told(&seen).is_empty());
        seen.failures
            .push("org.apache.kafka.common.errors.RecordTooLargeException: x");
        assert_eq!(
            told(&seen),
            [
                "topic `big` blocks the whole flow: `primary.big` accepts records of up to 500000 bytes, and `big` of up to 1048588; raise max.message.bytes of `primary.big`, or exclude `big`"
            ]
        );
    }

    #[test]
    fn what_mirrormaker_says_counts_where_no_rule_tells() {
        let rules = rules();
        let words = "x.TopicAuthorizationException: Not authorized to access topics: [primary.a]";
        let mut seen = evidence(&rules, &["a", "a.b"], &[]);
        seen.on_target.clear();
        seen.failures.push(words);
        let found = seen.culprits();
        assert_eq!((found.len(), found[0].topic.as_str()), (1, "a"));
        assert!(names("no topic primary.a.", "primary.a") && !names(words, "primary"));
    }
}
