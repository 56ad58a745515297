//! What can be wrong with a spec, as facts.

use super::part::{Part, Subject};
use super::{Fault, Instead, MAX_BROKERS, MAX_HEAP_MIB, MAX_NAME, MIN_HEAP_MIB, MIN_PORT};
use std::net::IpAddr;

/// A problem, and what of the spec it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which part of the lab.
    pub subject: Subject,
    /// Which of its fields.
    pub part: Part,
    /// What is wrong.
    pub problem: Problem,
}

/// One thing that is wrong with a [`Spec`](super::Spec).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Docker or Kafka would refuse the name.
    #[error(
        "{kind} name `{name}` must be lower-case letters, digits and `-`, begin and end with a letter or digit, and have at most {MAX_NAME} characters"
    )]
    Name {
        /// "lab" or "cluster".
        kind: &'static str,
        /// As given.
        name: String,
    },
    /// Names of MirrorMaker's own services.
    #[error(
        "cluster name `{0}` is reserved: names that begin with `mm2-` are MirrorMaker's services"
    )]
    ReservedName(String),
    /// A cluster listed twice.
    #[error("cluster `{0}` is defined twice")]
    DuplicateCluster(String),
    /// No cluster at all.
    #[error("a lab needs at least one cluster")]
    NoClusters,
    /// A flow or a flag that names no cluster.
    #[error("there is no cluster `{name}`")]
    UnknownCluster {
        /// As given.
        name: String,
        /// The clusters there are.
        known: Vec<String>,
    },
    /// Source and target are one.
    #[error("flow {0}->{0} goes from a cluster to itself")]
    SelfFlow(String),
    /// The same source and target again.
    #[error("flow {source_cluster}->{target} is defined twice")]
    DuplicateFlow {
        /// Source.
        source_cluster: String,
        /// Target.
        target: String,
    },
    /// A flow that is to be added, and that the lab has.
    #[error("flow {source_cluster}->{target} exists already")]
    FlowExists {
        /// Source.
        source_cluster: String,
        /// Target.
        target: String,
    },
    /// Flows that MirrorMaker would let go round for ever.
    #[error(
        "flows {} form a cycle that MirrorMaker does not break: {}",
        flows.join(", "),
        match grows {
            Some(grows) => format!("each round would create more topics ({grows}), endlessly"),
            None => "every record would go round endlessly".to_owned(),
        }
    )]
    Loop {
        /// The flows, as `source->target`, in the order in which they follow each other.
        flows: Vec<String>,
        /// What a topic is called after some rounds; none where it keeps its name.
        grows: Option<String>,
    },
    /// A count of brokers, partitions or MirrorMakers out of range.
    #[error("cluster `{cluster}` cannot have {count} {what}; 1 to {max} are allowed")]
    Count {
        /// Cluster.
        cluster: String,
        /// "brokers", "partitions" or "MirrorMakers".
        what: &'static str,
        /// As given.
        count: u32,
        /// Most that is possible.
        max: u32,
    },
    /// A port below 1024, or too near the end for all brokers.
    #[error("port {port} of cluster `{cluster}` is out of range: {} to {} are allowed", MIN_PORT, u16::MAX - MAX_BROKERS)]
    Port {
        /// Cluster.
        cluster: String,
        /// As given.
        port: u16,
    },
    /// MirrorMakers beside a cluster that nothing is written to.
    #[error(
        "a number of MirrorMakers is set for cluster `{0}`, but no flow leads to it: MirrorMakers run next to their target cluster"
    )]
    NoTarget(String),
    /// One target, or all of them, are to have several numbers of MirrorMakers.
    #[error("two numbers of MirrorMakers are set for {}", whom(.0.as_deref()))]
    TwoNumbers(Option<String>),
    /// Several MirrorMakers of a Kafka in which they cannot share the work.
    #[error(
        "cluster `{cluster}` cannot have {mirrormakers} MirrorMakers: those of {image} cannot share the work, which needs Kafka 3.5 (KIP-710)"
    )]
    CannotShare {
        /// The target.
        cluster: String,
        /// As given.
        mirrormakers: usize,
        /// What they would run.
        image: String,
    },
    /// Exactly once into a cluster that nothing is written to.
    #[error(
        "`exactly_once` is set for cluster `{0}`, but no flow leads to it: it is about what MirrorMaker writes"
    )]
    NoTargetOfOnce(String),
    /// A MirrorMaker of a Kafka in which it cannot write exactly once.
    #[error(
        "MirrorMaker of cluster `{cluster}` cannot write exactly once: {image} is too old, which needs Kafka 3.5 (KIP-710)"
    )]
    NotOnce {
        /// The target.
        cluster: String,
        /// What it would run.
        image: String,
    },
    /// Two containers of the lab would have one name.
    #[error(
        "two services would be called `{service}`: one for cluster `{one}`, one for cluster `{other}`"
    )]
    ServiceTwice {
        /// The name.
        service: String,
        /// A cluster.
        one: String,
        /// Another.
        other: String,
    },
    /// A line that a relay cannot be.
    #[error("link of flow {flow}: {reason}")]
    Link {
        /// The flow, as `source->target`.
        flow: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line from a cluster whose brokers lead past any relay.
    #[error(
        "flow {flow} cannot have a link: `{cluster}` is an existing cluster, and its brokers send MirrorMaker to their own addresses (advertised.listeners), past any relay"
    )]
    LinkFromExisting {
        /// The flow, as `source->target`.
        flow: String,
        /// Its source.
        cluster: String,
    },
    /// One cluster is to have several first ports.
    #[error("two ports are set for cluster `{0}`")]
    TwoPorts(String),
    /// One cluster, or all of them, are to run several images.
    #[error("two Kafka images are set for {}", whom(.0.as_deref()))]
    TwoImages(Option<String>),
    /// Two brokers of the lab would listen on one port.
    #[error("port {port} is assigned to both `{one}` and `{other}`")]
    PortTwice {
        /// The port.
        port: u16,
        /// A cluster.
        one: String,
        /// Another.
        other: String,
    },
    /// A topic filter that Java would refuse.
    #[error("topic filter `{filter}`: {reason}")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A filter of consumer groups that Java would refuse.
    #[error("group filter `{filter}`: {reason}")]
    GroupFilter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More clusters or flows than possible.
    #[error("a lab can have at most {max} {kind}, got {count}")]
    TooMany {
        /// "clusters" or "flows".
        kind: &'static str,
        /// As given.
        count: usize,
        /// Most that is possible.
        max: usize,
    },
    /// A heap, in MiB, with which nothing starts, or which no laptop has.
    #[error("a heap of {0} MiB is out of range: {MIN_HEAP_MIB} to {MAX_HEAP_MIB} MiB are allowed")]
    Memory(u32),
    /// An address that brokers cannot advertise.
    #[error("brokers cannot advertise {address}: {why}")]
    Bind {
        /// As given.
        address: IpAddr,
        /// What it is instead.
        why: &'static str,
    },
    /// What is no name of a setting.
    #[error("`{0}` is not the name of a setting, such as log.retention.ms")]
    SettingName(String),
    /// A setting that the lab stands on.
    #[error("setting `{key}` is managed by kmk: {why}")]
    OwnSetting {
        /// Its name.
        key: String,
        /// Why, or what to say instead.
        why: &'static str,
    },
    /// A value that cannot be passed on as it is.
    #[error("setting `{key}` {reason}")]
    SettingValue {
        /// Its name.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting of a flow that MirrorMaker would ignore, or could not read.
    #[error("setting `{key}` of flow {flow} {fault}")]
    FlowSetting {
        /// The flow, as `source->target`.
        flow: String,
        /// Its name.
        key: String,
        /// What is wrong with it.
        fault: Box<Fault>,
        /// What to write instead, best first.
        instead: Vec<Instead>,
    },
    /// More copies than brokers.
    #[error("setting `{key}` asks for {copies} replicas, and cluster `{cluster}` has {}", match .brokers { 1 => "one broker".to_owned(), more => format!("{more} brokers") })]
    Copies {
        /// Its name.
        key: String,
        /// As given.
        copies: u16,
        /// The cluster that keeps them.
        cluster: String,
        /// Its brokers.
        brokers: u16,
    },
    /// A running lab cannot be given other clusters.
    #[error("lab `{lab}` runs with clusters {}; they cannot be changed to {}", there.join(", "), wanted.join(", "))]
    OtherClusters {
        /// The lab.
        lab: String,
        /// The clusters that it has.
        there: Vec<String>,
        /// Those that are asked for.
        wanted: Vec<String>,
    },
    /// A running cluster cannot be given other brokers.
    #[error(
        "cluster `{cluster}` runs with {there} brokers; this cannot be changed to {wanted}: the controller quorum is fixed at creation"
    )]
    OtherBrokers {
        /// The lab's name.
        lab: String,
        /// The cluster.
        cluster: String,
        /// Brokers that it has.
        there: u16,
        /// As asked for.
        wanted: u16,
    },
    /// What no Kafka client could connect to.
    #[error("`{address}` of cluster `{cluster}` is not an address: {reason}")]
    Address {
        /// The cluster.
        cluster: String,
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two names for one cluster: MirrorMaker would copy it into itself.
    #[error("clusters `{one}` and `{other}` have the same address {address}")]
    AddressTwice {
        /// As given the second time.
        address: String,
        /// A cluster.
        one: String,
        /// Another.
        other: String,
    },
    /// A choice about a cluster that kmk does not make.
    #[error(
        "cluster `{cluster}` is an existing cluster (`bootstrap`): kmk cannot set its `{field}`"
    )]
    NotMade {
        /// The cluster.
        cluster: String,
        /// Such as `brokers`.
        field: &'static str,
    },
    /// Something that only an existing cluster has.
    #[error("`{field}` is only for an existing cluster, and `{cluster}` has no `bootstrap`")]
    NoBootstrap {
        /// The cluster.
        cluster: String,
        /// `properties` or `canary`.
        field: &'static str,
    },
    /// A cluster of a lab that runs, and that kmk made, is to become an existing one, or the other way round.
    #[error("cluster `{cluster}` of lab `{lab}` is {}, and cannot become {}", made(*.existed), made(!*.existed))]
    OtherOrigin {
        /// The lab.
        lab: String,
        /// The cluster.
        cluster: String,
        /// Whether it existed before the lab.
        existed: bool,
    },
    /// Only existing clusters, and no flow between them.
    #[error("all clusters exist already and there is no flow: nothing would run")]
    NothingToRun,
    /// An image name that docker would refuse.
    #[error("`{0}` is not an image name, such as apache/kafka:3.9.2")]
    Image(String),
}

fn whom(cluster: Option<&str>) -> String {
    cluster.map_or_else(
        || "all clusters".to_owned(),
        |name| format!("cluster `{name}`"),
    )
}

fn made(existed: bool) -> &'static str {
    if existed {
        "an existing cluster (`bootstrap`)"
    } else {
        "one created by kmk"
    }
}
