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
                let hint = format!(
                    "`kmk status{LAB}` shows the lab's health; `kmk deploy{LAB}` repairs it"
                );
                (Exit::Unusable, Some(hint))
            }
            KafkaError::NoLogin { .. } => {
                let hint = "use Kafka's own tools with the same properties";
                (Exit::Unusable, Some(hint.to_owned()))
            }
            KafkaError::Version { .. } => {
                let hint = "kmk supports Kafka 3.3 and later";
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
pub(crate) const OTHER_CLIENT: &str = "leave --client out, or use --client wire";

/// How a run ends that stopped before all that were asked for were sent or read, `some` of them or none: a count that is
/// short is a no whatever the cause, unless no answer could be had before anything was sent or read.
pub(crate) fn short(error: &KafkaError, some: bool) -> Exit {
    let exit = CliError::from(error.clone()).exit;
    if exit == Exit::Interrupted {
        return exit;
    }
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
    /// Invalid input, a failed check, or a cluster that cannot do it now.
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
                "Kafka creates at most 10000 partitions in one request: ask for fewer, and add more later with `kmk topic alter{lab}`",
            )
        }
        "POLICY_VIOLATION" if is_removal => met(
            help.error,
            "records can be deleted only if cleanup.policy includes `delete`",
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
        "the replication factor cannot exceed the number of brokers; without --replicas the broker's default applies",
    ),
    typed(
        "INVALID_PARTITIONS",
        "the number of partitions can only grow; for fewer, create another topic and copy the records",
    ),
    typed(
        "INVALID_CONFIG",
        "`kmk topic describe{lab} TOPIC` shows the settings in Kafka's own format",
    ),
    typed(
        "INVALID_TOPIC_EXCEPTION",
        "a topic name has at most 249 letters, digits, `.`, `_` and `-`; names that differ only in `.` and `_` collide",
    ),
    typed(
        "OFFSET_OUT_OF_RANGE",
        "`kmk topic describe{lab} TOPIC` shows the start and end offset of each partition",
    ),
    typed(
        "INVALID_GROUP_ID",
        "a group needs a name that no group of another type has",
    ),
    typed(
        "UNSUPPORTED_COMPRESSION_TYPE",
        "zstd needs Kafka 2.1 or later: choose another --compression",
    ),
    typed(
        "INVALID_TIMESTAMP",
        "the topic accepts only timestamps close to the broker's clock: see message.timestamp.before.max.ms and message.timestamp.after.max.ms",
    ),
    typed(
        "INVALID_RECORD",
        "a compacted topic does not accept records without a key",
    ),
    // how topics and groups are
    met(
        "TOPIC_ALREADY_EXISTS",
        "`kmk topic alter{lab} TOPIC` changes it; --if-not-exists leaves it as it is",
    ),
    typed(
        "UNKNOWN_TOPIC_OR_PARTITION",
        "`kmk topic list{lab} --all` lists all topics",
    ),
    met(
        "TOPIC_DELETION_DISABLED",
        "delete.topic.enable is false on the broker; `kmk topic truncate{lab}` can still delete the records",
    ),
    met(
        "NON_EMPTY_GROUP",
        "stop its members first: `kmk group describe{lab} GROUP` lists them",
    ),
    typed(
        "GROUP_ID_NOT_FOUND",
        "`kmk group list{lab}` lists all groups",
    ),
    met(
        "GROUP_SUBSCRIBED_TO_TOPIC",
        "stop the members that read the topic first: `kmk group describe{lab} GROUP` lists them",
    ),
    met(
        "UNKNOWN_MEMBER_ID",
        "the group has members now: stop them first; `kmk group describe{lab} GROUP` lists them",
    ),
    met(
        "ILLEGAL_GENERATION",
        "the group has members now: stop them first; `kmk group describe{lab} GROUP` lists them",
    ),
    met(
        "INCONSISTENT_GROUP_PROTOCOL",
        "the group's members use another protocol: choose another --group",
    ),
    met(
        "GROUP_MAX_SIZE_REACHED",
        "the broker's group.max.size allows no more members",
    ),
    met(
        "FENCED_INSTANCE_ID",
        "another member with the same group.instance.id took its place",
    ),
    met(
        "MESSAGE_TOO_LARGE",
        "the limit is the topic's max.message.bytes: `kmk topic alter{lab} TOPIC --config max.message.bytes=N`",
    ),
    met(
        "RECORD_LIST_TOO_LARGE",
        "a batch cannot be larger than the topic's segment.bytes",
    ),
    met(
        "POLICY_VIOLATION",
        "a policy of the broker does not allow it",
    ),
    // how the cluster is
    cannot(
        "NOT_ENOUGH_REPLICAS",
        "fewer replicas are in sync than min.insync.replicas requires: start their brokers, or lower it with `kmk topic alter{lab}`",
    ),
    cannot(
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "fewer replicas are in sync than min.insync.replicas requires; the records may have been written all the same",
    ),
    cannot(
        "KAFKA_STORAGE_ERROR",
        "the broker's disk failed or is full; its log says which",
    ),
    cannot(
        "THROTTLING_QUOTA_EXCEEDED",
        "a quota of the cluster is exceeded: wait longer with --timeout",
    ),
    cannot(
        "REQUEST_TIMED_OUT",
        "the brokers did not finish in time, and still may: check again, or wait longer with --timeout",
    ),
    cannot(
        "COORDINATOR_NOT_AVAILABLE",
        "the group coordinator is not available yet: wait longer with --timeout",
    ),
    cannot(
        "REASSIGNMENT_IN_PROGRESS",
        "its partitions are being reassigned: try again when that is done",
    ),
    // what the cluster allows
    cannot(
        "TOPIC_AUTHORIZATION_FAILED",
        "the cluster uses ACLs, and kmk connects without credentials: allow anonymous access, or use another listener",
    ),
    cannot(
        "GROUP_AUTHORIZATION_FAILED",
        "the cluster uses ACLs, and kmk connects without credentials: allow anonymous access, or use another listener",
    ),
    cannot(
        "CLUSTER_AUTHORIZATION_FAILED",
        "the cluster uses ACLs, and kmk connects without credentials: allow anonymous access, or use another listener",
    ),
    cannot(
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "the cluster uses ACLs, and kmk connects without credentials: allow anonymous access, or use another listener",
    ),
    cannot(
        "SASL_AUTHENTICATION_FAILED",
        "kmk connects only to listeners without authentication (PLAINTEXT)",
    ),
    cannot(
        "UNSUPPORTED_VERSION",
        "the broker is too old for this, or does not support it",
    ),
    cannot(
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "the topic's message format is too old: message.format.version is too low",
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
        told(19, "start their brokers, or lower it");
        told(20, "may have been written all the same");
        // as a broker whose disk is full refuses each record
        told(56, "the broker's disk failed or is full");
        told(89, "a quota of the cluster is exceeded");
        told(7, "did not finish in time, and still may");
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
            "a policy of the broker does not allow it"
        );
        let said = Some("Excessively large number of partitions per request.");
        let many = help(policy, "create topic `x`", said).unwrap().hint;
        assert!(many.contains("10000 partitions"), "{many}");
    }
}
