//! The lag of flows, topics and partitions as plain values. As JSON, fields keep their names and meanings; new ones may
//! come.

use super::judge::{Ends, Facts, Outlook, Replica};
use super::never::NeverCopied;
use super::past::{Ids, Past};
use super::stall::Stall;
use crate::core::judge::culprit::Culprit;
use crate::core::judge::link::LinkStatus;
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;

/// One flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowLag {
    /// `source->target`.
    pub name: String,
    /// Cluster that is read.
    pub source: String,
    /// Cluster that is written.
    pub target: String,
    /// Records of all its topics that MirrorMaker has still to copy; none when that cannot be known.
    pub behind: Option<u64>,
    /// Age of the oldest of them, in seconds; 0 when there are none, and none when no such record tells its time.
    pub seconds_behind: Option<f64>,
    /// Records at most that were copied, are not on the target, and will not be copied again.
    pub lost: u64,
    /// Records at most that the source dropped before they were mirrored, as far as that is still to be seen.
    pub never_copied: u64,
    /// Offsets of which the same is unknown: those of transactions may hold no record.
    pub possibly_never_copied: u64,
    /// Every topic of the source, those that are not mirrored too; in order.
    pub topics: Vec<TopicLag>,
    /// Why some of it cannot be known.
    pub problem: Option<String>,
    /// Topics in which records wait while MirrorMaker's position does not advance.
    pub stalled: Vec<Stall>,
    /// Topics that keep records from being copied, looked for where some are stalled.
    pub culprits: Vec<Culprit>,
    /// Where it cannot be known, and whoever looks has looked before: what was known then.
    pub last_known: Option<LastKnown>,
    /// Where it cannot be known: seconds since MirrorMaker last committed a record as mirrored, as far as the target tells.
    pub position_age_seconds: Option<f64>,
    /// Whether MirrorMaker is on the network of the source, and whether `kmk link cut` took it off; none where that was not looked at.
    pub link: Option<LinkStatus>,
}

/// What was known of a flow that is not known any more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LastKnown {
    /// As of the flow, then.
    pub behind: u64,
    /// As of the flow, then.
    pub seconds_behind: Option<f64>,
    /// Seconds since then.
    pub age: f64,
}

/// One topic of the source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicLag {
    /// On the source.
    pub source: String,
    /// On the target.
    pub remote: String,
    /// Whether it is mirrored, and why not.
    pub state: TopicState,
    /// As of the flow; 0 of a topic that is not mirrored.
    pub behind: u64,
    /// Whether each record was counted. If not, offsets were, of which some may hold none.
    pub exact: bool,
    /// As of the flow.
    pub seconds_behind: Option<f64>,
    /// As of the flow.
    pub lost: u64,
    /// As of the flow.
    pub never_copied: u64,
    /// Whether each of these was a record: offsets of transactions and of compacted topics may hold none.
    #[serde(rename = "never_copied_exact")]
    pub is_never_copied_exact: bool,
    /// As of the flow.
    pub possibly_never_copied: u64,
    /// What happened to it between two looks, and is still to be told.
    #[serde(rename = "between_looks")]
    pub past: Option<Past>,
    /// Kafka's ids of it and of its copy.
    #[serde(skip)]
    pub ids: Ids,
    /// Whether a position of MirrorMaker's is beyond the end of its partition: it belongs to a topic of that name that was
    /// deleted, or of a cluster that has lost its data.
    pub recreated: bool,
    /// How many partitions it has.
    pub partition_count: usize,
    /// Each of them but those that do not answer, having no leader at the moment for one; none of a topic that is not mirrored.
    pub partitions: Vec<PartitionLag>,
}

/// Whether a topic is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicState {
    /// It is, and its copy is there.
    Mirrored,
    /// It should be, and has no copy yet.
    NotCreatedYet,
    /// It was, and its copy is gone.
    MirroredTopicGone,
    /// It is excluded.
    Excluded,
    /// It is not among the flow's topics.
    NotListed,
    /// It belongs to Kafka, MirrorMaker or kmk.
    Internal,
    /// It is a copy that comes from the target.
    FromTarget,
    /// With its prefix its name is longer than Kafka allows.
    NameTooLong,
    /// It has no copy, and only Java can tell whether the flow's expressions take it in.
    NoMirroredTopic,
}

impl TopicState {
    /// Whether MirrorMaker copies it.
    pub fn is_copied(self) -> bool {
        matches!(
            self,
            Self::Mirrored | Self::NotCreatedYet | Self::MirroredTopicGone
        )
    }
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionLag {
    /// Its number.
    pub partition: i32,
    /// The source's first offset.
    pub first: i64,
    /// The source's end.
    pub end: i64,
    /// MirrorMaker's position: the last source offset that it committed as mirrored.
    pub position: Option<i64>,
    /// As of the flow.
    pub behind: u64,
    /// As of the topic.
    pub exact: bool,
    /// As of the flow.
    pub seconds_behind: Option<f64>,
    /// As of the flow.
    pub lost: u64,
    /// As of the flow.
    pub never_copied: u64,
    /// As of the flow.
    pub possibly_never_copied: u64,
    /// As of the topic.
    pub recreated: bool,
    /// Records at least that were found to be passed over since the last look.
    #[serde(skip)]
    pub passed_over: u64,
    /// Whether the age is that of the record's arrival at the source.
    #[serde(skip)]
    pub is_stamped: bool,
    /// Where the mirrored partition begins and ends; none where there is none, or it has no leader.
    pub remote: Option<Ends>,
}

/// What a look at the records that are left showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many records were seen.
    pub records: u64,
    /// Up to which offset.
    pub reached: i64,
    /// The earliest of their times, in milliseconds since the epoch, if one has a time.
    pub oldest: Option<i64>,
    /// Whether the broker set all of these (`LogAppendTime`): a producer may give an old one to a new record.
    pub is_stamped: bool,
}

impl PartitionLag {
    /// Of a partition with this outlook, at the time `now`, in milliseconds since the epoch. `seen` is what a look at what is left
    /// showed, if there was one.
    pub fn new(
        partition: i32,
        facts: &Facts,
        outlook: &Outlook,
        seen: Option<Seen>,
        now: i64,
    ) -> Self {
        let left = &outlook.left;
        let (counted, reached) = seen.map_or((0, left.start), |seen| {
            (seen.records, seen.reached.clamp(left.start, left.end))
        });
        let behind = counted.saturating_add(length(&(reached..left.end)));
        let oldest = seen.and_then(|seen| seen.oldest);
        Self {
            partition,
            first: facts.source.first,
            end: facts.source.end,
            position: facts.position,
            behind,
            exact: reached == left.end,
            seconds_behind: match (behind, oldest) {
                (0, _) => Some(0.0),
                (_, Some(time)) if time >= 0 => Some(seconds(now.saturating_sub(time))),
                _ => None,
            },
            lost: outlook.lost,
            never_copied: outlook.never_copied,
            possibly_never_copied: 0,
            recreated: outlook.is_of_another,
            passed_over: 0,
            is_stamped: seen.is_some_and(|seen| seen.is_stamped),
            remote: match facts.copy {
                Replica::There(ends) => Some(ends),
                Replica::Absent | Replica::Unknown => None,
            },
        }
    }
}

impl PartitionLag {
    /// The same where producers use transactions.
    #[must_use]
    pub fn with_transactions(self) -> Self {
        let never = NeverCopied::of(self.never_copied, self.behind > 0, true);
        Self {
            never_copied: never.records,
            possibly_never_copied: never.unknown,
            ..self
        }
    }
}

fn length(range: &Range<i64>) -> u64 {
    u64::try_from(range.end.saturating_sub(range.start)).unwrap_or(0)
}

/// A producer's clock may be ahead: nothing is less than 0 s old.
pub(in crate::core) fn seconds(millis: i64) -> f64 {
    let millis = u64::try_from(millis).unwrap_or(0);
    Duration::from_millis(millis).as_secs_f64()
}

/// The age of the oldest: of what is not behind it is 0, and what tells no time is left out where others do.
fn oldest(of: impl Iterator<Item = (u64, Option<f64>)>) -> Option<f64> {
    let behind: Vec<Option<f64>> = of
        .filter(|(behind, _)| *behind > 0)
        .map(|(_, seconds)| seconds)
        .collect();
    if behind.is_empty() {
        return Some(0.0);
    }
    behind.into_iter().flatten().reduce(f64::max)
}

impl TopicLag {
    /// Sums up its partitions.
    pub fn new(
        (source, remote): (&str, &str),
        state: TopicState,
        partition_count: usize,
        partitions: Vec<PartitionLag>,
    ) -> Self {
        let each = || partitions.iter();
        Self {
            source: source.to_owned(),
            remote: remote.to_owned(),
            state,
            behind: each().map(|one| one.behind).sum(),
            exact: each().all(|one| one.exact),
            seconds_behind: oldest(each().map(|one| (one.behind, one.seconds_behind))),
            lost: each().map(|one| one.lost).sum(),
            never_copied: each().map(|one| one.never_copied).sum(),
            is_never_copied_exact: false,
            possibly_never_copied: each().map(|one| one.possibly_never_copied).sum(),
            past: None,
            ids: Ids::default(),
            recreated: each().any(|one| one.recreated),
            partition_count,
            partitions,
        }
    }

    /// Whether it is copied, and some of its partitions do not answer, so that nothing is known of them.
    pub fn is_partly_unknown(&self) -> bool {
        self.state.is_copied() && self.partitions.len() < self.partition_count
    }
}

impl FlowLag {
    /// Sums up its topics.
    pub fn new((source, target): (&str, &str), topics: Vec<TopicLag>) -> Self {
        let each = || topics.iter();
        let unknown: Vec<&str> = each()
            .filter(|topic| topic.is_partly_unknown())
            .map(|topic| topic.source.as_str())
            .collect();
        Self {
            name: format!("{source}->{target}"),
            source: source.to_owned(),
            target: target.to_owned(),
            behind: Some(each().map(|topic| topic.behind).sum()),
            seconds_behind: oldest(each().map(|topic| (topic.behind, topic.seconds_behind))),
            lost: each().map(|topic| topic.lost).sum(),
            never_copied: each().map(|topic| topic.never_copied).sum(),
            possibly_never_copied: each().map(|topic| topic.possibly_never_copied).sum(),
            last_known: None,
            position_age_seconds: None,
            link: None,
            problem: (!unknown.is_empty())
                .then(|| format!("partitions that do not answer: {}", unknown.join(", "))),
            topics,
            stalled: Vec::new(),
            culprits: Vec::new(),
        }
    }

    /// One of which nothing is known.
    pub fn unknown((source, target): (&str, &str), problem: String) -> Self {
        Self {
            behind: None,
            seconds_behind: None,
            problem: Some(problem),
            ..Self::new((source, target), Vec::new())
        }
    }

    /// Keeps what the look before knew, so long ago, where this one knows nothing.
    pub fn remember(&mut self, before: &Self, between: Duration) {
        if self.behind.is_some() {
            return;
        }
        self.last_known = match before.behind {
            Some(behind) => Some(LastKnown {
                behind,
                seconds_behind: before.seconds_behind,
                age: between.as_secs_f64(),
            }),
            None => before.last_known.map(|known| LastKnown {
                age: known.age + between.as_secs_f64(),
                ..known
            }),
        };
    }

    /// Drops what may be stalled and was hardly seen, unless something blocks it: that makes it certain.
    pub fn keep_certain(&mut self) {
        for stall in &mut self.stalled {
            stall.is_sure |= self.culprits.iter().any(|one| one.topic == stall.topic);
        }
        self.stalled.retain(Stall::is_seen);
    }

    /// Drops all other topics, and sums up again. What is unknown stays so.
    pub fn keep(&mut self, topic: &str) {
        self.topics.retain(|one| one.source == topic);
        if self.behind.is_some() {
            let topics = std::mem::take(&mut self.topics);
            let mut stalled = std::mem::take(&mut self.stalled);
            stalled.retain(|stall| stall.topic == topic);
            let culprits = std::mem::take(&mut self.culprits);
            let link = self.link.take();
            *self = Self {
                stalled,
                culprits,
                link,
                ..Self::new((&self.source, &self.target), topics)
            };
        }
    }

    /// The topics that MirrorMaker copies.
    pub fn copied(&self) -> impl Iterator<Item = &TopicLag> {
        self.topics.iter().filter(|topic| topic.state.is_copied())
    }
}

#[cfg(test)]
pub(super) mod tests;
