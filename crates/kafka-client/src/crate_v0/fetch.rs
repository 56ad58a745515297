//! Fetching records with the crate, and seeing through its quirks. Runs on the connection's thread.

use super::cursor::{Cursor, Visible};
use super::metadata;
use crate::error::{Codec, KafkaError};
use crate::message::RecordRef;
use kafka::client::fetch::{Message, Partition, Response, Topic};
use kafka::client::{FetchPartition, KafkaClient};
use kafka::error::{Error, KafkaCode};
use std::collections::BTreeSet;
use std::time::Duration;

/// One position to read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct FetchFrom {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) size: i32,
}

impl From<&Cursor> for FetchFrom {
    fn from(cursor: &Cursor) -> Self {
        Self {
            partition: cursor.partition,
            offset: cursor.next,
            size: cursor.size(),
        }
    }
}

/// Asks every broker for what is at these positions. Where nothing is, that takes up to `wait`.
pub(super) fn fetch(
    client: &mut KafkaClient,
    topic: &str,
    places: &[FetchFrom],
    wait: Duration,
) -> kafka::Result<Vec<Response>> {
    if places
        .iter()
        .any(|place| metadata::leader(client, topic, place.partition).is_none())
    {
        metadata::reload(client)?;
    }
    let leaders = places
        .iter()
        .filter_map(|place| metadata::leader(client, topic, place.partition));
    let brokers = leaders.collect::<BTreeSet<_>>().len().max(1);
    // the crate asks one broker after the other
    client.set_fetch_max_wait_time(wait / u32::try_from(brokers).unwrap_or(u32::MAX))?;
    client.fetch_messages(places.iter().map(|place| {
        FetchPartition::new(topic, place.partition, place.offset).with_max_bytes(place.size)
    }))
}

/// Fetches one position so that the answer ends with the first batch that holds a record, if there is one.
///
/// The crate returns nothing but the first *compressed* batch of an answer: what is uncompressed before it is
/// silently dropped (`MessageSet::from_slice`). So when an answer begins beyond the offset asked for, the missing
/// records may be there all the same. An answer cut right after its first batch cannot hide any.
pub(super) fn first_batch(
    client: &mut KafkaClient,
    topic: &str,
    place: FetchFrom,
) -> kafka::Result<Option<Response>> {
    let (mut empty, mut full) = (0, place.size);
    let mut found = None;
    let mut size = 512.min(place.size);
    while full - empty > 1 || found.is_none() {
        let sized = FetchFrom { size, ..place };
        let answer = fetch(client, topic, &[sized], Duration::ZERO)?.pop();
        let first = answer.as_ref().and_then(first_offset);
        match first {
            Some(offset) if offset <= place.offset => return Ok(answer),
            Some(_) => {
                found = answer;
                full = size;
            }
            None if size >= place.size => return Ok(answer),
            None => empty = size,
        }
        size = if found.is_some() {
            empty + (full - empty) / 2
        } else {
            size.saturating_mul(2).min(place.size)
        };
    }
    Ok(found)
}

fn first_offset(answer: &Response) -> Option<i64> {
    let partition = answer.topics().first()?.partitions().first()?;
    Some(partition.data().ok()?.messages().first()?.offset)
}

/// All partitions of an answer (it is about one topic only).
pub(super) fn partitions(answer: &Response) -> impl Iterator<Item = &Partition<'_>> {
    answer.topics().iter().flat_map(Topic::partitions)
}

/// The records of one partition of an answer, and what they say about the partition.
pub(super) fn look<'a>(
    partition: &'a Partition<'_>,
    from: i64,
) -> Result<(&'a [Message<'a>], Visible), KafkaCode> {
    let data = partition.data().map_err(|error| code_of(&error))?;
    let messages = data.messages();
    let start = messages.partition_point(|message| message.offset < from);
    let messages = &messages[start..];
    let visible = messages
        .first()
        .map(|m| m.offset)
        .zip(messages.last().map(|m| m.offset));
    let high = data.highwatermark_offset();
    Ok((messages, Visible { visible, high }))
}

fn code_of(error: &Error) -> KafkaCode {
    match error {
        Error::Kafka(code) => *code,
        Error::ArcSelf(inner) => code_of(inner),
        _ => KafkaCode::Unknown,
    }
}

/// What the failure of a whole fetch of `topic` means.
pub(super) fn failure(error: KafkaError, topic: &str) -> KafkaError {
    match &error {
        KafkaError::Garbled { cause, .. }
            if *cause == Error::UnsupportedCompression.to_string() =>
        {
            KafkaError::Codec {
                topic: topic.to_owned(),
                codec: Codec::Lz4,
            }
        }
        _ => error,
    }
}

/// What a partition's error code means to a reader.
pub(super) fn refusal(code: KafkaCode, topic: &str, partition: i32) -> KafkaError {
    match code {
        KafkaCode::Unknown => KafkaError::Codec {
            topic: topic.to_owned(),
            codec: Codec::Zstd,
        },
        code => super::refused(
            code,
            format!("read partition {partition} of topic `{topic}`"),
        ),
    }
}

/// A record as the rest of the program sees it.
pub(super) fn record<'a>(partition: i32, message: &Message<'a>) -> RecordRef<'a> {
    let some = |bytes: &'a [u8]| (!bytes.is_empty()).then_some(bytes);
    RecordRef {
        partition,
        offset: message.offset,
        time: None,
        key: some(message.key),
        value: some(message.value),
        headers: Vec::new(),
    }
}
