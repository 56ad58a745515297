//! What came of a failback, as plain values. As JSON, fields keep their names and meanings; new ones may come.

use super::By;
use crate::core::judge::drill::failback::{FlowDifference, GroupReturn, Kept};
use crate::core::lab::compare::{Stranded, TopicComparison};
use crate::core::lab::drill::TimedStep;
use serde::Serialize;

/// A failback that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailbackReport {
    /// The lab.
    pub lab: String,
    /// The flow that had failed over, `source->target`.
    pub flow: String,
    /// The flow back.
    pub back: String,
    /// How the source got what was written on the target.
    pub by: By,
    /// Whether the flow back was added for the failback.
    pub back_was_added: bool,
    /// The cluster that was failed over from, and that is in use again.
    pub source: String,
    /// The cluster that had taken over.
    pub target: String,
    /// What the source had acknowledged and the target never got.
    pub stranded: Vec<Stranded>,
    /// How many records these are.
    pub stranded_records: u64,
    /// How many of them were exported; none where it was not asked for.
    pub exported: Option<u64>,
    /// How many of them were written to the target as new records; none where it was not asked for.
    pub replayed: Option<u64>,
    /// How many records the source's topic had when it was deleted; none where it was not.
    pub deleted: Option<u64>,
    /// Records that the target acknowledged during the failback.
    pub written_on_target: u64,
    /// Records that the source acknowledged after the switch back.
    pub written_on_source: u64,
    /// Both flows at the switch back, with nothing under way.
    pub at_switch: BothWays,
    /// The same once records had been written on the source again, and the flow that had failed over ran again.
    pub afterwards: BothWays,
    /// Stranded records that MirrorMaker mirrored late, once that flow ran again.
    pub mirrored_late: u64,
    /// Records that it then mirrored again: it had not committed them before it stopped.
    pub repeated: u64,
    /// What the drill's groups were given of the records that were written during the failback.
    pub groups: Vec<GroupReturn>,
    /// What had to hold.
    pub checks: Vec<Kept>,
    /// The whole failback.
    pub millis: u64,
    /// What was done when, from the look at the old side to the removal of what was the drill's.
    pub steps: Vec<TimedStep>,
}

/// Both flows, compared record by record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BothWays {
    /// The flow that had failed over.
    pub forward: FlowDifference,
    /// The flow back.
    pub back: FlowDifference,
    /// The same, partition by partition.
    pub partitions: Vec<TopicComparison>,
}

impl FailbackReport {
    /// Whether everything held that had to.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }
}

/// The partitions of topics together.
pub(super) fn sum(flow: &str, topics: &[TopicComparison]) -> FlowDifference {
    let partitions = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|one| {
            let why = one.unknown.as_deref().unwrap_or("not compared");
            let name = format!("{}-{}", topic.mirrored, one.partition);
            (name, one.difference.as_ref().ok_or(why))
        })
    });
    FlowDifference::of(flow, partitions)
}
