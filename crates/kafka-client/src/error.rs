//! What can go wrong with a broker, as facts.

use crate::code::Code;
use crate::endpoint::Endpoint;
use crate::wait::{Stop, span};
use kafka_protocol::error::ResponseError;
use std::fmt;
use std::time::Duration;

/// A broker did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KafkaError {
    /// None of the addresses led to a Kafka broker.
    #[error("no Kafka broker can be reached: {cause}")]
    Unreachable {
        /// Every address that was tried.
        addresses: Vec<Endpoint>,
        /// Whether all of them refused at once, so that waiting is pointless: nothing listens there.
        refused: bool,
        /// Each address, and why not.
        cause: String,
    },
    /// A cluster wants clients that can log in. No call returns this: it is for callers that know it beforehand.
    #[error(
        "cluster {cluster} asks clients to authenticate, and this client speaks only PLAINTEXT, without credentials"
    )]
    NoLogin {
        /// Its name.
        cluster: String,
    },
    /// A connection broke in the middle. What was asked may have been done, or not.
    #[error("the connection to the broker at {address} broke: {cause}")]
    Lost {
        /// The broker it was with.
        address: String,
        /// The operating system's words.
        cause: String,
    },
    /// The broker accepted a request and then said nothing. What was asked may have been done, or not.
    #[error("the broker at {address} gave no answer for {}", span(*.waited))]
    Silent {
        /// The broker that was asked.
        address: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Time was up, or the person interrupted.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// There is no such topic, or it has just been deleted.
    #[error("there is no topic `{topic}`")]
    UnknownTopic {
        /// Its name.
        topic: String,
    },
    /// The topic is there, the partition is not.
    #[error("topic `{topic}` has no partition {partition}, only 0 to {}", .partitions.saturating_sub(1))]
    UnknownPartition {
        /// The topic's name.
        topic: String,
        /// The partition asked for.
        partition: i32,
        /// How many it has, at least 1.
        partitions: usize,
    },
    /// The partition has no leader at the moment.
    #[error("partition {partition} of topic `{topic}` has no leader")]
    NoLeader {
        /// The topic's name.
        topic: String,
        /// The partition without a leader.
        partition: i32,
    },
    /// The records of a topic are compressed in a way that cannot be read.
    #[error(
        "topic `{topic}` holds records compressed with {codec}, which the kafka crate cannot read"
    )]
    Codec {
        /// The topic's name.
        topic: String,
        /// How they are compressed.
        codec: Codec,
    },
    /// A single record is larger than the broker, or the topic, allows.
    #[error(
        "a record of {bytes} bytes is larger than topic `{topic}` allows (its max.message.bytes)"
    )]
    RecordTooLarge {
        /// The topic's name.
        topic: String,
        /// Key and value of the record together, in bytes.
        bytes: usize,
    },
    /// Records cannot be put into a batch.
    #[error("records cannot be sent: {cause}")]
    Unsendable {
        /// Why not.
        cause: String,
    },
    /// The broker answered with an error.
    #[error("the broker refused to {doing}: {code}{}", in_brackets(.said.as_deref()))]
    Refused {
        /// What it was asked to do, such as "write to partition 0 of topic `orders`".
        doing: String,
        /// Its answer.
        code: Code,
        /// What it says about it, where it says anything.
        said: Option<String>,
    },
    /// The broker is too old or too new for what is asked of it.
    #[error("the broker at {address} {mismatch}")]
    Version {
        /// The broker that was asked.
        address: String,
        /// Which request, and which of its versions each side knows.
        mismatch: String,
    },
    /// The client that was asked for cannot do what was asked.
    #[error("the kafka crate cannot do that: it speaks {what}")]
    CannotDo {
        /// Why not.
        what: String,
    },
    /// The answer made no sense.
    #[error("the answer of the broker at {address} cannot be understood: {cause}")]
    Garbled {
        /// The broker that was asked.
        address: String,
        /// What was wrong with it.
        cause: String,
    },
}

impl KafkaError {
    /// Whether the same request may succeed a moment later: a new leader, a broker that comes back, a topic that is being
    /// created.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Silent { .. }
            | Self::NoLeader { .. } => true,
            Self::Refused { code, .. } => code.is_retriable(),
            Self::Stopped(_)
            | Self::NoLogin { .. }
            | Self::UnknownTopic { .. }
            | Self::UnknownPartition { .. }
            | Self::Codec { .. }
            | Self::RecordTooLarge { .. }
            | Self::Unsendable { .. }
            | Self::Version { .. }
            | Self::CannotDo { .. }
            | Self::Garbled { .. } => false,
        }
    }

    /// Whether a write that ended like this may have been done all the same.
    pub(crate) fn leaves_a_write_in_doubt(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Silent { .. } | Self::Stopped(_) | Self::Garbled { .. } => {
                true
            }
            Self::Refused { code, .. } => matches!(
                code.0,
                ResponseError::RequestTimedOut
                    | ResponseError::NotEnoughReplicasAfterAppend
                    | ResponseError::NetworkException
            ),
            _ => false,
        }
    }

    /// What a broker's error code for `doing` means; all is well where it is 0.
    pub(crate) fn check(code: i16, doing: impl FnOnce() -> String) -> Result<(), Self> {
        Self::check_said(code, None, doing)
    }

    /// As [`KafkaError::check`], with what the broker says about it.
    pub(crate) fn check_said(
        code: i16,
        said: Option<&str>,
        doing: impl FnOnce() -> String,
    ) -> Result<(), Self> {
        match Code::of(code) {
            None => Ok(()),
            Some(code) => Err(Self::Refused {
                doing: doing(),
                code,
                said: said.map(str::to_owned).filter(|said| !said.is_empty()),
            }),
        }
    }

    /// The broker's error code, where it answered with one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the broker answered with this error.
    pub(crate) fn is(&self, error: ResponseError) -> bool {
        self.code() == Some(Code(error))
    }
}

fn in_brackets(said: Option<&str>) -> String {
    said.map_or_else(String::new, |said| {
        format!(" ({})", said.trim_end_matches('.'))
    })
}

/// A way to compress records that the `kafka` crate does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// LZ4.
    Lz4,
    /// Zstandard. A broker does not name it: it answers an old fetch of such a topic with a code that the crate calls
    /// unknown (76, `UNSUPPORTED_COMPRESSION_TYPE`, KIP-110).
    Zstd,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_time_does_not_heal_is_final() {
        let error = KafkaError::check(29, || "write to topic `x`".to_owned()).unwrap_err();
        assert!(!error.is_retriable() && !error.leaves_a_write_in_doubt());
        assert_eq!(
            error.to_string(),
            "the broker refused to write to topic `x`: TOPIC_AUTHORIZATION_FAILED"
        );
    }

    #[test]
    fn nobody_waits_for_no_time_at_all() {
        for (micros, text) in [
            (0, "1 ms"),
            (300, "1 ms"),
            (40_900, "40 ms"),
            (100_000, "0.1 s"),
            (2_349_000, "2.3 s"),
        ] {
            let address = "localhost:19092".to_owned();
            let waited = Duration::from_micros(micros);
            let told = KafkaError::Silent { address, waited }.to_string();
            assert!(
                told.ends_with(&format!("gave no answer for {text}")),
                "{told}"
            );
        }
    }

    #[test]
    fn what_the_broker_says_stands_behind_its_error() {
        let said = Some("Number of partitions must be larger than 0.");
        let error = KafkaError::check_said(37, said, || "create topic `x`".to_owned());
        assert_eq!(
            error.unwrap_err().to_string(),
            "the broker refused to create topic `x`: INVALID_PARTITIONS (Number of partitions must be larger than 0)"
        );
        assert!(KafkaError::check(0, String::new).is_ok());
    }
}
