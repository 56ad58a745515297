//! What a cluster answers when it is asked about a few topics by name. Judges nothing.

use crate::core::judge::explain::{Contents, OpenTransaction, Sight};
use crate::core::lab::{Lab, notes};
use crate::core::mirrormaker::state;
use crate::core::topology::{Access, Cluster};
use kmk_kafka::message::Record;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, TopicInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

/// How long one cluster may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// What a cluster answered.
#[derive(Default)]
pub(super) struct Look {
    pub(super) brokers: usize,
    pub(super) topics: BTreeMap<String, TopicInfo>,
    first: BTreeMap<(String, i32), i64>,
    end: BTreeMap<(String, i32), i64>,
    /// How far they are committed, where a flow reads only that.
    stable: BTreeMap<(String, i32), i64>,
    /// Of each source that is mirrored to here: what MirrorMaker notes.
    pub(super) notes: BTreeMap<String, Notes>,
    access: Access,
    problem: Option<String>,
}

/// The notes that MirrorMaker keeps of one source.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) configs: Vec<Record>,
    pub(super) states: Vec<Record>,
    pub(super) offsets: Vec<Record>,
}

/// Looks at all clusters at once, for topics of these names; by name of the cluster.
pub(super) fn at_all<'a>(
    lab: &'a Lab,
    names: &BTreeSet<String>,
    limit: &Limit,
) -> BTreeMap<&'a str, Look> {
    let clusters = &lab.topology.clusters;
    thread::scope(|scope| {
        let looks: Vec<_> = clusters
            .iter()
            .map(|cluster| {
                let look = scope.spawn(|| Look::at(lab, cluster, names, &limit.at_most(PATIENCE)));
                (cluster.name.as_str(), look)
            })
            .collect();
        let look = |look: thread::ScopedJoinHandle<'_, Look>| {
            look.join().expect("a look at a cluster does not panic")
        };
        let looks = looks.into_iter();
        looks.map(|(name, handle)| (name, look(handle))).collect()
    })
}

impl Look {
    fn at(lab: &Lab, cluster: &Cluster, names: &BTreeSet<String>, limit: &Limit) -> Self {
        let mut look = Self {
            access: cluster.access(),
            ..Self::default()
        };
        if look.access == Access::Open
            && let Err(error) = look.ask(lab, cluster, names, limit)
        {
            look.problem = Some(error.to_string());
        }
        look
    }

    fn ask(
        &mut self,
        lab: &Lab,
        cluster: &Cluster,
        names: &BTreeSet<String>,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        let mut admin = Admin::connect(&cluster.endpoints(), limit)?;
        let found = admin.describe(limit)?;
        self.brokers = found.brokers.len();
        self.topics = found.topics;
        // first what is counted as copied, then what is there: a copy only grows
        let flows = lab.topology.flows.iter();
        for flow in flows.filter(|flow| flow.spec.target == cluster.name) {
            let source = &flow.spec.source;
            let mut read = |topic: String| notes::read(&mut admin, &self.topics, &topic, limit);
            let notes = Notes {
                configs: read(state::configs_topic(source))?,
                states: read(state::status_topic(source))?,
                offsets: read(state::offsets_topic(source))?,
            };
            self.notes.insert(source.clone(), notes);
        }
        let there = names.iter().filter(|name| self.topics.contains_key(*name));
        let there: Vec<String> = there.cloned().collect();
        self.first = admin.offsets(&there, At::Earliest, limit)?;
        self.end = admin.offsets(&there, At::Latest, limit)?;
        let mut out = lab.topology.flows.iter();
        if out.any(|flow| {
            flow.spec.source == cluster.name && flow.reads_committed_only(&lab.topology)
        }) {
            self.stable = admin.offsets(&there, At::Stable, limit)?;
        }
        Ok(())
    }

    /// One topic as it is now.
    pub(super) fn again(
        &self,
        cluster: &Cluster,
        topic: &str,
        limit: &Limit,
    ) -> Result<Sight, KafkaError> {
        let mut admin = Admin::connect(&cluster.endpoints(), &limit.at_most(PATIENCE))?;
        let there = [topic.to_owned()];
        let look = Self {
            topics: self.topics.clone(),
            first: admin.offsets(&there, At::Earliest, limit)?,
            end: admin.offsets(&there, At::Latest, limit)?,
            ..Self::default()
        };
        Ok(look.sight(topic))
    }

    /// The topic of that name, as far as it can be seen.
    pub(super) fn sight(&self, topic: &str) -> Sight {
        if self.access == Access::Secured {
            return Sight::Secured;
        }
        if let Some(problem) = &self.problem {
            let problem = problem.clone();
            return Sight::Unreachable { problem };
        }
        let Some(info) = self.topics.get(topic) else {
            return Sight::Absent;
        };
        let (mut records, mut ever) = (0, 0);
        for (_, first, end) in self.bounds(topic) {
            records += u64::try_from(end - first).unwrap_or(0);
            ever += u64::try_from(end).unwrap_or(0);
        }
        Sight::There(Contents {
            partitions: info.partitions.len(),
            records,
            ever,
        })
    }

    /// Where transactions began that have not ended, in a topic that is read only as far as it is committed.
    pub(super) fn open(&self, topic: &str) -> Vec<OpenTransaction> {
        let stable = self.stable.iter().filter(|(place, _)| place.0 == topic);
        let open = stable.filter(|(place, offset)| self.end.get(place) > Some(offset));
        let open = open.map(|(place, offset)| OpenTransaction {
            partition: place.1,
            offset: *offset,
        });
        open.collect()
    }

    /// Where each partition of a topic begins and ends, of those that have a leader.
    pub(super) fn bounds(&self, topic: &str) -> impl Iterator<Item = (i32, i64, i64)> {
        let ends = self.end.iter().filter(move |(place, _)| place.0 == topic);
        ends.filter_map(|(place, end)| Some((place.1, *self.first.get(place)?, *end)))
    }
}
