//! What would become of a group at the other end of a flow, in words.

use crate::cli::quantity::or_dash;
use crate::cli::table::{row, table};
use kafka_mirror_kit::core::failover::{Begins, Why};
use kafka_mirror_kit::core::lab::groups::{FlowPlaceReport, FlowReport, Prospect};

/// All partitions together.
pub(super) fn line(flow: &FlowReport) -> String {
    let name = &flow.flow;
    if let Some(problem) = &flow.problem {
        return format!("{name}: not known: {problem}");
    }
    let why: Vec<String> = flow.why.iter().map(|why| reason(*why, flow)).collect();
    let why = why.join("; ");
    match told(flow) {
        None => format!("{name}: {why}"),
        Some(told) if flow.why == [Why::InStep] => format!("{name}: {told}"),
        Some(told) => format!("{name}: {told} ({why})"),
    }
}

/// Partition by partition.
pub(super) fn detail(flow: &FlowReport) -> String {
    let line = line(flow);
    if flow.places.is_empty() {
        return line;
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
    format!("{line}\n{}", table(&rows))
}

fn cell(number: Option<u64>, is_exact: bool) -> String {
    match number {
        Some(number) if !is_exact => format!("<={number}"),
        number => or_dash(number),
    }
}

/// The numbers; none where there is no copy of anything.
fn told(flow: &FlowReport) -> Option<String> {
    let chooses = |place: &&FlowPlaceReport| place.begins == Some(Begins::WhereItsClientsChoose);
    let with_copy = flow.places.iter().filter(|place| place.begins.is_some());
    let choosing = flow.places.iter().filter(chooses).count();
    let sum = &flow.sum;
    let (again, skipped) = (again(sum)?, skipped(sum)?);
    Some(match with_copy.count() - choosing {
        0 => format!("no place there: {again} from the first record on, or {skipped} at the end"),
        _ if choosing > 0 => format!("{again}, or {skipped} where it has no place there"),
        _ => match (sum.again, sum.skipped) {
            (Some(0), Some(0)) => "goes on exactly where it stopped".to_owned(),
            (_, Some(0)) => again,
            (Some(0), _) => skipped,
            _ => format!("{again}, or {skipped}"),
        },
    })
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
        Why::InStep => "in step elsewhere".to_owned(),
        Why::SparseSyncs => "sparse syncs".to_owned(),
        Why::CopiedAgain => "copied more than once".to_owned(),
        Why::NotSyncedYet => format!("not synced yet: every {} s", flow.interval_seconds),
        Why::Ahead => "moved on there".to_owned(),
        Why::ActiveOnTarget => format!("active on {target}: MirrorMaker leaves it alone"),
        Why::SyncOff => "sync.group.offsets.enabled = false".to_owned(),
        Why::CheckpointsOff => "emit.checkpoints.enabled = false".to_owned(),
        Why::Excluded => "the flow leaves the group out".to_owned(),
        Why::BeyondTheEnd => "its place lies beyond the end".to_owned(),
        Why::OutOfRange => "its place there is out of range".to_owned(),
        Why::NoCopy => "no copy of the topic there".to_owned(),
        Why::TopicLeftOut => "the flow leaves the topic out".to_owned(),
        Why::CameFromThere => format!("copied from {target}: places are not brought back"),
    }
}

/// As narrow as a column.
fn short(why: Why) -> &'static str {
    match why {
        Why::InStep => "in step",
        Why::SparseSyncs => "sparse syncs",
        Why::CopiedAgain => "copied again",
        Why::NotSyncedYet => "not synced yet",
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
                "at most 5 delivered again, or at most 7 SKIPPED (active on secondary: MirrorMaker leaves it alone)",
            ),
            (
                place(300, 200, true, WhereItsClientsChoose, Why::NotSyncedYet),
                "no place there: 300 delivered again from the first record on, or 200 SKIPPED at the end (not synced yet: every 2 s)",
            ),
        ] {
            assert_eq!(line(&flow), format!("primary->secondary: {expected}"));
        }
    }

    #[test]
    fn without_a_copy_or_an_answer_there_are_no_numbers() {
        let mut flow = place(0, 0, true, Begins::AtItsPlace, Why::NoCopy);
        flow.sum = Prospect::default();
        assert_eq!(
            line(&flow),
            "primary->secondary: no copy of the topic there"
        );
        flow.problem = Some("secondary is away".to_owned());
        flow.places.clear();
        assert_eq!(
            detail(&flow),
            "primary->secondary: not known: secondary is away"
        );
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
