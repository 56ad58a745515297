//! The records of a source that never crossed: where they are, and what they say.

use super::TopicComparison;
use crate::core::judge::drill::equality::OffsetRange;
use crate::core::observe::connect_patiently;
use crate::core::topology::Topology;
use kmk_kafka::KafkaError;
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::ops::ControlFlow;
use std::{fmt, io};

/// Ranges of one partition that are named in a sentence.
const SHOWN: usize = 5;

/// Records of one partition of the source that the target does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stranded {
    /// The topic on the source.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// What MirrorMaker copies when it runs again: it is behind its position.
    pub later: Vec<OffsetRange>,
    /// What MirrorMaker has passed over, and never copies.
    pub never: Vec<OffsetRange>,
}

impl fmt::Display for Stranded {
    /// As `topic-partition (first..last, ...)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<&OffsetRange> = self.ranges().collect();
        ranges.sort_by_key(|range| range.first);
        let shown = ranges.iter().take(SHOWN).map(ToString::to_string);
        let mut shown: Vec<String> = shown.collect();
        if ranges.len() > SHOWN {
            shown.push("...".to_owned());
        }
        write!(
            f,
            "{}-{} ({})",
            self.topic,
            self.partition,
            shown.join(", ")
        )
    }
}

impl Stranded {
    /// All that is stranded, in the order of topics and partitions; partitions without any are left out.
    pub fn of(compared: &[TopicComparison]) -> Vec<Self> {
        let all = compared.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                let (later, never) = partition.stranded();
                Self {
                    topic: topic.topic.clone(),
                    partition: partition.partition,
                    later,
                    never,
                }
            })
        });
        all.filter(|one| one.records() > 0).collect()
    }

    /// How many records these are.
    pub fn records(&self) -> u64 {
        self.ranges().map(|range| range.records).sum()
    }

    /// Their offsets.
    pub fn ranges(&self) -> impl Iterator<Item = &OffsetRange> {
        self.never.iter().chain(&self.later)
    }
}

/// Why stranded records could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The source does not answer.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// They cannot be written.
    #[error("cannot write")]
    Write(#[from] io::Error),
}

/// Shows every stranded record to `write`, with its topic, partition by partition in the order of offsets; how many. Where
/// some are gone meanwhile, fewer than [`Stranded::records`].
///
/// # Errors
/// [`ExportError`]
pub fn export(
    topology: &Topology,
    source: &str,
    stranded: &[Stranded],
    limit: &Limit,
    mut write: impl FnMut(&str, &RecordRef<'_>) -> io::Result<()>,
) -> Result<u64, ExportError> {
    let mut exported = 0;
    for one in stranded {
        let mut admin = connect_patiently(topology, source, limit)?;
        let mut ranges: Vec<&OffsetRange> = one.ranges().collect();
        ranges.sort_by_key(|range| range.first);
        for range in ranges {
            let mut written = Ok(());
            admin.scan(&one.topic, one.partition, range.first, limit, |record| {
                if record.offset > range.last {
                    return ControlFlow::Break(());
                }
                if record.offset >= range.first {
                    written = write(&one.topic, &record);
                    exported += 1;
                }
                if written.is_err() || record.offset == range.last {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            written?;
        }
    }
    Ok(exported)
}
