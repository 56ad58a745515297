//! One connection to one broker, to measure how long the line to it is, and how fast.

use crate::cluster::connection::{Connection, Ticket};
use crate::cluster::metadata::topic_name;
use crate::cluster::unreachable;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{ApiVersionsRequest, BrokerId, FetchRequest, FetchResponse};
use kafka_protocol::protocol::StrBytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A connection to what listens at an address: a broker, or a relay in front of one. The addresses that the broker
/// advertises are not followed.
#[derive(Debug)]
pub struct Line {
    connection: Connection,
    address: Endpoint,
}

/// How records are fetched to measure a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetches {
    /// Bytes of each, if a batch is no larger.
    pub bytes: i32,
    /// How many are on their way at once. For the line to be always full, these take longer than a round trip.
    pub at_once: usize,
}

/// A request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// From sending the request until the whole answer was there.
    pub took: Duration,
    /// The size of the answer.
    pub bytes: u64,
}

impl Line {
    /// Connects. One attempt.
    ///
    /// # Errors
    /// [`KafkaError::Unreachable`], or interrupted.
    pub fn open(address: &Endpoint, limit: &Limit) -> Result<Self, KafkaError> {
        match Connection::open(address, limit) {
            Ok(connection) => Ok(Self {
                connection,
                address: address.clone(),
            }),
            Err(failure) => Err(unreachable(vec![(address.clone(), failure)])),
        }
    }

    /// How long the broker takes to answer an `ApiVersions` request: no work, no disk, and less than 1 KiB.
    ///
    /// # Errors
    /// When it does not answer, or not as a broker.
    pub fn round_trip(&mut self, limit: &Limit) -> Result<RoundTrip, KafkaError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let before = self.connection.received();
        let begun = Instant::now();
        let ticket = self.connection.send(&request, limit)?;
        self.connection.finish(&ticket, limit)?;
        Ok(RoundTrip {
            took: begun.elapsed(),
            bytes: self.connection.received() - before,
        })
    }

    /// How many bytes a second come through: for `time`, the beginning of a partition is fetched again and again. The first
    /// answer does not count. What was asked for is taken in before this returns: a relay may keep what nobody takes.
    ///
    /// # Errors
    /// When the broker does not answer, does not lead the partition, or has no records there.
    pub fn rate(
        &mut self,
        (topic, partition): (&str, i32),
        fetches: Fetches,
        time: Duration,
        limit: &Limit,
    ) -> Result<f64, KafkaError> {
        let request = fetch(topic, partition, fetches.bytes);
        let mut asked: VecDeque<Ticket<FetchRequest>> = VecDeque::new();
        let mut first: Option<(Instant, u64)> = None;
        let mut last = None;
        loop {
            while last.is_none() && asked.len() < fetches.at_once.max(1) {
                asked.push_back(self.connection.send(&request, limit)?);
            }
            let Some(ticket) = asked.pop_front() else {
                break;
            };
            let answer = self.connection.finish(&ticket, limit)?;
            self.check(answer, topic, partition)?;
            let received = self.connection.received();
            let (since, before) = *first.get_or_insert((Instant::now(), received));
            let took = since.elapsed();
            if took >= time && received > before {
                last.get_or_insert((received - before, took));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "no line carries 2^53 bytes")]
        let rate = last.map(|(bytes, took)| bytes as f64 / took.as_secs_f64());
        Ok(rate.expect("it ends after the last"))
    }

    fn check(&self, answer: FetchResponse, topic: &str, partition: i32) -> Result<(), KafkaError> {
        let doing = || format!("read partition {partition} of topic `{topic}`");
        KafkaError::check(answer.error_code, doing)?;
        let mut partitions = answer.responses.into_iter().flat_map(|one| one.partitions);
        let data = partitions.find(|data| data.partition_index == partition);
        let data = data.unwrap_or_default();
        KafkaError::check(data.error_code, doing)?;
        if data.records.is_none_or(|records| records.is_empty()) {
            return Err(KafkaError::Garbled {
                address: self.address.to_string(),
                cause: format!("partition {partition} of topic `{topic}` has no records"),
            });
        }
        Ok(())
    }
}

fn fetch(topic: &str, partition: i32, share: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(0)
        .with_partition_max_bytes(share);
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(share)
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeBroker, Fault};
    use crate::wait::Interrupt;

    fn soon() -> Limit {
        Limit::new(Duration::from_secs(5), &Interrupt::default())
    }

    #[test]
    fn a_round_trip_ends_with_the_answer() {
        let broker = FakeBroker::start();
        let mut line = Line::open(&broker.endpoint(), &soon()).unwrap();
        let trip = line.round_trip(&soon()).unwrap();
        assert!(
            trip.took > Duration::ZERO && (100..1000).contains(&trip.bytes),
            "{trip:?}"
        );
        // one that does not come has no time
        broker.fail("ApiVersions", Fault::Silence);
        let short = Limit::new(Duration::from_millis(50), &Interrupt::default());
        assert!(matches!(
            line.round_trip(&short),
            Err(KafkaError::Silent { .. })
        ));
        broker.go_down();
        let error = Line::open(&broker.endpoint(), &soon()).unwrap_err();
        assert!(matches!(error, KafkaError::Unreachable { .. }), "{error}");
    }

    #[test]
    fn what_comes_is_counted_and_no_records_are_no_rate() {
        let broker = FakeBroker::start();
        broker.topic("t", 2, &[]);
        let value = "x".repeat(10_000);
        broker.append("t", 0, &[(None, Some(&value))]);
        let mut line = Line::open(&broker.endpoint(), &soon()).unwrap();
        let time = Duration::from_millis(50);
        let begun = Instant::now();
        let fetches = Fetches {
            bytes: 1,
            at_once: 4,
        };
        let rate = line.rate(("t", 0), fetches, time, &soon()).unwrap();
        // each answer has a whole batch
        assert!(begun.elapsed() >= time && rate > 10_000.0 / 0.05, "{rate}");
        // and none is left on its way
        assert!(line.round_trip(&soon()).unwrap().bytes < 1000);
        for (place, said) in [
            (("t", 1), "partition 1 of topic `t` has no records"),
            (("u", 0), "UNKNOWN_TOPIC_OR_PARTITION"),
        ] {
            let mut line = Line::open(&broker.endpoint(), &soon()).unwrap();
            let error = line.rate(place, fetches, time, &soon()).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
