//! Both ends of a flow, as they answered: what that means for each group. Knows nothing of connections.

use super::report::{FlowPlaceReport, FlowReport, Prospect};
use crate::core::failover::{Bounds, Gaps, Mirroring, Partition, Place, Why, Writers, outlook};
use crate::core::filter;
use crate::core::kafka::Group;
use crate::core::mirror_state::{Checkpoint, GroupPlace, OffsetSync};
use crate::core::mm2;
use crate::core::selection::{Rules, Selection};
use crate::core::spec::Naming;
use crate::core::topology::Flow;
use std::collections::{BTreeMap, BTreeSet};

/// By topic and partition.
pub(super) type ByPartition<T> = BTreeMap<(String, i32), T>;

/// MirrorMaker's own `groups.exclude`.
const NEVER: &str = "console-consumer-.*, connect-.*, __.*";

/// A flow and both its ends.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// What the target said, asked first.
    pub(super) noted: ByPartition<i64>,
    pub(super) checkpoints: BTreeMap<GroupPlace, Checkpoint>,
    pub(super) target_first: ByPartition<i64>,
    pub(super) target_end: ByPartition<i64>,
    pub(super) target_groups: BTreeMap<String, (Group, ByPartition<i64>)>,
    /// What the source said.
    pub(super) syncs: ByPartition<Vec<OffsetSync>>,
    pub(super) source_first: ByPartition<i64>,
    pub(super) source_end: ByPartition<i64>,
    pub(super) source_groups: BTreeMap<String, ByPartition<i64>>,
    /// Topics of either side that may have offsets without a record.
    pub(super) source_gaps: BTreeSet<String>,
    pub(super) target_gaps: BTreeSet<String>,
}

impl Sides {
    /// What the flow means for a group; none where it has no place that the flow could take there.
    pub(super) fn report(&self, flow: &Flow, group: &str) -> Option<FlowReport> {
        let places = self.source_groups.get(group)?;
        let rules = Rules::of_flow(flow);
        let active = self.target_groups.get(group);
        let active = active.is_some_and(|(group, _)| group.is_active());
        let mirroring = if active {
            Mirroring::Active
        } else {
            mirroring(flow, group)
        };
        let places = places.iter().filter_map(|(place, committed)| {
            let selection = rules.select(&place.0);
            self.place(flow, group, place, *committed, &selection, mirroring)
        });
        let places: Vec<FlowPlaceReport> = places.collect();
        (!places.is_empty()).then(|| FlowReport {
            sum: Prospect::sum(&places),
            why: reasons(&places),
            active_on_target: active,
            places,
            ..empty(flow)
        })
    }

    fn place(
        &self,
        flow: &Flow,
        group: &str,
        place: &(String, i32),
        committed: i64,
        selection: &Selection,
        mirroring: Mirroring,
    ) -> Option<FlowPlaceReport> {
        let left_out = match selection {
            Selection::Internal(_) => return None,
            Selection::Taken | Selection::Unjudged(_) => None,
            Selection::Cycle => Some(Why::CameFromThere),
            Selection::Excluded(_) | Selection::NotListed | Selection::TooLong(_) => {
                Some(Why::TopicLeftOut)
            }
        };
        let origin = place.0.strip_prefix(&format!("{}.", flow.spec.target));
        let copy = match (selection, origin) {
            (Selection::Cycle, Some(origin)) => origin.to_owned(),
            _ => flow.remote_topic(&place.0),
        };
        let copy = (copy, place.1);
        let target_group = self.target_groups.get(group);
        let target_committed = target_group.and_then(|(_, offsets)| offsets.get(&copy));
        let checkpoint = self.checkpoints.get(&(group.to_owned(), copy.clone()));
        let syncs = self.syncs.get(place).map_or(&[][..], Vec::as_slice);
        let bounds = |first: &ByPartition<i64>, end: &ByPartition<i64>, at: &(String, i32)| {
            let (first, end) = (*first.get(at)?, *end.get(at)?);
            Some(Bounds { first, end })
        };
        let source = bounds(&self.source_first, &self.source_end, place);
        let target = bounds(&self.target_first, &self.target_end, &copy);
        let mut report = FlowPlaceReport {
            topic: place.0.clone(),
            copy: copy.0.clone(),
            partition: place.1,
            source_committed: committed,
            source_end: source.map(|source| source.end),
            checkpoint: checkpoint.copied(),
            sync: checkpoint.and_then(|checkpoint| used(syncs, checkpoint)),
            target_committed: target_committed.copied(),
            target_end: target.map(|target| target.end),
            begins: None,
            prospect: Prospect::default(),
            why: left_out.unwrap_or(Why::NoCopy),
        };
        let both = target.zip(source).filter(|_| left_out.is_none());
        let Some((target, source)) = both else {
            return Some(report);
        };
        let gaps = |topics: &BTreeSet<String>, topic: &str| {
            if topics.contains(topic) {
                Gaps::Possible
            } else {
                Gaps::None
            }
        };
        let partition = Partition {
            syncs,
            noted: self.noted.get(place).copied(),
            target,
            source,
            gaps: gaps(&self.source_gaps, &place.0),
            target_gaps: gaps(&self.target_gaps, &copy.0),
            writers: match flow.spec.naming {
                Naming::Prefix => Writers::MirrorMaker,
                Naming::Same => Writers::Anyone,
            },
        };
        let place = Place {
            source: committed,
            target: report.target_committed,
            checkpoint: report.checkpoint,
        };
        let outlook = outlook(&partition, place);
        report.begins = Some(outlook.begins);
        report.prospect = Prospect::of(outlook.again, outlook.skipped);
        report.why = Why::of(outlook, &partition, place, mirroring);
        Some(report)
    }
}

/// Of a flow of which nothing is known.
pub(super) fn unknown(flow: &Flow, problem: String) -> FlowReport {
    FlowReport {
        problem: Some(problem),
        ..empty(flow)
    }
}

fn empty(flow: &Flow) -> FlowReport {
    let seconds = |key: &str| {
        let value = flow.setting(key).and_then(|value| value.parse().ok());
        value.unwrap_or(mm2::EVERY)
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

fn reasons(places: &[FlowPlaceReport]) -> Vec<Why> {
    let mut all: BTreeSet<Why> = places.iter().map(|one| one.why).collect();
    for quiet in [Why::CameFromThere, Why::InStep] {
        if all.len() > 1 {
            all.remove(&quiet);
        }
    }
    all.into_iter().collect()
}
