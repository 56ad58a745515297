//! Where kmk's own clients reach a lab's cluster, if they are let in. Knows nothing of what they want there.

use crate::core::topology::{Access, Cluster};
use kmk_kafka::KafkaError;
use kmk_kafka::endpoint::Endpoint;

/// Its addresses on this machine.
///
/// # Errors
/// [`KafkaError::NoLogin`] where they would have to log in.
pub fn addresses(cluster: &Cluster) -> Result<Vec<Endpoint>, KafkaError> {
    match cluster.access() {
        Access::Open => Ok(cluster.endpoints()),
        Access::Secured => Err(KafkaError::NoLogin {
            cluster: cluster.name.clone(),
        }),
    }
}
