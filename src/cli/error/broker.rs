//! The words for brokers: what helps, by the name that Kafka's documentation gives an error.

use super::{CliError, Exit, LAB};
use kmk_kafka::wait::Stop;
use kmk_kafka::{Code, KafkaError};

impl From<Stop> for CliError {
    fn from(stop: Stop) -> Self {
        let exit = match stop {
            Stop::Interrupted => Exit::Interrupted,
            Stop::Deadline { .. } => Exit::Unusable,
        };
        Self::of(exit, &stop)
    }
}

impl From<KafkaError> for CliError {
    fn from(error: KafkaError) -> Self {
        let (exit, hint) = match &error {
            KafkaError::Stopped(stop) => return stop.clone().into(),
            KafkaError::UnknownTopic { .. } | KafkaError::UnknownPartition { .. } => {
                (Exit::Usage, None)
            }
            KafkaError::CannotDo { .. } => (Exit::Usage, Some(OTHER_CLIENT.to_owned())),
            KafkaError::Codec { .. } => (Exit::Unusable, Some(OTHER_CLIENT.to_owned())),
            KafkaError::Unreachable { .. } => {
                let hint =
                    format!("`kmk status{LAB}` says how the lab is; `kmk deploy{LAB}` repairs it");
                (Exit::Unusable, Some(hint))
            }
            KafkaError::NoLogin { .. } => {
                let hint = "use Kafka's own tools there, with the same properties";
                (Exit::Unusable, Some(hint.to_owned()))
            }
            KafkaError::Version { .. } => {
                let hint = "kmk speaks to Kafka 3.3 and later";
                (Exit::Unusable, Some(hint.to_owned()))
            }
            KafkaError::Lost { .. }
            | KafkaError::Silent { .. }
            | KafkaError::NoLeader { .. }
            | KafkaError::Garbled { .. } => (Exit::Unusable, None),
            KafkaError::RecordTooLarge { .. } | KafkaError::Unsendable { .. } => (Exit::No, None),
            KafkaError::Refused { code, doing, said } => {
                match help(*code, doing, said.as_deref()) {
                    Some(help) => (help.exit, Some(help.hint())),
                    None => (Exit::Unusable, None),
                }
            }
        };
        Self::of(exit, &error).maybe(hint)
    }
}

/// What helps where one of the clients cannot do what is asked.
pub(crate) const OTHER_CLIENT: &str = "leave out --client, or ask for --client wire";

/// How a run ends that stopped before all that were asked for were sent or read, `some` of them or none: a count that is
/// short is a no whatever the cause, unless no answer could be had before anything was sent or read.
pub(crate) fn short(error: &KafkaError, some: bool) -> Exit {
    let exit = CliError::from(error.clone()).exit;
    let is_answer = some || error.code().is_some() || exit != Exit::Unusable;
    if is_answer { Exit::No } else { exit }
}

/// What helps against a refusal, where anything is known to.
pub(crate) fn advice(error: &KafkaError) -> Option<String> {
    match error {
        KafkaError::Refused { code, doing, said } => {
            help(*code, doing, said.as_deref()).map(Help::hint)
        }
        _ => None,
    }
}

/// What helps against an error of Kafka.
#[derive(Debug, Clone, Copy)]
struct Help {
    /// Its name in Kafka's documentation.
    error: &'static str,
    /// Whether it is what was typed that is wrong, the answer is no, or the cluster cannot do it now.
    exit: Exit,
    /// With `{lab}` in commands, where a lab is to be named.
    hint: &'static str,
}

impl Help {
    fn hint(self) -> String {
        self.hint.replace("{lab}", &LAB.to_string())
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
        exit: Exit::Usage,
        hint,
    }
}

const fn met(error: &'static str, hint: &'static str) -> Help {
    Help {
        error,
        exit: Exit::No,
        hint,
    }
}

const fn cannot(error: &'static str, hint: &'static str) -> Help {
    Help {
        error,
        exit: Exit::Unusable,
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
        "`kmk topic alter{lab} TOPIC` changes it; --if-not-exists leaves it as it is",
    ),
    typed(
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
    typed(
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
    cannot(
        "NOT_ENOUGH_REPLICAS",
        "fewer brokers are in sync than min.insync.replicas asks for: start them, or lower it with `kmk topic alter{lab}`",
    ),
    cannot(
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "fewer brokers are in sync than min.insync.replicas asks for; what was sent may be there all the same",
    ),
    cannot(
        "KAFKA_STORAGE_ERROR",
        "the broker's disk failed or is full: its log says which",
    ),
    cannot(
        "THROTTLING_QUOTA_EXCEEDED",
        "a quota of the cluster is used up: wait longer with --timeout",
    ),
    cannot(
        "REQUEST_TIMED_OUT",
        "the brokers were too slow, and may do it yet: look again, or wait longer with --timeout",
    ),
    cannot(
        "COORDINATOR_NOT_AVAILABLE",
        "the broker that keeps the group's offsets is not there yet: wait longer with --timeout",
    ),
    cannot(
        "REASSIGNMENT_IN_PROGRESS",
        "partitions of it are being moved: try again when that is done",
    ),
    // what the cluster allows
    cannot(
        "TOPIC_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    cannot(
        "GROUP_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    cannot(
        "CLUSTER_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    cannot(
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "the cluster has access rules, and kmk comes without a name: allow it there (ACL), or use another listener",
    ),
    cannot(
        "SASL_AUTHENTICATION_FAILED",
        "kmk speaks only to listeners without authentication (PLAINTEXT)",
    ),
    cannot(
        "UNSUPPORTED_VERSION",
        "this broker is too old for it, or does not offer it",
    ),
    cannot(
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "the topic's records are of an old format: message.format.version is too low",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
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
            let told = help.hint();
            let quoted = told.split('`').skip(1).step_by(2);
            for command in quoted.filter(|quoted| quoted.starts_with("kmk ")) {
                assert!(command.contains(LAB), "{command}");
            }
            assert!(!told.contains("{lab}"), "{told}");
        }
    }

    #[test]
    fn what_the_state_of_a_cluster_asks_for_is_told() {
        let told = |number, words: &str| {
            let error = KafkaError::Refused {
                doing: "write to partition 0 of topic `x`".to_owned(),
                code: Code::numbered(number).unwrap(),
                said: None,
            };
            let hint = advice(&error).unwrap();
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
