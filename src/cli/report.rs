//! A report to keep: what was done, what came of it, and what it was done with. One model, from which the HTML page, the
//! JUnit XML and the Markdown are made; each command builds it from its own result.

mod file;
mod html;
mod junit;
mod latency;
mod markdown;
mod markup;
mod provenance;
#[cfg(test)]
mod sample;
mod scale;

pub(crate) use file::{ReportArgs, ReportFiles};
pub(crate) use latency::time;
pub(crate) use provenance::{Link, Provenance, command_line};

use serde::Serialize;

/// The version of the JSON: it changes when a field is renamed, removed, or gets another meaning.
pub(crate) const VERSION: u32 = 1;

/// All that a report says.
pub(crate) struct Report {
    /// The words behind `kmk`, such as `verify`.
    pub(crate) command: &'static str,
    /// What it was about, such as `primary->secondary`.
    pub(crate) subject: String,
    pub(crate) verdict: Verdict,
    /// How long it took.
    pub(crate) seconds: f64,
    pub(crate) checks: Vec<Check>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) timelines: Vec<Timeline>,
    pub(crate) tables: Vec<Table>,
    pub(crate) histograms: Vec<Histogram>,
    pub(crate) provenance: Provenance,
}

impl Report {
    pub(crate) fn title(&self) -> String {
        format!("kmk {}: {}", self.command, self.subject)
    }

    /// The numbers, those about the same thing together.
    fn numbers_by_subject(&self) -> impl Iterator<Item = (&str, &[Number])> {
        let groups = self.numbers.chunk_by(|one, other| one.about == other.about);
        groups.map(|group| (group[0].about.as_str(), group))
    }

    fn count(&self, outcome: Outcome) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.outcome == outcome).count()
    }
}

/// The answer in a word, and why.
pub(crate) struct Verdict {
    pub(crate) word: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) why: String,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Neither was seen.
    Unknown,
}

impl Outcome {
    pub(crate) fn of(held: bool) -> Self {
        if held { Self::Passed } else { Self::Failed }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::Unknown => "?",
        }
    }
}

/// One thing that was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// A flow, a cluster, a group.
    pub(crate) about: String,
    /// What was expected.
    #[serde(rename = "check")]
    pub(crate) what: String,
    pub(crate) outcome: Outcome,
    /// What was seen.
    pub(crate) seen: String,
}

/// A number that people look for.
pub(crate) struct Number {
    /// A flow, a cluster, a group.
    pub(crate) about: String,
    /// Its name for programs, with its unit: `latency_p50_us`.
    pub(crate) key: &'static str,
    /// For programs.
    pub(crate) value: String,
    pub(crate) name: String,
    /// For people, with its unit.
    pub(crate) text: String,
    pub(crate) definition: &'static str,
    /// Whether it is what it should not be.
    pub(crate) is_bad: bool,
}

/// A table; its first column names the rows.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) note: Option<String>,
}

pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
    /// A number that should be 0.
    Fault(&'static str),
}

impl Column {
    fn name(&self) -> &'static str {
        let (Self::Text(name) | Self::Number(name) | Self::Fault(name)) = self;
        name
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Whether that cell is what it should not be.
    fn is_bad(&self, cell: &str) -> bool {
        matches!(self, Self::Fault(_)) && !["0", "-", ""].contains(&cell)
    }
}

/// How many records took how long.
pub(crate) struct Histogram {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
    /// Which records, and from when to when.
    pub(crate) note: String,
}

impl Histogram {
    /// The length of the longest bar.
    fn most(&self) -> u64 {
        let records = self.bars.iter().map(|bar| bar.records);
        records.max().unwrap_or(0).max(1)
    }
}

pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) records: u64,
}

/// What happened when, in seconds.
pub(crate) struct Timeline {
    pub(crate) title: String,
    /// What 0 s is, such as "the first record was sent".
    pub(crate) zero: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Records, by time.
    pub(crate) curves: Vec<Curve>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) marks: Vec<Mark>,
}

/// How many records there were, by time.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, u64)>,
}

/// What went on, one after the other.
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) spans: Vec<Span>,
}

pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Lane {
    /// Of one thing.
    pub(crate) fn of(name: String, what: &str, from: f64, to: f64) -> Self {
        let name_of_span = what.to_owned();
        Self {
            name,
            spans: vec![Span {
                name: name_of_span,
                from,
                to,
            }],
        }
    }
}

/// A moment.
pub(crate) struct Mark {
    pub(crate) at: f64,
    pub(crate) what: String,
}

/// `3.2 s`; a moment before the beginning is negative.
pub(crate) fn seconds(time: f64) -> String {
    format!("{time:.1} s")
}

/// The title of something that belongs to a part: of `run 1` and `Groups`, `Run 1: groups`.
pub(crate) fn within(part: &str, title: &str) -> String {
    let part = capitalized(part);
    let is_abbreviation = title.chars().nth(1).is_some_and(char::is_uppercase);
    if is_abbreviation {
        return format!("{part}: {title}");
    }
    let title = first_letter(title, char::to_ascii_lowercase);
    format!("{part}: {title}")
}

pub(crate) fn capitalized(text: &str) -> String {
    first_letter(text, char::to_ascii_uppercase)
}

fn first_letter(text: &str, cased: fn(&char) -> char) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| cased(&letter));
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn a_title_says_to_which_part_it_belongs() {
        assert_eq!(within("run 1", "Groups"), "Run 1: groups");
        assert_eq!(
            within("failover", "RTO, part by part"),
            "Failover: RTO, part by part"
        );
    }
}
