//! Records gathered for one request, packed so that a million of them are a handful of allocations. Knows nothing of
//! where they come from.

use std::collections::BTreeMap;

/// What Kafka adds to a record at most, in bytes (message format 0: offset, size, checksum, flags, two lengths).
pub const OVERHEAD: usize = 26;

/// Records on their way, by partition, in order within each.
#[derive(Debug, Default)]
pub struct Batch {
    chunks: BTreeMap<i32, Chunk>,
    records: usize,
    size: usize,
    fullest: usize,
}

impl Batch {
    /// Adds a record behind those already there for this partition.
    pub fn push(&mut self, partition: i32, key: Option<&[u8]>, value: Option<&[u8]>) {
        let chunk = self.chunks.entry(partition).or_default();
        let before = chunk.size();
        chunk.push(key, value);
        self.records += 1;
        self.size += chunk.size() - before;
        self.fullest = self.fullest.max(chunk.size());
    }

    /// Adds all records of `later` behind those already here.
    pub fn append(&mut self, later: Self) {
        self.records += later.records;
        self.size += later.size;
        for (partition, chunk) in later.chunks {
            let mine = self.chunks.entry(partition).or_default();
            mine.append(chunk);
            self.fullest = self.fullest.max(mine.size());
        }
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Keys, values and what Kafka adds to them, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The same for the fullest partition alone: what a topic's limit on a batch is about.
    pub fn fullest(&self) -> usize {
        self.fullest
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Its records by partition.
    pub(super) fn into_chunks(self) -> BTreeMap<i32, Chunk> {
        self.chunks
    }
}

/// Records for one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// The lengths of one record's key and value; they lie one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    key: Option<usize>,
    value: Option<usize>,
}

impl Chunk {
    fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(key.unwrap_or_default());
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.spans.push(Span {
            key: key.map(<[u8]>::len),
            value: value.map(<[u8]>::len),
        });
    }

    fn append(&mut self, later: Self) {
        if self.spans.is_empty() {
            *self = later;
        } else {
            self.bytes.extend_from_slice(&later.bytes);
            self.spans.extend_from_slice(&later.spans);
        }
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.spans.len()
    }

    /// Keys and values, in bytes.
    pub fn payload(&self) -> usize {
        self.bytes.len()
    }

    /// Keys, values and what Kafka adds to them, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.spans.len() * OVERHEAD
    }

    /// Key and value of each record, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&[u8]>, Option<&[u8]>)> {
        let mut rest = self.bytes.as_slice();
        let mut take = move |length: Option<usize>| {
            length.map(|length| {
                let (taken, left) = rest.split_at(length);
                rest = left;
                taken
            })
        };
        self.spans
            .iter()
            .map(move |span| (take(span.key), take(span.value)))
    }

    /// Two halves in the same order; the second is empty when there is only one record.
    pub(super) fn halves(&self) -> (Self, Self) {
        let mut halves = (Self::default(), Self::default());
        let middle = self.records().div_ceil(2);
        for (index, (key, value)) in self.iter().enumerate() {
            let half = if index < middle {
                &mut halves.0
            } else {
                &mut halves.1
            };
            half.push(key, value);
        }
        halves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

    fn pairs(chunk: &Chunk) -> Vec<Pair> {
        chunk
            .iter()
            .map(|(key, value)| (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec)))
            .collect()
    }

    fn any_record() -> impl Strategy<Value = (i32, Pair)> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..5));
        (0i32..3, (bytes(), bytes()))
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            records in proptest::collection::vec(any_record(), 0..30), cut in 0usize..30
        ) {
            let mut batch = Batch::default();
            let mut later = Batch::default();
            for (index, (partition, (key, value))) in records.iter().enumerate() {
                let part = if index < cut { &mut batch } else { &mut later };
                part.push(*partition, key.as_deref(), value.as_deref());
            }
            batch.append(later);
            prop_assert_eq!(batch.records(), records.len());
            let (size, fullest) = (batch.size(), batch.fullest());
            let chunks = batch.into_chunks();
            prop_assert_eq!(chunks.values().map(Chunk::size).sum::<usize>(), size);
            prop_assert_eq!(chunks.values().map(Chunk::size).max().unwrap_or(0), fullest);
            for partition in 0..3 {
                let expected: Vec<Pair> =
                    records.iter().filter(|r| r.0 == partition).map(|r| r.1.clone()).collect();
                let chunk = chunks.get(&partition).cloned().unwrap_or_default();
                prop_assert_eq!(pairs(&chunk), expected.clone());
                let (first, second) = chunk.halves();
                prop_assert_eq!(first.size() + second.size(), chunk.size());
                prop_assert_eq!([pairs(&first), pairs(&second)].concat(), expected);
            }
        }
    }
}
