//! Empties the drill's topic on the old side, so that it can be filled again; what exists only there is written to the target
//! first, where that is asked for.

use super::run::Run;
use crate::core::event::Event;
use crate::core::judge::drill::equality::{OffsetRange, ranges};
use crate::core::lab::compare::{self, ExportError, Stranded};
use crate::core::lab::drill::DrillError;
use crate::core::lab::drill::sides::Ends;
use crate::core::observe::connect_patiently;
use kmk_kafka::message::{HeaderRef, RecordRef, to_millis};
use kmk_kafka::wait::{Limit, Probe};
use kmk_kafka::{Admin, At, Batch, Client, KafkaError, NewTopic, Producer, ProducerOptions, Tally};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::slice;
use std::time::{Duration, SystemTime};

/// How long members that were killed with the source may still be members there, and how often it is tried again.
const SESSION: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(500);
/// What a coordinator answers to one that is no member of a group that has members (`UNKNOWN_MEMBER_ID`).
const UNKNOWN_MEMBER: i16 = 25;

/// The offsets of the mirrored topic that were copied to an empty topic, by partition.
pub(super) struct Copied(BTreeMap<i32, Vec<OffsetRange>>);

impl Copied {
    /// Where the filled topic ends.
    pub(super) fn ends(&self) -> Ends {
        let partitions = self.0.keys();
        partitions
            .map(|partition| (*partition, self.offset_of(*partition, i64::MAX)))
            .collect()
    }

    /// The offset in the filled topic that an offset in the mirrored topic has become.
    fn offset_of(&self, partition: i32, mirrored: i64) -> i64 {
        let ranges = self.0.get(&partition).into_iter().flatten();
        let before = ranges.map(|range| (mirrored.min(range.last + 1) - range.first).max(0));
        before.sum()
    }
}

/// Records that are written one by one, each with its own headers.
struct Writer<'a> {
    producer: Producer,
    tally: Tally,
    limit: &'a Limit,
}

impl<'a> Writer<'a> {
    fn open(admin: Admin, topic: &str, limit: &'a Limit) -> Result<Self, KafkaError> {
        let writing = ProducerOptions {
            // the other one knows no headers
            client: Client::Wire,
            ..ProducerOptions::default()
        };
        Ok(Self {
            producer: Producer::open(admin, topic, &writing, limit)?,
            tally: Tally::default(),
            limit,
        })
    }

    fn send(&mut self, record: &RecordRef<'_>) -> Result<(), KafkaError> {
        let headers = record.headers.iter().map(HeaderRef::to_header);
        let mut batch = Batch::new(headers.collect());
        let time = record.time.filter(|time| *time >= 0);
        let time = time.unwrap_or_else(|| to_millis(SystemTime::now()));
        batch.push(record.partition, record.key, record.value, time);
        self.producer.send(batch, self.limit, &mut self.tally)
    }

    /// How many were acknowledged.
    fn finish(mut self) -> Result<u64, KafkaError> {
        self.producer.flush(self.limit, &mut self.tally)?;
        let partitions = self.tally.partitions.values();
        Ok(partitions.map(|written| written.records).sum())
    }
}

impl Run<'_> {
    /// Writes stranded records to the target, as new records; how many.
    pub(super) fn replay(&self, stranded: &[Stranded]) -> Result<u64, DrillError> {
        let (topology, limit) = (&self.way.topology, self.limit());
        let (source, target) = (&self.state.source, &self.state.target);
        self.step(
            &format!("Writing the stranded records to {target}"),
            &format!("Wrote the stranded records to {target}"),
            || {
                let admin = connect_patiently(topology, target, &limit)?;
                let mut writer = Writer::open(admin, &self.state.topics.target, &limit)?;
                let mut stopped = None;
                let read = compare::export(topology, source, stranded, &limit, |_, record| {
                    writer.send(record).map_err(|error| {
                        let told = io::Error::other(error.to_string());
                        if let KafkaError::Stopped(stop) = error {
                            stopped = Some(stop);
                        }
                        told
                    })
                });
                read.map_err(|error| match error {
                    ExportError::Kafka(error) => error.into(),
                    ExportError::Write(cause) => match stopped {
                        Some(stop) => KafkaError::Stopped(stop).into(),
                        None => DrillError::NotReplayed {
                            target: target.clone(),
                            cause: cause.to_string(),
                        },
                    },
                })?;
                let replayed = writer.finish()?;
                let wanted = stranded.iter().map(Stranded::records).sum();
                if replayed < wanted {
                    let exported = replayed;
                    return Err(DrillError::NotSalvaged { exported, wanted });
                }
                Ok(replayed)
            },
        )
    }

    /// Deletes the drill's topic on the old side, with this many records, and recreates it.
    pub(super) fn empty(
        &self,
        records: u64,
        stranded: &[Stranded],
        kept: &str,
    ) -> Result<(), DrillError> {
        let (source, topic) = (&self.state.source, &self.state.topics.source);
        let limit = self.limit();
        let mut admin = connect_patiently(&self.way.topology, source, &limit)?;
        let info = admin.topics(&limit)?.remove(topic);
        let Some(info) = info else {
            let topic = topic.clone();
            return Err(KafkaError::UnknownTopic { topic }.into());
        };
        self.observer.on(Event::Note(format!(
            "topic `{topic}` on {source} is deleted with its {records} records, recreated, and filled from {}{}",
            self.state.target,
            told(stranded, kept)
        )));
        self.step(
            &format!("Emptying `{topic}` on {source}"),
            &format!("Emptied `{topic}` on {source}"),
            || {
                admin.delete_topic(topic, &limit)?;
                let empty = NewTopic {
                    name: topic.clone(),
                    partitions: i32::try_from(info.partitions.len()).ok(),
                    ..NewTopic::default()
                };
                Ok(admin.create_topic(&empty, &limit).map(drop)?)
            },
        )
    }

    /// Copies the mirrored topic on the target into the emptied topic, partition by partition; what was copied.
    /// With prefixed names, MirrorMaker does not mirror it back.
    pub(super) fn refill(&self) -> Result<Copied, DrillError> {
        let (topology, limit, topics) = (&self.way.topology, self.limit(), &self.state.topics);
        let (source, target) = (&self.state.source, &self.state.target);
        let what = format!(
            "`{}` on {target} to `{}` on {source}",
            topics.mirrored, topics.source
        );
        let (begins, done) = (format!("Copying {what}"), format!("Copied {what}"));
        self.step(&begins, &done, || {
            let mut from = connect_patiently(topology, target, &limit)?;
            let firsts = from.offsets(slice::from_ref(&topics.mirrored), At::Earliest, &limit)?;
            let to = connect_patiently(topology, source, &limit)?;
            let mut writer = Writer::open(to, &topics.source, &limit)?;
            let mut copied = BTreeMap::new();
            for ((topic, partition), first) in firsts {
                let (mut sent, mut offsets) = (Ok(()), Vec::new());
                from.scan_committed(&topic, partition, first, &limit, |record| {
                    sent = writer.send(&record);
                    offsets.push(record.offset);
                    match sent {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                })?;
                sent?;
                copied.insert(partition, ranges(offsets));
            }
            writer.finish()?;
            Ok(Copied(copied))
        })
    }

    /// Commits for each group, in the filled topic, the offset that it has committed in the mirrored one: the offsets that it
    /// had are gone with the old topic.
    pub(super) fn commit_offsets(&self, copied: &Copied) -> Result<(), DrillError> {
        let (topology, limit, topics) = (&self.way.topology, self.limit(), &self.state.topics);
        let mut from = connect_patiently(topology, &self.state.target, &limit)?;
        let mut to = connect_patiently(topology, &self.state.source, &limit)?;
        let patience = limit.at_most(SESSION);
        for group in &self.state.groups {
            let committed = from.group_offsets(group, &topics.mirrored, &limit)?;
            let offsets = committed.into_iter().map(|(partition, offset)| {
                let place = (topics.source.clone(), partition);
                (place, copied.offset_of(partition, offset))
            });
            let offsets: BTreeMap<_, _> = offsets.collect();
            if offsets.is_empty() {
                continue;
            }
            patience.until(AGAIN, || match to.move_group(group, &offsets, &limit) {
                Err(error)
                    if error
                        .code()
                        .is_some_and(|code| code.number() == UNKNOWN_MEMBER) =>
                {
                    Ok(Probe::NotYet(error.to_string()))
                }
                committed => committed.map(Probe::Ready),
            })?;
        }
        Ok(())
    }
}

/// What becomes of the records that exist only there.
fn told(stranded: &[Stranded], kept: &str) -> String {
    if stranded.is_empty() {
        return String::new();
    }
    let places: Vec<String> = stranded.iter().map(ToString::to_string).collect();
    format!("; {} exist only there: {kept}", places.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_has_other_offsets_where_the_mirrored_topic_has_holes() {
        let copied = Copied([(0, ranges([0, 1, 2])), (1, ranges([5, 6, 9])), (2, vec![])].into());
        assert_eq!(copied.ends(), [(0, 3), (1, 3), (2, 0)].into());
        for (partition, mirrored, offset) in [
            (0, 2, 2),
            (0, 3, 3),
            (1, 0, 0),
            (1, 6, 1),
            (1, 8, 2),
            (1, 9, 2),
            (1, 10, 3),
            (2, 4, 0),
        ] {
            assert_eq!(
                copied.offset_of(partition, mirrored),
                offset,
                "{partition}: {mirrored}"
            );
        }
    }
}
