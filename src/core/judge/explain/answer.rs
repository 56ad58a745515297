//! The answers there are, in the order in which they are looked for.

use super::facts::{Beyond, Failure, Obstacle, Origin, Refresh, Tight, Worker};
use crate::core::judge::culprit::Culprit;
use crate::core::judge::lag::Past;
use crate::core::topology::InternalName;
use serde::Serialize;

/// Why a topic is, or is not, on the target of a flow. As JSON: `answer` is the name, `facts` what comes with it. Names and facts
/// stay; new ones may come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "answer", content = "facts", rename_all = "snake_case")]
pub enum Answer {
    /// It is a name of Kafka's or MirrorMaker's own.
    Internal {
        /// By what it is known.
        rule: InternalName,
    },
    /// Neither the source nor any other cluster has it.
    NoSuchTopic {
        /// A topic of the source with a name like it.
        nearest: Option<String>,
    },
    /// The target has a topic with the name of the copy, and the source has nothing to copy.
    SourceTopicMissing,
    /// It is on clusters from which no such flow leads.
    NoFlow {
        /// The clusters that have it.
        on: Vec<String>,
        /// The flows that there are.
        flows: Vec<String>,
    },
    /// Its name says that it was mirrored from the target: it does not go back.
    Cycle {
        /// Whether it was.
        origin: Origin,
    },
    /// Its name on the target would be too long.
    NameTooLong {
        /// Characters that it would have.
        length: usize,
        /// Characters that Kafka allows.
        most: usize,
    },
    /// A pattern takes it out.
    Excluded {
        /// The pattern, as a person wrote it.
        pattern: String,
        /// Who wrote it.
        whose: Whose,
    },
    /// No pattern takes it in.
    NotListed {
        /// The patterns.
        topics: Vec<String>,
        /// Who wrote them.
        whose: Whose,
    },
    /// The flow is not to run.
    Disabled {
        /// The properties file that says so.
        file: String,
    },
    /// No MirrorMaker of the flow runs.
    MirrorMakerDown {
        /// What they do instead.
        workers: Vec<Worker>,
    },
    /// MirrorMaker has ended, in a container that runs.
    MirrorMakerEnded {
        /// Why.
        cause: String,
    },
    /// MirrorMaker is cut off.
    LinkCut {
        /// From these clusters.
        clusters: Vec<String>,
    },
    /// No broker of the source answers.
    SourceUnreachable {
        /// Why not.
        problem: String,
    },
    /// No broker of the target answers.
    TargetUnreachable {
        /// Why not.
        problem: String,
    },
    /// Its records do not get to the target, and block all other topics or only itself.
    Blocking {
        /// Why.
        culprit: Culprit,
    },
    /// Other topics block the whole flow.
    Blocked {
        /// Which, and why.
        culprits: Vec<Culprit>,
    },
    /// A connector or task gave up, and with it every topic of the flow.
    Failed {
        /// Which, and why.
        failures: Vec<Failure>,
        /// Where a record was too large: the copies that take only smaller ones than their originals.
        #[serde(rename = "size_limits")]
        tight: Vec<Tight>,
    },
    /// kmk cannot log in, and does not know more.
    Secured {
        /// The clusters.
        clusters: Vec<String>,
    },
    /// Only Java can tell whether these patterns take it, and MirrorMaker has not taken it.
    NotEvaluated {
        /// The patterns.
        patterns: Vec<String>,
        /// When MirrorMaker looks again.
        refresh: Refresh,
    },
    /// MirrorMaker has not looked for new topics since.
    NotRefreshed {
        /// When it looks again.
        refresh: Refresh,
    },
    /// MirrorMaker copies it, and the target has no such topic.
    NotCreated {
        /// Why not, where that is known.
        obstacle: Option<Obstacle>,
        /// When MirrorMaker tries again.
        refresh: Refresh,
    },
    /// The topic has partitions that are not copied: MirrorMaker does not know them yet, or the copy has fewer.
    FewerPartitions {
        /// Partitions that are copied.
        copied: usize,
        /// Partitions that there are on the source.
        of: usize,
        /// When MirrorMaker adds the others.
        refresh: Refresh,
    },
    /// Something else is wrong with the flow.
    Unhealthy {
        /// In words.
        problems: Vec<String>,
        /// Whether that is certain.
        certain: bool,
    },
    /// Nobody tells how far it is copied: a partition without a leader, for one.
    OffsetsUnknown,
    /// There is no record to copy.
    NothingProduced {
        /// Records that it once held.
        #[serde(rename = "ever_written")]
        ever: u64,
    },
    /// The mirrored topic was deleted and recreated, or cut off at its end: what was mirrored before does not come again.
    MirroredRecordsLost {
        /// Records that MirrorMaker counts as copied, and that are not there.
        records: u64,
    },
    /// The source dropped records before they were mirrored.
    NeverCopied {
        /// Records at most.
        records: u64,
        /// Whether the number is exact.
        exact: bool,
    },
    /// Records were lost between two looks, and MirrorMaker has gone on since.
    LostBetweenLooks(
        /// What happened.
        Past,
    ),
    /// MirrorMaker's position belongs to an earlier topic of that name, which is gone.
    SourceRecreated(
        /// The position.
        Beyond,
    ),
    /// MirrorMaker has begun in the midst of the topic: its first records are not on the target.
    StartedMidway,
    /// It is mirrored, and not all of it is there.
    Behind {
        /// Records that are not.
        records: u64,
        /// Seconds since the oldest of them was written; none where they do not tell.
        seconds: Option<f64>,
    },
    /// The source dropped offsets before they were mirrored, and it is unknown whether they held records: those of
    /// transactions may hold none.
    PossiblyNeverCopied {
        /// Offsets.
        offsets: u64,
    },
    /// MirrorMaker's position is at the end of the source; by the flow's `auto.offset.reset`, records from before it began
    /// are not mirrored.
    StartedAtEnd,
    /// MirrorMaker's position is at the end of the source, and whether the first records are on the target cannot be seen.
    AllCommitted {
        /// Records on the source.
        records: u64,
    },
    /// It is mirrored: MirrorMaker's position is at the end of the source, whose first record is on the target.
    UpToDate {
        /// Records on the source.
        records: u64,
    },
}

/// Who wrote patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Whoever described the lab.
    Lab,
    /// MirrorMaker's default, which kmk keeps.
    Default,
    /// Somebody else, in the properties that MirrorMaker runs with.
    Edited,
}

impl Answer {
    /// Whether records cross.
    pub fn is_mirrored(&self) -> bool {
        matches!(
            self,
            Self::Behind { .. }
                | Self::StartedAtEnd
                | Self::AllCommitted { .. }
                | Self::UpToDate { .. }
        )
    }
}
