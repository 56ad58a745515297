//! What can be wrong with a line of MirrorMaker's properties.

use crate::core::mirrormaker::settings::{Consequence, Generation, Type};

/// One thing that MirrorMaker would not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line that the setting begins on, from 1.
    pub line: usize,
    /// The key as MirrorMaker reads it.
    pub key: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A `\u` without four digits: Java reads nothing of the file.
    Malformed,
    /// The mark that some editors write at the beginning of a file, and that Java takes as a part of the first key.
    ByteOrderMark,
    /// A blank that is none for Java.
    NoBreakSpace,
    /// Java reads other characters.
    Encoding {
        /// The first one, as written.
        written: char,
        /// What Java makes of it.
        read: String,
    },
    /// The line that a backslash before it makes a part of the value, and that looks like a comment.
    Swallowed(usize),
    /// The line on which it is set again, and which counts.
    SetAgain(usize),
    /// A blank ends a key: `a -> b.enabled` is a key `a`.
    BlankInKey,
    /// No setting of anything; what was probably meant.
    Unknown(Vec<String>),
    /// A setting, but not read at this prefix; where it is.
    Misplaced(Vec<String>),
    /// Read, but only by clients that do not matter here.
    Partly {
        /// All that it changes.
        reaches: &'static str,
        /// Where it does more.
        instead: Vec<String>,
    },
    /// Nobody reads it, for these keys of the file win.
    Shadowed(Vec<String>),
    /// Only this flow would read it, which is not enabled.
    NotEnabled(String),
    /// A setting of brokers.
    OfBroker,
    /// A setting of a topic whose settings MirrorMaker leaves alone.
    OfTopic,
    /// Makes all three connectors of a flow this one.
    OneConnector(String),
    /// These workers would have it in common, and overwrite each other's connectors.
    SharedWorker(Vec<String>),
    /// MirrorMaker sets it itself; why.
    Overruled(&'static str),
    /// Only the other Kafka has it.
    OnlyIn(Generation),
    /// Kafka 4 no longer has it, under this name; the key to write instead.
    Gone(Vec<String>),
    /// A name that `clusters` does not have.
    UnknownAlias {
        /// As written.
        name: String,
        /// The alias most like it.
        nearest: Option<String>,
        /// The key with that alias.
        instead: Vec<String>,
    },
    /// A flow from a cluster to itself, which MirrorMaker leaves out.
    Itself(String),
    /// A value that Kafka cannot read.
    Value {
        /// As written.
        value: String,
        /// What it should be.
        kind: Type,
        /// What comes of it.
        failure: Consequence,
    },
    /// A list with nothing between two commas, or behind the last; what comes of it from Kafka 4.2 on.
    EmptyEntry(Consequence),
    /// The same in `clusters`, of which every Kafka makes something else.
    EmptyCluster,
    /// An entry that a list has twice.
    Repeated {
        /// The entry.
        entry: String,
        /// What comes of it from Kafka 4.2 on.
        failure: Consequence,
    },
    /// A regular expression that Java cannot read.
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// Quotes around a list, which are a part of its entries.
    Quoted,
    /// A blank behind a value that Kafka does not take away; what comes of it.
    BlankBehind(&'static str),
    /// A `#` behind a value, which is part of it.
    Comment,
    /// A reference to a provider that `config.providers` does not name.
    NoProvider(String),
    /// A reference to a provider of which `config.providers.NAME.class` is missing.
    NoProviderClass(String),
    /// `clusters` is missing or empty.
    NoClusters,
    /// A cluster without `bootstrap.servers`.
    NoBootstrap(String),
    /// No flow is enabled.
    NoFlow,
    /// Flows that MirrorMaker would let go round for ever.
    Ring {
        /// As `source->target`, in the order in which they follow each other.
        flows: Vec<String>,
        /// What a topic is called after some rounds; none where it keeps its name.
        grows: Option<String>,
    },
    /// Two names for one cluster, which MirrorMaker copies into itself.
    OneCluster {
        /// A name.
        one: String,
        /// Another.
        other: String,
        /// What both have.
        address: String,
    },
    /// There is more; it was not looked at.
    TooMany,
}

impl Problem {
    /// A word for scripts; words are added, never changed.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ByteOrderMark => "byte-order-mark",
            Self::NoBreakSpace => "no-break-space",
            Self::Encoding { .. } => "encoding",
            Self::SetAgain(_) => "duplicate-key",
            Self::BlankInKey => "space-in-key",
            Self::Unknown(_) => "unknown",
            Self::Misplaced(_) => "misplaced",
            Self::Partly { .. } => "partly",
            Self::Shadowed(_) => "shadowed",
            Self::NotEnabled(_) => "not-enabled",
            Self::OfBroker => "broker-setting",
            Self::OfTopic => "topic-setting",
            Self::OneConnector(_) => "one-connector",
            Self::SharedWorker(_) => "shared-worker",
            Self::Overruled(_) => "overruled",
            Self::OnlyIn(_) | Self::Gone(_) => "other-version",
            Self::UnknownAlias { .. } => "unknown-alias",
            Self::Itself(_) => "self-flow",
            Self::Value { .. } => "value",
            Self::EmptyEntry(_) | Self::EmptyCluster => "empty-entry",
            Self::Repeated { .. } => "repeated-entry",
            Self::Pattern { .. } => "pattern",
            Self::Quoted => "quoted",
            Self::BlankBehind(_) => "trailing-space",
            Self::Comment | Self::Swallowed(_) => "comment",
            Self::NoProvider(_) | Self::NoProviderClass(_) => "no-provider",
            Self::NoClusters => "no-clusters",
            Self::NoBootstrap(_) => "no-bootstrap",
            Self::NoFlow => "no-flow",
            Self::Ring { .. } => "cycle",
            Self::OneCluster { .. } => "same-cluster",
            Self::TooMany => "too-many",
        }
    }

    /// The keys to write instead, best first.
    pub fn instead(&self) -> &[String] {
        match self {
            Self::Unknown(keys)
            | Self::Misplaced(keys)
            | Self::Shadowed(keys)
            | Self::Gone(keys)
            | Self::Partly { instead: keys, .. }
            | Self::UnknownAlias { instead: keys, .. } => keys,
            _ => &[],
        }
    }
}
