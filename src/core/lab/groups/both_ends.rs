//! What both ends of a flow answered, and what that means for each group.

use super::report::{FlowPartition, FlowReport, Prospect};
use crate::core::judge::failover::{
    Back, Committed, Gaps, Mirroring, Outlook, Partition, Why, Writers, outlook, outlook_back,
};
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::mirrormaker::state::{Checkpoint, GroupPlace, OffsetSync};
use crate::core::observe::groups::{ByPartition, GroupSnapshot};
use crate::core::spec::Naming;
use crate::core::spec::filter;
use crate::core::topology::Flow;
use std::collections::BTreeSet;

/// MirrorMaker's own `groups.exclude`.
const NEVER: &str = "console-consumer-.*, connect-.*, __.*";

/// A flow and both its ends.
pub(super) struct BothEnds<'a> {
    pub(super) flow: &'a Flow,
    /// Knows nothing where it does not answer.
    pub(super) source: &'a GroupSnapshot,
    pub(super) target: &'a GroupSnapshot,
    /// Of mirrored topics that are compacted: which offsets still have a record, where those are few.
    pub(super) target_records: ByPartition<Vec<i64>>,
}

impl BothEnds<'_> {
    /// Groups of the source as they are seen on the target.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&GroupPlace, &Checkpoint)> {
        let flow = self.target.flow_offsets(&self.flow.spec.source).into_iter();
        flow.flat_map(|flow| &flow.checkpoints)
    }

    /// MirrorMaker's committed position in a partition of the source.
    pub(super) fn position(&self, topic_partition: &(String, i32)) -> Option<i64> {
        let flow = self.target.flow_offsets(&self.flow.spec.source)?;
        flow.copied.get(topic_partition).copied()
    }

    fn syncs(&self, topic_partition: &(String, i32)) -> &[OffsetSync] {
        let (source, target) = (&self.flow.spec.source, &self.flow.spec.target);
        let at_source = self.source.syncs(target);
        let at_source = at_source.filter(|_| !self.flow.keeps_syncs_at_target());
        let syncs = at_source.or_else(|| self.target.syncs(source));
        of_partition(syncs, topic_partition)
    }

    /// Those of the flow that leads back, if there is one.
    fn syncs_of_return(&self, home: &(String, i32)) -> &[OffsetSync] {
        let (source, target) = (&self.flow.spec.source, &self.flow.spec.target);
        let syncs = self.target.syncs(source);
        of_partition(syncs.or_else(|| self.source.syncs(target)), home)
    }

    /// The topics in which groups have committed offsets, as they are called on the target.
    pub(super) fn remote_topics(&self) -> BTreeSet<String> {
        let groups = self.source.as_source.by_name.values();
        let topics = groups.flat_map(|(_, offsets)| offsets.keys().map(|(topic, _)| topic));
        topics
            .flat_map(|topic| self.flow.names_on_target(topic))
            .collect()
    }

    /// What the flow means for a group; none where it has no committed offset that the flow could sync.
    pub(super) fn report(&self, group: &str) -> Option<FlowReport> {
        let (_, offsets) = self.source.as_source.by_name.get(group)?;
        let rules = Rules::of_flow(self.flow);
        let active = self.is_active_on_target(group);
        let mirroring = if active {
            Mirroring::Active
        } else {
            mirroring(self.flow, group)
        };
        let offsets = offsets
            .iter()
            .filter(|(topic_partition, _)| self.source.needs(&topic_partition.0));
        let partitions = offsets.filter_map(|(topic_partition, committed)| {
            let selection = rules.select(&topic_partition.0);
            self.judge(group, topic_partition, *committed, &selection, mirroring)
        });
        let partitions: Vec<FlowPartition> = partitions.collect();
        (!partitions.is_empty()).then(|| FlowReport {
            sum: Prospect::sum(&partitions),
            why: reasons(&partitions),
            active_on_target: active,
            partitions,
            ..empty(self.flow)
        })
    }

    pub(super) fn is_active_on_target(&self, group: &str) -> bool {
        let group = self.target.as_target.by_name.get(group);
        group.is_some_and(|(group, _)| group.is_active())
    }

    fn judge(
        &self,
        group: &str,
        topic_partition: &(String, i32),
        committed: i64,
        selection: &Selection,
        mirroring: Mirroring,
    ) -> Option<FlowPartition> {
        let flow = self.flow;
        let left_out = match selection {
            Selection::Internal(_) => return None,
            Selection::Included | Selection::NotEvaluated(_) => None,
            Selection::Cycle => Some(Why::MirroredFromTarget),
            Selection::Excluded(_) | Selection::NotListed | Selection::NameTooLong(_) => {
                Some(Why::TopicNotMirrored)
            }
        };
        let home = Some(*selection == Selection::Cycle)
            .filter(|is_back| *is_back)
            .and_then(|_| flow.home_topic(&topic_partition.0));
        let copy = home.map_or_else(|| flow.remote_topic(&topic_partition.0), str::to_owned);
        let copy = (copy, topic_partition.1);
        let target_group = self.target.as_target.by_name.get(group);
        let target_committed = target_group.and_then(|(_, offsets)| offsets.get(&copy));
        let checkpoint = checkpoint(self.target, &flow.spec.source, group, &copy);
        let syncs = self.syncs(topic_partition);
        let source = self.source.as_source.bounds(topic_partition);
        let target = self.target.as_target.bounds(&copy);
        let mut report = FlowPartition {
            topic: topic_partition.0.clone(),
            copy: copy.0.clone(),
            partition: topic_partition.1,
            source_committed: committed,
            source_end: source.map(|source| source.end),
            checkpoint,
            sync: checkpoint.and_then(|checkpoint| used(syncs, &checkpoint)),
            target_committed: target_committed.copied(),
            target_end: target.map(|target| target.end),
            begins: None,
            prospect: Prospect::default(),
            why: left_out.unwrap_or(Why::NoMirroredTopic),
        };
        if home.is_some() {
            self.judge_return(group, topic_partition, mirroring, &mut report);
            return Some(report);
        }
        let both = target.zip(source).filter(|_| left_out.is_none());
        let Some((target, source)) = both else {
            return Some(report);
        };
        let partition = Partition {
            syncs,
            position: self.position(topic_partition),
            target,
            source,
            gaps: gaps(self.source, &topic_partition.0),
            target_gaps: gaps(self.target, &copy.0),
            writers: match flow.spec.naming {
                Naming::Prefix => Writers::MirrorMaker,
                Naming::Same => Writers::Anyone,
            },
            target_records: self.target_records.get(&copy).map(Vec::as_slice),
        };
        let offsets = Committed {
            source: committed,
            target: report.target_committed,
            checkpoint: report.checkpoint,
        };
        let outlook = outlook(&partition, offsets);
        report.tell(outlook, Why::of(outlook, &partition, offsets, mirroring));
        Some(report)
    }

    /// A topic that came from the target: the flow back brought it, and its positions tell.
    fn judge_return(
        &self,
        group: &str,
        topic_partition: &(String, i32),
        mirroring: Mirroring,
        report: &mut FlowPartition,
    ) {
        let home = (report.copy.clone(), topic_partition.1);
        let copy = self.source.as_source.bounds(topic_partition);
        // asked last: groups have read no further by then
        let original = self.target.as_source.bounds(&home);
        let Some((copy, original)) = copy.zip(original) else {
            return;
        };
        let target = &self.flow.spec.target;
        let flow = self.source.flow_offsets(target);
        let partition = Partition {
            syncs: self.syncs_of_return(&home),
            position: flow.and_then(|flow| flow.copied.get(&home).copied()),
            target: copy,
            source: original,
            gaps: gaps(self.target, &home.0),
            target_gaps: gaps(self.source, &topic_partition.0),
            writers: Writers::MirrorMaker,
            target_records: None,
        };
        let back = Back {
            away: report.source_committed,
            home: report.target_committed,
            checkpoint: checkpoint(self.source, target, group, topic_partition),
        };
        let outlook = outlook_back(&partition, back);
        report.tell(outlook, Why::of_back(outlook, mirroring));
    }
}

impl FlowPartition {
    pub(super) fn tell(&mut self, outlook: Outlook, why: Why) {
        self.begins = Some(outlook.begins);
        self.prospect = Prospect::of(outlook.again, outlook.skipped, outlook.further);
        self.why = why;
    }
}

/// What MirrorMaker last worked out for a group in a mirrored topic.
fn checkpoint(
    cluster: &GroupSnapshot,
    source: &str,
    group: &str,
    copy: &(String, i32),
) -> Option<Checkpoint> {
    let key = (group.to_owned(), copy.clone());
    cluster.flow_offsets(source)?.checkpoints.get(&key).copied()
}

fn of_partition<'a>(
    syncs: Option<&'a ByPartition<Vec<OffsetSync>>>,
    topic_partition: &(String, i32),
) -> &'a [OffsetSync] {
    let syncs = syncs.and_then(|syncs| syncs.get(topic_partition));
    syncs.map_or(&[], Vec::as_slice)
}

/// A topic may have offsets without a record where it is compacted, and where there ever was a transaction.
fn gaps(cluster: &GroupSnapshot, topic: &str) -> Gaps {
    if cluster.has_transactions() || cluster.is_compacted(topic) {
        Gaps::Possible
    } else {
        Gaps::None
    }
}

/// Of a flow of which nothing is known.
pub(super) fn unknown(flow: &Flow, problem: String) -> FlowReport {
    FlowReport {
        problem: Some(problem),
        ..empty(flow)
    }
}

pub(super) fn empty(flow: &Flow) -> FlowReport {
    let seconds = |key: &str| {
        let value = flow.setting(key).and_then(|value| value.parse().ok());
        value.unwrap_or(config::EVERY)
    };
    FlowReport {
        flow: flow.name(),
        target: flow.spec.target.clone(),
        sum: Prospect::default(),
        why: Vec::new(),
        active_on_target: false,
        interval_seconds: seconds("emit.checkpoints.interval.seconds")
            .saturating_add(seconds("sync.group.offsets.interval.seconds")),
        partitions: Vec::new(),
        last_seen_seconds: None,
        again_as_last_seen: None,
        problem: None,
    }
}

/// What the flow's settings say of a group.
pub(in crate::core::lab) fn mirroring(flow: &Flow, group: &str) -> Mirroring {
    let is_off = |key| {
        flow.setting(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("false"))
    };
    let takes = |pattern: &str| filter::matches(pattern.trim(), group);
    let wanted = &flow.spec.groups;
    let is_left_out = !wanted.is_empty() && wanted.iter().all(|one| takes(one) == Some(false));
    let excluded = flow
        .setting("groups.exclude")
        .or(flow.setting("groups.blacklist"));
    let mut excluded = excluded.unwrap_or(NEVER).split(',');
    if is_left_out || excluded.any(|one| takes(one) == Some(true)) {
        Mirroring::Excluded
    } else if is_off("emit.checkpoints.enabled") {
        Mirroring::CheckpointsOff
    } else if is_off("sync.group.offsets.enabled") {
        Mirroring::SyncOff
    } else {
        Mirroring::On
    }
}

/// The sync from which a checkpoint was worked out: that offset, or the one behind it.
fn used(syncs: &[OffsetSync], checkpoint: &Checkpoint) -> Option<OffsetSync> {
    let mut syncs = syncs.iter().rev();
    let found = syncs.find(|sync| {
        sync.upstream <= checkpoint.upstream
            && sync.downstream + i64::from(sync.upstream < checkpoint.upstream)
                == checkpoint.downstream
    });
    found.copied()
}

pub(super) fn reasons(partitions: &[FlowPartition]) -> Vec<Why> {
    let mut all: BTreeSet<Why> = partitions.iter().map(|one| one.why).collect();
    if all.len() > 1 {
        all.remove(&Why::InSync);
    }
    all.into_iter().collect()
}
