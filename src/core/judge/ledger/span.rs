//! Ranges of consecutive sequence numbers.

use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// The sequence numbers from one to another, both included; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}

impl Span {
    /// Those of a range that is not empty.
    pub(super) fn of(range: &Range<u64>) -> Self {
        Self {
            first: range.start,
            last: range.end - 1,
        }
    }

    /// Ranges that are not empty, in any order, each number once: those beside each other together.
    pub(in crate::core::judge) fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Self> {
        ranges.sort_unstable_by_key(|range| range.start);
        let mut spans: Vec<Self> = Vec::new();
        for range in ranges {
            match spans.last_mut() {
                Some(last) if last.last + 1 == range.start => last.last = range.end - 1,
                _ => spans.push(Self::of(&range)),
            }
        }
        spans
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

/// `7`, or `7-9`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// How many there are in all of them.
pub(super) fn total(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.count()).sum()
}
