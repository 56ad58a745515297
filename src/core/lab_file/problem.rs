//! What can be wrong with a lab file.

use super::{MAX_BYTES, TextPosition};
use crate::core::spec;

/// One thing that is wrong, or looks wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; nowhere in particular, if it is about the file as a whole.
    pub place: Option<TextPosition>,
    /// What.
    pub what: What,
}

impl Problem {
    pub(super) fn at(place: TextPosition, what: What) -> Self {
        Self {
            place: Some(place),
            what,
        }
    }

    pub(super) fn of_file(what: What) -> Self {
        Self { place: None, what }
    }
}

/// What is wrong, or looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is too large to be a lab file.
    #[error("is larger than {} KiB: this cannot be a lab file", MAX_BYTES / 1024)]
    TooLarge,
    /// It is not UTF-8.
    #[error("this is not UTF-8 text")]
    NotText,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Its YAML cannot be parsed.
    #[error("this is not valid YAML: {0}")]
    NotYaml(String),
    /// A tab at the beginning of a line.
    #[error("YAML is indented with spaces, and this is a tab")]
    Tab,
    /// A reference to another part of the file.
    #[error("anchors and aliases (`&`, `*`) are not supported here")]
    Alias,
    /// A type that the file gives a value.
    #[error("tags (`!…`) are not supported here")]
    Tag,
    /// A second document.
    #[error("a second document begins here: a lab file has only one")]
    SecondDocument,
    /// Lists in lists in lists.
    #[error("this is nested too deeply for a lab file")]
    TooDeep,
    /// A field that there is not.
    #[error("{owner} has no field `{name}`")]
    UnknownField {
        /// Such as "a cluster".
        owner: &'static str,
        /// As given.
        name: String,
        /// The fields there are.
        known: Vec<&'static str>,
    },
    /// The same field again.
    #[error("`{0}` is defined twice")]
    FieldTwice(String),
    /// A field that must be there.
    #[error("{owner} needs `{field}`")]
    MissingField {
        /// Such as "a cluster".
        owner: &'static str,
        /// Its name.
        field: &'static str,
    },
    /// A value of another kind.
    #[error("{what} must be {expected}, got {found}")]
    WrongKind {
        /// Such as "`brokers`".
        what: String,
        /// Such as "a number from 1 to 9".
        expected: String,
        /// Such as "`many`".
        found: String,
    },
    /// Both name the Kafka that runs.
    #[error("use either `kafka` or `image`, not both")]
    KafkaAndImage,
    /// What it says is not a valid lab file.
    #[error(transparent)]
    Spec(#[from] spec::Problem),
    /// Too many problems to list them all.
    #[error("and {0} more")]
    More(usize),
    /// A warning: flows go past it.
    #[error("cluster `{0}` is in no flow: nothing is mirrored from it or to it")]
    UnusedCluster(String),
    /// A warning: a file that MirrorMaker's container has not.
    #[error(
        "`{0}` names a file, and MirrorMaker's container has no access to this machine's files: give certificates and keys as PEM text"
    )]
    FileNotInContainer(String),
    /// A warning: MirrorMaker ignores it.
    #[error(
        "MirrorMaker would silently ignore `{key}` there{}",
        meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
    )]
    IgnoredProperty {
        /// Its name.
        key: String,
        /// The nearest one that is read there.
        meant: Option<String>,
    },
    /// A warning: brokers ignore it.
    #[error(
        "Kafka's brokers have no setting `{key}`: only a class of your own could read it{}",
        meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
    )]
    UnknownSetting {
        /// Its name.
        key: String,
        /// The nearest one that there is.
        meant: Option<&'static str>,
    },
    /// A warning: these brokers ignore it.
    #[error("these brokers would ignore `{key}`: of the versions known to kmk only {has} has it")]
    OtherBrokers {
        /// Its name.
        key: String,
        /// The Kafka that has it.
        has: &'static str,
    },
    /// A warning: a secret that anyone can read.
    #[error(
        "`{0}` looks like a secret, and would be written to files and labels that anyone on this machine can read"
    )]
    PlainSecret(String),
}
