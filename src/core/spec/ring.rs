//! Finds flows that form a cycle in which records, or topics, circulate endlessly. Pure.
//!
//! MirrorMaker stops what comes back only where the name tells: `DefaultReplicationPolicy` leaves a topic out among whose
//! prefixes the flow's target stands (`MirrorSourceConnector.isCycle`), `IdentityReplicationPolicy` none but heartbeats. So
//! a record that loops is stopped where two flows that prefix follow each other: the second one writes the name
//! that the first one looks for, a round later.

use crate::core::spec::filter::matches;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What matters of a flow to what may loop.
#[derive(Debug, Clone)]
pub struct Hop<'a> {
    /// The source cluster.
    pub source: &'a str,
    /// The target cluster.
    pub target: &'a str,
    /// What stands between the source's name and the topic's on the target; none where topics keep their names.
    pub separator: Option<&'a str>,
    /// Java regular expressions of the topics that it takes.
    pub topics: Vec<String>,
    /// Java regular expressions of the topics that it leaves out.
    pub exclude: Vec<String>,
}

/// A flow, and what was put before a name last when it comes there: a cluster's name and a separator.
type State<'a> = (usize, Option<(&'a str, &'a str)>);
type Ways<'a> = BTreeMap<State<'a>, Vec<State<'a>>>;

/// More rings than that would not help.
const MOST: usize = 20;

/// Rings in which something loops without end, each once, as the indexes of its flows in the order in which they
/// follow each other. What topics a flow takes counts only where no name can pass it for certain.
pub fn rings(hops: &[Hop<'_>]) -> Vec<Vec<usize>> {
    let ways = ways(hops);
    let mut known = BTreeSet::new();
    let rings = ways.keys().filter_map(|state| way_back(*state, &ways));
    let rings = rings.filter(|ring| known.insert(ring.iter().copied().collect::<BTreeSet<_>>()));
    rings.take(MOST).collect()
}

/// Where names go on from each state; states from which they get nowhere in the end are left out.
fn ways<'a>(hops: &[Hop<'a>]) -> Ways<'a> {
    let mut leaving: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, hop) in hops.iter().enumerate() {
        leaving.entry(hop.source).or_default().push(place);
    }
    let onward = |hop: &Hop<'a>| {
        let after = leaving.get(hop.target).into_iter().flatten();
        let passed_on = after.filter(|after| hop.leads_on_to(&hops[**after]));
        passed_on.copied().collect()
    };
    let onward: Vec<Vec<usize>> = hops.iter().map(onward).collect();
    let mut ways = Ways::new();
    let mut reached: Vec<State<'a>> = (0..hops.len()).map(|place| (place, None)).collect();
    while let Some(state) = reached.pop() {
        let hop = &hops[state.0];
        let prefix = hop.separator.map(|separator| (hop.source, separator));
        let prefix = prefix.or(state.1);
        let next = onward[state.0].iter().copied();
        let next = next.filter(|next| prefix.is_none_or(|prefix| hops[*next].takes_after(prefix)));
        let next: Vec<State<'a>> = next.map(|next| (next, prefix)).collect();
        ways.entry(state).or_insert_with(|| {
            reached.extend(&next);
            next
        });
    }
    loop {
        let known: BTreeSet<State<'a>> = ways.keys().copied().collect();
        ways.retain(|_, next| {
            next.retain(|next| known.contains(next));
            !next.is_empty()
        });
        if ways.len() == known.len() {
            return ways;
        }
    }
}

/// The shortest way from a state back to itself.
fn way_back(from: State<'_>, ways: &Ways<'_>) -> Option<Vec<usize>> {
    let mut before = BTreeMap::new();
    let mut reached = VecDeque::from([from]);
    while let Some(here) = reached.pop_front() {
        for &there in ways.get(&here).into_iter().flatten() {
            if there == from {
                let back = std::iter::successors(Some(here), |at| before.get(at).copied());
                let mut ring: Vec<usize> = back.map(|(place, _)| place).collect();
                ring.reverse();
                return Some(ring);
            }
            before.entry(there).or_insert_with(|| {
                reached.push_back(there);
                here
            });
        }
    }
    None
}

impl Hop<'_> {
    /// Whether something that this flow writes may go on through the next one, round after round.
    fn leads_on_to(&self, next: &Self) -> bool {
        let is_stopped = self.separator.is_some_and(|separator| {
            // a name with the separator in it is never what stands before the first one
            next.separator == Some(separator) && !self.target.contains(separator)
        });
        let mut pairs = self
            .topics
            .iter()
            .flat_map(|mine| next.topics.iter().map(move |its| (mine, its)));
        !is_stopped && pairs.any(|(mine, its)| !self.is_apart(mine, next, its))
    }

    /// Whether it may take a name that begins with what another flow put before it.
    fn takes_after(&self, (source, separator): (&str, &str)) -> bool {
        let prefix = format!("{source}{separator}");
        let begins = Shape {
            begins: prefix.chars().map(Some).collect(),
            is_whole: false,
        };
        let mut topics = self.topics.iter();
        topics.any(|topic| !Shape::of(topic).differs_from(&begins))
            && !self.exclude.iter().any(|left_out| {
                let (spared, rest) = spared(left_out);
                takes_all(rest, &prefix) && spared.is_none_or(|name| !name.starts_with(&prefix))
            })
    }

    /// Whether no topic that `mine` takes can be one that the next flow takes by `its`, as far as that is certain.
    fn is_apart(&self, mine: &str, next: &Self, its: &str) -> bool {
        let prefix = self.separator.map_or_else(String::new, |separator| {
            format!("{}{separator}", self.source)
        });
        let (own, other) = (Shape::of(mine).after(&prefix), Shape::of(its));
        if own.differs_from(&other) {
            return true;
        }
        if let Some(name) = own.name().or_else(|| other.name()) {
            let Some(topic) = name.strip_prefix(&prefix) else {
                return true;
            };
            return matches(mine, topic) == Some(false)
                || matches(its, &name) == Some(false)
                || are_any(&self.exclude, topic)
                || are_any(&next.exclude, &name);
        }
        let begins = own.beginning();
        next.exclude.iter().any(|left_out| {
            let (spared, rest) = spared(left_out);
            takes_all(rest, &begins)
                && spared.is_none_or(|name| self.never_makes(mine, name.strip_prefix(&prefix)))
        })
    }

    /// Whether no topic of that name is one that `mine` takes, as far as that is certain.
    fn never_makes(&self, mine: &str, topic: Option<&str>) -> bool {
        topic.is_none_or(|topic| {
            matches(mine, topic) == Some(false) || are_any(&self.exclude, topic)
        })
    }
}

fn are_any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|one| {
        let (spared, rest) = spared(one);
        spared != Some(name) && matches(rest, name) == Some(true)
    })
}

/// The name that a pattern leaves alone, and what it takes of all others, where it is written as kmk spares a canary.
fn spared(pattern: &str) -> (Option<&str>, &str) {
    let parts = pattern
        .strip_prefix("(?!")
        .and_then(|rest| rest.split_once("$)(?:"));
    match parts.and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
        Some((name, rest))
            if !name.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)) =>
        {
            (Some(name), rest)
        }
        _ => (None, pattern),
    }
}

/// Whether a pattern certainly takes every name that begins so.
fn takes_all(pattern: &str, begins: &str) -> bool {
    let first = pattern.strip_suffix(".*");
    let first = first.filter(|first| !first.ends_with('\\') && !first.contains('|'));
    let mut ends = (0..=begins.len()).filter(|end| begins.is_char_boundary(*end));
    first.is_some_and(|first| ends.any(|end| matches(first, &begins[..end]) == Some(true)))
}

/// What every name has in common that a pattern takes.
struct Shape {
    /// How it begins; none where any character may stand.
    begins: Vec<Option<char>>,
    /// Whether that is all of it.
    is_whole: bool,
}

impl Shape {
    fn of(pattern: &str) -> Self {
        let mut shape = Self {
            begins: Vec::new(),
            is_whole: false,
        };
        if pattern.contains('|') {
            return shape;
        }
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next().filter(char::is_ascii_punctuation) {
                    Some(escaped) => shape.begins.push(Some(escaped)),
                    None => return shape,
                },
                '.' => shape.begins.push(None),
                _ if c.is_ascii_alphanumeric() || "-_".contains(c) => shape.begins.push(Some(c)),
                // what may be repeated may also be missing
                '*' | '+' | '?' | '{' => {
                    shape.begins.pop();
                    return shape;
                }
                _ => return shape,
            }
        }
        shape.is_whole = true;
        shape
    }

    fn after(mut self, prefix: &str) -> Self {
        self.begins.splice(0..0, prefix.chars().map(Some));
        self
    }

    fn differs_from(&self, other: &Self) -> bool {
        let mut both = self.begins.iter().zip(&other.begins);
        let is_shorter =
            |one: &Self, than: &Self| one.is_whole && one.begins.len() < than.begins.len();
        both.any(|pair| matches!(pair, (Some(a), Some(b)) if a != b))
            || is_shorter(self, other)
            || is_shorter(other, self)
    }

    /// The one name that it is.
    fn name(&self) -> Option<String> {
        let all: Option<String> = self.begins.iter().copied().collect();
        all.filter(|_| self.is_whole)
    }

    fn beginning(&self) -> String {
        self.begins.iter().map_while(|c| *c).collect()
    }
}

#[cfg(test)]
mod tests;
