//! What each cluster of a lab answers when it is looked at. Judges nothing.

use super::COPIES;
use crate::core::judge::lag::Ends;
use crate::core::lab::crew::Crew;
use crate::core::lab::policy::{self, Wrong};
use crate::core::lab::{Lab, notes};
use crate::core::mirrormaker::state::{self, Part};
use crate::core::topology::{Access, Cluster, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, TopicInfo};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long one cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long each of its brokers may take of that to say that it is there.
const GREETING: Duration = Duration::from_millis(1500);

/// A part that fails whenever it is started fails again within so long.
const LATELY: Duration = Duration::from_secs(30);

/// Looks at all clusters at once; by name.
pub(in crate::core::lab) fn of_all<'a>(lab: &'a Lab, limit: &Limit) -> BTreeMap<&'a str, View> {
    let clusters = &lab.topology.clusters;
    thread::scope(|scope| {
        let looks: Vec<_> = clusters
            .iter()
            .map(|cluster| {
                let look = scope.spawn(|| View::of(lab, cluster, &limit.at_most(PATIENCE)));
                (cluster.name.as_str(), look)
            })
            .collect();
        let view = |look: thread::ScopedJoinHandle<'_, View>| {
            look.join().expect("a look at a cluster does not panic")
        };
        looks
            .into_iter()
            .map(|(name, look)| (name, view(look)))
            .collect()
    })
}

/// What is known of clusters that are stopped; by name.
pub(in crate::core::lab) fn of_none(lab: &Lab) -> BTreeMap<&str, View> {
    let stopped = |cluster: &Cluster| View {
        brokers: cluster.brokers.len(),
        access: cluster.access(),
        // what was there before goes on
        problem: (cluster.existing().is_none()).then(|| "it is stopped".to_owned()),
        ..View::default()
    };
    let clusters = lab.topology.clusters.iter();
    clusters.map(|c| (c.name.as_str(), stopped(c))).collect()
}

/// What a cluster answered.
#[derive(Default)]
pub(in crate::core::lab) struct View {
    pub(in crate::core::lab) brokers_up: usize,
    /// Brokers that it should have, as far as that is known.
    pub(in crate::core::lab) brokers: usize,
    pub(in crate::core::lab) access: Access,
    /// Whether they speak version 0 of the protocol.
    pub(in crate::core::lab) version_0: Option<bool>,
    pub(in crate::core::lab) topics: BTreeMap<String, TopicInfo>,
    /// Where the partitions of these topics begin and end, Kafka's and MirrorMaker's own left out; none while that is not known.
    pub(in crate::core::lab) ends: Option<BTreeMap<(String, i32), Ends>>,
    /// Of each source that is mirrored to here: what MirrorMaker says of itself.
    pub(in crate::core::lab) mirrors: BTreeMap<String, Mirror>,
    /// Topics of MirrorMaker's that are not compacted, and should be.
    pub(in crate::core::lab) policies: Vec<Wrong>,
    /// When MirrorMaker's positions were looked at.
    pub(in crate::core::lab) looked: Option<Instant>,
    /// Brokers that do not answer, by their services, and why.
    pub(in crate::core::lab) silent: Vec<(String, KafkaError)>,
    pub(in crate::core::lab) problem: Option<String>,
    /// What kept it from being looked at.
    pub(in crate::core::lab) error: Option<KafkaError>,
}

pub(in crate::core::lab) struct Mirror {
    pub(in crate::core::lab) parts: BTreeMap<Part, state::Status>,
    /// Why parts last failed, those that run again too.
    pub(in crate::core::lab) failures: BTreeMap<Part, state::Failure>,
    pub(in crate::core::lab) copied: BTreeMap<(String, i32), i64>,
    /// When each of these was noted, and when the connector that copies began to run, in milliseconds since the epoch.
    pub(in crate::core::lab) moved: BTreeMap<(String, i32), i64>,
    pub(in crate::core::lab) began: Option<i64>,
    /// When it last noted a record as copied, in milliseconds since the epoch.
    pub(in crate::core::lab) noted_at: Option<i64>,
    /// Whether several workers share the work.
    pub(in crate::core::lab) is_shared: bool,
    /// Who has which part, where several share the work and have agreed on it.
    pub(in crate::core::lab) crew: Option<Crew>,
}

impl Mirror {
    /// Parts that failed a moment ago, with how long ago, and why.
    pub(in crate::core::lab) fn recent_failure(&self) -> Vec<(&Part, Duration, &str)> {
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

impl View {
    /// Whether some of MirrorMaker's work is with nobody.
    pub(in crate::core::lab) fn is_sharing_out(&self) -> bool {
        self.mirrors.values().any(|mirror| {
            let mut parts = mirror.parts.values();
            (mirror.is_shared && mirror.crew.is_none())
                || parts.any(|status| status.state == "UNASSIGNED")
        })
    }

    /// Why it could not be looked at.
    pub(in crate::core::lab) fn into_error(self) -> Option<KafkaError> {
        let silent = self.silent.into_iter().next().map(|(_, error)| error);
        self.error.or(silent)
    }

    fn of(lab: &Lab, cluster: &Cluster, limit: &Limit) -> Self {
        let mut view = Self::default();
        if let Err(error) = view.look(lab, cluster, limit) {
            view.problem = Some(error.to_string());
            view.error = Some(error);
        }
        view
    }

    /// A connection to one of its brokers, with all of them counted: each that kmk made is asked, and what was there before
    /// says itself which of its brokers live.
    fn connect(&mut self, cluster: &Cluster, limit: &Limit) -> Result<Option<Admin>, KafkaError> {
        if cluster.existing().is_some() {
            let mut admin = Admin::connect(&cluster.endpoints(), limit)?;
            self.brokers_up = admin.describe(limit)?.brokers.len();
            self.brokers = self.brokers_up;
            return Ok(Some(admin));
        }
        self.brokers = cluster.brokers.len();
        let limit = limit.at_most(GREETING);
        // all at once: one that is silent takes its whole time
        let answers: Vec<Result<Admin, KafkaError>> = thread::scope(|scope| {
            let endpoints = cluster.endpoints().into_iter();
            let asked: Vec<_> = endpoints
                .map(|endpoint| scope.spawn(|| Admin::connect(&[endpoint], &limit)))
                .collect();
            let answer = |asked: thread::ScopedJoinHandle<'_, Result<Admin, KafkaError>>| {
                asked.join().expect("a greeting does not panic")
            };
            asked.into_iter().map(answer).collect()
        });
        let mut admin = None;
        for (broker, answer) in cluster.brokers.iter().zip(answers) {
            match answer {
                Ok(connected) => {
                    self.brokers_up += 1;
                    admin = Some(connected);
                }
                Err(error) => self.silent.push((broker.service.clone(), error)),
            }
        }
        Ok(admin)
    }

    fn look(&mut self, lab: &Lab, cluster: &Cluster, limit: &Limit) -> Result<(), KafkaError> {
        self.access = cluster.access();
        if self.access == Access::Secured {
            return Ok(());
        }
        let Some(mut admin) = self.connect(cluster, limit)? else {
            return Ok(());
        };
        self.version_0 = Some(admin.speaks_version_0());
        self.topics = admin.topics(limit)?;
        self.ends = Some(ends(&mut admin, &lab.topology, &self.topics, limit)?);
        // who may not ask for settings may see all else
        let policies = policy::wrong(
            &mut admin,
            (&lab.topology, &cluster.name),
            &self.topics,
            limit,
        );
        self.policies = policies.unwrap_or_default();
        let mirror = lab.topology.mirror_of(&cluster.name);
        let is_shared = mirror.is_some_and(|mirror| mirror.workers.len() > 1);
        let groups = if is_shared {
            admin.groups(limit)?
        } else {
            Vec::new()
        };
        for flow in lab
            .spec
            .flows
            .iter()
            .filter(|flow| flow.target == cluster.name)
        {
            let source = &flow.source;
            let states = notes::read(
                &mut admin,
                &self.topics,
                &state::status_topic(source),
                limit,
            )?;
            let offsets = notes::read(
                &mut admin,
                &self.topics,
                &state::offsets_topic(source),
                limit,
            )?;
            let positions = state::positions(&offsets, source);
            let mirror = Mirror {
                noted_at: positions
                    .values()
                    .filter_map(|position| position.time)
                    .max(),
                moved: (positions.iter())
                    .filter_map(|(place, position)| Some((place.clone(), position.time?)))
                    .collect(),
                copied: (positions.into_iter())
                    .map(|(place, position)| (place, position.offset))
                    .collect(),
                parts: state::statuses(&states),
                failures: state::failures(&states),
                began: state::began(&states, COPIES),
                is_shared,
                crew: Crew::of(&groups, source),
            };
            self.mirrors.insert(source.clone(), mirror);
            self.looked = Some(Instant::now());
        }
        Ok(())
    }
}

/// Where all partitions begin and end, but those of topics that are nobody's.
fn ends(
    admin: &mut Admin,
    topology: &Topology,
    topics: &BTreeMap<String, TopicInfo>,
    limit: &Limit,
) -> Result<BTreeMap<(String, i32), Ends>, KafkaError> {
    let names: Vec<String> = topics
        .keys()
        .filter(|name| !topology.is_internal(name))
        .cloned()
        .collect();
    let first = admin.offsets(&names, At::Earliest, limit)?;
    let mut end = admin.offsets(&names, At::Latest, limit)?;
    let both = first.into_iter().filter_map(|(place, first)| {
        let end = end.remove(&place)?;
        Some((place, Ends { first, end }))
    });
    Ok(both.collect())
}
