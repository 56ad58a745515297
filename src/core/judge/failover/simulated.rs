//! A MirrorMaker of which everything is known, to judge the judgement by: what is called exact must be, what is called
//! a bound must hold, and what would be missed must be told.

use super::store::translate;
use super::{
    Amount, Back, Begins, Bounds, Committed, Gaps, Partition, Writers, outlook, outlook_back,
};
use crate::core::mirrormaker::state::OffsetSync;
use proptest::prelude::*;

/// What MirrorMaker does next.
#[derive(Debug, Clone)]
enum Step {
    /// Copies this many records, and writes an offset sync for those of them (by their number) that are named.
    Copy(usize, Vec<usize>),
    /// Dies, and continues this many records further back: at what it had committed last. Whether the first sync after
    /// that is seen.
    Crash(usize, bool),
    /// Notes how far it is.
    Note,
    /// Nothing: others write this many records to the mirrored topic.
    Others(usize),
}

/// Stands for a record of others, later than any of the source.
const OTHERS: i64 = i64::MAX;
/// Stands for an offset of which compaction has taken the record away.
const COMPACTED: i64 = -1;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..20, prop::collection::vec(0usize..20, 0..6)).prop_map(|(many, syncs)| Step::Copy(many, syncs)),
        1 => (0usize..15, any::<bool>()).prop_map(|(back, seen)| Step::Crash(back, seen)),
        1 => Just(Step::Note),
        1 => (1usize..5).prop_map(Step::Others),
    ]
}

/// Both logs as they really are.
#[derive(Debug, Clone, Default)]
struct World {
    /// Offsets of the source that have a record.
    records: Vec<i64>,
    /// By offset of the target: the source's offset of what is there.
    copies: Vec<i64>,
    syncs: Vec<OffsetSync>,
    position: Option<i64>,
    /// How many of the records are copied, or were gone before.
    next: usize,
    /// How many were gone before.
    gone: usize,
}

impl World {
    fn of(records: Vec<i64>, gone: usize, steps: &[Step]) -> Self {
        let gone = gone.min(records.len());
        let mut world = Self {
            records,
            next: gone,
            gone,
            ..Self::default()
        };
        let mut must_sync = false;
        for step in steps {
            match step {
                Step::Copy(many, syncs) => {
                    for number in 0..*many {
                        world.copy(must_sync || syncs.contains(&number));
                        must_sync = false;
                    }
                }
                Step::Crash(back, seen) => {
                    world.next = world.next.saturating_sub(*back).max(gone);
                    // a note is never ahead of where it goes on
                    let last = world.next.checked_sub(1).map(|last| world.records[last]);
                    world.position = world.position.min(last);
                    must_sync = *seen;
                }
                Step::Others(many) => world.copies.extend(vec![OTHERS; *many]),
                Step::Note => {
                    let last = world.next.checked_sub(1);
                    world.position = last.map(|last| world.records[last]);
                }
            }
        }
        world
    }

    fn copy(&mut self, is_synced: bool) {
        let Some(&upstream) = self.records.get(self.next) else {
            return;
        };
        if is_synced {
            let downstream = i64::try_from(self.copies.len()).unwrap();
            self.syncs.push(OffsetSync {
                upstream,
                downstream,
            });
        }
        self.copies.push(upstream);
        self.next += 1;
    }

    fn end(&self) -> i64 {
        i64::try_from(self.copies.len()).unwrap()
    }

    fn source(&self) -> Bounds {
        let end = self.records.last().map_or(0, |last| last + 1);
        let first = self.records.get(self.gone).copied().unwrap_or(end);
        // compaction leaves the beginning where it is
        let first = if self.gone == 0 { 0 } else { first };
        Bounds { first, end }
    }

    fn partition(&self) -> Partition<'_> {
        let is_mixed = self.copies.contains(&OTHERS);
        Partition {
            syncs: &self.syncs,
            position: self.position,
            target: Bounds {
                first: 0,
                end: self.end(),
            },
            source: self.source(),
            gaps: gaps_of(&self.records),
            target_gaps: Gaps::None,
            writers: if is_mixed {
                Writers::Anyone
            } else {
                Writers::MirrorMaker
            },
            target_records: None,
        }
    }

    /// Copies of records before `source`, from `at` on.
    fn again(&self, source: i64, at: usize) -> u64 {
        let copies = self.copies.iter().skip(at);
        let is_again = |copy: &&i64| **copy < source && **copy != COMPACTED;
        copies.filter(is_again).count() as u64
    }

    /// Records from `source` on that were copied, and are only before `at`: in the end, and at this moment.
    fn skipped(&self, source: i64, at: usize) -> (u64, u64) {
        let (before, after) = self.copies.split_at(at);
        // copied before a crash, and about to be copied again
        let coming = &self.records[self.next..];
        let is_passed = |record: &&i64| {
            **record >= source && before.contains(record) && !after.contains(record)
        };
        let passed = self.records.iter().filter(is_passed);
        let now = passed.clone().count() as u64;
        let for_good = passed.filter(|record| !coming.contains(record)).count() as u64;
        (for_good, now)
    }
}

fn is_true(told: Amount, truth: u64) -> bool {
    match told {
        Amount::Exactly(number) => number == truth,
        Amount::AtMost(number) => number >= truth,
    }
}

/// Offsets with a record, and whether all have one.
fn records() -> impl Strategy<Value = Vec<i64>> {
    let gaps = prop_oneof![
        Just(vec![0; 150]),
        prop::collection::vec(prop_oneof![3 => Just(0i64), 1 => 1..4i64], 150),
    ];
    (gaps, 0usize..150).prop_map(|(gaps, many)| {
        let mut next = 0;
        let with_gaps = gaps.into_iter().map(|gap| {
            let record = next + gap;
            next = record + 1;
            record
        });
        with_gaps.take(many).collect()
    })
}

fn gaps_of(records: &[i64]) -> Gaps {
    let is_gapless = (0..).zip(records).all(|(number, record)| number == *record);
    if is_gapless {
        Gaps::None
    } else {
        Gaps::Possible
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_is_told_is_true(
        records in records(),
        steps in prop::collection::vec(step(), 0..14),
        source in 0i64..160,
        at in prop::option::of(0usize..200),
        deleted in 0i64..5,
        gone in prop_oneof![2 => Just(0usize), 1 => 0usize..30],
        compacted in prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(0usize..200, 0..60)],
    ) {
        let mut world = World::of(records, gone, &steps);
        // compaction takes away what has a later record of its key: that is not skipped
        let skipped_at = |at: usize| world.skipped(source, at);
        let skipped = at.filter(|at| *at <= world.copies.len()).map(skipped_at);
        let is_compacted = !compacted.is_empty();
        for at in compacted {
            if let Some(copy) = world.copies.get_mut(at) {
                *copy = COMPACTED;
            }
        }
        let world = world;
        let mut partition = world.partition();
        partition.target.first = deleted.min(world.end());
        let there = (0..).zip(&world.copies).filter(|(_, copy)| **copy != COMPACTED);
        let there: Vec<i64> = there.map(|(at, _)| at).filter(|at| *at >= partition.target.first).collect();
        if is_compacted {
            partition.target_gaps = Gaps::Possible;
            partition.target_records = Some(&there);
        }
        let committed = Committed {
            source,
            target: at.map(|at| i64::try_from(at).unwrap()),
            checkpoint: None,
        };
        let told = outlook(&partition, committed);
        let first = usize::try_from(partition.target.first).unwrap();
        if let (Some(at), Begins::AtCommittedOffset) = (at, told.begins) {
            prop_assert!(is_true(told.again, world.again(source, at)), "{told:?} {} {world:?}", world.again(source, at));
            let (skipped, now) = skipped.unwrap();
            let is_told = is_true(told.further, skipped) || is_true(told.further, now);
            prop_assert!(is_told, "{told:?} {skipped} {now} {world:?}");
            prop_assert!(skipped == 0 || told.skipped.is_none());
        } else {
            let all = world.copies[first..].iter().filter(|copy| **copy != COMPACTED).count() as u64;
            let again = world.again(source, first);
            prop_assert!(is_true(told.again, again), "{told:?} {again} {world:?}");
            prop_assert!(is_true(told.skipped.unwrap(), all - again), "{told:?} {world:?}");
        }
    }

    /// The numbers are of use: where MirrorMaker copied once and committed its position, nothing is a mere bound.
    #[test]
    fn where_all_went_well_it_is_exact(
        many in 1i64..150,
        syncs in prop::collection::btree_set(0usize..150, 0..20),
        source in 0i64..160,
        at in 0i64..150,
    ) {
        let syncs = syncs.into_iter().collect();
        let steps = [Step::Copy(150, syncs), Step::Note];
        let world = World::of((0..many).collect(), 0, &steps);
        let partition = Partition {
            syncs: &world.syncs,
            position: world.position,
            target: Bounds { first: 0, end: world.end() },
            source: world.source(),
            gaps: Gaps::None,
            target_gaps: Gaps::None,
            writers: Writers::Anyone,
            target_records: None,
        };
        let told = outlook(&partition, Committed { source, target: Some(at.min(many)), checkpoint: None });
        prop_assert!(!told.again.is_bound() && !told.further.is_bound(), "{told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Where MirrorMaker puts a group, whatever it copied and however often, nothing is skipped, and that is told.
    #[test]
    fn what_mirrormaker_noted_passes_nothing_over(
        records in records(),
        steps in prop::collection::vec(step(), 0..14),
        source in 0i64..160,
        read_on in 0i64..20,
    ) {
        let world = World::of(records, 0, &steps);
        let partition = world.partition();
        let Some(at) = translate(&world.syncs, source).filter(|at| *at <= world.end()) else {
            return Ok(());
        };
        let committed = Committed { source: source + read_on, target: Some(at), checkpoint: None };
        let told = outlook(&partition, committed);
        prop_assert_eq!(told.further, Amount::Exactly(0), "{:?} {:?}", told, world);
    }

    #[test]
    fn what_is_told_of_a_return_is_true(
        records in records(),
        steps in prop::collection::vec(step(), 0..14),
        home in prop::option::of(0i64..160),
        away in 0usize..200,
        gone in prop_oneof![2 => Just(0usize), 1 => 0usize..30],
    ) {
        let world = World::of(records, gone, &steps);
        let partition = world.partition();
        let away = away.min(world.copies.len());
        let committed = Back { away: i64::try_from(away).unwrap(), home, checkpoint: None };
        let told = outlook_back(&partition, committed);
        let read = &world.copies[..away];
        let there = &world.records[world.gone..];
        let from = home.filter(|_| told.begins == Begins::AtCommittedOffset).unwrap_or(0);
        let again = there.iter().filter(|one| **one >= from && read.contains(one)).count() as u64;
        prop_assert!(is_true(told.again, again), "{told:?} {again} {world:?}");
        let unread = |to: i64| there.iter().filter(|one| **one < to && !read.contains(one)).count() as u64;
        if told.begins == Begins::AtCommittedOffset {
            prop_assert!(is_true(told.further, unread(from)), "{told:?} {} {world:?}", unread(from));
        } else {
            let skipped = told.skipped.unwrap();
            prop_assert!(is_true(skipped, unread(i64::MAX)), "{told:?} {} {world:?}", unread(i64::MAX));
        }
    }
}
