//! Sends a canary: a record that proves that a flow really replicates.

use crate::core::topology::{Cluster, Flow, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Acks, Admin, At, Client, KafkaError, NewTopic, Producer, ProducerOptions};
use std::time::{Duration, Instant, SystemTime};

/// What bounds a canary's topic, on the source and, as `MirrorMaker` copies a topic's settings when it makes it, on the
/// target: one canary a second, of about 150 bytes, makes half a megabyte an hour.
const BOUNDS: [(&str, &str); 3] = [
    ("retention.ms", "3600000"),
    ("segment.ms", "600000"),
    ("segment.bytes", "1048576"),
];

/// A canary on its way.
pub(in crate::core) struct Canary {
    token: Vec<u8>,
    target: Vec<Endpoint>,
    /// What its topic is called on the target.
    topic: String,
    /// Where in that topic to look for it.
    from: i64,
    admin: Option<Admin>,
    sent: Instant,
}

/// Why there is no canary on its way.
#[derive(Debug)]
pub(in crate::core) enum CanaryError {
    /// Where it should arrive cannot be looked at.
    Target(KafkaError),
    /// It cannot be sent.
    Source(KafkaError),
}

impl From<CanaryError> for KafkaError {
    fn from(error: CanaryError) -> Self {
        match error {
            CanaryError::Target(error) | CanaryError::Source(error) => error,
        }
    }
}

impl Canary {
    /// Sends a canary into the source of `flow`, and makes its topic there unless it already exists.
    pub(in crate::core) fn send(
        topology: &Topology,
        flow: &Flow,
        limit: &Limit,
    ) -> Result<Self, CanaryError> {
        let endpoints = |name: &str| {
            topology
                .cluster(name)
                .map_or_else(Vec::new, Cluster::endpoints)
        };
        let (source, target) = (endpoints(&flow.spec.source), endpoints(&flow.spec.target));
        let topic = flow.remote_topic(&flow.canary);
        let (admin, from) = end(&target, &topic, limit).map_err(CanaryError::Target)?;
        let mut producer = open(&source, &flow.canary, limit).map_err(CanaryError::Source)?;
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let token = format!("{} {} {}", flow.name(), std::process::id(), now.as_nanos());
        let canary = Self {
            token: token.into_bytes(),
            target,
            topic,
            from,
            admin: Some(admin),
            sent: Instant::now(),
        };
        producer
            .send_one(0, None, Some(&canary.token), limit)
            .map_err(CanaryError::Source)?;
        Ok(canary)
    }

    /// How long it has been on its way.
    pub(in crate::core) fn age(&self) -> Duration {
        self.sent.elapsed()
    }

    /// Whether it has arrived at the target.
    ///
    /// # Errors
    /// Whatever keeps the target from being read; the next call connects again.
    pub(in crate::core) fn has_arrived(&mut self, limit: &Limit) -> Result<bool, KafkaError> {
        let arrived = self.look(limit);
        if arrived.is_err() {
            self.admin = None;
        }
        arrived
    }

    fn look(&mut self, limit: &Limit) -> Result<bool, KafkaError> {
        let admin = match &mut self.admin {
            Some(admin) => admin,
            none => none.insert(Admin::connect(&self.target, limit)?),
        };
        let ends = admin.offsets(std::slice::from_ref(&self.topic), At::Latest, limit)?;
        let Some(end) = ends.get(&(self.topic.clone(), 0)) else {
            return Ok(false);
        };
        // the topic may have been recreated since
        self.from = self.from.min(*end);
        if self.from == *end {
            return Ok(false);
        }
        let records = admin.read(&self.topic, 0, self.from, usize::MAX, limit)?;
        // those of others need not be read again
        self.from = records.last().map_or(self.from, |last| last.offset + 1);
        let mut values = records.iter().map(|record| record.value.as_ref());
        Ok(values.any(|value| value == Some(&self.token)))
    }
}

/// Where the canary's topic ends on the target: at 0 where it is not there yet.
fn end(target: &[Endpoint], topic: &str, limit: &Limit) -> Result<(Admin, i64), KafkaError> {
    let mut admin = Admin::connect(target, limit)?;
    let ends = admin.offsets(&[topic.to_owned()], At::Latest, limit)?;
    let from = ends.get(&(topic.to_owned(), 0)).copied().unwrap_or(0);
    Ok((admin, from))
}

/// A writer to the canary's topic on the source.
fn open(source: &[Endpoint], topic: &str, limit: &Limit) -> Result<Producer, KafkaError> {
    let mut admin = Admin::connect(source, limit)?;
    if !admin.has_topic(topic, limit)? {
        let settings = BOUNDS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let topic = NewTopic {
            name: topic.to_owned(),
            partitions: Some(1),
            replicas: None,
            settings: settings.into(),
        };
        // another may make it at the same moment; what else is wrong comes up when it is written to
        let _ = admin.create_topic(&topic, limit);
    }
    let writing = ProducerOptions {
        client: Client::Wire,
        // a retry may repeat it: that is no harm, and no broker has to remember its writer
        acks: Acks::One,
        ..ProducerOptions::default()
    };
    Producer::open(admin, topic, &writing, limit)
}
