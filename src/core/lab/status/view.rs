//! What each cluster of a lab answers when it is looked at. Judges nothing.

use crate::core::kafka::{Admin, At, KafkaError, TopicInfo};
use crate::core::lab::Lab;
use crate::core::lab::crew::Crew;
use crate::core::message::Record;
use crate::core::mirror_state::{self, Part};
use crate::core::topology::{Cluster, is_internal};
use crate::core::wait::Limit;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// How long one cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at all clusters at once; by name.
pub(super) fn of_all<'a>(lab: &'a Lab, limit: &Limit) -> BTreeMap<&'a str, View> {
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
pub(super) fn of_none(lab: &Lab) -> BTreeMap<&str, View> {
    let stopped = || View {
        problem: Some("it is stopped".to_owned()),
        ..View::default()
    };
    let clusters = lab.topology.clusters.iter();
    clusters.map(|c| (c.name.as_str(), stopped())).collect()
}

/// What a cluster answered.
#[derive(Default)]
pub(super) struct View {
    pub(super) brokers_up: usize,
    /// Whether they speak version 0 of the protocol.
    pub(super) version_0: Option<bool>,
    pub(super) topics: BTreeMap<String, TopicInfo>,
    pub(super) first: BTreeMap<(String, i32), i64>,
    pub(super) end: BTreeMap<(String, i32), i64>,
    /// Of each source that is mirrored to here: what MirrorMaker says of itself.
    pub(super) mirrors: BTreeMap<String, Mirror>,
    pub(super) problem: Option<String>,
}

pub(super) struct Mirror {
    pub(super) parts: BTreeMap<Part, mirror_state::Status>,
    pub(super) copied: BTreeMap<(String, i32), i64>,
    /// Whether several workers share the work.
    pub(super) is_shared: bool,
    /// Who has which part, where several share the work and have agreed on it.
    pub(super) crew: Option<Crew>,
}

impl View {
    /// Whether some of MirrorMaker's work is with nobody.
    pub(super) fn is_sharing_out(&self) -> bool {
        self.mirrors.values().any(|mirror| {
            let mut parts = mirror.parts.values();
            (mirror.is_shared && mirror.crew.is_none())
                || parts.any(|status| status.state == "UNASSIGNED")
        })
    }

    fn of(lab: &Lab, cluster: &Cluster, limit: &Limit) -> Self {
        let mut view = Self::default();
        if let Err(error) = view.look(lab, cluster, limit) {
            view.problem = Some(error.to_string());
        }
        view
    }

    fn look(&mut self, lab: &Lab, cluster: &Cluster, limit: &Limit) -> Result<(), KafkaError> {
        let mut admin = Err(None);
        for endpoint in cluster.endpoints() {
            match Admin::connect(&[endpoint], limit) {
                Ok(connected) => {
                    self.brokers_up += 1;
                    admin = Ok(connected);
                }
                Err(error) => {
                    self.problem = Some(error.to_string());
                    admin = admin.or(Err(Some(error)));
                }
            }
        }
        let mut admin = match admin {
            Ok(admin) => admin,
            Err(Some(error)) => return Err(error),
            Err(None) => return Ok(()),
        };
        self.version_0 = Some(admin.speaks_version_0());
        self.topics = admin.topics(limit)?;
        let is_source = lab
            .spec
            .flows
            .iter()
            .any(|flow| flow.source == cluster.name);
        if is_source {
            let names: Vec<String> = self
                .topics
                .keys()
                .filter(|name| !is_internal(name))
                .cloned()
                .collect();
            self.first = admin.offsets(&names, At::Earliest, limit)?;
            self.end = admin.offsets(&names, At::Latest, limit)?;
        }
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
            let states = self.read_all(&mut admin, &mirror_state::status_topic(source), limit)?;
            let offsets = self.read_all(&mut admin, &mirror_state::offsets_topic(source), limit)?;
            let mirror = Mirror {
                parts: mirror_state::statuses(&states),
                copied: mirror_state::copied(&offsets, source),
                is_shared,
                crew: Crew::of(&groups, source),
            };
            self.mirrors.insert(source.clone(), mirror);
        }
        Ok(())
    }

    fn read_all(
        &self,
        admin: &mut Admin,
        topic: &str,
        limit: &Limit,
    ) -> Result<Vec<Record>, KafkaError> {
        let mut records = Vec::new();
        let partitions = self
            .topics
            .get(topic)
            .map_or(&[][..], |info| &info.partitions);
        let first = admin.offsets(&[topic.to_owned()], At::Earliest, limit)?;
        for partition in partitions {
            let from = first
                .get(&(topic.to_owned(), partition.id))
                .copied()
                .unwrap_or(0);
            records.extend(admin.read(topic, partition.id, from, usize::MAX, limit)?);
        }
        Ok(records)
    }
}
