//! The topics of clusters: their records, their settings, and where they are mirrored.

mod answer;
mod change;
mod follow;
mod look;
mod mirrored;
mod report;
mod truncate;

pub use change::{Altered, alter, create, delete};
pub use follow::Following;
pub use look::{
    clusters_with_topic, copies_of, describe, describe_all, setting_of, source_of, topics,
    topics_at,
};
pub use mirrored::{Copied, Names, copied};
pub use report::{
    ClusterTopics, PartitionReport, RemoteTopic, SettingReport, TopicDetails, TopicReport,
};
pub(super) use truncate::partitions;
pub use truncate::{Truncate, Truncated, truncate};

use crate::core::nearest::by_nearness;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, TopicInfo};

/// Why a topic cannot be described, or changed.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// There is none of that name.
    #[error("there is no topic `{topic}`")]
    NoTopic {
        /// Its name.
        topic: String,
        /// The topics that are there, those of like name first.
        topics: Vec<String>,
    },
    /// An offset is beyond the end of a partition.
    #[error("partition {partition} of topic `{topic}` ends at offset {end}, before {offset}")]
    BeyondEnd {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that was asked for.
        offset: i64,
        /// The offset that the next record will get.
        end: i64,
    },
    /// Topics have no such setting.
    #[error("topics have no setting `{name}`")]
    NoSetting {
        /// Its name.
        name: String,
        /// Those they have.
        known: Vec<String>,
    },
    /// A broker does not do it.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// The topic of that name, as the cluster knows it.
///
/// # Errors
/// [`TopicError::NoTopic`] with the names there are, or when no broker answers.
pub(super) fn find(admin: &mut Admin, topic: &str, limit: &Limit) -> Result<TopicInfo, TopicError> {
    let mut topics = admin.describe_patiently(limit)?.topics;
    topics.remove(topic).ok_or_else(|| {
        let names = topics.keys().map(String::as_str);
        TopicError::NoTopic {
            topic: topic.to_owned(),
            topics: by_nearness(topic, names)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    })
}
