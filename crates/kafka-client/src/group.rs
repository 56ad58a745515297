//! A consumer group: how it is, and who is in it. Knows nothing of how a broker is asked.

use std::collections::BTreeSet;
use std::fmt;

/// A group as its coordinator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Which protocol its members speak.
    pub kind: GroupKind,
    /// What its members are: `consumer`, `connect` (workers of Kafka Connect), or nothing where it never had any.
    pub protocol: String,
    /// Kafka's word for how it is: `Stable`, `Empty`, `PreparingRebalance`, …
    pub state: String,
    /// Who is in it. Not known of kinds that have no name here.
    pub members: Vec<Member>,
}

impl Group {
    /// Whether someone reads for it, so that its offsets are not to be touched.
    pub fn is_active(&self) -> bool {
        !self.members.is_empty() || !matches!(self.state.as_str(), "Empty" | "Dead" | "")
    }
}

/// Which protocol the members of a group speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKind {
    /// Its members share out the partitions among themselves; offsets without any member count as this too.
    Classic,
    /// The brokers share out the partitions (KIP-848).
    Consumer,
    /// Another, by Kafka's own name: `share`, `streams`.
    Other(String),
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
            Self::Other(name) => name,
        })
    }
}

/// Someone who reads for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id that the coordinator gave it.
    pub id: String,
    /// What the client calls itself.
    pub client: String,
    /// The address that it connects from.
    pub host: String,
    /// What it reads: topics and partitions.
    pub reads: BTreeSet<(String, i32)>,
    /// What it has to do, where it is a worker of Kafka Connect.
    pub work: Option<Work>,
}

/// A connector by its name and, where it is not the connector itself, the number of a task of it.
pub type Piece = (String, Option<u32>);

/// What a worker of Kafka Connect has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Where the others of its group reach it.
    pub host: String,
    /// Connectors and tasks.
    pub pieces: BTreeSet<Piece>,
}
