//! Losses, copies and disorder that are put into a log are named, and nothing else.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::convert::Infallible;

fn record(offset: i64, says: u64) -> Seen {
    Seen {
        offset,
        content: Content::of(None, Some(&says.to_be_bytes()), []),
    }
}

type Read<'a> = Box<dyn Iterator<Item = Result<Seen, Infallible>> + 'a>;

fn log(records: &[Seen]) -> Read<'_> {
    Box::new(records.iter().copied().map(Ok))
}

fn compared(source: &[Seen], target: &[Seen], window: usize) -> Result<Difference, usize> {
    let compared = compare(log(source), log(target), || Ok(log(source)), window);
    compared.map_err(|error| match error {
        NotCompared::TooDifferent(window) => window,
        NotCompared::Unread(never) => match never {},
    })
}

/// A log of records that say these, one offset after the other.
fn saying(says: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    (0..).zip(says).map(|(at, says)| record(at, says)).collect()
}

#[test]
fn content_is_key_value_and_headers_and_nothing_runs_into_the_next() {
    let of = |key: Option<&str>, value: Option<&str>, headers: &[(&str, Option<&str>)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.map(str::as_bytes)));
        Content::of(key.map(str::as_bytes), value.map(str::as_bytes), headers)
    };
    let all = [
        of(None, None, &[]),
        of(None, Some(""), &[]),
        of(Some(""), None, &[]),
        of(Some("a"), Some("b"), &[]),
        of(Some("ab"), Some(""), &[]),
        of(Some("a"), None, &[("b", None)]),
        of(Some("a"), None, &[("b", Some(""))]),
        of(Some("a"), None, &[("", Some("b"))]),
        of(Some("a"), None, &[("b", None), ("c", None)]),
        of(Some("a"), None, &[("c", None), ("b", None)]),
    ];
    assert_eq!(BTreeSet::from(all).len(), all.len());
}

#[test]
fn equal_ends_hide_a_loss_behind_a_copy() {
    let difference = compared(&saying([1, 2, 3, 4]), &saying([1, 2, 2, 4]), 10).unwrap();
    let expected = Difference {
        source: 4,
        target: 4,
        missing: 1,
        missing_at: ranges([2]),
        surplus: 1,
        surplus_at: ranges([2]),
        ..Difference::default()
    };
    assert_eq!(difference, expected);
    assert!(!difference.is_none());
}

#[test]
fn a_stranded_tail_is_a_range() {
    let difference = compared(&saying(0..10), &saying(0..7), 4).unwrap();
    assert_eq!(difference.missing, 3);
    assert_eq!(
        difference.missing_at,
        [OffsetRange {
            first: 7,
            last: 9,
            records: 3
        }]
    );
}

#[test]
fn order_and_what_never_was_on_the_source() {
    let difference = compared(&saying([1, 2, 3]), &saying([2, 1, 3, 9]), 10).unwrap();
    assert_eq!((difference.out_of_order, difference.foreign), (1, 1));
    assert_eq!((difference.missing, difference.surplus), (0, 0));
    assert_eq!(difference.foreign_at, ranges([3]));
    // a batch that is sent again is no disorder
    let difference = compared(&saying(0..6), &saying([0, 1, 2, 3, 2, 3, 4, 5]), 10).unwrap();
    assert_eq!((difference.out_of_order, difference.surplus), (0, 2));
    assert_eq!(difference.surplus_at, ranges([4, 5]));
}

#[test]
fn a_report_lists_so_many_ranges_and_counts_all() {
    let target = (0..).map(|at| if at % 2 == 0 { 1000 + at } else { at });
    let length = 2 * LISTED + 10;
    let target: Vec<u64> = target.take(length).collect();
    let odd = (0..length as u64).filter(|at| at % 2 == 1);
    let difference = compared(&saying(odd), &saying(target), length).unwrap();
    let json = serde_json::to_value(&difference).unwrap();
    let listed = json["foreign_at"].as_array().unwrap();
    assert_eq!(listed.len(), LISTED);
    assert_eq!(json["foreign"], LISTED + 5);
    assert_eq!(difference.foreign_at.len(), LISTED + 5);
}

#[test]
fn what_differs_too_much_is_not_judged() {
    assert_eq!(compared(&saying(0..9), &saying(20..29), 4), Err(4));
    assert_eq!(compared(&saying(0..20), &[], 4), Err(4));
    // long logs that agree need no room
    assert!(
        compared(&saying(0..1000), &saying(0..1000), 1)
            .unwrap()
            .is_none()
    );
}

proptest! {
    /// Losses and copies are injected: exactly these are named, whatever is said twice.
    #[test]
    fn injected_losses_and_copies_are_counted(
        says in proptest::collection::vec(0u64..30, 0..60),
        lost in proptest::collection::btree_set(0usize..60, 0..6),
        again in proptest::collection::vec((0usize..60, 0usize..70), 0..6),
    ) {
        let source = saying(says.iter().copied());
        let lost: BTreeSet<usize> = lost.into_iter().filter(|at| *at < says.len()).collect();
        let kept: Vec<u64> = (0..says.len()).filter(|at| !lost.contains(at)).map(|at| says[at]).collect();
        let mut arrived = kept.clone();
        let mut copies = Vec::new();
        for (which, at) in again {
            if kept.is_empty() { break; }
            let says = kept[which % kept.len()];
            arrived.insert(at % (arrived.len() + 1), says);
            copies.push(says);
        }
        let target = saying(arrived.iter().copied());
        let difference = compared(&source, &target, 1000).unwrap();
        // what is said by several records: a copy of one makes up for the loss of another that says the same
        let count = |of: &[u64], what: u64| of.iter().filter(|says| **says == what).count() as u64;
        let (mut missing, mut surplus) = (0, 0);
        for what in 0..30 {
            let (had, has) = (count(&says, what), count(&arrived, what));
            missing += had.saturating_sub(has);
            surplus += has.saturating_sub(had);
        }
        prop_assert_eq!(difference.missing, missing);
        prop_assert_eq!(difference.surplus, surplus);
        prop_assert_eq!(difference.foreign, 0);
        let records = |ranges: &[OffsetRange]| ranges.iter().map(|range| range.records).sum::<u64>();
        prop_assert_eq!(records(&difference.missing_at), missing);
        prop_assert_eq!(records(&difference.surplus_at), surplus);
        // what is not surplus is all there is, once for each record that says it
        let is_surplus = |offset: &i64| difference.surplus_at.iter().any(|range| (range.first..=range.last).contains(offset));
        let kept: Vec<u64> = (0..).zip(&arrived).filter(|(offset, _)| !is_surplus(offset)).map(|(_, says)| *says).collect();
        for what in 0..30 {
            prop_assert_eq!(count(&kept, what), count(&says, what).min(count(&arrived, what)));
        }
        prop_assert_eq!((difference.source, difference.target), (source.len() as u64, target.len() as u64));
    }

    /// Of records that all differ, the missing ones are named by their offsets, and order is kept where nothing was moved.
    #[test]
    fn of_different_records_the_missing_ones_are_named(
        length in 0u64..80,
        lost in proptest::collection::btree_set(0u64..80, 0..10),
        window in 20usize..100,
    ) {
        let source = saying(0..length);
        let target = saying((0..length).filter(|says| !lost.contains(says)));
        let difference = compared(&source, &target, window).unwrap();
        let expected = lost.iter().filter(|says| **says < length).map(|says| i64::try_from(*says).unwrap());
        prop_assert_eq!(difference.missing_at, ranges(expected));
        prop_assert_eq!((difference.out_of_order, difference.surplus), (0, 0));
    }

    /// A swap of two neighbours is seen.
    #[test]
    fn a_record_that_overtakes_another_is_seen(length in 2u64..50, at in 0usize..48) {
        let mut says: Vec<u64> = (0..length).collect();
        let at = at % (says.len() - 1);
        says.swap(at, at + 1);
        let difference = compared(&saying(0..length), &saying(says), 100).unwrap();
        prop_assert_eq!(difference.out_of_order, 1);
        prop_assert_eq!((difference.missing, difference.surplus, difference.foreign), (0, 0, 0));
    }
}
