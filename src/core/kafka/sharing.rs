//! Having some of a topic's partitions, as a member of a group. Knows nothing of how they are read.

use super::error::KafkaError;
use super::position::Position;
use super::wire::{Cluster, Membership, Offsets, Standing};
use crate::core::endpoint::Endpoint;
use crate::core::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How soon a member without partitions looks again whether it has some.
const LOOK: Duration = Duration::from_millis(100);

/// How long a member that got no partitions waits for some before it takes that for final: in a group of the newer
/// protocol (KIP-848) it gets them only when the others have let go of them.
const SETTLE: Duration = Duration::from_secs(5);

/// What has changed in what a member of a group reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It reads these partitions from now on.
    Assigned {
        /// Where each of them begins: where the group stands, else where it was asked to.
        places: BTreeMap<i32, i64>,
        /// How many partitions the topic has.
        of: usize,
    },
    /// The group shares out anew: the next poll gives up all partitions. This is the moment to commit.
    Revoked,
    /// The group has gone on without it: its partitions are others' already, and nothing can be committed for them.
    Lost,
}

/// What a member of a group is to do.
#[derive(Debug)]
pub(super) enum Step {
    /// Read on.
    Read,
    /// Begin to read these partitions, and tell with [`Sharing::begun`] where.
    Begin(Vec<i32>),
    /// Nothing.
    Wait,
}

/// A member of a group, and what is its own.
#[derive(Debug)]
pub(super) struct Sharing {
    membership: Membership,
    group: String,
    /// None while it is on its way in.
    mine: Option<BTreeSet<i32>>,
    /// Since when it has read what is its own; none until it does.
    begun: Option<Instant>,
    changes: Vec<Change>,
}

impl Sharing {
    /// Prepares to join `group` for `topic`; [`Sharing::poll`] does it.
    pub(super) fn open(
        bootstrap: &[Endpoint],
        group: &str,
        topic: &str,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            membership: Membership::new(bootstrap, group, topic, limit)?,
            group: group.to_owned(),
            mine: None,
            begun: None,
            changes: Vec::new(),
        })
    }

    /// What to do next.
    pub(super) fn poll(&mut self, limit: &Limit) -> Result<Step, KafkaError> {
        match self.membership.poll(limit)? {
            Standing::Steady => {}
            Standing::Assigned(partitions) => self.mine = Some(partitions),
            Standing::Waiting => return Ok(Step::Wait),
            Standing::Revoked => return Ok(self.give_up(Change::Revoked)),
            Standing::Lost => return Ok(self.give_up(Change::Lost)),
        }
        match &self.mine {
            Some(mine) if self.begun.is_none() => Ok(Step::Begin(mine.iter().copied().collect())),
            Some(mine) if !mine.is_empty() => Ok(Step::Read),
            _ => {
                limit.pause(LOOK)?;
                Ok(Step::Wait)
            }
        }
    }

    /// Reading has begun at `positions`, in a topic of so many partitions.
    pub(super) fn begun(&mut self, positions: &[Position], of: usize) {
        self.begun = Some(Instant::now());
        let places = positions.iter().map(|at| (at.partition, at.next)).collect();
        self.changes.push(Change::Assigned { places, of });
    }

    /// Whether it has its partitions, and reads them, or has none and gets none.
    pub(super) fn is_settled(&self) -> bool {
        let has_some = self.mine.as_ref().is_some_and(|mine| !mine.is_empty());
        self.begun
            .is_some_and(|since| has_some || since.elapsed() >= SETTLE)
    }

    /// Whether the group wants to share out anew, or has gone on without it: the next poll tells.
    pub(super) fn is_called(&mut self) -> bool {
        self.membership.is_called()
    }

    /// Whether a partition is its own.
    pub(super) fn has(&self, partition: i32) -> bool {
        self.mine
            .as_ref()
            .is_some_and(|mine| mine.contains(&partition))
    }

    /// What has changed since this was last asked.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Notes where the group stands, as one of its members.
    pub(super) fn commit(
        &mut self,
        cluster: &mut Cluster,
        offsets: &Offsets,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let Some(me) = self.membership.committer() else {
            // what the coordinator would say (UNKNOWN_MEMBER_ID)
            return KafkaError::check(25, || format!("note where group `{}` stands", self.group));
        };
        let committed = cluster.commit(&self.group, offsets, Some(me), limit);
        committed.inspect_err(|error| {
            if self.membership.is_out(error) {
                self.give_up(Change::Lost);
            }
        })
    }

    /// Lets the others take over.
    pub(super) fn leave(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        self.mine = None;
        self.begun = None;
        self.membership.leave(limit)
    }

    fn give_up(&mut self, change: Change) -> Step {
        // who has not begun has nothing to give up
        if self.begun.is_some() {
            self.changes.push(change);
        }
        self.mine = None;
        self.begun = None;
        Step::Wait
    }
}
