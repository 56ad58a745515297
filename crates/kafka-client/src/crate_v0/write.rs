//! Writing records with the crate. Runs on the connection's thread.

use super::{error_of, metadata};
use crate::compression;
use crate::error::KafkaError;
use crate::producer::Chunk;
use crate::producer::{Acks, ProducerOptions};
use kafka::client::{Compression, KafkaClient, ProduceMessage, RequiredAcks};
use kafka::error::{Error, KafkaCode};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the broker may wait for its other replicas.
const REPLICATE: Duration = Duration::from_secs(10);

/// What happened to the records for one partition.
#[derive(Debug, Clone)]
pub(super) enum WriteOutcome {
    /// All are written, the first at this offset.
    Written(i64),
    /// None is written.
    Refused(KafkaError),
    /// Together they are too large.
    TooLarge,
    /// They may be written or not.
    Doubtful(KafkaError),
}

/// How the crate is told to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteOptions {
    acks: RequiredAcks,
    compression: Compression,
}

impl WriteOptions {
    /// # Errors
    /// [`KafkaError::CannotDo`] for a compression that the crate does not know.
    pub(super) fn of(writing: &ProducerOptions) -> Result<Self, KafkaError> {
        Ok(Self {
            acks: match writing.acks {
                Acks::All => RequiredAcks::All,
                Acks::One => RequiredAcks::One,
            },
            compression: match writing.compression {
                compression::Compression::None => Compression::NONE,
                compression::Compression::Gzip => Compression::GZIP,
                compression::Compression::Snappy => Compression::SNAPPY,
                other => {
                    return Err(KafkaError::CannotDo {
                        what: format!(
                            "version 0 of the protocol, which knows nothing of {}",
                            other.name()
                        ),
                    });
                }
            },
        })
    }
}

/// One request to each leader, so that the failure of one does not cast doubt on what
/// the others have written.
pub(super) fn write(
    client: &mut KafkaClient,
    topic: &str,
    how: WriteOptions,
    chunks: &[(i32, Arc<Chunk>)],
) -> BTreeMap<i32, WriteOutcome> {
    client.set_compression(how.compression);
    let mut outcomes = BTreeMap::new();
    let mut by_leader: BTreeMap<String, Vec<&(i32, Arc<Chunk>)>> = BTreeMap::new();
    for chunk in chunks {
        match metadata::leader(client, topic, chunk.0) {
            Some(leader) => by_leader.entry(leader).or_default().push(chunk),
            None => {
                outcomes.insert(
                    chunk.0,
                    WriteOutcome::Refused(no_leader(client, topic, chunk.0)),
                );
            }
        }
    }
    for (leader, chunks) in by_leader {
        let messages = chunks.iter().flat_map(|(partition, chunk)| {
            chunk
                .iter()
                .map(|item| ProduceMessage::new(topic, *partition, item.key, item.value))
        });
        match client.produce_messages(how.acks, REPLICATE, messages) {
            Ok(confirms) => {
                let confirms = confirms
                    .into_iter()
                    .flat_map(|confirm| confirm.partition_confirms);
                outcomes.extend(confirms.map(|confirm| {
                    let outcome = confirm.offset.map_or_else(
                        |code| refused(code, topic, confirm.partition),
                        WriteOutcome::Written,
                    );
                    (confirm.partition, outcome)
                }));
            }
            Err(error) => {
                let failed = failed(&error, &leader, topic);
                outcomes.extend(
                    chunks
                        .iter()
                        .map(|(partition, _)| (*partition, failed.clone())),
                );
            }
        }
    }
    outcomes
}

/// What a partition's error code means to a writer.
fn refused(code: KafkaCode, topic: &str, partition: i32) -> WriteOutcome {
    if matches!(
        code,
        KafkaCode::MessageSizeTooLarge | KafkaCode::RecordListTooLarge
    ) {
        return WriteOutcome::TooLarge;
    }
    let doing = format!("write to partition {partition} of topic `{topic}`");
    let error = super::refused(code, doing);
    if error.leaves_a_write_in_doubt() {
        WriteOutcome::Doubtful(error)
    } else {
        WriteOutcome::Refused(error)
    }
}

/// What the failure of a whole request to `leader` means.
fn failed(error: &Error, leader: &str, topic: &str) -> WriteOutcome {
    let never_sent = match error {
        Error::Io(cause) => matches!(
            cause.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        ),
        Error::Kafka(_) => true,
        _ => false,
    };
    let error = error_of(error, leader, &format!("write to topic `{topic}`"));
    if never_sent {
        WriteOutcome::Refused(error)
    } else {
        WriteOutcome::Doubtful(error)
    }
}

/// Why there is no one to write to.
fn no_leader(client: &KafkaClient, topic: &str, partition: i32) -> KafkaError {
    let partitions = metadata::partitions(client, topic);
    let topic = topic.to_owned();
    if partitions > 0 && partitions <= usize::try_from(partition).unwrap_or(usize::MAX) {
        KafkaError::UnknownPartition {
            topic,
            partition,
            partitions,
        }
    } else {
        KafkaError::NoLeader { topic, partition }
    }
}
