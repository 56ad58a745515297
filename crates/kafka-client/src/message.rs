//! A record, and what a topic may be called.

use std::time::{SystemTime, UNIX_EPOCH};

/// One record of a partition.
///
/// Version 0 of the protocol, which the `kafka` crate speaks, tells no time and no headers, and does not tell "empty"
/// from "none": a tombstone and an empty value are both [`None`] then. The wire client tells all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
    /// Its time in milliseconds since the epoch, where the protocol tells it; -1 where its producer gave none.
    pub time: Option<i64>,
    /// Its key, unless it has none.
    pub key: Option<Vec<u8>>,
    /// Its value, unless it has none (a tombstone).
    pub value: Option<Vec<u8>>,
    /// Its headers, in order; a key may come more than once.
    pub headers: Vec<Header>,
}

/// A [`Record`] that is only looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Its partition.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
    /// Its time in milliseconds since the epoch, where the protocol tells it; -1 where its producer gave none.
    pub time: Option<i64>,
    /// Its key, unless it has none.
    pub key: Option<&'a [u8]>,
    /// Its value, unless it has none (a tombstone).
    pub value: Option<&'a [u8]>,
    /// Its headers, in order; a key may come more than once.
    pub headers: Vec<HeaderRef<'a>>,
}

#[cfg(any(test, feature = "testing"))]
impl Record {
    /// Of partition 0, without a key.
    pub fn sample(offset: i64, time: i64, value: &str) -> Self {
        Self {
            partition: 0,
            offset,
            time: Some(time),
            key: None,
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }
}

impl RecordRef<'_> {
    /// A copy that lasts.
    pub fn to_record(&self) -> Record {
        Record {
            partition: self.partition,
            offset: self.offset,
            time: self.time,
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self.headers.iter().map(HeaderRef::to_header).collect(),
        }
    }
}

/// Something said about a record beside its key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its key: text in UTF-8 by Kafka's rules, which no broker checks.
    pub key: Vec<u8>,
    /// Its value, unless it has none.
    pub value: Option<Vec<u8>>,
}

/// A [`Header`] that is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRef<'a> {
    /// Its key: text in UTF-8 by Kafka's rules, which no broker checks.
    pub key: &'a [u8],
    /// Its value, unless it has none.
    pub value: Option<&'a [u8]>,
}

impl HeaderRef<'_> {
    /// A copy that lasts.
    pub fn to_header(&self) -> Header {
        Header {
            key: self.key.to_vec(),
            value: self.value.map(<[u8]>::to_vec),
        }
    }
}

/// A time as records have it: in milliseconds since the epoch, less than 0 before it.
pub fn to_millis(time: SystemTime) -> i64 {
    let signed = |millis: u128| i64::try_from(millis).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => signed(since.as_millis()),
        Err(before) => -signed(before.duration().as_millis()),
    }
}

/// The longest name a topic may have, in characters (Kafka's `Topic.MAX_NAME_LENGTH`).
pub const MAX_TOPIC_NAME: usize = 249;

/// Why Kafka would refuse a topic's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// Nothing at all.
    #[error("a topic's name cannot be empty")]
    Empty,
    /// `.` or `..`.
    #[error("a topic cannot be called `{0}`")]
    Dots(String),
    /// More than [`MAX_TOPIC_NAME`] characters.
    #[error("a topic's name has at most {MAX_TOPIC_NAME} characters; this one has {length}")]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// Something outside `[a-zA-Z0-9._-]`.
    #[error(
        "{character:?} in topic name `{name}`: only letters a-z and A-Z, digits, `.`, `_` and `-` are allowed"
    )]
    Character {
        /// The whole name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

/// Whether Kafka allows a topic of this name.
///
/// # Errors
/// Which of Kafka's rules (`org.apache.kafka.common.internals.Topic`) it breaks.
pub fn check_topic_name(name: &str) -> Result<(), TopicNameError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        return Err(TopicNameError::Empty);
    }
    if matches!(name, "." | "..") {
        return Err(TopicNameError::Dots(name.to_owned()));
    }
    let length = name.chars().count();
    if length > MAX_TOPIC_NAME {
        return Err(TopicNameError::TooLong { length });
    }
    match name.chars().find(|&c| !allowed(c)) {
        Some(character) => Err(TopicNameError::Character {
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_which_rule_a_name_breaks() {
        assert_eq!(check_topic_name(""), Err(TopicNameError::Empty));
        for dots in [".", ".."] {
            assert_eq!(
                check_topic_name(dots),
                Err(TopicNameError::Dots(dots.into()))
            );
        }
        assert_eq!(
            check_topic_name(&"a".repeat(250)),
            Err(TopicNameError::TooLong { length: 250 })
        );
        for (name, character) in [("a b", ' '), ("a/b", '/'), ("é", 'é'), ("a\n", '\n')] {
            assert_eq!(
                check_topic_name(name),
                Err(TopicNameError::Character {
                    name: name.to_owned(),
                    character
                })
            );
        }
        for good in ["a", "...", "primary.my_topic-1", &"a".repeat(249)] {
            assert_eq!(check_topic_name(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_time_is_counted_in_milliseconds_from_the_epoch() {
        let second = std::time::Duration::from_secs(1);
        for (time, millis) in [
            (UNIX_EPOCH, 0),
            (UNIX_EPOCH + second, 1_000),
            (UNIX_EPOCH - second, -1_000),
        ] {
            assert_eq!(to_millis(time), millis);
        }
    }

    proptest! {
        #[test]
        fn a_name_of_allowed_characters_is_allowed(name in "[a-zA-Z0-9._-]{3,249}") {
            prop_assert_eq!(check_topic_name(&name), Ok(()));
        }
    }
}
