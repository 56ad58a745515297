//! A broker for tests: a cluster of one, in memory, that speaks the protocol as Kafka 4 does.
//!
//! It keeps what is produced, as it was produced, and answers what this client asks: records, offsets, topics, settings
//! and groups. A test puts records in and takes them out again without a client, and can make the next request of a kind
//! go wrong. It has no disk, no replicas, no transactions and no logins, and deletes nothing by itself.
//!
//! ```
//! use kmk_kafka::testing::FakeBroker;
//! use kmk_kafka::wait::{Interrupt, Limit};
//! use kmk_kafka::{Admin, At};
//! use std::time::Duration;
//!
//! let broker = FakeBroker::start();
//! broker.topic("orders", 1, &[]);
//! broker.append("orders", 0, &[(Some("key"), Some("value"))]);
//! let limit = Limit::new(Duration::from_secs(5), &Interrupt::default());
//! let mut admin = Admin::connect(&[broker.endpoint()], &limit).unwrap();
//! let ends = admin.offsets(&["orders".to_owned()], At::Latest, &limit).unwrap();
//! assert_eq!(ends[&("orders".to_owned(), 0)], 1);
//! ```

mod cluster;
mod groups;
mod log;
mod records;
#[cfg(test)]
mod scripted;
mod serve;
#[cfg(test)]
mod tests;
mod topics;

#[cfg(test)]
pub(crate) use scripted::{before, broker, listen};
pub(crate) use serve::{Asked, Reply, Server};

use crate::compression::Compression;
use crate::endpoint::Endpoint;
use crate::message::Record;
use crate::producer::Batch;
use crate::protocol::api::APIS;
use crate::protocol::batch::encode;
use cluster::State;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What becomes of a request instead of the answer that it should get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this error code of the protocol, and nothing is done.
    Code(i16),
    /// It is not answered, and the connection stays open.
    Silence,
    /// It is carried out, and the answer ends in the middle, and with it the connection.
    Truncated,
    /// It is not carried out, and the connection is closed.
    HangUp,
}

/// A broker; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeBroker {
    shared: Arc<Shared>,
    /// None while it is down.
    server: Mutex<Option<Server>>,
    port: u16,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// When records have come.
    changed: Condvar,
    faults: Mutex<VecDeque<(String, Fault)>>,
}

impl FakeBroker {
    /// On a port that is free.
    pub fn start() -> Self {
        Self::start_on(0).expect("some port of 127.0.0.1 is free")
    }

    /// On a port of 127.0.0.1.
    ///
    /// # Errors
    /// Where somebody has that port.
    pub fn start_on(port: u16) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            faults: Mutex::default(),
        });
        let server = Self::serve(&shared, port)?;
        let port = server.port;
        shared.state.lock().unwrap().port = port;
        Ok(Self {
            shared,
            server: Mutex::new(Some(server)),
            port,
        })
    }

    fn serve(shared: &Arc<Shared>, port: u16) -> io::Result<Server> {
        let its_own = Arc::clone(shared);
        Server::start(port, move |asked| its_own.reply(asked))
    }

    /// It is down, as if it were killed: its connections end, and nobody listens. What it holds is kept.
    pub fn go_down(&self) {
        if let Some(mut server) = self.server.lock().unwrap().take() {
            server.stop();
        }
    }

    /// It listens again, with what it held.
    ///
    /// # Panics
    /// Where somebody has its port by now.
    pub fn come_back(&self) {
        let server = Self::serve(&self.shared, self.port).expect("its port is free");
        *self.server.lock().unwrap() = Some(server);
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new("127.0.0.1", self.port)
    }

    /// The next request of this kind goes wrong; after others that were to. By its name in Kafka's documentation, such as
    /// `Produce`.
    pub fn fail(&self, api: &str, fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults.push_back((api.to_owned(), fault));
    }

    /// Its clock is stopped at this time, in milliseconds since the epoch, until it is set again.
    pub fn set_clock(&self, millis: i64) {
        self.state().clock = Some(millis);
    }

    /// What the broker itself is set to, for topics that say nothing of their own: by the names of topics' settings.
    pub fn set_default(&self, name: &str, value: &str) {
        self.state()
            .defaults
            .insert(name.to_owned(), value.to_owned());
    }

    /// Makes a topic, or gives one that is there as many partitions; whether anything was to be done.
    pub fn topic(&self, name: &str, partitions: usize, settings: &[(&str, &str)]) -> bool {
        let settings = settings.iter();
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.state()
            .make_topic(name, partitions, settings.collect())
    }

    /// Its topics, and how many partitions each has.
    pub fn topics(&self) -> Vec<(String, usize)> {
        let state = self.state();
        let topics = state.topics.iter();
        topics
            .map(|(name, topic)| (name.clone(), topic.partitions.len()))
            .collect()
    }

    /// Writes records, each a key and a value, as one batch; their time is the broker's clock.
    ///
    /// # Panics
    /// Where there is no such partition.
    pub fn append(&self, topic: &str, partition: i32, records: &[(Option<&str>, Option<&str>)]) {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let records = records.iter().map(|(key, value)| Record {
            key: bytes(*key),
            value: bytes(*value),
            time: None,
            ..Record::sample(0, 0, "")
        });
        self.write(topic, partition, &records.collect::<Vec<_>>());
    }

    /// Writes records; those without a time of their own get the broker's.
    ///
    /// # Panics
    /// Where there is no such partition, or where they are too large for one batch.
    pub fn write(&self, topic: &str, partition: i32, records: &[Record]) {
        let mut state = self.state();
        let now = state.now();
        // all records of a batch have the same headers
        for same in records.chunk_by(|one, next| one.headers == next.headers) {
            let mut batch = Batch::new(same[0].headers.clone().into());
            for record in same {
                let (key, value) = (record.key.as_deref(), record.value.as_deref());
                batch.push(partition, key, value, record.time.unwrap_or(now));
            }
            let mut bytes = Vec::new();
            for chunk in batch.chunks() {
                encode(chunk, Compression::None, None, &mut bytes).unwrap();
            }
            state.append(topic, partition, &bytes).unwrap();
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Whether a topic takes a batch of so many bytes.
    pub fn takes(&self, topic: &str, bytes: usize) -> bool {
        let most = self.state().setting(topic, "max.message.bytes");
        most.parse().is_ok_and(|most: usize| bytes <= most)
    }

    /// The records of a partition; none where it is not there.
    pub fn records(&self, topic: &str, partition: i32) -> Vec<Record> {
        let mut state = self.state();
        let log = state.log(topic, partition);
        log.map_or_else(|_| Vec::new(), |log| log.records(partition))
    }

    /// The offset that the next record of a partition gets; 0 where it is not there.
    pub fn end(&self, topic: &str, partition: i32) -> i64 {
        self.state().log(topic, partition).map_or(0, |log| log.end)
    }

    /// Notes where a group without members stands.
    pub fn commit(&self, group: &str, topic: &str, partition: i32, offset: i64) {
        let mut state = self.state();
        let group = state.groups.entry(group.to_owned()).or_default();
        group.offsets.insert((topic.to_owned(), partition), offset);
    }

    /// Makes a group of a kind, by Kafka's name for it, such as `share`.
    pub fn group(&self, group: &str, kind: &'static str) {
        let mut state = self.state();
        state.groups.entry(group.to_owned()).or_default().kind = kind;
    }

    /// Where each group stands.
    pub fn groups(&self) -> BTreeMap<String, BTreeMap<(String, i32), i64>> {
        let state = self.state();
        let groups = state.groups.iter();
        groups
            .map(|(name, group)| (name.clone(), group.offsets.clone()))
            .collect()
    }

    /// Lets a consumer be in a group, with these partitions of a topic, that does nothing.
    pub fn member(&self, group: &str, id: &str, topic: &str, partitions: &[i32]) {
        let mut state = self.state();
        let group = state.groups.entry(group.to_owned()).or_default();
        group.add(id, topic, partitions);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        self.go_down();
    }
}

impl Shared {
    fn reply(&self, asked: &Asked) -> Reply {
        match self.fault(asked.api) {
            None => self.answer(asked, 0),
            Some(Fault::Code(code)) => self.answer(asked, code),
            Some(Fault::Silence) => Reply::Nothing,
            Some(Fault::HangUp) => Reply::HangUp,
            Some(Fault::Truncated) => match self.answer(asked, 0) {
                Reply::Body(body) => Reply::Half(body),
                other => other,
            },
        }
    }

    fn fault(&self, api: ApiKey) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let name = format!("{api:?}");
        let at = faults.iter().position(|(of, _)| *of == name)?;
        faults.remove(at).map(|(_, fault)| fault)
    }

    fn answer(&self, asked: &Asked, code: i16) -> Reply {
        use ApiKey as A;
        if asked.api == A::Fetch {
            return asked.with(&self.fetch(&asked.request(), code));
        }
        let mut state = self.state.lock().unwrap();
        state.code = code;
        let state = &mut *state;
        let reply = match asked.api {
            A::ApiVersions => asked.with(&everything()),
            A::Metadata => asked.with(&state.metadata(&asked.request())),
            A::FindCoordinator => asked.with(&state.find_coordinator(&asked.request())),
            A::Produce => asked.with(&state.produce(asked.request())),
            A::ListOffsets => asked.with(&state.list_offsets(asked.request())),
            A::InitProducerId => asked.with(&state.init_producer_id()),
            A::DeleteRecords => asked.with(&state.delete_records(asked.request())),
            A::OffsetCommit => asked.with(&state.offset_commit(asked.request())),
            A::OffsetFetch => asked.with(&state.offset_fetch(asked.request())),
            A::OffsetDelete => asked.with(&state.offset_delete(asked.request())),
            A::JoinGroup => asked.with(&state.join_group(&asked.request())),
            A::SyncGroup => asked.with(&state.sync_group(asked.request())),
            A::Heartbeat => asked.with(&state.heartbeat(&asked.request())),
            A::LeaveGroup => asked.with(&state.leave_group(&asked.request())),
            A::ListGroups => asked.with(&state.list_groups()),
            A::DescribeGroups => asked.with(&state.describe_groups(asked.request())),
            A::DeleteGroups => asked.with(&state.delete_groups(asked.request())),
            A::CreateTopics => asked.with(&state.create_topics(asked.request())),
            A::DeleteTopics => asked.with(&state.delete_topics(asked.request())),
            A::CreatePartitions => asked.with(&state.create_partitions(asked.request())),
            A::DescribeConfigs => asked.with(&state.describe_configs(asked.request())),
            A::IncrementalAlterConfigs => asked.with(&state.alter_configs(asked.request())),
            A::DescribeLogDirs => asked.with(&state.describe_log_dirs()),
            other => panic!("{other:?} is not known to the fake broker"),
        };
        if asked.api == A::Produce {
            self.changed.notify_all();
        }
        reply
    }
}

/// The versions that the client speaks: of records none that Kafka 4 does not.
fn everything() -> ApiVersionsResponse {
    let speaks = APIS
        .iter()
        .filter(|api| api.key != ApiKey::ConsumerGroupDescribe)
        .map(|api| {
            ApiVersion::default()
                .with_api_key(api.key as i16)
                .with_min_version(api.speaks.min)
                .with_max_version(api.speaks.max)
        });
    ApiVersionsResponse::default().with_api_keys(speaks.collect())
}
