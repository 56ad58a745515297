//! Failovers made up in every detail: the judge must name exactly what was done to them.

mod world;

use super::*;
use crate::core::judge::failover::Amount;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use world::{World, world};

/// A record is acknowledged this long after the one before it.
const STEP: Micros = 1_000;
const FAULT: Micros = 1_000_000;

fn id(partition: usize, sequence: u64) -> RecordId {
    let partition = i32::try_from(partition).unwrap();
    RecordId {
        partition,
        sequence,
    }
}

fn given(at: Micros, era: Era, record: RecordId, offset: i64) -> Given {
    Given {
        at,
        era,
        record,
        offset,
        key: 0,
    }
}

/// A record that the target acknowledged.
/// Where the source has put a record: it does not always say so.
fn offset_of(number: u64) -> Option<i64> {
    let offset = i64::try_from(number).unwrap() + 100;
    (number % 5 != 4).then_some(offset)
}

fn written(partition: i32) -> Acknowledged {
    Acknowledged {
        partition,
        sequences: 0..1,
        offset: Some(0),
        at: FAULT + 2_300_000,
    }
}

/// A drill of which this is true, with predictions that are.
fn facts(worlds: &[World]) -> Facts {
    let mut facts = Facts {
        times: Times {
            fault: Bracket {
                from: FAULT,
                until: FAULT + 500,
            },
            acknowledged_before: FAULT + 500,
            detected: FAULT + 2_000_000,
            decided: FAULT + 2_000_000,
            fenced: FAULT + 2_100_000,
            switched: FAULT + 2_200_000,
            first_write: Some(FAULT + 2_300_000),
        },
        ..Facts::default()
    };
    let mut group = GroupFacts {
        name: "g".to_owned(),
        ..GroupFacts::default()
    };
    let mut source = BTreeSet::new();
    for (at, world) in worlds.iter().enumerate() {
        let partition = id(at, 0).partition;
        facts.sent.insert(partition, world.sent);
        facts
            .acknowledged
            .extend((0..world.acknowledged).map(|number| Acknowledged {
                partition,
                sequences: number..number + 1,
                offset: offset_of(number),
                at: number * STEP,
            }));
        for (offset, number) in (0..).zip(world.log()) {
            let copies = facts.sides.target.entry(id(at, number)).or_default();
            copies.push(offset);
        }
        let kept = (0..world.sent).filter(|number| !world.gone.contains(number));
        source.extend(kept.map(|number| id(at, number)));
        let read = (0..).zip(0..world.read);
        group
            .before
            .extend(read.map(|(offset, number)| given(0, Era::Before, id(at, number), offset)));
        let after = world.given().into_iter();
        group.after.extend(
            after.map(|(offset, number)| {
                given(FAULT + 2_500_000, Era::Before, id(at, number), offset)
            }),
        );
        group
            .after
            .push(given(FAULT + 3_000_000, Era::After, id(at, 0), 0));
        facts.written_after.push(written(partition));
        let committed = i64::try_from(world.committed).unwrap();
        group.committed.insert(partition, committed);
        group.synced.insert(partition, 0);
        group.predicted.insert(
            partition,
            Predicted {
                again: Amount::Exactly(world.again()),
                skipped: Amount::Exactly(world.skipped().len() as u64),
                committed,
                synced: Some(0),
                target_end: committed,
            },
        );
    }
    facts.sides.source = Some(source);
    facts.groups.push(group);
    facts
}

fn offsets(named: &Offsets) -> Vec<i64> {
    assert_eq!(named.left_out, 0);
    let ranges = named.offsets.iter();
    ranges.flat_map(|range| range.first..=range.last).collect()
}

fn located(all: &[Located]) -> Vec<(i32, Vec<i64>)> {
    all.iter()
        .map(|one| (one.partition, offsets(&one.at)))
        .collect()
}

fn judged(facts: &Facts) -> Judgement {
    judge(facts, &Budget::default())
}

proptest! {
    #[test]
    fn what_is_lost_is_named_to_the_record(worlds in vec(world(), 1..4)) {
        let rpo = judged(&facts(&worlds)).rpo;
        let missing: Vec<Vec<u64>> = worlds.iter().map(World::missing).collect();
        let of = |partition: i32| {
            let lost = rpo.partitions.iter().find(|one| one.partition == partition);
            lost.map_or((0, 0.0), |one| (one.records, one.seconds))
        };
        for one in &rpo.partitions {
            let missing = &missing[usize::try_from(one.partition).unwrap()];
            let known: Vec<i64> = missing.iter().filter_map(|number| offset_of(*number)).collect();
            prop_assert_eq!(offsets(&one.at), known);
            let unknown = missing.iter().filter(|number| offset_of(**number).is_none());
            let numbers = one.numbers.iter().flat_map(|span| span.first..=span.last);
            prop_assert_eq!(numbers.collect::<Vec<_>>(), unknown.copied().collect::<Vec<_>>());
        }
        for (partition, (missing, world)) in (0..).zip(missing.iter().zip(&worlds)) {
            let time = missing.first().map_or(0, |first| (world.acknowledged - 1 - first) * STEP);
            prop_assert_eq!(of(partition), (missing.len() as u64, seconds(time)));
        }
        let all: usize = missing.iter().map(Vec::len).sum();
        prop_assert_eq!(rpo.records, all as u64);
        let gone = missing.iter().zip(&worlds).flat_map(|(missing, world)| {
            missing.iter().filter(|number| world.gone.contains(number))
        });
        prop_assert_eq!(rpo.gone_for_good, Some(gone.count() as u64));
        prop_assert_eq!(rpo.stranded.zip(rpo.gone_for_good).map(|(a, b)| a + b), Some(rpo.records));
        let twice = worlds.iter().map(|one| one.log().len() - one.log().iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(rpo.duplicates, twice.sum::<usize>() as u64);
        let second: Vec<(i32, Vec<i64>)> = (0..).zip(&worlds)
            .map(|(partition, world)| (partition, world.second_copies()))
            .filter(|(_, copies)| !copies.is_empty())
            .collect();
        prop_assert_eq!(located(&rpo.duplicates_at), second);
        let doubt: u64 = worlds.iter().map(|world| world.sent - world.acknowledged).sum();
        let there: u64 = worlds.iter().map(|world| {
            (world.acknowledged..world.sent).filter(|number| !world.lost.contains(number)).count() as u64
        }).sum();
        prop_assert_eq!((rpo.in_doubt.records, rpo.in_doubt.on_target), (doubt, there));
        prop_assert_eq!(rpo.never_sent, 0);
    }

    #[test]
    fn what_a_group_is_given_again_or_never_is_named(worlds in vec(world(), 1..4), other in 0..4_usize, by in 1..5_u64) {
        let facts = facts(&worlds);
        let group = judged(&facts).groups.remove(0);
        prop_assert_eq!(group.again, Some(worlds.iter().map(World::again).sum()));
        let skipped: usize = worlds.iter().map(|world| world.skipped().len()).sum();
        prop_assert_eq!(group.skipped, skipped as u64);
        prop_assert!(group.as_predicted, "{:?}", group);
        for (partition, world) in (0..).zip(&worlds) {
            let told = group.partitions.iter().find(|one| one.partition == partition);
            let named = told.map(|one| (offsets(&one.again.at), offsets(&one.skipped.at)));
            let expected = (world.again_at(), world.skipped_at());
            prop_assert_eq!(named.unwrap_or_default(), expected);
        }
        // one partition is not as predicted, though others may make up for it
        let partition = id(other % worlds.len(), 0).partition;
        let mut wrong = facts;
        let predicted = wrong.groups[0].predicted.get_mut(&partition).unwrap();
        predicted.again = Amount::Exactly(predicted.again.most() + by);
        prop_assert!(!judged(&wrong).groups[0].as_predicted && !judged(&wrong).passed());
    }

    #[test]
    fn what_goes_on_after_the_prediction_widens_it_by_just_that(
        world in world(), then in 0..30_u64, end in 0..30_u64
    ) {
        let mut facts = facts(std::slice::from_ref(&world));
        let committed = i64::try_from(world.committed).unwrap();
        let then = i64::try_from(then).unwrap().min(committed);
        let end = i64::try_from(end).unwrap().min(then);
        let group = &mut facts.groups[0];
        let predicted = group.predicted.get_mut(&0).unwrap();
        (predicted.committed, predicted.target_end) = (then, end);
        let more = u64::try_from(committed - end).unwrap();
        let least = world.again().saturating_sub(more);
        predicted.again = Amount::Exactly(least);
        prop_assert!(judged(&facts).groups[0].as_predicted);
        if least > 0 && more > 0 {
            facts.groups[0].predicted.get_mut(&0).unwrap().again = Amount::Exactly(least - 1);
            prop_assert!(!judged(&facts).groups[0].as_predicted);
        }
    }

    #[test]
    fn each_record_that_comes_behind_a_later_one_is_an_inversion(order in vec(0..20_u64, 0..40)) {
        let mut facts = facts(&[]);
        facts.groups[0].after = (0..).zip(&order).map(|(offset, &number)| {
            given(0, Era::Before, id(0, number), offset)
        }).collect();
        let mut expected = 0;
        for (at, number) in order.iter().enumerate() {
            let before = &order[..at];
            let is_first = !before.contains(number);
            expected += u64::from(is_first && before.iter().any(|other| other > number));
        }
        prop_assert_eq!(judged(&facts).groups[0].inversions, expected);
    }
}

fn simple() -> World {
    World {
        sent: 10,
        acknowledged: 10,
        lost: BTreeSet::new(),
        twice: BTreeSet::new(),
        gone: BTreeSet::new(),
        read: 10,
        committed: 6,
        begins: 4,
        hidden: BTreeSet::new(),
    }
}

#[test]
fn a_whole_drill_is_told_in_its_parts() {
    let judgement = judged(&facts(&[simple()]));
    let rto = judgement.rto.unwrap();
    let parts: Vec<f64> = rto.parts.iter().map(|part| part.seconds).collect();
    assert_eq!(parts, [2.0, 0.0, 0.1, 0.1, 0.1, 0.7]);
    assert!((rto.seconds - 3.0).abs() < 1e-9);
    let group = &judgement.groups[0];
    assert_eq!((group.again, group.skipped), (Some(2), 0));
    assert_eq!(group.backlog_read_seconds, Some(2.5));
    assert!(judgement.checks.iter().all(|check| check.held));
}

#[test]
fn a_commit_without_an_answer_counts_for_neither() {
    let mut facts = facts(&[World {
        begins: 8,
        ..simple()
    }]);
    // what MirrorMaker synced was committed, and the group was not told
    facts.groups[0].asked.insert(0, 8);
    let predicted = facts.groups[0].predicted.get_mut(&0).unwrap();
    predicted.skipped = Amount::Exactly(0);
    let group = judged(&facts).groups.remove(0);
    assert_eq!((group.again, group.skipped), (Some(0), 0));
    assert!(group.as_predicted);
}

#[test]
fn a_group_that_never_committed_is_given_nothing_again() {
    let mut facts = facts(&[World {
        begins: 0,
        ..simple()
    }]);
    let group = &mut facts.groups[0];
    (group.committed, group.predicted, group.synced) = Default::default();
    let group = judged(&facts).groups.remove(0);
    assert_eq!((group.again, group.again_predicted), (None, None));
    assert_eq!(group.start, Start::NeverCommitted);
    assert!(group.as_predicted);
    facts.groups[0].after.retain(|given| given.offset != 3);
    assert!(!judged(&facts).groups[0].as_predicted, "one is skipped");
}

#[test]
fn budgets_and_plans_are_kept_or_not() {
    let lossy = World {
        lost: BTreeSet::from([8, 9]),
        ..simple()
    };
    let mut facts = facts(&[lossy]);
    let held = |facts: &Facts, rpo, millis| {
        let rto = Some(std::time::Duration::from_millis(millis));
        let budget = Budget {
            rpo: Some(rpo),
            rto,
        };
        let checks = judge(facts, &budget).checks;
        checks
            .iter()
            .rev()
            .take(2)
            .map(|check| check.held)
            .collect::<Vec<_>>()
    };
    assert!(judged(&facts).passed(), "a loss is a result");
    assert_eq!(held(&facts, 2, 3_000), [true, true]);
    assert_eq!(held(&facts, 1, 2_999), [false, false]);
    facts.is_planned = true;
    assert!(!judged(&facts).passed());
    facts.is_planned = false;
    facts.written_after.push(written(7));
    assert_eq!(judged(&facts).groups[0].not_served, [7]);
    assert!(!judged(&facts).passed());
    assert_eq!(
        held(&facts, 2, 3_000),
        [false, true],
        "nobody knows how long"
    );
}

#[test]
fn what_nobody_sent_is_no_record_of_the_drill() {
    let mut facts = facts(&[simple()]);
    facts.sides.target.insert(id(0, 99), vec![77]);
    let judgement = judged(&facts);
    assert_eq!(judgement.rpo.never_sent, 1);
    assert_eq!(located(&judgement.rpo.never_sent_at), [(0, vec![77])]);
    assert!(!judgement.passed());
}

#[test]
fn what_is_acknowledged_after_the_fault_is_not_lost_by_it() {
    let mut facts = facts(&[World {
        lost: (0..10).collect(),
        ..simple()
    }]);
    facts.times.acknowledged_before = 3 * STEP;
    let rpo = judged(&facts).rpo;
    assert_eq!((rpo.records, rpo.acknowledged), (4, 4));
    assert_eq!(rpo.acknowledged_after_fault, 6);
    assert_eq!(rpo.worst().map(|worst| worst.records), Some(4));
}
