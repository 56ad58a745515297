//! Texts of answers that are hard to bring about; each must have a remedy.

use super::super::output::harmless;
use super::messages::Messages;
use super::*;
use kafka_mirror_kit::core::judge::culprit::{Culprit, Why};
use kafka_mirror_kit::core::judge::explain::{
    Beyond, Contents, Facts, Failure, Missing, Obstacle, OpenTransaction, Origin, Refresh, Tight,
    Whose, Worker,
};
use kafka_mirror_kit::core::judge::lag::Past;
use kafka_mirror_kit::core::mirrormaker::patterns::Selection;
use kafka_mirror_kit::core::topology::InternalName;

fn explanation(answer: Answer) -> Explanation {
    let contents = Contents {
        partitions: 3,
        records: 10,
        ever: 12,
    };
    Explanation {
        flow: "primary->secondary".to_owned(),
        topic: "orders".to_owned(),
        remote: "primary.orders".to_owned(),
        mirrored: answer.is_mirrored(),
        answer,
        seen: Facts {
            topic: "orders".to_owned(),
            source: "primary".to_owned(),
            target: "secondary".to_owned(),
            elsewhere: Vec::new(),
            flows: Vec::new(),
            nearest: None,
            selection: Selection::Included,
            included_by_name: false,
            origin: None,
            topics: Vec::new(),
            whose: Whose::Default,
            disabled_by: None,
            workers: vec![worker("running")],
            cut_off: Vec::new(),
            cut: None,
            down: Vec::new(),
            original: Sight::There(contents),
            copy: Sight::There(contents),
            ended: None,
            culprits: Vec::new(),
            failures: Vec::new(),
            tight: Vec::new(),
            problems: Vec::new(),
            is_uncertain: false,
            assigned: Some(3),
            refresh: refresh(),
            obstacle: None,
            behind: Some(2),
            seconds_behind: None,
            lost: 0,
            missing: Vec::new(),
            open: Vec::new(),
            transactions: false,
            never_copied: 0,
            is_never_copied_exact: false,
            past: None,
            losses: Vec::new(),
            possibly_never_copied: 0,
            starts_at_end: false,
            beyond: None,
            is_first_mirrored: Some(true),
        },
    }
}

fn worker(state: &str) -> Worker {
    Worker {
        service: "mm2-secondary".to_owned(),
        container: Some("kmk-two-mm2-secondary-1".to_owned()),
        state: state.to_owned(),
        described: format!("is {state}"),
    }
}

fn culprit() -> Culprit {
    Culprit {
        topic: "small".to_owned(),
        lab: "two".to_owned(),
        remote: "primary.small".to_owned(),
        stops_flow: true,
        why: Why::BatchTooLarge {
            setting: "max.message.bytes",
            takes: 100_000,
            sends: 262_144,
        },
    }
}

fn refresh() -> Refresh {
    Refresh::new(600, None, 0)
}

/// An answer of each kind.
fn all() -> Vec<Answer> {
    let text = || "x".to_owned();
    let list = || vec![text()];
    vec![
        Answer::NoSuchTopic { nearest: None },
        Answer::SourceTopicMissing,
        Answer::NoFlow {
            on: list(),
            flows: list(),
        },
        Answer::Excluded {
            pattern: text(),
            whose: Whose::Edited,
        },
        Answer::NotListed {
            topics: list(),
            whose: Whose::Lab,
        },
        Answer::Internal {
            rule: InternalName::Suffix,
        },
        Answer::Cycle {
            origin: Origin::Mirrored,
        },
        Answer::Cycle {
            origin: Origin::NoFlow { flow: text() },
        },
        Answer::NameTooLong {
            length: 250,
            most: 249,
        },
        Answer::Disabled { file: text() },
        Answer::MirrorMakerDown {
            workers: vec![worker("paused")],
        },
        Answer::LinkCut { clusters: list() },
        Answer::SourceUnreachable { problem: text() },
        Answer::TargetUnreachable { problem: text() },
        Answer::MirrorMakerEnded { cause: text() },
        Answer::Blocking { culprit: culprit() },
        Answer::Blocked {
            culprits: vec![culprit()],
        },
        Answer::Failed {
            failures: vec![Failure {
                part: text(),
                cause: None,
            }],
            tight: Vec::new(),
        },
        Answer::Secured { clusters: list() },
        Answer::NotEvaluated {
            patterns: list(),
            refresh: refresh(),
        },
        Answer::NotRefreshed { refresh: refresh() },
        Answer::NotCreated {
            obstacle: None,
            refresh: refresh(),
        },
        Answer::FewerPartitions {
            copied: 1,
            of: 3,
            refresh: refresh(),
        },
        Answer::Unhealthy {
            problems: list(),
            certain: true,
        },
        Answer::OffsetsUnknown,
        Answer::NothingProduced { ever: 0 },
        Answer::MirroredRecordsLost { records: 3 },
        Answer::NeverCopied {
            records: 3,
            exact: true,
        },
        Answer::LostBetweenLooks(Past {
            never_copied: 3,
            ..Past::default()
        }),
        Answer::PossiblyNeverCopied { offsets: 3 },
        Answer::StartedAtEnd,
        Answer::SourceRecreated(Beyond {
            position: 9,
            end: 3,
        }),
        Answer::StartedMidway,
        Answer::AllCommitted { records: 3 },
        Answer::Behind {
            records: 3,
            seconds: Some(0.25),
        },
        Answer::UpToDate { records: 3 },
    ]
}

#[test]
fn no_answer_is_without_words_and_a_remedy() {
    for answer in all() {
        let messages = Messages::of(&explanation(answer.clone()), " --lab two");
        assert!(
            !messages.what.is_empty() && messages.seen.len() >= 2,
            "{answer:?}"
        );
        assert!(!messages.todo.is_empty(), "{answer:?}");
        // whatever is typed is about the same lab
        let commands = messages.todo.iter().filter(|todo| todo.starts_with("kmk "));
        for command in commands {
            assert!(command.contains("--lab two"), "{command}");
        }
    }
}

/// As it is written where no colors are.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(&harmless(text)).to_string()
}

#[test]
fn what_is_advised_can_be_done() {
    let told = |answer: Answer, topic: &str| {
        let mut explanation = explanation(answer);
        topic.clone_into(&mut explanation.topic);
        Messages::of(&explanation, "").todo
    };
    let on = |flows: &[&str]| Answer::NoFlow {
        on: vec!["secondary".to_owned()],
        flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
    };
    let create = "kmk topic create orders --cluster primary";
    assert_eq!(
        told(on(&["primary->secondary"]), "orders"),
        [
            create,
            "add a flow from secondary to the lab file, then `kmk deploy`"
        ]
    );
    // there is one
    assert_eq!(
        told(on(&["secondary->primary"]), "orders"),
        [create, "kmk explain orders --flow 'secondary->primary'"]
    );
    let long = told(on(&[]), &"l".repeat(240));
    assert!(long[1].starts_with("use another name: "), "{long:?}");
    let internal = |topic| {
        let rule = InternalName::Underscores;
        told(Answer::Internal { rule }, topic)
    };
    assert_eq!(
        internal("__consumer_offsets"),
        ["kmk group list  # committed offsets are mirrored separately"]
    );
    assert_eq!(internal("__x"), ["if it is yours, use another name"]);
}

#[test]
fn what_is_brought_again_is_what_is_missing_or_said_to_repeat() {
    let mut lost = explanation(Answer::MirroredRecordsLost { records: 90 });
    let missing = Missing {
        partition: 0,
        from: 10,
        until: 100,
        is_exact: true,
        has_keys: false,
    };
    lost.seen.missing = vec![
        missing,
        Missing {
            partition: 1,
            is_exact: false,
            has_keys: true,
            ..missing
        },
    ];
    let expected = [
        "kmk consume orders --cluster primary --partition 0 --from 10 --until 100 | kmk produce primary.orders --cluster secondary --partition 0 --file - --force  # values only",
        r"kmk consume orders --cluster primary --partition 1 --from 10 --until 100 --format '%k\t%v' | kmk produce primary.orders --cluster secondary --partition 1 --file - --key-separator $'\t' --force  # keys and values only; duplicates what is already there",
    ];
    let todo = Messages::of(&lost, "").todo;
    assert_eq!(todo[..2], expected);
    assert!(
        todo[2].starts_with("kmk topic delete primary.orders "),
        "{todo:?}"
    );
}

#[test]
fn a_transaction_that_is_waited_for_is_told_of() {
    let mut behind = explanation(Answer::Behind {
        records: 3,
        seconds: None,
    });
    assert_eq!(
        Messages::of(&behind, "").todo,
        ["kmk explain orders  # check again"]
    );
    let (partition, offset) = (1, 7);
    behind.seen.open = vec![OpenTransaction { partition, offset }];
    let messages = Messages::of(&behind, "");
    let told = "a transaction that started at offset 7 of partition 1 is still open: ";
    assert!(
        messages.seen.last().unwrap().starts_with(told),
        "{:?}",
        messages.seen
    );
    assert!(
        messages.todo[0].contains("transaction.timeout.ms"),
        "{:?}",
        messages.todo
    );
}

#[test]
fn a_copy_that_is_shorter_is_explained_with_what_is_there() {
    let mut whole = explanation(Answer::UpToDate { records: 10 });
    let last = |explanation: &Explanation| Messages::of(explanation, "").seen.pop().unwrap();
    let ends =
        "MirrorMaker has mirrored `orders` up to its end, and its first record is on secondary";
    assert_eq!(last(&whole), ends);
    whole.seen.copy = Sight::There(Contents {
        partitions: 3,
        records: 9,
        ever: 9,
    });
    assert_eq!(last(&whole), ends);
    whole.seen.transactions = true;
    let told = last(&whole);
    assert!(
        told.starts_with("the source topic has more offsets than the mirrored topic: "),
        "{told}"
    );
}

#[test]
fn a_topic_that_was_just_created_does_not_stand_still() {
    let mut new = explanation(Answer::NotRefreshed {
        refresh: Refresh::new(1, None, 0),
    });
    let first = |explanation: &Explanation| describe(explanation, "").lines().next().map(plain);
    let looks =
        "MirrorMaker has not looked for new topics since it was created (it looks every 1 s)";
    assert_eq!(
        first(&new),
        Some(format!("primary->secondary: not mirrored yet: {looks}"))
    );
    new.seen.copy = Sight::Absent;
    assert_eq!(
        first(&new),
        Some(format!("primary->secondary: not created yet: {looks}"))
    );
}

#[test]
fn obstacles_and_failures_say_what_would_help() {
    let told = |answer| describe(&explanation(answer), "");
    let replicas = Answer::NotCreated {
        obstacle: Some(Obstacle::Replicas {
            asked: 3,
            brokers: 1,
        }),
        refresh: refresh(),
    };
    let text = plain(&told(replicas));
    assert!(text.contains("`primary.orders` cannot be created on secondary: 3 replicas are required, and there is 1 broker\n"), "{text}");
    assert!(
        text.contains("do: set the flow's replication.factor to at most 1, then `kmk deploy`"),
        "{text}"
    );
    let failed = Answer::Failed {
        failures: vec![Failure {
            part: "MirrorSourceConnector-0".to_owned(),
            cause: Some("RecordTooLargeException: too large".to_owned()),
        }],
        tight: vec![Tight {
            topic: "big".to_owned(),
            remote: "primary.big".to_owned(),
            source_bytes: 16_777_216,
            remote_bytes: 1000,
        }],
    };
    let text = plain(&told(failed));
    let expected = "\
primary->secondary: makes no progress: MirrorMaker's MirrorSourceConnector-0 has failed
  seen: `orders` on primary: 3 partitions, 10 records
  seen: `primary.orders` on secondary: 3 partitions, 10 records
  seen: RecordTooLargeException: too large
  seen: `primary.big` accepts 1.0 kB, and `big` 16.8 MB
  seen: MirrorMaker restarts by itself until it works; all topics of the flow wait for it
  seen: 2 records not mirrored
  do: kmk topic alter primary.big --config max.message.bytes=16777216 --cluster secondary --force
  do: kmk logs mm2-secondary";
    assert_eq!(text, expected);
}
