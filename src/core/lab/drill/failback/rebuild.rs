//! Empties the drill's topic on the old side, so that it can be filled again; what exists only there is written to the target
//! first, where that is asked for.

use super::run::Run;
use crate::core::event::Event;
use crate::core::lab::compare::{self, ExportError, Stranded};
use crate::core::lab::drill::DrillError;
use crate::core::observe::connect_patiently;
use kmk_kafka::message::{HeaderRef, RecordRef, to_millis};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, Batch, Client, KafkaError, NewTopic, Producer, ProducerOptions, Tally};
use std::io;
use std::time::SystemTime;

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

    /// Deletes the drill's topic on the old side, with so many records, and recreates it.
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
}

/// What becomes of the records that exist only there.
fn told(stranded: &[Stranded], kept: &str) -> String {
    if stranded.is_empty() {
        return String::new();
    }
    let places: Vec<String> = stranded.iter().map(ToString::to_string).collect();
    format!("; {} exist only there: {kept}", places.join(", "))
}
