//! What was seen of a topic, its mirrored topic and everything between them: the input of `explain`.

use super::Whose;
use crate::core::judge::culprit::{Culprit, Why};
use crate::core::judge::lag::Past;
use crate::core::judge::link::LinkCut;
use crate::core::mirrormaker::patterns::Selection;
use serde::Serialize;

/// All that an answer rests on, for one flow and one topic of its source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// The topic.
    pub topic: String,
    /// The source cluster.
    pub source: String,
    /// The target cluster.
    pub target: String,
    /// Clusters other than the source that have a topic of that name, and are no end of a copy of it.
    pub elsewhere: Vec<String>,
    /// The flows that there are.
    pub flows: Vec<String>,
    /// A topic of the source with a name like it.
    pub nearest: Option<String>,
    /// What becomes of the name, by the patterns that MirrorMaker runs with.
    pub selection: Selection,
    /// Whether MirrorMaker takes the topic for its name, though the patterns do not.
    pub included_by_name: bool,
    /// Whether the topic came from where its prefixes say, if they say that it came from the target.
    pub origin: Option<Origin>,
    /// The patterns of topics to copy, as MirrorMaker has them.
    pub topics: Vec<String>,
    /// Whose pattern it is that takes the topic out, or whose patterns do not take it in, if so.
    pub whose: Whose,
    /// The properties file that says that the flow is not to run.
    pub disabled_by: Option<String>,
    /// MirrorMaker's containers.
    pub workers: Vec<Worker>,
    /// Clusters from whose network every MirrorMaker that runs is cut off.
    pub cut_off: Vec<String>,
    /// When `kmk link cut` cut it off from the source, if it did.
    pub cut: Option<LinkCut>,
    /// What is wrong with containers of brokers of the source and the target, in words.
    pub down: Vec<String>,
    /// The topic, on the source.
    #[serde(rename = "source_topic")]
    pub original: Sight,
    /// Its copy, on the target.
    #[serde(rename = "remote_topic")]
    pub copy: Sight,
    /// Why MirrorMaker has ended, where its container runs all the same.
    pub ended: Option<String>,
    /// Topics that block the whole flow, and this one if it blocks itself.
    pub culprits: Vec<Culprit>,
    /// Connectors and tasks that gave up.
    pub failures: Vec<Failure>,
    /// Copies that take only smaller records than their originals, looked for where one was too large.
    #[serde(rename = "size_limits")]
    pub tight: Vec<Tight>,
    /// What else is wrong with the flow, in words.
    pub problems: Vec<String>,
    /// Whether they are only what was not seen for long enough to be certain.
    #[serde(rename = "uncertain")]
    pub is_uncertain: bool,
    /// How many partitions of the topic MirrorMaker copies; none where it has not told.
    pub assigned: Option<usize>,
    /// When MirrorMaker looks for new topics.
    pub refresh: Refresh,
    /// What keeps the target from having a topic of that name, where that is known.
    pub obstacle: Option<Obstacle>,
    /// Records that are not copied; none where that cannot be known.
    pub behind: Option<u64>,
    /// Seconds since the oldest of them was written; none where they do not tell.
    pub seconds_behind: Option<f64>,
    /// Records that MirrorMaker has committed as copied, and that are not on the target.
    pub lost: u64,
    /// Which these are, of some partitions.
    pub missing: Vec<Missing>,
    /// Transactions that have not ended, before which a flow waits that reads only what is committed.
    #[serde(rename = "open_transactions")]
    pub open: Vec<OpenTransaction>,
    /// Whether producers use transactions on the source: what ends them has offsets there, and is not copied.
    pub transactions: bool,
    /// Records at most that the source dropped before they were mirrored.
    pub never_copied: u64,
    /// Whether each of these was a record.
    #[serde(rename = "never_copied_exact")]
    pub is_never_copied_exact: bool,
    /// What happened to the topic between two looks, and is still to be told.
    #[serde(rename = "between_looks")]
    pub past: Option<Past>,
    /// What is lost of the topic, in words.
    pub losses: Vec<String>,
    /// Offsets of which that is unknown: those of transactions may hold no record.
    pub possibly_never_copied: u64,
    /// Whether the flow's consumers begin at the end of a topic (`auto.offset.reset`).
    pub starts_at_end: bool,
    /// A position of MirrorMaker's that is beyond the end of its partition.
    #[serde(rename = "position_beyond_end")]
    pub beyond: Option<Beyond>,
    /// Whether the first record of each partition of the source is on the target, where that can be seen.
    #[serde(rename = "first_record_mirrored")]
    pub is_first_mirrored: Option<bool>,
}

/// A position of MirrorMaker's beyond the end of what it copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Beyond {
    /// The offset of the last record that MirrorMaker committed as mirrored.
    pub position: i64,
    /// The offset that the next record of the partition will get.
    pub end: i64,
}

/// The first transaction of a partition that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OpenTransaction {
    /// The partition.
    pub partition: i32,
    /// Where it began.
    pub offset: i64,
}

/// Records of a partition that were mirrored, are still on the source, and are not on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The partition.
    pub partition: i32,
    /// The source's offset of the first of them.
    pub from: i64,
    /// The offset behind the last of them.
    pub until: i64,
    /// Whether none of these is on the target: if not, where those that are there begin was not found.
    #[serde(rename = "exact")]
    pub is_exact: bool,
    /// Whether they have keys, as far as was looked.
    pub has_keys: bool,
}

/// What stands behind a name whose prefixes say that the topic was mirrored from somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// Flows take it all the way.
    Mirrored,
    /// There is no such flow.
    NoFlow {
        /// `source->target`.
        flow: String,
    },
    /// The flow has nothing of that name to take.
    NoTopic {
        /// What it would be on the source.
        topic: String,
        /// The source.
        cluster: String,
    },
    /// The flow does not take it.
    NotIncluded {
        /// What it is on the source.
        topic: String,
        /// `source->target`.
        flow: String,
    },
    /// A cluster does not tell.
    Unknown {
        /// Its name.
        cluster: String,
    },
}

impl Facts {
    /// Whether both are there, and the copy has fewer offsets.
    pub fn is_copy_shorter(&self) -> bool {
        let [original, copy] = [&self.original, &self.copy].map(Sight::contents);
        original
            .zip(copy)
            .is_some_and(|(original, copy)| copy.records < original.records)
    }

    /// Why the topic itself blocks records, if it does.
    pub fn own_culprit(&self) -> Option<&Culprit> {
        self.culprits.iter().find(|one| one.topic == self.topic)
    }

    /// Whether its name is what blocks records.
    pub fn has_unusable_name(&self) -> bool {
        let own = self.own_culprit();
        own.is_some_and(|one| matches!(one.why, Why::NameTooLong { .. } | Why::Collision { .. }))
    }
}

/// A container of MirrorMaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// Its compose service.
    pub service: String,
    /// Its name, unless it is missing.
    pub container: Option<String>,
    /// What it does: docker's word, or `missing`.
    pub state: String,
    /// In words that follow its name, such as `has exited with code 137`.
    pub described: String,
}

impl Worker {
    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.state == "running"
    }
}

/// A topic as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Sight {
    /// No broker of the cluster answers.
    Unreachable {
        /// Why not.
        problem: String,
    },
    /// kmk cannot log in to the cluster.
    Secured,
    /// There is no such topic.
    Absent,
    /// There is one.
    #[serde(rename = "exists")]
    There(Contents),
}

impl Sight {
    /// What is in it, if it is there.
    pub fn contents(&self) -> Option<Contents> {
        match self {
            Self::There(contents) => Some(*contents),
            Self::Unreachable { .. } | Self::Secured | Self::Absent => None,
        }
    }
}

/// What is in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// How many it has.
    pub partitions: usize,
    /// Offsets from the first record to the end, of all partitions.
    pub records: u64,
    /// The ends of all partitions together: what it ever held.
    #[serde(rename = "ever_written")]
    pub ever: u64,
}

/// A connector or task that gave up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Such as `MirrorSourceConnector-0`.
    #[serde(rename = "name")]
    pub part: String,
    /// The last cause of its trace.
    pub cause: Option<String>,
}

impl Failure {
    /// Whether a record was too large for the topic that it was to be written to.
    pub fn is_of_size(&self) -> bool {
        let mut cause = self.cause.iter();
        cause.any(|cause| cause.contains("RecordTooLargeException"))
    }
}

/// A copy that takes only smaller records than its original does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tight {
    /// The original.
    pub topic: String,
    /// The copy.
    pub remote: String,
    /// Bytes that the original takes in one batch of records.
    pub source_bytes: u64,
    /// Bytes that the copy takes.
    pub remote_bytes: u64,
}

/// When MirrorMaker looks for new topics and partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Refresh {
    /// Seconds from one look to the next.
    pub every_seconds: u64,
    /// Seconds until the next look at most; none where it is not known when MirrorMaker began.
    pub next_in_seconds: Option<u64>,
}

impl Refresh {
    /// From when MirrorMaker's connector began to run, and now, both in milliseconds since the epoch: it looks at a fixed rate from
    /// then on (`Scheduler.scheduleRepeatingDelayed`).
    pub fn new(every_seconds: u64, began: Option<i64>, now: i64) -> Self {
        let every = every_seconds.saturating_mul(1000).max(1);
        let next_in = |began: i64| {
            let since = u64::try_from(now.saturating_sub(began)).unwrap_or(0);
            (every - since % every).div_ceil(1000)
        };
        Self {
            every_seconds,
            next_in_seconds: began.map(next_in),
        }
    }
}

/// What keeps a target from having a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Obstacle {
    /// A topic there has a name that differs only in `.` and `_`.
    Collision {
        /// The topic that is there.
        with: String,
    },
    /// It would have more copies than there are brokers.
    Replicas {
        /// Copies that MirrorMaker asks for.
        asked: u64,
        /// Brokers that there are.
        brokers: usize,
    },
    /// What MirrorMaker wrote into its log.
    Reported {
        /// The line.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_look_is_counted_from_the_first() {
        let next = |every, began, now| Refresh::new(every, began, now).next_in_seconds;
        assert_eq!(next(600, Some(1_000), 1_000), Some(600));
        assert_eq!(next(600, Some(1_000), 591_000), Some(10));
        assert_eq!(next(600, Some(1_000), 601_000), Some(600));
        assert_eq!(next(600, Some(1_000), 601_001), Some(600));
        assert_eq!(next(600, None, 5), None);
        // a clock that went back
        assert_eq!(next(10, Some(9_000), 0), Some(10));
    }

    proptest! {
        #[test]
        fn the_next_look_is_never_further_than_the_interval(every in 0u64.., began: i64, now: i64) {
            let next = Refresh::new(every, Some(began), now).next_in_seconds.unwrap();
            prop_assert!(next <= every.max(1));
        }
    }
}
