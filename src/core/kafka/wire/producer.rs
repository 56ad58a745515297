//! Writing records, several requests on their way at once. Knows nothing of where records come from.

use super::cluster::Cluster;
use crate::core::kafka::batch::Batch;
use crate::core::kafka::error::KafkaError;
use crate::core::kafka::producer::Writing;
use crate::core::kafka::tally::Tally;
use crate::core::wait::Limit;

/// Writes to one topic.
#[derive(Debug)]
pub(in crate::core::kafka) struct Producer {
    cluster: Cluster,
}

impl Producer {
    pub(in crate::core::kafka) fn open(
        cluster: Cluster,
        _topic: &str,
        _writing: &Writing,
        _limit: &Limit,
    ) -> Result<Self, KafkaError> {
        Ok(Self { cluster })
    }

    pub(in crate::core::kafka) fn send(
        &mut self,
        _batch: Batch,
        _limit: &Limit,
        _tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        Ok(())
    }

    pub(in crate::core::kafka) fn flush(
        &mut self,
        _limit: &Limit,
        _tally: &mut Tally,
    ) -> Result<(), KafkaError> {
        self.cluster.forget();
        Ok(())
    }
}
