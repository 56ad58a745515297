//! What can be wrong with a setting of a flow.

/// Why MirrorMaker would not do what a setting of a flow says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No setting of anything.
    #[error("is not a MirrorMaker setting and would be silently ignored")]
    Unknown,
    /// A setting, but not one of a flow.
    #[error("is not read there and would be silently ignored")]
    Misplaced,
    /// Read by less than it looks like; by what.
    #[error("applies only to {0}")]
    Partly(&'static str),
    /// MirrorMaker sets it itself; why.
    #[error("would be silently ignored: {0}")]
    Overruled(&'static str),
    /// Only another Kafka has it.
    #[error(
        "would be silently ignored by MirrorMaker {runs}: of the versions known to kmk only {has} has it"
    )]
    OtherKafka {
        /// The Kafka that has it.
        has: &'static str,
        /// The one that MirrorMaker runs, as far as its image tells.
        runs: String,
    },
    /// A value that Kafka cannot read.
    #[error("must be {expected}, got `{value}`: {failure}")]
    Value {
        /// Such as "true or false".
        expected: String,
        /// The beginning of what it is.
        value: String,
        /// What would come of it.
        failure: String,
    },
    /// `${env:NAME}`, and a MirrorMaker that knows no `EnvVarConfigProvider`.
    #[error(
        "has a `${{env:NAME}}`, and MirrorMaker {runs} would not replace it: EnvVarConfigProvider exists from Kafka {first} on"
    )]
    NoVariables {
        /// The Kafka that MirrorMaker runs.
        runs: String,
        /// The first that has it.
        first: String,
    },
}

/// What to write instead of a setting that has a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A setting of the flow.
    Flow(String),
    /// A setting of all that MirrorMaker does with a cluster; no flow has it.
    Cluster {
        /// The cluster, by its name.
        cluster: String,
        /// Without the cluster's name before it.
        key: String,
    },
    /// A setting of MirrorMaker as a whole; no flow has it.
    Lab(String),
}
