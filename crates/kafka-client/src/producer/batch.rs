//! Records gathered for one request, packed so that a million of them are a handful of allocations.

use crate::message::Header;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What Kafka adds to a record at most, in bytes. Message format 0 adds 26: offset, size, checksum, flags, two lengths.
/// Format 2 adds up to 36: the lengths of record, key and value, the distance from the batch's first offset and the
/// number of headers (5 each), the distance from its first time (10), flags (1).
pub const OVERHEAD: usize = 36;

/// What message format 2 adds to the records of one partition together, in bytes.
pub(crate) const BATCH_OVERHEAD: usize = 61;

/// The lengths of a header's key and value, in bytes at most.
const HEADER_OVERHEAD: usize = 10;

/// Records to send, by partition, in order within each. Push them one by one, then pass them to
/// [`Producer::send`](crate::Producer::send).
#[derive(Debug, Default)]
pub struct Batch {
    chunks: BTreeMap<i32, Chunk>,
    headers: Arc<[Header]>,
    records: usize,
    size: usize,
    fullest: usize,
}

impl Batch {
    /// An empty one; each of its records gets these headers.
    pub fn new(headers: Arc<[Header]>) -> Self {
        Self {
            headers,
            ..Self::default()
        }
    }

    /// Adds a record behind those already there for this partition. `time` is in milliseconds since the epoch.
    ///
    /// # Panics
    /// When key or value has 4 GiB or more, which is twice what the protocol can say.
    pub fn push(&mut self, partition: i32, key: Option<&[u8]>, value: Option<&[u8]>, time: i64) {
        let chunk = self
            .chunks
            .entry(partition)
            .or_insert_with(|| Chunk::new(Arc::clone(&self.headers)));
        let before = chunk.size();
        chunk.push(key, value, time);
        let after = chunk.size();
        self.records += 1;
        self.size += after - before;
        self.fullest = self.fullest.max(after);
    }

    /// Takes out all it holds, and stays behind empty, with the same headers.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(Arc::clone(&self.headers));
        std::mem::replace(self, empty)
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Keys, values, headers and what Kafka adds to them at most, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The same for the fullest partition alone: what a topic's limit on a batch is about.
    pub fn fullest(&self) -> usize {
        self.fullest
    }

    /// How much larger one more record makes it at most, in bytes.
    pub fn growth(&self, key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
        let payload = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        BATCH_OVERHEAD + OVERHEAD + headers_size(&self.headers) + payload
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Its records, the partitions in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.values()
    }

    /// Its records by partition.
    pub(crate) fn into_chunks(self) -> BTreeMap<i32, Chunk> {
        self.chunks
    }
}

/// The records of a [`Batch`] for one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    headers: Arc<[Header]>,
    /// What the headers make of each record, in bytes at most.
    extra: usize,
}

/// A record's time, and the lengths of its key and value; these follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    time: i64,
    key: Length,
    value: Length,
}

/// A length, or none: in four bytes, as there is one for each key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length(u32);

impl Length {
    const NONE: Self = Self(u32::MAX);

    fn of(bytes: Option<&[u8]>) -> Self {
        let Some(bytes) = bytes else {
            return Self::NONE;
        };
        let length = u32::try_from(bytes.len()).map_or(Self::NONE, Self);
        assert!(length != Self::NONE, "a key or a value of 4 GiB or more");
        length
    }

    fn get(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

/// A record of a [`Chunk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its key, unless it has none.
    pub key: Option<&'a [u8]>,
    /// Its value, unless it has none.
    pub value: Option<&'a [u8]>,
    /// Its time, in milliseconds since the epoch.
    pub time: i64,
}

impl Chunk {
    fn new(headers: Arc<[Header]>) -> Self {
        Self {
            extra: headers_size(&headers),
            headers,
            ..Self::default()
        }
    }

    fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, time: i64) {
        let span = Span {
            time,
            key: Length::of(key),
            value: Length::of(value),
        };
        self.bytes.extend_from_slice(key.unwrap_or_default());
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.spans.push(span);
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.spans.len()
    }

    /// Keys and values, in bytes.
    pub fn payload(&self) -> usize {
        self.bytes.len()
    }

    /// The headers of each of its records.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// Keys, values, headers and what Kafka adds to them at most, in bytes.
    pub fn size(&self) -> usize {
        if self.spans.is_empty() {
            return 0;
        }
        BATCH_OVERHEAD + self.bytes.len() + self.spans.len() * (OVERHEAD + self.extra)
    }

    /// The records, in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        let mut rest = self.bytes.as_slice();
        let mut take = move |length: Length| {
            length.get().map(|length| {
                let (taken, left) = rest.split_at(length);
                rest = left;
                taken
            })
        };
        self.spans.iter().map(move |span| Item {
            key: take(span.key),
            value: take(span.value),
            time: span.time,
        })
    }

    /// Cut so that none is larger than `allowed` bytes, as far as whole records permit.
    pub(crate) fn cut(self, allowed: usize) -> Vec<Self> {
        let mut done = Vec::new();
        let mut to_cut = vec![self];
        while let Some(chunk) = to_cut.pop() {
            if chunk.size() <= allowed || chunk.records() <= 1 {
                done.push(chunk);
            } else {
                let (first, second) = chunk.halves();
                to_cut.push(second);
                to_cut.push(first);
            }
        }
        done
    }

    /// Two halves in the same order; the second is empty when there is only one record.
    pub(crate) fn halves(&self) -> (Self, Self) {
        let (first, second) = self.spans.split_at(self.records().div_ceil(2));
        let lengths = first.iter().flat_map(|span| [span.key, span.value]);
        let bytes = self
            .bytes
            .split_at(lengths.filter_map(Length::get).sum::<usize>());
        let half = |bytes: &[u8], spans: &[Span]| Self {
            bytes: bytes.to_vec(),
            spans: spans.to_vec(),
            headers: Arc::clone(&self.headers),
            extra: self.extra,
        };
        (half(bytes.0, first), half(bytes.1, second))
    }
}

/// What these headers make of a record, in bytes at most.
fn headers_size(headers: &[Header]) -> usize {
    let size = |header: &Header| {
        HEADER_OVERHEAD + header.key.len() + header.value.as_ref().map_or(0, Vec::len)
    };
    headers.iter().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Owned = (Option<Vec<u8>>, Option<Vec<u8>>, i64);

    fn items(chunk: &Chunk) -> Vec<Owned> {
        chunk
            .iter()
            .map(|item| {
                let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
                (owned(item.key), owned(item.value), item.time)
            })
            .collect()
    }

    fn any_record() -> impl Strategy<Value = (i32, Owned)> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..5));
        (0i32..3, (bytes(), bytes(), any::<i64>()))
    }

    fn header(key: &str) -> Header {
        Header {
            key: key.into(),
            value: None,
        }
    }

    #[test]
    fn what_is_taken_out_and_what_stays_behind_have_the_same_headers() {
        let mut batch = Batch::new(Arc::from([header("h")]));
        batch.push(0, None, None, 0);
        let taken = batch.take();
        assert_eq!((taken.records(), batch.records(), batch.size()), (1, 0, 0));
        batch.push(0, None, None, 0);
        for batch in [taken, batch] {
            assert_eq!(batch.into_chunks()[&0].headers(), [header("h")]);
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            records in proptest::collection::vec(any_record(), 0..30),
            headers in 0usize..3,
        ) {
            let headers: Arc<[Header]> = vec![header("key"); headers].into();
            let mut batch = Batch::new(Arc::clone(&headers));
            for (partition, (key, value, time)) in &records {
                let (size, growth) = (batch.size(), batch.growth(key.as_deref(), value.as_deref()));
                batch.push(*partition, key.as_deref(), value.as_deref(), *time);
                prop_assert!(batch.size() <= size + growth);
            }
            prop_assert_eq!(batch.records(), records.len());
            let (size, fullest) = (batch.size(), batch.fullest());
            let chunks = batch.into_chunks();
            prop_assert_eq!(chunks.values().map(Chunk::size).sum::<usize>(), size);
            prop_assert_eq!(chunks.values().map(Chunk::size).max().unwrap_or(0), fullest);
            for partition in 0..3 {
                let expected: Vec<Owned> =
                    records.iter().filter(|r| r.0 == partition).map(|r| r.1.clone()).collect();
                let chunk = chunks.get(&partition).cloned().unwrap_or_default();
                prop_assert_eq!(items(&chunk), expected.clone());
                let (first, second) = chunk.halves();
                prop_assert_eq!(first.payload() + second.payload(), chunk.payload());
                prop_assert_eq!(first.headers(), chunk.headers());
                prop_assert_eq!([items(&first), items(&second)].concat(), expected);
            }
        }
    }
}
