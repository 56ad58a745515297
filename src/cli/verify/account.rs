//! The account of a flow in `kmk verify`: tables of partitions, findings, and latency.

use super::super::quantity::count;
use super::super::table::{row, table};
use crate::cli::report::time;
use kafka_mirror_kit::core::judge::ledger::{
    Account, DamagedRecords, Latency, PartitionAccount, RecordPosition, Span,
};
use kafka_mirror_kit::core::lab::verify::{FlowReport, VerifyEnd};

/// Up to this many partitions are shown one by one; of more, only those with a finding.
const PARTITIONS: usize = 12;
/// This many ranges of a partition are named; the JSON names all.
const NAMED: usize = 8;
/// How long the longest bar of the histogram is, in characters.
const BAR: u64 = 40;

/// What is known of acknowledged records that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// They are not on the target.
    Missing,
    /// Nothing more: what the target holds in the end was not seen.
    NotSeen,
}

impl Lacking {
    pub(super) fn of(flow: &FlowReport, end: VerifyEnd) -> Self {
        if end != VerifyEnd::Interrupted && flow.unknown.is_none() {
            Self::Missing
        } else {
            Self::NotSeen
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotSeen => "not seen",
        }
    }
}

/// A table of the partitions, what is wrong with which records, and how long they took. No lines of more than 80
/// characters, save where ranges are long.
pub(super) fn describe(account: &Account, lacking: Lacking) -> String {
    let mut parts = vec![partitions(account, lacking)];
    let findings = findings(account, lacking);
    if !findings.is_empty() {
        parts.push(table(&findings));
    }
    if let Some(latency) = &account.latency {
        parts.push(percentiles(latency));
        parts.push(histogram(latency));
    }
    parts.join("\n\n")
}

fn partitions(account: &Account, lacking: Lacking) -> String {
    let missing = lacking.word().to_uppercase();
    let heading = [
        "PARTITION",
        "SENT",
        "ACKED",
        "ARRIVED",
        missing.as_str(),
        "DUPLICATED",
        "REORDERED",
    ];
    let mut rows = vec![row(heading)];
    let all = &account.partitions;
    let shown = |one: &&PartitionAccount| all.len() <= PARTITIONS || !said(one, lacking).is_empty();
    for one in all.iter().filter(shown) {
        rows.push(numbers(&one.partition.to_string(), counts(one)));
    }
    if all.len() != 1 {
        rows.push(numbers(
            "all",
            [
                account.sent,
                account.acknowledged,
                account.arrived,
                account.missing,
                account.duplicated,
                account.reordered,
            ],
        ));
    }
    table(&rows)
}

/// Sent, acknowledged, arrived, missing, duplicated, reordered.
pub(super) fn counts(one: &PartitionAccount) -> [u64; 6] {
    let again = one.duplicated.iter();
    [
        one.sent,
        one.acknowledged,
        one.arrived,
        total(&one.missing),
        again.map(|one| one.span.count() * (one.times - 1)).sum(),
        total(&one.reordered),
    ]
}

fn numbers(name: &str, numbers: [u64; 6]) -> Vec<String> {
    let numbers = numbers.iter().map(ToString::to_string);
    std::iter::once(name.to_owned()).chain(numbers).collect()
}

fn total(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.count()).sum()
}

/// What is wrong, or notable: a word, where, and which records.
pub(super) fn findings(account: &Account, lacking: Lacking) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for one in &account.partitions {
        let place = format!("partition {}", one.partition);
        found.extend(
            said(one, lacking)
                .into_iter()
                .map(|(word, what)| vec![word.to_owned(), place.clone(), what]),
        );
    }
    for (word, spoilt) in [
        ("corrupted", &account.corrupted),
        ("wrong partition", &account.misplaced),
    ] {
        if spoilt.records > 0 {
            found.push(row([word, "on the target", &places(spoilt)]));
        }
    }
    let unrelated = &account.unrelated;
    for (records, whose) in [
        (unrelated.other_runs, "of other runs, ignored"),
        (unrelated.no_run, "of no run, ignored"),
    ] {
        if records > 0 {
            found.push(row([
                "unrelated",
                "on the target",
                &format!("{} {whose}", count(records, "record")),
            ]));
        }
    }
    found
}

fn said(one: &PartitionAccount, lacking: Lacking) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    if !one.missing.is_empty() {
        let end = match one.missing_at_the_end {
            0 => String::new(),
            _ if one.is_lost() => " (none arrived)".to_owned(),
            1 => " (the last one)".to_owned(),
            end => format!(" (including the last {end})"),
        };
        said.push((lacking.word(), ranges(&one.missing) + &end));
    }
    if !one.gone.is_empty() {
        let note = " (missing: they had arrived, but were no longer there at the end)";
        said.push(("disappeared", ranges(&one.gone) + note));
    }
    if !one.duplicated.is_empty() {
        let again = one
            .duplicated
            .iter()
            .map(|one| format!("{} ({} times)", one.span, one.times));
        said.push(("duplicated", listed(again)));
    }
    let absent = match lacking {
        Lacking::Missing => " (did not arrive)",
        Lacking::NotSeen => " (not seen)",
    };
    for (word, spans, note) in [
        ("reordered", &one.reordered, ""),
        ("unacked", &one.unacknowledged_present, " (arrived anyway)"),
        ("unacked", &one.unacknowledged_absent, absent),
        (
            "never sent",
            &one.impossible,
            " (another run has this run's number)",
        ),
    ] {
        if !spans.is_empty() {
            said.push((word, ranges(spans) + note));
        }
    }
    said
}

fn ranges(spans: &[Span]) -> String {
    listed(spans.iter().map(ToString::to_string))
}

fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(NAMED);
    let named: Vec<String> = items.take(NAMED).collect();
    match more {
        0 => named.join(", "),
        more => format!("{}, and {more} more", named.join(", ")),
    }
}

fn places(spoilt: &DamagedRecords) -> String {
    let place = |place: &RecordPosition| format!("{}:{}", place.partition, place.offset);
    let shown = listed(spoilt.first.iter().map(place));
    format!(
        "{}, at partition:offset {shown}",
        count(spoilt.records, "record")
    )
}

fn percentiles(latency: &Latency) -> String {
    let heading = row(["LATENCY", "MIN", "P50", "P90", "P99", "P99.9", "MAX"]);
    let values = [
        latency.min,
        latency.p50,
        latency.p90,
        latency.p99,
        latency.p99_9,
        latency.max,
    ];
    let values = values.into_iter().map(time);
    let values = std::iter::once(String::new()).chain(values).collect();
    table(&[heading, values])
}

fn histogram(latency: &Latency) -> String {
    let buckets = &latency.histogram;
    let most = buckets
        .iter()
        .map(|bucket| bucket.records)
        .max()
        .unwrap_or(0);
    let rows: Vec<Vec<String>> = buckets
        .iter()
        .map(|bucket| {
            let up_to = bucket.up_to.min(latency.max);
            let bar = bar(bucket.records, most);
            row([
                &format!("up to {}", time(up_to)),
                &bucket.records.to_string(),
                &bar,
            ])
        })
        .collect();
    table(&rows)
}

/// As long as the share of the fullest bucket; something wherever there is a record.
fn bar(records: u64, most: u64) -> String {
    let eighths = (u128::from(records) * u128::from(BAR) * 8).div_ceil(u128::from(most.max(1)));
    let eighths = usize::try_from(eighths).unwrap_or_default();
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::judge::ledger::{Arrivals, RunId, Sent, Stamp, judge};
    use kmk_kafka::message::RecordRef;
    use std::time::UNIX_EPOCH;

    /// The account of a run that sent six records to each of two partitions, of which these arrived.
    fn account(arrived: &[(i32, u64)]) -> Account {
        let run = RunId::new(UNIX_EPOCH, 1, 0);
        let (mut sent, mut arrivals) = (Sent::new(run), Arrivals::new(run));
        for partition in 0..2 {
            for _ in 0..6 {
                sent.next(partition);
            }
            sent.acknowledge(partition, 0..6);
        }
        for (offset, &(partition, sequence)) in (0..).zip(arrived) {
            let mut value = Vec::new();
            let stamp = Stamp {
                run,
                partition,
                sequence,
                sent_at: 0,
            };
            stamp.write(0, &mut value);
            let record = RecordRef {
                partition,
                offset,
                time: None,
                key: None,
                value: Some(&value),
                headers: Vec::new(),
            };
            arrivals.arrive(&record, 900 * (sequence + 1));
        }
        judge(&sent, &arrivals)
    }

    #[test]
    fn people_see_what_is_missing_and_what_came_twice() {
        let first = [0, 1, 2, 3, 4, 5].map(|sequence| (0, sequence));
        let second = [(1, 0), (1, 0), (1, 3), (1, 2)];
        let text = describe(&account(&[&first[..], &second].concat()), Lacking::Missing);
        let expected = "\
PARTITION  SENT  ACKED  ARRIVED  MISSING  DUPLICATED  REORDERED
0          6     6      6        0        0           0
1          6     6      3        3        1           1
all        12    12     9        3        1           1

missing     partition 1  1, 4-5 (including the last 2)
duplicated  partition 1  0 (2 times)
reordered   partition 1  2

LATENCY  MIN     P50      P90      P99      P99.9    MAX
         900 µs  2.70 ms  5.40 ms  5.40 ms  5.40 ms  5.40 ms

up to 1.00 ms  2  ████████████████
up to 2.00 ms  1  ████████
up to 5.00 ms  5  ████████████████████████████████████████
up to 5.40 ms  1  ████████";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn many_ranges_are_not_all_named() {
        let spans: Vec<Span> = (0..11)
            .map(|n| Span {
                first: 2 * n,
                last: 2 * n,
            })
            .collect();
        assert_eq!(ranges(&spans), "0, 2, 4, 6, 8, 10, 12, 14, and 3 more");
    }

    #[test]
    fn a_partition_of_which_nothing_arrived_is_named() {
        let first = [0, 1, 2, 3, 4, 5].map(|sequence| (0, sequence));
        let text = describe(&account(&first), Lacking::Missing);
        assert!(
            text.contains("missing  partition 1  0-5 (none arrived)"),
            "{text}"
        );
        let text = describe(&account(&first), Lacking::NotSeen);
        assert!(
            text.contains("not seen  partition 1  0-5 (none arrived)"),
            "{text}"
        );
        assert!(text.contains("NOT SEEN") && !text.to_lowercase().contains("missing"));
    }

    #[test]
    fn a_bar_is_never_empty_where_there_is_a_record() {
        assert_eq!(bar(0, 100), "");
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(100, 100).chars().count(), 40);
    }
}
