//! Reading a topic on and on, from where it was asked to.

mod fetched;
mod group_session;
pub(crate) mod member;
mod options;
mod position;
mod reader;
mod start;
pub(crate) mod wire;

pub use fetched::Fetched;
pub use group_session::GroupEvent;
pub use options::ConsumerOptions;
pub(crate) use position::Position;
pub use start::{Moved, Start, StartOffset};

use crate::admin::Admin;
use crate::client::{Abilities, Backend, Client, Feature, Reason};
use crate::cluster::metadata::TopicInfo;
use crate::cluster::offsets::At;
use crate::crate_v0;
use crate::error::{Codec, KafkaError};
use crate::wait::Limit;
use group_session::{GroupSession, SessionStep};
use reader::Reader;
use start::{chosen, ends, positions};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a topic that is read with `--follow` is asked for new partitions.
const LOOK: Duration = Duration::from_secs(3);

/// The pause before an offset is asked for again that the partition should hold.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads one topic: each [`poll`](Consumer::poll) returns what the brokers have sent by then.
#[derive(Debug)]
pub struct Consumer {
    admin: Admin,
    reader: Reader,
    backend: Backend,
    topic: String,
    reading: ConsumerOptions,
    /// Where the partitions are shared with the other members of a group.
    session: Option<GroupSession>,
    moved: Vec<Moved>,
    added: Vec<i32>,
    /// Kafka's id of the topic.
    id: Option<u128>,
    was_recreated: bool,
    /// When to look next how many partitions there are.
    next_look: Instant,
    /// What was wrong when records had arrived that came first.
    trouble: Option<KafkaError>,
}

impl Consumer {
    /// Prepares to read `topic`, of which `info` is known.
    ///
    /// # Errors
    /// [`KafkaError::UnknownPartition`], [`KafkaError::NoLeader`], [`KafkaError::CannotDo`], or when a broker does not
    /// answer, or refuses.
    pub fn open(
        mut admin: Admin,
        topic: &str,
        info: &TopicInfo,
        reading: &ConsumerOptions,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let cluster = Abilities {
            version_0: admin.speaks_version_0(),
            // of no matter to a reader
            keeps_time: false,
        };
        let shared = reading
            .group
            .as_ref()
            .filter(|_| reading.partition.is_none());
        let mut needs = reading.needs.clone();
        needs.extend(shared.map(|_| Feature::Groups));
        let backend = reading.client.choose(&needs, reading.is_small, cluster)?;
        let mut moved = Vec::new();
        let positions = if shared.is_some() {
            Vec::new()
        } else {
            let partitions = chosen(topic, info, reading.partition)?;
            positions(&mut admin, topic, &partitions, reading, &mut moved, limit)?
        };
        let bootstrap = admin.bootstrap();
        let join = |group: &String| GroupSession::open(bootstrap, group, topic, limit);
        let session = shared.map(join).transpose()?;
        let reader = match backend {
            Backend::Crate => {
                Reader::V0(crate_v0::Reader::open(bootstrap, topic, &positions, limit)?)
            }
            Backend::Wire(_) => {
                Reader::Wire(wire_reader(bootstrap, topic, &positions, reading, limit)?)
            }
        };
        Ok(Self {
            admin,
            reader,
            backend,
            topic: topic.to_owned(),
            reading: reading.clone(),
            session,
            moved,
            added: Vec::new(),
            id: info.id,
            was_recreated: false,
            next_look: Instant::now() + LOOK,
            trouble: None,
        })
    }

    /// Ends before this offset in every partition that is there now, and is read to an end.
    pub fn end_before(&mut self, offset: i64) {
        for position in self.positions() {
            self.reader.shorten(position.partition, offset);
        }
    }

    /// Which client reads, and why.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether some of the partitions cannot be read at the moment, while others may.
    pub fn is_troubled(&self) -> bool {
        // the other returns an error then
        matches!(&self.reader, Reader::Wire(reader) if reader.is_troubled())
    }

    /// Whether everything asked for has been delivered.
    pub fn is_done(&self) -> bool {
        let is_settled = match &self.session {
            // who has no partitions for the moment may get some
            Some(session) => session.is_settled() && self.reading.to_end,
            None => true,
        };
        is_settled && self.positions().iter().all(Position::is_done)
    }

    /// The partitions that had to be read from elsewhere since this was last asked.
    pub fn moved(&mut self) -> Vec<Moved> {
        std::mem::take(&mut self.moved)
    }

    /// The partitions that were added to the topic and are read too, since this was last asked.
    pub fn added(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.added)
    }

    /// Whether the topic was deleted and created again, and is read from its beginning, since this was last asked.
    pub fn was_recreated(&mut self) -> bool {
        std::mem::take(&mut self.was_recreated)
    }

    /// What has changed among the partitions of a member of a group, since this was last asked.
    pub fn events(&mut self) -> Vec<GroupEvent> {
        self.session
            .as_mut()
            .map_or_else(Vec::new, GroupSession::events)
    }

    /// Whether the other members of the group wait for its partitions: what has not been passed on by now is theirs. The
    /// next poll tells, in [`Consumer::events`].
    pub fn is_rebalancing(&mut self) -> bool {
        self.session
            .as_mut()
            .is_some_and(GroupSession::is_rebalancing)
    }

    /// Lets the other members of the group take over at once. Nothing is read or committed from then on.
    ///
    /// # Errors
    /// When the broker does not answer: the others then take over when the session has timed out.
    pub fn leave(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        match &mut self.session {
            Some(session) => session.leave(limit),
            None => Ok(()),
        }
    }

    /// The next records; none when there are none yet. While they are worked on, more are fetched, unless these are as
    /// many as `wanted`.
    ///
    /// # Errors
    /// [`KafkaError`]; after one that [is retriable](KafkaError::is_retriable) it can be called again and reads on
    /// where it was.
    pub fn poll(&mut self, wanted: u64, limit: &Limit) -> Result<Fetched, KafkaError> {
        if let Some(session) = &mut self.session {
            match session.poll(limit)? {
                SessionStep::Read => {}
                SessionStep::Begin(partitions) => self.begin(&partitions, limit)?,
                SessionStep::Wait => return Ok(wire::Fetched::default().into()),
            }
        }
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        if Instant::now() >= self.next_look {
            self.look_around(limit)?;
        }
        match self.reader.poll(wanted, limit) {
            Err(KafkaError::Codec { codec, .. }) if self.reading.client == Client::Auto => {
                self.change_over(codec, limit)?;
                self.poll(wanted, limit)
            }
            Err(error) => {
                // the topic may be another one by now
                self.next_look = Instant::now();
                Err(error)
            }
            Ok(fetched) => {
                // what has arrived is delivered first; the next poll tells what is wrong
                self.trouble = self.settle(limit).err();
                Ok(fetched)
            }
        }
    }

    /// Commits offsets for `group`, by partition: what is before them has been processed.
    ///
    /// # Errors
    /// When the broker does not answer, or refuses: a group with running members elsewhere.
    pub fn commit(
        &mut self,
        group: &str,
        offsets: &BTreeMap<i32, i64>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let place = |(&partition, &offset)| ((self.topic.clone(), partition), offset);
        let offsets = offsets.iter().map(place).collect();
        let cluster = &mut self.admin.cluster;
        match &mut self.session {
            Some(session) => session.commit(cluster, &offsets, limit),
            None => cluster.commit(group, &offsets, None, limit),
        }
    }

    /// Begins to read what the group has given.
    fn begin(&mut self, partitions: &[i32], limit: &Limit) -> Result<(), KafkaError> {
        let (admin, topic, mut moved) = (&mut self.admin, &self.topic, Vec::new());
        // asked first: a partition may be new
        let of = admin.partitions(topic, limit)?;
        let positions = positions(admin, topic, partitions, &self.reading, &mut moved, limit)?;
        let reader = wire_reader(admin.bootstrap(), topic, &positions, &self.reading, limit)?;
        self.reader = Reader::Wire(reader);
        self.moved.extend(moved);
        if let Some(session) = &mut self.session {
            session.begun(&positions, of);
        }
        Ok(())
    }

    /// The crate met data that it cannot read: the wire client reads on from there.
    fn change_over(&mut self, codec: Codec, limit: &Limit) -> Result<(), KafkaError> {
        let positions = self.positions();
        let reader = wire_reader(
            self.admin.bootstrap(),
            &self.topic,
            &positions,
            &self.reading,
            limit,
        )?;
        self.reader = Reader::Wire(reader);
        self.backend = Backend::Wire(Reason::Needs(match codec {
            Codec::Lz4 => Feature::Lz4,
            Codec::Zstd => Feature::Zstd,
        }));
        Ok(())
    }

    /// Where an offset is gone, goes on with the first that is there.
    fn settle(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let lost = self.reader.out_of_range();
        if lost.is_empty() {
            return Ok(());
        }
        self.look_around(limit)?;
        if self.was_recreated {
            return Ok(());
        }
        let first = ends(&mut self.admin, &self.topic, At::Earliest, limit)?;
        let end = ends(&mut self.admin, &self.topic, At::Latest, limit)?;
        for position in self.positions() {
            let (id, from) = (position.partition, position.next);
            let (Some(&first), Some(&end)) = (first.get(&id), end.get(&id)) else {
                continue;
            };
            if !lost.contains(&id) {
                continue;
            }
            if (first..=end).contains(&from) {
                // its leader sees it otherwise for the moment
                limit.pause(PAUSE)?;
                continue;
            }
            // above the end where another leader has lost what this one had
            let to = from.clamp(first, end);
            self.reader.seek(id, to);
            self.moved.push(Moved {
                partition: id,
                from,
                to,
            });
        }
        self.shorten(&end);
        Ok(())
    }

    /// A partition that has become shorter is read to where it ends now.
    fn shorten(&mut self, ends: &BTreeMap<i32, i64>) {
        for (&partition, &end) in ends {
            self.reader.shorten(partition, end);
        }
    }

    /// Whoever reads on and on also reads the partitions that are added, and a topic that was created again. Without an
    /// answer it is looked at later.
    fn look_around(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        self.next_look = Instant::now() + LOOK;
        let topic = [self.topic.clone()];
        let metadata = self
            .admin
            .cluster
            .metadata(Some(&topic), &limit.at_most(LOOK));
        let Some(info) = metadata
            .ok()
            .and_then(|mut found| found.topics.remove(&self.topic))
        else {
            return Ok(());
        };
        let is_another = matches!((info.id, self.id), (Some(now), Some(then)) if now != then);
        if is_another && self.reading.to_end {
            // the offset where it was to end is gone
            let topic = self.topic.clone();
            return Err(KafkaError::UnknownTopic { topic });
        }
        if self.reading.to_end {
            // another leader may have lost the last records
            let end = ends(
                &mut self.admin,
                &self.topic,
                At::Latest,
                &limit.at_most(LOOK),
            );
            self.shorten(&end.unwrap_or_default());
            return Ok(());
        }
        if is_another && !info.is_ready() {
            return Ok(());
        }
        let mut here: Vec<i32> = self.positions().iter().map(|at| at.partition).collect();
        if is_another {
            self.id = info.id;
            self.was_recreated = true;
            for partition in here.drain(..) {
                self.reader.remove(partition);
            }
        }
        let all = info.partitions.iter().map(|partition| partition.id);
        let chosen = all.filter(|&id| match (&self.session, self.reading.partition) {
            (Some(session), _) => session.has(id),
            (None, one) => one.is_none_or(|one| one == id),
        });
        let new: Vec<i32> = chosen.filter(|id| !here.contains(id)).collect();
        for &partition in &new {
            self.reader.add(partition);
        }
        if !is_another {
            self.added.extend(new);
        }
        Ok(())
    }

    fn positions(&self) -> Vec<Position> {
        self.reader.positions()
    }
}

fn wire_reader(
    bootstrap: &[crate::endpoint::Endpoint],
    topic: &str,
    positions: &[Position],
    reading: &ConsumerOptions,
    limit: &Limit,
) -> Result<wire::Reader, KafkaError> {
    let reader = wire::Reader::open(bootstrap, topic, positions, limit)?;
    Ok(reader.committed_only(reading.committed_only))
}
