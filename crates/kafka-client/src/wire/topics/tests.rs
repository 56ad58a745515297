//! Changes to topics when answers are lost, late, or no.

use super::*;
use crate::testing::{Asked, Reply, broker};
use crate::wait::Interrupt;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    ApiKey, CreatePartitionsResponse, CreateTopicsResponse, DeleteTopicsResponse, MetadataResponse,
};

const TOPIC_ALREADY_EXISTS: i16 = 36;
const UNKNOWN_TOPIC: i16 = 3;
const INVALID_PARTITIONS: i16 = 37;
const THROTTLING_QUOTA_EXCEEDED: i16 = 89;
const REQUEST_TIMED_OUT: i16 = 7;

fn soon() -> Limit {
    Limit::new(Duration::from_secs(5), &Interrupt::default())
}

/// A cluster whose one broker answers a change with each of these errors in turn, and with none after the last; none of them stands for a
/// connection that breaks.
fn cluster(errors: &[Option<i16>]) -> Cluster {
    let mut errors = errors.to_vec();
    errors.reverse();
    let endpoint = broker(move |asked: &Asked| {
        if asked.api == ApiKey::Metadata {
            return asked.with(&MetadataResponse::default());
        }
        match errors.pop() {
            Some(Some(error)) => verdict(asked, error),
            Some(None) => Reply::HangUp,
            None => verdict(asked, 0),
        }
    });
    Cluster::connect(&[endpoint], &soon()).unwrap()
}

fn verdict(asked: &Asked, error: i16) -> Reply {
    let said = Some(StrBytes::from_static_str("so the broker says"));
    match asked.api {
        ApiKey::CreateTopics => {
            let topic = CreatableTopicResult::default()
                .with_error_code(error)
                .with_error_message(said);
            asked.with(&CreateTopicsResponse::default().with_topics(vec![topic]))
        }
        ApiKey::DeleteTopics => {
            let topic = DeletableTopicResult::default()
                .with_error_code(error)
                .with_error_message(said);
            asked.with(&DeleteTopicsResponse::default().with_responses(vec![topic]))
        }
        ApiKey::CreatePartitions => {
            let topic = CreatePartitionsTopicResult::default()
                .with_error_code(error)
                .with_error_message(said);
            asked.with(&CreatePartitionsResponse::default().with_results(vec![topic]))
        }
        other => panic!("{other:?} was not expected"),
    }
}

fn create(errors: &[Option<i16>]) -> Result<(), KafkaError> {
    let topic = NewTopic {
        name: "t".to_owned(),
        ..NewTopic::default()
    };
    cluster(errors).create_topic(&topic, &soon())
}

#[test]
fn a_topic_that_is_there_after_a_lost_answer_was_made() {
    create(&[None, Some(TOPIC_ALREADY_EXISTS)]).unwrap();
    create(&[Some(REQUEST_TIMED_OUT), Some(TOPIC_ALREADY_EXISTS)]).unwrap();
    let error = create(&[Some(TOPIC_ALREADY_EXISTS)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the broker refused to create topic `t`: TOPIC_ALREADY_EXISTS (so the broker says)"
    );
}

#[test]
fn what_was_refused_for_the_moment_is_asked_again_and_is_in_no_doubt() {
    create(&[
        Some(THROTTLING_QUOTA_EXCEEDED),
        Some(THROTTLING_QUOTA_EXCEEDED),
    ])
    .unwrap();
    let error = create(&[Some(THROTTLING_QUOTA_EXCEEDED), Some(TOPIC_ALREADY_EXISTS)]);
    assert!(error.unwrap_err().is(ResponseError::TopicAlreadyExists));
}

#[test]
fn a_topic_that_is_gone_after_a_lost_answer_was_deleted() {
    let delete = |errors: &[Option<i16>]| cluster(errors).delete_topic("t", &soon());
    delete(&[None, Some(UNKNOWN_TOPIC)]).unwrap();
    delete(&[None]).unwrap();
    let error = delete(&[Some(UNKNOWN_TOPIC)]).unwrap_err();
    assert!(
        matches!(error, KafkaError::UnknownTopic { .. }),
        "{error:?}"
    );
}

#[test]
fn partitions_that_are_there_after_a_lost_answer_were_added() {
    let grow = |errors: &[Option<i16>]| cluster(errors).add_partitions("t", 3, &soon());
    grow(&[None, Some(INVALID_PARTITIONS)]).unwrap();
    let error = grow(&[Some(INVALID_PARTITIONS)]).unwrap_err();
    assert!(error.is(ResponseError::InvalidPartitions));
}

#[test]
fn an_answer_that_says_nothing_of_it_is_no_answer() {
    let endpoint = broker(|asked: &Asked| match asked.api {
        ApiKey::Metadata => asked.with(&MetadataResponse::default()),
        _ => asked.with(&DeleteTopicsResponse::default()),
    });
    let mut cluster = Cluster::connect(&[endpoint], &soon()).unwrap();
    let error = cluster.delete_topic("t", &soon()).unwrap_err();
    assert!(matches!(error, KafkaError::Garbled { .. }), "{error:?}");
}
