//! What would become of a group at the other end of a flow, in words.

use crate::cli::quantity::{count, or_dash};
use crate::cli::table::{row, table};
use kafka_mirror_kit::core::failover::{Begins, Why};
use kafka_mirror_kit::core::lab::groups::{FlowPlaceReport, FlowReport, Prospect};
use std::collections::{BTreeMap, BTreeSet};

/// All partitions together: a line, and more where not all of them have a place there, or a copy.
pub(super) fn lines(flow: &FlowReport) -> Vec<String> {
    let name = &flow.flow;
    if let Some(problem) = &flow.problem {
        return vec![format!("{name}: not known: {problem}")];
    }
    let with = |begins: Option<Begins>| -> Vec<&FlowPlaceReport> {
        let places = flow.places.iter();
        places.filter(|place| place.begins == begins).collect()
    };
    let placed = with(Some(Begins::AtItsPlace));
    let choosing = with(Some(Begins::WhereItsClientsChoose));
    let is_alone = placed.is_empty();
    let parts = [
        placed_part(&placed, flow),
        choosing_part(&choosing, flow, is_alone),
    ];
    let parts = parts.into_iter().flatten();
    let parts: Vec<String> = parts.chain(other_parts(&with(None), flow)).collect();
    let mut lines = parts.into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = lines.map(|line| format!("  {line}"));
    [format!("{name}: {first}")]
        .into_iter()
        .chain(rest)
        .collect()
}

/// Where a place is noted there.
fn placed_part(places: &[&FlowPlaceReport], flow: &FlowReport) -> Option<String> {
    let sum = Prospect::sum(places.iter().copied());
    let (again, skipped) = (again(&sum)?, skipped(&sum)?);
    let why = reasons(places, flow);
    Some(match (sum.again, sum.skipped) {
        (Some(0), Some(0)) if places.iter().all(|place| place.why == Why::InStep) => {
            "goes on exactly where it stopped".to_owned()
        }
        (Some(0), Some(0)) => format!("goes on exactly where it stopped ({why})"),
        (_, Some(0)) => format!("{again} ({why})"),
        (Some(0), _) => format!("{skipped} ({why})"),
        _ => format!("{again}, {skipped} ({why})"),
    })
}

/// Where none is: one or the other happens.
fn choosing_part(places: &[&FlowPlaceReport], flow: &FlowReport, is_alone: bool) -> Option<String> {
    let sum = Prospect::sum(places.iter().copied());
    let (again, skipped) = (again(&sum)?, skipped(&sum)?);
    let why = reasons(places, flow);
    let what = if is_alone {
        "no place there".to_owned()
    } else {
        format!("no place in {}", count(places.len(), "partition"))
    };
    Some(format!("{what} ({why}): {again}, or {skipped}"))
}

/// Topics without a copy, by reason. Where others have one, it goes without saying that some came from there.
fn other_parts(places: &[&FlowPlaceReport], flow: &FlowReport) -> Vec<String> {
    let told = |why: &Why| *why != Why::CameFromThere || flow.why.contains(why);
    let mut topics: BTreeMap<Why, BTreeSet<&str>> = BTreeMap::new();
    for place in places.iter().filter(|place| told(&place.why)) {
        topics.entry(place.why).or_default().insert(&place.topic);
    }
    let parts = topics.into_iter().map(|(why, topics)| {
        let which = match topics.first() {
            Some(topic) if topics.len() == 1 => format!("`{topic}`"),
            _ => count(topics.len(), "topic"),
        };
        format!("{which}: {}", reason(why, flow))
    });
    parts.collect()
}

/// Those of the places that are not in step.
fn reasons(places: &[&FlowPlaceReport], flow: &FlowReport) -> String {
    let all: BTreeSet<Why> = places.iter().map(|place| place.why).collect();
    let reasons = all.into_iter().filter(|why| *why != Why::InStep);
    let reasons: Vec<String> = reasons.map(|why| reason(why, flow)).collect();
    reasons.join("; ")
}

/// Partition by partition.
pub(super) fn detail(flow: &FlowReport) -> String {
    let lines = lines(flow).join("\n");
    if flow.places.is_empty() {
        return lines;
    }
    let heading = row([
        "COPY",
        "PARTITION",
        "OFFSET",
        "SYNC",
        "THERE",
        "AGAIN",
        "SKIPPED",
        "WHY",
    ]);
    let rows = flow.places.iter().map(|place| {
        let prospect = &place.prospect;
        let sync = place
            .sync
            .map(|sync| format!("{}->{}", sync.upstream, sync.downstream));
        row([
            &place.copy,
            &place.partition.to_string(),
            &place.source_committed.to_string(),
            &or_dash(sync),
            &or_dash(place.target_committed),
            &cell(prospect.again, prospect.again_exact),
            &cell(prospect.skipped, prospect.skipped_exact),
            short(place.why),
        ])
    });
    let rows: Vec<Vec<String>> = [heading].into_iter().chain(rows).collect();
    format!("{lines}\n{}", table(&rows))
}

fn cell(number: Option<u64>, is_exact: bool) -> String {
    match number {
        Some(number) if !is_exact => format!("<={number}"),
        number => or_dash(number),
    }
}

fn again(sum: &Prospect) -> Option<String> {
    let number = amount(sum.again?, sum.again_exact);
    Some(format!("{number} delivered again"))
}

/// In capitals: they would be lost to the group.
fn skipped(sum: &Prospect) -> Option<String> {
    let number = amount(sum.skipped?, sum.skipped_exact);
    Some(format!("{number} SKIPPED"))
}

fn amount(number: u64, is_exact: bool) -> String {
    if is_exact {
        number.to_string()
    } else {
        format!("at most {number}")
    }
}

fn reason(why: Why, flow: &FlowReport) -> String {
    let target = &flow.target;
    match why {
        Why::InStep => "in step".to_owned(),
        Why::SparseSyncs => "sparse syncs".to_owned(),
        Why::CopiedAgain => "copied more than once".to_owned(),
        Why::NotSyncedYet => format!("not synced yet: every {} s", flow.interval_seconds),
        Why::NoSync => "MirrorMaker has no sync so far back".to_owned(),
        Why::Ahead => "moved on there".to_owned(),
        Why::ActiveOnTarget => format!("active on {target}: MirrorMaker leaves it alone"),
        Why::SyncOff => "sync.group.offsets.enabled = false".to_owned(),
        Why::CheckpointsOff => "emit.checkpoints.enabled = false".to_owned(),
        Why::Excluded => "the flow leaves the group out".to_owned(),
        Why::BeyondTheEnd => "its place lies beyond the end".to_owned(),
        Why::OutOfRange => "its place there is out of range".to_owned(),
        Why::NoCopy => "no copy there".to_owned(),
        Why::TopicLeftOut => "left out by the flow".to_owned(),
        Why::CameFromThere => format!("copied from {target}; places are not brought back"),
    }
}

/// As narrow as a column.
fn short(why: Why) -> &'static str {
    match why {
        Why::InStep => "in step",
        Why::SparseSyncs => "sparse syncs",
        Why::CopiedAgain => "copied again",
        Why::NotSyncedYet => "not synced yet",
        Why::NoSync => "no sync",
        Why::Ahead => "moved on there",
        Why::ActiveOnTarget => "active there",
        Why::SyncOff => "sync off",
        Why::CheckpointsOff => "checkpoints off",
        Why::Excluded => "group left out",
        Why::BeyondTheEnd => "beyond the end",
        Why::OutOfRange => "out of range",
        Why::NoCopy => "no copy",
        Why::TopicLeftOut => "topic left out",
        Why::CameFromThere => "came from there",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::mirror_state::OffsetSync;

    fn place(again: u64, skipped: u64, is_exact: bool, begins: Begins, why: Why) -> FlowReport {
        let prospect = Prospect {
            again: Some(again),
            again_exact: is_exact,
            skipped: Some(skipped),
            skipped_exact: is_exact,
        };
        let place = FlowPlaceReport {
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
            target_committed: (begins == Begins::AtItsPlace).then_some(287),
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
            places: vec![place],
            problem: None,
        }
    }

    #[test]
    fn a_line_says_how_many_and_why() {
        use Begins::{AtItsPlace, WhereItsClientsChoose};
        for (flow, expected) in [
            (
                place(0, 0, true, AtItsPlace, Why::InStep),
                "goes on exactly where it stopped",
            ),
            (
                place(13, 0, true, AtItsPlace, Why::SparseSyncs),
                "13 delivered again (sparse syncs)",
            ),
            (
                place(13, 0, false, AtItsPlace, Why::CopiedAgain),
                "at most 13 delivered again (copied more than once)",
            ),
            (
                place(0, 7, true, AtItsPlace, Why::Ahead),
                "7 SKIPPED (moved on there)",
            ),
            (
                place(5, 7, false, AtItsPlace, Why::ActiveOnTarget),
                "at most 5 delivered again, at most 7 SKIPPED (active on secondary: MirrorMaker leaves it alone)",
            ),
            (
                place(300, 200, true, WhereItsClientsChoose, Why::NotSyncedYet),
                "no place there (not synced yet: every 2 s): 300 delivered again, or 200 SKIPPED",
            ),
        ] {
            assert_eq!(lines(&flow), [format!("primary->secondary: {expected}")]);
        }
    }

    #[test]
    fn without_a_copy_or_an_answer_there_are_no_numbers() {
        let mut flow = place(0, 0, true, Begins::AtItsPlace, Why::NoCopy);
        flow.places[0].begins = None;
        assert_eq!(
            lines(&flow),
            ["primary->secondary: `orders`: no copy there"]
        );
        flow.problem = Some("secondary is away".to_owned());
        flow.places.clear();
        assert_eq!(
            detail(&flow),
            "primary->secondary: not known: secondary is away"
        );
    }

    #[test]
    fn what_differs_from_partition_to_partition_has_lines_of_its_own() {
        let mut flow = place(13, 0, true, Begins::AtItsPlace, Why::SparseSyncs);
        for (begins, why) in [
            (Begins::AtItsPlace, Why::InStep),
            (Begins::WhereItsClientsChoose, Why::NoSync),
        ] {
            flow.places.extend(place(0, 5, true, begins, why).places);
        }
        flow.places[1].prospect.skipped = Some(0);
        flow.places
            .extend(place(0, 0, true, Begins::AtItsPlace, Why::CameFromThere).places);
        flow.places
            .extend(place(0, 0, true, Begins::AtItsPlace, Why::NoCopy).places);
        flow.places[3].begins = None;
        flow.places[4].begins = None;
        let expected = [
            "primary->secondary: 13 delivered again (sparse syncs)",
            "  no place in 1 partition (MirrorMaker has no sync so far back): 0 delivered again, or 5 SKIPPED",
            "  `orders`: no copy there",
        ];
        assert_eq!(lines(&flow), expected);
    }

    #[test]
    fn partition_by_partition() {
        let flow = place(13, 0, false, Begins::AtItsPlace, Why::SparseSyncs);
        let expected = "\
primary->secondary: at most 13 delivered again (sparse syncs)
COPY            PARTITION  OFFSET  SYNC      THERE  AGAIN  SKIPPED  WHY
primary.orders  0          300     286->286  287    <=13   <=0      sparse syncs";
        assert_eq!(detail(&flow), expected);
    }
}
