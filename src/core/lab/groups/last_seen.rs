//! Groups of a cluster that does not answer, as MirrorMaker last noted them on the targets of its flows. Changes nothing.

use super::other_side::look_at_target;
use super::report::{
    ClusterGroups, FlowPartition, FlowReport, GroupPartition, GroupReport, Prospect, UNKNOWN,
};
use super::sides::{Sides, bounds, empty, reasons};
use crate::core::judge::failover::{Amount, Begins, LastSeen, Why, outlook_last_seen};
use crate::core::mirrormaker::state::Checkpoint;
use crate::core::topology::{Cluster, Flow, Topology};
use kmk_kafka::KafkaError;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Limit, Stop};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, SystemTime};

/// How long targets may take once a source has not answered: less where that is much of the whole time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cluster that did not answer.
pub(super) struct Silent<'a> {
    /// Its place among those that were asked.
    number: usize,
    cluster: &'a Cluster,
    problem: String,
}

/// How long clusters may take to answer, so that time is left to look for the groups of those that do not.
pub(super) fn before(limit: &Limit) -> Limit {
    let all = limit.remaining();
    limit.at_most(all.saturating_sub(PATIENCE.min(all / 4)))
}

/// Those of the clusters of a lab, or of the one named, that did not answer.
pub(super) fn silent<'a>(
    topology: &'a Topology,
    only: Option<&str>,
    looks: &[Result<ClusterGroups, KafkaError>],
) -> Vec<Silent<'a>> {
    let clusters = topology.clusters.iter();
    let meant = clusters.filter(|cluster| only.is_none_or(|only| only == cluster.name));
    let looks = meant.zip(looks).enumerate();
    let silent = looks.filter_map(|(number, (cluster, look))| match look {
        Ok(_) | Err(KafkaError::Stopped(Stop::Interrupted)) => None,
        Err(error) => Some(Silent {
            number,
            cluster,
            problem: error.to_string(),
        }),
    });
    silent.collect()
}

/// The groups of silent clusters that MirrorMaker noted, each with the cluster's place.
pub(super) fn find(
    topology: &Topology,
    flow: Option<&str>,
    silent: Vec<Silent<'_>>,
    limit: &Limit,
) -> Vec<(usize, ClusterGroups)> {
    let limit = limit.at_most(PATIENCE);
    let from = |cluster: &Cluster, one: &Flow| {
        one.spec.source == cluster.name && flow.is_none_or(|flow| flow == one.name())
    };
    thread::scope(|scope| {
        let looks = silent.into_iter().map(|one| {
            let flows = topology.flows.iter().filter(|flow| from(one.cluster, flow));
            let looks = flows.map(|flow| {
                let look = scope.spawn(|| look_at_target(topology, flow, &limit));
                (flow, look)
            });
            let looks: Vec<_> = looks.collect();
            (one, looks)
        });
        let looks: Vec<_> = looks.collect();
        let found = looks.into_iter().filter_map(|(one, looks)| {
            // a target that does not answer either has a problem of its own to tell
            let seen = looks.into_iter().filter_map(|(flow, look)| {
                let sides = look.join().expect("a look at a target does not panic");
                Some((flow, sides.ok()?))
            });
            Some((one.number, one.groups(seen)?))
        });
        found.collect()
    })
}

impl Silent<'_> {
    /// None where no target tells of any.
    fn groups<'f>(self, seen: impl Iterator<Item = (&'f Flow, Sides)>) -> Option<ClusterGroups> {
        let mut groups: BTreeMap<String, GroupReport> = BTreeMap::new();
        for (flow, sides) in seen {
            for (group, report) in sides.last_seen(flow, to_millis(SystemTime::now())) {
                let entry = groups.entry(group.clone());
                let entry = entry.or_insert_with(|| unknown(group));
                entry.places.extend(report.places.iter().map(place));
                entry.flows.push(report);
            }
        }
        (!groups.is_empty()).then(|| ClusterGroups {
            cluster: Some(self.cluster.name.clone()),
            bootstrap: self.cluster.bootstrap_outside(),
            groups: groups.into_values().map(once).collect(),
            hidden: 0,
            problem: Some(self.problem),
        })
    }
}

fn unknown(group: String) -> GroupReport {
    GroupReport {
        group,
        kind: UNKNOWN.to_owned(),
        state: UNKNOWN.to_owned(),
        members: Vec::new(),
        lag: None,
        places: Vec::new(),
        flows: Vec::new(),
    }
}

fn place(place: &FlowPartition) -> GroupPartition {
    GroupPartition {
        topic: place.topic.clone(),
        partition: place.partition,
        committed: Some(place.source_committed),
        end: None,
        lag: None,
        ahead: None,
        client: None,
        host: None,
    }
}

/// Each place once, though several flows take it along.
fn once(mut group: GroupReport) -> GroupReport {
    let key = |place: &GroupPartition| (place.topic.clone(), place.partition);
    group.places.sort_by_key(key);
    group.places.dedup_by_key(|place| key(place));
    group
}

impl Sides {
    /// What the target alone tells of the flow's groups, at a moment in milliseconds since the epoch.
    fn last_seen(&self, flow: &Flow, now: i64) -> BTreeMap<String, FlowReport> {
        let mut groups: BTreeMap<String, Vec<(FlowPartition, Option<u64>)>> = BTreeMap::new();
        for ((group, copy), checkpoint) in &self.notes.checkpoints {
            let place = self.last_place(flow, group, copy, *checkpoint);
            groups.entry(group.clone()).or_default().push(place);
        }
        let reports = groups.into_iter().map(|(group, places)| {
            let is_placed = |place: &FlowPartition| place.begins == Some(Begins::AtCommittedOffset);
            let as_seen = places.iter().filter(|(place, _)| is_placed(place));
            let as_seen = as_seen.map(|(_, as_seen)| *as_seen);
            // of no place at all nothing was seen
            let as_seen = as_seen.reduce(|one, other| Some(one? + other?)).flatten();
            let places: Vec<FlowPartition> = places.into_iter().map(|(place, _)| place).collect();
            let times = places.iter().filter_map(|place| place.checkpoint?.time);
            let ago = times.max().map(|time| now.saturating_sub(time).max(0));
            let report = FlowReport {
                sum: Prospect::sum(&places),
                why: reasons(&places),
                active_on_target: self.is_active_on_target(&group),
                last_seen_seconds: ago.and_then(|ago| u64::try_from(ago / 1_000).ok()),
                again_as_last_seen: as_seen,
                places,
                ..empty(flow)
            };
            (group, report)
        });
        reports.collect()
    }

    /// With about how many records it would be given again if it has not read on.
    fn last_place(
        &self,
        flow: &Flow,
        group: &str,
        copy: &(String, i32),
        checkpoint: Checkpoint,
    ) -> (FlowPartition, Option<u64>) {
        let topic = flow.source_topic(&copy.0).unwrap_or(&copy.0).to_owned();
        let target = bounds(&self.target_first, &self.target_end, copy);
        let committed = self.target_groups.get(group);
        let committed = committed.and_then(|(_, offsets)| offsets.get(copy).copied());
        let noted = self.notes.noted.get(&(topic.clone(), copy.1)).copied();
        let mut report = FlowPartition {
            topic,
            copy: copy.0.clone(),
            partition: copy.1,
            source_committed: checkpoint.upstream,
            source_end: None,
            checkpoint: Some(checkpoint),
            sync: None,
            target_committed: committed,
            target_end: target.map(|target| target.end),
            begins: None,
            prospect: Prospect::default(),
            why: Why::NoMirroredTopic,
        };
        let mut as_seen = None;
        if let Some(target) = target {
            let place = LastSeen {
                checkpoint,
                target: committed,
            };
            let outlook;
            (outlook, as_seen) = outlook_last_seen(target, noted, place);
            let why = if self.is_active_on_target(group) {
                Why::ActiveOnTarget
            } else if outlook.further == Amount::Exactly(0) {
                Why::LastSeen
            } else {
                Why::Ahead
            };
            report.tell(outlook, why);
        }
        (report, as_seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    #[test]
    fn of_no_place_on_the_target_nothing_was_seen() {
        let topology = Topology::new(&scenario::dr("demo"));
        let mut sides = Sides::default();
        let copy = ("primary.orders".to_owned(), 0);
        let checkpoint = Checkpoint {
            upstream: 5,
            downstream: 5,
            time: Some(1_000),
        };
        let noted = ("billing".to_owned(), copy.clone());
        sides.notes.checkpoints.insert(noted, checkpoint);
        sides.notes.noted.insert(("orders".to_owned(), 0), 9);
        sides.target_first.insert(copy.clone(), 0);
        sides.target_end.insert(copy, 10);
        let flow = &topology.flows[0];
        let report = &sides.last_seen(flow, 4_000)["billing"];
        assert_eq!(report.last_seen_seconds, Some(3));
        assert_eq!(report.places[0].begins, Some(Begins::ByAutoOffsetReset));
        assert_eq!(report.again_as_last_seen, None);
    }
}
