//! Samples of what moves records, and of where they are.

use super::{Bodies, blob, bodies, maybe, some, tags, text};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch as FetchLeader,
    PartitionData, SnapshotId,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    TopicProduceResponse,
};
use kafka_protocol::messages::{
    ApiKey, DeleteRecordsResponse, FetchResponse, InitProducerIdResponse, ListOffsetsResponse,
    ProduceResponse,
};
use proptest::prelude::*;

pub(super) fn filled(api: ApiKey, version: i16) -> Option<Bodies> {
    let bodies = match api {
        ApiKey::Produce => bodies(version, produced(version)),
        ApiKey::Fetch => bodies(version, fetched()),
        ApiKey::ListOffsets => bodies(version, listed()),
        ApiKey::DeleteRecords => bodies(version, cut()),
        ApiKey::InitProducerId => bodies(
            version,
            (any::<(i64, i16)>(), tags()).prop_map(|((id, epoch), tags)| {
                InitProducerIdResponse::default()
                    .with_producer_id(id.into())
                    .with_producer_epoch(epoch)
                    .with_unknown_tagged_fields(tags)
            }),
        ),
        _ => return None,
    };
    Some(bodies)
}

fn produced(version: i16) -> impl Strategy<Value = ProduceResponse> {
    let names_leaders = version >= 10;
    let refused = (any::<i32>(), maybe(text()), tags()).prop_map(|(at, message, tags)| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(at)
            .with_batch_index_error_message(message)
            .with_unknown_tagged_fields(tags)
    });
    let partition = (
        any::<(i32, i64)>(),
        some(refused),
        maybe(text()),
        0..9_i32,
        tags(),
    )
        .prop_map(move |((index, offset), refused, message, leader, tags)| {
            let partition = PartitionProduceResponse::default()
                .with_index(index)
                .with_base_offset(offset)
                .with_record_errors(refused)
                .with_error_message(message)
                .with_unknown_tagged_fields(tags.clone());
            if names_leaders {
                partition.with_current_leader(
                    LeaderIdAndEpoch::default()
                        .with_leader_id(leader.into())
                        .with_unknown_tagged_fields(tags),
                )
            } else {
                partition
            }
        });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        TopicProduceResponse::default()
            .with_name(name.into())
            .with_partition_responses(partitions)
            .with_unknown_tagged_fields(tags)
    });
    let endpoint = (text(), maybe(text()), tags()).prop_map(|(host, rack, tags)| {
        NodeEndpoint::default()
            .with_host(host)
            .with_rack(rack)
            .with_unknown_tagged_fields(tags)
    });
    (some(topic), some(endpoint), tags()).prop_map(move |(topics, endpoints, tags)| {
        let response = ProduceResponse::default()
            .with_responses(topics)
            .with_unknown_tagged_fields(tags);
        if names_leaders {
            response.with_node_endpoints(endpoints)
        } else {
            response
        }
    })
}

fn fetched() -> impl Strategy<Value = FetchResponse> {
    let aborted = (any::<(i64, i64)>(), tags()).prop_map(|((producer, offset), tags)| {
        AbortedTransaction::default()
            .with_producer_id(producer.into())
            .with_first_offset(offset)
            .with_unknown_tagged_fields(tags)
    });
    let tagged = (any::<(bool, bool, bool)>(), tags());
    let parts = (
        any::<(i32, i64)>(),
        maybe(some(aborted)),
        maybe(blob()),
        tagged,
        tags(),
    );
    let partition = parts.prop_map(
        |((index, mark), aborted, records, ((diverges, leader, snapshot), inner), tags)| {
            let mut partition = PartitionData::default()
                .with_partition_index(index)
                .with_high_watermark(mark)
                .with_aborted_transactions(aborted)
                .with_records(records)
                .with_unknown_tagged_fields(tags);
            if diverges {
                partition.diverging_epoch = EpochEndOffset::default()
                    .with_epoch(1)
                    .with_unknown_tagged_fields(inner.clone());
            }
            if leader {
                partition.current_leader = FetchLeader::default()
                    .with_leader_epoch(2)
                    .with_unknown_tagged_fields(inner.clone());
            }
            if snapshot {
                partition.snapshot_id = SnapshotId::default()
                    .with_epoch(3)
                    .with_unknown_tagged_fields(inner);
            }
            partition
        },
    );
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        FetchableTopicResponse::default()
            .with_topic(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    (some(topic), tags()).prop_map(|(topics, tags)| {
        FetchResponse::default()
            .with_responses(topics)
            .with_unknown_tagged_fields(tags)
    })
}

fn listed() -> impl Strategy<Value = ListOffsetsResponse> {
    let partition = (any::<(i32, i64, i64)>(), tags()).prop_map(|((index, time, offset), tags)| {
        ListOffsetsPartitionResponse::default()
            .with_partition_index(index)
            .with_timestamp(time)
            .with_offset(offset)
            .with_unknown_tagged_fields(tags)
    });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        ListOffsetsTopicResponse::default()
            .with_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| ListOffsetsResponse::default().with_topics(topics))
}

fn cut() -> impl Strategy<Value = DeleteRecordsResponse> {
    let partition = (any::<(i32, i64, i16)>(), tags()).prop_map(|((index, low, error), tags)| {
        DeleteRecordsPartitionResult::default()
            .with_partition_index(index)
            .with_low_watermark(low)
            .with_error_code(error)
            .with_unknown_tagged_fields(tags)
    });
    let topic = (text(), some(partition), tags()).prop_map(|(name, partitions, tags)| {
        DeleteRecordsTopicResult::default()
            .with_name(name.into())
            .with_partitions(partitions)
            .with_unknown_tagged_fields(tags)
    });
    some(topic).prop_map(|topics| DeleteRecordsResponse::default().with_topics(topics))
}
