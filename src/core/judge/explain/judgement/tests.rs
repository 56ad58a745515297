//! Each answer, and the order they come in.

use super::*;
use crate::core::judge::culprit::{Culprit, Why};
use crate::core::judge::explain::{Beyond, Failure, Obstacle, Origin, Refresh, Whose};
use crate::core::judge::lag::Past;
use crate::core::topology::InternalName;

/// A topic that is mirrored, all of it.
fn well() -> Facts {
    let contents = Contents {
        partitions: 3,
        records: 10,
        ever: 12,
    };
    Facts {
        topic: "orders".to_owned(),
        source: "primary".to_owned(),
        target: "secondary".to_owned(),
        elsewhere: Vec::new(),
        flows: vec!["primary->secondary".to_owned()],
        nearest: None,
        selection: Selection::Included,
        included_by_name: false,
        origin: None,
        topics: vec![".*".to_owned()],
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
        refresh: Refresh::new(1, None, 0),
        obstacle: None,
        behind: Some(0),
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
    }
}

fn worker(state: &str) -> Worker {
    Worker {
        service: "mm2-secondary".to_owned(),
        container: None,
        state: state.to_owned(),
        described: format!("is {state}"),
    }
}

#[track_caller]
fn says(change: impl FnOnce(&mut Facts), expected: &Answer) {
    let mut facts = well();
    change(&mut facts);
    assert_eq!(judge(&facts), *expected);
}

#[test]
fn a_topic_that_is_not_where_the_flow_begins() {
    says(
        |facts| {
            facts.original = Sight::Absent;
            facts.copy = Sight::Absent;
            facts.nearest = Some("orders".to_owned());
        },
        &Answer::NoSuchTopic {
            nearest: Some("orders".to_owned()),
        },
    );
    says(
        |facts| {
            facts.original = Sight::Absent;
            facts.copy = Sight::Absent;
            facts.elsewhere = vec!["third".to_owned()];
        },
        &Answer::NoFlow {
            on: vec!["third".to_owned()],
            flows: vec!["primary->secondary".to_owned()],
        },
    );
    says(
        |facts| facts.original = Sight::Absent,
        &Answer::SourceTopicMissing,
    );
}

#[test]
fn what_cannot_be_comes_before_what_is_not_there_or_not_said() {
    let rule = InternalName::Underscores;
    says(
        |facts| {
            facts.selection = Selection::Internal(rule);
            facts.original = Sight::Absent;
            facts.elsewhere = vec!["secondary".to_owned()];
        },
        &Answer::Internal { rule },
    );
    let origin = || Origin::NoFlow {
        flow: "secondary->primary".to_owned(),
    };
    says(
        |facts| {
            facts.selection = Selection::Cycle;
            facts.origin = Some(origin());
            facts.disabled_by = Some("mm2.properties".to_owned());
        },
        &Answer::Cycle { origin: origin() },
    );
    // nobody looked: nothing is claimed
    let cluster = "secondary".to_owned();
    says(
        |facts| facts.selection = Selection::Cycle,
        &Answer::Cycle {
            origin: Origin::Unknown { cluster },
        },
    );
    says(
        |facts| {
            facts.selection = Selection::Cycle;
            facts.original = Sight::Absent;
            facts.copy = Sight::Absent;
        },
        &Answer::NoSuchTopic { nearest: None },
    );
}

#[test]
fn a_topic_that_was_recreated_or_passed_over_is_not_up_to_date() {
    let beyond = Beyond {
        position: 999,
        end: 0,
    };
    says(
        |facts| facts.beyond = Some(beyond),
        &Answer::SourceRecreated(beyond),
    );
    let emptied = Contents {
        partitions: 3,
        records: 0,
        ever: 2500,
    };
    says(
        |facts| {
            facts.original = Sight::There(emptied);
            facts.never_copied = 1500;
        },
        &Answer::NeverCopied {
            records: 1500,
            exact: false,
        },
    );
    let past = |never_copied| Past {
        recreated: true,
        never_copied,
        ..Past::default()
    };
    says(
        |facts| facts.past = Some(past(3)),
        &Answer::LostBetweenLooks(past(3)),
    );
    says(
        |facts| facts.past = Some(past(0)),
        &Answer::UpToDate { records: 10 },
    );
    says(
        |facts| facts.is_first_mirrored = Some(false),
        &Answer::StartedMidway,
    );
    says(
        |facts| {
            facts.original = Sight::There(emptied);
            facts.possibly_never_copied = 2;
        },
        &Answer::PossiblyNeverCopied { offsets: 2 },
    );
    for is_first_mirrored in [Some(false), None] {
        says(
            |facts| (facts.starts_at_end, facts.is_first_mirrored) = (true, is_first_mirrored),
            &Answer::StartedAtEnd,
        );
    }
    says(
        |facts| facts.is_first_mirrored = None,
        &Answer::AllCommitted { records: 10 },
    );
}

#[test]
fn the_cause_comes_before_what_comes_of_it() {
    let problem = || "refused".to_owned();
    let unreachable = || Sight::Unreachable { problem: problem() };
    says(
        |facts| {
            facts.workers = vec![worker("paused")];
            facts.cut_off = vec!["primary".to_owned()];
            facts.assigned = Some(0);
        },
        &Answer::MirrorMakerDown {
            workers: vec![worker("paused")],
        },
    );
    says(
        |facts| {
            facts.workers.push(worker("paused"));
            facts.original = unreachable();
            facts.copy = unreachable();
        },
        &Answer::SourceUnreachable { problem: problem() },
    );
    says(
        |facts| {
            facts.copy = Sight::Absent;
            facts.problems = vec!["a canary has not arrived".to_owned()];
        },
        &Answer::NotCreated {
            obstacle: None,
            refresh: well().refresh,
        },
    );
    says(
        |facts| {
            facts.selection = Selection::NotEvaluated(vec!["(?<=a)".to_owned()]);
            facts.assigned = Some(0);
        },
        &Answer::NotEvaluated {
            patterns: vec!["(?<=a)".to_owned()],
            refresh: well().refresh,
        },
    );
    says(
        |facts| facts.selection = Selection::NotEvaluated(vec!["(?<=a)".to_owned()]),
        &Answer::UpToDate { records: 10 },
    );
}

#[test]
fn a_topic_that_holds_up_the_flow_is_named_to_itself_and_to_others() {
    let culprit = |topic: &str, why| Culprit {
        topic: topic.to_owned(),
        lab: "two".to_owned(),
        remote: format!("primary.{topic}"),
        stops_flow: true,
        why,
    };
    let too_large = || Why::RecordTooLarge {
        takes: 5,
        original: 9,
    };
    let failed = |facts: &mut Facts| {
        facts.failures.push(Failure {
            part: "task".to_owned(),
            cause: None,
        });
    };
    says(
        |facts| {
            failed(facts);
            facts.culprits = vec![culprit("big", too_large())];
        },
        &Answer::Blocked {
            culprits: vec![culprit("big", too_large())],
        },
    );
    says(
        |facts| {
            failed(facts);
            facts.culprits = vec![culprit("big", too_large()), culprit("orders", too_large())];
        },
        &Answer::Blocking {
            culprit: culprit("orders", too_large()),
        },
    );
    // a name that cannot be there is told by what keeps it from being there
    let with = || "primary_orders".to_owned();
    says(
        |facts| {
            failed(facts);
            facts.copy = Sight::Absent;
            facts.obstacle = Some(Obstacle::Collision { with: with() });
            facts.culprits = vec![culprit("orders", Why::Collision { with: with() })];
        },
        &Answer::NotCreated {
            obstacle: Some(Obstacle::Collision { with: with() }),
            refresh: well().refresh,
        },
    );
}

#[test]
fn partitions_that_nobody_copies_are_told_of() {
    let fewer = Answer::FewerPartitions {
        copied: 1,
        of: 3,
        refresh: well().refresh,
    };
    says(|facts| facts.assigned = Some(1), &fewer);
    let contents = Contents {
        partitions: 1,
        records: 4,
        ever: 4,
    };
    says(|facts| facts.copy = Sight::There(contents), &fewer);
}

#[test]
fn a_copy_that_has_lost_records_is_not_up_to_date() {
    says(
        |facts| facts.lost = 4,
        &Answer::MirroredRecordsLost { records: 4 },
    );
    says(
        |facts| (facts.behind, facts.seconds_behind) = (Some(7), Some(1.5)),
        &Answer::Behind {
            records: 7,
            seconds: Some(1.5),
        },
    );
    says(|facts| facts.behind = None, &Answer::OffsetsUnknown);
    let emptied = Contents {
        partitions: 3,
        records: 0,
        ever: 7,
    };
    says(
        |facts| facts.original = Sight::There(emptied),
        &Answer::NothingProduced { ever: 7 },
    );
    says(
        |facts| facts.original = Sight::Secured,
        &Answer::Secured {
            clusters: vec!["primary".to_owned()],
        },
    );
}

mod any;
