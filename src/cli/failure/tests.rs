//! The table of exit codes, row by row.

use super::*;
use crate::cli::chosen::Chosen;
use crate::cli::output::Color;
use crate::cli::{DefaultCluster, Output};
use anyhow::Error;
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::lab::groups::GroupError;
use kafka_mirror_kit::core::lab::preflight::Problem;
use kafka_mirror_kit::core::lab::topics::TopicError;
use kafka_mirror_kit::core::lab::workdir::Owner;
use kafka_mirror_kit::core::spec;
use kmk_kafka::Code;
use kmk_kafka::wait::Interrupt;
use std::time::Duration;

fn name() -> String {
    "x".to_owned()
}

fn deadline() -> Stop {
    Stop::Deadline {
        allowed: Duration::from_secs(1),
        last_seen: name(),
    }
}

fn io_error() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn refused(number: i16) -> Error {
    let (code, doing, said) = (Code::numbered(number).unwrap(), name(), None);
    KafkaError::Refused { doing, code, said }.into()
}

fn preflight(problem: Problem) -> Error {
    DeployError::Preflight(vec![problem]).into()
}

fn port() -> Problem {
    let (cluster, port, holder) = (name(), 19_092, None);
    Problem::Port {
        cluster,
        port,
        holder,
    }
}

fn workdir() -> WorkdirError {
    WorkdirError::NotOurs {
        path: "kmk-lab".into(),
        owner: Owner::Lab(name()),
    }
}

fn no_lab() -> LabError {
    let (lab, others) = (name(), Vec::new());
    LabError::NotFound { lab, others }
}

fn held() -> LockError {
    let (lab, holder) = (name(), name());
    LockError::Held { lab, holder }
}

fn docker_stopped(stop: Stop) -> DockerError {
    let command = name();
    DockerError::Stopped { command, stop }
}

/// An answer, and it is no.
fn no(chosen: &Chosen) -> Vec<Error> {
    vec![
        chosen.of_group(GroupError::Active {
            group: name(),
            members: Vec::new(),
        }),
        chosen.of_group(GroupError::NoPlace {
            group: name(),
            topic: name(),
        }),
        KafkaError::RecordTooLarge {
            topic: name(),
            bytes: 1,
        }
        .into(),
        KafkaError::Unsendable { cause: name() }.into(),
        refused(36), // TOPIC_ALREADY_EXISTS
        refused(68), // NON_EMPTY_GROUP
        refused(44), // POLICY_VIOLATION
    ]
}

/// What was typed, or names what is not there.
fn usage(chosen: &Chosen) -> Vec<Error> {
    let (topic, known) = (name(), Vec::new);
    let mut errors: Vec<Error> = ["cluster", "flow"]
        .map(|kind| Told::unknown(kind, "x", &[]).into())
        .into();
    errors.extend([
        chosen.of_topic(TopicError::NoTopic {
            topic: name(),
            topics: known(),
        }),
        chosen.of_topic(TopicError::NoSetting {
            name: name(),
            known: known(),
        }),
        chosen.of_topic(TopicError::BeyondEnd {
            topic: name(),
            partition: 0,
            offset: 2,
            end: 1,
        }),
        chosen.of_group(GroupError::NoGroup {
            group: name(),
            groups: known(),
        }),
        LogError::UnknownService {
            lab: name(),
            service: name(),
            known: known(),
        }
        .into(),
        KafkaError::UnknownTopic { topic }.into(),
        KafkaError::UnknownPartition {
            topic: name(),
            partition: 1,
            partitions: 1,
        }
        .into(),
        KafkaError::CannotDo { what: name() }.into(),
        refused(3),  // UNKNOWN_TOPIC_OR_PARTITION
        refused(69), // GROUP_ID_NOT_FOUND
        refused(38), // INVALID_REPLICATION_FACTOR
        DeployError::Spec(vec![spec::Problem::UnknownCluster {
            name: name(),
            known: known(),
        }])
        .into(),
        workdir().into(),
        DeployError::Workdir(workdir()).into(),
        DestroyError::Workdir(workdir()).into(),
        preflight(Problem::Workdir(workdir())),
        Told::file("cannot read x", io_error()).into(),
        BadLabFile {
            path: "kmk.yml".into(),
            problems: Vec::new(),
        }
        .into(),
    ]);
    errors
}

/// There is nothing to work with.
fn unusable() -> Vec<Error> {
    let address = name;
    let lock_file = LockError::Io {
        path: "x".into(),
        cause: io_error(),
    };
    let not_ours = Problem::NotOurs {
        project: name(),
        what: Vec::new(),
    };
    vec![
        no_lab().into(),
        DeployError::Lab(no_lab()).into(),
        StartError::Lab(no_lab()).into(),
        StopError::Lab(no_lab()).into(),
        DestroyError::Lab(no_lab()).into(),
        LabError::Incomplete {
            lab: name(),
            left: name(),
        }
        .into(),
        LabError::Newer {
            lab: name(),
            found: name(),
        }
        .into(),
        StartError::Incomplete {
            lab: name(),
            services: Vec::new(),
        }
        .into(),
        DeployError::NotReady {
            what: name(),
            why: name(),
            suspect: None,
        }
        .into(),
        DeployError::NoNetworkLeft.into(),
        LogError::NoContainer { service: name() }.into(),
        LogError::Stopped(deadline()).into(),
        held().into(),
        lock_file.into(),
        DeployError::Lock(held()).into(),
        StartError::Lock(held()).into(),
        StopError::Lock(held()).into(),
        DestroyError::Lock(held()).into(),
        preflight(port()),
        DeployError::Preflight(vec![port(), Problem::Workdir(workdir())]).into(),
        preflight(Problem::Image(ImageError::NotFound {
            image: name(),
            said: name(),
        })),
        DestroyError::NotOurs(Box::new(not_ours)).into(),
        DockerError::Missing.into(),
        DockerError::Podman.into(),
        DockerError::NoCompose.into(),
        docker_stopped(deadline()).into(),
        DestroyError::Stopped(deadline()).into(),
        KafkaError::Unreachable {
            addresses: Vec::new(),
            refused: true,
            cause: name(),
        }
        .into(),
        KafkaError::NoLogin { cluster: name() }.into(),
        KafkaError::Lost {
            address: address(),
            cause: name(),
        }
        .into(),
        KafkaError::Silent {
            address: address(),
            waited: Duration::ZERO,
        }
        .into(),
        KafkaError::Garbled {
            address: address(),
            cause: name(),
        }
        .into(),
        KafkaError::Version {
            address: address(),
            mismatch: name(),
        }
        .into(),
        KafkaError::NoLeader {
            topic: name(),
            partition: 0,
        }
        .into(),
        KafkaError::Stopped(deadline()).into(),
        deadline().into(),
        refused(-1), // UNKNOWN_SERVER_ERROR
        refused(7),  // REQUEST_TIMED_OUT
        refused(29), // TOPIC_AUTHORIZATION_FAILED
        Told::unwritten(io_error()).into(),
        anyhow::anyhow!("of which nobody thought"),
    ]
}

fn interrupted() -> Vec<Error> {
    vec![
        Stop::Interrupted.into(),
        DeployError::Interrupted.into(),
        docker_stopped(Stop::Interrupted).into(),
        KafkaError::Stopped(Stop::Interrupted).into(),
        LogError::Stopped(Stop::Interrupted).into(),
        DestroyError::Stopped(Stop::Interrupted).into(),
        StopError::Interrupted {
            lab: name(),
            running: Vec::new(),
        }
        .into(),
        DestroyError::Interrupted {
            lab: name(),
            left: name(),
        }
        .into(),
    ]
}

#[test]
fn every_kind_of_error_has_its_exit_code() {
    let context = Context {
        output: Output::new(true, false, Color::Never),
        interrupt: Interrupt::default(),
        lab: name(),
        is_lab_typed: false,
        directory: None,
    };
    let address = ["localhost:19092".parse().unwrap()];
    let chosen = Chosen::find(&context, None, &address, DefaultCluster::FirstSource).unwrap();
    for (code, errors) in [
        (NO, no(&chosen)),
        (USAGE, usage(&chosen)),
        (UNUSABLE, unusable()),
        (INTERRUPTED, interrupted()),
    ] {
        for error in errors {
            let found = Failure::of(&error, &context).code;
            assert_eq!(found, code, "{error}: {error:?}");
        }
    }
}
