//! How much room partitions take on the brokers' disks.

use crate::cluster::{Cluster, To};
use crate::error::KafkaError;
use crate::wait::Limit;
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use std::collections::BTreeMap;

/// Bytes of a partition, by the node id of the broker that holds a copy.
pub(crate) type Sizes = BTreeMap<(String, i32), BTreeMap<i32, u64>>;

impl Cluster {
    /// The bytes of all partitions: one request to each broker. What a broker holds that cannot be reached is left out.
    ///
    /// # Errors
    /// When a broker refuses.
    pub(crate) fn sizes(&mut self, limit: &Limit) -> Result<Sizes, KafkaError> {
        if self.known.brokers.is_empty() {
            self.metadata(Some(&[]), limit)?;
        }
        let brokers: Vec<i32> = self.known.brokers.keys().copied().collect();
        let request = DescribeLogDirsRequest::default().with_topics(None);
        let mut asked = Vec::new();
        for broker in brokers {
            match self.ask(To::Broker(broker), &request, limit) {
                Ok(ticket) => asked.push((broker, ticket)),
                Err(error) if error.is_retriable() => {}
                Err(error) => return Err(error),
            }
        }
        let mut sizes = Sizes::new();
        for (broker, ticket) in asked {
            match self.answer(&ticket, limit) {
                Ok(answer) => count(broker, answer, &mut sizes)?,
                Err(error) if error.is_retriable() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sizes)
    }
}

fn count(
    broker: i32,
    answer: DescribeLogDirsResponse,
    sizes: &mut Sizes,
) -> Result<(), KafkaError> {
    KafkaError::check(answer.error_code, || {
        format!("tell the sizes of partitions on broker {broker}")
    })?;
    // a directory that failed tells no sizes
    let sound = answer.results.into_iter().filter(|dir| dir.error_code == 0);
    for topic in sound.flat_map(|dir| dir.topics) {
        let name = topic.name.to_string();
        // a copy that is moving to another directory of the same broker would count twice
        let own = topic.partitions.iter().filter(|one| !one.is_future_key);
        for partition in own {
            let bytes = u64::try_from(partition.partition_size).unwrap_or(0);
            let place = (name.clone(), partition.partition_index);
            sizes.entry(place).or_default().insert(broker, bytes);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::metadata::topic_name;
    use kafka_protocol::messages::describe_log_dirs_response::{
        DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
    };

    fn directory(error: i16, partitions: Vec<DescribeLogDirsPartition>) -> DescribeLogDirsResult {
        let topic = DescribeLogDirsTopic::default()
            .with_name(topic_name("t"))
            .with_partitions(partitions);
        DescribeLogDirsResult::default()
            .with_error_code(error)
            .with_topics(vec![topic])
    }

    fn log(id: i32, bytes: i64, is_future: bool) -> DescribeLogDirsPartition {
        DescribeLogDirsPartition::default()
            .with_partition_index(id)
            .with_partition_size(bytes)
            .with_is_future_key(is_future)
    }

    #[test]
    fn a_moving_copy_and_a_failed_directory_do_not_count() {
        let answer = DescribeLogDirsResponse::default().with_results(vec![
            directory(
                0,
                vec![log(0, 10, false), log(0, 4, true), log(1, -1, false)],
            ),
            directory(56, vec![log(2, 99, false)]),
        ]);
        let mut sizes = Sizes::new();
        count(3, answer, &mut sizes).unwrap();
        let at = |id| sizes.get(&("t".to_owned(), id));
        assert_eq!(at(0), Some(&BTreeMap::from([(3, 10)])));
        assert_eq!(at(1), Some(&BTreeMap::from([(3, 0)])));
        assert_eq!(at(2), None);
    }

    #[test]
    fn a_refusal_is_an_error() {
        let answer = DescribeLogDirsResponse::default().with_error_code(31);
        let error = count(3, answer, &mut Sizes::new()).unwrap_err();
        assert!(error.to_string().ends_with("CLUSTER_AUTHORIZATION_FAILED"));
    }
}
