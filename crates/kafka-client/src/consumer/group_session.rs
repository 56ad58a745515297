//! Having some of a topic's partitions, as a member of a group.

use super::member::{MemberState, Membership};
use crate::cluster::Cluster;
use crate::cluster::offsets::Offsets;
use crate::consumer::Position;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
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

/// What has changed for a member of a consumer group; see [`Consumer::events`](crate::Consumer::events).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    /// The group has not let it in for a while: it waits until its members have all come, or were slow for too long.
    Waiting,
    /// It reads these partitions from now on.
    Assigned {
        /// Where each of them begins: at the committed offset of the group, else where it was asked to.
        places: BTreeMap<i32, i64>,
        /// How many partitions the topic has.
        of: usize,
    },
    /// The group rebalances: the next poll gives up all partitions. This is the moment to commit.
    Revoked,
    /// The group has gone on without it: its partitions are others' already, and nothing can be committed for them.
    Lost,
}

/// What a member of a group is to do.
#[derive(Debug)]
pub(crate) enum SessionStep {
    /// Read on.
    Read,
    /// Begin to read these partitions, and tell with [`GroupSession::begun`] where.
    Begin(Vec<i32>),
    /// Nothing.
    Wait,
}

/// A member of a group, and what is its own.
#[derive(Debug)]
pub(crate) struct GroupSession {
    membership: Membership,
    group: String,
    /// None while it is on its way in.
    mine: Option<BTreeSet<i32>>,
    /// Since when it has read what is its own; none until it does.
    begun: Option<Instant>,
    /// Since when it has been on its way in, and whether that was told.
    waits: Option<(Instant, bool)>,
    events: Vec<GroupEvent>,
}

impl GroupSession {
    /// Prepares to join `group` for `topic`; [`GroupSession::poll`] does it.
    pub(crate) fn open(
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
            events: Vec::new(),
        })
    }

    /// What to do next.
    pub(crate) fn poll(&mut self, limit: &Limit) -> Result<SessionStep, KafkaError> {
        match self.membership.poll(limit)? {
            MemberState::Steady => {}
            MemberState::Assigned(partitions) => {
                self.mine = Some(partitions);
                self.waits = None;
            }
            MemberState::Waiting => {
                let (since, told) = self.waits.get_or_insert((Instant::now(), false));
                if !*told && since.elapsed() >= WORD {
                    *told = true;
                    self.events.push(GroupEvent::Waiting);
                }
                return Ok(SessionStep::Wait);
            }
            MemberState::Revoked => return Ok(self.give_up(GroupEvent::Revoked)),
            MemberState::Lost => return Ok(self.give_up(GroupEvent::Lost)),
        }
        match &self.mine {
            Some(mine) if self.begun.is_none() => {
                Ok(SessionStep::Begin(mine.iter().copied().collect()))
            }
            Some(mine) if !mine.is_empty() => Ok(SessionStep::Read),
            _ => {
                limit.pause(LOOK)?;
                Ok(SessionStep::Wait)
            }
        }
    }

    /// Reading has begun at `positions`, in a topic of this many partitions.
    pub(crate) fn begun(&mut self, positions: &[Position], of: usize) {
        self.begun = Some(Instant::now());
        let places = positions.iter().map(|at| (at.partition, at.next)).collect();
        self.events.push(GroupEvent::Assigned { places, of });
    }

    /// Whether it has its partitions, and reads them, or has none and gets none.
    pub(crate) fn is_settled(&self) -> bool {
        let has_some = self.mine.as_ref().is_some_and(|mine| !mine.is_empty());
        self.begun
            .is_some_and(|since| has_some || since.elapsed() >= SETTLE)
    }

    /// Whether the group rebalances, or has gone on without it: the next poll tells.
    pub(crate) fn is_rebalancing(&mut self) -> bool {
        // a commit may have told that it is out
        let is_out = self.begun.is_some() && self.membership.committer().is_none();
        is_out || self.membership.is_rebalancing()
    }

    /// Whether a partition is its own.
    pub(crate) fn has(&self, partition: i32) -> bool {
        self.mine
            .as_ref()
            .is_some_and(|mine| mine.contains(&partition))
    }

    /// What has changed since this was last asked.
    pub(crate) fn events(&mut self) -> Vec<GroupEvent> {
        std::mem::take(&mut self.events)
    }

    /// Commits offsets, as one of the group's members.
    pub(crate) fn commit(
        &mut self,
        cluster: &mut Cluster,
        offsets: &Offsets,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let Some(me) = self.membership.committer() else {
            // what the coordinator would say (UNKNOWN_MEMBER_ID)
            return KafkaError::check(25, || {
                format!("commit offsets of group `{}`", printable::name(&self.group))
            });
        };
        let committed = cluster.commit(&self.group, offsets, Some(me), limit);
        committed.inspect_err(|error| {
            if self.membership.is_out(error) {
                self.give_up(GroupEvent::Lost);
            }
        })
    }

    /// Lets the others take over.
    pub(crate) fn leave(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        self.mine = None;
        self.begun = None;
        self.membership.leave(limit)
    }

    fn give_up(&mut self, event: GroupEvent) -> SessionStep {
        // who has not begun has nothing to give up
        if self.begun.is_some() {
            self.events.push(event);
        }
        self.mine = None;
        self.begun = None;
        SessionStep::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::member::{Asked, Scripted};
    use crate::wait::Interrupt;

    fn limit() -> Limit {
        Limit::new(Duration::from_secs(60), &Interrupt::default())
    }

    fn bootstrap(of: &Scripted) -> [Endpoint; 1] {
        [of.endpoint.clone()]
    }

    /// A member of a group whose topic has two partitions, and which reads them from 5 and 6 on.
    fn reading(scripted: &Scripted) -> GroupSession {
        let mut session = GroupSession::open(&bootstrap(scripted), "g", "t", &limit()).unwrap();
        assert_eq!(begin(&mut session), [0, 1]);
        let positions = [(0, 5), (1, 6)].map(|(partition, next)| Position {
            partition,
            next,
            end: None,
        });
        session.begun(&positions, 2);
        session
    }

    fn begin(session: &mut GroupSession) -> Vec<i32> {
        let limit = limit();
        loop {
            limit.check(|| "no partitions".to_owned()).unwrap();
            if let SessionStep::Begin(partitions) = session.poll(&limit).unwrap() {
                return partitions;
            }
        }
    }

    fn two() -> Scripted {
        Scripted::start(2)
    }

    fn commit(session: &mut GroupSession, scripted: &Scripted) -> Result<(), KafkaError> {
        let mut cluster = Cluster::connect(&bootstrap(scripted), &limit()).unwrap();
        let offsets = Offsets::from([(("t".to_owned(), 0), 7)]);
        session.commit(&mut cluster, &offsets, &limit())
    }

    #[test]
    fn a_member_reads_what_it_was_given_and_commits_by_name() {
        let scripted = two();
        let mut session = reading(&scripted);
        let places = BTreeMap::from([(0, 5), (1, 6)]);
        assert_eq!(session.events(), [GroupEvent::Assigned { places, of: 2 }]);
        assert!(session.is_settled() && session.has(1) && !session.has(2));
        assert!(matches!(session.poll(&limit()), Ok(SessionStep::Read)));
        commit(&mut session, &scripted).unwrap();
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
        let mut session = reading(&scripted);
        session.events();
        // no partition's own fault: the member stays
        scripted.broker.refuse("OffsetCommit", &[12]);
        assert!(commit(&mut session, &scripted).is_err());
        assert!(session.has(0) && session.events().is_empty());

        scripted.broker.refuse("OffsetCommit", &[25]);
        assert!(commit(&mut session, &scripted).is_err());
        assert_eq!(session.events(), [GroupEvent::Lost]);
        assert!(!session.has(0) && !session.is_settled());
        let heard = scripted.script().heard.len();
        assert!(commit(&mut session, &scripted).is_err(), "it has no say");
        assert_eq!(scripted.script().heard.len(), heard, "nobody was asked");
        assert_eq!(begin(&mut session), [0, 1]);
    }

    #[test]
    fn who_has_not_begun_has_nothing_to_give_up() {
        let scripted = two();
        let mut session = GroupSession::open(&bootstrap(&scripted), "g", "t", &limit()).unwrap();
        begin(&mut session);
        assert!(!session.is_settled());
        scripted.broker.refuse("Heartbeat", &[27]);
        let limit = limit();
        while !session.is_rebalancing() {
            limit.check(String::new).unwrap();
        }
        assert!(matches!(session.poll(&limit), Ok(SessionStep::Wait)));
        assert_eq!(session.events(), []);
        assert_eq!(begin(&mut session), [0, 1]);
    }

    #[test]
    fn a_member_without_partitions_waits_for_some() {
        let scripted = Scripted::start(0);
        let mut session = GroupSession::open(&bootstrap(&scripted), "g", "t", &limit()).unwrap();
        assert_eq!(begin(&mut session), [0; 0]);
        session.begun(&[], 2);
        assert!(matches!(session.poll(&limit()), Ok(SessionStep::Wait)));
        assert!(!session.is_settled(), "it may be too soon");
    }
}
