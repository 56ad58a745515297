//! A producer against brokers that misbehave.

use super::*;
use crate::batch::Batch;
use crate::endpoint::Endpoint;
use crate::testing::{Asked, Reply, broker};
use crate::wait::Interrupt;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, InitProducerIdResponse, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const PARTITIONS: i32 = 16;

/// A cluster of one broker, which leads all partitions of topic `t`.
fn cluster_of(broker: &Endpoint) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(0))
        .with_host(StrBytes::from_string(broker.host.clone()))
        .with_port(broker.port.into());
    let partitions = (0..PARTITIONS).map(|id| {
        MetadataResponsePartition::default()
            .with_partition_index(id)
            .with_leader_id(BrokerId(0))
    });
    let topic = MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_static_str("t"))))
        .with_partitions(partitions.collect());
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_topics(vec![topic])
}

#[test]
fn a_broker_that_hangs_up_on_every_batch_is_given_up_at_the_limit_and_not_asked_without_a_pause() {
    let me: Arc<Mutex<Option<Endpoint>>> = Arc::default();
    let looks = Arc::new(AtomicUsize::new(0));
    let (known, counted) = (Arc::clone(&me), Arc::clone(&looks));
    let one = broker(move |asked: &Asked| match asked.api {
        ApiKey::Metadata => {
            counted.fetch_add(1, Ordering::SeqCst);
            asked.with(&cluster_of(known.lock().unwrap().as_ref().unwrap()))
        }
        ApiKey::InitProducerId => {
            asked.with(&InitProducerIdResponse::default().with_producer_id(7.into()))
        }
        _ => Reply::HangUp,
    });
    *me.lock().unwrap() = Some(one.clone());
    let limit = |time| Limit::new(Duration::from_millis(time), &Interrupt::default());
    let cluster = Cluster::connect(&[one], &limit(5_000)).unwrap();
    let mut producer = Producer::open(cluster, "t", &Writing::default(), &limit(5_000)).unwrap();
    let mut batch = Batch::default();
    let value = vec![7; 490_000];
    for partition in 0..PARTITIONS {
        batch.push(partition, None, Some(&value), 0);
    }
    let (limit, mut tally) = (limit(500), Tally::default());
    let sent = producer
        .send(batch, &limit, &mut tally)
        .and_then(|()| producer.flush(&limit, &mut tally));
    let error = sent.unwrap_err();
    assert!(error.is_retriable(), "{error:?}");
    assert_eq!(tally.acknowledged(), 0);
    let looks = looks.load(Ordering::SeqCst);
    assert!(looks < 100, "asked {looks} times who leads");
}
