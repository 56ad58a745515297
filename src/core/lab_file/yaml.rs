//! Parses YAML into a tree in which every value knows its position.
//!
//! Parsed with `saphyr-parser`: YAML 1.2, pure Rust, well kept, and a stream of events with places, so that what a lab
//! file has no use for (aliases, tags, depth) is refused as it comes, before it can grow.

use super::TextPosition;
use super::problem::{Problem, What};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

/// Lists and mappings in each other: a lab file has four.
const MAX_DEPTH: usize = 16;

/// A value and its position.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: TextPosition,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// As written, without its quotes: its reader decides what is a number or a yes.
    Text {
        text: String,
        is_quoted: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// Refused already.
    Unknown,
}

impl Node {
    /// Whether nothing stands there.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Text { text, is_quoted: false } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// In the words of a message.
    pub(super) fn description(&self) -> String {
        match &self.value {
            _ if self.is_nothing() => "nothing".to_owned(),
            Value::Text { text, .. } => {
                let shown: String = text.chars().take(40).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                format!("`{}{more}`", shown.escape_debug())
            }
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Unknown => "what it is".to_owned(),
        }
    }
}

/// The first document of a text, if there is one; problems go to `problems`.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut tree = Tree {
        events: Parser::new_from_str(text),
        problems: Vec::new(),
        has_alias: false,
    };
    let parsed = tree.document();
    problems.append(&mut tree.problems);
    match parsed {
        Ok(node) => node,
        Err(problem) => {
            let tab = problem.place.and_then(|place| first_tab(text, place.line));
            problems.push(tab.map_or(problem, |place| Problem::at(place, What::Tab)));
            None
        }
    }
}

/// The first tab that indents a line, up to a line.
fn first_tab(text: &str, last: usize) -> Option<TextPosition> {
    let lines = text.lines().take(last).enumerate();
    lines.into_iter().find_map(|(index, line)| {
        let inside = line.trim_start();
        let indent = &line[..line.len() - inside.len()];
        let column = indent
            .find('\t')
            .filter(|_| !inside.is_empty() && !inside.starts_with('#'))?;
        Some(TextPosition {
            line: index + 1,
            column: column + 1,
        })
    })
}

struct Tree<'a> {
    events: Parser<'a, StrInput<'a>>,
    problems: Vec<Problem>,
    has_alias: bool,
}

impl<'a> Tree<'a> {
    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let mut first = None;
        while let Some((event, place)) = self.next()? {
            match event {
                Event::StreamStart
                | Event::DocumentEnd
                | Event::DocumentStart(_)
                | Event::Nothing => {}
                Event::StreamEnd => break,
                // the rest of the file may be anything: it is not read
                _ if first.is_some() => {
                    self.problems.push(Problem::at(place, What::SecondDocument));
                    break;
                }
                event => first = Some(self.node(event, place, 0)?),
            }
        }
        Ok(first)
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, TextPosition)>, Problem> {
        match self.events.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, place(&span)))),
            Some(Err(error)) => Err(not_yaml(&error)),
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        place: TextPosition,
        depth: usize,
    ) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::at(place, What::TooDeep));
        }
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                self.tag(place, tag.is_some());
                Value::Text {
                    text: text.into_owned(),
                    is_quoted: style != ScalarStyle::Plain,
                }
            }
            Event::SequenceStart(_, tag) => {
                self.tag(place, tag.is_some());
                let mut items = Vec::new();
                while let Some((event, at)) = self.next()? {
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, at, depth + 1)?);
                }
                Value::List(items)
            }
            Event::MappingStart(_, tag) => {
                self.tag(place, tag.is_some());
                let mut entries = Vec::new();
                while let Some((event, at)) = self.next()? {
                    if event == Event::MappingEnd {
                        break;
                    }
                    let key = self.node(event, at, depth + 1)?;
                    let Some((event, at)) = self.next()? else {
                        break;
                    };
                    entries.push((key, self.node(event, at, depth + 1)?));
                }
                Value::Map(entries)
            }
            Event::Alias(_) => {
                // once: a file that explodes has thousands
                if !std::mem::replace(&mut self.has_alias, true) {
                    self.problems.push(Problem::at(place, What::Alias));
                }
                Value::Unknown
            }
            _ => Value::Unknown,
        };
        Ok(Node { place, value })
    }

    fn tag(&mut self, place: TextPosition, is_there: bool) {
        if is_there {
            self.problems.push(Problem::at(place, What::Tag));
        }
    }
}

fn place(span: &Span) -> TextPosition {
    TextPosition {
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

fn not_yaml(error: &ScanError) -> Problem {
    let marker = error.marker();
    let place = TextPosition {
        line: marker.line().max(1),
        column: marker.col() + 1,
    };
    let what = match error.info() {
        "recursion limit exceeded" => What::TooDeep,
        info => What::NotYaml(info.to_owned()),
    };
    Problem::at(place, what)
}
