//! Reading records from a topic, as far as asked, and noting for a group how far it came. Knows nothing of labs, formats
//! or terminals.

use crate::core::endpoint::Endpoint;
use crate::core::event::{Event, Observer};
use crate::core::kafka::{Admin, Consumer, Fetched, KafkaError, Reading, Start, TopicInfo};
use crate::core::message::RecordRef;
use crate::core::nearest::by_nearness;
use crate::core::wait::{Interrupt, Limit, Stop};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// How often a missing topic, or a broker that went away, is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// A broker that says nothing for less than this may only be waiting for records.
const HELD: Duration = Duration::from_secs(1);

/// How often a group's place is noted while reading goes on.
const COMMIT: Duration = Duration::from_secs(1);

/// How long noting it may take when it is the last thing to do.
const LAST_COMMIT: Duration = Duration::from_secs(5);

/// What to read.
#[derive(Debug, Clone)]
pub struct Consume {
    /// The topic. It is never created by reading it.
    pub topic: String,
    /// Only this partition; none for all.
    pub partition: Option<i32>,
    /// Where to begin, in partitions where the group (if any) has no place yet.
    pub start: Start,
    /// The group to resume, and to note the place of.
    pub group: Option<String>,
    /// How many records; none for all there are now (or, following, for ever).
    pub messages: Option<u64>,
    /// Whether to wait for more at the end.
    pub follow: bool,
    /// With `messages`, unless following: how long it may take in all. Otherwise how long a broker may give no answer,
    /// or the topic not be there.
    pub timeout: Duration,
}

/// Where records go.
pub trait Sink {
    /// Takes one record.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] says that no one reads any more, which is no failure.
    fn record(&mut self, record: RecordRef<'_>) -> io::Result<()>;

    /// Passes on everything taken so far. A group's place is noted only for what was passed on.
    ///
    /// # Errors
    /// As [`Sink::record`].
    fn flush(&mut self) -> io::Result<()>;
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The topic was not there in time.
    #[error("there is no topic `{topic}` after {}", humantime::format_duration(*.waited))]
    NoTopic {
        /// Its name.
        topic: String,
        /// How long it was waited for.
        waited: Duration,
        /// The topics that are there, those of like name first.
        topics: Vec<String>,
    },
    /// The topic cannot be read.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The records cannot be passed on.
    #[error("the records cannot be written: {0}")]
    Sink(io::Error),
}

/// What was read.
#[derive(Debug)]
pub struct ConsumeReport {
    /// How many records were passed on.
    pub read: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// How it ended.
    pub end: ConsumeEnd,
    /// The group's place as the broker last noted it, by partition.
    pub committed: BTreeMap<i32, i64>,
    /// Why the group's place could not be noted at the end.
    pub not_committed: Option<KafkaError>,
}

/// How reading ended.
#[derive(Debug)]
pub enum ConsumeEnd {
    /// As many were read as were asked for, or all there were.
    Complete,
    /// Time was up before.
    Deadline,
    /// No one reads the records any more.
    NoReader,
    /// The person interrupted.
    Interrupted,
    /// The broker refused for good, or for too long.
    Lost(KafkaError),
}

/// Reads records into `sink`. Waits for the topic if it is not there yet.
///
/// # Errors
/// [`ConsumeError`] when the topic cannot be read at all, or the sink fails. A broker lost on the way is in the report.
pub fn consume(
    bootstrap: &[Endpoint],
    what: &Consume,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    sink: &mut dyn Sink,
) -> Result<ConsumeReport, ConsumeError> {
    let start = Instant::now();
    let limit = Limit::new(what.timeout, interrupt);
    let admin = Admin::connect_patiently(bootstrap, &limit);
    let opened = admin
        .map_err(ConsumeError::Kafka)
        .and_then(|admin| open(admin, what, &limit, observer));
    let mut run = Run {
        what,
        limit,
        observer,
        sink,
        read: 0,
        handed: BTreeMap::new(),
        committed: BTreeMap::new(),
        next_commit: start + COMMIT,
        uneasy: false,
    };
    let (end, not_committed) = match opened {
        Ok(mut consumer) => {
            let end = run.until_the_end(&mut consumer)?;
            (end, run.commit_last(&mut consumer).err())
        }
        Err(ConsumeError::Kafka(KafkaError::Stopped(Stop::Interrupted))) => {
            (ConsumeEnd::Interrupted, None)
        }
        Err(error) => return Err(error),
    };
    Ok(ConsumeReport {
        read: run.read,
        elapsed: start.elapsed(),
        end,
        committed: run.committed,
        not_committed,
    })
}

/// Waits for the topic and finds out where to begin.
fn open(
    mut admin: Admin,
    what: &Consume,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Consumer, ConsumeError> {
    let reading = Reading {
        partition: what.partition,
        start: what.start,
        group: what.group.clone(),
        to_end: what.messages.is_none() && !what.follow,
    };
    let info = wait_for_topic(&mut admin, &what.topic, limit, observer)?;
    Ok(Consumer::open(admin, &what.topic, &info, &reading, limit)?)
}

fn wait_for_topic(
    admin: &mut Admin,
    topic: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<TopicInfo, ConsumeError> {
    let mut told = false;
    loop {
        let trouble = match admin.topics(limit) {
            Ok(topics) => match topics.get(topic) {
                Some(info) if info.is_ready() => return Ok(info.clone()),
                Some(info) => ConsumeError::Kafka(KafkaError::NoLeader {
                    topic: topic.to_owned(),
                    partition: info.leaderless().unwrap_or(0),
                }),
                None => ConsumeError::NoTopic {
                    topic: topic.to_owned(),
                    waited: limit.allowed(),
                    topics: by_nearness(topic, topics.keys().map(String::as_str))
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                },
            },
            Err(error) if error.is_retriable() => ConsumeError::Kafka(error),
            Err(error) => return Err(error.into()),
        };
        if !told {
            observer.on(Event::Progress(format!("waiting for topic `{topic}`")));
            told = true;
        }
        limit.pause(LOOK).map_err(KafkaError::from)?;
        if limit.remaining().is_zero() {
            return Err(trouble);
        }
    }
}

/// Reading under way.
struct Run<'a> {
    what: &'a Consume,
    limit: Limit,
    observer: &'a dyn Observer,
    sink: &'a mut dyn Sink,
    read: u64,
    /// Where each partition goes on behind what was passed on.
    handed: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    next_commit: Instant,
    /// Whether the last fetch failed.
    uneasy: bool,
}

impl Run<'_> {
    fn until_the_end(&mut self, consumer: &mut Consumer) -> Result<ConsumeEnd, ConsumeError> {
        loop {
            if self.left() == 0 || consumer.is_done() {
                return Ok(ConsumeEnd::Complete);
            }
            let left = self.left();
            let polled = consumer.poll(&self.limit, |fetched| fetched.len() as u64 >= left);
            for moved in consumer.moved() {
                self.observer.on(Event::Warning(format!(
                    "partition {} does not hold offset {} any more or yet: reading from {}",
                    moved.partition, moved.from, moved.to
                )));
            }
            match polled {
                Ok(fetched) => match self.hand_over(&fetched) {
                    Ok(()) => self.went_well(consumer),
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return Ok(ConsumeEnd::NoReader);
                    }
                    Err(error) => return Err(ConsumeError::Sink(error)),
                },
                Err(KafkaError::Stopped(Stop::Interrupted)) => return Ok(ConsumeEnd::Interrupted),
                Err(error) if !error.is_retriable() => return Ok(ConsumeEnd::Lost(error)),
                Err(error) => {
                    if let Some(end) = self.bear(error) {
                        return Ok(end);
                    }
                    continue;
                }
            }
            if self.left() > 0 && self.limit.check(String::new).is_err() {
                let interrupted = self.limit.interrupt().is_raised();
                return Ok(if interrupted {
                    ConsumeEnd::Interrupted
                } else {
                    ConsumeEnd::Deadline
                });
            }
        }
    }

    /// How many records are still wanted.
    fn left(&self) -> u64 {
        self.what
            .messages
            .map_or(u64::MAX, |asked| asked - self.read)
    }

    /// Passes records on, no more than are wanted.
    fn hand_over(&mut self, fetched: &Fetched) -> io::Result<()> {
        let wanted = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let mut reached: Vec<(i32, i64)> = Vec::new();
        let mut count = 0;
        for record in fetched.records().take(wanted) {
            self.sink.record(record)?;
            count += 1;
            match reached.last_mut() {
                Some((partition, next)) if *partition == record.partition => {
                    *next = record.offset + 1;
                }
                _ => reached.push((record.partition, record.offset + 1)),
            }
        }
        self.sink.flush()?;
        self.read += count;
        self.handed.extend(reached);
        Ok(())
    }

    /// The broker answered: patience begins anew, unless a number of records is due in a fixed time.
    fn went_well(&mut self, consumer: &mut Consumer) {
        if self.what.messages.is_none() || self.what.follow {
            self.limit = Limit::new(self.what.timeout, self.limit.interrupt());
        }
        if self.uneasy {
            self.observer
                .on(Event::Note("the broker is back".to_owned()));
            self.uneasy = false;
        }
        if Instant::now() >= self.next_commit {
            self.next_commit = Instant::now() + COMMIT;
            let limit = self.limit.clone();
            if let Err(error) = self.commit(consumer, &limit) {
                self.observer.on(Event::Warning(error.to_string()));
            }
        }
    }

    /// A failure that time may heal: tells of the first, and waits. How it ends if there is no more time.
    fn bear(&mut self, error: KafkaError) -> Option<ConsumeEnd> {
        // time was up while a broker with nothing new held a fetch, as it should
        if matches!(error, KafkaError::Silent { waited, .. } if waited < HELD) {
            return Some(ConsumeEnd::Deadline);
        }
        if !self.uneasy {
            self.observer
                .on(Event::Warning(format!("{error}; trying again")));
            self.uneasy = true;
        }
        match self
            .limit
            .check(String::new)
            .and_then(|()| self.limit.pause(LOOK))
        {
            Ok(()) => None,
            Err(Stop::Interrupted) => Some(ConsumeEnd::Interrupted),
            Err(Stop::Deadline { .. }) => Some(ConsumeEnd::Lost(error)),
        }
    }

    fn commit(&mut self, consumer: &mut Consumer, limit: &Limit) -> Result<(), KafkaError> {
        let Some(group) = &self.what.group else {
            return Ok(());
        };
        if self.handed == self.committed {
            return Ok(());
        }
        consumer.commit(group, self.handed.clone(), limit)?;
        self.committed.clone_from(&self.handed);
        Ok(())
    }

    /// The last thing done, after an interruption too.
    fn commit_last(&mut self, consumer: &mut Consumer) -> Result<(), KafkaError> {
        let limit = Limit::new(LAST_COMMIT, &Interrupt::default());
        loop {
            match self.commit(consumer, &limit) {
                Err(error) if error.is_retriable() && !limit.remaining().is_zero() => {
                    limit.pause(LOOK)?;
                }
                settled => return settled,
            }
        }
    }
}
