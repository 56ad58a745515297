//! Gathering records into batches on a thread of its own, while the batch before is on its way.

use super::batch_queue::{BatchReceiver, BatchSender, batch_queue};
use super::lines::Lines;
use super::{Input, Key};
use crate::core::records::samples::Samples;
use kmk_kafka::message::{Header, to_millis};
use kmk_kafka::{Batch, Partitioner};
use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;

/// A batch for one partition stays below Kafka's default limit of 1 MiB (`message.max.bytes`), unless a single record
/// is larger.
const FULL_PARTITION: usize = 900_000;

/// And below this for all partitions together, which share two connections. A broker does not read a connection's next
/// request while it works on one: with smaller ones it waits less for the first of their bytes, with larger ones it answers
/// less often. (Records of 1,000 B into six partitions: 310,000 to 360,000 a second by half of it, 400,000 so.)
const FULL: usize = 3_000_000;

/// What is put into batches, and how.
#[derive(Debug)]
pub(super) struct RecordBatcher {
    pub(super) messages: Option<u64>,
    pub(super) key: Key,
    pub(super) headers: Arc<[Header]>,
    pub(super) time: Option<i64>,
    pub(super) partitioner: Partitioner,
    /// The most records in a batch.
    pub(super) at_most: usize,
}

impl RecordBatcher {
    /// Starts the thread; it ends with its input, or when no one receives any more.
    pub(super) fn start(self, input: Input) -> std::io::Result<BatchReceiver> {
        let (to, batches) = batch_queue();
        let filler = Filler {
            batch: Batch::new(Arc::clone(&self.headers)),
            left: self.messages.unwrap_or(u64::MAX),
            batcher: self,
            to,
        };
        std::thread::Builder::new()
            .name("kmk-batcher".to_owned())
            .spawn(move || filler.run(input))?;
        Ok(batches)
    }
}

struct Filler {
    batcher: RecordBatcher,
    batch: Batch,
    left: u64,
    to: BatchSender,
}

impl Filler {
    fn run(mut self, input: Input) {
        match input {
            Input::Samples { size } => {
                let mut samples = Samples::new(size);
                self.repeat(|now, value| {
                    value.clear();
                    samples.write_next(now, value);
                });
            }
            Input::Value(value) => self.repeat(|_, to| {
                to.clear();
                to.extend_from_slice(&value);
            }),
            Input::Tombstones => {
                while self.left > 0 && self.record(None, to_millis(SystemTime::now())) {}
            }
            Input::Lines(from) => self.lines(from),
        }
        self.flush();
    }

    fn repeat(&mut self, mut make: impl FnMut(SystemTime, &mut Vec<u8>)) {
        let mut value = Vec::new();
        while self.left > 0 {
            let now = SystemTime::now();
            make(now, &mut value);
            if !self.record(Some(&value), to_millis(now)) {
                return;
            }
        }
    }

    fn lines(&mut self, from: Box<dyn Read + Send>) {
        let mut lines = Lines::new(from);
        loop {
            // what was read at once came at the same time
            let mut now = None;
            let read = lines.read_some(|line| {
                let now = *now.get_or_insert_with(|| {
                    self.go_on();
                    to_millis(SystemTime::now())
                });
                self.record(Some(line), now)
            });
            match read {
                // the next read may wait for someone typing: what is there goes out now
                Ok(true) if self.flush() => {}
                Ok(_) => return,
                Err(error) => {
                    self.flush();
                    self.to.break_off(error);
                    return;
                }
            }
        }
    }

    /// Goes on with the batch that no one has taken yet.
    fn go_on(&mut self) {
        if let Some(batch) = self.to.take_back() {
            self.batch = batch;
        }
    }

    /// Adds a record that came at `now`, in milliseconds since the epoch. False when no more are wanted.
    fn record(&mut self, line: Option<&[u8]>, now: i64) -> bool {
        let Self {
            batcher, batch, to, ..
        } = self;
        let (key, value) = batcher.key.split(line);
        let size = batch.growth(key, value);
        let is_full = !has_room(batch, size) || batch.records() >= batcher.at_most;
        if is_full && !to.pass_on(batch) {
            return false;
        }
        let partition = batcher.partitioner.choose(key);
        let time = batcher.time.unwrap_or(now);
        batch.push(partition, key, value, time);
        self.left -= 1;
        self.left > 0
    }

    fn flush(&mut self) -> bool {
        self.to.lay(&mut self.batch)
    }
}

/// Whether a record of this many bytes fits into a batch.
pub(crate) fn has_room(batch: &Batch, bytes: usize) -> bool {
    batch.fullest() + bytes <= FULL_PARTITION && batch.size() + bytes <= FULL
}

impl Key {
    /// Key and value of a record given as `line`. Without the separator in it, a line has no key.
    fn split<'a>(&'a self, line: Option<&'a [u8]>) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        match (self, line) {
            (Self::Fixed(key), line) => (Some(key), line),
            (Self::Line, line) => (line, None),
            (Self::Before(separator), Some(line)) => {
                let at = line
                    .windows(separator.len().max(1))
                    .position(|window| window == separator.as_slice());
                match at {
                    Some(at) => (Some(&line[..at]), Some(&line[at + separator.len()..])),
                    None => (None, Some(line)),
                }
            }
            (Self::None | Self::Before(_), line) => (None, line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::wait::{Interrupt, Limit};
    use proptest::prelude::*;
    use std::time::Duration;

    fn batcher(messages: Option<u64>, at_most: usize) -> RecordBatcher {
        RecordBatcher {
            messages,
            key: Key::None,
            headers: Arc::default(),
            time: None,
            partitioner: Partitioner::new(2, None),
            at_most,
        }
    }

    fn all(batches: &BatchReceiver) -> impl Iterator<Item = Batch> {
        let limit = Limit::new(Duration::from_secs(60), &Interrupt::default());
        std::iter::from_fn(move || batches.next(&limit).unwrap().map(Result::unwrap))
    }

    fn sizes(batcher: RecordBatcher, input: Input) -> Vec<usize> {
        let from = batcher.start(input).unwrap();
        all(&from).map(|batch| batch.records()).collect()
    }

    #[test]
    fn a_key_stands_before_the_first_separator() {
        let split = |key: &Key, line: &'static str| {
            let (key, value) = key.split(Some(line.as_bytes()));
            let text =
                |bytes: Option<&[u8]>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
            (text(key), text(value))
        };
        let pair = |key: Option<&str>, value: Option<&str>| {
            (key.map(str::to_owned), value.map(str::to_owned))
        };
        let key = Key::Before(b"::".to_vec());
        assert_eq!(split(&key, "a::b::c"), pair(Some("a"), Some("b::c")));
        assert_eq!(split(&key, "::b"), pair(Some(""), Some("b")));
        assert_eq!(split(&key, "a:b"), pair(None, Some("a:b")));
        let key = Key::Fixed(b"k".to_vec());
        assert_eq!(split(&key, "v"), pair(Some("k"), Some("v")));
        assert_eq!(key.split(None), (Some(&b"k"[..]), None));
        assert_eq!(split(&Key::Line, "a"), pair(Some("a"), None));
    }

    #[test]
    fn records_have_the_time_they_were_given() {
        let batcher = RecordBatcher {
            time: Some(7),
            ..batcher(Some(3), 10)
        };
        for batch in all(&batcher.start(Input::Value(b"v".to_vec())).unwrap()) {
            assert!(
                batch
                    .chunks()
                    .all(|chunk| chunk.iter().all(|item| item.time == 7))
            );
        }
    }

    #[test]
    fn a_record_larger_than_a_batch_travels_alone() {
        let mut bytes = b"small\n".to_vec();
        bytes.resize(bytes.len() + 5_000_000, b'x');
        bytes.extend_from_slice(b"\nsmall\n");
        let sizes = sizes(
            batcher(None, 1_000),
            Input::Lines(Box::new(std::io::Cursor::new(bytes))),
        );
        assert_eq!(sizes.iter().sum::<usize>(), 3);
        assert!(sizes.len() >= 2);
    }

    proptest! {
        #[test]
        fn exactly_the_records_asked_for_are_made(messages in 1u64..300, at_most in 1usize..50) {
            let sizes = sizes(batcher(Some(messages), at_most), Input::Samples { size: None });
            prop_assert!(sizes.iter().all(|&size| size <= at_most && size > 0));
            prop_assert_eq!(sizes.iter().sum::<usize>() as u64, messages);
        }

        #[test]
        fn no_line_is_lost_and_none_beyond_the_limit_sent(lines in 0u64..200, messages in 1u64..200) {
            let text = "line\n".repeat(usize::try_from(lines).unwrap());
            let input = Input::Lines(Box::new(std::io::Cursor::new(text.into_bytes())));
            let sizes = sizes(batcher(Some(messages), 7), input);
            prop_assert_eq!(sizes.iter().sum::<usize>() as u64, lines.min(messages));
        }
    }
}
