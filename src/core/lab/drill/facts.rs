//! Gathers what the threads of a drill have seen into facts to judge.

use super::plan::Plan;
use super::run::Seen;
use super::stage::{Diary, GroupScene, Read, Scene, Written};
use super::{Failover, Fault};
use crate::core::judge::drill::{Facts, GroupFacts, Sides};
use std::sync::PoisonError;

pub(super) fn gather(
    what: &Failover,
    plan: &Plan<'_>,
    scene: Scene,
    seen: &Seen,
    sides: Sides,
) -> Facts {
    let groups = plan.groups.iter().zip(scene.groups);
    let groups = groups.map(|((habit, group), reads)| of_group(habit.name(), group, reads, seen));
    let source = scene.source.books.into_inner();
    let source = source.unwrap_or_else(PoisonError::into_inner);
    let target = scene.target.books.into_inner();
    let target = target.unwrap_or_else(PoisonError::into_inner);
    Facts {
        times: seen.times,
        is_planned: what.fault == Fault::Planned,
        sent: source.sent,
        acknowledged: source.acknowledged,
        sides,
        late_writes: what.fault.is_of_link().then(|| late(scene.late)),
        written_after: target.acknowledged,
        groups: groups.collect(),
    }
}

/// What the source acknowledged to the producer that stayed.
fn late(written: Written) -> u64 {
    let books = written.books.into_inner();
    let books = books.unwrap_or_else(PoisonError::into_inner);
    let ranges = books.acknowledged.iter().map(|one| &one.sequences);
    ranges.map(|range| range.end - range.start).sum()
}

fn of_group(name: &str, group: &str, reads: GroupScene, seen: &Seen) -> GroupFacts {
    let before = diary(reads.before);
    let mut after = diary(reads.mirrored).given;
    after.extend(
        reads
            .written
            .map(|read| diary(read).given)
            .unwrap_or_default(),
    );
    // in the order in which the group was given them, from whichever topic
    after.sort_by_key(|given| given.at);
    GroupFacts {
        name: name.to_owned(),
        before: before.given,
        after,
        committed: before.committed,
        asked: before.asked,
        predicted: seen.predictions.get(group).cloned().unwrap_or_default(),
        synced: seen.synced.get(group).cloned().unwrap_or_default(),
    }
}

fn diary(read: Read) -> Diary {
    let diary = read.diary.into_inner();
    diary.unwrap_or_else(PoisonError::into_inner)
}
