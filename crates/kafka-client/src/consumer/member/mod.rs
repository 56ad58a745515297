//! Being one of several members of a consumer group that share the partitions of a topic: the classic protocol, as Java's
//! consumers and librdkafka speak it. Knows nothing of records.

mod assignor;
mod leader;
mod membership;
mod pulse;
#[cfg(test)]
mod scripted;
mod standing;
mod timing;
mod verdict;

pub(crate) use membership::Membership;
#[cfg(test)]
pub(crate) use scripted::{Asked, Script, Scripted};
pub(crate) use standing::Standing;
