//! The status of a lab as plain values. As JSON, fields keep their names and meanings; new ones may come.

use crate::core::judge::culprit::Culprit;
use crate::core::judge::health::{CanaryStatus, FlowState};
use crate::core::judge::lag::{FlowLag, LastKnown, Past, Stall, TopicState};
use crate::core::judge::link::LinkStatus;
use crate::core::lab::State;
use crate::core::lab::drill::DrillStatus;
use crate::core::topology::{Access, Proof};
use serde::Serialize;
use std::path::PathBuf;

/// A whole lab.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The lab's name.
    pub lab: String,
    /// Whether everything below is.
    pub healthy: bool,
    /// Its containers in one word.
    pub state: State,
    /// Where its files were written, if that is known.
    pub directory: Option<PathBuf>,
    /// In the order of their services' names.
    pub containers: Vec<ContainerStatus>,
    /// In the order of the spec.
    pub clusters: Vec<ClusterStatus>,
    /// In the order of the spec.
    pub flows: Vec<FlowStatus>,
    /// The drill that was not taken back.
    pub drill: Option<DrillStatus>,
}

/// One container, or the want of it.
#[derive(Debug, Clone, Serialize)]
pub struct ContainerStatus {
    /// Compose service.
    pub service: String,
    /// Its name, unless it is missing.
    pub name: Option<String>,
    /// Docker's word for it (`running`, `exited`, …), or `missing`.
    pub state: String,
    /// Whether it runs.
    pub healthy: bool,
    /// Since when it is in this state: RFC 3339, UTC.
    pub since: Option<String>,
    /// What happened, when it is not healthy.
    pub problem: Option<String>,
    /// Memory that it uses, such as `201.3MiB`; only where it was asked for.
    pub memory: Option<String>,
}

/// One cluster.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterStatus {
    /// Its name.
    pub name: String,
    /// Whether all its brokers answer.
    pub healthy: bool,
    /// Whether some do not, and the others do all their work: each partition is led, and has as many replicas in sync as
    /// it takes to write to it.
    pub degraded: bool,
    /// Brokers that answer.
    pub brokers_up: usize,
    /// Brokers that it should have; of a cluster that was there before the lab, those that it has.
    pub brokers: usize,
    /// Whether it was there before the lab.
    pub existing: bool,
    /// Whether kmk's own clients are let in.
    pub access: Access,
    /// Topics that people made or MirrorMaker copied; none when it cannot be reached.
    pub topics: Option<usize>,
    /// Addresses on this machine, as `bootstrap.servers` takes them.
    pub bootstrap: String,
    /// Which clients move plain records; none when it cannot be reached.
    pub clients: Option<Clients>,
    /// Why it is not healthy.
    pub problem: Option<String>,
}

/// Which client moves plain records, `kafka` (the crate) or `wire` (our own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clients {
    /// For what `produce` writes.
    pub produce: &'static str,
    /// For what `consume` reads.
    pub consume: &'static str,
}

/// One flow.
#[derive(Debug, Clone, Serialize)]
pub struct FlowStatus {
    /// `source->target`.
    pub name: String,
    /// How it is known to replicate when it is deployed.
    pub proof: Proof,
    /// Cluster that is read.
    pub source: String,
    /// Cluster that is written.
    pub target: String,
    /// Whether MirrorMaker runs, all its parts run, it reaches both clusters, a canary crosses, and no record is known to be
    /// lost.
    pub healthy: bool,
    /// The same in one word, and whether it goes on all the same.
    pub state: FlowState,
    /// What happened to the canary that was sent through it for this look; none where none may be sent, and none where
    /// nothing is to carry it.
    pub canary: Option<CanaryStatus>,
    /// Milliseconds since MirrorMaker's last sign of life on the target, by its clock and this machine's; none where it was
    /// not looked for, as where a canary crossed.
    pub heartbeat_age_ms: Option<u64>,
    /// Whether none of its MirrorMakers runs: what their parts say is then what they said last.
    pub down: bool,
    /// The states of MirrorMaker's connectors and tasks, as it reports them itself.
    #[serde(rename = "connectors")]
    pub parts: Vec<ConnectorStatus>,
    /// Topics that are copied, in order.
    pub topics: Vec<TopicStatus>,
    /// Records of all topics behind MirrorMaker's committed positions; none when that cannot be known.
    pub behind: Option<u64>,
    /// Age of the oldest of them, in seconds; 0 when there are none, and none when no such record tells its time.
    pub seconds_behind: Option<f64>,
    /// Records at most that were copied, are not on the target, and will not be copied again.
    pub lost: u64,
    /// Records at most that the source dropped before they were mirrored, as far as that is still to be seen.
    pub never_copied: u64,
    /// Where it cannot be known, and whoever looks has looked before: what was known then.
    pub last_known: Option<LastKnown>,
    /// Where it cannot be known: seconds since MirrorMaker last committed a position, as far as the target tells.
    pub position_age_seconds: Option<f64>,
    /// The same in detail, partition by partition; as JSON, `kmk lag` has it.
    #[serde(skip)]
    pub lag: Option<FlowLag>,
    /// Topics in which records wait while MirrorMaker's position does not advance.
    pub stalled: Vec<Stall>,
    /// Topics that keep records from being copied, looked for where some are stalled.
    pub culprits: Vec<Culprit>,
    /// Why MirrorMaker has ended, where its container runs all the same.
    pub ended: Option<String>,
    /// Whether MirrorMaker is on the network of the source, and whether `kmk link cut` took it off.
    pub link: LinkStatus,
    /// Why it is not healthy.
    pub problems: Vec<String>,
    /// Of these, what is only unknown.
    #[serde(rename = "uncertain")]
    pub doubts: Vec<String>,
}

impl Status {
    /// Whether everything goes on, with fewer brokers or MirrorMakers than there should be, or slowly.
    pub fn is_degraded(&self) -> bool {
        let mut flows = self.flows.iter();
        let mut clusters = self.clusters.iter();
        !self.healthy
            && clusters
                .clone()
                .all(|cluster| cluster.healthy || cluster.degraded)
            && flows.clone().all(|flow| flow.state != FlowState::Unhealthy)
            && (flows.any(|flow| flow.state == FlowState::Degraded)
                || clusters.any(|cluster| cluster.degraded))
    }

    /// Whether nothing is known to be wrong, and it is not known that all is well.
    pub fn is_unknown(&self) -> bool {
        let is_unknown = |flow: &FlowStatus| {
            flow.state == FlowState::Running && flow.problems.len() == flow.doubts.len()
        };
        !self.healthy
            && self.containers.iter().all(|container| container.healthy)
            && self.clusters.iter().all(|cluster| cluster.healthy)
            && self.flows.iter().all(is_unknown)
    }
}

/// A connector of MirrorMaker, or a task of one.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectorStatus {
    /// Such as `MirrorSourceConnector`.
    pub connector: String,
    /// Number of the task; none for the connector itself.
    pub task: Option<u32>,
    /// `RUNNING`, `FAILED`, `UNASSIGNED`, …
    pub state: String,
    /// The service that has it, where several share the work.
    pub worker: Option<String>,
    /// Of a failure.
    pub cause: Option<String>,
    /// How it failed a moment ago, whatever its state is now: what fails whenever it is started is seldom seen failed.
    pub recent_failure: Option<RecentFailure>,
}

/// A failure of a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecentFailure {
    /// How many milliseconds ago.
    pub millis: u64,
    /// The last cause of its trace.
    pub cause: String,
}

/// A topic that is copied.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicStatus {
    /// On the source.
    pub source: String,
    /// On the target.
    pub remote: String,
    /// Of the source topic.
    pub partitions: usize,
    /// Whether its copy is there.
    pub state: TopicState,
    /// Records behind MirrorMaker's committed position. It commits about ten times a second.
    pub behind: u64,
    /// As of the flow.
    pub seconds_behind: Option<f64>,
    /// As of the flow.
    pub lost: u64,
    /// As of the flow.
    pub never_copied: u64,
    /// Whether each of these was a record.
    #[serde(rename = "never_copied_exact")]
    pub is_never_copied_exact: bool,
    /// Offsets of which the same is unknown: those of transactions may hold no record.
    pub possibly_never_copied: u64,
    /// As [`TopicLag::doubtful`](crate::core::judge::lag::TopicLag::doubtful).
    #[serde(skip)]
    pub doubtful: u64,
    /// Whether MirrorMaker's position is beyond the end of the topic.
    pub recreated: bool,
    /// What happened to it between two looks, and is still to be told.
    #[serde(rename = "between_looks")]
    pub past: Option<Past>,
}
