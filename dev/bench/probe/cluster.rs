//! A cluster by one address, waited for while it starts. Knows nothing of what it is measured for.

use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{
    Admin, At, Client, Consumer, ConsumerOptions, KafkaError, NewTopic, Producer, ProducerOptions,
    Start,
};
use std::time::Duration;

/// How often what is not there yet is looked for: often enough for a tenth of a second to be told from a fifth.
const LOOK: Duration = Duration::from_millis(20);

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

pub(crate) struct Cluster {
    bootstrap: Vec<Endpoint>,
}

impl Cluster {
    pub(crate) fn new(address: Endpoint) -> Self {
        Self {
            bootstrap: vec![address],
        }
    }

    /// Connects, though nobody may be listening yet.
    pub(crate) fn connect(&self, patience: Duration) -> Result<Admin, KafkaError> {
        patiently(patience, |limit| Admin::connect(&self.bootstrap, limit))
    }

    /// Writes to `topic`, which is made if it is not there.
    pub(crate) fn writer(&self, topic: &str, patience: Duration) -> Result<Producer, KafkaError> {
        let writing = ProducerOptions {
            client: Client::Wire,
            ..ProducerOptions::default()
        };
        patiently(patience, |limit| {
            let admin = Admin::connect(&self.bootstrap, limit)?;
            Producer::open(admin, topic, &writing, limit)
        })
    }

    /// Reads what comes from now on.
    pub(crate) fn reader(&self, topic: &str, patience: Duration) -> Result<Consumer, KafkaError> {
        let reading = ConsumerOptions {
            partition: None,
            start: Start::Latest,
            group: None,
            to_end: false,
            committed_only: false,
            client: Client::Wire,
            needs: Vec::new(),
            is_small: false,
        };
        patiently(patience, |limit| {
            let mut admin = Admin::connect(&self.bootstrap, limit)?;
            let info = admin.topics(limit)?.remove(topic).unwrap_or_default();
            Consumer::open(admin, topic, &info, &reading, limit)
        })
    }

    /// Makes a topic of one partition.
    pub(crate) fn create(&self, topic: &str, patience: Duration) -> Result<(), KafkaError> {
        let topic = NewTopic {
            name: topic.to_owned(),
            partitions: Some(1),
            ..NewTopic::default()
        };
        patiently(patience, |limit| {
            let made = Admin::connect(&self.bootstrap, limit)?.create_topic(&topic, limit);
            made.map(drop)
        })
    }
}

/// Waits until `topic` holds so many records, all partitions together; `seen` is told of each look.
pub(crate) fn until_holds(
    admin: &mut Admin,
    topic: &str,
    records: u64,
    patience: Duration,
    mut seen: impl FnMut(u64),
) -> Result<(), KafkaError> {
    let names = [topic.to_owned()];
    let interrupt = Interrupt::default();
    let limit = Limit::new(patience, &interrupt);
    loop {
        let ends = admin.offsets(&names, At::Latest, &limit.at_most(ATTEMPT))?;
        let there = ends.values().sum::<i64>().unsigned_abs();
        seen(there);
        if there >= records {
            return Ok(());
        }
        limit.check(|| format!("`{topic}` holds {there} records"))?;
        limit.pause(LOOK)?;
    }
}

/// Tries again, whatever is wrong, until it succeeds or time is up.
fn patiently<T>(
    patience: Duration,
    mut attempt: impl FnMut(&Limit) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let interrupt = Interrupt::default();
    let limit = Limit::new(patience, &interrupt);
    loop {
        match attempt(&limit.at_most(ATTEMPT)) {
            Err(_) if !limit.remaining().is_zero() => limit.pause(LOOK)?,
            settled => return settled,
        }
    }
}
