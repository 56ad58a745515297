//! The result of a run. As JSON, fields keep their names and meanings; new ones may come.

use super::route::Route;
use super::run::{RouteResult, RunResult};
use super::sender::SendEnd;
use super::topic_snapshot::Times;
use crate::core::judge::ledger::{Account, Guarantee};
use kmk_kafka::KafkaError;
use serde::Serialize;
use std::time::Duration;

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct VerifyReport {
    /// How it ended.
    pub end: VerifyEnd,
    /// How long it took from the first record to the last look.
    pub seconds: f64,
    /// What was sent.
    pub sources: Vec<SourceReport>,
    /// The outcome, flow by flow.
    pub flows: Vec<FlowReport>,
    /// Flows that were left out of all, as they do not take the topic.
    pub left_out: Vec<SkippedFlow>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyEnd {
    /// Every record was acknowledged and had arrived.
    Complete,
    /// Time was up: records are missing; or a source had been given up.
    Deadline,
    /// The person interrupted.
    Interrupted,
}

/// What was sent into one source.
#[derive(Debug, Serialize)]
pub struct SourceReport {
    /// The source.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// How many partitions were written into, from 0 on.
    pub partitions: i32,
    /// Records sent.
    pub sent: u64,
    /// Those of them that were acknowledged.
    pub acknowledged: u64,
    /// From the first record to the last acknowledgement, or until it was given up.
    pub seconds: f64,
    /// Acknowledged records a second; none of a run that was too short to say.
    pub records_per_second: Option<f64>,
    /// Why it was given up, if it was.
    pub gave_up: Option<String>,
    /// The same as an error.
    #[serde(skip)]
    pub error: Option<KafkaError>,
}

/// What happened to the records through one flow.
#[derive(Debug, Serialize)]
pub struct FlowReport {
    /// Its name.
    pub flow: String,
    /// The topic on the source.
    pub topic: String,
    /// The target.
    pub target: String,
    /// The topic there.
    pub remote_topic: String,
    /// From the first record sent to the last one that arrived; none where none did.
    pub seconds_to_last: Option<f64>,
    /// Records that arrived in that time, a second.
    pub records_per_second: Option<f64>,
    /// The account of all records.
    pub account: Account,
    /// What else was seen on the target, in order; the first hundred.
    pub incidents: Vec<TimedIncident>,
    /// Whose times the records carry there.
    #[serde(rename = "timestamps")]
    pub times: Times,
    /// What could not be seen in the end, so that nothing is proven; none as a rule.
    pub unknown: Option<String>,
}

/// A flow that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedFlow {
    /// Its name.
    pub flow: String,
    /// Why.
    pub why: String,
}

/// Something that was seen, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimedIncident {
    /// In seconds since the run began.
    pub at_seconds: f64,
    /// What it was.
    #[serde(flatten)]
    pub what: Incident,
}

/// Something that happened to a topic on its target, or to the broker that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "incident", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Incident {
    /// The topic no longer exists.
    TopicGone,
    /// The topic was deleted and recreated; it is read from its beginning.
    TopicRecreated,
    /// A partition does not hold the offset that was to be read next.
    OffsetOutOfRange {
        /// Which partition.
        partition: i32,
        /// The offset that was to be read.
        from: i64,
        /// The one that is read instead: what is between them is gone.
        to: i64,
    },
    /// A partition was added, and is read too.
    PartitionAdded {
        /// Which.
        partition: i32,
    },
    /// The broker does not answer.
    NotAnswering,
    /// What is there cannot be read.
    Unreadable {
        /// Why not.
        error: String,
    },
}

impl VerifyReport {
    /// Whether every record was accounted for: all sent, all acknowledged, and every one of them arrived as it should.
    pub fn is_sound(&self, guarantee: Guarantee) -> bool {
        self.end == VerifyEnd::Complete
            && self.sources.iter().all(|source| source.gave_up.is_none())
            && self
                .flows
                .iter()
                .all(|flow| flow.account.is_sound(guarantee) && flow.unknown.is_none())
    }
}

/// All of it, in the order of the routes.
pub(super) fn report(
    routes: &[Route],
    done: RunResult,
    left_out: Vec<SkippedFlow>,
) -> VerifyReport {
    let mut report = VerifyReport {
        end: done.end,
        seconds: done.elapsed.as_secs_f64(),
        sources: Vec::new(),
        flows: Vec::new(),
        left_out,
    };
    for (route, done) in routes.iter().zip(done.routes) {
        add(&mut report, route, done);
    }
    report
}

fn add(report: &mut VerifyReport, route: &Route, done: RouteResult) {
    let error = match done.end {
        SendEnd::GaveUp(error) => Some(error),
        SendEnd::Complete | SendEnd::Interrupted => None,
    };
    report.sources.push(SourceReport {
        cluster: route.cluster.clone(),
        topic: route.topic.clone(),
        partitions: route.partitions,
        sent: done.sent,
        acknowledged: done.acknowledged,
        seconds: done.took.as_secs_f64(),
        records_per_second: speed(done.acknowledged, done.took),
        gave_up: error.as_ref().map(ToString::to_string),
        error,
    });
    for (target, done) in route.targets.iter().zip(done.targets) {
        let last = done.account.last_arrival.map(Duration::from_micros);
        report.flows.push(FlowReport {
            flow: target.flow.clone(),
            topic: route.topic.clone(),
            target: target.cluster.clone(),
            remote_topic: target.remote.clone(),
            seconds_to_last: last.map(|last| last.as_secs_f64()),
            records_per_second: last.and_then(|last| speed(done.account.arrived, last)),
            account: done.account,
            incidents: done.seen.incidents,
            times: done.seen.times,
            unknown: done.seen.unknown,
        });
    }
}

/// A rate of a few records in a few milliseconds says nothing.
fn speed(records: u64, time: Duration) -> Option<f64> {
    const SHORT: Duration = Duration::from_millis(100);
    #[allow(clippy::cast_precision_loss, reason = "a rate is never exact")]
    (time >= SHORT).then(|| records as f64 / time.as_secs_f64())
}
