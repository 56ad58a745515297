//! What holds of each answer, whatever was seen.

use super::*;
use proptest::option;
use proptest::prelude::*;

fn any_sight() -> impl Strategy<Value = Sight> {
    prop_oneof![
        Just(Sight::Unreachable {
            problem: "refused".to_owned()
        }),
        Just(Sight::Secured),
        Just(Sight::Absent),
        (1usize..4, 0u64..3, 0u64..3).prop_map(|(partitions, records, gone)| {
            Sight::There(Contents {
                partitions,
                records,
                ever: records + gone,
            })
        }),
    ]
}

fn any_selection() -> impl Strategy<Value = Selection> {
    prop_oneof![
        3 => Just(Selection::Included),
        1 => Just(Selection::Excluded("x".to_owned())),
        1 => Just(Selection::NotListed),
        1 => Just(Selection::Internal(InternalName::Dot)),
        1 => Just(Selection::Cycle),
        1 => Just(Selection::NameTooLong(250)),
        1 => Just(Selection::NotEvaluated(vec!["(?<=a)".to_owned()])),
    ]
}

prop_compose! {
    fn any_facts()(
        (original, copy, selection) in (any_sight(), any_sight(), any_selection()),
        elsewhere in proptest::collection::vec("[a-z]{3}", 0..2),
        disabled_by in option::weighted(0.2, "[a-z]{3}"),
        states in proptest::collection::vec(prop_oneof![Just("running"), Just("paused"), Just("missing")], 0..3),
        cut_off in proptest::collection::vec("[a-z]{3}", 0..2),
        causes in proptest::collection::vec(option::of("[a-z]{3}"), 0..2),
        problems in proptest::collection::vec("[a-z]{3}", 0..2),
        assigned in option::of(0usize..4),
        obstacle in option::of("[a-z]{3}".prop_map(|message| Obstacle::Reported { message })),
        (behind, lost, passed) in (option::of(0u64..3), 0u64..2, 0u64..2),
        (never_copied, possibly_never_copied, starts_at_end, end, is_first_mirrored) in (0u64..2, 0u64..2, any::<bool>(), option::weighted(0.2, 0i64..2), option::of(any::<bool>())),
    ) -> Facts {
        Facts {
            elsewhere,
            selection,
            disabled_by,
            workers: states.into_iter().map(worker).collect(),
            cut_off,
            cut: None,
            original,
            copy,
            failures: causes.into_iter().map(|cause| Failure { part: "task".to_owned(), cause }).collect(),
            problems,
            assigned,
            obstacle,
            behind,
            lost,
            never_copied,
            past: Some(Past { never_copied: passed, ..Past::default() }),
            possibly_never_copied,
            starts_at_end,
            beyond: end.map(|end| Beyond { position: 9, end }),
            is_first_mirrored,
            ..well()
        }
    }
}

/// Its place in the order in which answers are looked for.
fn rank(answer: &Answer) -> usize {
    match answer {
        Answer::Internal { .. } => 0,
        Answer::NoSuchTopic { .. } | Answer::SourceTopicMissing | Answer::NoFlow { .. } => 1,
        Answer::Excluded { .. }
        | Answer::NotListed { .. }
        | Answer::Cycle { .. }
        | Answer::NameTooLong { .. } => 2,
        Answer::Disabled { .. } => 3,
        Answer::MirrorMakerDown { .. } => 4,
        Answer::LinkCut { .. } => 5,
        Answer::SourceUnreachable { .. } => 6,
        Answer::TargetUnreachable { .. } => 7,
        Answer::MirrorMakerEnded { .. } | Answer::Blocking { .. } | Answer::Blocked { .. } => 8,
        Answer::Failed { .. } => 9,
        Answer::NotEvaluated { .. } | Answer::NotRefreshed { .. } => 10,
        Answer::NotCreated { .. } => 11,
        Answer::FewerPartitions { .. } => 12,
        Answer::Unhealthy { .. } => 13,
        Answer::Secured { .. } | Answer::OffsetsUnknown => 14,
        Answer::SourceRecreated(_) => 15,
        Answer::NeverCopied { .. } => 16,
        Answer::LostBetweenLooks(_) => 17,
        Answer::NothingProduced { .. } => 18,
        Answer::MirroredRecordsLost { .. } => 19,
        Answer::StartedMidway => 20,
        Answer::Behind { .. } => 21,
        Answer::PossiblyNeverCopied { .. } => 22,
        Answer::StartedAtEnd => 23,
        Answer::AllCommitted { .. } => 24,
        Answer::UpToDate { .. } => 25,
    }
}

/// The same after somebody did what the answer asks for.
fn mended(mut facts: Facts, answer: &Answer) -> Facts {
    let well = well();
    match answer {
        Answer::NoSuchTopic { .. } | Answer::SourceTopicMissing | Answer::NoFlow { .. } => {
            facts.original = well.original;
        }
        Answer::Excluded { .. }
        | Answer::NotListed { .. }
        | Answer::Internal { .. }
        | Answer::Cycle { .. }
        | Answer::NameTooLong { .. } => facts.selection = Selection::Included,
        Answer::Disabled { .. } => facts.disabled_by = None,
        Answer::MirrorMakerDown { .. } => facts.workers = well.workers,
        Answer::LinkCut { .. } => facts.cut_off.clear(),
        Answer::SourceUnreachable { .. } => facts.original = well.original,
        Answer::MirrorMakerEnded { .. } => facts.ended = None,
        Answer::Blocking { .. } | Answer::Blocked { .. } => facts.culprits.clear(),
        Answer::Failed { .. } => facts.failures.clear(),
        // then all of it is seen
        Answer::Secured { .. } => {
            (facts.original, facts.copy) = (well.original, well.copy);
            (facts.assigned, facts.behind) = (Some(3), Some(3));
        }
        Answer::NotEvaluated { .. } | Answer::NotRefreshed { .. } => facts.assigned = Some(3),
        Answer::TargetUnreachable { .. } | Answer::NotCreated { .. } => facts.copy = well.copy,
        Answer::FewerPartitions { .. } => (facts.copy, facts.assigned) = (well.copy, Some(3)),
        Answer::Unhealthy { .. } => facts.problems.clear(),
        Answer::OffsetsUnknown => facts.behind = Some(3),
        Answer::NothingProduced { .. } => held(&mut facts.original),
        Answer::SourceRecreated(_) => facts.beyond = None,
        Answer::NeverCopied { .. } => facts.never_copied = 0,
        Answer::LostBetweenLooks(_) => facts.past = None,
        Answer::PossiblyNeverCopied { .. } => {
            facts.possibly_never_copied = 0;
            held(&mut facts.original);
        }
        Answer::MirroredRecordsLost { .. } => facts.lost = 0,
        Answer::StartedMidway | Answer::StartedAtEnd | Answer::AllCommitted { .. } => {
            facts.is_first_mirrored = Some(true);
        }
        Answer::Behind { .. } => facts.behind = Some(0),
        Answer::UpToDate { .. } => {}
    }
    facts
}

/// With records in it.
fn held(sight: &mut Sight) {
    if let Sight::There(contents) = sight {
        (contents.records, contents.ever) = (10, 12);
    }
}

proptest! {
    /// Whoever does what the answers ask for, one after the other, never meets the same again, and gets there.
    #[test]
    fn each_answer_leads_to_a_later_one(facts in any_facts()) {
        let (mut facts, mut last) = (facts.clone(), judge(&facts));
        while !matches!(last, Answer::UpToDate { .. }) {
            facts = mended(facts, &last);
            let next = judge(&facts);
            prop_assert!(rank(&next) > rank(&last), "{:?} after {:?}: {:?}", next, last, facts);
            last = next;
        }
    }

    #[test]
    fn nothing_is_mirrored_that_something_keeps_from_crossing(facts in any_facts()) {
        if judge(&facts).is_mirrored() {
            prop_assert!(matches!((&facts.original, &facts.copy), (Sight::There(_), Sight::There(_))));
            prop_assert!(matches!(facts.selection, Selection::Included | Selection::NotEvaluated(_)));
            prop_assert!(facts.workers.iter().any(Worker::runs));
            prop_assert!(facts.cut_off.is_empty() && facts.failures.is_empty() && facts.problems.is_empty());
            prop_assert!(facts.assigned != Some(0) && facts.disabled_by.is_none());
        }
    }
}
