//! Text for what would happen to a group after a failover through a flow.

use crate::cli::quantity::{count, or_dash};
use crate::cli::table::{row, table};
use kafka_mirror_kit::core::judge::failover::{Begins, Why};
use kafka_mirror_kit::core::lab::groups::{FlowPartition, FlowReport, Prospect};
use std::collections::{BTreeMap, BTreeSet};

/// All partitions together: a line, and more where not all of them have an offset there, or a mirrored partition.
pub(super) fn lines(flow: &FlowReport) -> Vec<String> {
    let name = name(flow);
    if let Some(problem) = &flow.problem {
        return vec![format!("{name}: unknown: {problem}")];
    }
    let with = |begins: Option<Begins>| -> Vec<&FlowPartition> {
        let partitions = flow.partitions.iter();
        partitions
            .filter(|partition| partition.begins == begins)
            .collect()
    };
    let committed = with(Some(Begins::AtCommittedOffset));
    let choosing = with(Some(Begins::ByAutoOffsetReset));
    let is_alone = committed.is_empty();
    let parts = [
        committed_part(&committed, flow),
        uncommitted_part(&choosing, flow, is_alone),
    ];
    let parts = parts.into_iter().flatten();
    let parts: Vec<String> = parts.chain(unmirrored_parts(&with(None), flow)).collect();
    let mut lines = parts.into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = lines.map(|line| format!("  {line}"));
    [format!("{name}: {first}")]
        .into_iter()
        .chain(rest)
        .collect()
}

/// With its age where it is not of now.
fn name(flow: &FlowReport) -> String {
    let flow_name = &flow.flow;
    flow.last_seen_seconds.map_or_else(
        || flow_name.clone(),
        |seconds| format!("{flow_name}, last seen {seconds} s ago"),
    )
}

/// Where an offset is committed there.
fn committed_part(partitions: &[&FlowPartition], flow: &FlowReport) -> Option<String> {
    let sum = Prospect::sum(partitions.iter().copied());
    let again = (sum.again? > 0)
        .then(|| redelivered_since(&sum, flow))
        .flatten();
    let further = (sum.further? > 0).then(|| ahead(&sum)).flatten();
    let why = reasons(partitions, flow);
    let is_in_sync = partitions
        .iter()
        .all(|partition| partition.why == Why::InSync);
    Some(match (again, further) {
        (None, None) if is_in_sync => "resumes exactly where it stopped".to_owned(),
        (None, None) if flow.last_seen_seconds.is_some() || is_beyond(partitions) => {
            format!("nothing redelivered ({why})")
        }
        (None, None) => format!("resumes exactly where it stopped ({why})"),
        (again, further) => {
            let parts: Vec<String> = again.into_iter().chain(further).collect();
            format!("{} ({why})", parts.join(", "))
        }
    })
}

/// Whether it has no valid offset: on the source it is out of range.
fn is_beyond(partitions: &[&FlowPartition]) -> bool {
    let mut partitions = partitions.iter();
    partitions.any(|partition| {
        partition
            .source_end
            .is_some_and(|end| partition.source_committed > end)
    })
}

/// Where the source does not answer, the group may have read on since.
fn redelivered_since(sum: &Prospect, flow: &FlowReport) -> Option<String> {
    let Some(about) = flow.again_as_last_seen.filter(|_| sum.again != Some(0)) else {
        return redelivered(sum);
    };
    let number = amount(sum.again?, sum.again_exact);
    Some(format!(
        "about {about} redelivered, {number} if it has read on since"
    ))
}

/// Read there, or passed over when someone moved the group: which of both is not recorded anywhere.
fn ahead(sum: &Prospect) -> Option<String> {
    let number = amount(sum.further?, sum.further_exact);
    Some(format!("{number} records ahead there"))
}

/// Where none is: one or the other happens.
fn uncommitted_part(
    partitions: &[&FlowPartition],
    flow: &FlowReport,
    is_alone: bool,
) -> Option<String> {
    let sum = Prospect::sum(partitions.iter().copied());
    let (again, skipped) = (redelivered(&sum)?, skipped(&sum)?);
    let why = reasons(partitions, flow);
    let what = if partitions
        .iter()
        .any(|partition| partition.target_committed.is_some())
    {
        "no valid committed offset"
    } else {
        "no committed offset"
    };
    let what = if is_alone {
        format!("{what} there")
    } else {
        format!("{what} in {}", count(partitions.len(), "partition"))
    };
    Some(format!("{what} ({why}): {again}, or {skipped}"))
}

/// Topics without a copy, by reason.
fn unmirrored_parts(partitions: &[&FlowPartition], flow: &FlowReport) -> Vec<String> {
    let mut topics: BTreeMap<Why, BTreeSet<&str>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(partition.why)
            .or_default()
            .insert(&partition.topic);
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

/// The offsets that are not in step.
fn reasons(partitions: &[&FlowPartition], flow: &FlowReport) -> String {
    let all: BTreeSet<Why> = partitions.iter().map(|partition| partition.why).collect();
    let reasons = all.into_iter().filter(|why| *why != Why::InSync);
    let reasons: Vec<String> = reasons.map(|why| reason(why, flow)).collect();
    reasons.join("; ")
}

/// Partition by partition.
pub(super) fn detail(flow: &FlowReport) -> String {
    let lines = lines(flow).join("\n");
    if flow.partitions.is_empty() {
        return lines;
    }
    let mut heading = row([
        "REMOTE TOPIC",
        "PARTITION",
        "OFFSET",
        "SYNC",
        "TARGET",
        "REDELIVERED",
        "SKIPPED",
    ]);
    let with_ahead = flow
        .partitions
        .iter()
        .any(|one| one.prospect.further > Some(0));
    heading.extend(with_ahead.then(|| "AHEAD".to_owned()));
    heading.push("WHY".to_owned());
    let rows = flow.partitions.iter().map(|partition| {
        let prospect = &partition.prospect;
        let sync = partition
            .sync
            .map(|sync| format!("{}->{}", sync.upstream, sync.downstream));
        let mut cells = row([
            &partition.copy,
            &partition.partition.to_string(),
            &partition.source_committed.to_string(),
            &or_dash(sync),
            &or_dash(partition.target_committed),
            &cell(prospect.again, prospect.again_exact),
            &cell(prospect.skipped, prospect.skipped_exact),
        ]);
        let further = cell(prospect.further, prospect.further_exact);
        cells.extend(with_ahead.then_some(further));
        cells.push(short(partition.why).to_owned());
        cells
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

fn redelivered(sum: &Prospect) -> Option<String> {
    let number = amount(sum.again?, sum.again_exact);
    Some(format!("{number} redelivered"))
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
        Why::InSync => "in sync".to_owned(),
        Why::SparseSyncs => "sparse syncs".to_owned(),
        Why::MirroredTwice => "mirrored more than once".to_owned(),
        Why::NotSyncedYet => format!("not synced yet: every {} s", flow.interval_seconds),
        Why::NoOffsetSync => "MirrorMaker has no offset sync that old".to_owned(),
        Why::OffsetsWithoutRecords => {
            "offsets without records: transactions or compaction".to_owned()
        }
        Why::OtherWriters => "other producers write to it too".to_owned(),
        Why::Ahead => "read there, or moved".to_owned(),
        Why::ActiveOnTarget => format!("active on {target}: MirrorMaker leaves it alone"),
        Why::SyncOff => "sync.group.offsets.enabled = false".to_owned(),
        Why::CheckpointsOff => "emit.checkpoints.enabled = false".to_owned(),
        Why::Excluded => "the flow excludes the group".to_owned(),
        Why::BeyondEnd => {
            "its committed offset is beyond the end on the source: out of range, so auto.offset.reset decides".to_owned()
        }
        Why::OutOfRange => "its committed offset there is out of range".to_owned(),
        Why::NoMirroredTopic => "no mirrored topic there".to_owned(),
        Why::TopicNotMirrored => "not mirrored by the flow".to_owned(),
        Why::MirroredFromTarget => format!("mirrored from {target}; offsets are not synced back"),
        Why::LastSeen => "the source does not answer".to_owned(),
    }
}

/// As narrow as a column.
fn short(why: Why) -> &'static str {
    match why {
        Why::InSync => "in sync",
        Why::SparseSyncs => "sparse syncs",
        Why::MirroredTwice => "mirrored twice",
        Why::NotSyncedYet => "not synced yet",
        Why::NoOffsetSync => "no offset sync",
        Why::OffsetsWithoutRecords => "no records",
        Why::OtherWriters => "other writers",
        Why::Ahead => "ahead there",
        Why::ActiveOnTarget => "active there",
        Why::SyncOff => "sync off",
        Why::CheckpointsOff => "checkpoints off",
        Why::Excluded => "group excluded",
        Why::BeyondEnd => "beyond the end",
        Why::OutOfRange => "out of range",
        Why::NoMirroredTopic => "no mirrored topic",
        Why::TopicNotMirrored => "topic not mirrored",
        Why::MirroredFromTarget => "from the target",
        Why::LastSeen => "last seen",
    }
}

#[cfg(test)]
mod tests;
