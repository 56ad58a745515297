//! Writing records so that each is known to be acknowledged, or not.

mod batch;
mod options;
mod partitioner;
mod tally;
mod wire;

pub use batch::{Batch, Chunk, Item, OVERHEAD};
pub use options::{Acks, ProducerOptions};
pub use partitioner::{Partitioner, murmur2};
pub use tally::{Acknowledged, Tally, Written};

use crate::admin::Admin;
use crate::client::{Abilities, Backend, Client};
use crate::cluster::metadata::TopicInfo;
use crate::crate_v0;
use crate::error::KafkaError;
use crate::message::to_millis;
use crate::wait::Limit;
use std::time::SystemTime;

/// Writes to one topic. What becomes of each record is told in a [`Tally`].
#[derive(Debug)]
pub struct Producer {
    inner: Inner,
    backend: Backend,
    topic: String,
    info: TopicInfo,
}

#[derive(Debug)]
enum Inner {
    V0(crate_v0::Producer),
    Wire(Box<wire::Producer>),
}

impl Producer {
    /// Makes sure that `topic` is there and has leaders: **creates it** where the broker creates topics by itself.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`]; [`KafkaError::UnknownTopic`] where the broker does not create topics;
    /// [`KafkaError::CannotDo`].
    pub fn open(
        mut admin: Admin,
        topic: &str,
        writing: &ProducerOptions,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let info = admin.ensure_topic(topic, limit)?;
        let version_0 = admin.speaks_version_0();
        // asked only where it decides
        let may_be_crate = writing.is_small && writing.needs.is_empty();
        let decides = version_0 && writing.client == Client::Auto && may_be_crate;
        let cluster = Abilities {
            version_0,
            keeps_time: decides && admin.keeps_time(topic, limit)?,
        };
        let backend = writing
            .client
            .choose(&writing.needs, writing.is_small, cluster)?;
        let inner = match backend {
            Backend::Crate => Inner::V0(crate_v0::Producer::open(
                admin.bootstrap(),
                topic,
                writing,
                limit,
            )?),
            Backend::Wire(_) => {
                let producer = wire::Producer::open(admin.cluster, topic, writing, limit)?;
                Inner::Wire(Box::new(producer))
            }
        };
        Ok(Self {
            inner,
            backend,
            topic: topic.to_owned(),
            info,
        })
    }

    /// Which client writes, and why.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        i32::try_from(self.info.partitions.len()).unwrap_or(i32::MAX)
    }

    /// Takes all records of `batch`, trying again whatever time may heal, until `limit`. What was acknowledged goes
    /// into `tally` as it happens, whether or not the whole succeeds; some of it only with the next call, or with
    /// [`Producer::flush`].
    ///
    /// # Errors
    /// The first refusal that time does not heal, or the last one seen when time was up. What `tally` does not count
    /// was then not acknowledged.
    pub fn send(
        &mut self,
        batch: Batch,
        limit: &Limit,
        tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        match &mut self.inner {
            Inner::V0(producer) => producer.send(batch, limit, tally),
            Inner::Wire(producer) => producer.send(batch, limit, tally),
        }
    }

    /// Waits until everything sent is acknowledged.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn flush(&mut self, limit: &Limit, tally: &mut Tally) -> Result<(), KafkaError> {
        match &mut self.inner {
            Inner::V0(_) => Ok(()),
            Inner::Wire(producer) => producer.flush(limit, tally),
        }
    }

    /// Waits until something more is acknowledged, if something is left. Whether something is left then.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn settle(&mut self, limit: &Limit, tally: &mut Tally) -> Result<bool, KafkaError> {
        match &mut self.inner {
            Inner::V0(_) => Ok(false),
            Inner::Wire(producer) => producer.settle(limit, tally),
        }
    }

    /// Writes one record and returns its offset, once it is acknowledged.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn send_one(
        &mut self,
        partition: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        limit: &Limit,
    ) -> Result<i64, KafkaError> {
        let mut batch = Batch::default();
        batch.push(partition, key, value, to_millis(SystemTime::now()));
        let mut tally = Tally::default();
        self.send(batch, limit, &mut tally)?;
        self.flush(limit, &mut tally)?;
        let written = tally.partitions.get(&partition);
        written
            .map(|written| written.last)
            .filter(|&offset| offset >= 0)
            .ok_or_else(|| KafkaError::Garbled {
                address: format!(
                    "the leader of partition {partition} of topic `{}`",
                    self.topic
                ),
                cause: "no offset for the record".to_owned(),
            })
    }
}
