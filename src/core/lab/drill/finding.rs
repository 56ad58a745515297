//! What keeps a failover from being drilled.

use crate::core::mirrormaker::patterns::Selection;
use std::fmt;

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unfit(pub Vec<Finding>);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

/// One thing that keeps a failover from being drilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The lab has no flow.
    #[error("the lab has no flow")]
    NoFlows,
    /// It has several, and none was named.
    #[error("the lab has {} flows: {}", .0.len(), .0.join(", "))]
    WhichFlow(Vec<String>),
    /// It has none of that name.
    #[error("there is no flow `{name}`")]
    NoFlow {
        /// What was asked for.
        name: String,
        /// The flows there are.
        known: Vec<String>,
    },
    /// A cluster that is no part of the lab may not be killed, nor drilled on.
    #[error(
        "{cluster} is an existing cluster: kmk writes no drill topics to it and kills nothing of it"
    )]
    Existing {
        /// Its name.
        cluster: String,
    },
    /// The flow leaves the drill's topic out.
    #[error("flow {flow} does not replicate topic `{topic}`{}", because(.selection))]
    NotReplicated {
        /// The flow.
        flow: String,
        /// The topic.
        topic: String,
        /// Why.
        selection: Selection,
    },
    /// MirrorMaker does not sync the groups of the drill.
    #[error("flow {flow} does not sync consumer groups such as `{group}`: {why}")]
    GroupsNotSynced {
        /// The flow.
        flow: String,
        /// A group of the drill.
        group: String,
        /// Why.
        why: &'static str,
    },
    /// What is to be observed is not there.
    #[error("cluster {cluster} does not have {what}")]
    NotThere {
        /// What.
        what: String,
        /// The cluster.
        cluster: String,
    },
    /// Producers of the target itself use the name.
    #[error(
        "topic `{topic}` on {cluster} is written to already: that its producers have switched could not be seen"
    )]
    WrittenAlready {
        /// The topic.
        topic: String,
        /// The target.
        cluster: String,
    },
    /// The way back runs under the same names: what is written after the switch would be copied in circles.
    #[error("flow {back} runs in the other direction under the same topic names")]
    Circle {
        /// The flow back.
        back: String,
    },
    /// Only relays keep connections open.
    #[error("flow {flow} has no relay, which could keep connections open while nothing passes")]
    NoRelay {
        /// The flow.
        flow: String,
    },
    /// Failing back by prefix needs flows that prefix.
    #[error(
        "flow {flow} keeps topic names, and only flows with prefixed names can be failed back by prefix"
    )]
    NotPrefixed {
        /// The flow.
        flow: String,
        /// Whether it was failed over as planned.
        is_planned: bool,
    },
    /// Only a topic that has the same name on both sides has records after a watermark.
    #[error(
        "flow {flow} prefixes topic names, and only flows that keep them can be failed back by watermark"
    )]
    Prefixed {
        /// The flow.
        flow: String,
    },
    /// The stranded records would be on the target twice.
    #[error("stranded records cannot be replayed: {flow} mirrors them itself when it starts again")]
    ReadAgain {
        /// The flow.
        flow: String,
    },
    /// An older kmk has failed over.
    #[error(
        "an older kmk failed over along {flow}: where the target's topic ended then is not known"
    )]
    NoWatermark {
        /// The flow.
        flow: String,
    },
    /// The old side has records that the new one does not have.
    #[error(
        "{source_cluster} has records that never reached {target}, and Kafka cannot remove the end of a log: {}", places.join(", ")
    )]
    Stranded {
        /// The old side.
        source_cluster: String,
        /// The new side.
        target: String,
        /// Partitions with their offsets, such as `orders-0 (7..9)`.
        places: Vec<String>,
    },
    /// The flow back cannot be added.
    #[error("the flow back cannot be added: {what}")]
    NoWayBack {
        /// Why.
        what: String,
    },
    /// So few records come that a pause looks like a failure.
    #[error("at {rate} records per second, a pause of {} is no sign of a failure", kmk_kafka::wait::seconds(*.detect))]
    TooFewToDetect {
        /// Records a second.
        rate: u64,
        /// What was asked.
        detect: std::time::Duration,
    },
    /// Its MirrorMaker delivers at least once.
    #[error("MirrorMaker of flow {flow} has no exactly-once support")]
    NotOnce {
        /// The flow.
        flow: String,
    },
    /// Only relays delay what passes.
    #[error("flow {flow} has no relay that could make its link slow")]
    NeverSlow {
        /// The flow.
        flow: String,
    },
    /// With one of its brokers dead, a cluster would have no leader.
    #[error("{cluster} has {brokers} broker{}, and this drill kills one: it needs {needed}", if *.brokers == 1 { "" } else { "s" })]
    FewBrokers {
        /// Its name.
        cluster: String,
        /// The brokers that it has.
        brokers: usize,
        /// The brokers that the drill needs.
        needed: usize,
    },
    /// A fault leaves records behind, and a log cannot be cut.
    #[error(
        "--by watermark fits only a planned failover: after a fault, records may be on the source only"
    )]
    NotPlanned,
    /// What is observed is not the drill's own.
    #[error(
        "the failover of {flow} was around producers and consumers of your own: kmk cannot move them back"
    )]
    Observed {
        /// The flow.
        flow: String,
    },
    /// An earlier drill has left its traces.
    #[error("an earlier drill of flow {flow} has not been taken back")]
    Unfinished {
        /// Its flow.
        flow: String,
    },
    /// Nothing runs.
    #[error("lab `{lab}` is stopped")]
    Stopped {
        /// The lab.
        lab: String,
    },
    /// A cluster of the flow is not healthy.
    #[error("cluster {cluster} is not healthy: {why}")]
    ClusterNotHealthy {
        /// Its name.
        cluster: String,
        /// What is wrong.
        why: String,
    },
    /// Records do not cross.
    #[error("flow {flow} is not healthy: {why}")]
    FlowNotHealthy {
        /// The flow.
        flow: String,
        /// What is wrong.
        why: String,
    },
}

impl Finding {
    /// Whether it is the lab's health, rather than what was asked, that does not allow it.
    pub fn is_health(&self) -> bool {
        matches!(
            self,
            Self::Stopped { .. } | Self::ClusterNotHealthy { .. } | Self::FlowNotHealthy { .. }
        )
    }

    /// Whether a cluster cannot be asked, or is not to be.
    pub(super) fn is_of_cluster(&self) -> bool {
        matches!(
            self,
            Self::Existing { .. }
                | Self::Unfinished { .. }
                | Self::Stopped { .. }
                | Self::ClusterNotHealthy { .. }
        )
    }
}

fn because(selection: &Selection) -> String {
    match selection {
        Selection::Excluded(pattern) => format!(": it matches `{pattern}`, which is excluded"),
        Selection::NotListed => ": none of its patterns matches".to_owned(),
        Selection::NameTooLong(length) => {
            format!(": the name of the mirrored topic would have {length} characters")
        }
        _ => String::new(),
    }
}
