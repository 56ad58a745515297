//! What holds of each answer, whatever was seen.

use super::*;
use proptest::option;
use proptest::prelude::*;

fn any_sight() -> impl Strategy<Value = Sight> {
    prop_oneof![
        Just(Sight::Unreachable {
            problem: "refused".to_owned()
        }),
        Just(Sight::Locked),
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
        3 => Just(Selection::Taken),
        1 => Just(Selection::Excluded("x".to_owned())),
        1 => Just(Selection::NotListed),
        1 => Just(Selection::Internal(InternalName::Dot)),
        1 => Just(Selection::Cycle),
        1 => Just(Selection::TooLong(250)),
        1 => Just(Selection::Unjudged(vec!["(?<=a)".to_owned()])),
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
        obstacle in option::of("[a-z]{3}".prop_map(|words| Obstacle::Told { words })),
        (behind, lost) in (option::of(0u64..3), 0u64..2),
        (never_copied, end, first_is_there) in (0u64..2, option::weighted(0.2, 0i64..2), option::of(any::<bool>())),
    ) -> Facts {
        Facts {
            elsewhere,
            selection,
            disabled_by,
            workers: states.into_iter().map(worker).collect(),
            cut_off,
            original,
            copy,
            failures: causes.into_iter().map(|cause| Failure { part: "task".to_owned(), cause }).collect(),
            problems,
            assigned,
            obstacle,
            behind,
            lost,
            never_copied,
            beyond: end.map(|end| Beyond { position: 9, end }),
            first_is_there,
            ..well()
        }
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
            prop_assert!(matches!(facts.selection, Selection::Taken | Selection::Unjudged(_)));
            prop_assert!(facts.workers.iter().any(Worker::runs));
            prop_assert!(facts.cut_off.is_empty() && facts.failures.is_empty() && facts.problems.is_empty());
            prop_assert!(facts.assigned != Some(0) && facts.disabled_by.is_none());
        }
    }
}
