//! Reading a topic on and on, from where it was asked to. Knows nothing of what the records are for.

use super::admin::Admin;
use super::client::{Abilities, Client, Feature, Speaker, Why};
use super::error::{Codec, KafkaError};
use super::fetched::Fetched;
use super::metadata::TopicInfo;
use super::offsets::At;
use super::position::Position;
use super::sharing::{Change, Sharing, Step};
use super::start::{Moved, Start, chosen, ends, positions};
use super::{v0, wire};
use crate::core::wait::Limit;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a topic that is read on and on is looked at for more partitions.
const LOOK: Duration = Duration::from_secs(3);

/// The pause before an offset is asked for again that the partition should hold.
const PAUSE: Duration = Duration::from_millis(50);

/// What to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which partition; all of them if none is named.
    pub partition: Option<i32>,
    /// Where to begin, unless the group has been further.
    pub start: Start,
    /// The group whose committed offsets come first. Where no partition is named its members share them.
    pub group: Option<String>,
    /// Whether to end where the topic ends now.
    pub to_end: bool,
    /// Whether to leave out what a transaction wrote that was aborted, or has not ended yet.
    pub committed_only: bool,
    /// Which client reads.
    pub client: Client,
    /// What is wanted that the crate cannot do.
    pub needs: Vec<Feature>,
}

/// Reads the partitions of one topic, all in turn.
#[derive(Debug)]
pub struct Consumer {
    admin: Admin,
    backend: Backend,
    speaker: Speaker,
    topic: String,
    reading: Reading,
    /// Where the partitions are shared with the other members of a group.
    sharing: Option<Sharing>,
    moved: Vec<Moved>,
    added: Vec<i32>,
    /// Kafka's id of the topic.
    id: Option<u128>,
    was_remade: bool,
    /// When to look next how many partitions there are.
    next_look: Instant,
}

#[derive(Debug)]
enum Backend {
    V0(v0::Reader),
    Wire(wire::Reader),
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
        reading: &Reading,
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
        let speaker = reading.client.choose(&needs, cluster)?;
        let mut moved = Vec::new();
        let positions = if shared.is_some() {
            Vec::new()
        } else {
            let partitions = chosen(topic, info, reading.partition)?;
            positions(&mut admin, topic, &partitions, reading, &mut moved, limit)?
        };
        let bootstrap = admin.bootstrap();
        let join = |group: &String| Sharing::open(bootstrap, group, topic, limit);
        let sharing = shared.map(join).transpose()?;
        let backend = match speaker {
            Speaker::Crate => Backend::V0(v0::Reader::open(bootstrap, topic, &positions, limit)?),
            Speaker::Wire(_) => {
                Backend::Wire(wire_reader(bootstrap, topic, &positions, reading, limit)?)
            }
        };
        Ok(Self {
            admin,
            backend,
            speaker,
            topic: topic.to_owned(),
            reading: reading.clone(),
            sharing,
            moved,
            added: Vec::new(),
            id: info.id,
            was_remade: false,
            next_look: Instant::now() + LOOK,
        })
    }

    /// Which client reads, and why.
    pub fn speaker(&self) -> Speaker {
        self.speaker
    }

    /// Whether some of the partitions cannot be read at the moment, while others may.
    pub fn is_troubled(&self) -> bool {
        match &self.backend {
            // it returns an error then
            Backend::V0(_) => false,
            Backend::Wire(reader) => reader.is_troubled(),
        }
    }

    /// Whether everything asked for has been delivered.
    pub fn is_done(&self) -> bool {
        let is_settled = match &self.sharing {
            // who has no partitions for the moment may get some
            Some(sharing) => sharing.is_settled() && self.reading.to_end,
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

    /// Whether the topic was deleted and made anew, and is read from its beginning, since this was last asked.
    pub fn was_remade(&mut self) -> bool {
        std::mem::take(&mut self.was_remade)
    }

    /// What has changed among the partitions of a member of a group, since this was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        self.sharing
            .as_mut()
            .map_or_else(Vec::new, Sharing::changes)
    }

    /// Whether the other members of the group wait for its partitions: what has not been passed on by now is theirs. The
    /// next poll tells, in [`Consumer::changes`].
    pub fn is_called(&mut self) -> bool {
        self.sharing.as_mut().is_some_and(Sharing::is_called)
    }

    /// Lets the other members of the group take over at once. Nothing is read or committed from then on.
    ///
    /// # Errors
    /// When the broker does not answer: the others then take over when the session has timed out.
    pub fn leave(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        match &mut self.sharing {
            Some(sharing) => sharing.leave(limit),
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
        if let Some(sharing) = &mut self.sharing {
            match sharing.poll(limit)? {
                Step::Read => {}
                Step::Begin(partitions) => self.begin(&partitions, limit)?,
                Step::Wait => return Ok(wire::Fetched::default().into()),
            }
        }
        if Instant::now() >= self.next_look {
            self.look_around(limit)?;
        }
        let polled = match &mut self.backend {
            Backend::V0(reader) => reader.poll(wanted, limit).map(Fetched::from),
            Backend::Wire(reader) => reader.poll(wanted, limit).map(Fetched::from),
        };
        match polled {
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
                self.settle(limit)?;
                Ok(fetched)
            }
        }
    }

    /// Notes on the broker that `group` has dealt with everything before `offsets`.
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
        match &mut self.sharing {
            Some(sharing) => sharing.commit(cluster, &offsets, limit),
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
        self.backend = Backend::Wire(reader);
        self.moved.extend(moved);
        if let Some(sharing) = &mut self.sharing {
            sharing.begun(&positions, of);
        }
        Ok(())
    }

    /// The crate met data that it cannot read: our own client reads on from there.
    fn change_over(&mut self, codec: Codec, limit: &Limit) -> Result<(), KafkaError> {
        let positions = self.positions();
        let reader = wire_reader(
            self.admin.bootstrap(),
            &self.topic,
            &positions,
            &self.reading,
            limit,
        )?;
        self.backend = Backend::Wire(reader);
        self.speaker = Speaker::Wire(Why::Needs(match codec {
            Codec::Lz4 => Feature::Lz4,
            Codec::Zstd => Feature::Zstd,
        }));
        Ok(())
    }

    /// Where an offset is gone, goes on with the first that is there.
    fn settle(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let lost = match &mut self.backend {
            Backend::V0(reader) => reader.out_of_range(),
            Backend::Wire(reader) => reader.out_of_range(),
        };
        if lost.is_empty() {
            return Ok(());
        }
        self.look_around(limit)?;
        if self.was_remade {
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
            match &mut self.backend {
                Backend::V0(reader) => reader.seek(id, first),
                Backend::Wire(reader) => reader.seek(id, first),
            }
            self.moved.push(Moved {
                partition: id,
                from,
                to: first,
            });
        }
        Ok(())
    }

    /// Whoever reads on and on also reads the partitions that are added, and a topic that was made anew. Without an
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
            // where it was to end is no more
            let topic = self.topic.clone();
            return Err(KafkaError::UnknownTopic { topic });
        }
        if is_another && !info.is_ready() || self.reading.to_end {
            return Ok(());
        }
        let mut here: Vec<i32> = self.positions().iter().map(|at| at.partition).collect();
        if is_another {
            self.id = info.id;
            self.was_remade = true;
            for partition in here.drain(..) {
                self.remove(partition);
            }
        }
        let all = info.partitions.iter().map(|partition| partition.id);
        let chosen = all.filter(|&id| match (&self.sharing, self.reading.partition) {
            (Some(sharing), _) => sharing.has(id),
            (None, one) => one.is_none_or(|one| one == id),
        });
        let new: Vec<i32> = chosen.filter(|id| !here.contains(id)).collect();
        for &partition in &new {
            self.add(partition);
        }
        if !is_another {
            self.added.extend(new);
        }
        Ok(())
    }

    fn add(&mut self, partition: i32) {
        let at = Position {
            partition,
            next: 0,
            end: None,
        };
        match &mut self.backend {
            Backend::V0(reader) => reader.add(at),
            Backend::Wire(reader) => reader.add(at),
        }
    }

    fn remove(&mut self, partition: i32) {
        match &mut self.backend {
            Backend::V0(reader) => reader.remove(partition),
            Backend::Wire(reader) => reader.remove(partition),
        }
    }

    fn positions(&self) -> Vec<Position> {
        match &self.backend {
            Backend::V0(reader) => reader.positions(),
            Backend::Wire(reader) => reader.positions(),
        }
    }
}

fn wire_reader(
    bootstrap: &[crate::core::endpoint::Endpoint],
    topic: &str,
    positions: &[Position],
    reading: &Reading,
    limit: &Limit,
) -> Result<wire::Reader, KafkaError> {
    let reader = wire::Reader::open(bootstrap, topic, positions, limit)?;
    Ok(reader.committed_only(reading.committed_only))
}
