//! A topic that is yet to be made. Knows nothing of how a broker is asked.

use std::collections::BTreeMap;

/// What a new topic is to be like; what is not said is the brokers' to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// From 1.
    pub partitions: Option<i32>,
    /// Copies of each partition, from 1.
    pub replicas: Option<i16>,
    /// Settings that differ from those of the brokers, by name.
    pub settings: BTreeMap<String, String>,
}
