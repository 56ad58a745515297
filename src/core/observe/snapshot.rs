//! What each cluster of a lab answers when it is asked once.
//!
//! All clusters are asked at the same time, in steps: no cluster is asked where its partitions end before every one has been
//! asked for MirrorMaker's committed positions. A record before a position is then within the ends, on both sides of a flow,
//! however much is written meanwhile.

use super::assignment::Assignment;
use super::{in_steps, internal, policy, side_by_side};
use crate::core::judge::health::NotCompacted;
use crate::core::judge::lag::Ends;
use crate::core::mirrormaker::state::{self, COPIES, Config, Part, Position};
use crate::core::topology::{Access, Cluster, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, TopicInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

/// How long one cluster may take to answer in each step.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long each of its brokers may take of that to say that it is there.
const GREETING: Duration = Duration::from_millis(1500);
/// A part that fails whenever it is started fails again within so long.
const LATELY: Duration = Duration::from_secs(30);

/// Offsets by topic and partition.
type ByPartition<T> = BTreeMap<(String, i32), T>;

/// All clusters of a lab, by name.
pub(in crate::core) type Snapshots<'a> = BTreeMap<&'a str, ClusterSnapshot>;

/// What is asked beside what every look is about.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Wanted {
    /// Topics that are always read, with their committed offsets.
    pub(in crate::core) topics: BTreeSet<String>,
    /// What MirrorMaker's connectors run with.
    pub(in crate::core) configs: bool,
}

/// Asks all clusters of a lab.
pub(in crate::core) fn snapshots<'a>(
    topology: &'a Topology,
    wanted: &Wanted,
    limit: &Limit,
) -> Snapshots<'a> {
    let positions = |mut one: Asked<'a>| {
        let limit = limit.at_most(PATIENCE);
        one.connect(&limit);
        one.ask(&limit, |seen, admin, of| {
            seen.read_positions((topology, of), admin, wanted, &limit)
        });
        one
    };
    let ends = |mut one: Asked<'a>| {
        let limit = limit.at_most(PATIENCE);
        one.ask(&limit, |seen, admin, of| {
            seen.read_ends((topology, of), admin, wanted, &limit)
        });
        one
    };
    let all = topology.clusters.iter().map(Asked::new).collect();
    let asked = in_steps(all, &[&positions, &ends]).into_iter();
    asked
        .map(|one| (one.cluster.name.as_str(), one.snapshot))
        .collect()
}

/// What is known of clusters that are stopped.
pub(in crate::core) fn of_stopped(topology: &Topology) -> Snapshots<'_> {
    let stopped = |cluster: &Cluster| ClusterSnapshot {
        brokers: cluster.brokers.len(),
        access: cluster.access(),
        // a cluster that the lab did not make goes on
        problem: (cluster.existing().is_none()).then(|| "it is stopped".to_owned()),
        ..ClusterSnapshot::default()
    };
    let clusters = topology.clusters.iter();
    clusters.map(|c| (c.name.as_str(), stopped(c))).collect()
}

/// What a cluster answered.
#[derive(Default)]
pub(in crate::core) struct ClusterSnapshot {
    pub(in crate::core) brokers_up: usize,
    /// Brokers that the cluster itself knows of: the most replicas that a topic can have.
    pub(in crate::core) registered: usize,
    /// Brokers that it should have, as far as that is known.
    pub(in crate::core) brokers: usize,
    pub(in crate::core) access: Access,
    /// Whether they speak version 0 of the protocol.
    pub(in crate::core) version_0: Option<bool>,
    pub(in crate::core) topics: BTreeMap<String, TopicInfo>,
    /// Where the partitions of topics begin and end, internal ones left out that are not asked about; none while that is not
    /// known.
    pub(in crate::core) ends: Option<ByPartition<Ends>>,
    /// How far topics that were asked about are committed, where a flow reads only that.
    pub(in crate::core) stable: ByPartition<i64>,
    /// MirrorMaker's positions in each flow to this cluster, by the source.
    pub(in crate::core) flows: BTreeMap<String, FlowSnapshot>,
    /// Topics of MirrorMaker's that are not compacted, and should be.
    pub(in crate::core) policies: Vec<NotCompacted>,
    /// When MirrorMaker's positions were read.
    pub(in crate::core) taken: Option<Instant>,
    /// Brokers that do not answer, by their services, and why.
    pub(in crate::core) silent: Vec<(String, KafkaError)>,
    pub(in crate::core) problem: Option<String>,
    /// What kept it from being asked.
    pub(in crate::core) error: Option<KafkaError>,
}

/// What MirrorMaker stores of a flow on its target.
#[derive(Default)]
pub(in crate::core) struct FlowSnapshot {
    pub(in crate::core) parts: BTreeMap<Part, state::Status>,
    /// Why parts last failed, those that run again too.
    pub(in crate::core) failures: BTreeMap<Part, state::Failure>,
    pub(in crate::core) positions: ByPartition<Position>,
    /// When the connector that copies began to run, in milliseconds since the epoch.
    pub(in crate::core) began: Option<i64>,
    /// What its connectors run with, where that was asked for.
    pub(in crate::core) config: Config,
    /// Whether several workers share the work.
    pub(in crate::core) is_shared: bool,
    /// Who has which part, where several share the work and have agreed on it.
    pub(in crate::core) assignment: Option<Assignment>,
}

impl FlowSnapshot {
    /// The offset of a partition's last record before MirrorMaker's committed position.
    pub(in crate::core) fn copied(&self, place: &(String, i32)) -> Option<i64> {
        self.positions.get(place).map(|position| position.offset)
    }

    /// When MirrorMaker last committed a position, in milliseconds since the epoch.
    pub(in crate::core) fn committed_at(&self) -> Option<i64> {
        self.positions.values().filter_map(|one| one.time).max()
    }

    /// Parts that failed a moment ago, with how long ago, and why.
    pub(in crate::core) fn recent_failure(&self) -> Vec<(&Part, Duration, &str)> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let failed = self.failures.iter().filter_map(|(part, failure)| {
            let time = Duration::from_millis(u64::try_from(failure.time).ok()?);
            let age = now.saturating_sub(time);
            (age < LATELY).then_some((part, age, failure.cause.as_str()))
        });
        failed.collect()
    }
}

/// A cluster that is being asked.
struct Asked<'a> {
    cluster: &'a Cluster,
    admin: Option<Admin>,
    snapshot: ClusterSnapshot,
}

impl<'a> Asked<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            admin: None,
            snapshot: ClusterSnapshot {
                access: cluster.access(),
                ..ClusterSnapshot::default()
            },
        }
    }

    /// Connects to one of its brokers, with all of them counted: each that kmk made is asked, and a cluster that the lab did
    /// not make says itself which of its brokers live.
    fn connect(&mut self, limit: &Limit) {
        if self.snapshot.access == Access::Secured {
            return;
        }
        let snapshot = &mut self.snapshot;
        if self.cluster.existing().is_some() {
            let connected =
                Admin::connect(&self.cluster.endpoints(), limit).and_then(|mut admin| {
                    snapshot.brokers_up = admin.describe(limit)?.brokers.len();
                    Ok(admin)
                });
            snapshot.brokers = snapshot.brokers_up;
            self.admin = connected.map_err(|error| snapshot.fail(error)).ok();
            return;
        }
        snapshot.brokers = self.cluster.brokers.len();
        let limit = limit.at_most(GREETING);
        // all at once: one that is silent takes its whole time
        let answers = side_by_side(self.cluster.endpoints(), |endpoint| {
            Admin::connect(&[endpoint], &limit)
        });
        for (broker, answer) in self.cluster.brokers.iter().zip(answers) {
            match answer {
                Ok(connected) => {
                    snapshot.brokers_up += 1;
                    self.admin = Some(connected);
                }
                Err(error) => snapshot.silent.push((broker.service.clone(), error)),
            }
        }
    }

    /// Asks it, if it exists. One that was silent until time was up is not asked again.
    fn ask(
        &mut self,
        limit: &Limit,
        step: impl FnOnce(&mut ClusterSnapshot, &mut Admin, &Cluster) -> Result<(), KafkaError>,
    ) {
        if let Some(admin) = &mut self.admin
            && let Err(error) = step(&mut self.snapshot, admin, self.cluster)
        {
            self.snapshot.fail(error);
            if limit.remaining().is_zero() {
                self.admin = None;
            }
        }
    }
}

impl ClusterSnapshot {
    fn fail(&mut self, error: KafkaError) {
        if self.error.is_none() {
            self.problem = Some(error.to_string());
            self.error = Some(error);
        }
    }

    /// Whether some of MirrorMaker's tasks are assigned to no worker.
    pub(in crate::core) fn is_rebalancing(&self) -> bool {
        self.flows.values().any(|flow| {
            let mut parts = flow.parts.values();
            (flow.is_shared && flow.assignment.is_none())
                || parts.any(|status| status.state == "UNASSIGNED")
        })
    }

    /// Why it could not be asked.
    pub(in crate::core) fn into_error(self) -> Option<KafkaError> {
        let silent = self.silent.into_iter().next().map(|(_, error)| error);
        self.error.or(silent)
    }

    /// The same in words.
    pub(in crate::core) fn why_silent(&self) -> String {
        let silent = self.silent.first().map(|(_, error)| error.to_string());
        let problem = self.problem.clone().or(silent);
        problem.unwrap_or_else(|| "it was not asked".to_owned())
    }

    /// Where each partition of a topic begins and ends, of those that have a leader.
    pub(in crate::core) fn bounds(&self, topic: &str) -> impl Iterator<Item = (i32, Ends)> {
        let all = self.ends.iter().flatten();
        let of_topic = all.filter(move |(place, _)| place.0 == topic);
        of_topic.map(|(place, ends)| (place.1, *ends))
    }

    fn read_positions(
        &mut self,
        (topology, cluster): (&Topology, &Cluster),
        admin: &mut Admin,
        wanted: &Wanted,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        self.version_0 = Some(admin.speaks_version_0());
        let metadata = admin.describe(limit)?;
        (self.registered, self.topics) = (metadata.brokers.len(), metadata.topics);
        let mirror = topology.mirror_of(&cluster.name);
        let is_shared = mirror.is_some_and(|mirror| mirror.workers.len() > 1);
        let groups = if is_shared {
            admin.groups(limit)?
        } else {
            Vec::new()
        };
        let flows = topology.flows.iter();
        for flow in flows.filter(|flow| flow.spec.target == cluster.name) {
            let source = &flow.spec.source;
            let mut read = |topic: String| internal::read(admin, &self.topics, &topic, limit);
            let states = read(state::status_topic(source))?;
            let configs = if wanted.configs {
                read(state::configs_topic(source))?
            } else {
                Vec::new()
            };
            let offsets = read(state::offsets_topic(source))?;
            let flow = FlowSnapshot {
                positions: state::positions(&offsets, source),
                parts: state::statuses(&states),
                failures: state::failures(&states),
                began: state::began(&states, COPIES),
                config: state::config(&configs, COPIES),
                is_shared,
                assignment: Assignment::of(&groups, source),
            };
            self.flows.insert(source.clone(), flow);
            self.taken = Some(Instant::now());
        }
        Ok(())
    }

    fn read_ends(
        &mut self,
        (topology, cluster): (&Topology, &Cluster),
        admin: &mut Admin,
        wanted: &Wanted,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        // one that was created meanwhile may have a position
        self.topics = admin.topics(limit)?;
        let topics = self.topics.keys();
        let names: Vec<String> = topics
            .filter(|name| !topology.is_internal(name) || wanted.topics.contains(*name))
            .cloned()
            .collect();
        let first = admin.offsets(&names, At::Earliest, limit)?;
        let mut end = admin.offsets(&names, At::Latest, limit)?;
        let both = first.into_iter().filter_map(|(place, first)| {
            let end = end.remove(&place)?;
            Some((place, Ends { first, end }))
        });
        self.ends = Some(both.collect());
        let mut flows = topology.flows.iter();
        if flows.any(|flow| flow.spec.source == cluster.name && flow.reads_committed_only(topology))
        {
            let asked = names
                .into_iter()
                .filter(|name| wanted.topics.contains(name));
            let asked: Vec<String> = asked.collect();
            self.stable = admin.offsets(&asked, At::Stable, limit)?;
        }
        // who may not ask for settings may see all else
        let policies = policy::wrong(admin, (topology, &cluster.name), &self.topics, limit);
        self.policies = policies.unwrap_or_default();
        Ok(())
    }
}
