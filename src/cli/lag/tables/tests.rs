//! Tables for made-up lags.

use super::*;
use indoc::indoc;
use kafka_mirror_kit::core::judge::lag::{Ends, LastKnown};

fn partition(number: i32, behind: u64, seconds_behind: Option<f64>, lost: u64) -> PartitionLag {
    PartitionLag {
        partition: number,
        first: 0,
        end: 100,
        position: Some(9),
        behind,
        exact: behind < 1_000,
        seconds_behind,
        lost,
        never_copied: 0,
        possibly_never_copied: 0,
        recreated: false,
        passed_over: 0,
        is_stamped: true,
        remote: None,
    }
}

fn topic(name: &str, state: TopicState, partitions: Vec<PartitionLag>) -> TopicLag {
    let remote = format!("primary.{name}");
    TopicLag::new((name, &remote), state, partitions.len(), partitions)
}

fn flow(topics: Vec<TopicLag>) -> FlowLag {
    FlowLag::new(("primary", "secondary"), topics)
}

fn sample() -> FlowLag {
    flow(vec![
        topic(
            "fine",
            TopicState::Mirrored,
            vec![partition(0, 0, Some(0.0), 0)],
        ),
        topic("secret", TopicState::Excluded, vec![]),
        topic("__own", TopicState::Internal, vec![]),
        topic(
            "orders",
            TopicState::Mirrored,
            vec![
                partition(0, 5, Some(2.0), 0),
                partition(1, 1_200, Some(3.25), 0),
            ],
        ),
        topic(
            "new",
            TopicState::NotCreatedYet,
            vec![partition(0, 20, None, 0)],
        ),
        topic(
            "again",
            TopicState::Mirrored,
            vec![partition(0, 0, Some(0.0), 7)],
        ),
    ])
}

#[test]
fn the_worst_first_and_what_is_no_lag_last() {
    let expected = indoc! {"
        primary->secondary: 1225 records and 3.2 s behind; 7 records lost on secondary
        TOPIC   PARTITIONS  BEHIND  SECONDS
        orders  2           <=1205  3.2
        new     1           20      -        not created yet
        again   1           0       0.0      mirrored topic recreated, 7 lost
        fine    1           0       0.0
        not mirrored (excluded): secret"};
    assert_eq!(one(&sample(), false), expected);
}

#[test]
fn partition_by_partition() {
    let text = one(&sample(), true);
    assert!(
        text.contains(indoc! {"
        orders  2           <=1205  3.2
                #0          5       2.0
                #1          <=1200  3.2
        new "}),
        "{text}"
    );
    assert!(
        text.contains("\nnot counted (Kafka's, MirrorMaker's or kmk's own): __own\n"),
        "{text}"
    );
}

#[test]
fn what_was_passed_over_is_told() {
    let never = PartitionLag {
        never_copied: 1_500,
        ..partition(0, 0, Some(0.0), 0)
    };
    let other = PartitionLag {
        recreated: true,
        ..partition(0, 3, Some(1.0), 0)
    };
    let cut = PartitionLag {
        remote: Some(Ends { first: 9, end: 9 }),
        ..partition(0, 0, Some(0.0), 9)
    };
    let marked = PartitionLag {
        possibly_never_copied: 2,
        ..partition(0, 0, Some(0.0), 0)
    };
    let flow = flow(vec![
        topic("expired", TopicState::Mirrored, vec![never]),
        topic("marked", TopicState::Mirrored, vec![marked]),
        topic("other", TopicState::Mirrored, vec![other]),
        topic("cut", TopicState::Mirrored, vec![cut]),
    ]);
    let expected = indoc! {"
        primary->secondary: 3 records and 1.0 s behind; 9 records lost on secondary; at most 1500 records never mirrored
        TOPIC    PARTITIONS  BEHIND  SECONDS
        other    1           3       1.0      position beyond the end: source topic recreated
        cut      1           0       0.0      mirrored topic truncated, 9 lost
        expired  1           0       0.0      at most 1500 removed before they were mirrored
        marked   1           0       0.0      unknown whether records were lost"};
    assert_eq!(one(&flow, false), expected);
}

#[test]
fn what_was_known_before_is_shown_with_its_age() {
    let flow = FlowLag {
        last_known: Some(LastKnown {
            behind: 630,
            seconds_behind: Some(3.2),
            age: 5.0,
        }),
        position_age_seconds: Some(5.14),
        ..FlowLag::unknown(
            ("primary", "secondary"),
            "cluster primary does not answer".to_owned(),
        )
    };
    assert_eq!(
        one(&flow, false),
        "primary->secondary: unknown: cluster primary does not answer; 630 records and 3.2 s behind 5 s ago; \
         MirrorMaker last committed its position 5.1 s ago"
    );
    let lag = Lag {
        lab: "demo".to_owned(),
        flows: vec![flow],
    };
    assert!(
        lines(&lag)
            .ends_with(" behind=- seconds=- lost=0 last_behind=630 last_seconds=3.2 last_age=5.0")
    );
}

#[test]
fn many_topics_that_are_up_to_date_are_counted() {
    let fine = |number: usize| {
        let name = format!("t{number:03}");
        topic(
            &name,
            TopicState::Mirrored,
            vec![partition(0, 0, Some(0.0), 0)],
        )
    };
    let text = one(&flow((0..100).map(fine).collect()), false);
    assert_eq!(text.lines().count(), 18, "{text}");
    assert!(text.starts_with("primary->secondary: 0 records behind\n"));
    assert!(text.ends_with("… and 85 more topics that are up to date; --verbose shows them"));
}

#[test]
fn what_is_not_known_is_not_zero() {
    let flow = FlowLag::unknown(
        ("primary", "secondary"),
        "cluster primary does not answer".to_owned(),
    );
    assert_eq!(
        one(&flow, false),
        "primary->secondary: unknown: cluster primary does not answer"
    );
    let lag = Lag {
        lab: "demo".to_owned(),
        flows: vec![flow],
    };
    assert!(lines(&lag).ends_with(" flow=primary->secondary behind=- seconds=- lost=0"));
}
