//! The error codes of the Kafka protocol, by the names of its documentation. Knows nothing of what was asked.

use kafka::error::KafkaCode;
use std::fmt;

/// An error code of the Kafka protocol; shown under the name Kafka's documentation gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub(super) KafkaCode);

impl Code {
    /// Whether it is one that this protocol version has no name for.
    pub fn is_nameless(self) -> bool {
        self.0 == KafkaCode::Unknown
    }

    /// Whether Kafka's documentation lists it as retriable.
    pub fn is_retriable(self) -> bool {
        matches!(
            self.0,
            KafkaCode::UnknownTopicOrPartition
                | KafkaCode::LeaderNotAvailable
                | KafkaCode::NotLeaderForPartition
                | KafkaCode::RequestTimedOut
                | KafkaCode::BrokerNotAvailable
                | KafkaCode::ReplicaNotAvailable
                | KafkaCode::NetworkException
                | KafkaCode::GroupLoadInProgress
                | KafkaCode::GroupCoordinatorNotAvailable
                | KafkaCode::NotCoordinatorForGroup
                | KafkaCode::NotEnoughReplicas
                | KafkaCode::NotEnoughReplicasAfterAppend
                | KafkaCode::CorruptMessage
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renamed = match self.0 {
            KafkaCode::Unknown => "an error newer than this protocol version",
            KafkaCode::NotLeaderForPartition => "NOT_LEADER_OR_FOLLOWER",
            KafkaCode::MessageSizeTooLarge => "MESSAGE_TOO_LARGE",
            KafkaCode::GroupLoadInProgress => "COORDINATOR_LOAD_IN_PROGRESS",
            KafkaCode::GroupCoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE",
            KafkaCode::NotCoordinatorForGroup => "NOT_COORDINATOR",
            KafkaCode::InvalidTopic => "INVALID_TOPIC_EXCEPTION",
            other => return f.write_str(&shouted(&format!("{other:?}"))),
        };
        f.write_str(renamed)
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
        for (code, name) in [
            (KafkaCode::NotLeaderForPartition, "NOT_LEADER_OR_FOLLOWER"),
            (KafkaCode::NotEnoughReplicas, "NOT_ENOUGH_REPLICAS"),
            (KafkaCode::OffsetOutOfRange, "OFFSET_OUT_OF_RANGE"),
        ] {
            assert_eq!(Code(code).to_string(), name);
        }
    }
}
