//! How long members of a group may be silent, and slow.

use std::time::Duration;

/// How long the coordinator is looked for before that is a failure: a group's first member waits while the
/// broker makes the topic that holds groups.
pub(super) const FIND: Duration = Duration::from_secs(10);

/// How long it may take to get in before the group counts as broken: members may come one by one, and each makes the
/// others wait again.
pub(super) const GET_IN: Duration = Duration::from_secs(300);

/// How long members may be silent, and slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// Silent for so long, the coordinator throws the member out.
    pub(super) session: Duration,
    /// So long the coordinator waits for all members to join again.
    pub(super) rebalance: Duration,
    /// Between two heartbeats: how soon a member notices a rebalance.
    pub(super) heartbeat: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(10),
            rebalance: Duration::from_secs(60),
            heartbeat: Duration::from_secs(1),
        }
    }
}

/// As the protocol carries it.
pub(super) fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
