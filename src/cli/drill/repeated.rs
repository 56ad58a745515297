//! Several runs of one drill: what is lost differs from run to run.

use super::super::table::{row, table};
use super::report::{self, Json};
use crate::cli::report::{Column, Table};
use kafka_mirror_kit::core::judge::drill::Judgement;
use kafka_mirror_kit::core::lab::drill::FailoverReport;
use serde::Serialize;

/// All runs, and their least, median and greatest.
#[derive(Serialize)]
pub(super) struct Repeated<'a> {
    /// Whether everything held in every run, and none is missing.
    passed: bool,
    /// Runs that were asked for.
    asked: u32,
    rpo_records: Range,
    rpo_seconds: Range,
    /// None where it is unknown in a run.
    rto_seconds: Option<Range>,
    runs: Vec<Json<'a>>,
    #[serde(skip)]
    reports: &'a [FailoverReport],
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Range {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Range {
    /// Of at least one number.
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
        let last = numbers.len().saturating_sub(1);
        Self {
            least: at(0),
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            greatest: at(last),
        }
    }
}

impl<'a> Repeated<'a> {
    pub(super) fn of(reports: &'a [FailoverReport], asked: u32) -> Self {
        let judgements = reports.iter().map(|report| &report.judgement);
        let rto: Option<Vec<f64>> = (judgements.clone())
            .map(|one| one.rto.as_ref().map(|rto| rto.seconds))
            .collect();
        #[allow(clippy::cast_precision_loss, reason = "never so many")]
        let records = judgements.clone().map(|one| one.rpo.records as f64);
        Self {
            passed: judgements.clone().all(Judgement::passed) && reports.len() == asked as usize,
            asked,
            rpo_records: Range::of(records),
            rpo_seconds: Range::of(judgements.map(|one| one.rpo.seconds)),
            rto_seconds: rto.map(|all| Range::of(all.into_iter())),
            runs: reports.iter().map(Json::of).collect(),
            reports,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut parts: Vec<String> = self.reports.iter().map(report::text).collect();
        let runs = match self.reports.len() {
            1 => "1 RUN".to_owned(),
            runs => format!("{runs} RUNS"),
        };
        let heading = row([&runs, "LEAST", "MEDIAN", "GREATEST"]);
        let lines = self.ranges().into_iter();
        parts.push(table(
            &[heading].into_iter().chain(lines).collect::<Vec<_>>(),
        ));
        parts.join("\n\n")
    }

    /// Least, median and greatest of each number.
    fn ranges(&self) -> [Vec<String>; 3] {
        let line = |name: &str, range: Option<Range>, digits: usize| {
            let number = |number: fn(Range) -> f64| {
                range.map_or_else(
                    || "unknown".to_owned(),
                    |range| format!("{:.digits$}", number(range)),
                )
            };
            row([
                name,
                &number(|range| range.least),
                &number(|range| range.median),
                &number(|range| range.greatest),
            ])
        };
        [
            line("RPO, records", Some(self.rpo_records), 0),
            line("RPO, seconds", Some(self.rpo_seconds), 2),
            line("RTO, seconds", self.rto_seconds, 1),
        ]
    }
}

/// How many of the runs that were asked for were completed.
pub(super) fn completed(runs: usize, asked: u32) -> String {
    let were = if runs == 1 { "was" } else { "were" };
    format!("{runs} of {asked} runs {were} completed")
}

/// Least, median and greatest, and each run.
pub(super) fn tables(reports: &[FailoverReport], asked: u32) -> [Table; 2] {
    let ranges = Table {
        title: format!("{} runs", reports.len()),
        columns: vec![
            Column::Text("What"),
            Column::Number("Least"),
            Column::Number("Median"),
            Column::Number("Greatest"),
        ],
        rows: Repeated::of(reports, asked).ranges().to_vec(),
        note: None,
    };
    let runs = (1..).zip(reports).map(|(nth, report)| {
        let (rpo, rto) = (&report.judgement.rpo, report.judgement.rto.as_ref());
        let rto = rto.map_or("unknown".to_owned(), |rto| format!("{:.1}", rto.seconds));
        let (records, seconds) = (rpo.records.to_string(), format!("{:.2}", rpo.seconds));
        row([&format!("Run {nth}"), &records, &seconds, &rto])
    });
    let runs = Table {
        title: "Run by run".to_owned(),
        columns: vec![
            Column::Text("Run"),
            Column::Number("RPO, records"),
            Column::Number("RPO, seconds"),
            Column::Number("RTO, seconds"),
        ],
        rows: runs.collect(),
        note: None,
    };
    [ranges, runs]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let range = |numbers: &[f64]| {
            let range = Range::of(numbers.iter().copied());
            (range.least, range.median, range.greatest)
        };
        assert_eq!(range(&[3.0, 1.0, 2.0]), (1.0, 2.0, 3.0));
        assert_eq!(range(&[4.0, 1.0, 2.0, 3.0]), (1.0, 2.5, 4.0));
        assert_eq!(range(&[7.0]), (7.0, 7.0, 7.0));
    }
}
