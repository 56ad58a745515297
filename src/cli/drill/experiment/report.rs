//! The report of a drill, as text, as JSON, and as a document.

use super::super::super::output::{DONE, ERROR, styled};
use super::super::super::quantity::grouped;
use super::super::super::table::{row, table};
use super::super::report;
use crate::cli::CliError;
use crate::cli::report::{
    Check, Mark, Number, Outcome, Provenance, Report, Timeline, Verdict, capitalized,
};
use kafka_mirror_kit::core::judge::drill::experiment::{Expected, Measured, Quantity};
use kafka_mirror_kit::core::lab::drill::experiment;
use serde::Serialize;

/// How long a line of a paragraph may be.
const WIDTH: usize = 100;

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    /// Whether everything was as expected.
    passed: bool,
    #[serde(flatten)]
    report: &'a experiment::Report,
}

pub(super) fn json(done: &experiment::Report, provenance: &Provenance) -> Result<String, CliError> {
    let passed = done.verdict.passed();
    report::json(
        Json {
            passed,
            report: done,
        },
        provenance,
    )
}

pub(super) fn text(done: &experiment::Report) -> String {
    let verdict = &done.verdict;
    let expected = verdict.expectations.iter().map(|one| {
        let held = if one.held { "yes" } else { "NO" };
        row([&one.expected, &one.seen, held])
    });
    let expected: Vec<_> = [row(["EXPECTED", "SEEN", "HELD"])]
        .into_iter()
        .chain(expected)
        .collect();
    let measured = measured(&verdict.measured);
    let said = match why(done) {
        None => format!(
            "{} {} of {}",
            styled(DONE.bold(), "PASSED:"),
            done.drill,
            done.flow
        ),
        Some(why) => format!("{} {why}", styled(ERROR, "FAILED:")),
    };
    let parts = [table(&expected), measured, said, wrapped(done.teaches)];
    parts.join("\n\n")
}

/// One line for each number; of several rounds, one line for each round.
fn measured(all: &[Measured]) -> String {
    let rounds: Vec<&[Measured]> = all
        .chunk_by(|one, other| one.about == other.about)
        .collect();
    let Some(longest) = rounds.iter().copied().max_by_key(|round| round.len()) else {
        return String::new();
    };
    if rounds.len() == 1 {
        let rows = all
            .iter()
            .map(|one| row([one.name, &quantity(one.quantity), one.definition]));
        let heading = row(["MEASURED", "VALUE", "DEFINITION"]);
        return table(&[heading].into_iter().chain(rows).collect::<Vec<_>>());
    }
    let names = longest.iter().map(|one| one.name.to_uppercase());
    let heading = ["MEASURED AT".to_owned()].into_iter().chain(names);
    let rows = rounds.iter().map(|round| {
        let about = round.first().map_or("", |one| one.about.as_str());
        let cells = longest.iter().map(|column| {
            let found = round.iter().find(|one| one.key == column.key);
            found.map_or("-".to_owned(), |one| quantity(one.quantity))
        });
        [about.to_owned()].into_iter().chain(cells).collect()
    });
    let rows: Vec<Vec<String>> = [heading.collect()].into_iter().chain(rows).collect();
    let definitions = longest
        .iter()
        .map(|one| row([one.name, one.definition]))
        .collect::<Vec<_>>();
    format!("{}\n\n{}", table(&rows), table(&definitions))
}

fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Records(1) => "1 record".to_owned(),
        Quantity::Records(records) => format!("{} records", grouped(records)),
        Quantity::Seconds(seconds) => format!("{seconds:.2} s"),
        Quantity::Milliseconds(millis) => format!("{millis:.1} ms"),
        Quantity::BytesPerSecond(bytes) => format!("{:.1} MB/s", bytes / 1e6),
    }
}

/// What did not hold, with what was seen instead.
fn why(done: &experiment::Report) -> Option<String> {
    let broken = done.verdict.expectations.iter().filter(|one| !one.held);
    let broken = broken.map(|one| format!("{}: {}", one.expected, one.seen));
    let broken: Vec<String> = broken.collect();
    (!broken.is_empty()).then(|| broken.join("; "))
}

fn wrapped(paragraph: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

pub(super) fn document(done: &experiment::Report, provenance: Provenance) -> Report {
    let why = why(done);
    let passed = why.is_none();
    let check = |one: &Expected| Check {
        about: done.flow.clone(),
        what: one.expected.clone(),
        outcome: Outcome::of(one.held),
        seen: one.seen.clone(),
    };
    let zero = done.steps.first().map_or(0.0, |step| step.at_seconds);
    let marks = done.steps.iter().map(|step| Mark {
        at: step.at_seconds - zero,
        what: capitalized(step.what),
    });
    Report {
        command: "drill",
        subject: format!("{}, {}", done.drill, done.flow),
        verdict: Verdict {
            word: if passed { "PASSED" } else { "FAILED" },
            outcome: Outcome::of(passed),
            why: why.unwrap_or_else(|| done.teaches.to_owned()),
        },
        seconds: done.seconds,
        checks: done.verdict.expectations.iter().map(check).collect(),
        numbers: done.verdict.measured.iter().map(number).collect(),
        timelines: vec![Timeline {
            title: "Timeline".to_owned(),
            zero: "records crossed",
            from: -zero,
            to: done.seconds - zero,
            curves: Vec::new(),
            lanes: Vec::new(),
            marks: marks.collect(),
        }],
        tables: Vec::new(),
        histograms: Vec::new(),
        provenance,
    }
}

fn number(one: &Measured) -> Number {
    Number {
        about: one.about.clone(),
        key: one.key,
        value: match one.quantity {
            Quantity::Records(records) => records.to_string(),
            Quantity::Seconds(number)
            | Quantity::Milliseconds(number)
            | Quantity::BytesPerSecond(number) => number.to_string(),
        },
        name: capitalized(one.name),
        text: quantity(one.quantity),
        definition: one.definition,
        is_bad: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_has_short_lines_and_all_of_its_words() {
        let text = "word ".repeat(50);
        let wrapped = wrapped(&text);
        assert!(wrapped.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(wrapped.split_whitespace().count(), 50);
        assert_eq!(wrapped.lines().count(), 3);
    }
}
