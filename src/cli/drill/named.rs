//! Which records a failover lost, doubled, gave again and skipped: by their offsets.

use super::super::quantity::count;
use super::words::{amount, offsets};
use crate::cli::report::{Column, Table};
use kafka_mirror_kit::core::judge::drill::{
    GroupCount, GroupOutcome, GroupPartition, Located, PartitionLoss,
};
use kafka_mirror_kit::core::judge::ledger::Span;
use kafka_mirror_kit::core::lab::drill::FailoverReport;

/// This many partitions are named in text.
const SHOWN: usize = 3;

/// Records of one kind.
struct Named {
    title: String,
    rows: Vec<Row>,
}

/// Those of one partition.
struct Row {
    partition: String,
    records: u64,
    which: String,
}

/// The worst partitions of each kind, in a few lines; none where nothing of the kind was found.
pub(super) fn lines(run: &FailoverReport) -> Vec<String> {
    all(run).into_iter().flat_map(Named::lines).collect()
}

/// Every partition of each kind.
pub(super) fn tables(run: &FailoverReport) -> Vec<Table> {
    let tables = all(run).into_iter().map(|named| Table {
        title: named.title,
        columns: vec![
            Column::Text("Partition"),
            Column::Fault("Records"),
            Column::Text("Which"),
        ],
        rows: (named.rows.into_iter())
            .map(|row| vec![row.partition, row.records.to_string(), row.which])
            .collect(),
        note: None,
    });
    tables.collect()
}

fn all(run: &FailoverReport) -> Vec<Named> {
    let (source, target, mirrored) = (&run.source, &run.target, &run.mirrored_topic);
    let rpo = &run.judgement.rpo;
    let located = |all: &[Located]| all.iter().map(|one| on_target(mirrored, one)).collect();
    let groups = run.judgement.groups.iter();
    let kinds = [
        (
            format!("Missing on {target}, by offset on {source}"),
            (rpo.partitions.iter())
                .map(|one| missing(&run.topic, one))
                .collect(),
        ),
        (
            format!("Duplicates on {target}"),
            located(&rpo.duplicates_at),
        ),
        (
            format!("Never sent, and on {target}"),
            located(&rpo.never_sent_at),
        ),
        (
            format!("Groups outside the prediction, by offset on {target}"),
            groups.flat_map(|one| unpredicted(mirrored, one)).collect(),
        ),
    ];
    let kinds = kinds.map(|(title, rows): (String, Vec<Row>)| Named { title, rows });
    kinds
        .into_iter()
        .filter(|kind| !kind.rows.is_empty())
        .collect()
}

fn missing(topic: &str, loss: &PartitionLoss) -> Row {
    let known = (!loss.at.offsets.is_empty()).then(|| offsets(&loss.at.offsets));
    let numbers: Vec<String> = loss.numbers.iter().map(Span::to_string).collect();
    let unknown =
        (!numbers.is_empty()).then(|| format!("of unknown offset: numbers {}", numbers.join(", ")));
    Row {
        partition: format!("{topic}-{}", loss.partition),
        records: loss.records,
        which: known
            .into_iter()
            .chain(unknown)
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn on_target(topic: &str, one: &Located) -> Row {
    Row {
        partition: format!("{topic}-{}", one.partition),
        records: one.records,
        which: offsets(&one.at.offsets),
    }
}

/// What of a group is not as predicted.
fn unpredicted<'a>(topic: &'a str, group: &'a GroupOutcome) -> impl Iterator<Item = Row> + 'a {
    let partitions = group.partitions.iter();
    partitions
        .filter(|one| !one.as_predicted)
        .flat_map(move |one: &GroupPartition| {
            let row = |what: &str, seen: &GroupCount| {
                let predicted = match seen.predicted {
                    None => "nothing".to_owned(),
                    predicted => amount(predicted),
                };
                let at = match seen.records {
                    0 => String::new(),
                    _ => format!("{}; ", offsets(&seen.at.offsets)),
                };
                (!seen.is_as_predicted()).then(|| Row {
                    partition: format!("{} {what}, {topic}-{}", group.name, one.partition),
                    records: seen.records,
                    which: format!("{at}predicted: {predicted}"),
                })
            };
            let again = row("was given again", &one.again);
            again.into_iter().chain(row("skipped", &one.skipped))
        })
}

impl Named {
    fn lines(mut self) -> Vec<String> {
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.records));
        let more = self.rows.len().saturating_sub(SHOWN);
        let rows = self.rows.into_iter().take(SHOWN);
        let rows = rows.map(|row| {
            let records = count(row.records, "record");
            format!("  {}: {records}, {}", row.partition, row.which)
        });
        let more = (more > 0).then(|| {
            format!(
                "  and in {more} more {}; --json lists them",
                if more == 1 { "partition" } else { "partitions" }
            )
        });
        [format!("{}:", self.title)]
            .into_iter()
            .chain(rows)
            .chain(more)
            .collect()
    }
}
