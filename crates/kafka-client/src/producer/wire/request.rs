//! What is asked of a leader, and what its answer means to a writer.

use super::partition_queue::SendOutcome;
use crate::cluster::metadata::topic_name;
use crate::code::Code;
use crate::error::KafkaError;
use crate::producer::Acks;
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use std::collections::BTreeMap;

/// How long the broker may wait for its other replicas, in milliseconds.
const REPLICATE: i32 = 10_000;

/// One batch for each of these partitions.
pub(super) fn request(topic: &str, acks: Acks, batches: Vec<(i32, Bytes)>) -> ProduceRequest {
    let batches = batches.into_iter().map(|(partition, batch)| {
        PartitionProduceData::default()
            .with_index(partition)
            .with_records(Some(batch))
    });
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(batches.collect());
    ProduceRequest::default()
        .with_acks(match acks {
            Acks::All => -1,
            Acks::One => 1,
        })
        .with_timeout_ms(REPLICATE)
        .with_topic_data(vec![topic])
}

/// What happened to each partition that the answer names.
pub(super) fn outcomes(topic: &str, answer: &ProduceResponse) -> BTreeMap<i32, SendOutcome> {
    let partitions = answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    partitions
        .map(|answer| (answer.index, outcome(topic, answer)))
        .collect()
}

fn outcome(topic: &str, answer: &PartitionProduceResponse) -> SendOutcome {
    let Some(code) = Code::of(answer.error_code) else {
        return SendOutcome::Written((answer.base_offset >= 0).then_some(answer.base_offset));
    };
    let partition = answer.index;
    let error = KafkaError::Refused {
        doing: format!("write to partition {partition} of topic `{topic}`"),
        code,
        said: said(answer),
    };
    match code.0 {
        ResponseError::DuplicateSequenceNumber => {
            SendOutcome::Written((answer.base_offset >= 0).then_some(answer.base_offset))
        }
        ResponseError::MessageTooLarge | ResponseError::RecordListTooLarge => {
            SendOutcome::TooLarge {
                topic: topic.to_owned(),
            }
        }
        ResponseError::OutOfOrderSequenceNumber => SendOutcome::OutOfSequence(error),
        ResponseError::UnknownProducerId
        | ResponseError::InvalidProducerEpoch
        | ResponseError::InvalidProducerIdMapping => SendOutcome::Unknown(error),
        _ if error.leaves_a_write_in_doubt() => SendOutcome::Doubtful(error),
        _ => SendOutcome::Refused(error),
    }
}

/// What the broker says of the first record that it does not like, or of them all.
fn said(answer: &PartitionProduceResponse) -> Option<String> {
    let of_record = answer
        .record_errors
        .iter()
        .find_map(|error| error.batch_index_error_message.as_ref());
    let said = of_record.or(answer.error_message.as_ref())?;
    (!said.is_empty()).then(|| said.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::produce_response::BatchIndexAndErrorMessage;
    use kafka_protocol::protocol::StrBytes;

    fn answer(code: i16, offset: i64) -> PartitionProduceResponse {
        PartitionProduceResponse::default()
            .with_index(3)
            .with_error_code(code)
            .with_base_offset(offset)
    }

    #[test]
    fn a_duplicate_is_written() {
        let offset = |code, offset| match outcome("orders", &answer(code, offset)) {
            SendOutcome::Written(offset) => offset,
            other => panic!("{other:?}"),
        };
        assert_eq!(offset(0, 7), Some(7));
        assert_eq!(offset(46, 7), Some(7));
        assert_eq!(offset(46, -1), None);
    }

    #[test]
    fn each_refusal_means_what_kafka_means_by_it() {
        let name = |code| match outcome("orders", &answer(code, -1)) {
            SendOutcome::Written(_) => "written",
            SendOutcome::TooLarge { .. } => "too large",
            SendOutcome::OutOfSequence(_) => "out of sequence",
            SendOutcome::Unknown(_) => "unknown",
            SendOutcome::Refused(_) => "refused",
            SendOutcome::Doubtful(_) => "doubtful",
        };
        for (code, meaning) in [
            (10, "too large"),
            (18, "too large"),
            (45, "out of sequence"),
            (47, "unknown"),
            (59, "unknown"),
            (7, "doubtful"),
            (20, "doubtful"),
            (6, "refused"),
            (19, "refused"),
            (87, "refused"),
        ] {
            assert_eq!(name(code), meaning, "{code}");
        }
    }

    #[test]
    fn what_the_broker_says_of_a_record_is_passed_on() {
        let said = BatchIndexAndErrorMessage::default().with_batch_index_error_message(Some(
            StrBytes::from_static_str("Compacted topic cannot accept message without key."),
        ));
        let SendOutcome::Refused(error) =
            outcome("orders", &answer(87, -1).with_record_errors(vec![said]))
        else {
            panic!("refused");
        };
        assert_eq!(
            error.to_string(),
            "the broker refused to write to partition 3 of topic `orders`: INVALID_RECORD (Compacted topic cannot accept message without key)"
        );
    }
}
