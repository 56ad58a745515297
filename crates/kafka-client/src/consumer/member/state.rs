//! The state of a member of a group, as far as it matters to its reader.

use std::collections::BTreeSet;

/// The state of a member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// On its way in; no partition is its own.
    Waiting,
    /// These partitions of the topic are its own from now on.
    Assigned(BTreeSet<i32>),
    /// Nothing has changed.
    Steady,
    /// The group rebalances: with the next poll the member gives up its partitions. Until then it may commit.
    Revoked,
    /// It was removed: its partitions are others', and nothing can be committed for them.
    Lost,
}
