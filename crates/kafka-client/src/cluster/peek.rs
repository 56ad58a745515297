//! A short look into many partitions at once, however many topics they are of: what comes first there, and how much.

use crate::cluster::metadata::topic_name;
use crate::cluster::{Cluster, Pending, To};
use crate::error::KafkaError;
use crate::message::Record;
use crate::protocol::aborted::Aborted;
use crate::protocol::batch::{BatchError, RecordBatch, batches};
use crate::wait::Limit;
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest};
use std::collections::BTreeMap;
use std::ops::Range;

/// How much of each partition is asked for, in bytes. Of one that is asked for alone, its first batch comes whole all the
/// same (KIP-74).
const SHARE: i32 = 64 * 1024;

/// How many partitions are asked for at once.
const TOGETHER: usize = 64;

/// Parts of partitions, by topic and partition.
pub(crate) type Parts = BTreeMap<(String, i32), Range<i64>>;

/// What was seen of them.
type Peeks = BTreeMap<(String, i32), Peek>;

/// The beginning of a part of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek {
    /// The first record in it, if one was seen.
    pub first: Option<Record>,
    /// The earliest time of those that were seen, in milliseconds since the epoch, if one has a time: that of a batch behind
    /// the first counts by its first record.
    pub oldest: Option<i64>,
    /// Whether some of these times are their producers' (`CreateTime`).
    pub has_producer_time: bool,
    /// How many records were seen. Marks that end transactions are none.
    pub records: u64,
    /// Up to where was looked: the offset behind what was seen, or the part's end.
    pub reached: i64,
}

impl Cluster {
    /// Looks into the beginning of each of these parts: some 64 KiB, or one batch. Partitions without a leader, and those
    /// that do not hold the part's beginning any more, are left out. With `committed_only`, what a transaction wrote that was
    /// aborted counts for nothing.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses.
    pub(crate) fn peek(
        &mut self,
        parts: &Parts,
        committed_only: bool,
        limit: &Limit,
    ) -> Result<Peeks, KafkaError> {
        let unknown = parts
            .keys()
            .any(|(topic, _)| !self.known.topics.contains_key(topic));
        if unknown {
            self.metadata(None, limit)?;
        }
        let mut seen = Peeks::new();
        let many = How {
            together: TOGETHER,
            committed_only,
        };
        let blank = self.look_into(parts, many, &mut seen, limit)?;
        // what is larger than its share is shown only where it comes first
        let alone = How {
            together: 1,
            ..many
        };
        self.look_into(&blank, alone, &mut seen, limit)?;
        Ok(seen)
    }

    /// Looks into this many parts at a time. Those of which nothing was shown.
    fn look_into(
        &mut self,
        parts: &Parts,
        how: How,
        seen: &mut Peeks,
        limit: &Limit,
    ) -> Result<Parts, KafkaError> {
        let mut by_leader: BTreeMap<i32, Vec<&(String, i32)>> = BTreeMap::new();
        for place in parts.iter().filter(|(_, part)| !part.is_empty()) {
            let ((topic, partition), _) = place;
            let known = self.known.topics.get(topic);
            if let Some(leader) = known.and_then(|info| info.partition(*partition)?.leader) {
                by_leader.entry(leader).or_default().push(place.0);
            }
        }
        let mut asked: Vec<Pending<FetchRequest>> = Vec::new();
        for (leader, places) in by_leader {
            for places in places.chunks(how.together) {
                let request = request(places, parts, how);
                asked.push(self.ask(To::Broker(leader), &request, limit)?);
            }
        }
        let mut blank = Parts::new();
        for asked in asked {
            let answer = self.answer(&asked, limit)?;
            KafkaError::check(answer.error_code, || "look into partitions".to_owned())?;
            for topic in answer.responses {
                let name = topic.topic.to_string();
                for data in topic.partitions {
                    let place = (name.clone(), data.partition_index);
                    let Some(part) = parts.get(&place) else {
                        continue;
                    };
                    match self.peek_into(&place, part, data, how)? {
                        PeekAnswer::Nothing => drop(blank.insert(place, part.clone())),
                        PeekAnswer::Gone => {}
                        PeekAnswer::Some(peek) => drop(seen.insert(place, peek)),
                    }
                }
            }
        }
        Ok(blank)
    }

    fn peek_into(
        &self,
        (topic, partition): &(String, i32),
        part: &Range<i64>,
        data: PartitionData,
        how: How,
    ) -> Result<PeekAnswer, KafkaError> {
        let doing = || format!("look into partition {partition} of topic `{topic}`");
        match KafkaError::check(data.error_code, doing) {
            // deleted since, or led by another
            Err(error) if error.is(ResponseError::OffsetOutOfRange) || error.is_retriable() => {
                return Ok(PeekAnswer::Gone);
            }
            checked => checked?,
        }
        let bytes = data.records.unwrap_or_default();
        let aborted = data.aborted_transactions;
        let aborted = how.committed_only.then(|| Aborted::of(aborted));
        let end = if how.committed_only {
            data.last_stable_offset
        } else {
            data.high_watermark
        };
        let peek = look(bytes, *partition, part, aborted).map_err(|fault| KafkaError::Garbled {
            address: self.address(),
            cause: format!("partition {partition} of topic `{topic}`: {fault}"),
        })?;
        Ok(match peek {
            Some(peek) => PeekAnswer::Some(peek),
            // compacted away up to the end
            None if how.together == 1 && end >= part.end => PeekAnswer::Some(Peek {
                reached: part.end,
                ..Peek::default()
            }),
            None => PeekAnswer::Nothing,
        })
    }
}

/// How to look.
#[derive(Debug, Clone, Copy)]
struct How {
    /// This many partitions at a time.
    together: usize,
    committed_only: bool,
}

/// What an answer shows of a part.
enum PeekAnswer {
    Some(Peek),
    /// Perhaps because it does not fit.
    Nothing,
    /// The partition does not have it.
    Gone,
}

fn request(places: &[&(String, i32)], parts: &Parts, how: How) -> FetchRequest {
    let mut topics: BTreeMap<&str, Vec<FetchPartition>> = BTreeMap::new();
    for place in places {
        let partition = FetchPartition::default()
            .with_partition(place.1)
            .with_fetch_offset(parts.get(*place).map_or(0, |part| part.start))
            .with_partition_max_bytes(SHARE);
        topics.entry(&place.0).or_default().push(partition);
    }
    let topics = topics.into_iter().map(|(name, partitions)| {
        FetchTopic::default()
            .with_topic(topic_name(name))
            .with_partitions(partitions)
    });
    let count = i32::try_from(places.len()).unwrap_or(i32::MAX);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(SHARE.saturating_mul(count))
        // MirrorMaker reads what is not committed, too, unless it is told otherwise
        .with_isolation_level(i8::from(how.committed_only))
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(topics.collect())
}

/// Looks at the batches among `bytes`; none where there is no whole one of the part.
fn look(
    bytes: Bytes,
    partition: i32,
    part: &Range<i64>,
    mut aborted: Option<Aborted>,
) -> Result<Option<Peek>, BatchError> {
    let mut peek = Peek {
        reached: part.start,
        ..Peek::default()
    };
    for batch in batches(bytes) {
        let batch = batch?;
        let is_aborted = match &mut aborted {
            Some(aborted) => aborted.hide(&batch)?,
            None => false,
        };
        if batch.last_offset < part.start {
            continue;
        }
        if batch.base_offset < part.end && !batch.is_control() && !is_aborted {
            count(&batch, partition, part, &mut peek)?;
        }
        peek.reached = batch.last_offset.saturating_add(1).min(part.end);
        if peek.reached >= part.end {
            break;
        }
    }
    Ok((peek.reached > part.start).then_some(peek))
}

/// Counts the records of one batch that are of the part. Those of a batch in its middle need not be decompressed.
fn count(
    batch: &RecordBatch,
    partition: i32,
    part: &Range<i64>,
    peek: &mut Peek,
) -> Result<(), BatchError> {
    peek.has_producer_time |= !batch.has_broker_time();
    let is_whole = batch.base_offset >= part.start && batch.last_offset < part.end;
    if is_whole && peek.first.is_some() {
        earlier(peek, Some(batch.first_time()));
        peek.records += u64::try_from(batch.count).unwrap_or(0);
        return Ok(());
    }
    for record in batch.records(partition)?.iter() {
        let record = record?;
        if part.contains(&record.offset) {
            peek.records += 1;
            earlier(peek, record.to_record().time);
            peek.first.get_or_insert_with(|| record.to_record());
        }
    }
    Ok(())
}

fn earlier(peek: &mut Peek, time: Option<i64>) {
    let times = [peek.oldest, time.filter(|time| *time >= 0)];
    peek.oldest = times.into_iter().flatten().min();
}

#[cfg(test)]
mod tests;
