//! The error codes of the Kafka protocol, by the names of its documentation.

use kafka_protocol::error::ResponseError;
use std::fmt;

/// An error code of the Kafka protocol; shown under the name Kafka's documentation gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub(crate) ResponseError);

impl Code {
    /// What a broker's answer says: none where all is well.
    pub(crate) fn of(code: i16) -> Option<Self> {
        ResponseError::try_from_code(code).map(Self)
    }

    /// The error of that number; none of 0, which is none.
    pub fn numbered(number: i16) -> Option<Self> {
        Self::of(number)
    }

    /// Its number in the protocol.
    pub fn number(self) -> i16 {
        self.0.code()
    }

    /// Whether Kafka's documentation lists it as retriable.
    pub fn is_retriable(self) -> bool {
        self.0.is_retriable()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ResponseError::Unknown(code) => write!(f, "error {code}, newer than this client"),
            known => f.write_str(&shouted(&format!("{known:?}"))),
        }
    }
}

/// `NotEnoughReplicas` as `NOT_ENOUGH_REPLICAS`.
fn shouted(camel: &str) -> String {
    let mut name = String::new();
    for character in camel.chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_carry_the_names_of_kafkas_documentation() {
        for (number, name) in [
            (1, "OFFSET_OUT_OF_RANGE"),
            (2, "CORRUPT_MESSAGE"),
            (3, "UNKNOWN_TOPIC_OR_PARTITION"),
            (6, "NOT_LEADER_OR_FOLLOWER"),
            (10, "MESSAGE_TOO_LARGE"),
            (14, "COORDINATOR_LOAD_IN_PROGRESS"),
            (16, "NOT_COORDINATOR"),
            (17, "INVALID_TOPIC_EXCEPTION"),
            (19, "NOT_ENOUGH_REPLICAS"),
            (27, "REBALANCE_IN_PROGRESS"),
            (36, "TOPIC_ALREADY_EXISTS"),
            (-1, "UNKNOWN_SERVER_ERROR"),
            (999, "error 999, newer than this client"),
        ] {
            let code = Code::of(number).unwrap();
            assert_eq!((code.to_string().as_str(), code.number()), (name, number));
        }
        assert_eq!(Code::of(0), None);
    }
}
