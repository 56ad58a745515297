//! The verifier verified: a stream of which records are lost, repeated, swapped, altered and cut, and a report that must
//! name exactly those.

use super::stamp::tests::run;
use super::{Account, Arrivals, Guarantee, Repeated, Sent, Span, Stamp, judge};
use kmk_kafka::message::RecordRef;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SIZE: usize = 100;
/// When all of them arrive.
const NOW: u64 = 1_005;

/// A record on the target.
#[derive(Debug, Clone)]
struct Copied {
    partition: i32,
    value: Vec<u8>,
}

fn stamped(run_number: u64, partition: i32, sequence: u64) -> Copied {
    let stamp = Stamp {
        run: run(run_number),
        partition,
        sequence,
        sent_at: sequence,
    };
    let mut value = Vec::new();
    stamp.write(SIZE, &mut value);
    Copied { partition, value }
}

/// What was sent and acknowledged: this many records to each partition.
fn sent(counts: &[u64]) -> Sent {
    let mut sent = Sent::new(run(1));
    for (partition, &count) in (0..).zip(counts) {
        (0..count).for_each(|_| {
            sent.next(partition);
        });
        sent.acknowledge(partition, 0..count);
    }
    sent
}

/// As they were sent, in order.
fn copies(counts: &[u64]) -> Vec<Copied> {
    let partitions = (0..).zip(counts);
    partitions
        .flat_map(|(partition, &count)| {
            (0..count).map(move |sequence| stamped(1, partition, sequence))
        })
        .collect()
}

fn arrived(copies: &[Copied]) -> Arrivals {
    let mut arrivals = Arrivals::new(run(1));
    for (offset, copy) in (0..).zip(copies) {
        arrivals.arrive(&record(copy, offset), NOW);
    }
    arrivals
}

fn record(copy: &Copied, offset: i64) -> RecordRef<'_> {
    RecordRef {
        partition: copy.partition,
        offset,
        time: None,
        key: None,
        value: Some(&copy.value),
        headers: Vec::new(),
    }
}

fn account(counts: &[u64], copies: &[Copied]) -> Account {
    judge(&sent(counts), &arrived(copies))
}

fn numbers(spans: &[Span]) -> Vec<u64> {
    spans
        .iter()
        .flat_map(|span| span.first..=span.last)
        .collect()
}

fn span(first: u64, last: u64) -> Span {
    Span { first, last }
}

#[test]
fn all_that_was_sent_and_nothing_else_is_sound() {
    let account = account(&[3, 0, 5], &copies(&[3, 0, 5]));
    assert!(account.is_sound(Guarantee::ExactlyOnce), "{account:?}");
    let counts = (account.sent, account.acknowledged, account.arrived);
    assert_eq!(counts, (8, 8, 8));
    assert_eq!(account.last_arrival, Some(NOW));
    assert_eq!(account.latency.unwrap().max, NOW);
}

#[test]
fn loss_at_the_tail_and_of_a_whole_partition_is_named() {
    let mut copies = copies(&[10, 4]);
    copies.retain(|copy| copy.partition == 0);
    copies.truncate(7);
    copies.remove(2);
    let account = account(&[10, 4], &copies);
    let (first, second) = (&account.partitions[0], &account.partitions[1]);
    assert_eq!(first.missing, [span(2, 2), span(7, 9)]);
    assert_eq!((first.missing_at_the_end, first.is_lost()), (3, false));
    assert_eq!(second.missing, [span(0, 3)]);
    assert_eq!((second.missing_at_the_end, second.is_lost()), (4, true));
    assert_eq!(
        (account.missing, account.is_sound(Guarantee::AtLeastOnce)),
        (8, false)
    );
}

#[test]
fn what_had_arrived_and_is_no_longer_there_is_missing() {
    let mut there = arrived(&copies(&[10, 4])[..12]);
    there.replace(arrived(&copies(&[10, 4])[6..9]));
    let account = judge(&sent(&[10, 4]), &there);
    let (first, second) = (&account.partitions[0], &account.partitions[1]);
    assert_eq!(first.missing, [span(0, 5), span(9, 9)]);
    assert_eq!(first.gone, [span(0, 5), span(9, 9)]);
    assert_eq!(second.missing, [span(0, 3)]);
    assert_eq!(second.gone, [span(0, 1)]);
    assert_eq!((account.arrived, account.missing, account.gone), (3, 11, 9));
    assert!(!account.is_sound(Guarantee::AtLeastOnce));
    // how long they took is known all the same
    let buckets = account.latency.unwrap().histogram;
    let times: u64 = buckets.iter().map(|bucket| bucket.records).sum();
    assert_eq!(times, 12);
}

#[test]
fn what_came_spoilt_or_late_did_so_though_it_is_no_longer_there() {
    let order = [0, 2, 1, 3, 3].map(|sequence| stamped(1, 0, sequence));
    let mut altered = stamped(1, 0, 4);
    altered.value[SIZE - 1] ^= 1;
    let elsewhere = Copied {
        partition: 1,
        ..stamped(1, 0, 5)
    };
    let all: Vec<Copied> = order.into_iter().chain([altered, elsewhere]).collect();
    let mut there = arrived(&all);
    // the first of the two 3 is gone, too
    let again = [4, 3].map(|sequence| stamped(1, 0, sequence));
    there.replace(arrived(&again));
    let account = judge(&sent(&[6, 0]), &there);
    assert_eq!(account.partitions[0].reordered, [span(1, 1)]);
    assert_eq!(account.corrupted.records, 1);
    assert_eq!(account.misplaced.records, 1);
    assert_eq!(account.corrupted.first[0].offset, 5);
}

#[test]
fn what_is_not_acknowledged_may_be_there_or_not() {
    let mut sent = Sent::new(run(1));
    (0..6).for_each(|_| {
        sent.next(0);
    });
    sent.acknowledge(0, 0..2);
    sent.acknowledge(0, 4..5);
    let all = copies(&[6]);
    let account = judge(&sent, &arrived(&[&all[..3], &all[4..5]].concat()));
    assert!(account.is_sound(Guarantee::ExactlyOnce), "{account:?}");
    let partition = &account.partitions[0];
    assert_eq!(partition.unacknowledged_present, [span(2, 2)]);
    assert_eq!(partition.unacknowledged_absent, [span(3, 3), span(5, 5)]);
    assert_eq!(
        (
            account.unacknowledged_present,
            account.unacknowledged_absent
        ),
        (1, 2)
    );
}

#[test]
fn a_record_that_comes_again_and_again_is_counted_to_the_last() {
    let all = copies(&[4]);
    for times in 2..12 {
        let again = vec![all[2].clone(); times - 1];
        let account = account(&[4], &[all.clone(), again].concat());
        let repeated = Repeated {
            span: span(2, 2),
            times: times as u64,
        };
        assert_eq!(account.partitions[0].duplicated, [repeated]);
        assert_eq!(account.duplicated, times as u64 - 1);
        assert!(account.is_sound(Guarantee::AtLeastOnce));
        assert!(!account.is_sound(Guarantee::ExactlyOnce));
    }
}

#[test]
fn a_copy_that_starts_again_repeats_and_does_not_reorder() {
    let all = copies(&[100]);
    let account = account(&[100], &[&all[..60], &all[40..]].concat());
    assert_eq!(
        (account.duplicated, account.reordered, account.missing),
        (20, 0, 0)
    );
}

#[test]
fn records_of_others_are_counted_and_not_judged() {
    let mut copies = copies(&[2]);
    copies.insert(1, stamped(2, 0, 0));
    copies.push(Copied {
        partition: 0,
        value: b"{}".to_vec(),
    });
    let account = account(&[2], &copies);
    assert_eq!(
        (account.unrelated.other_runs, account.unrelated.no_run),
        (1, 1)
    );
    assert!(account.is_sound(Guarantee::ExactlyOnce));
}

#[test]
fn a_record_that_was_never_sent_shows_that_the_run_is_not_alone() {
    let mut copies = copies(&[2]);
    copies.push(stamped(1, 0, 2));
    copies.push(stamped(1, 7, 0));
    let account = account(&[2], &copies);
    assert_eq!(account.impossible, 2);
    assert_eq!(account.arrived, 2);
    assert!(!account.is_sound(Guarantee::AtLeastOnce));
}

#[test]
fn a_record_in_another_partition_is_misplaced_and_missing() {
    let mut copies = copies(&[2, 2]);
    copies[3].partition = 0;
    let account = account(&[2, 2], &copies);
    assert_eq!((account.misplaced.records, account.missing), (1, 1));
    assert_eq!(account.partitions[1].missing, [span(1, 1)]);
}

#[test]
fn a_key_that_none_was_sent_with_is_an_alteration() {
    let copy = stamped(1, 0, 0);
    let mut arrivals = Arrivals::new(run(1));
    arrivals.arrive(
        &RecordRef {
            key: Some(b"k"),
            ..record(&copy, 4)
        },
        0,
    );
    let account = judge(&sent(&[1]), &arrivals);
    assert_eq!((account.corrupted.records, account.missing), (1, 1));
    assert_eq!(account.corrupted.first[0].offset, 4);
}

/// What the report must say of a partition.
#[derive(Debug, Default)]
struct Expected {
    missing: Vec<u64>,
    /// With how often each came.
    repeated: Vec<(u64, u64)>,
}

/// What happens to one record on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    /// Comes this many times in all.
    Repeated(u64),
    /// A byte of it becomes another.
    Altered(usize),
    /// Only this many bytes of it come.
    Cut(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Lost),
        (2..7_u64).prop_map(Fate::Repeated),
        // what begins otherwise is nobody's record
        (5..SIZE).prop_map(Fate::Altered),
        (5..SIZE).prop_map(Fate::Cut),
    ]
}

proptest! {
    #[test]
    fn names_exactly_what_was_lost_repeated_altered_or_cut(
        counts in vec(1..40_u64, 1..4),
        fates in btree_map((0..4_i32, 0..40_u64), fate(), 0..30),
    ) {
        let mut copied = Vec::new();
        let mut expected: BTreeMap<i32, Expected> = BTreeMap::new();
        let mut spoilt = 0;
        for copy in copies(&counts) {
            let arrived = Stamp::read(&copy.value);
            let super::stamp::StampCheck::Stamped(stamp) = arrived else { panic!("{arrived:?}") };
            let Expected { missing, repeated } = expected.entry(copy.partition).or_default();
            match fates.get(&(copy.partition, stamp.sequence)) {
                None => copied.push(copy),
                Some(Fate::Lost) => missing.push(stamp.sequence),
                Some(&Fate::Repeated(times)) => {
                    (0..times).for_each(|_| copied.push(copy.clone()));
                    repeated.push((stamp.sequence, times));
                }
                Some(&fate) => {
                    let mut copy = copy;
                    match fate {
                        Fate::Cut(length) => copy.value.truncate(length),
                        Fate::Altered(at) => copy.value[at] ^= 4,
                        _ => {}
                    }
                    copied.push(copy);
                    missing.push(stamp.sequence);
                    spoilt += 1;
                }
            }
        }
        let account = account(&counts, &copied);
        prop_assert_eq!(account.corrupted.records, spoilt);
        prop_assert_eq!(account.reordered + account.impossible + account.misplaced.records, 0);
        for partition in &account.partitions {
            let Expected { missing, repeated } = &expected[&partition.partition];
            prop_assert_eq!(&numbers(&partition.missing), missing);
            let found: Vec<(u64, u64)> = partition.duplicated.iter()
                .flat_map(|one| numbers(&[one.span]).into_iter().map(|n| (n, one.times)))
                .collect();
            prop_assert_eq!(&found, repeated);
        }
        let is_whole = expected.values().all(|one| one.missing.is_empty());
        prop_assert_eq!(account.is_sound(Guarantee::AtLeastOnce), is_whole);
        prop_assert_eq!(arrived(&copied).has_all(&sent(&counts)), is_whole);
    }

    #[test]
    fn names_exactly_what_came_behind_a_later_one(order in Just((0..40_u64).collect::<Vec<_>>()).prop_shuffle()) {
        let copied: Vec<Copied> = order.iter().map(|&sequence| stamped(1, 0, sequence)).collect();
        let account = account(&[40], &copied);
        let late: BTreeSet<u64> = order.iter().enumerate()
            .filter(|(at, sequence)| order[..*at].iter().any(|before| before > sequence))
            .map(|(_, &sequence)| sequence)
            .collect();
        prop_assert_eq!(numbers(&account.partitions[0].reordered), late.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(account.is_sound(Guarantee::AtLeastOnce), late.is_empty());
        prop_assert_eq!((account.missing, account.duplicated), (0, 0));
    }

    #[test]
    fn the_counts_of_a_run_add_up(
        counts in vec(0..30_u64, 1..4), acknowledged in vec((0..4_i32, 0..30_u64, 0..9_u64), 0..9),
        lost in vec(any::<bool>(), 120)
    ) {
        let mut sent = Sent::new(run(1));
        for (partition, &count) in (0..).zip(&counts) {
            (0..count).for_each(|_| { sent.next(partition); });
        }
        for (partition, start, length) in acknowledged {
            let Some(&count) = counts.get(usize::try_from(partition).unwrap()) else { continue };
            sent.acknowledge(partition, start.min(count)..(start + length).min(count));
        }
        let mut lost = lost.into_iter();
        let mut copied = copies(&counts);
        copied.retain(|_| !lost.next().unwrap_or_default());
        let account = judge(&sent, &arrived(&copied));
        let open = account.unacknowledged_present + account.unacknowledged_absent;
        prop_assert_eq!(account.acknowledged + open, account.sent);
        prop_assert_eq!(account.arrived + account.missing + account.unacknowledged_absent, account.sent);
        prop_assert_eq!(account.arrived, copied.len() as u64);
    }
}
