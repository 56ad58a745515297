//! The words of answers that are hard to bring about, and that none is without a remedy.

use super::words::Words;
use super::*;
use kafka_mirror_kit::core::explain::{
    Beyond, Contents, Facts, Failure, Obstacle, Refresh, Tight, Whose, Worker,
};
use kafka_mirror_kit::core::selection::{InternalName, Selection};

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
            source: "primary".to_owned(),
            target: "secondary".to_owned(),
            elsewhere: Vec::new(),
            flows: Vec::new(),
            nearest: None,
            selection: Selection::Taken,
            topics: Vec::new(),
            whose: Whose::Default,
            disabled_by: None,
            workers: vec![worker("running")],
            cut_off: Vec::new(),
            down: Vec::new(),
            original: Sight::There(contents),
            copy: Sight::There(contents),
            failures: Vec::new(),
            tight: Vec::new(),
            problems: Vec::new(),
            assigned: Some(3),
            refresh: refresh(),
            obstacle: None,
            behind: Some(2),
            seconds_behind: None,
            lost: 0,
            never_copied: 0,
            beyond: None,
            first_is_there: Some(true),
            made_here: false,
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

fn refresh() -> Refresh {
    Refresh::new(600, None, 0)
}

/// An answer of each kind.
fn all() -> Vec<Answer> {
    let text = || "x".to_owned();
    let list = || vec![text()];
    vec![
        Answer::NoSuchTopic { nearest: None },
        Answer::OnlyTheCopy,
        Answer::NoFlow {
            on: list(),
            flows: list(),
        },
        Answer::Excluded {
            pattern: text(),
            whose: Whose::Edited,
        },
        Answer::NotListed { topics: list() },
        Answer::Internal {
            rule: InternalName::Suffix,
        },
        Answer::Cycle,
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
        Answer::Failed {
            failures: vec![Failure {
                part: text(),
                cause: None,
            }],
            tight: Vec::new(),
        },
        Answer::Locked { clusters: list() },
        Answer::Unjudged {
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
        Answer::Ill { problems: list() },
        Answer::Uncounted,
        Answer::NothingProduced { ever: 0 },
        Answer::CopyLost { records: 3 },
        Answer::NeverCopied { records: 3 },
        Answer::SourceRecreated(Beyond {
            position: 9,
            end: 3,
        }),
        Answer::BegunInTheMidst,
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
        let words = Words::of(&explanation(answer.clone()), " --lab two");
        assert!(
            !words.what.is_empty() && words.seen.len() >= 2,
            "{answer:?}"
        );
        assert!(!words.todo.is_empty(), "{answer:?}");
        // whatever is typed is about the same lab
        let commands = words.todo.iter().filter(|todo| todo.starts_with("kmk "));
        for command in commands {
            assert!(command.contains("--lab two"), "{command}");
        }
    }
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
    let text = anstream::adapter::strip_str(&told(replicas)).to_string();
    assert!(text.contains("`primary.orders` cannot be made on secondary: 3 replicas are asked for, and there is 1 broker\n"), "{text}");
    assert!(
        text.contains("do: set replication.factor of the flow to 1 at most, then `kmk deploy`"),
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
            of_original: 16_777_216,
            of_copy: 1000,
        }],
    };
    let text = anstream::adapter::strip_str(&told(failed)).to_string();
    let expected = "\
primary->secondary: stands still: MirrorSourceConnector-0 of MirrorMaker has failed
  seen: `orders` on primary: 3 partitions, 10 records
  seen: `primary.orders` on secondary: 3 partitions, 10 records
  seen: RecordTooLargeException: too large
  seen: `primary.big` takes 1.0 kB, and `big` 16.8 MB
  seen: MirrorMaker starts anew by itself, until it works; all topics of the flow wait for it
  seen: 2 records not copied
  do: kmk topic alter primary.big --config max.message.bytes=16777216 --cluster secondary --force
  do: kmk logs mm2-secondary";
    assert_eq!(text, expected);
}
