//! Groups of a cluster that does not answer, as MirrorMaker last noted them on the targets of its flows. Changes nothing.

use super::both_ends::{BothEnds, empty, reasons};
use super::report::{
    ClusterGroups, FlowPartition, FlowReport, GroupPartition, GroupReport, Prospect, UNKNOWN,
};
use crate::core::judge::failover::{Amount, Begins, LastSeen, Why, outlook_last_seen};
use crate::core::mirrormaker::state::Checkpoint;
use crate::core::observe::groups::{ByPartition, GroupSnapshot};
use crate::core::topology::{Cluster, Flow};
use kmk_kafka::message::to_millis;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The groups of a cluster that does not answer for this reason, as the targets of its flows tell of them; none where no
/// target tells of any.
pub(super) fn find<'a>(
    cluster: &Cluster,
    problem: String,
    targets: impl Iterator<Item = (&'a Flow, &'a GroupSnapshot)>,
) -> Option<ClusterGroups> {
    let nothing = GroupSnapshot::default();
    let mut groups: BTreeMap<String, GroupReport> = BTreeMap::new();
    for (flow, target) in targets {
        let both = BothEnds {
            flow,
            source: &nothing,
            target,
            target_records: ByPartition::new(),
        };
        for (group, report) in both.last_seen(to_millis(SystemTime::now())) {
            let entry = groups.entry(group.clone());
            let entry = entry.or_insert_with(|| unknown(group));
            entry
                .partitions
                .extend(report.partitions.iter().map(partition));
            entry.flows.push(report);
        }
    }
    (!groups.is_empty()).then(|| ClusterGroups {
        cluster: Some(cluster.name.clone()),
        bootstrap: cluster.bootstrap_outside(),
        groups: groups.into_values().map(once).collect(),
        hidden: 0,
        problem: Some(problem),
    })
}

fn unknown(group: String) -> GroupReport {
    GroupReport {
        group,
        kind: UNKNOWN.to_owned(),
        state: UNKNOWN.to_owned(),
        members: Vec::new(),
        lag: None,
        partitions: Vec::new(),
        flows: Vec::new(),
    }
}

fn partition(partition: &FlowPartition) -> GroupPartition {
    GroupPartition {
        topic: partition.topic.clone(),
        partition: partition.partition,
        committed: Some(partition.source_committed),
        end: None,
        lag: None,
        ahead: None,
        client: None,
        host: None,
    }
}

/// Each partition once, though several flows sync it.
fn once(mut group: GroupReport) -> GroupReport {
    let key = |partition: &GroupPartition| (partition.topic.clone(), partition.partition);
    group.partitions.sort_by_key(key);
    group.partitions.dedup_by_key(|partition| key(partition));
    group
}

impl BothEnds<'_> {
    /// What the target alone tells of the flow's groups, at a moment in milliseconds since the epoch.
    fn last_seen(&self, now: i64) -> BTreeMap<String, FlowReport> {
        let mut groups: BTreeMap<String, Vec<(FlowPartition, Option<u64>)>> = BTreeMap::new();
        for ((group, copy), checkpoint) in self.groups() {
            let partition = self.last_partition(group, copy, *checkpoint);
            groups.entry(group.clone()).or_default().push(partition);
        }
        let reports = groups.into_iter().map(|(group, partitions)| {
            let is_committed =
                |partition: &FlowPartition| partition.begins == Some(Begins::AtCommittedOffset);
            let as_seen = partitions
                .iter()
                .filter(|(partition, _)| is_committed(partition));
            let as_seen = as_seen.map(|(_, as_seen)| *as_seen);
            // without any offset nothing was seen
            let as_seen = as_seen.reduce(|one, other| Some(one? + other?)).flatten();
            let partitions: Vec<FlowPartition> = partitions
                .into_iter()
                .map(|(partition, _)| partition)
                .collect();
            let times = partitions
                .iter()
                .filter_map(|partition| partition.checkpoint?.time);
            let ago = times.max().map(|time| now.saturating_sub(time).max(0));
            let report = FlowReport {
                sum: Prospect::sum(&partitions),
                why: reasons(&partitions),
                active_on_target: self.is_active_on_target(&group),
                last_seen_seconds: ago.and_then(|ago| u64::try_from(ago / 1_000).ok()),
                again_as_last_seen: as_seen,
                partitions,
                ..empty(self.flow)
            };
            (group, report)
        });
        reports.collect()
    }

    /// With about how many records it would be given again if it has not read on.
    fn last_partition(
        &self,
        group: &str,
        copy: &(String, i32),
        checkpoint: Checkpoint,
    ) -> (FlowPartition, Option<u64>) {
        let topic = self
            .flow
            .source_topic(&copy.0)
            .unwrap_or(&copy.0)
            .to_owned();
        let target = self.target.as_target.bounds(copy);
        let committed = self.target.as_target.by_name.get(group);
        let committed = committed.and_then(|(_, offsets)| offsets.get(copy).copied());
        let position = self.position(&(topic.clone(), copy.1));
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
            let partition = LastSeen {
                checkpoint,
                target: committed,
            };
            let outlook;
            (outlook, as_seen) = outlook_last_seen(target, position, partition);
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
    use crate::core::observe::groups::FlowOffsets;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    #[test]
    fn without_an_offset_on_the_target_nothing_was_seen() {
        let topology = Topology::new(&scenario::dr("demo"));
        let mut target = GroupSnapshot::default();
        let copy = ("primary.orders".to_owned(), 0);
        let checkpoint = Checkpoint {
            upstream: 5,
            downstream: 5,
            time: Some(1_000),
        };
        let key = ("billing".to_owned(), copy.clone());
        let offsets = FlowOffsets {
            checkpoints: [(key, checkpoint)].into(),
            copied: [(("orders".to_owned(), 0), 9)].into(),
        };
        target.flows.insert("primary".to_owned(), offsets);
        target.as_target.first.insert(copy.clone(), 0);
        target.as_target.end.insert(copy, 10);
        let both = BothEnds {
            flow: &topology.flows[0],
            source: &GroupSnapshot::default(),
            target: &target,
            target_records: ByPartition::new(),
        };
        let report = &both.last_seen(4_000)["billing"];
        assert_eq!(report.last_seen_seconds, Some(3));
        assert_eq!(report.partitions[0].begins, Some(Begins::ByAutoOffsetReset));
        assert_eq!(report.again_as_last_seen, None);
    }
}
