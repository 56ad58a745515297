//! How a member of a group stands, as far as it matters to whoever reads.

use std::collections::BTreeSet;

/// How a member stands with its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// On its way in; no partition is its own.
    Waiting,
    /// These partitions of the topic are its own from now on.
    Assigned(BTreeSet<i32>),
    /// Nothing has changed.
    Steady,
    /// The group shares out anew: with the next poll it gives up its partitions. Until then it may note its places.
    Revoked,
    /// It was thrown out: its partitions are others', and nothing can be noted for them.
    Lost,
}
