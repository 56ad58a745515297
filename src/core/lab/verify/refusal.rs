//! Why a topic or flow cannot be verified.

/// Why nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The lab has no flow at all.
    #[error("the lab has no flow")]
    NoFlows,
    /// There is no such flow.
    #[error("there is no flow `{name}`")]
    NoFlow {
        /// What was asked for.
        name: String,
        /// The flows there are.
        known: Vec<String>,
    },
    /// The topic is Kafka's, MirrorMaker's or kmk's own.
    #[error("topic name `{topic}` is reserved for Kafka, MirrorMaker or kmk")]
    Internal {
        /// The topic.
        topic: String,
    },
    /// The flow leaves the topic out.
    #[error("flow {flow} excludes topic `{topic}`: it matches `{pattern}`")]
    Excluded {
        /// The flow's name.
        flow: String,
        /// The topic.
        topic: String,
        /// The expression among those it excludes.
        pattern: String,
    },
    /// The topic is not among those of the flow.
    #[error("flow {flow} does not replicate topic `{topic}`: its topics are {}", patterns.join(", "))]
    NotIncluded {
        /// The flow's name.
        flow: String,
        /// The topic.
        topic: String,
        /// The expressions of the topics it takes.
        patterns: Vec<String>,
    },
    /// The topic is MirrorMaker's to write.
    #[error(
        "`{topic}` on {cluster} is the mirrored topic of `{of}` on {source_cluster}: MirrorMaker writes to it"
    )]
    Copy {
        /// The topic.
        topic: String,
        /// Where it was to be written.
        cluster: String,
        /// What it is a copy of.
        of: String,
        /// Where that is.
        source_cluster: String,
    },
    /// By its name the topic came from the target: it is not copied back.
    #[error("flow {flow} does not replicate topic `{topic}`: by its name it came from {target}")]
    Cycle {
        /// The flow's name.
        flow: String,
        /// The topic.
        topic: String,
        /// The target.
        target: String,
    },
    /// An end of the flow is an existing cluster, and kmk has no permission to write to it.
    #[error("{cluster} is an existing cluster, and kmk has no permission to create topics there")]
    Uninvited {
        /// The flow's name.
        flow: String,
        /// The cluster.
        cluster: String,
    },
    /// Kafka allows no name as long as the topic's on the target.
    #[error("the name of the mirrored topic would be `{remote}`: {} characters, and Kafka allows {}", remote.len(), kmk_kafka::message::MAX_TOPIC_NAME)]
    TooLong {
        /// The flow's name.
        flow: String,
        /// Its name there.
        remote: String,
    },
}
