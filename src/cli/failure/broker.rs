//! The words for brokers: what helps, by the name that Kafka's documentation gives an error.

use super::{Failure, Item, NO, UNUSABLE, USAGE};
use crate::cli::Context;
use crate::cli::deploy::in_lab;
use kafka_mirror_kit::core::kafka::{Code, KafkaError};
use kafka_mirror_kit::core::wait::Stop;

pub(super) fn of_kafka(error: &KafkaError, context: &Context) -> Failure {
    let item = Item::new(error);
    match error {
        KafkaError::Stopped(Stop::Interrupted) => Failure::interrupted(),
        KafkaError::UnknownPartition { .. } => Failure::one(item, USAGE),
        KafkaError::CannotDo { .. } => Failure::one(
            item.hint("leave out --client, or ask for --client wire"),
            USAGE,
        ),
        KafkaError::Unreachable { .. } => {
            let lab = in_lab(&context.lab);
            let hint =
                format!("`kmk status{lab}` says how the lab is; `kmk deploy{lab}` repairs it");
            Failure::one(item.hint(hint), UNUSABLE)
        }
        KafkaError::NoLogin { .. } => Failure::one(
            item.hint("use Kafka's own tools there, with the same properties"),
            UNUSABLE,
        ),
        KafkaError::Version { .. } => {
            Failure::one(item.hint("kmk speaks to Kafka 3.3 and later"), UNUSABLE)
        }
        error if is_unanswered(error) => Failure::one(item, UNUSABLE),
        KafkaError::Refused { code, doing, said } => {
            let help = help(*code, doing, said.as_deref());
            let exit = if help.is_some_and(|help| help.is_usage) {
                USAGE
            } else {
                NO
            };
            match help {
                Some(help) => Failure::one(item.hint(help.hint_in(&context.lab)), exit),
                None => Failure::one(item, exit),
            }
        }
        _ => Failure::one(item, NO),
    }
}

/// Whether nothing is known of what was asked for: no answer could be had, or none be understood.
pub(crate) fn is_unanswered(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::Unreachable { .. }
            | KafkaError::Lost { .. }
            | KafkaError::Silent { .. }
            | KafkaError::Garbled { .. }
    )
}

/// What helps against a refusal, where anything is known to, with commands for a lab.
pub(crate) fn advice(error: &KafkaError, lab: &str) -> Option<String> {
    match error {
        KafkaError::Refused { code, doing, said } => {
            help(*code, doing, said.as_deref()).map(|help| help.hint_in(lab))
        }
        _ => None,
    }
}

/// What helps against an error of Kafka.
#[derive(Debug, Clone, Copy)]
struct Help {
    /// Its name in Kafka's documentation.
    error: &'static str,
    /// Whether it is what was typed that is wrong.
    is_usage: bool,
    /// With `{lab}` in commands, where a lab is to be named.
    hint: &'static str,
}

impl Help {
    fn hint_in(self, lab: &str) -> String {
        self.hint.replace("{lab}", &in_lab(lab))
    }
}

/// How it begins when records are to be removed.
const REMOVING: &str = "delete records";

fn help(code: Code, doing: &str, said: Option<&str>) -> Option<Help> {
    let name = code.to_string();
    let help = HELP.iter().find(|help| help.error == name).copied()?;
    let is_removal = doing.starts_with(REMOVING);
    Some(match help.error {
        // in one request, by KRaft's ReplicationControlManager
        "POLICY_VIOLATION" if said.is_some_and(|said| said.contains("number of partitions")) => {
            met(
                help.error,
                "Kafka makes 10000 partitions at once, and no more: ask for fewer, and give it more later with `kmk topic alter{lab}`",
            )
        }
        "POLICY_VIOLATION" if is_removal => met(
            help.error,
            "records can be removed only where cleanup.policy has `delete`",
        ),
        _ => help,
    })
}

const fn typed(error: &'static str, hint: &'static str) -> Help {
    Help {
        error,
        is_usage: true,
        hint,
    }
}

const fn met(error: &'static str, hint: &'static str) -> Help {
    Help {
        error,
        is_usage: false,
        hint,
    }
}

/// The one list of what helps against errors of Kafka that people meet; the others explain themselves, or cannot be helped.
const HELP: &[Help] = &[
    // what was typed
    typed(
        "INVALID_REPLICATION_FACTOR",
        "there cannot be more replicas than brokers; leave --replicas out to have as many as usual there",
    ),
    typed(
        "INVALID_PARTITIONS",
        "partitions can only grow; for fewer, make another topic and copy the records",
    ),
    typed(
        "INVALID_CONFIG",
        "`kmk topic describe{lab} TOPIC` shows settings as Kafka writes them",
    ),
    typed(
        "INVALID_TOPIC_EXCEPTION",
        "letters, digits, `.`, `_` and `-`, at most 249; names that differ only in `.` and `_` exclude each other",
    ),
    typed(
        "OFFSET_OUT_OF_RANGE",
        "`kmk topic describe{lab} TOPIC` shows where each partition begins and ends",
    ),
    typed(
        "INVALID_GROUP_ID",
        "a group needs a name, and one of this kind that is not in use otherwise",
    ),
    typed(
        "UNSUPPORTED_COMPRESSION_TYPE",
        "zstd needs records of Kafka 2.1 or later: choose another --compression",
    ),
    typed(
        "INVALID_TIMESTAMP",
        "the topic takes only times near the broker's own: see its message.timestamp.before.max.ms and message.timestamp.after.max.ms",
    ),
    typed(
        "INVALID_RECORD",
        "a compacted topic refuses records without a key",
    ),
    // how topics and groups are
    met(
        "TOPIC_ALREADY_EXISTS",
        "`kmk topic alter{lab}` changes it; --if-not-exists leaves it as it is",
    ),
    met(
        "UNKNOWN_TOPIC_OR_PARTITION",
        "`kmk topic list{lab} --all` shows the topics there are",
    ),
    met(
        "TOPIC_DELETION_DISABLED",
        "the broker's delete.topic.enable is false: `kmk topic truncate{lab}` removes the records at least",
    ),
    met(
        "NON_EMPTY_GROUP",
        "stop those who read for it: `kmk group describe{lab} GROUP` names them",
    ),
    met(
        "GROUP_ID_NOT_FOUND",
        "`kmk group list{lab}` shows the groups there are",
    ),
    met(
        "GROUP_SUBSCRIBED_TO_TOPIC",
        "stop those who read the topic for it: `kmk group describe{lab} GROUP` names them",
    ),
    met(
        "UNKNOWN_MEMBER_ID",
        "someone reads for the group by now: stop them first, `kmk group describe{lab} GROUP` names them",
    ),
    met(
        "ILLEGAL_GENERATION",
        "someone reads for the group by now: stop them first, `kmk group describe{lab} GROUP` names them",
    ),
    met(
        "INCONSISTENT_GROUP_PROTOCOL",
        "the group is in use by clients of another kind: choose another --group",
    ),
    met(
        "GROUP_MAX_SIZE_REACHED",
        "the broker's group.max.size allows no more members",
    ),
    met(
        "FENCED_INSTANCE_ID",
        "another member with the same group.instance.id took over",
    ),
    met(
        "MESSAGE_TOO_LARGE",
        "a topic's max.message.bytes says how large: `kmk topic alter{lab} TOPIC --config max.message.bytes=N`",
    ),
    met(
        "RECORD_LIST_TOO_LARGE",
        "a batch may be no larger than the topic's segment.bytes",
    ),
    met(
        "POLICY_VIOLATION",
        "the broker's own policy says what it allows",
    ),
    // how the cluster is
    met(
        "NOT_ENOUGH_REPLICAS",
        "fewer brokers are in sync than min.insync.replicas asks for: start them, or lower it with `kmk topic alter{lab}`",
    ),
    met(
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "fewer brokers are in sync than min.insync.replicas asks for; what was sent may be there all the same",
    ),
    met(
        "KAFKA_STORAGE_ERROR",
        "the broker's disk failed or is full: its log says which",
    ),
    met(
        "THROTTLING_QUOTA_EXCEEDED",
        "a quota of the cluster is used up: wait longer with --timeout",
    ),
    met(
        "REQUEST_TIMED_OUT",
        "the brokers were too slow, and may do it yet: look again, or wait longer with --timeout",
    ),
    met(
        "COORDINATOR_NOT_AVAILABLE",
        "the broker that keeps the group's offsets is not there yet: wait longer with --timeout",
    ),
    met(
        "REASSIGNMENT_IN_PROGRESS",
        "partitions of it are being moved: try again when that is done",
    ),
    // what the cluster allows
    met(
        "TOPIC_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    met(
        "GROUP_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    met(
        "CLUSTER_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    met(
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    met(
        "SASL_AUTHENTICATION_FAILED",
        "kmk speaks only to listeners without authentication (PLAINTEXT)",
    ),
    met(
        "UNSUPPORTED_VERSION",
        "this broker is too old for it, or does not offer it",
    ),
    met(
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "the topic's records are of an old format: message.format.version is too low",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::spec::DEFAULT_LAB;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_is_one_of_kafkas_and_stands_once() {
        // every error that the protocol has by now, and room
        let known: BTreeSet<String> = (-1..=200)
            .filter_map(Code::numbered)
            .map(|code| code.to_string())
            .collect();
        let mut seen = BTreeSet::new();
        for help in HELP {
            assert!(known.contains(help.error), "{}", help.error);
            assert!(seen.insert(help.error), "{} twice", help.error);
        }
    }

    #[test]
    fn each_command_names_the_lab() {
        for help in HELP {
            let told = help.hint_in("two");
            let quoted = told.split('`').skip(1).step_by(2);
            for command in quoted.filter(|quoted| quoted.starts_with("kmk ")) {
                assert!(command.contains(" --lab two"), "{command}");
            }
            assert!(!help.hint_in(DEFAULT_LAB).contains("{lab}"), "{told}");
        }
    }

    #[test]
    fn what_was_typed_wrong_ends_with_another_code_than_what_was_met() {
        let of = |number| help(Code::numbered(number).unwrap(), "create topic `x`", None);
        assert!(of(38).unwrap().is_usage, "INVALID_REPLICATION_FACTOR");
        assert!(!of(36).unwrap().is_usage, "TOPIC_ALREADY_EXISTS");
        assert!(of(-1).is_none(), "UNKNOWN_SERVER_ERROR");
    }

    #[test]
    fn an_answer_that_cannot_be_understood_is_none() {
        let address = "127.0.0.1:19092".to_owned();
        let garbled = KafkaError::Garbled {
            address,
            cause: "too short".to_owned(),
        };
        assert!(is_unanswered(&garbled));
        let refused = KafkaError::Refused {
            doing: "create topic `x`".to_owned(),
            code: Code::numbered(36).unwrap(),
            said: None,
        };
        assert!(!is_unanswered(&refused), "an answer, and it is no");
    }

    #[test]
    fn what_the_state_of_a_cluster_asks_for_is_told() {
        let told = |number, words: &str| {
            let error = KafkaError::Refused {
                doing: "write to partition 0 of topic `x`".to_owned(),
                code: Code::numbered(number).unwrap(),
                said: None,
            };
            let hint = advice(&error, DEFAULT_LAB).unwrap();
            assert!(hint.contains(words), "{error}: {hint}");
        };
        told(19, "start them, or lower it");
        told(20, "may be there all the same");
        // as a broker whose disk is full refuses each record
        told(56, "the broker's disk failed or is full");
        told(89, "a quota of the cluster is used up");
        told(7, "too slow, and may do it yet");
        told(15, "wait longer with --timeout");
        told(60, "try again when that is done");
    }

    #[test]
    fn only_who_removes_records_hears_of_the_cleanup_policy() {
        let policy = Code::numbered(44).unwrap();
        let of = |doing| help(policy, doing, None).unwrap().hint;
        assert!(of("delete records of partition 0 of topic `x`").contains("cleanup.policy"));
        assert_eq!(
            of("create topic `x`"),
            "the broker's own policy says what it allows"
        );
        let said = Some("Excessively large number of partitions per request.");
        let many = help(policy, "create topic `x`", said).unwrap().hint;
        assert!(many.contains("10000 partitions"), "{many}");
    }
}
