//! Answers `Produce`, `Fetch` and `ListOffsets`.

use super::Shared;
use super::cluster::{State, code};
use kafka_protocol::error::ResponseError as Error;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    DeleteRecordsRequest, DeleteRecordsResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
    ListOffsetsResponse, ProduceRequest, ProduceResponse,
};
use std::time::{Duration, Instant};

/// What the protocol calls the two ends of a partition, and the record of the greatest time.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIME: i64 = -3;

impl Shared {
    /// Waits for records as long as is asked, where there are none.
    pub(super) fn fetch(&self, request: &FetchRequest, refusal: i16) -> FetchResponse {
        let wait = Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
        let end = Instant::now() + wait;
        let mut state = self.state.lock().unwrap();
        loop {
            state.code = refusal;
            let (answer, is_worth_it) = state.fetch(request);
            let left = end.saturating_duration_since(Instant::now());
            if is_worth_it || left.is_zero() {
                return answer;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl State {
    pub(super) fn produce(&mut self, request: ProduceRequest) -> ProduceResponse {
        let topics = request.topic_data.into_iter().map(|topic| {
            let answers = topic.partition_data.into_iter().map(|data| {
                let bytes = data.records.unwrap_or_default();
                let written = self
                    .pass()
                    .and_then(|()| self.append(&topic.name, data.index, &bytes));
                let stamped = written.ok().and_then(|_| self.stamp(&topic.name));
                PartitionProduceResponse::default()
                    .with_index(data.index)
                    .with_error_code(code(&written))
                    .with_base_offset(written.unwrap_or(-1))
                    .with_log_append_time_ms(stamped.unwrap_or(-1))
            });
            TopicProduceResponse::default()
                .with_partition_responses(answers.collect())
                .with_name(topic.name)
        });
        ProduceResponse::default().with_responses(topics.collect())
    }

    pub(super) fn append(
        &mut self,
        topic: &str,
        partition: i32,
        bytes: &[u8],
    ) -> Result<i64, Error> {
        let now = self.stamp(topic);
        let most = self.setting(topic, "max.message.bytes").parse();
        if most.is_ok_and(|most: usize| bytes.len() > most) {
            return Err(Error::MessageTooLarge);
        }
        self.log(topic, partition)?.append(bytes, now)
    }

    /// The time that all records written now get, where the broker gives it.
    fn stamp(&self, topic: &str) -> Option<i64> {
        let stamps = self.setting(topic, "message.timestamp.type") == "LogAppendTime";
        stamps.then(|| self.now())
    }

    /// The answer, and whether it says anything that is worth not waiting for.
    fn fetch(&mut self, request: &FetchRequest) -> (FetchResponse, bool) {
        let mut room = usize::try_from(request.max_bytes).unwrap_or(0);
        let (mut is_first, mut is_worth_it) = (true, false);
        let topics = request.topics.iter().map(|topic| {
            let answers = topic.partitions.iter().map(|asked| {
                let data = self.fetch_one(&topic.topic, asked, room, is_first);
                let bytes = data.records.as_ref().map_or(0, bytes::Bytes::len);
                room = room.saturating_sub(bytes);
                is_first &= bytes == 0;
                is_worth_it |= bytes > 0 || data.error_code != 0;
                data
            });
            FetchableTopicResponse::default()
                .with_topic(topic.topic.clone())
                .with_partitions(answers.collect())
        });
        let answer = FetchResponse::default().with_responses(topics.collect());
        (answer, is_worth_it)
    }

    fn fetch_one(
        &mut self,
        topic: &str,
        asked: &FetchPartition,
        room: usize,
        is_first: bool,
    ) -> PartitionData {
        let most = usize::try_from(asked.partition_max_bytes)
            .unwrap_or(0)
            .min(room);
        let log = self.pass().and_then(|()| self.log(topic, asked.partition));
        let data = PartitionData::default().with_partition_index(asked.partition);
        let log = match log {
            Ok(log) => log,
            Err(error) => return data.with_error_code(error.code()).with_high_watermark(-1),
        };
        let data = data
            .with_high_watermark(log.end)
            .with_last_stable_offset(log.end)
            .with_log_start_offset(log.first);
        if (log.first..=log.end).contains(&asked.fetch_offset) {
            data.with_records(Some(log.fetch(asked.fetch_offset, most, is_first)))
        } else {
            data.with_error_code(Error::OffsetOutOfRange.code())
        }
    }

    pub(super) fn list_offsets(&mut self, request: ListOffsetsRequest) -> ListOffsetsResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let answers = topic.partitions.iter().map(|asked| {
                let found = self.find(&topic.name, asked.partition_index, asked.timestamp);
                let (offset, time) = *found.as_ref().unwrap_or(&(-1, -1));
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(code(&found))
                    .with_offset(offset)
                    .with_timestamp(time)
            });
            ListOffsetsTopicResponse::default()
                .with_partitions(answers.collect())
                .with_name(topic.name.clone())
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    }

    /// An offset and its time, where one of either is there: -1 for none.
    fn find(&mut self, topic: &str, partition: i32, at: i64) -> Result<(i64, i64), Error> {
        self.pass()?;
        let log = self.log(topic, partition)?;
        let mut times = log
            .records(partition)
            .into_iter()
            .map(|one| (one.offset, one.time.unwrap_or(-1)));
        Ok(match at {
            LATEST => (log.end, -1),
            EARLIEST => (log.first, -1),
            MAX_TIME => times
                .rev()
                .max_by_key(|(_, time)| *time)
                .unwrap_or((-1, -1)),
            time => times.find(|(_, is)| *is >= time).unwrap_or((-1, -1)),
        })
    }

    pub(super) fn delete_records(
        &mut self,
        request: DeleteRecordsRequest,
    ) -> DeleteRecordsResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let answers = topic.partitions.iter().map(|asked| {
                let log = self
                    .pass()
                    .and_then(|()| self.log(&topic.name, asked.partition_index));
                let first = log.and_then(|log| log.delete_before(asked.offset));
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(code(&first))
                    .with_low_watermark(first.unwrap_or(-1))
            });
            DeleteRecordsTopicResult::default()
                .with_partitions(answers.collect())
                .with_name(topic.name.clone())
        });
        DeleteRecordsResponse::default().with_topics(topics.collect())
    }
}
