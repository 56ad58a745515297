//! What cannot be verified, as facts. Knows nothing of words for people beyond the sentence.

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
    #[error("`{topic}` is a name of Kafka's, MirrorMaker's or kmk's own topics")]
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
    #[error("flow {flow} does not take topic `{topic}`: it takes {}", patterns.join(", "))]
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
        "`{topic}` on {cluster} is the copy of `{of}` on {source_cluster}: MirrorMaker writes it"
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
    #[error("flow {flow} does not copy topic `{topic}`: by its name it came from {target}")]
    Cycle {
        /// The flow's name.
        flow: String,
        /// The topic.
        topic: String,
        /// The target.
        target: String,
    },
    /// An end of the flow was there before the lab, and nobody said that kmk may write to it.
    #[error("{cluster} was there before the lab, and nobody said that kmk may make topics there")]
    Uninvited {
        /// The flow's name.
        flow: String,
        /// The cluster.
        cluster: String,
    },
    /// Kafka allows no name as long as the topic's on the target.
    #[error("on the target the topic would be called `{remote}`: {} characters, and Kafka allows {}", remote.len(), kmk_kafka::message::MAX_TOPIC_NAME)]
    TooLong {
        /// The flow's name.
        flow: String,
        /// Its name there.
        remote: String,
    },
}
