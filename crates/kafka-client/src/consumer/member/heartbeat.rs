//! A member's heartbeats, from a thread and a connection of their own.
//!
//! A thread, because the one that takes the records may be slow: were heartbeats sent between fetches only, a member whose
//! sink takes longer than the session timeout over one fetch would lose its partitions, read the same records again,
//! lose them again, and never get on (what KIP-62 healed in Java). A member that does nothing at all for [`IDLE`] falls
//! silent, and the others take over.

use super::verdict::Verdict;
use crate::cluster::offsets::{Committer, group_id};
use crate::cluster::{Cluster, To};
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::printable;
use crate::wait::{Interrupt, Limit, Stop};
use kafka_protocol::messages::HeartbeatRequest;
use kafka_protocol::protocol::StrBytes;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// How long a member may do nothing: Java's default (`max.poll.interval.ms`).
const IDLE: Duration = Duration::from_secs(300);

/// How soon a heartbeat that did not get through is sent again.
const AGAIN: Duration = Duration::from_millis(200);

/// How often the thread is told that the member is still there.
const TELL: Duration = Duration::from_secs(1);

/// Word from the coordinator that was not simply well.
#[derive(Debug)]
pub(super) struct HeartbeatAnswer {
    /// The generation that the heartbeat was sent for.
    pub(super) generation: i32,
    pub(super) verdict: Verdict,
    /// The answer as an error.
    pub(super) error: KafkaError,
}

/// A member's heartbeats; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Heartbeat {
    members: Sender<Option<Committer>>,
    heard: Receiver<HeartbeatAnswer>,
    told: Instant,
    end: Interrupt,
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.end.raise();
    }
}

impl Heartbeat {
    /// Starts the thread; it sends nothing yet. A heartbeat is sent `every` so often and may take as long as `patience`.
    pub(super) fn start(
        bootstrap: &[Endpoint],
        group: &str,
        every: Duration,
        patience: Duration,
    ) -> Result<Self, KafkaError> {
        let (members, orders) = mpsc::channel();
        let (tell, heard) = mpsc::channel();
        let end = Interrupt::default();
        let thread = HeartbeatThread {
            bootstrap: bootstrap.to_vec(),
            cluster: None,
            group: group.to_owned(),
            every,
            patience,
            end: end.clone(),
        };
        std::thread::Builder::new()
            .name("kafka-heartbeat".to_owned())
            .spawn(move || thread.run(&orders, &tell))
            .map_err(|error| KafkaError::Lost {
                address: format!("(group {})", printable::name(group)),
                cause: format!("no thread for heartbeats: {error}"),
            })?;
        Ok(Self {
            members,
            heard,
            told: Instant::now(),
            end,
        })
    }

    /// From now on heartbeats are for this member, or there are none.
    pub(super) fn order(&mut self, member: Option<&Committer>) {
        self.told = Instant::now();
        // a thread that has died is noticed by the coordinator
        let _ = self.members.send(member.cloned());
    }

    /// The member is still there.
    pub(super) fn keep(&mut self, member: &Committer) {
        if self.told.elapsed() >= TELL {
            self.order(Some(member));
        }
    }

    /// What was heard, oldest first.
    pub(super) fn heard(&self) -> Option<HeartbeatAnswer> {
        self.heard.try_recv().ok()
    }
}

/// What lives in the thread.
struct HeartbeatThread {
    bootstrap: Vec<Endpoint>,
    cluster: Option<Cluster>,
    group: String,
    every: Duration,
    patience: Duration,
    end: Interrupt,
}

impl HeartbeatThread {
    fn run(mut self, orders: &Receiver<Option<Committer>>, tell: &Sender<HeartbeatAnswer>) {
        let mut member: Option<Committer> = None;
        let mut ordered = Instant::now();
        let mut due = Instant::now();
        loop {
            let until_due = due.saturating_duration_since(Instant::now());
            let until_due = member.as_ref().map_or(Duration::MAX, |_| until_due);
            match Limit::new(until_due, &self.end).receive(orders) {
                Ok(Some(order)) => {
                    ordered = Instant::now();
                    if order != member {
                        due = ordered + self.every;
                        member = order;
                    }
                }
                Ok(None) | Err(Stop::Interrupted) => return,
                Err(Stop::Deadline { .. }) => {
                    let Some(mine) = member.as_ref().filter(|_| ordered.elapsed() < IDLE) else {
                        member = None;
                        continue;
                    };
                    due = Instant::now() + self.every;
                    let Err(error) = self.beat(mine) else {
                        continue;
                    };
                    let code = error.code().map(|code| Verdict::of(code.number()));
                    let verdict = code.unwrap_or(Verdict::Refused);
                    if error.is_retriable() {
                        if let Some(cluster) = &mut self.cluster {
                            cluster.forget();
                        }
                        due = Instant::now() + AGAIN.min(self.every);
                        continue;
                    }
                    let generation = mine.generation;
                    // while the others wait for this member to join again it is still one of them
                    if verdict != Verdict::Rebalance {
                        member = None;
                    }
                    let _ = tell.send(HeartbeatAnswer {
                        generation,
                        verdict,
                        error,
                    });
                }
            }
        }
    }

    fn beat(&mut self, member: &Committer) -> Result<(), KafkaError> {
        let limit = Limit::new(self.patience, &self.end);
        let cluster = match &mut self.cluster {
            Some(cluster) => cluster,
            none => none.insert(Cluster::connect(&self.bootstrap, &limit)?),
        };
        let request = HeartbeatRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(member.generation)
            .with_member_id(StrBytes::from_string(member.member.clone()));
        let answer = cluster.call(To::Coordinator(&self.group), &request, &limit)?;
        let doing = || format!("keep a member in group `{}`", printable::name(&self.group));
        KafkaError::check(answer.error_code, doing)
    }
}
