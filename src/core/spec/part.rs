//! Which part of a spec is meant.

/// A part of a lab that can be wrong; clusters and flows by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The lab as a whole.
    Lab,
    /// A cluster.
    Cluster(usize),
    /// A flow.
    Flow(usize),
}

/// A field that can be wrong; entries of lists by their index, settings by their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// No field of its own.
    Whole,
    /// Name of the lab or of a cluster.
    Name,
    /// Kafka image.
    Image,
    /// Heap.
    Memory,
    /// Address of ports.
    Bind,
    /// Number of brokers.
    Brokers,
    /// Number of partitions.
    Partitions,
    /// First port.
    Port,
    /// Number of MirrorMakers.
    Mirrormakers,
    /// Whether each record is written exactly once.
    ExactlyOnce,
    /// Where a flow comes from.
    Source,
    /// Where a flow goes to.
    Target,
    /// A filter of topics to mirror.
    Topic(usize),
    /// A filter of topics to leave out.
    Exclude(usize),
    /// A filter of consumer groups.
    Group(usize),
    /// What topics are called.
    Naming,
    /// A setting of the brokers, or of MirrorMaker.
    Setting(String),
    /// An address of an existing cluster.
    Address(usize),
    /// A property of the clients of an existing cluster.
    Property(String),
    /// Whether a canary may be sent.
    Canary,
    /// The line of a flow.
    Link,
}
