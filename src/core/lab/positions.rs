//! MirrorMaker's positions, reset where their topic is gone: whatever comes under the same name is
//! then copied from its first record. Judges no lag.
//!
//! A task reads its position once, when it starts, and goes on behind it. One that is left of a topic that was deleted makes
//! it pass over the first records of the next topic of that name.

mod removed;
mod written;

pub use removed::{never_copied, not_yet_copied};
pub use written::{Beginnings, begin_at};

use super::Lab;
use super::status::COPIES;
use crate::core::docker::{Docker, DockerError};
use crate::core::lab::lock::{self, Lock, LockError};
use crate::core::mirrormaker::state::{self, Position};
use crate::core::observe::{connect_patiently, internal};
use crate::core::topology::{Access, Flow, Topology};
use kmk_kafka::wait::{Interrupt, Limit, Probe, Stop};
use kmk_kafka::{Admin, At, Client, KafkaError, Producer, ProducerOptions, TopicInfo};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long MirrorMaker may take to notice that a topic is gone, and to go on without it: with kmk's settings it looks once a
/// second.
const NOTICE: Duration = Duration::from_secs(8);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How far two looks at what is gone are apart.
const APART: Duration = Duration::from_secs(1);
/// How long a restart of it may take: begun, it is not interrupted.
const RESTART: Duration = Duration::from_secs(60);

/// A topic and a partition of the source, and its position.
type Positions = BTreeMap<(String, i32), Position>;

/// A record of the topic of positions: its partition, its key, and its value.
type Note = (i32, Vec<u8>, Option<Vec<u8>>);

/// Why a position could not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    /// The target does not answer, or does not take it.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// MirrorMaker could not be restarted.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// Nor may it be, while another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It would not read what is written, and write its own over it.
    #[error("MirrorMaker of {0} runs, and reads its positions only when it starts")]
    Runs(String),
}

impl PositionError {
    /// The stop that it was, if it was one.
    pub fn stop(self) -> Option<Stop> {
        match self {
            Self::Kafka(KafkaError::Stopped(stop)) => Some(stop),
            Self::Kafka(_) | Self::Docker(_) | Self::Lock(_) | Self::Runs(_) => None,
        }
    }
}

/// What happened to the positions of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// There was none.
    NoneNoted,
    /// They are taken back.
    Done,
    /// The same, and MirrorMaker was restarted for it.
    Restarted,
}

/// What is stored of a flow on its target.
struct Target<'a> {
    flow: &'a Flow,
    admin: Admin,
    there: BTreeMap<String, TopicInfo>,
}

impl<'a> Target<'a> {
    fn of(topology: &Topology, flow: &'a Flow, limit: &Limit) -> Result<Self, KafkaError> {
        let mut admin = connect_patiently(topology, &flow.spec.target, limit)?;
        let there = admin.topics(limit)?;
        Ok(Self { flow, admin, there })
    }

    fn positions(&mut self, limit: &Limit) -> Result<Positions, KafkaError> {
        let source = &self.flow.spec.source;
        let topic = state::offsets_topic(source);
        let records = internal::read(&mut self.admin, &self.there, &topic, limit)?;
        Ok(state::positions(&records, source))
    }

    fn positions_of(&mut self, topic: &str, limit: &Limit) -> Result<Positions, KafkaError> {
        let mut positions = self.positions(limit)?;
        positions.retain(|(of, _), _| of == topic);
        Ok(positions)
    }

    /// Whether no task copies the topic.
    fn has_let_go(&mut self, topic: &str, limit: &Limit) -> Result<bool, KafkaError> {
        let source = &self.flow.spec.source;
        let mut read = |topic: String| internal::read(&mut self.admin, &self.there, &topic, limit);
        let configs = read(state::configs_topic(source))?;
        let states = read(state::status_topic(source))?;
        Ok(state::has_let_go(&configs, &states, COPIES, topic))
    }

    /// Takes positions back; how many.
    fn forget(self, positions: &Positions, limit: &Limit) -> Result<usize, KafkaError> {
        let records = positions.values();
        let records = records.map(|position| (position.kept_in, position.key.clone(), None));
        self.write(&records.collect::<Vec<_>>(), limit)
    }

    /// Writes records into the topic of positions: the partition, the key and the value of each. How many.
    fn write(self, records: &[Note], limit: &Limit) -> Result<usize, KafkaError> {
        if records.is_empty() {
            return Ok(0);
        }
        let topic = state::offsets_topic(&self.flow.spec.source);
        let writing = ProducerOptions {
            client: Client::Wire,
            ..ProducerOptions::default()
        };
        let mut producer = Producer::open(self.admin, &topic, &writing, limit)?;
        for (partition, key, value) in records {
            producer.send_one(*partition, Some(key), value.as_deref(), limit)?;
        }
        Ok(records.len())
    }
}

/// Takes back the positions of a topic of the flow's source that was deleted a moment ago, once MirrorMaker copies it no
/// more. One that does not notice is restarted.
///
/// # Errors
/// [`PositionError`]; the positions may then still be there.
pub fn after_deletion(
    docker: &Docker,
    lab: &Lab,
    flow: &Flow,
    topic: &str,
    limit: &Limit,
) -> Result<Reset, PositionError> {
    let mut target = Target::of(&lab.topology, flow, limit)?;
    let runs = workers(lab, flow).any(|(_, runs)| runs);
    if runs {
        let let_go = limit.at_most(NOTICE).until(LOOK, || {
            Ok::<_, KafkaError>(if target.has_let_go(topic, limit)? {
                Probe::Ready(())
            } else {
                Probe::NotYet(format!("MirrorMaker still mirrors `{topic}`"))
            })
        });
        match let_go {
            Ok(()) => {}
            Err(KafkaError::Stopped(Stop::Deadline { .. })) => {
                return again(docker, lab, flow, topic, || true);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let positions = target.positions_of(topic, limit)?;
    Ok(match target.forget(&positions, limit)? {
        0 => Reset::NoneNoted,
        _ => Reset::Done,
    })
}

/// Has MirrorMaker copy a topic from its first record again: it is stopped, the `deed` is done, its positions of the topic are
/// taken back where the deed says that it was, and it is started. All flows to the same target pause meanwhile.
///
/// # Errors
/// [`PositionError`]. MirrorMaker is started again whatever comes.
pub fn again(
    docker: &Docker,
    lab: &Lab,
    flow: &Flow,
    topic: &str,
    deed: impl FnOnce() -> bool,
) -> Result<Reset, PositionError> {
    let limit = Limit::new(RESTART, &Interrupt::default());
    let engine = docker.engine(&limit)?;
    let directory = lock::runtime_directory();
    let _lock = Lock::take(&directory, &engine.id, &lab.spec.lab, "topic delete")?;
    let running: Vec<String> = (workers(lab, flow).filter(|(_, runs)| *runs))
        .map(|(id, _)| id)
        .collect();
    if let Err(error) = docker.stop(&running, &limit) {
        // some may have stopped
        let _ = docker.start(&running, &limit.restarted());
        return Err(error.into());
    }
    let forget = || {
        let mut target = Target::of(&lab.topology, flow, &limit)?;
        let positions = target.positions_of(topic, &limit)?;
        target.forget(&positions, &limit)
    };
    let forgotten = if deed() { forget() } else { Ok(0) };
    docker.start(&running, &limit.restarted())?;
    Ok(match forgotten? {
        0 => Reset::NoneNoted,
        _ if running.is_empty() => Reset::Done,
        _ => Reset::Restarted,
    })
}

/// Whether MirrorMaker has a position in a topic of the flow's source.
///
/// # Errors
/// When the target does not answer.
pub(super) fn are_noted(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    limit: &Limit,
) -> Result<bool, KafkaError> {
    let positions = Target::of(topology, flow, limit)?.positions_of(topic, limit)?;
    Ok(!positions.is_empty())
}

/// MirrorMaker's positions of a flow, by topic and partition of its source: the offsets of the last copied records.
///
/// # Errors
/// When the target does not answer.
pub(super) fn of_flow(
    topology: &Topology,
    flow: &Flow,
    limit: &Limit,
) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
    let positions = Target::of(topology, flow, limit)?.positions(limit)?;
    let offsets = positions.into_iter();
    Ok(offsets
        .map(|(place, position)| (place, position.offset))
        .collect())
}

/// The containers of the flow's MirrorMaker that are there, and whether each runs.
fn workers<'a>(lab: &'a Lab, flow: &Flow) -> impl Iterator<Item = (String, bool)> + use<'a> {
    let mirror = lab.topology.mirror_of(&flow.spec.target);
    let services = mirror.into_iter().flat_map(|mirror| &mirror.workers);
    let containers = services.filter_map(|service| lab.container(service));
    containers.map(|container| (container.id.clone(), container.is_up()))
}

/// Takes back all positions of a flow; how many. For a source that has lost everything; MirrorMaker must not run.
///
/// # Errors
/// When the target does not answer, or does not take it.
pub(super) fn forget_all(
    topology: &Topology,
    flow: &Flow,
    limit: &Limit,
) -> Result<usize, KafkaError> {
    let mut target = Target::of(topology, flow, limit)?;
    let positions = target.positions(limit)?;
    target.forget(&positions, limit)
}

/// Takes back the positions of topics that the source does not have, and those beyond the end of what it has: they are of
/// topics that were deleted. MirrorMaker may run: it reads none of them before it next starts to copy such a topic. What one
/// broker says is not enough: for a moment it may not know of all topics. The topics.
///
/// # Errors
/// When one of the two clusters does not answer.
pub(super) fn forget_stale(
    topology: &Topology,
    flow: &Flow,
    limit: &Limit,
) -> Result<Vec<String>, KafkaError> {
    let ends = [&flow.spec.source, &flow.spec.target];
    let mut clusters = ends.iter().filter_map(|end| topology.cluster(end));
    if clusters.any(|cluster| cluster.access() == Access::Secured) {
        return Ok(Vec::new());
    }
    let mut target = Target::of(topology, flow, limit)?;
    let stale = seen_twice(limit, || {
        // before the source's ends: what is copied meanwhile is no older than they are
        let mut positions = target.positions(limit)?;
        let mut source = connect_patiently(topology, &flow.spec.source, limit)?;
        let there = source.topics(limit)?;
        let topics: Vec<String> = (positions.keys().map(|(topic, _)| topic.clone()))
            .filter(|topic| there.contains_key(topic))
            .collect();
        let ends = source.offsets(&topics, At::Latest, limit)?;
        positions.retain(|place, position| {
            // a partition without a leader tells nothing
            let end = ends.get(place);
            !there.contains_key(&place.0) || end.is_some_and(|end| position.offset >= *end)
        });
        Ok(positions)
    })?;
    target.forget(&stale, limit)?;
    let mut topics: Vec<String> = stale.into_keys().map(|(topic, _)| topic).collect();
    topics.dedup();
    Ok(topics)
}

/// The positions that two looks have in common, some time apart.
fn seen_twice(
    limit: &Limit,
    mut look: impl FnMut() -> Result<Positions, KafkaError>,
) -> Result<Positions, KafkaError> {
    let first = look()?;
    if first.is_empty() {
        return Ok(first);
    }
    limit.pause(APART)?;
    let mut second = look()?;
    second.retain(|place, position| {
        let before = first.get(place);
        before.is_some_and(|before| before.offset == position.offset)
    });
    Ok(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(places: &[(&str, i64)]) -> Positions {
        let position = |offset| Position {
            offset,
            key: Vec::new(),
            time: None,
            kept_in: 0,
        };
        let places = places.iter();
        places
            .map(|(topic, offset)| (((*topic).to_owned(), 0), position(*offset)))
            .collect()
    }

    #[test]
    fn a_topic_is_gone_only_where_two_looks_say_so() {
        let limit = Limit::new(Duration::from_secs(60), &Interrupt::default());
        let mut looks = vec![
            at(&[("gone", 9), ("noted again", 2)]),
            at(&[
                ("gone", 9),
                ("noted again", 9),
                ("not known for a moment", 5),
            ]),
        ];
        let seen = seen_twice(&limit, || Ok(looks.pop().unwrap())).unwrap();
        assert_eq!(seen, at(&[("gone", 9)]));
        let mut looks = vec![at(&[])];
        let none = seen_twice(&limit, || Ok(looks.pop().unwrap())).unwrap();
        assert!(none.is_empty(), "and nothing is waited for");
    }
}
