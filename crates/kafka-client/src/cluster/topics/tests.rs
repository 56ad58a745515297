//! Changes to topics when answers are lost, late, or no.

use super::*;
use crate::testing::{Asked, FakeBroker, Fault, broker};
use crate::wait::Interrupt;
use kafka_protocol::messages::{ApiKey, DeleteTopicsResponse, MetadataResponse};

const TOPIC_ALREADY_EXISTS: i16 = 36;
const UNKNOWN_TOPIC: i16 = 3;
const THROTTLING_QUOTA_EXCEEDED: i16 = 89;
const REQUEST_TIMED_OUT: i16 = 7;

fn soon() -> Limit {
    Limit::new(Duration::from_secs(5), &Interrupt::default())
}

fn cluster(fake: &FakeBroker) -> Cluster {
    Cluster::connect(&[fake.endpoint()], &soon()).unwrap()
}

fn create(fake: &FakeBroker) -> Result<(), KafkaError> {
    let topic = NewTopic {
        name: "t".to_owned(),
        ..NewTopic::default()
    };
    cluster(fake).create_topic(&topic, &soon())
}

#[test]
fn a_topic_that_is_there_after_a_lost_answer_was_made() {
    let fake = FakeBroker::start();
    fake.fail("CreateTopics", Fault::Truncated);
    create(&fake).unwrap();
    fake.refuse("CreateTopics", &[REQUEST_TIMED_OUT]);
    create(&fake).unwrap();
    let error = create(&fake).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the broker refused to create topic `t`: TOPIC_ALREADY_EXISTS (Topic 't' already exists)"
    );
}

#[test]
fn what_was_refused_for_the_moment_is_asked_again_and_is_in_no_doubt() {
    let fake = FakeBroker::start();
    fake.refuse(
        "CreateTopics",
        &[THROTTLING_QUOTA_EXCEEDED, THROTTLING_QUOTA_EXCEEDED],
    );
    create(&fake).unwrap();
    fake.refuse(
        "CreateTopics",
        &[THROTTLING_QUOTA_EXCEEDED, TOPIC_ALREADY_EXISTS],
    );
    let error = create(&fake).unwrap_err();
    assert!(error.is(ResponseError::TopicAlreadyExists));
}

#[test]
fn a_topic_that_is_gone_after_a_lost_answer_was_deleted() {
    let fake = FakeBroker::start();
    let delete = || cluster(&fake).delete_topic("t", &soon());
    for fault in [Fault::Truncated, Fault::HangUp] {
        fake.topic("t", 1, &[]);
        fake.fail("DeleteTopics", fault);
        delete().unwrap();
        assert_eq!(fake.topics(), []);
    }
    fake.topic("t", 1, &[]);
    fake.refuse("DeleteTopics", &[UNKNOWN_TOPIC]);
    let error = delete().unwrap_err();
    assert!(
        matches!(error, KafkaError::UnknownTopic { .. }),
        "{error:?}"
    );
}

#[test]
fn partitions_that_are_there_after_a_lost_answer_were_added() {
    let fake = FakeBroker::start();
    fake.topic("t", 1, &[]);
    let grow = || cluster(&fake).add_partitions("t", 3, &soon());
    fake.fail("CreatePartitions", Fault::Truncated);
    grow().unwrap();
    let error = grow().unwrap_err();
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
