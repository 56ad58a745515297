//! A member of a group, from joining to leaving: asks to join, shares out the partitions where it is the leader, keeps
//! its place, and rejoins whenever the group rebalances.

use super::assignor::ASSIGNORS;
use super::heartbeat::{Heartbeat, HeartbeatAnswer};
use super::leader::Leader;
use super::state::MemberState;
use super::timing::{FIND, GET_IN, Timing, millis};
use super::verdict::Verdict;
use crate::cluster::offsets::{Committer, group_id};
use crate::cluster::{Cluster, Pending, To};
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::printable;
use crate::protocol::consumer_protocol::{read_assignment, subscription};
use crate::wait::{Limit, Stop};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::{
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::{Request, StrBytes};
use std::time::{Duration, Instant};

/// The kind of group that consumers form.
const CONSUMER: StrBytes = StrBytes::from_static_str("consumer");

/// How long one look at what the coordinator says may take.
const LOOK: Duration = Duration::from_millis(100);

/// The pause before joining again after an answer that calls for it.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Out,
    Joining(Waiting<JoinGroupRequest>),
    Syncing(Waiting<SyncGroupRequest>),
    In,
    Revoked,
}

#[derive(Debug)]
struct Waiting<R> {
    asked: Pending<R>,
    since: Instant,
}

/// A member of a group, subscribed to one topic.
#[derive(Debug)]
pub(crate) struct Membership {
    bootstrap: Vec<Endpoint>,
    cluster: Cluster,
    group: String,
    topic: String,
    timing: Timing,
    me: Committer,
    phase: Phase,
    /// Since when it has been on its way in.
    since: Instant,
    has_retried: bool,
    heartbeat: Heartbeat,
    /// Word from the coordinator that has not been acted on.
    word: Option<HeartbeatAnswer>,
    /// Where it shares out for all.
    leads: Option<Leader>,
}

impl Membership {
    /// Prepares to join; [`Membership::poll`] does it.
    pub(crate) fn new(
        bootstrap: &[Endpoint],
        group: &str,
        topic: &str,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        Self::timed(bootstrap, group, topic, Timing::default(), limit)
    }

    pub(super) fn timed(
        bootstrap: &[Endpoint],
        group: &str,
        topic: &str,
        timing: Timing,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let nobody = Committer {
            member: String::new(),
            generation: -1,
        };
        Ok(Self {
            bootstrap: bootstrap.to_vec(),
            cluster: Cluster::connect(bootstrap, limit)?,
            group: group.to_owned(),
            topic: topic.to_owned(),
            timing,
            me: nobody,
            phase: Phase::Out,
            since: Instant::now(),
            has_retried: false,
            heartbeat: Heartbeat::start(bootstrap, group, timing.heartbeat, timing.session)?,
            word: None,
            leads: None,
        })
    }

    /// Goes on one step, in a tenth of a second or less as a rule. To be called again and again, between fetches too.
    ///
    /// # Errors
    /// When no coordinator is found for a while, it does not answer, or it refuses permanently. After one that
    /// [is retriable](KafkaError::is_retriable) this can be called again.
    pub(crate) fn poll(&mut self, limit: &Limit) -> Result<MemberState, KafkaError> {
        if limit.interrupt().is_raised() {
            return Err(Stop::Interrupted.into());
        }
        match std::mem::take(&mut self.phase) {
            Phase::In => self.stay(limit),
            Phase::Revoked => {
                self.heartbeat.order(None);
                self.since = Instant::now();
                self.join(limit)
            }
            Phase::Out => {
                self.check_patience()?;
                self.join(limit)
            }
            Phase::Joining(waiting) => match self.answer(&waiting, limit) {
                Ok(Some(answer)) => self.joined(&answer, limit),
                Ok(None) => Ok(self.still(Phase::Joining(waiting))),
                Err(error) => self.retry_once(error),
            },
            Phase::Syncing(waiting) => match self.answer(&waiting, limit) {
                Ok(Some(answer)) => self.synced(&answer, limit),
                Ok(None) => Ok(self.still(Phase::Syncing(waiting))),
                Err(error) => self.retry_once(error),
            },
        }
    }

    /// Who commits, as long as it has a say.
    pub(crate) fn committer(&self) -> Option<&Committer> {
        matches!(self.phase, Phase::In | Phase::Revoked).then_some(&self.me)
    }

    /// Takes note of why a commit was refused. Whether it says that the member is none any more: it then joins again
    /// with the next poll.
    pub(crate) fn is_out(&mut self, error: &KafkaError) -> bool {
        let verdict = error.code().map(|code| Verdict::of(code.number()));
        match verdict {
            Some(verdict @ (Verdict::Left | Verdict::Unknown | Verdict::Rebalance)) => {
                self.fall_out(verdict);
                true
            }
            _ => false,
        }
    }

    /// Leaves, so that the others take over at once. Without it the coordinator notices by itself.
    pub(crate) fn leave(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        self.heartbeat.order(None);
        if self.me.member.is_empty() {
            return Ok(());
        }
        let me = MemberIdentity::default()
            .with_member_id(StrBytes::from_string(std::mem::take(&mut self.me.member)))
            .with_reason(Some(StrBytes::from_static_str("the consumer is closed")));
        let request = LeaveGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_members(vec![me]);
        if !matches!(std::mem::take(&mut self.phase), Phase::In | Phase::Revoked) {
            // a broker does not look at a connection on which a member waits to join
            self.cluster = Cluster::connect(&self.bootstrap, limit)?;
        }
        let (to, group) = (To::Coordinator(&self.group), self.group_name());
        // the connection may have died unnoticed: it was last used to join
        self.cluster.patiently(limit, |cluster, limit| {
            let answer = cluster.call(to, &request, limit)?;
            KafkaError::check(answer.error_code, || format!("let a member leave {group}"))
        })
    }

    fn stay(&mut self, limit: &Limit) -> Result<MemberState, KafkaError> {
        self.phase = Phase::In;
        self.hear();
        if let Some(word) = self.word.take() {
            if word.verdict.is_out() {
                self.fall_out(word.verdict);
                return Ok(MemberState::Lost);
            }
            if word.verdict != Verdict::Rebalance {
                return Err(word.error);
            }
            self.phase = Phase::Revoked;
        }
        let leads = self.leads.as_mut();
        if leads.is_some_and(|leader| leader.has_grown(&mut self.cluster, limit)) {
            self.phase = Phase::Revoked;
        }
        match self.phase {
            Phase::Revoked => Ok(MemberState::Revoked),
            _ => Ok(MemberState::Steady),
        }
    }

    /// Whether the coordinator has called: the next poll tells what for. Costs nothing; for callers that are slow between polls.
    pub(crate) fn is_rebalancing(&mut self) -> bool {
        if matches!(self.phase, Phase::In) {
            self.hear();
        }
        self.word.is_some()
    }

    /// Shows that the member is there, and listens. The last word counts, and none about an earlier generation.
    fn hear(&mut self) {
        self.heartbeat.keep(&self.me);
        while let Some(heard) = self.heartbeat.heard() {
            if heard.generation == self.me.generation {
                self.word = Some(heard);
            }
        }
    }

    fn fall_out(&mut self, verdict: Verdict) {
        if verdict == Verdict::Unknown {
            self.me.member.clear();
        }
        self.heartbeat.order(None);
        self.leads = None;
        self.since = Instant::now();
        self.phase = Phase::Out;
    }

    fn still(&mut self, phase: Phase) -> MemberState {
        self.phase = phase;
        MemberState::Waiting
    }

    /// An answer that does not come is no trouble the first time: the connection may have died long ago, unnoticed.
    fn retry_once(&mut self, error: KafkaError) -> Result<MemberState, KafkaError> {
        if !error.is_retriable() || std::mem::replace(&mut self.has_retried, true) {
            return Err(error);
        }
        Ok(self.still(Phase::Out))
    }

    fn group_name(&self) -> String {
        format!("group `{}`", printable::name(&self.group))
    }

    fn check_patience(&self) -> Result<(), KafkaError> {
        if self.since.elapsed() < GET_IN {
            return Ok(());
        }
        Err(KafkaError::Stopped(Stop::Deadline {
            allowed: GET_IN,
            last_seen: format!("{} is rebalancing its partitions", self.group_name()),
        }))
    }

    fn join(&mut self, limit: &Limit) -> Result<MemberState, KafkaError> {
        self.leads = None;
        let wanted = subscription(&self.topic);
        let protocols = ASSIGNORS.map(|assignor| {
            JoinGroupRequestProtocol::default()
                .with_name(StrBytes::from_static_str(assignor.name()))
                .with_metadata(wanted.clone())
        });
        let request = JoinGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_session_timeout_ms(millis(self.timing.session))
            .with_rebalance_timeout_ms(millis(self.timing.rebalance))
            .with_member_id(StrBytes::from_string(self.me.member.clone()))
            .with_protocol_type(CONSUMER)
            .with_protocols(protocols.to_vec());
        let waiting = self.ask(&request, limit)?;
        Ok(self.still(Phase::Joining(waiting)))
    }

    fn joined(
        &mut self,
        answer: &JoinGroupResponse,
        limit: &Limit,
    ) -> Result<MemberState, KafkaError> {
        let verdict = Verdict::of(answer.error_code);
        match verdict {
            Verdict::Fine => {}
            Verdict::Named => {
                self.me.member = answer.member_id.to_string();
                return Ok(self.still(Phase::Out));
            }
            other => return self.again(other, answer.error_code, limit),
        }
        self.me = Committer {
            member: answer.member_id.to_string(),
            generation: answer.generation_id,
        };
        let shares = if answer.leader == answer.member_id && !answer.skip_assignment {
            let (leader, shares) = Leader::share_out(&mut self.cluster, answer, limit)?;
            self.leads = Some(leader);
            shares
        } else {
            Vec::new()
        };
        let request = SyncGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(self.me.generation)
            .with_member_id(answer.member_id.clone())
            .with_protocol_type(Some(CONSUMER))
            .with_protocol_name(answer.protocol_name.clone())
            .with_assignments(shares);
        let waiting = self.ask(&request, limit)?;
        Ok(self.still(Phase::Syncing(waiting)))
    }

    fn synced(
        &mut self,
        answer: &SyncGroupResponse,
        limit: &Limit,
    ) -> Result<MemberState, KafkaError> {
        let verdict = Verdict::of(answer.error_code);
        if verdict != Verdict::Fine {
            return self.again(verdict, answer.error_code, limit);
        }
        let mut share =
            read_assignment(&answer.assignment).map_err(|nonsense| KafkaError::Garbled {
                address: self.cluster.address(),
                cause: format!("the partitions of {}: {nonsense}", self.group_name()),
            })?;
        self.phase = Phase::In;
        self.word = None;
        self.has_retried = false;
        self.heartbeat.order(Some(&self.me));
        let mine = share.remove(&self.topic).unwrap_or_default();
        Ok(MemberState::Assigned(mine.into_iter().collect()))
    }

    /// The answer was an error: joins again if that may help.
    fn again(
        &mut self,
        verdict: Verdict,
        code: i16,
        limit: &Limit,
    ) -> Result<MemberState, KafkaError> {
        match verdict {
            Verdict::Refused => {
                KafkaError::check(code, || format!("let a member into {}", self.group_name()))?;
            }
            Verdict::Unknown => self.me.member.clear(),
            Verdict::Later => self.cluster.forget(),
            _ => {}
        }
        limit.pause(PAUSE)?;
        Ok(self.still(Phase::Out))
    }

    fn ask<R: Request>(&mut self, request: &R, limit: &Limit) -> Result<Waiting<R>, KafkaError> {
        let to = To::Coordinator(&self.group);
        let asked = self
            .cluster
            .patiently(&limit.at_most(FIND), |cluster, limit| {
                cluster.ask(to, request, limit)
            });
        // how long a broker may be away is the caller's to say
        let asked = asked.inspect_err(|_| self.since = Instant::now())?;
        Ok(Waiting {
            asked,
            since: Instant::now(),
        })
    }

    /// The answer, if it comes in a moment: the coordinator keeps it back until all members have joined.
    fn answer<R: Request>(
        &mut self,
        waiting: &Waiting<R>,
        limit: &Limit,
    ) -> Result<Option<R::Response>, KafkaError> {
        let look = limit.at_most(LOOK);
        while !self.cluster.is_answered(&waiting.asked) {
            let patience = self.timing.rebalance + self.timing.session;
            if waiting.since.elapsed() > patience {
                let address = self.cluster.address();
                self.cluster = Cluster::connect(&self.bootstrap, limit)?;
                return Err(KafkaError::Silent {
                    address,
                    waited: patience,
                });
            }
            match self.cluster.wait_for_any(&[&waiting.asked], &look) {
                Err(Stop::Deadline { .. }) => return Ok(None),
                other => other?,
            }
        }
        let answer = self.cluster.answer(&waiting.asked, limit);
        answer.map(Some).inspect_err(|_| self.cluster.forget())
    }
}

#[cfg(test)]
mod tests;
