//! Compares a partition with its mirrored partition by what its records say: which are missing, which are there more than
//! once, and whether their order is the same. Equal end offsets prove none of it: a copy too many hides a record that is
//! missing.
//!
//! Both are read side by side and forgotten as far as they agree, so that long partitions need little memory. Records that
//! say the same are told apart by their number only.

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

/// How many records of each side may wait for their like: some 100 MiB.
pub const WINDOW: usize = 1 << 20;

/// What a record says: its key, its value and its headers, as a short digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content([u8; 16]);

impl Content {
    /// Of a record; a key, value or header that is empty differs from none at all.
    pub fn of<'a>(
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: Option<&[u8]>| {
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(bytes.unwrap_or_default());
        };
        part(key);
        part(value);
        for (name, value) in headers {
            part(Some(name));
            part(value);
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

/// A record, as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its offset.
    pub offset: i64,
    /// What it says.
    pub content: Content,
}

/// How many ranges are listed in a report.
pub const LISTED: usize = 1_000;

fn listed<S: Serializer>(ranges: &[OffsetRange], to: S) -> Result<S::Ok, S::Error> {
    ranges[..ranges.len().min(LISTED)].serialize(to)
}

/// Offsets that follow each other, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OffsetRange {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// How many records these are: a log may have holes.
    pub records: u64,
}

impl fmt::Display for OffsetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}..{last}"),
        }
    }
}

/// How a partition and its mirrored partition differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Records of the source.
    pub source: u64,
    /// Records of the target.
    pub target: u64,
    /// Records of the source that the target does not have.
    pub missing: u64,
    /// Their offsets on the source.
    #[serde(serialize_with = "listed")]
    pub missing_at: Vec<OffsetRange>,
    /// Copies on the target beyond the first one of a record of the source.
    pub surplus: u64,
    /// Their offsets on the target.
    #[serde(serialize_with = "listed")]
    pub surplus_at: Vec<OffsetRange>,
    /// Records of the target that the source does not have.
    pub foreign: u64,
    /// Their offsets on the target.
    #[serde(serialize_with = "listed")]
    pub foreign_at: Vec<OffsetRange>,
    /// Records that come on the target before one that comes before them on the source. Copies beyond the first do not count.
    pub out_of_order: u64,
}

impl Difference {
    /// Whether both have the same records in the same order.
    pub fn is_none(&self) -> bool {
        (self.missing, self.surplus, self.foreign, self.out_of_order) == (0, 0, 0, 0)
    }
}

/// Why two partitions could not be compared to their end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCompared<E> {
    /// They differ by more than is kept.
    #[error("they differ by more than {0} records")]
    TooDifferent(usize),
    /// One of them cannot be read.
    #[error(transparent)]
    Unread(E),
}

impl<E> From<E> for NotCompared<E> {
    fn from(error: E) -> Self {
        Self::Unread(error)
    }
}

/// Compares a partition with its mirrored one. `again` reads the source once more, where the target has records left over:
/// only so is it known whether they are copies of what was compared and forgotten.
///
/// # Errors
/// [`NotCompared`]
pub fn compare<E, S: Iterator<Item = Result<Seen, E>>>(
    mut source: S,
    target: impl Iterator<Item = Result<Seen, E>>,
    again: impl FnOnce() -> Result<S, E>,
    window: usize,
) -> Result<Difference, NotCompared<E>> {
    let mut waiting = Waiting::default();
    // records of the target that were not found on the source yet, by their offsets in order
    let mut left_over: BTreeMap<Content, VecDeque<i64>> = BTreeMap::new();
    let mut left_overs = 0;
    let mut difference = Difference::default();
    // the furthest record of the source that was found on the target
    let mut furthest = i64::MIN;
    for record in target {
        let record = record?;
        difference.target += 1;
        while !waiting.has(record.content) && waiting.records < window {
            let Some(next) = source.next().transpose()? else {
                break;
            };
            difference.source += 1;
            if take(&mut left_over, next.content).is_some() {
                // it came earlier on the target than here
                left_overs -= 1;
                difference.out_of_order += 1;
            } else {
                waiting.push(next);
            }
        }
        match waiting.take(record.content) {
            Some(offset) if offset < furthest => difference.out_of_order += 1,
            Some(offset) => furthest = offset,
            None if left_overs == window => return Err(NotCompared::TooDifferent(window)),
            None => {
                left_overs += 1;
                let alike = left_over.entry(record.content).or_default();
                alike.push_back(record.offset);
            }
        }
    }
    let mut missing = waiting.offsets();
    for next in source {
        let next = next?;
        difference.source += 1;
        if take(&mut left_over, next.content).is_some() {
            difference.out_of_order += 1;
        } else {
            missing.push(next.offset);
        }
        if missing.len() > 2 * window {
            return Err(NotCompared::TooDifferent(window));
        }
    }
    difference.missing = missing.len() as u64;
    difference.missing_at = ranges(missing);
    if !left_over.is_empty() {
        let mut surplus = Vec::new();
        for known in again()? {
            surplus.extend(left_over.remove(&known?.content).unwrap_or_default());
        }
        surplus.sort_unstable();
        difference.surplus = surplus.len() as u64;
        difference.surplus_at = ranges(surplus);
        let mut foreign: Vec<i64> = left_over.into_values().flatten().collect();
        foreign.sort_unstable();
        difference.foreign = foreign.len() as u64;
        difference.foreign_at = ranges(foreign);
    }
    Ok(difference)
}

/// The first of those that say this.
fn take(left_over: &mut BTreeMap<Content, VecDeque<i64>>, content: Content) -> Option<i64> {
    let alike = left_over.get_mut(&content)?;
    let offset = alike.pop_front()?;
    if alike.is_empty() {
        left_over.remove(&content);
    }
    Some(offset)
}

/// Records of the source that were not found on the target yet.
#[derive(Default)]
struct Waiting {
    by_content: HashMap<Content, VecDeque<i64>>,
    records: usize,
}

impl Waiting {
    fn has(&self, content: Content) -> bool {
        self.by_content.contains_key(&content)
    }

    fn push(&mut self, record: Seen) {
        let alike = self.by_content.entry(record.content).or_default();
        alike.push_back(record.offset);
        self.records += 1;
    }

    /// The offset of the first that says this.
    fn take(&mut self, content: Content) -> Option<i64> {
        let alike = self.by_content.get_mut(&content)?;
        let offset = alike.pop_front()?;
        if alike.is_empty() {
            self.by_content.remove(&content);
        }
        self.records -= 1;
        Some(offset)
    }

    /// All that is left, in order.
    fn offsets(self) -> Vec<i64> {
        let mut offsets: Vec<i64> = self.by_content.into_values().flatten().collect();
        offsets.sort_unstable();
        offsets
    }
}

/// Offsets in order, as ranges.
pub fn ranges(offsets: impl IntoIterator<Item = i64>) -> Vec<OffsetRange> {
    let mut ranges: Vec<OffsetRange> = Vec::new();
    for offset in offsets {
        match ranges.last_mut() {
            Some(range) if offset == range.last + 1 => {
                range.last = offset;
                range.records += 1;
            }
            _ => ranges.push(OffsetRange {
                first: offset,
                last: offset,
                records: 1,
            }),
        }
    }
    ranges
}

#[cfg(test)]
mod tests;
