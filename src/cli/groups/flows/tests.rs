//! Texts for made-up failovers.

use super::*;
use kafka_mirror_kit::core::mirrormaker::state::OffsetSync;

fn partition(again: u64, skipped: u64, is_exact: bool, begins: Begins, why: Why) -> FlowReport {
    let prospect = Prospect {
        again: Some(again),
        again_exact: is_exact,
        skipped: Some(skipped),
        skipped_exact: is_exact,
        further: Some(0),
        further_exact: true,
    };
    let partition = FlowPartition {
        topic: "orders".to_owned(),
        copy: "primary.orders".to_owned(),
        partition: 0,
        source_committed: 300,
        source_end: Some(500),
        checkpoint: None,
        sync: Some(OffsetSync {
            upstream: 286,
            downstream: 286,
        }),
        target_committed: (begins == Begins::AtCommittedOffset).then_some(287),
        target_end: Some(500),
        begins: Some(begins),
        prospect,
        why,
    };
    FlowReport {
        flow: "primary->secondary".to_owned(),
        target: "secondary".to_owned(),
        sum: prospect,
        why: vec![why],
        active_on_target: false,
        interval_seconds: 2,
        partitions: vec![partition],
        last_seen_seconds: None,
        again_as_last_seen: None,
        problem: None,
    }
}

fn further_on(again: u64, further: u64, is_exact: bool, why: Why) -> FlowReport {
    let mut flow = partition(again, 0, is_exact, Begins::AtCommittedOffset, why);
    let prospect = &mut flow.partitions[0].prospect;
    (prospect.skipped, prospect.skipped_exact) = (None, false);
    (prospect.further, prospect.further_exact) = (Some(further), is_exact);
    flow
}

#[test]
fn a_line_says_how_many_and_why() {
    use Begins::{AtCommittedOffset, ByAutoOffsetReset};
    for (flow, expected) in [
        (
            partition(0, 0, true, AtCommittedOffset, Why::InSync),
            "resumes exactly where it stopped",
        ),
        (
            partition(13, 0, true, AtCommittedOffset, Why::SparseSyncs),
            "13 redelivered (sparse syncs)",
        ),
        (
            partition(13, 0, false, AtCommittedOffset, Why::MirroredTwice),
            "at most 13 redelivered (mirrored more than once)",
        ),
        (
            further_on(0, 26, true, Why::Ahead),
            "26 records ahead there (read there, or moved)",
        ),
        (
            further_on(5, 7, false, Why::ActiveOnTarget),
            "at most 5 redelivered, at most 7 records ahead there (active on secondary: MirrorMaker leaves it alone)",
        ),
        (
            partition(2_000, 0, true, AtCommittedOffset, Why::MirroredFromTarget),
            "2000 redelivered (mirrored from secondary; offsets are not synced back)",
        ),
        (
            partition(398, 0, false, AtCommittedOffset, Why::OffsetsWithoutRecords),
            "at most 398 redelivered (offsets without records: transactions or compaction)",
        ),
        (
            partition(300, 200, true, ByAutoOffsetReset, Why::NotSyncedYet),
            "no committed offset there (not synced yet: every 2 s): 300 redelivered, or 200 SKIPPED",
        ),
    ] {
        assert_eq!(lines(&flow), [format!("primary->secondary: {expected}")]);
    }
}

#[test]
fn an_offset_beyond_the_end_is_nothing_to_continue_from() {
    let mut flow = partition(0, 0, true, Begins::AtCommittedOffset, Why::BeyondEnd);
    flow.partitions[0].source_committed = 501;
    assert_eq!(
        lines(&flow),
        [
            "primary->secondary: nothing redelivered (its committed offset is beyond the end on the source: out of range, so auto.offset.reset decides)"
        ]
    );
    flow.partitions[0].why = Why::ActiveOnTarget;
    assert!(!lines(&flow)[0].contains("exactly"));
}

#[test]
fn an_offset_that_is_out_of_range_there_is_not_called_none() {
    let mut flow = partition(300, 200, true, Begins::ByAutoOffsetReset, Why::OutOfRange);
    flow.partitions[0].target_committed = Some(501);
    assert_eq!(
        lines(&flow),
        [
            "primary->secondary: no valid committed offset there (its committed offset there is out of range): 300 redelivered, or 200 SKIPPED"
        ]
    );
}

#[test]
fn without_a_copy_or_an_answer_there_are_no_numbers() {
    let mut flow = partition(0, 0, true, Begins::AtCommittedOffset, Why::NoMirroredTopic);
    flow.partitions[0].begins = None;
    assert_eq!(
        lines(&flow),
        ["primary->secondary: `orders`: no mirrored topic there"]
    );
    flow.problem = Some("secondary is away".to_owned());
    flow.partitions.clear();
    assert_eq!(
        detail(&flow),
        "primary->secondary: unknown: secondary is away"
    );
}

#[test]
fn what_differs_from_partition_to_partition_has_lines_of_its_own() {
    let mut flow = partition(13, 0, true, Begins::AtCommittedOffset, Why::SparseSyncs);
    for (begins, why) in [
        (Begins::AtCommittedOffset, Why::InSync),
        (Begins::ByAutoOffsetReset, Why::NoOffsetSync),
    ] {
        flow.partitions
            .extend(partition(0, 5, true, begins, why).partitions);
    }
    flow.partitions[1].prospect.skipped = Some(0);
    flow.partitions
        .extend(partition(0, 0, true, Begins::AtCommittedOffset, Why::NoMirroredTopic).partitions);
    flow.partitions[3].begins = None;
    let expected = [
        "primary->secondary: 13 redelivered (sparse syncs)",
        "  no committed offset in 1 partition (MirrorMaker has no offset sync that old): 0 redelivered, or 5 SKIPPED",
        "  `orders`: no mirrored topic there",
    ];
    assert_eq!(lines(&flow), expected);
}

#[test]
fn partition_by_partition() {
    let flow = partition(13, 0, false, Begins::AtCommittedOffset, Why::SparseSyncs);
    let expected = "\
primary->secondary: at most 13 redelivered (sparse syncs)
REMOTE TOPIC    PARTITION  OFFSET  SYNC      TARGET  REDELIVERED  SKIPPED  WHY
primary.orders  0          300     286->286  287     <=13         <=0      sparse syncs";
    assert_eq!(detail(&flow), expected);
}

#[test]
fn what_is_further_on_there_is_not_called_skipped() {
    let flow = further_on(0, 26, true, Why::Ahead);
    let expected = "\
primary->secondary: 26 records ahead there (read there, or moved)
REMOTE TOPIC    PARTITION  OFFSET  SYNC      TARGET  REDELIVERED  SKIPPED  AHEAD  WHY
primary.orders  0          300     286->286  287     0            -        26     ahead there";
    assert_eq!(detail(&flow), expected);
}

#[test]
fn where_the_source_does_not_answer_what_was_seen_has_its_age() {
    let mut flow = partition(213, 0, false, Begins::AtCommittedOffset, Why::LastSeen);
    (flow.last_seen_seconds, flow.again_as_last_seen) = (Some(12), Some(13));
    assert_eq!(
        lines(&flow),
        [
            "primary->secondary, last seen 12 s ago: about 13 redelivered, at most 213 if it has read on since (the source does not answer)"
        ]
    );
    flow.partitions[0].prospect.again = Some(0);
    assert_eq!(
        lines(&flow),
        [
            "primary->secondary, last seen 12 s ago: nothing redelivered (the source does not answer)"
        ]
    );
}
