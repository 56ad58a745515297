//! Being one of several members of a consumer group that share the partitions of a topic: the classic protocol, as Java's
//! consumers and librdkafka speak it. Knows nothing of records.

mod assignor;
mod leader;
mod membership;
mod protocol;
mod pulse;
#[cfg(test)]
mod scripted;
mod standing;
mod timing;
mod verdict;

pub(crate) use membership::Membership;
#[cfg(any(test, feature = "testing"))]
pub(crate) use protocol::assignment;
pub(super) use protocol::read_assignment;
#[cfg(test)]
pub(crate) use scripted::{Asked, Scripted};
pub(crate) use standing::Standing;
