//! README's table of exit codes, row by row: every way in which the core can fail.

use super::*;
use kafka_mirror_kit::core::docker::{DockerError, EngineCause};
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::lab::LabError;
use kafka_mirror_kit::core::lab::delete::DeleteError;
use kafka_mirror_kit::core::lab::deploy::{DeployError, Suspect};
use kafka_mirror_kit::core::lab::destroy::DestroyError;
use kafka_mirror_kit::core::lab::groups::GroupError;
use kafka_mirror_kit::core::lab::journal::JournalError;
use kafka_mirror_kit::core::lab::lag::LagError;
use kafka_mirror_kit::core::lab::link::RelayError;
use kafka_mirror_kit::core::lab::lock::LockError;
use kafka_mirror_kit::core::lab::log::LogError;
use kafka_mirror_kit::core::lab::positions::PositionError;
use kafka_mirror_kit::core::lab::preflight::Problem;
use kafka_mirror_kit::core::lab::start::StartError;
use kafka_mirror_kit::core::lab::stop::StopError;
use kafka_mirror_kit::core::lab::topics::TopicError;
use kafka_mirror_kit::core::lab::verify::{NotShown, Refusal, VerifyError};
use kafka_mirror_kit::core::lab::workdir::{Owner, WorkdirError};
use kafka_mirror_kit::core::records::consume::ConsumeError;
use kafka_mirror_kit::core::records::produce::ProduceError;
use kafka_mirror_kit::core::spec;
use kmk_kafka::message::check_topic_name;
use kmk_kafka::wait::Stop;
use kmk_kafka::{Code, Codec, KafkaError};
use std::time::Duration;

fn x() -> String {
    "x".to_owned()
}

fn late() -> Stop {
    Stop::Deadline {
        allowed: Duration::from_secs(1),
        last_seen: x(),
    }
}

fn io(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

fn full() -> io::Error {
    io(io::ErrorKind::StorageFull)
}

fn refused(number: i16) -> KafkaError {
    KafkaError::Refused {
        doing: x(),
        code: Code::numbered(number).unwrap(),
        said: None,
    }
}

fn suspect() -> Suspect {
    Suspect {
        container: x(),
        image: x(),
        state: x(),
        log: vec![],
    }
}

const HELD: fn() -> LockError = || LockError::Held {
    lab: x(),
    holder: x(),
};
const NO_LAB: fn() -> LabError = || LabError::NotFound {
    lab: x(),
    others: vec![],
};
const PORT: fn() -> Problem = || Problem::Port {
    cluster: x(),
    port: 1,
    holder: None,
};
const TAKEN: fn() -> WorkdirError = || WorkdirError::NotOurs {
    path: x().into(),
    owner: Owner::Someone,
};
const NO_TOPIC: fn() -> TopicError = || TopicError::NoTopic {
    topic: x(),
    topics: vec![],
};
const CTRL_C: Stop = Stop::Interrupted;

/// Each variant at least once: one that is missing here does not compile.
macro_rules! rows {
    ($($error:ident { $($variant:ident $fields:tt => $exit:ident,)+ })+) => {
        fn rows() -> Vec<(Exit, String, CliError)> {
            $(
                #[allow(unreachable_patterns, reason = "some variants end in two ways")]
                const _: fn(&$error) = |error| match error { $($error::$variant { .. } => (),)+ };
            )+
            vec![$($({
                let error = $error::$variant $fields;
                (Exit::$exit, format!("{}::{error:?}", stringify!($error)), CliError::from(error))
            },)+)+]
        }
    };
}

rows! {
    Stop {
        Interrupted {} => Interrupted,
        Deadline { allowed: Duration::ZERO, last_seen: x() } => Unusable,
    }
    KafkaError {
        Unreachable { addresses: vec![], refused: true, cause: x() } => Unusable,
        NoLogin { cluster: x() } => Unusable,
        Lost { address: x(), cause: x() } => Unusable,
        Silent { address: x(), waited: Duration::ZERO } => Unusable,
        Stopped (CTRL_C) => Interrupted,
        Stopped (late()) => Unusable,
        UnknownTopic { topic: x() } => Usage,
        UnknownPartition { topic: x(), partition: 1, partitions: 1 } => Usage,
        NoLeader { topic: x(), partition: 0 } => Unusable,
        Codec { topic: x(), codec: Codec::Lz4 } => Unusable,
        RecordTooLarge { topic: x(), bytes: 1 } => No,
        Unsendable { cause: x() } => No,
        Version { address: x(), mismatch: x() } => Unusable,
        CannotDo { what: x() } => Usage,
        Garbled { address: x(), cause: x() } => Unusable,
        // TOPIC_ALREADY_EXISTS, NON_EMPTY_GROUP, POLICY_VIOLATION
        Refused { doing: x(), code: Code::numbered(36).unwrap(), said: None } => No,
        Refused { doing: x(), code: Code::numbered(68).unwrap(), said: None } => No,
        Refused { doing: x(), code: Code::numbered(44).unwrap(), said: None } => No,
        // UNKNOWN_TOPIC_OR_PARTITION, GROUP_ID_NOT_FOUND, INVALID_REPLICATION_FACTOR
        Refused { doing: x(), code: Code::numbered(3).unwrap(), said: None } => Usage,
        Refused { doing: x(), code: Code::numbered(69).unwrap(), said: None } => Usage,
        Refused { doing: x(), code: Code::numbered(38).unwrap(), said: None } => Usage,
        // UNKNOWN_SERVER_ERROR, REQUEST_TIMED_OUT, TOPIC_AUTHORIZATION_FAILED
        Refused { doing: x(), code: Code::numbered(-1).unwrap(), said: None } => Unusable,
        Refused { doing: x(), code: Code::numbered(7).unwrap(), said: None } => Unusable,
        Refused { doing: x(), code: Code::numbered(29).unwrap(), said: None } => Unusable,
    }
    DockerError {
        Missing {} => Unusable,
        Podman {} => Unusable,
        Engine { cause: EngineCause::NotRunning, said: x() } => Unusable,
        NoCompose {} => Unusable,
        Failed { command: x(), code: None, said: x() } => Unusable,
        NotStarted { command: x(), cause: full() } => Unusable,
        Answer { command: x(), cause: serde_json::from_str::<u8>("").unwrap_err() } => Unusable,
        Stopped { command: x(), stop: CTRL_C } => Interrupted,
        Stopped { command: x(), stop: late() } => Unusable,
    }
    LabError {
        NotFound { lab: x(), others: vec![] } => Unusable,
        Incomplete { lab: x(), left: x() } => Unusable,
        Newer { lab: x(), found: x() } => Unusable,
        Label { lab: x(), container: x(), cause: x() } => Unusable,
        Journal (JournalError::Docker(DockerError::Missing)) => Unusable,
        Docker (DockerError::Missing) => Unusable,
    }
    JournalError {
        Newer { volume: x(), found: x() } => Unusable,
        Labels { volume: x(), cause: x() } => Unusable,
        Docker (DockerError::Missing) => Unusable,
    }
    LockError {
        Held { lab: x(), holder: x() } => Unusable,
        Io { path: x().into(), cause: full() } => Unusable,
    }
    WorkdirError {
        NotOurs { path: x().into(), owner: Owner::Lab(x()) } => Usage,
        Io { doing: "write", path: x().into(), cause: io(io::ErrorKind::NotADirectory) } => Usage,
        Io { doing: "write", path: x().into(), cause: full() } => Unusable,
    }
    ImageError {
        NotFound { image: x(), said: x() } => Unusable,
        TooOld { image: x(), version: x() } => Usage,
        NoKafka { image: x(), said: x() } => Usage,
        Docker (DockerError::Missing) => Unusable,
    }
    Problem {
        Docker (DockerError::Missing) => Unusable,
        ComposeTooOld { found: x() } => Unusable,
        ComposeTooOldForRemote { found: x() } => Unusable,
        NoBind { address: x(), host: None } => Usage,
        NotItsAddress { address: [10, 0, 0, 1].into() } => Usage,
        Port { cluster: x(), port: 1, holder: None } => Unusable,
        Workdir (TAKEN()) => Usage,
        Image (ImageError::NoKafka { image: x(), said: x() }) => Usage,
        Memory { needed: 2, there: 1, what: "free" } => Unusable,
        Disk { there: 1, path: x() } => Unusable,
        Variable { name: x(), key: x(), owner: x() } => Usage,
        NoAnswer { cluster: x(), bootstrap: x(), cause: x() } => Unusable,
        OneCluster { one: x(), other: x(), bootstrap: [x(), x()], id: x() } => Usage,
        Advertised { cluster: x(), address: x() } => Unusable,
        OnlyLoopback { cluster: x(), port: 1 } => Unusable,
        OtherMachine { cluster: x(), bootstrap: x(), engine: x() } => Unusable,
        LeftBehind { cluster: x(), bootstrap: x(), source_cluster: x(), topics: vec![] } => Unusable,
        NotOurs { project: x(), what: vec![] } => Unusable,
    }
    RelayError {
        NoAnswer { relay: x(), api: x(), cause: x() } => Unusable,
        Refused { relay: x(), what: x(), said: x() } => Unusable,
        NotSo { relay: x(), difference: x() } => Unusable,
        Stopped (CTRL_C) => Interrupted,
    }
    DeployError {
        Spec (vec![spec::Problem::NothingToRun]) => Usage,
        Preflight (vec![Problem::Workdir(TAKEN())]) => Usage,
        Preflight (vec![PORT(), Problem::Workdir(TAKEN())]) => Unusable,
        Lab (NO_LAB()) => Unusable,
        Relay (RelayError::Stopped(CTRL_C)) => Interrupted,
        OtherScenario { lab: x(), asked: spec::scenario::Scenario::Dr, found: None, flows: vec![] } => Usage,
        Lock (HELD()) => Unusable,
        Workdir (TAKEN()) => Usage,
        NoNetworkLeft {} => Unusable,
        Docker (DockerError::Missing) => Unusable,
        NotReady { what: x(), why: x(), suspect: None } => Unusable,
        DataIsNewer { cluster: x(), before: None, suspect: Box::new(suspect()) } => Unusable,
        Interrupted {} => Interrupted,
    }
    StartError {
        Lab (NO_LAB()) => Unusable,
        Lock (HELD()) => Unusable,
        Docker (DockerError::Missing) => Unusable,
        Incomplete { lab: x(), services: vec![] } => Unusable,
        NotUp (DeployError::Preflight(vec![PORT()])) => Unusable,
        NotUp (DeployError::Interrupted) => Interrupted,
    }
    StopError {
        Lab (NO_LAB()) => Unusable,
        Lock (HELD()) => Unusable,
        Docker (DockerError::Missing) => Unusable,
        Interrupted { lab: x(), running: vec![] } => Interrupted,
    }
    DestroyError {
        Docker (DockerError::Missing) => Unusable,
        NotOurs (Box::new(Problem::NotOurs { project: x(), what: vec![] })) => Unusable,
        Lab (NO_LAB()) => Unusable,
        Lock (HELD()) => Unusable,
        Workdir (TAKEN()) => Usage,
        Stopped (CTRL_C) => Interrupted,
        Stopped (late()) => Unusable,
        Interrupted { lab: x(), left: x() } => Interrupted,
    }
    LogError {
        UnknownService { lab: x(), service: x(), known: vec![] } => Usage,
        NoContainer { service: x() } => Unusable,
        Docker (DockerError::Missing) => Unusable,
        Stopped (CTRL_C) => Interrupted,
        Stopped (late()) => Unusable,
    }
    ProduceError {
        TopicName (check_topic_name("").unwrap_err()) => Usage,
        Stamped { topic: x(), is_there: true } => Usage,
        Kafka (refused(7)) => Unusable,
        Thread (full()) => Unusable,
    }
    ConsumeError {
        NoTopic { topic: x(), waited: Duration::ZERO, topics: vec![] } => No,
        Kafka (refused(7)) => Unusable,
        Sink (full()) => Unusable,
    }
    VerifyError {
        Refused (Refusal::NoFlows) => Usage,
        NoTopic { topic: x(), cluster: x(), topics: vec![] } => Usage,
        Busy { topic: x(), cluster: x(), holder: x() } => Unusable,
        Lock (HELD()) => Unusable,
        NotShown (Box::new(NotShown {
            flow: x(), topic: x(), target: x(), remote: x(), seen: x(), waited: Duration::ZERO,
        })) => No,
        Kafka (refused(7)) => Unusable,
        Thread (full()) => Unusable,
    }
    Refusal {
        NoFlows {} => Usage,
        NoFlow { name: x(), known: vec![] } => Usage,
        Internal { topic: x() } => Usage,
        Excluded { flow: x(), topic: x(), pattern: x() } => Usage,
        NotIncluded { flow: x(), topic: x(), patterns: vec![] } => Usage,
        Copy { topic: x(), cluster: x(), of: x(), source_cluster: x() } => Usage,
        Cycle { flow: x(), topic: x(), target: x() } => Usage,
        Uninvited { flow: x(), cluster: x() } => Usage,
        TooLong { flow: x(), remote: x() } => Usage,
    }
    TopicError {
        NoTopic { topic: x(), topics: vec![] } => Usage,
        BeyondEnd { topic: x(), partition: 0, offset: 2, end: 1 } => Usage,
        NoSetting { name: x(), known: vec![] } => Usage,
        Kafka (refused(7)) => Unusable,
    }
    GroupError {
        NoGroup { group: x(), groups: vec![] } => Usage,
        Active { group: x(), members: vec![] } => No,
        NoPlace { group: x(), topic: x() } => No,
        Topic (NO_TOPIC()) => Usage,
        Kafka (refused(7)) => Unusable,
    }
    PositionError {
        Kafka (KafkaError::Stopped(CTRL_C)) => Interrupted,
        Docker (DockerError::Missing) => Unusable,
        Lock (HELD()) => Unusable,
        Runs (x()) => Unusable,
    }
    DeleteError {
        Topic (NO_TOPIC()) => Usage,
        OutOfReach { topic: x(), target: x(), cause: refused(7) } => Unusable,
        NotRestarted { topic: x(), cause: HELD().into() } => Unusable,
        NotReset { target: x(), cause: DockerError::Missing.into() } => Unusable,
        NotReset { target: x(), cause: KafkaError::Stopped(CTRL_C).into() } => Interrupted,
    }
    LagError {
        Kafka (refused(7)) => Unusable,
        Stopped (CTRL_C) => Interrupted,
    }
}

#[test]
fn every_error_has_its_exit_code() {
    for (exit, error, told) in rows() {
        assert_eq!(told.exit, exit, "{error}");
    }
}

#[test]
fn what_a_command_finds_itself_has_one_too() {
    let file = |kind| CliError::file("cannot write x", &io(kind));
    let no_such = BadLabFile {
        path: "kmk.yml".into(),
        problems: vec![],
    };
    for (exit, told) in [
        (Exit::Usage, CliError::unknown("flow", "x", &[])),
        (Exit::Usage, no_such.into()),
        (Exit::Usage, file(io::ErrorKind::NotFound)),
        (Exit::Usage, file(io::ErrorKind::PermissionDenied)),
        (Exit::Unusable, file(io::ErrorKind::StorageFull)),
        (Exit::Unusable, file(io::ErrorKind::QuotaExceeded)),
        (Exit::Unusable, file(io::ErrorKind::FileTooLarge)),
        (Exit::Unusable, CliError::unwritten(&full())),
    ] {
        assert_eq!(told.exit, exit, "{told:?}");
    }
}

#[test]
fn a_count_that_is_short_is_a_no_unless_nothing_was_ever_answered() {
    let silent = KafkaError::Silent {
        address: x(),
        waited: Duration::ZERO,
    };
    let too_large = KafkaError::RecordTooLarge {
        topic: x(),
        bytes: 1,
    };
    assert_eq!(short(&silent, true), Exit::No);
    assert_eq!(short(&silent, false), Exit::Unusable);
    let interrupted = KafkaError::Stopped(Stop::Interrupted);
    assert_eq!(short(&interrupted, false), Exit::Interrupted);
    // that is an answer
    assert_eq!(short(&refused(29), false), Exit::No);
    assert_eq!(short(&too_large, false), Exit::No);
}

#[test]
fn readme_has_a_row_for_each_exit_code() {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme
        .split_once("| exit code | meaning |\n|---|---|\n")
        .unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| "));
    let codes: Vec<u8> = rows
        .map(|row| row.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let exits = [
        Exit::Done,
        Exit::No,
        Exit::Usage,
        Exit::Unusable,
        Exit::Interrupted,
    ];
    assert_eq!(codes, exits.map(|exit| exit as u8));
}
