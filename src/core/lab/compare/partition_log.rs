//! Reads one partition from its first record to its end, as far as its records are compared.

use crate::core::judge::drill::equality::{Content, Seen};
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, Client, Consumer, ConsumerOptions, KafkaError, TopicInfo};
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Why a partition could not be read to its end.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ReadError {
    /// The cluster does not answer.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Some of it was gone before it was read.
    #[error("records of topic `{topic}` were removed while it was read")]
    Removed { topic: String },
}

/// What is left to read of a partition.
pub(super) struct PartitionLog<'a> {
    topic: String,
    consumer: Option<Consumer>,
    fetched: VecDeque<Seen>,
    limit: &'a Limit,
}

impl<'a> PartitionLog<'a> {
    /// Nothing.
    pub(super) fn empty(limit: &'a Limit) -> Self {
        Self {
            topic: String::new(),
            consumer: None,
            fetched: VecDeque::new(),
            limit,
        }
    }

    pub(super) fn open(
        admin: Admin,
        (topic, info): (&str, &TopicInfo),
        partition: i32,
        committed_only: bool,
        limit: &'a Limit,
    ) -> Result<Self, ReadError> {
        let reading = ConsumerOptions {
            partition: Some(partition),
            to_end: true,
            committed_only,
            // the other one tells no headers
            client: Client::Wire,
            ..ConsumerOptions::default()
        };
        Ok(Self {
            topic: topic.to_owned(),
            consumer: Some(Consumer::open(admin, topic, info, &reading, limit)?),
            ..Self::empty(limit)
        })
    }

    fn next_seen(&mut self) -> Result<Option<Seen>, ReadError> {
        while self.fetched.is_empty() {
            let Some(consumer) = self.consumer.as_mut().filter(|one| !one.is_done()) else {
                return Ok(None);
            };
            let fetched = match consumer.poll(u64::MAX, self.limit) {
                Err(error) if error.is_retriable() => {
                    self.limit
                        .check(|| error.to_string())
                        .map_err(KafkaError::from)?;
                    continue;
                }
                polled => polled?,
            };
            if !consumer.moved().is_empty() || consumer.was_recreated() {
                let topic = self.topic.clone();
                return Err(ReadError::Removed { topic });
            }
            fetched.each(|record| {
                self.fetched.push_back(seen(&record));
                Ok::<_, KafkaError>(ControlFlow::Continue(()))
            })?;
        }
        Ok(self.fetched.pop_front())
    }
}

fn seen(record: &RecordRef<'_>) -> Seen {
    let headers = record.headers.iter();
    let headers = headers.map(|header| (header.key, header.value));
    Seen {
        offset: record.offset,
        content: Content::of(record.key, record.value, headers),
    }
}

impl Iterator for PartitionLog<'_> {
    type Item = Result<Seen, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_seen().transpose()
    }
}
