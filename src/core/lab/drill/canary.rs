//! Watches the mirrored topic on the target: as long as records arrive there, the flow lives.

use super::stage::Moment;
use crate::core::lab::verify::Clock;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, Client, Consumer, ConsumerOptions, KafkaError, Start};
use std::ops::ControlFlow;
use std::time::Duration;

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How soon it is asked again after a failure.
const AGAIN: Duration = Duration::from_millis(100);

/// Notes when the last record arrived, until it is told to end.
pub(super) fn watch(
    endpoints: &[Endpoint],
    topic: &str,
    last: &Moment,
    clock: Clock,
    stop: &Interrupt,
) {
    while !stop.is_raised() {
        // what is silent is seen by what does not arrive
        let _ = follow(endpoints, topic, last, clock, stop);
        let _ = Limit::endless(stop).pause(AGAIN);
    }
}

fn follow(
    endpoints: &[Endpoint],
    topic: &str,
    last: &Moment,
    clock: Clock,
    stop: &Interrupt,
) -> Result<(), KafkaError> {
    let limit = Limit::new(ANSWER, stop);
    let mut admin = Admin::connect(endpoints, &limit)?;
    let info = admin.topics(&limit)?.remove(topic).unwrap_or_default();
    let reading = ConsumerOptions {
        start: Start::Latest,
        client: Client::Wire,
        ..ConsumerOptions::default()
    };
    let mut consumer = Consumer::open(admin, topic, &info, &reading, &limit)?;
    loop {
        let fetched = consumer.poll(u64::MAX, &Limit::new(ANSWER, stop))?;
        let mut has_some = false;
        fetched.each(|_| {
            has_some = true;
            Ok::<_, KafkaError>(ControlFlow::Break(()))
        })?;
        if has_some {
            last.set(clock.now());
        }
    }
}
