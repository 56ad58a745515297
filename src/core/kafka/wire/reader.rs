//! Reading partitions of one topic on and on. Knows nothing of what the records are for.

use super::cluster::Cluster;
use crate::core::endpoint::Endpoint;
use crate::core::kafka::error::KafkaError;
use crate::core::kafka::position::Position;
use crate::core::message::RecordRef;
use crate::core::wait::Limit;

/// Reads partitions of one topic.
#[derive(Debug)]
pub(in crate::core::kafka) struct Reader {
    cluster: Cluster,
}

/// Records that arrived together.
#[derive(Debug, Default)]
pub(in crate::core::kafka) struct Fetched;

impl Fetched {
    pub(in crate::core::kafka) fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        std::iter::empty()
    }
}

impl Reader {
    pub(in crate::core::kafka) fn open(
        bootstrap: &[Endpoint],
        _topic: &str,
        _positions: &[Position],
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            cluster: Cluster::connect(bootstrap, limit)?,
        })
    }

    pub(in crate::core::kafka) fn committed_only(self, _only: bool) -> Self {
        self
    }

    pub(in crate::core::kafka) fn positions(&self) -> Vec<Position> {
        Vec::new()
    }

    pub(in crate::core::kafka) fn seek(&mut self, _partition: i32, _next: i64) {}

    pub(in crate::core::kafka) fn out_of_range(&mut self) -> Vec<i32> {
        self.cluster.forget();
        Vec::new()
    }

    pub(in crate::core::kafka) fn poll(
        &mut self,
        _wanted: u64,
        _limit: &Limit,
    ) -> Result<Fetched, KafkaError> {
        Ok(Fetched)
    }
}
