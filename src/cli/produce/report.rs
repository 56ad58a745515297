//! The report of `kmk produce`, as text and as JSON. JSON fields are added, never renamed.

use super::super::output::seconds;
use super::super::quantity::bytes;
use super::super::table::{row, table};
use kafka_mirror_kit::core::records::produce::{ProduceEnd, ProduceReport};
use kmk_kafka::Backend;
use serde::Serialize;

/// The report for scripts.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    topic: &'a str,
    /// `complete`, `short`, `interrupted`, `gave_up` or `input_error`.
    end: &'static str,
    /// `kafka` (the crate) or `wire`; none where there was nothing to write.
    client: Option<&'static str>,
    acknowledged: u64,
    not_acknowledged: u64,
    in_doubt: u64,
    possible_duplicates: u64,
    bytes: u64,
    seconds: f64,
    partitions: Vec<Share>,
}

/// What went into one partition.
#[derive(Debug, Serialize)]
struct Share {
    partition: i32,
    records: u64,
    first_offset: Option<i64>,
    last_offset: Option<i64>,
}

impl<'a> Json<'a> {
    pub(super) fn new(topic: &'a str, report: &ProduceReport) -> Self {
        let tally = &report.tally;
        Self {
            topic,
            end: match report.end {
                ProduceEnd::Complete => "complete",
                ProduceEnd::Short { .. } => "short",
                ProduceEnd::Interrupted => "interrupted",
                ProduceEnd::GaveUp(_) => "gave_up",
                ProduceEnd::Input(_) => "input_error",
            },
            client: report.backend.map(|backend| match backend {
                Backend::Crate => "kafka",
                Backend::Wire(_) => "wire",
            }),
            acknowledged: tally.acknowledged(),
            not_acknowledged: report.not_acknowledged,
            in_doubt: tally.in_doubt,
            possible_duplicates: tally.may_have_repeated,
            bytes: tally.bytes,
            seconds: report.elapsed.as_secs_f64(),
            partitions: tally
                .partitions
                .iter()
                .map(|(&partition, written)| Share {
                    partition,
                    records: written.records,
                    first_offset: known(written.first),
                    last_offset: known(written.last),
                })
                .collect(),
        }
    }
}

/// A broker that had the records already may no longer know where.
fn known(offset: i64) -> Option<i64> {
    (offset >= 0).then_some(offset)
}

/// The report for people.
pub(super) fn text(topic: &str, report: &ProduceReport) -> String {
    let tally = &report.tally;
    let all = tally.acknowledged();
    let mut lines = vec![format!(
        "{} acknowledged in topic `{topic}` in {}{}",
        count(all, "record"),
        seconds(report.elapsed),
        speed(all, report)
    )];
    if tally.may_have_repeated > 0 {
        lines.push(format!(
            "{} sent again after an attempt without an answer: the topic may hold up to that many duplicates",
            count(tally.may_have_repeated, "record")
        ));
    }
    if !tally.partitions.is_empty() {
        let heading = row(["PARTITION", "RECORDS", "OFFSETS"]);
        let rows = tally.partitions.iter().map(|(partition, written)| {
            let offsets = match written.first {
                // the broker had them already, and no longer knew where
                ..0 => "?".to_owned(),
                first => format!("{first}..{}", written.last),
            };
            row([
                &partition.to_string(),
                &written.records.to_string(),
                &offsets,
            ])
        });
        lines.push(table(
            &std::iter::once(heading).chain(rows).collect::<Vec<_>>(),
        ));
    }
    lines.join("\n")
}

/// What is missing, if the run did not end well.
pub(super) fn shortfall(report: &ProduceReport, asked: Option<u64>) -> String {
    let taken = report.tally.acknowledged() + report.not_acknowledged;
    match asked.map(|asked| asked.saturating_sub(taken)) {
        None | Some(0) => unacknowledged(report),
        Some(left) => format!(
            "{}; {} not sent",
            unacknowledged(report),
            count(left, "record")
        ),
    }
}

fn unacknowledged(report: &ProduceReport) -> String {
    let missing = report.not_acknowledged;
    let doubt = report.tally.in_doubt;
    match (missing, doubt) {
        (0, _) => "every record sent was acknowledged".to_owned(),
        (missing, doubt) if missing == doubt => {
            format!(
                "{} not acknowledged, but perhaps written",
                count(missing, "record")
            )
        }
        (_, 0) => format!(
            "{} not acknowledged, and not written",
            count(missing, "record")
        ),
        _ => format!(
            "{} not acknowledged; {doubt} of them may have been written",
            count(missing, "record")
        ),
    }
}

fn speed(records: u64, report: &ProduceReport) -> String {
    let time = report.elapsed.as_secs_f64();
    // a rate of a few records in a few milliseconds says nothing
    if time < 0.1 {
        return String::new();
    }
    #[allow(clippy::cast_precision_loss)]
    let rate = records as f64 / time;
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let a_second = bytes((report.tally.bytes as f64 / time) as u64);
    format!(": {rate:.0} records/s, {a_second}/s")
}

fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::{Tally, Written};
    use std::time::Duration;

    fn report() -> ProduceReport {
        let mut tally = Tally::default();
        let written = Written {
            first: 7,
            last: 9,
            records: 3,
        };
        tally.partitions.insert(1, written);
        tally.bytes = 300;
        ProduceReport {
            tally,
            not_acknowledged: 2,
            elapsed: Duration::from_secs(3),
            backend: Some(Backend::Crate),
            end: ProduceEnd::Complete,
        }
    }

    #[test]
    fn people_read_a_line_and_a_table() {
        assert_eq!(
            text("orders", &report()),
            "3 records acknowledged in topic `orders` in 3.0 s: 1 records/s, 100 B/s\n\
             PARTITION  RECORDS  OFFSETS\n\
             1          3        7..9"
        );
    }

    #[test]
    fn what_was_never_sent_is_missing_too() {
        let told = |asked| shortfall(&report(), asked);
        assert_eq!(told(None), "2 records not acknowledged, and not written");
        assert_eq!(told(Some(5)), told(None));
        assert_eq!(
            told(Some(100)),
            "2 records not acknowledged, and not written; 95 records not sent"
        );
    }

    #[test]
    fn scripts_read_stable_names() {
        let json = serde_json::to_value(Json::new("orders", &report())).unwrap();
        let expected = serde_json::json!({
            "topic": "orders", "end": "complete", "client": "kafka", "acknowledged": 3, "not_acknowledged": 2, "in_doubt": 0,
            "possible_duplicates": 0, "bytes": 300, "seconds": 3.0,
            "partitions": [{"partition": 1, "records": 3, "first_offset": 7, "last_offset": 9}],
        });
        assert_eq!(json, expected);
    }
}
