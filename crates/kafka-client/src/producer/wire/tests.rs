//! A producer against brokers that misbehave.

use super::*;
use crate::producer::Batch;
use crate::testing::{Asked, FakeBroker, Reply, before};
use crate::wait::Interrupt;
use kafka_protocol::messages::ApiKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PARTITIONS: usize = 16;

#[test]
fn a_broker_that_hangs_up_on_every_batch_is_given_up_at_the_limit_and_not_asked_without_a_pause() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let fake = FakeBroker::start();
    fake.topic("t", PARTITIONS, &[]);
    let one = before(&fake, move |asked: &Asked| {
        counted.fetch_add(usize::from(asked.api == ApiKey::Metadata), Ordering::SeqCst);
        (asked.api == ApiKey::Produce).then_some(Reply::HangUp)
    });
    let limit = |time| Limit::new(Duration::from_millis(time), &Interrupt::default());
    let cluster = Cluster::connect(&[one], &limit(5_000)).unwrap();
    let mut producer =
        Producer::open(cluster, "t", &ProducerOptions::default(), &limit(5_000)).unwrap();
    let mut batch = Batch::default();
    let value = vec![7; 490_000];
    for partition in (0..).take(PARTITIONS) {
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
