//! Watches the mirrored topic on the target: as long as records arrive there, the flow lives.

use super::stage::Scene;
use crate::core::judge::ledger::{RunId, Stamp};
use crate::core::lab::verify::{Clock, locked};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, Client, Consumer, ConsumerOptions, KafkaError, Start};
use std::ops::ControlFlow;
use std::time::Duration;

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How soon it is asked again after a failure.
const AGAIN: Duration = Duration::from_millis(100);

/// What it watches.
pub(super) struct Canary {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) topic: String,
    /// Whose records count.
    pub(super) run: RunId,
}

impl Canary {
    /// Notes what arrives, until it is told to end.
    pub(super) fn watch(&self, scene: &Scene, clock: Clock, stop: &Interrupt) {
        while !stop.is_raised() {
            // what is silent is seen by what does not arrive
            let _ = self.follow(scene, clock, stop);
            let _ = Limit::endless(stop).pause(AGAIN);
        }
    }

    /// From the first record on: what was read before counts once.
    fn follow(&self, scene: &Scene, clock: Clock, stop: &Interrupt) -> Result<(), KafkaError> {
        let limit = Limit::new(ANSWER, stop);
        let mut admin = Admin::connect(&self.endpoints, &limit)?;
        let info = admin.topics(&limit)?.remove(&self.topic);
        let info = info.unwrap_or_default();
        let reading = ConsumerOptions {
            start: Start::Earliest,
            client: Client::Wire,
            ..ConsumerOptions::default()
        };
        let mut consumer = Consumer::open(admin, &self.topic, &info, &reading, &limit)?;
        loop {
            let fetched = consumer.poll(u64::MAX, &Limit::new(ANSWER, stop))?;
            let now = clock.now();
            let steady = scene.steady.is_set().then(|| scene.steady.get());
            let mut crossed = locked(&scene.crossed);
            let mut has_new = false;
            fetched.each(|record| {
                let stamp = record.value.and_then(Stamp::of);
                let stamp = stamp.filter(|stamp| stamp.run == self.run);
                has_new |= stamp.is_some_and(|stamp| crossed.read(&stamp, now, steady));
                Ok::<_, KafkaError>(ControlFlow::Continue(()))
            })?;
            if has_new {
                scene.arrived.set(now);
            }
        }
    }
}
