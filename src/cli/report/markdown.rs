//! The report as Markdown, for issues and pages of documentation.

use super::{Histogram, Number, Report, Table, Timeline, seconds};
use kmk_kafka::printable;
use std::fmt::Write as _;

/// How long the longest bar of a histogram is, in characters.
const BAR: u64 = 40;

pub(super) fn text(report: &Report) -> String {
    let mut out = format!(
        "# {}\n\n**{}**: {}\n",
        escaped(&report.title()),
        escaped(report.verdict.word),
        escaped(&report.verdict.why)
    );
    for (about, numbers) in report.numbers_by_subject() {
        heading(&mut out, about);
        rows(
            &mut out,
            &["What", "Number", "Definition"],
            |column| column == 1,
            numbers.iter().map(number),
        );
    }
    for timeline in &report.timelines {
        heading(&mut out, &timeline.title);
        of_timeline(&mut out, timeline);
    }
    heading(&mut out, "Checks");
    let checks = report.checks.iter().map(|check| {
        let outcome = format!("{} {}", check.outcome.sign(), check.outcome.word());
        [&outcome, &check.about, &check.what, &check.seen]
            .map(|cell| escaped(cell))
            .to_vec()
    });
    rows(
        &mut out,
        &["Result", "About", "Check", "Seen"],
        |_| false,
        checks,
    );
    for table in &report.tables {
        heading(&mut out, &table.title);
        of_table(&mut out, table);
    }
    for histogram in &report.histograms {
        heading(&mut out, &histogram.title);
        of_histogram(&mut out, histogram);
        let _ = writeln!(out, "\n{}", escaped(&histogram.note));
    }
    heading(&mut out, "Provenance");
    fenced(&mut out, "sh", &report.provenance.command);
    let facts = report.provenance.facts().into_iter();
    let facts = facts.map(|(name, value)| vec![escaped(&name), escaped(&value)]);
    rows(&mut out, &["What", "Which"], |_| false, facts);
    out.push_str("\nThe lab:\n\n");
    fenced(&mut out, "yaml", &report.provenance.lab_file());
    out
}

fn number(number: &Number) -> Vec<String> {
    let text = escaped(&number.text);
    let text = if number.is_bad {
        format!("**{text}**")
    } else {
        text
    };
    vec![escaped(&number.name), text, escaped(number.definition)]
}

fn of_timeline(out: &mut String, timeline: &Timeline) {
    let spans = timeline.lanes.iter().flat_map(|lane| {
        let spans = lane.spans.iter();
        spans.map(|span| {
            (
                span.from,
                Some(span.to),
                format!("{}: {}", lane.name, span.name),
            )
        })
    });
    let marks = timeline
        .marks
        .iter()
        .map(|mark| (mark.at, None, mark.what.clone()));
    let mut all: Vec<(f64, Option<f64>, String)> = spans.chain(marks).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let lines = all.into_iter().map(|(from, to, what)| {
        let to = to.map(seconds).unwrap_or_default();
        vec![seconds(from), to, escaped(&what)]
    });
    rows(out, &["From", "To", "What"], |column| column < 2, lines);
    let _ = writeln!(out, "\n0 s: {}.", escaped(timeline.zero));
}

fn of_table(out: &mut String, table: &Table) {
    let names: Vec<&str> = table.columns.iter().map(super::Column::name).collect();
    let lines = table.rows.iter().map(|row| {
        let cells = row.iter().zip(&table.columns).map(|(cell, column)| {
            let text = escaped(cell);
            if column.is_bad(cell) {
                format!("**{text}**")
            } else {
                text
            }
        });
        cells.collect()
    });
    rows(
        out,
        &names,
        |column| !table.columns[column].is_text(),
        lines,
    );
    if let Some(note) = &table.note {
        let _ = writeln!(out, "\n{}", escaped(note));
    }
}

fn of_histogram(out: &mut String, histogram: &Histogram) {
    let most = u128::from(histogram.most());
    let lines = histogram.bars.iter().map(|bar| {
        let length = (u128::from(bar.records) * u128::from(BAR)).div_ceil(most);
        let length = usize::try_from(length).unwrap_or_default();
        vec![
            escaped(&bar.name),
            bar.records.to_string(),
            "█".repeat(length),
        ]
    });
    rows(
        out,
        &["Latency", "Records", ""],
        |column| column == 1,
        lines,
    );
}

fn heading(out: &mut String, text: &str) {
    let _ = write!(out, "\n## {}\n\n", escaped(text));
}

/// A table of cells that are escaped already.
fn rows(
    out: &mut String,
    heading: &[&str],
    is_number: impl Fn(usize) -> bool,
    lines: impl Iterator<Item = Vec<String>>,
) {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heading: Vec<String> = heading.iter().map(|cell| escaped(cell)).collect();
    out.push_str(&line(&heading));
    let rule = (0..heading.len()).map(|column| if is_number(column) { "---:" } else { "---" });
    out.push_str(&line(&rule.map(str::to_owned).collect::<Vec<_>>()));
    for cells in lines {
        out.push_str(&line(&cells));
    }
}

/// A block of code, whatever is in it.
fn fenced(out: &mut String, language: &str, code: &str) {
    let code = printable::text(code);
    let runs = code.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    let _ = write!(out, "{fence}{language}\n{code}\n{fence}\n\n");
}

/// One line in which nothing is taken for markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable::line(text).chars() {
        if r"\`*_[]<|#~&$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample::{hostile, lossy};
    use super::*;
    use proptest::prelude::*;

    /// The cells of a line, as they are shown.
    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut cell, mut is_escaped) = (Vec::new(), String::new(), false);
        for c in line.chars() {
            match c {
                '\\' if !is_escaped => is_escaped = true,
                '|' if !is_escaped => cells.push(std::mem::take(&mut cell).trim().to_owned()),
                c => {
                    cell.push(c);
                    is_escaped = false;
                }
            }
        }
        cells
    }

    #[test]
    fn a_run_that_lost_records() {
        let text = text(&lossy());
        assert_eq!(text, include_str!("sample.md"), "\n{text}");
    }

    #[test]
    fn every_line_of_a_table_has_as_many_cells() {
        for report in [lossy(), hostile("a|b\n| c |<b>\\|`")] {
            let text = text(&report);
            let mut columns = 0;
            for line in text.lines() {
                if !line.starts_with('|') {
                    columns = 0;
                    continue;
                }
                let found = cells(line).len();
                assert!(columns == 0 || columns == found, "{line}");
                columns = found;
            }
        }
    }

    #[test]
    fn code_does_not_end_its_block() {
        let mut out = String::new();
        fenced(&mut out, "sh", "a ```` b\n```\n");
        assert!(
            out.starts_with("`````sh\n") && out.ends_with("\n`````\n\n"),
            "{out}"
        );
    }

    proptest! {
        #[test]
        fn a_cell_stays_what_it_is(text in "[^ \t\\\\][ -~é→]{0,20}[^ \t\\\\]") {
            let shown = printable::line(&text);
            let line = format!("| {} | x |", escaped(&text));
            prop_assert_eq!(cells(&line), ["", shown.trim(), "x"]);
        }
    }
}
