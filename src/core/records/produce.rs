//! Sends records into a topic and reports what the brokers acknowledged.

mod batch_queue;
mod first;
mod lines;
mod record_batcher;
mod report;

pub use lines::LinesError;
pub use report::{ProduceEnd, ProduceReport};

use crate::core::event::{Event, Observer};
use batch_queue::{BatchReceiver, Filled};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::message::{Header, TopicNameError, check_topic_name};
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use kmk_kafka::{Admin, KafkaError, Partitioner, Producer, ProducerOptions, SMALL_RUN, Tally};
use record_batcher::RecordBatcher;
pub(crate) use record_batcher::has_room;
use std::fmt;
use std::io::Read;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

/// How many batches a second a paced run sends at most.
const STEPS: u64 = 20;

/// What to send where.
#[derive(Debug)]
pub struct Produce {
    /// The topic; a broker that creates topics by itself makes it.
    pub topic: String,
    /// Where the records come from.
    pub input: Input,
    /// What lines are read from, in words, for a person who waits for them.
    pub input_name: Option<String>,
    /// How many; none for a whole stream of lines (and for ever where the input has no end).
    pub messages: Option<u64>,
    /// Their keys.
    pub key: Key,
    /// The partition all go to; none to let the key decide, or to take turns.
    pub partition: Option<i32>,
    /// The headers of each of them.
    pub headers: Vec<Header>,
    /// The time of each of them, in milliseconds since the epoch; none for the time when it is taken from the input.
    pub time: Option<i64>,
    /// How many a second at most.
    pub rate: Option<u64>,
    /// Which client writes them, and how.
    pub writing: ProducerOptions,
    /// How long to go on without any acknowledgement.
    pub patience: Duration,
}

/// Where records come from.
pub enum Input {
    /// Small JSON events, of exactly `size` bytes if given ([`MIN_SAMPLE`](crate::core::records::samples::MIN_SAMPLE) or more).
    Samples {
        /// In bytes.
        size: Option<usize>,
    },
    /// The same value each time.
    Value(Vec<u8>),
    /// No value: what removes a key from a compacted topic.
    Tombstones,
    /// A record a line, byte for byte.
    Lines(Box<dyn Read + Send>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Samples { size } => f.debug_struct("Samples").field("size", size).finish(),
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
            Self::Tombstones => f.write_str("Tombstones"),
            Self::Lines(_) => f.write_str("Lines(..)"),
        }
    }
}

/// The keys of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// None.
    None,
    /// The same for all.
    Fixed(Vec<u8>),
    /// What stands before the first of these separators (not empty) in a line; a line without it has no key.
    Before(Vec<u8>),
    /// The whole line; there is no value.
    Line,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// Kafka allows no such topic.
    #[error(transparent)]
    TopicName(#[from] TopicNameError),
    /// A time is given, and the topic would not keep it.
    #[error(
        "topic `{topic}` would not keep the time: its brokers stamp records when they arrive (message.timestamp.type=LogAppendTime)"
    )]
    Stamped {
        /// The topic.
        topic: String,
        /// Whether it already exists.
        is_there: bool,
    },
    /// The topic cannot be written to.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The operating system allows no further thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

/// Sends the records and waits until each is acknowledged. Which client writes, and why, is told as [`Event::Started`];
/// `progress` is told after every batch.
///
/// # Errors
/// [`ProduceError`] when the topic cannot be written to at all. Once records are on their way, whatever happens is in
/// the report.
pub fn produce(
    bootstrap: &[Endpoint],
    what: Produce,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    progress: &mut dyn FnMut(&Tally),
) -> Result<ProduceReport, ProduceError> {
    check_topic_name(&what.topic)?;
    let limit = Limit::new(what.patience, interrupt);
    let mut admin = Admin::connect_patiently(bootstrap, &limit)?;
    let asked = what.messages;
    let is_stream = matches!(what.input, Input::Lines(_));
    let writing = ProducerOptions {
        is_small: !is_stream && asked.is_some_and(|messages| messages <= SMALL_RUN),
        ..what.writing
    };
    if what.time.is_some() {
        refuse_stamped(&mut admin, &what.topic, &limit)?;
    }
    let input = match first::wait_for(what.input, what.input_name.as_deref(), interrupt, observer) {
        Ok(Some(input)) => input,
        Ok(None) => return Ok(ProduceReport::nothing(ProduceEnd::Complete).measured(asked)),
        Err(_) => return Ok(ProduceReport::nothing(ProduceEnd::Interrupted)),
    };
    // only now is the topic made: nothing to send makes none
    let limit = limit.restarted();
    let producer = Producer::open(admin, &what.topic, &writing, &limit)?;
    let backend = producer.backend();
    observer.on(Event::Started(format!(
        "writing to topic `{}` with {backend}",
        what.topic
    )));
    let partitions = producer.partitions();
    if let Some(partition) = what.partition.filter(|&partition| partition >= partitions) {
        return Err(ProduceError::Kafka(KafkaError::UnknownPartition {
            topic: what.topic,
            partition,
            partitions: usize::try_from(partitions).unwrap_or(0),
        }));
    }
    let batcher = RecordBatcher {
        messages: what.messages,
        key: what.key,
        headers: what.headers.into(),
        time: what.time,
        partitioner: Partitioner::new(partitions, what.partition),
        at_most: what.rate.map_or(usize::MAX, |rate| {
            usize::try_from(rate.div_ceil(STEPS)).unwrap_or(usize::MAX)
        }),
    };
    let run = Run {
        producer,
        batches: batcher.start(input).map_err(ProduceError::Thread)?,
        rate: what.rate,
        patience: what.patience,
        interrupt,
        tally: Tally::default(),
        taken: 0,
    };
    Ok(run.until_the_end(progress).measured(asked))
}

/// A time that is given and then not kept would be a record with a wrong time, and not a word.
fn refuse_stamped(admin: &mut Admin, topic: &str, limit: &Limit) -> Result<(), ProduceError> {
    match admin.keeps_time(topic, limit) {
        Ok(false) => Err(ProduceError::Stamped {
            topic: topic.to_owned(),
            is_there: admin.has_topic(topic, limit)?,
        }),
        // a principal that may write need not be allowed to see settings
        Ok(true) | Err(KafkaError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Sending under way.
struct Run<'a> {
    producer: Producer,
    batches: BatchReceiver,
    rate: Option<u64>,
    patience: Duration,
    interrupt: &'a Interrupt,
    tally: Tally,
    taken: u64,
}

impl Run<'_> {
    fn until_the_end(mut self, progress: &mut dyn FnMut(&Tally)) -> ProduceReport {
        let start = Instant::now();
        let end = loop {
            let sent = self.step(start);
            progress(&self.tally);
            match sent {
                Ok(None) => {}
                Ok(Some(end)) => break self.settled(end, progress),
                Err(error) => break gave_up(error),
            }
        };
        ProduceReport {
            not_acknowledged: self.taken - self.tally.acknowledged(),
            tally: self.tally,
            elapsed: start.elapsed(),
            backend: Some(self.producer.backend()),
            end,
        }
    }

    /// One batch further. How it ended, if it did.
    fn step(&mut self, start: Instant) -> Result<Option<ProduceEnd>, KafkaError> {
        self.pace(start)?;
        match self.next()? {
            None => Ok(Some(ProduceEnd::Complete)),
            Some(Err(error)) => Ok(Some(ProduceEnd::Input(error))),
            Some(Ok(batch)) => {
                self.taken += batch.records() as u64;
                let limit = self.limit();
                self.producer.send(batch, &limit, &mut self.tally)?;
                Ok(None)
            }
        }
    }

    /// Waits for what is on its way, as long as something more is acknowledged.
    fn settled(&mut self, end: ProduceEnd, progress: &mut dyn FnMut(&Tally)) -> ProduceEnd {
        loop {
            let limit = self.limit();
            let left = self.producer.settle(&limit, &mut self.tally);
            progress(&self.tally);
            match left {
                Ok(true) => {}
                Ok(false) => return end,
                Err(error) => return gave_up(error),
            }
        }
    }

    fn limit(&self) -> Limit {
        Limit::new(self.patience, self.interrupt)
    }

    /// Waits until the next record is due, unless interrupted.
    fn pace(&mut self, start: Instant) -> Result<(), KafkaError> {
        let limit = Limit::endless(self.interrupt);
        if limit.check(String::new).is_err() {
            // what is on its way is still accounted for
            self.producer.flush(&limit, &mut self.tally)?;
            return Err(Stop::Interrupted.into());
        }
        let Some(rate) = self.rate else {
            return Ok(());
        };
        #[allow(clippy::cast_precision_loss)]
        let due = Duration::from_secs_f64(self.taken as f64 / rate as f64);
        if due > start.elapsed() {
            let limit = self.limit();
            self.producer.flush(&limit, &mut self.tally)?;
        }
        Ok(limit.pause(due.saturating_sub(start.elapsed()))?)
    }

    /// The next batch as it comes. While there is none, answers are taken in: an input may be silent for long.
    fn next(&mut self) -> Result<Option<Filled>, KafkaError> {
        loop {
            match self.batches.try_next() {
                Ok(batch) => return Ok(Some(batch)),
                Err(TryRecvError::Disconnected) => return Ok(None),
                Err(TryRecvError::Empty) => {}
            }
            let limit = self.limit();
            if !self.producer.settle(&limit, &mut self.tally)? {
                return Ok(self.batches.next(&Limit::endless(self.interrupt))?);
            }
        }
    }
}

fn gave_up(error: KafkaError) -> ProduceEnd {
    match error {
        KafkaError::Stopped(Stop::Interrupted) => ProduceEnd::Interrupted,
        error => ProduceEnd::GaveUp(error),
    }
}
