//! Both ends of a flow, as they answered: what that means for each group. Knows nothing of connections.

use super::report::{FlowPartition, FlowReport, Prospect};
use crate::core::judge::failover::{
    Back, Bounds, Gaps, Mirroring, Outlook, Partition, Place, Why, Writers, outlook, outlook_back,
};
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::mirrormaker::state::{Checkpoint, GroupPlace, OffsetSync};
use crate::core::spec::Naming;
use crate::core::spec::filter;
use crate::core::topology::Flow;
use kmk_kafka::Group;
use std::collections::{BTreeMap, BTreeSet};

/// By topic and partition.
pub(super) type ByPartition<T> = BTreeMap<(String, i32), T>;

/// MirrorMaker's own `groups.exclude`.
const NEVER: &str = "console-consumer-.*, connect-.*, __.*";

/// What MirrorMaker wrote down of one direction.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) noted: ByPartition<i64>,
    pub(super) checkpoints: BTreeMap<GroupPlace, Checkpoint>,
    pub(super) syncs: ByPartition<Vec<OffsetSync>>,
}

impl Notes {
    fn checkpoint(&self, group: &str, copy: &(String, i32)) -> Option<Checkpoint> {
        let place = (group.to_owned(), copy.clone());
        self.checkpoints.get(&place).copied()
    }

    fn syncs(&self, place: &(String, i32)) -> &[OffsetSync] {
        self.syncs.get(place).map_or(&[], Vec::as_slice)
    }
}

/// A flow and both its ends.
#[derive(Debug, Default)]
pub(super) struct Sides {
    pub(super) notes: Notes,
    /// Of the flow that leads back, if there is one.
    pub(super) notes_of_return: Notes,
    /// What the target said, asked first.
    pub(super) target_first: ByPartition<i64>,
    pub(super) target_end: ByPartition<i64>,
    pub(super) target_groups: BTreeMap<String, (Group, ByPartition<i64>)>,
    /// What the source said.
    pub(super) source_first: ByPartition<i64>,
    pub(super) source_end: ByPartition<i64>,
    pub(super) source_groups: BTreeMap<String, ByPartition<i64>>,
    /// Where topics end on the target that came from there, asked last: groups have read no further by then.
    pub(super) home_end: ByPartition<i64>,
    /// Topics of either side that may have offsets without a record.
    pub(super) source_gaps: BTreeSet<String>,
    pub(super) target_gaps: BTreeSet<String>,
    /// Of mirrored topics that are compacted: which offsets still have a record, where those are few.
    pub(super) target_records: ByPartition<Vec<i64>>,
}

impl Sides {
    /// What the flow means for a group; none where it has no place that the flow could take there.
    pub(super) fn report(&self, flow: &Flow, group: &str) -> Option<FlowReport> {
        let places = self.source_groups.get(group)?;
        let rules = Rules::of_flow(flow);
        let active = self.is_active_on_target(group);
        let mirroring = if active {
            Mirroring::Active
        } else {
            mirroring(flow, group)
        };
        let places = places.iter().filter_map(|(place, committed)| {
            let selection = rules.select(&place.0);
            self.place(flow, group, place, *committed, &selection, mirroring)
        });
        let places: Vec<FlowPartition> = places.collect();
        (!places.is_empty()).then(|| FlowReport {
            sum: Prospect::sum(&places),
            why: reasons(&places),
            active_on_target: active,
            places,
            ..empty(flow)
        })
    }

    pub(super) fn is_active_on_target(&self, group: &str) -> bool {
        let group = self.target_groups.get(group);
        group.is_some_and(|(group, _)| group.is_active())
    }

    fn place(
        &self,
        flow: &Flow,
        group: &str,
        place: &(String, i32),
        committed: i64,
        selection: &Selection,
        mirroring: Mirroring,
    ) -> Option<FlowPartition> {
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
            .and_then(|_| home_topic(flow, &place.0));
        let copy = home.map_or_else(|| flow.remote_topic(&place.0), str::to_owned);
        let copy = (copy, place.1);
        let target_group = self.target_groups.get(group);
        let target_committed = target_group.and_then(|(_, offsets)| offsets.get(&copy));
        let checkpoint = self.notes.checkpoint(group, &copy);
        let syncs = self.notes.syncs(place);
        let source = bounds(&self.source_first, &self.source_end, place);
        let target = bounds(&self.target_first, &self.target_end, &copy);
        let mut report = FlowPartition {
            topic: place.0.clone(),
            copy: copy.0.clone(),
            partition: place.1,
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
            self.judge_return(group, place, mirroring, &mut report);
            return Some(report);
        }
        let both = target.zip(source).filter(|_| left_out.is_none());
        let Some((target, source)) = both else {
            return Some(report);
        };
        let partition = Partition {
            syncs,
            noted: self.notes.noted.get(place).copied(),
            target,
            source,
            gaps: gaps(&self.source_gaps, &place.0),
            target_gaps: gaps(&self.target_gaps, &copy.0),
            writers: match flow.spec.naming {
                Naming::Prefix => Writers::MirrorMaker,
                Naming::Same => Writers::Anyone,
            },
            target_records: self.target_records.get(&copy).map(Vec::as_slice),
        };
        let place = Place {
            source: committed,
            target: report.target_committed,
            checkpoint: report.checkpoint,
        };
        let outlook = outlook(&partition, place);
        report.tell(outlook, Why::of(outlook, &partition, place, mirroring));
        Some(report)
    }

    /// A topic that came from the target: the flow that leads back brought it, and its notes tell.
    fn judge_return(
        &self,
        group: &str,
        place: &(String, i32),
        mirroring: Mirroring,
        report: &mut FlowPartition,
    ) {
        let home = (report.copy.clone(), place.1);
        let copy = bounds(&self.source_first, &self.source_end, place);
        let original = bounds(&self.target_first, &self.home_end, &home);
        let Some((copy, original)) = copy.zip(original) else {
            return;
        };
        let notes = &self.notes_of_return;
        let partition = Partition {
            syncs: notes.syncs(&home),
            noted: notes.noted.get(&home).copied(),
            target: copy,
            source: original,
            gaps: gaps(&self.target_gaps, &home.0),
            target_gaps: gaps(&self.source_gaps, &place.0),
            writers: Writers::MirrorMaker,
            target_records: None,
        };
        let back = Back {
            away: report.source_committed,
            home: report.target_committed,
            checkpoint: notes.checkpoint(group, place),
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

/// What a topic of the flow's source is called on the target, if it came from there by its name.
pub(super) fn home_topic<'a>(flow: &Flow, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(&flow.spec.target)?.strip_prefix('.')
}

pub(super) fn bounds(
    first: &ByPartition<i64>,
    end: &ByPartition<i64>,
    at: &(String, i32),
) -> Option<Bounds> {
    let (first, end) = (*first.get(at)?, *end.get(at)?);
    Some(Bounds { first, end })
}

fn gaps(topics: &BTreeSet<String>, topic: &str) -> Gaps {
    if topics.contains(topic) {
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
        places: Vec::new(),
        last_seen_seconds: None,
        again_as_last_seen: None,
        problem: None,
    }
}

/// What the flow's settings say of a group.
fn mirroring(flow: &Flow, group: &str) -> Mirroring {
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

pub(super) fn reasons(places: &[FlowPartition]) -> Vec<Why> {
    let mut all: BTreeSet<Why> = places.iter().map(|one| one.why).collect();
    if all.len() > 1 {
        all.remove(&Why::InSync);
    }
    all.into_iter().collect()
}
