//! Writing records so that each is known to be acknowledged, or not. Knows nothing of where they come from.

use super::admin;
use super::batch::{Batch, Chunk};
use super::connection::Connection;
use super::error::{Code, KafkaError};
use super::metadata::{self, TopicInfo};
use super::tally::Tally;
use crate::core::endpoint::Endpoint;
use crate::core::wait::{Limit, Stop};
use kafka::client::{KafkaClient, ProduceMessage, RequiredAcks};
use kafka::error::{Error, KafkaCode};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the broker may wait for its other replicas.
const REPLICATE: Duration = Duration::from_secs(10);

/// The pause before a refused write is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// Writes to one topic; a record counts once every in-sync replica has it (`acks=all`).
#[derive(Debug)]
pub struct Producer {
    connection: Connection,
    topic: String,
    info: TopicInfo,
    /// The largest request for one partition that was not refused as too large, once one was.
    allowed: usize,
}

/// What became of the records for one partition.
#[derive(Debug)]
enum Outcome {
    /// All are written, the first at this offset.
    Written(i64),
    /// None is written.
    Refused(KafkaError),
    /// Together they are too large.
    TooLarge,
    /// They may be written or not.
    Doubtful(KafkaError),
}

impl Producer {
    /// Connects and makes sure that `topic` is there and has leaders: **creates it** where the broker creates topics by
    /// itself.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`]; [`KafkaError::UnknownTopic`] where the broker does not create topics.
    pub fn open(bootstrap: &[Endpoint], topic: &str, limit: &Limit) -> Result<Self, KafkaError> {
        let mut connection = Connection::open(bootstrap, limit)?;
        let info = admin::touch(&mut connection, topic, limit)?;
        Ok(Self::new(connection, topic, info))
    }

    pub(super) fn new(connection: Connection, topic: &str, info: TopicInfo) -> Self {
        Self {
            connection,
            topic: topic.to_owned(),
            info,
            allowed: usize::MAX,
        }
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        i32::try_from(self.info.partitions.len()).unwrap_or(i32::MAX)
    }

    /// Writes one record and returns its offset, once it is acknowledged.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn send_one(
        &mut self,
        partition: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        limit: &Limit,
    ) -> Result<i64, KafkaError> {
        let mut batch = Batch::default();
        batch.push(partition, key, value);
        let mut tally = Tally::default();
        self.send(batch, limit, &mut tally)?;
        tally
            .partitions
            .get(&partition)
            .map(|written| written.last)
            .ok_or_else(|| KafkaError::Garbled {
                address: self.connection.address(),
                cause: "no offset for the record".to_owned(),
            })
    }

    /// Writes all records of `batch`, trying again whatever time may heal, until `limit`. What was acknowledged goes
    /// into `tally` as it happens, whether or not the whole succeeds.
    ///
    /// # Errors
    /// The first refusal that time does not heal, or the last one seen when time was up. What `tally` does not count
    /// was then not acknowledged.
    pub fn send(
        &mut self,
        batch: Batch,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        let mut left: BTreeMap<i32, VecDeque<Arc<Chunk>>> = batch
            .into_chunks()
            .into_iter()
            .map(|(partition, chunk)| (partition, pieces(chunk, self.allowed)))
            .collect();
        while !left.is_empty() {
            let round = left
                .iter()
                .filter_map(|(&partition, queue)| Some((partition, Arc::clone(queue.front()?))))
                .collect();
            let failure = self.attempt(round, &mut left, limit, tally)?;
            left.retain(|_, queue| !queue.is_empty());
            if let Some(failure) = failure {
                let again = limit.check(String::new).and_then(|()| limit.pause(RETRY));
                if let Err(stop) = again {
                    tally.give_up();
                    return Err(match stop {
                        Stop::Interrupted => stop.into(),
                        Stop::Deadline { .. } => failure,
                    });
                }
                tally.retry();
            }
        }
        Ok(())
    }

    /// One request to each leader. What is written leaves `left`; what time may heal is returned.
    fn attempt(
        &mut self,
        round: Vec<(i32, Arc<Chunk>)>,
        left: &mut BTreeMap<i32, VecDeque<Arc<Chunk>>>,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<Option<KafkaError>, KafkaError> {
        let outcomes = self.request(round, limit);
        let mut failure = None;
        for (partition, chunk, outcome) in outcomes {
            let Some(queue) = left.get_mut(&partition) else {
                continue;
            };
            let error = match outcome {
                Outcome::Written(offset) => {
                    tally.written(partition, offset, &chunk);
                    queue.pop_front();
                    continue;
                }
                Outcome::TooLarge if chunk.records() > 1 => {
                    self.allowed = self.allowed.min(chunk.size() / 2);
                    let (first, second) = chunk.halves();
                    queue.pop_front();
                    queue.push_front(Arc::new(second));
                    queue.push_front(Arc::new(first));
                    continue;
                }
                Outcome::TooLarge => KafkaError::RecordTooLarge {
                    topic: self.topic.clone(),
                    bytes: chunk.payload(),
                },
                Outcome::Refused(error) => error,
                Outcome::Doubtful(error) => {
                    tally.doubt(&chunk);
                    error
                }
            };
            if failure.as_ref().is_none_or(KafkaError::is_retriable) {
                failure = Some(error);
            }
        }
        match failure {
            Some(error) if !error.is_retriable() => {
                tally.give_up();
                Err(error)
            }
            Some(error) => {
                self.connection.forget();
                Ok(Some(error))
            }
            None => Ok(None),
        }
    }

    /// Sends and waits; every chunk comes back with what became of it.
    fn request(
        &mut self,
        round: Vec<(i32, Arc<Chunk>)>,
        limit: &Limit,
    ) -> Vec<(i32, Arc<Chunk>, Outcome)> {
        let topic = self.topic.clone();
        let doing = format!("write to topic `{topic}`");
        let sent = round.clone();
        let answer = self
            .connection
            .start(&doing, limit, move |client| {
                Ok(write(client, &topic, &sent))
            })
            .map_err(Outcome::Refused)
            .and_then(|pending| {
                self.connection
                    .finish(&pending, limit)
                    .map_err(Outcome::Doubtful)
            });
        match answer {
            Ok(mut outcomes) => round
                .into_iter()
                .map(|(partition, chunk)| {
                    let outcome = outcomes.remove(&partition).unwrap_or_else(|| {
                        Outcome::Doubtful(KafkaError::Garbled {
                            address: self.connection.address(),
                            cause: format!("partition {partition} is missing in it"),
                        })
                    });
                    (partition, chunk, outcome)
                })
                .collect(),
            Err(failed) => round
                .into_iter()
                .map(|(partition, chunk)| (partition, chunk, failed.copy()))
                .collect(),
        }
    }
}

impl Outcome {
    /// The same failure for another partition of the same request.
    fn copy(&self) -> Self {
        match self {
            Self::Written(offset) => Self::Written(*offset),
            Self::TooLarge => Self::TooLarge,
            Self::Refused(error) => Self::Refused(error.clone()),
            Self::Doubtful(error) => Self::Doubtful(error.clone()),
        }
    }
}

/// Cut so that none is larger than `allowed`, as far as whole records permit.
fn pieces(chunk: Chunk, allowed: usize) -> VecDeque<Arc<Chunk>> {
    let mut done = VecDeque::new();
    let mut to_cut = vec![chunk];
    while let Some(chunk) = to_cut.pop() {
        if chunk.size() <= allowed || chunk.records() <= 1 {
            done.push_back(Arc::new(chunk));
        } else {
            let (first, second) = chunk.halves();
            to_cut.push(second);
            to_cut.push(first);
        }
    }
    done
}

/// Runs on the connection's thread: one request to each leader, so that the failure of one does not cast doubt on what
/// the others have written.
fn write(
    client: &mut KafkaClient,
    topic: &str,
    chunks: &[(i32, Arc<Chunk>)],
) -> BTreeMap<i32, Outcome> {
    let mut outcomes = BTreeMap::new();
    let mut by_leader: BTreeMap<String, Vec<&(i32, Arc<Chunk>)>> = BTreeMap::new();
    for chunk in chunks {
        match metadata::leader(client, topic, chunk.0) {
            Some(leader) => by_leader.entry(leader).or_default().push(chunk),
            None => {
                outcomes.insert(chunk.0, Outcome::Refused(no_leader(client, topic, chunk.0)));
            }
        }
    }
    for (leader, chunks) in by_leader {
        let messages = chunks.iter().flat_map(|(partition, chunk)| {
            chunk
                .iter()
                .map(|(key, value)| ProduceMessage::new(topic, *partition, key, value))
        });
        match client.produce_messages(RequiredAcks::All, REPLICATE, messages) {
            Ok(confirms) => {
                let confirms = confirms
                    .into_iter()
                    .flat_map(|confirm| confirm.partition_confirms);
                outcomes.extend(confirms.map(|confirm| {
                    let outcome = confirm.offset.map_or_else(
                        |code| refused(code, topic, confirm.partition),
                        Outcome::Written,
                    );
                    (confirm.partition, outcome)
                }));
            }
            Err(error) => {
                let failed = failed(&error, &leader, topic);
                outcomes.extend(
                    chunks
                        .iter()
                        .map(|(partition, _)| (*partition, failed.copy())),
                );
            }
        }
    }
    outcomes
}

/// What a partition's error code means to a writer.
fn refused(code: KafkaCode, topic: &str, partition: i32) -> Outcome {
    if matches!(
        code,
        KafkaCode::MessageSizeTooLarge | KafkaCode::RecordListTooLarge
    ) {
        return Outcome::TooLarge;
    }
    let error = KafkaError::Refused {
        doing: format!("write to partition {partition} of topic `{topic}`"),
        code: Code(code),
    };
    if error.leaves_a_write_in_doubt() {
        Outcome::Doubtful(error)
    } else {
        Outcome::Refused(error)
    }
}

/// What the failure of a whole request to `leader` means.
fn failed(error: &Error, leader: &str, topic: &str) -> Outcome {
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
    let error = KafkaError::of(error, leader, &format!("write to topic `{topic}`"));
    if never_sent {
        Outcome::Refused(error)
    } else {
        Outcome::Doubtful(error)
    }
}

/// Why there is no one to write to.
fn no_leader(client: &KafkaClient, topic: &str, partition: i32) -> KafkaError {
    let topic_name = topic.to_owned();
    match metadata::known(client, topic) {
        Some(info)
            if !info.partitions.is_empty()
                && info.partitions.len() <= usize::try_from(partition).unwrap_or(usize::MAX) =>
        {
            KafkaError::UnknownPartition {
                topic: topic_name,
                partition,
                partitions: info.partitions.len(),
            }
        }
        _ => KafkaError::NoLeader {
            topic: topic_name,
            partition,
        },
    }
}
