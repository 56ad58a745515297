//! Accounts for every record: sends numbered records into the sources of flows while the targets are read.

mod ending;
mod reader;
mod refusal;
mod report;
mod route;
mod run;
mod sender;
mod topic_setup;
mod topic_snapshot;
mod watch;

pub use refusal::Refusal;
pub use report::{
    FlowReport, Incident, SkippedFlow, SourceReport, TimedIncident, VerifyEnd, VerifyReport,
};
pub use topic_snapshot::Times;

use crate::core::event::Observer;
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::lock::{Lock, LockError};
use crate::core::topology::Topology;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::{Interrupt, Limit, span};
use run::Run;
pub(in crate::core::lab) use run::{Clock, locked, spawned};
pub(in crate::core::lab) use sender::{due, most};
use std::time::Duration;
pub(in crate::core::lab) use topic_setup::look;

/// What to verify, and how.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The flows, by name (`source->target`); none for all that take the topic.
    pub flows: Vec<String>,
    /// A topic of the sources that is written into as it is; none for kmk's own, which is made, and emptied afterwards.
    pub topic: Option<String>,
    /// How many partitions of kmk's own topic are written into.
    pub partitions: i32,
    /// How much goes into each source.
    pub amount: Amount,
    /// How many records a second at most, into each source.
    pub rate: Option<u64>,
    /// Of each record, in bytes, at least [`MIN_STAMPED`](crate::core::judge::ledger::MIN_STAMPED).
    pub size: usize,
    /// How long to wait once all is sent and no more records arrive; how long a source may acknowledge nothing; and how
    /// long a flow may take to show the topic on its target.
    pub timeout: Duration,
    /// What becomes of the records in kmk's own topic.
    pub afterwards: Afterwards,
    /// Whether nothing may come more than once: then it is waited until nothing can any more.
    pub guarantee: Guarantee,
}

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// This many records.
    Records(u64),
    /// As many as fit into a time.
    Time(Duration),
}

/// What becomes of the records when they have been accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// They are removed on both sides.
    Remove,
    /// They stay.
    Keep,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Since the run began.
    pub elapsed: Duration,
    /// Records sent into all sources.
    pub sent: u64,
    /// Those of them that are acknowledged.
    pub acknowledged: u64,
    /// Each flow's name, and how many of the records arrived through it.
    pub arrived: Vec<(String, u64)>,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// What was asked for makes no sense.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source has no such topic.
    #[error("there is no topic `{topic}` on {cluster}")]
    NoTopic {
        /// Its name.
        topic: String,
        /// The source.
        cluster: String,
        /// The topics that are there, those of like name first.
        topics: Vec<String>,
    },
    /// Another run sends into kmk's own topic, and would be robbed of its records by this one.
    #[error("`{topic}` on {cluster} is in use by {holder}")]
    Busy {
        /// Its name.
        topic: String,
        /// The source.
        cluster: String,
        /// Who that is, such as "kmk verify (process 4711)".
        holder: String,
    },
    /// Whether another run does so cannot be found out.
    #[error(transparent)]
    Lock(LockError),
    /// A flow did not mirror the topic to its target.
    #[error(transparent)]
    NotShown(Box<NotShown>),
    /// A broker does not do what it is asked.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The operating system allows no further thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

/// A flow did not mirror a topic to its target.
#[derive(Debug, thiserror::Error)]
#[error(
    "flow {flow} does not mirror topic `{topic}` to {target}: after {} `{remote}` is {seen}",
    span(*.waited)
)]
pub struct NotShown {
    /// The flow's name.
    pub flow: String,
    /// The topic on the source.
    pub topic: String,
    /// The target.
    pub target: String,
    /// What the topic should be called there.
    pub remote: String,
    /// What was last seen of it: `missing`, or what is wrong with it.
    pub seen: String,
    /// How long it was waited for.
    pub waited: Duration,
}

/// Sends records, reads what the flows make of them, and sets one against the other. Steps are told to `observer`, how
/// far it has come to `progress`.
///
/// # Errors
/// [`VerifyError`] as long as nothing was sent. From then on whatever happens is in the report.
pub fn verify(
    topology: &Topology,
    what: &Verify,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    progress: &mut dyn FnMut(&Progress),
) -> Result<VerifyReport, VerifyError> {
    let limit = Limit::new(what.timeout, interrupt);
    let (mut routes, left_out) = route::routes(topology, what, &limit)?;
    let mut locks: Vec<Option<Lock>> = Vec::new();
    for route in &mut routes {
        locks.push(topic_setup::prepare(
            route,
            what,
            &limit.restarted(),
            observer,
        )?);
    }
    let done = Run::open(&routes, what, interrupt)?.until_the_end(progress)?;
    if what.topic.is_none() && what.afterwards == Afterwards::Remove {
        topic_setup::clear(&routes, &done, observer);
    }
    drop(locks);
    Ok(report::report(&routes, done, left_out))
}
