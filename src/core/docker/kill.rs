//! Kills containers, as a drill does.

use super::{Docker, DockerError, argv};
use kmk_kafka::wait::Limit;

impl Docker {
    /// Kills containers, all at once and without any grace. Docker does not start them again by itself.
    pub(crate) fn kill(&self, ids: &[String], limit: &Limit) -> Result<(), DockerError> {
        self.each(ids, argv::kill, limit)
    }
}
