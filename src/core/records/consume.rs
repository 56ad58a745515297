//! Reading records from topics, as far as asked, and committing offsets for a group.

mod output;
mod run;

use crate::core::event::{Event, Observer};
use crate::core::nearest::by_nearness;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::message::RecordRef;
use kmk_kafka::wait::{Interrupt, Limit, Stop, seconds};
use kmk_kafka::{
    Admin, Client, Consumer, ConsumerOptions, Feature, KafkaError, SMALL_RUN, Start, TopicInfo,
};
use output::Output;
use run::Run;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How often a missing topic, or a broker that went away, is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// How long leaving a group may take.
const LEAVE: Duration = Duration::from_secs(2);

/// What to read.
#[derive(Debug, Clone)]
pub struct Consume {
    /// The topics, at least one, each once. They are never created by reading them.
    pub topics: Vec<String>,
    /// Those of them that are not waited for, if they are not there.
    pub must_be_there: Vec<String>,
    /// Only this partition of each topic; none for all.
    pub partition: Option<i32>,
    /// Where to begin, in partitions without a committed offset of the group, if there is a group.
    pub start: Start,
    /// Where to end, exclusive, unless the topic ends before; of no matter to a group, with `messages`, or following.
    pub until: Option<i64>,
    /// The group to resume and to commit offsets for. Where no partition is named, its members share them.
    pub group: Option<String>,
    /// How many records; none for all there are now (or, following, for ever).
    pub messages: Option<u64>,
    /// Whether to wait for more at the end.
    pub follow: bool,
    /// With `messages`, unless following: how long it may take in all. Otherwise how long a broker may give no answer,
    /// or the topic not be there.
    pub timeout: Duration,
    /// Whether to leave out what a transaction wrote that was given up, or has not ended yet.
    pub committed_only: bool,
    /// Which client reads.
    pub client: Client,
    /// What to print of the records that not every client knows.
    pub needs: Vec<Feature>,
}

/// Where records go.
pub trait Sink {
    /// Takes one record of a topic.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] says that no one reads any more, which is no failure.
    fn record(&mut self, topic: &str, record: RecordRef<'_>) -> io::Result<()>;

    /// Passes on everything taken so far. Offsets are committed only for what was passed on.
    ///
    /// # Errors
    /// As [`Sink::record`].
    fn flush(&mut self) -> io::Result<()>;
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The topic was not there in time.
    #[error("there is no topic `{topic}` after {}", seconds(*.waited))]
    NoTopic {
        /// Its name.
        topic: String,
        /// How long it was waited for, at most.
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
    /// Why the group's offsets could not be committed at the end.
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
    /// The broker refused permanently, or for too long.
    Lost(KafkaError),
}

impl ConsumeEnd {
    /// Of several topics, the highest says how it all ended.
    fn rank(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::NoReader => 1,
            Self::Deadline => 2,
            Self::Lost(_) => 3,
            Self::Interrupted => 4,
        }
    }
}

/// Reads records into `sink`: those of one partition in their order, topics beside each other. Which client reads, and why,
/// is told as [`Event::Started`].
///
/// # Errors
/// [`ConsumeError`] when a topic cannot be read at all, or the sink fails. A broker lost on the way is in the report.
pub fn consume(
    bootstrap: &[Endpoint],
    what: &Consume,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    sink: &mut (dyn Sink + Send),
) -> Result<ConsumeReport, ConsumeError> {
    let start = Instant::now();
    let output = Output::new(sink, what.messages);
    let ends = match what.topics.as_slice() {
        [topic] => {
            let waits = !what.must_be_there.contains(topic);
            vec![read(
                bootstrap,
                (topic, waits),
                what,
                interrupt,
                observer,
                &output,
            )]
        }
        topics => {
            if !what.must_be_there.is_empty() {
                // before anything is read: the caller may look elsewhere, and then once more
                match must_be_there(bootstrap, what, interrupt, observer) {
                    Err(ConsumeError::Kafka(KafkaError::Stopped(Stop::Interrupted))) => {}
                    found => found?,
                }
            }
            read_all(bootstrap, topics, what, interrupt, observer, &output)
        }
    };
    let mut report = ConsumeReport {
        read: output.read(),
        elapsed: start.elapsed(),
        end: ConsumeEnd::Complete,
        not_committed: None,
    };
    for ended in ends {
        let (end, not_committed) = ended?;
        // one that was stopped because of another, or came too late for more, does not say how it all ended
        let is_own = match end {
            ConsumeEnd::Interrupted => interrupt.is_raised(),
            _ => !output.is_full(),
        };
        if is_own && end.rank() > report.end.rank() {
            report.end = end;
        }
        report.not_committed = report.not_committed.or(not_committed);
    }
    Ok(report)
}

/// Each topic on a thread of its own. One that fails, or gets the last record that was wanted, stops the others.
fn read_all(
    bootstrap: &[Endpoint],
    topics: &[String],
    what: &Consume,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    output: &Output,
) -> Vec<Result<Ended, ConsumeError>> {
    let others = &interrupt.below();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for topic in topics {
            threads.push(scope.spawn(move || {
                let observer = |event| observer.on(of_topic(topic, event));
                let ended = read(bootstrap, (topic, true), what, others, &observer, output);
                if output.is_full() || !matches!(ended, Ok((ConsumeEnd::Complete, _))) {
                    others.raise();
                }
                ended
            }));
        }
        let joined = threads.into_iter().map(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}

type Ended = (ConsumeEnd, Option<KafkaError>);

fn must_be_there(
    bootstrap: &[Endpoint],
    what: &Consume,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<(), ConsumeError> {
    let limit = Limit::new(what.timeout, interrupt);
    let mut admin = Admin::connect_patiently(bootstrap, &limit)?;
    for topic in &what.must_be_there {
        wait_for_topic(&mut admin, (topic, false), &limit, observer)?;
    }
    Ok(())
}

/// Reads one topic to its end, and waits for it or not. How that was, and why the last offsets could not be committed.
fn read(
    bootstrap: &[Endpoint],
    (topic, waits): (&str, bool),
    what: &Consume,
    interrupt: &Interrupt,
    observer: &dyn Observer,
    output: &Output,
) -> Result<Ended, ConsumeError> {
    let limit = Limit::new(what.timeout, interrupt);
    match open(bootstrap, (topic, waits), what, &limit, observer) {
        Ok(mut consumer) => {
            let mut run = Run::new(topic, what, limit, observer, output);
            let end = run.until_the_end(&mut consumer);
            let not_committed = run.commit_last(&mut consumer).err();
            // the group's other members take over at once; else when its coordinator notices
            let _ = consumer.leave(&Limit::new(LEAVE, &Interrupt::default()));
            Ok((end?, not_committed))
        }
        Err(ConsumeError::Kafka(KafkaError::Stopped(Stop::Interrupted))) => {
            Ok((ConsumeEnd::Interrupted, None))
        }
        Err(error) => Err(error),
    }
}

/// The same event, with the topic it is about.
fn of_topic(topic: &str, event: Event) -> Event {
    let of = |text: String| format!("{topic}: {text}");
    match event {
        Event::Started(text) => Event::Started(of(text)),
        Event::Progress(text) => Event::Progress(of(text)),
        Event::Note(text) => Event::Note(of(text)),
        Event::Warning(text) => Event::Warning(of(text)),
        other => other,
    }
}

/// Waits for the topic and finds out where to begin. A leader that moves meanwhile is waited for too.
fn open(
    bootstrap: &[Endpoint],
    (topic, waits): (&str, bool),
    what: &Consume,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Consumer, ConsumeError> {
    let mut needs = what.needs.clone();
    if what.committed_only {
        needs.push(Feature::ReadCommitted);
    }
    let reading = ConsumerOptions {
        partition: what.partition,
        start: what.start,
        group: what.group.clone(),
        to_end: what.messages.is_none() && !what.follow,
        committed_only: what.committed_only,
        client: what.client,
        needs,
        is_small: !what.follow && what.messages.is_some_and(|messages| messages <= SMALL_RUN),
    };
    loop {
        let mut admin = Admin::connect_patiently(bootstrap, limit)?;
        let info = wait_for_topic(&mut admin, (topic, waits), limit, observer)?;
        match Consumer::open(admin, topic, &info, &reading, limit) {
            Err(error) if error.is_retriable() && !limit.remaining().is_zero() => {
                limit.pause(LOOK).map_err(KafkaError::from)?;
            }
            settled => {
                let mut consumer = settled?;
                if let Some(until) = what.until {
                    consumer.end_before(until);
                }
                return Ok(consumer);
            }
        }
    }
}

fn wait_for_topic(
    admin: &mut Admin,
    (topic, waits): (&str, bool),
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
        if !waits && matches!(trouble, ConsumeError::NoTopic { .. }) {
            return Err(trouble);
        }
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
