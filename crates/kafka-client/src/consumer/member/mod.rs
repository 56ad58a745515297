//! Being one of several members of a consumer group that share the partitions of a topic: the classic protocol, as
//! Java's consumers and librdkafka speak it.

mod assignor;
mod heartbeat;
mod leader;
mod membership;
#[cfg(test)]
mod scripted;
mod state;
mod timing;
mod verdict;

pub(crate) use membership::Membership;
#[cfg(test)]
pub(crate) use scripted::{Asked, Scripted};
pub(crate) use state::MemberState;
