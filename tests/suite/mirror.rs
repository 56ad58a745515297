//! A MirrorMaker between two fake brokers: it copies records, and writes down about itself what kmk reads.

use kafka_mirror_kit::core::mirrormaker::{properties, state};
use kmk_kafka::message::{Record, to_millis};
use kmk_kafka::testing::FakeBroker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// What kmk gives the MirrorMaker of the default lab.
const PROPERTIES: &str = include_str!("../../mm2/dr.properties");

/// What Connect says of a part that does its work.
const RUNNING: &str = r#"{"state":"RUNNING","trace":null}"#;

/// What it says of a task that has ended on a record that the target refuses.
const TOO_LARGE: &str = r#"{"state":"FAILED","trace":"org.apache.kafka.connect.errors.ConnectException: x\nCaused by: org.apache.kafka.common.errors.RecordTooLargeException: x"}"#;

/// How often it looks for new records.
const LOOK: Duration = Duration::from_millis(2);

/// So many records it writes at once.
const AT_ONCE: usize = 1000;

/// A cluster, by the name that the lab has for it.
pub(crate) type Named = (&'static str, Arc<FakeBroker>);

/// One flow; it stops when it is dropped.
pub(crate) struct Mirror {
    stop: Arc<AtomicBool>,
    work: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Mirror {
    /// Begins to copy; whatever already exists before it returns.
    pub(crate) fn start(source: Named, target: Named) -> Self {
        Self::start_as(source, target, Habits::default())
    }

    /// The same, with habits of its own.
    pub(crate) fn start_as(source: Named, target: Named, habits: Habits) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut flow = Flow {
            source,
            target,
            copied: BTreeMap::new(),
            syncs: BTreeMap::new(),
            placed: BTreeMap::new(),
            refused: BTreeSet::new(),
            habits,
        };
        flow.begin();
        if habits.resumes {
            flow.resume();
        }
        flow.carry();
        let told = Arc::clone(&stop);
        let work = Arc::new(Mutex::new(()));
        let held = Arc::clone(&work);
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                {
                    let _work = held.lock();
                    flow.carry();
                }
                thread::sleep(LOOK);
            }
        });
        Self {
            stop,
            work,
            thread: Some(thread),
        }
    }

    /// It copies nothing while this is held.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.work.lock().unwrap()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the mirror panicked");
    }
}

/// What it does otherwise than a MirrorMaker of the default lab.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Mirrored topics are called as on the source.
    pub(crate) keeps_names: bool,
    /// Of topics with this in their names, the record at an offset of partition 0 that it leaves out.
    pub(crate) loses: Option<(&'static str, i64)>,
    /// A topic of which it copies nothing.
    pub(crate) omits: Option<&'static str>,
    /// Likewise, one that it copies twice.
    pub(crate) repeats: Option<(&'static str, i64)>,
    /// It goes on behind the positions that it finds, and does not begin with the first record.
    pub(crate) resumes: bool,
    /// The topics that it was told to mirror, where that is not all.
    pub(crate) topics: Option<&'static str>,
}

impl Habits {
    fn is(which: Option<(&str, i64)>, topic: &str, record: &Record) -> bool {
        which.is_some_and(|(part, offset)| {
            topic.contains(part) && (record.partition, record.offset) == (0, offset)
        })
    }
}

struct Flow {
    source: Named,
    target: Named,
    /// Up to where each partition is copied.
    copied: BTreeMap<(String, i32), i64>,
    /// Records and their copies, by their offsets.
    syncs: BTreeMap<(String, i32), Vec<(i64, i64)>>,
    /// Where groups stood when that was last translated.
    placed: BTreeMap<(String, (String, i32)), i64>,
    /// Partitions with a record that the target refuses.
    refused: BTreeSet<(String, i32)>,
    habits: Habits,
}

impl Flow {
    /// Notes that its connector and one task run.
    fn begin(&mut self) {
        let (source, target) = (self.source.0, self.target.0);
        for what in ["offsets", "status", "configs"] {
            let compacted = [("cleanup.policy", "compact")];
            self.target.1.topic(&internal(what, source), 1, &compacted);
        }
        let syncs = internal("offset-syncs", target);
        self.source
            .1
            .topic(&syncs, 1, &[("cleanup.policy", "compact")]);
        for topic in ["heartbeats", &format!("{source}.checkpoints.internal")] {
            let compacted = [("cleanup.policy", "compact")];
            self.target.1.topic(topic, 1, &compacted);
        }
        for connector in ["Source", "Checkpoint", "Heartbeat"] {
            let key = format!("status-connector-Mirror{connector}Connector");
            self.note("status", &key, RUNNING);
            let key = format!("status-task-Mirror{connector}Connector-0");
            self.note("status", &key, RUNNING);
        }
        self.assign();
        let now = to_millis(SystemTime::now());
        let beat = binary(
            [text(source), text(target)].concat(),
            [[0; 2].as_slice(), &now.to_be_bytes()].concat(),
        );
        self.target.1.write("heartbeats", 0, &[beat]);
    }

    fn resume(&mut self) {
        let notes = self
            .target
            .1
            .records(&internal("offsets", self.source.0), 0);
        let positions = state::positions(&notes, self.source.0).into_iter();
        self.copied = positions
            .map(|(place, position)| (place, position.offset + 1))
            .collect();
    }

    fn note(&self, what: &str, key: &str, value: &str) {
        let topic = internal(what, self.source.0);
        self.target.1.append(&topic, 0, &[(Some(key), Some(value))]);
    }

    /// Copies what has come, and says where groups are to go on.
    fn carry(&mut self) {
        for (topic, partitions) in self.topics() {
            let remote = self.remote(&topic);
            if self.target.1.topic(&remote, partitions, &[]) {
                self.assign();
            }
            for partition in 0..i32::try_from(partitions).unwrap() {
                self.copy(&topic, partition, &remote);
            }
        }
        for (group, places) in self.source.1.groups() {
            for ((topic, partition), upstream) in places {
                self.place(&group, &topic, partition, upstream);
            }
        }
    }

    fn remote(&self, topic: &str) -> String {
        if self.habits.keeps_names {
            return topic.to_owned();
        }
        format!("{}.{topic}", self.source.0)
    }

    /// What it copies, with how many partitions each has.
    fn topics(&self) -> Vec<(String, usize)> {
        let back = format!("{}.", self.target.0);
        let is_taken = |(name, _): &(String, usize)| {
            let is_its_own = name == "heartbeats" || name.ends_with(".internal");
            !is_its_own && !name.starts_with("__") && !name.starts_with(&back)
        };
        self.source
            .1
            .topics()
            .into_iter()
            .filter(is_taken)
            .collect()
    }

    /// Tells its task what to copy.
    fn assign(&self) {
        let places = self.topics().into_iter();
        let places =
            places.flat_map(|(name, count)| (0..count).map(move |id| format!("{name}-{id}")));
        let places: Vec<String> = places.collect();
        // both directions are alike
        let prefix = "primary->secondary.";
        let entries = properties::read(PROPERTIES).into_iter();
        let mut settings: BTreeMap<String, String> = entries
            .filter_map(|entry| Some((entry.key.strip_prefix(prefix)?.to_owned(), entry.value)))
            .collect();
        let listed = self.habits.topics.map(str::to_owned);
        settings.extend(listed.map(|topics| ("topics".to_owned(), topics)));
        let connector = serde_json::json!({ "properties": settings });
        settings.insert("task.assigned.partitions".to_owned(), places.join(","));
        let task = serde_json::json!({ "properties": settings });
        self.note(
            "configs",
            "connector-MirrorSourceConnector",
            &connector.to_string(),
        );
        self.note("configs", "task-MirrorSourceConnector-0", &task.to_string());
        self.note("configs", "commit-MirrorSourceConnector", r#"{"tasks":1}"#);
        self.note("status", "status-task-MirrorSourceConnector-0", RUNNING);
    }

    fn copy(&mut self, topic: &str, partition: i32, remote: &str) {
        let place = (topic.to_owned(), partition);
        let copied = self.copied.get(&place).copied().unwrap_or(0);
        if self.source.1.end(topic, partition) <= copied || self.habits.omits == Some(topic) {
            return;
        }
        let mut records = self.source.1.records(topic, partition);
        records.retain(|record| record.offset >= copied);
        let Some(last) = records.last().map(|last| last.offset) else {
            return;
        };
        let size = |record: &Record| record.value.as_ref().map_or(0, Vec::len);
        let largest = records.iter().map(size).max().unwrap_or(0);
        if !self.target.1.takes(remote, largest) {
            if self.refused.insert(place) {
                self.note("status", "status-task-MirrorSourceConnector-0", TOO_LARGE);
            }
            return;
        }
        if self.refused.remove(&place) {
            self.note("status", "status-task-MirrorSourceConnector-0", RUNNING);
        }
        self.copied.insert(place, last + 1);
        let habits = self.habits;
        records.retain(|record| !Habits::is(habits.loses, topic, record));
        let twice = |record: &Record| 1 + usize::from(Habits::is(habits.repeats, topic, record));
        let records: Vec<Record> = (records.iter())
            .flat_map(|record| vec![record.clone(); twice(record)])
            .collect();
        if records.is_empty() {
            return;
        }
        let (upstream, downstream) = (records[0].offset, self.target.1.end(remote, partition));
        for some in records.chunks(AT_ONCE) {
            self.target.1.write(remote, partition, some);
        }
        let place = format!(
            r#"{{"cluster":"{}","partition":{partition},"topic":"{topic}"}}"#,
            self.source.0
        );
        let key = format!(r#"["MirrorSourceConnector",{place}]"#);
        self.note("offsets", &key, &format!(r#"{{"offset":{last}}}"#));
        let key = [text(topic), partition.to_be_bytes().to_vec()].concat();
        let ends = [
            (upstream, downstream),
            (last, self.target.1.end(remote, partition) - 1),
        ];
        let syncs = ends
            .map(|(up, down)| binary(key.clone(), [up.to_be_bytes(), down.to_be_bytes()].concat()));
        let into = internal("offset-syncs", self.target.0);
        self.source.1.write(&into, 0, &syncs);
        let pairs = self.syncs.entry((topic.to_owned(), partition)).or_default();
        pairs.extend(ends);
    }

    /// Where a group is to go on, by the nearest pair of a record and its copy; again only where that has changed.
    fn place(&mut self, group: &str, topic: &str, partition: i32, upstream: i64) {
        let place = (topic.to_owned(), partition);
        let mut pairs = self.syncs.get(&place).into_iter().flatten().rev();
        let Some((up, down)) = pairs.find(|(up, _)| *up <= upstream) else {
            return;
        };
        let downstream = if *up == upstream { *down } else { down + 1 };
        let known = (group.to_owned(), place);
        if self.placed.insert(known, upstream) == Some(upstream) {
            return;
        }
        let remote = self.remote(topic);
        let checkpoint = binary(
            [text(group), text(&remote), partition.to_be_bytes().to_vec()].concat(),
            [
                &[0; 2][..],
                &upstream.to_be_bytes(),
                &downstream.to_be_bytes(),
                &text(""),
            ]
            .concat(),
        );
        let into = format!("{}.checkpoints.internal", self.source.0);
        self.target.1.write(&into, 0, &[checkpoint]);
        self.target.1.commit(group, &remote, partition, downstream);
    }
}

/// A record whose time is the broker's.
fn binary(key: Vec<u8>, value: Vec<u8>) -> Record {
    Record {
        key: Some(key),
        value: Some(value),
        time: None,
        ..Record::sample(0, 0, "")
    }
}

fn internal(what: &str, cluster: &str) -> String {
    format!("mm2-{what}.{cluster}.internal")
}

/// A string as Kafka's `protocol.types` writes it.
fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], text.as_bytes()].concat()
}
