//! Which rings of flows go on for ever; held against names that are sent round.

use super::*;
use proptest::prelude::*;

fn hop<'a>(source: &'a str, target: &'a str, prefixes: bool) -> Hop<'a> {
    Hop {
        source,
        target,
        separator: prefixes.then_some("."),
        topics: vec![".*".to_owned()],
        exclude: Vec::new(),
    }
}

fn taking<'a>(hop: &Hop<'a>, topics: &[&str], exclude: &[&str]) -> Hop<'a> {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Hop {
        topics: owned(topics),
        exclude: owned(exclude),
        ..hop.clone()
    }
}

#[test]
fn what_is_left_out_but_for_a_canary_goes_round_only_as_that() {
    let left_out = [r"(?!kmk-canary$)(?:.*)"];
    let there = hop("a", "b", true);
    let back = hop("b", "a", false);
    assert_eq!(rings(&[there.clone(), back.clone()]), [[0, 1]]);
    let spared = taking(&there, &[".*"], &left_out);
    assert_eq!(rings(&[spared, back.clone()]), [[0usize; 0]; 0]);
    // with the same names on both sides the canary is the one topic that does
    let there = hop("a", "b", false);
    let spared = taking(&there, &[".*"], &left_out);
    assert_eq!(rings(&[spared.clone(), back.clone()]), [[0, 1]]);
    let others = taking(&back, &["orders"], &[]);
    assert_eq!(rings(&[spared, others]), [[0usize; 0]; 0]);
}

#[test]
fn each_mixture_of_two_and_of_three() {
    let none: [Vec<usize>; 0] = [];
    for (first, second, circles) in [
        (true, true, false),
        (true, false, true),
        (false, true, true),
        (false, false, true),
    ] {
        let found = rings(&[hop("a", "b", first), hop("b", "a", second)]);
        let expected = circles.then(|| vec![0, 1]);
        assert_eq!(found, Vec::from_iter(expected), "{first} {second}");
    }
    for mixture in 0..8 {
        let prefixes = |place: usize| mixture & (1 << place) != 0;
        let ring = [("a", "b"), ("b", "c"), ("c", "a")];
        let ring: Vec<Hop<'_>> = (0..)
            .zip(ring)
            .map(|(place, (from, to))| hop(from, to, prefixes(place)))
            .collect();
        let circles = (0..3).filter(|place| prefixes(*place)).count() < 2;
        assert_eq!(!rings(&ring).is_empty(), circles, "{mixture:03b}");
    }
    assert_eq!(rings(&[hop("a", "b", false), hop("b", "c", false)]), none);
}

#[test]
fn prefixes_that_the_other_flow_cannot_read_stop_nothing() {
    let other = Hop {
        separator: Some("_"),
        ..hop("b", "a", true)
    };
    assert_eq!(rings(&[hop("a", "b", true), other]), [[0, 1]]);
    let dotted = [
        hop("us.east", "us.west", true),
        hop("us.west", "us.east", true),
    ];
    assert_eq!(rings(&dotted), [[0, 1]]);
}

#[test]
fn lists_count_only_where_no_name_can_pass() {
    let (there, back) = (hop("a", "b", false), hop("b", "a", true));
    let circles =
        |there: &Hop<'_>, back: &Hop<'_>| !rings(&[there.clone(), back.clone()]).is_empty();
    let only = |topics: &[&str]| taking(&there, topics, &[]);
    assert!(!circles(&only(&["orders"]), &back));
    assert!(!circles(&only(&[r"team\.orders", "team.payments"]), &back));
    assert!(!circles(&only(&["orders.*"]), &back));
    assert!(circles(&only(&["orders", ".*orders"]), &back));
    assert!(circles(&only(&["b.*"]), &back));
    assert!(circles(&only(&["(?i)orders.*"]), &back));
    assert!(circles(&only(&["orders|.*"]), &back));
    let but = |exclude: &str| taking(&there, &[".*"], &[exclude]);
    assert!(!circles(&but(r"b\..*"), &back));
    assert!(!circles(&but("b.*"), &back));
    for exclude in ["orders", r"b\.orders.*", r"x|b\..*", r"b\.*x", "c.*"] {
        assert!(circles(&but(exclude), &back), "{exclude}");
    }
    let same = |topics: &[&str]| taking(&hop("b", "a", false), topics, &[]);
    assert!(!circles(&only(&["orders"]), &same(&["payments", "or.*x"])));
    assert!(!circles(&only(&["team.a"]), &same(&["team.b", "team.ab"])));
    assert!(!circles(
        &only(&["orders"]),
        &taking(&hop("b", "a", false), &[".*"], &["order.*"])
    ));
    assert!(circles(&only(&["orders"]), &same(&["payments", "or.*"])));
    let prefixes = |topics: &[&str]| taking(&back, topics, &[]);
    assert!(!circles(&there, &prefixes(&["orders"])));
    assert!(circles(&there, &prefixes(&["orders", r"b\..*"])));
}

/// Whether a topic goes on for ever, by MirrorMaker's own rule: every place that its copies reach, from each cluster.
fn goes_on(hops: &[Hop<'_>]) -> bool {
    let is_cycle = |hop: &Hop<'_>, topic: &str| {
        let sources: Vec<&str> = topic.split('.').collect();
        hop.separator.is_some() && sources[..sources.len() - 1].contains(&hop.target)
    };
    let copies = |(cluster, topic): &(String, String)| -> Vec<(String, String)> {
        let from = hops.iter().filter(|hop| hop.source == *cluster);
        from.filter(|hop| !is_cycle(hop, topic))
            .map(|hop| {
                let name = hop.separator.map_or_else(
                    || topic.clone(),
                    |separator| format!("{}{separator}{topic}", hop.source),
                );
                (hop.target.to_owned(), name)
            })
            .collect()
    };
    hops.iter().any(|hop| {
        let first = (hop.source.to_owned(), "orders".to_owned());
        let mut ways = vec![vec![first]];
        while let Some(way) = ways.pop() {
            let here = &way[way.len() - 1];
            for copy in copies(here) {
                // no more than each cluster's name once stands before a topic that is stopped
                if way.contains(&copy) || copy.1.matches('.').count() > 5 {
                    return true;
                }
                ways.push([way.clone(), vec![copy]].concat());
            }
        }
        false
    })
}

proptest! {
    #[test]
    fn a_ring_is_what_mirrormaker_does_not_stop(
        flows in proptest::collection::btree_map((0usize..4, 0usize..4), any::<bool>(), 1..6),
    ) {
        let names = ["a", "b", "c", "d"];
        let flows = flows.iter().filter(|((from, to), _)| from != to);
        let hops: Vec<Hop<'_>> =
            flows.map(|((from, to), prefixes)| hop(names[*from], names[*to], *prefixes)).collect();
        prop_assert_eq!(!rings(&hops).is_empty(), goes_on(&hops));
    }
}
