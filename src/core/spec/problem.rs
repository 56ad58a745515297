//! What can be wrong with a spec, as facts.

use super::{MAX_BROKERS, MAX_NAME, MIN_PORT};

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
        "cluster name `{0}` is taken: names that begin with `mm2-` belong to MirrorMaker's services"
    )]
    ReservedName(String),
    /// A cluster listed twice.
    #[error("cluster `{0}` is there twice")]
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
    #[error("flow {source_cluster}->{target} is there twice")]
    DuplicateFlow {
        /// Source.
        source_cluster: String,
        /// Target.
        target: String,
    },
    /// Topics that keep their names would be mirrored round and round.
    #[error(
        "flow {source_cluster}->{target} keeps topic names and flows lead back to {source_cluster}: every record would go round for ever"
    )]
    Loop {
        /// Source.
        source_cluster: String,
        /// Target.
        target: String,
    },
    /// A broker count or partition count out of range.
    #[error("cluster `{cluster}` cannot have {count} {what}; 1 to {max} are possible")]
    Count {
        /// Cluster.
        cluster: String,
        /// "brokers" or "partitions".
        what: &'static str,
        /// As given.
        count: u32,
        /// Most that is possible.
        max: u32,
    },
    /// A port below 1024, or too near the end for all brokers.
    #[error("port {port} of cluster `{cluster}` is out of range: {} to {} are possible", MIN_PORT, u16::MAX - MAX_BROKERS)]
    Port {
        /// Cluster.
        cluster: String,
        /// As given.
        port: u16,
    },
    /// One cluster is to have several first ports.
    #[error("cluster `{0}` is given two ports")]
    TwoPorts(String),
    /// One cluster, or all of them, are to run several images.
    #[error("{} given two Kafka images", match .0 { Some(cluster) => format!("cluster `{cluster}` is"), None => "all clusters are".to_owned() })]
    TwoImages(Option<String>),
    /// Two brokers of the lab would listen on one port.
    #[error("port {port} is given to both `{one}` and `{other}`")]
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
    /// An image name that docker would refuse.
    #[error("image `{0}` is not an image name, such as apache/kafka:3.9.2")]
    Image(String),
}
