//! Having some of a topic's partitions, as a member of a group. Knows nothing of how they are read.

use super::error::KafkaError;
use super::position::Position;
use super::wire::{Cluster, Membership, Offsets, Standing};
use crate::endpoint::Endpoint;
use crate::printable;
use crate::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How soon a member without partitions looks again whether it has some.
const LOOK: Duration = Duration::from_millis(100);

/// How long a member that got no partitions waits for some before it takes that for final: in a group of the newer
/// protocol (KIP-848) it gets them only when the others have let go of them.
const SETTLE: Duration = Duration::from_secs(5);

/// How long it may take to get in before that is worth a word.
const WORD: Duration = Duration::from_secs(3);

/// What has changed in what a member of a group reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The group has not let it in for a while: it waits until its members have all come, or were slow for too long.
    Waiting,
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
    /// Since when it has been on its way in, and whether that was told.
    waits: Option<(Instant, bool)>,
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
            waits: None,
            changes: Vec::new(),
        })
    }

    /// What to do next.
    pub(super) fn poll(&mut self, limit: &Limit) -> Result<Step, KafkaError> {
        match self.membership.poll(limit)? {
            Standing::Steady => {}
            Standing::Assigned(partitions) => {
                self.mine = Some(partitions);
                self.waits = None;
            }
            Standing::Waiting => {
                let (since, told) = self.waits.get_or_insert((Instant::now(), false));
                if !*told && since.elapsed() >= WORD {
                    *told = true;
                    self.changes.push(Change::Waiting);
                }
                return Ok(Step::Wait);
            }
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
        // a commit may have told that it is out
        let is_out = self.begun.is_some() && self.membership.committer().is_none();
        is_out || self.membership.is_called()
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
            return KafkaError::check(25, || {
                format!("note where group `{}` stands", printable::name(&self.group))
            });
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

#[cfg(test)]
mod tests {
    use super::super::wire::{Asked, Scripted};
    use super::*;
    use crate::wait::Interrupt;

    fn limit() -> Limit {
        Limit::new(Duration::from_secs(60), &Interrupt::default())
    }

    fn bootstrap(of: &Scripted) -> [Endpoint; 1] {
        [of.endpoint.clone()]
    }

    /// A member of a group whose topic has two partitions, and which reads them from 5 and 6 on.
    fn reading(scripted: &Scripted) -> Sharing {
        let mut sharing = Sharing::open(&bootstrap(scripted), "g", "t", &limit()).unwrap();
        assert_eq!(begin(&mut sharing), [0, 1]);
        let positions = [(0, 5), (1, 6)].map(|(partition, next)| Position {
            partition,
            next,
            end: None,
        });
        sharing.begun(&positions, 2);
        sharing
    }

    fn begin(sharing: &mut Sharing) -> Vec<i32> {
        let limit = limit();
        loop {
            limit.check(|| "no partitions".to_owned()).unwrap();
            if let Step::Begin(partitions) = sharing.poll(&limit).unwrap() {
                return partitions;
            }
        }
    }

    fn two() -> Scripted {
        Scripted::start(2)
    }

    fn commit(sharing: &mut Sharing, scripted: &Scripted) -> Result<(), KafkaError> {
        let mut cluster = Cluster::connect(&bootstrap(scripted), &limit()).unwrap();
        let offsets = Offsets::from([(("t".to_owned(), 0), 7)]);
        sharing.commit(&mut cluster, &offsets, &limit())
    }

    #[test]
    fn a_member_reads_what_it_was_given_and_commits_by_name() {
        let scripted = two();
        let mut sharing = reading(&scripted);
        let places = BTreeMap::from([(0, 5), (1, 6)]);
        assert_eq!(sharing.changes(), [Change::Assigned { places, of: 2 }]);
        assert!(sharing.is_settled() && sharing.has(1) && !sharing.has(2));
        assert!(matches!(sharing.poll(&limit()), Ok(Step::Read)));
        commit(&mut sharing, &scripted).unwrap();
        let asked = Asked::Commit {
            member: "m1".to_owned(),
            generation: 1,
            offsets: vec![(0, 7)],
        };
        assert!(scripted.script().heard.contains(&asked));
    }

    #[test]
    fn a_commit_that_finds_the_member_gone_gives_up_its_partitions() {
        let scripted = two();
        let mut sharing = reading(&scripted);
        sharing.changes();
        // no partition's own fault: the member stays
        scripted.broker.refuse("OffsetCommit", &[12]);
        assert!(commit(&mut sharing, &scripted).is_err());
        assert!(sharing.has(0) && sharing.changes().is_empty());

        scripted.broker.refuse("OffsetCommit", &[25]);
        assert!(commit(&mut sharing, &scripted).is_err());
        assert_eq!(sharing.changes(), [Change::Lost]);
        assert!(!sharing.has(0) && !sharing.is_settled());
        let heard = scripted.script().heard.len();
        assert!(commit(&mut sharing, &scripted).is_err(), "it has no say");
        assert_eq!(scripted.script().heard.len(), heard, "nobody was asked");
        assert_eq!(begin(&mut sharing), [0, 1]);
    }

    #[test]
    fn who_has_not_begun_has_nothing_to_give_up() {
        let scripted = two();
        let mut sharing = Sharing::open(&bootstrap(&scripted), "g", "t", &limit()).unwrap();
        begin(&mut sharing);
        assert!(!sharing.is_settled());
        scripted.broker.refuse("Heartbeat", &[27]);
        let limit = limit();
        while !sharing.is_called() {
            limit.check(String::new).unwrap();
        }
        assert!(matches!(sharing.poll(&limit), Ok(Step::Wait)));
        assert_eq!(sharing.changes(), []);
        assert_eq!(begin(&mut sharing), [0, 1]);
    }

    #[test]
    fn a_member_without_partitions_waits_for_some() {
        let scripted = Scripted::start(0);
        let mut sharing = Sharing::open(&bootstrap(&scripted), "g", "t", &limit()).unwrap();
        assert_eq!(begin(&mut sharing), [0; 0]);
        sharing.begun(&[], 2);
        assert!(matches!(sharing.poll(&limit()), Ok(Step::Wait)));
        assert!(!sharing.is_settled(), "it may be too soon");
    }
}
