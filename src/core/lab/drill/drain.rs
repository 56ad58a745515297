//! Waits for what groups read: before the fault until all do, after the switch until all have read to the end.

use super::DrillError;
use super::stage::{Read, Written};
use crate::core::judge::drill::Era;
use crate::core::lab::verify::locked;
use kmk_kafka::wait::{Limit, Probe, Stop};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// What is not there yet, as long as something is not.
fn until(
    limit: &Limit,
    mut missing: impl FnMut() -> Option<String>,
    late: impl Fn(String, Duration) -> DrillError,
) -> Result<(), DrillError> {
    let waited = limit.until(LOOK, || {
        Ok::<_, Stop>(missing().map_or(Probe::Ready(()), Probe::NotYet))
    });
    waited.map_err(|stop| match stop {
        Stop::Deadline { allowed, last_seen } => late(last_seen, allowed),
        Stop::Interrupted => stop.into(),
    })
}

fn not_steady(seen: String, waited: Duration) -> DrillError {
    DrillError::NotSteady { seen, waited }
}

fn not_read(seen: String, waited: Duration) -> DrillError {
    DrillError::NotRead { seen, waited }
}

/// A group on one side, and the readers of its topics.
pub(super) type Reading<'a> = (&'a str, Vec<&'a Read>);

/// What keeps a reader from reading, said of its group.
fn said(group: &str, what: &str, read: &Read) -> String {
    let trouble = locked(&read.diary).trouble.clone();
    let why = trouble.map_or_else(String::new, |why| format!(" ({why})"));
    format!("group {group} {what}{why}")
}

/// Waits until every group has been given a record, and those that commit have committed.
pub(super) fn until_all_read(
    groups: &[(Reading<'_>, bool)],
    limit: &Limit,
) -> Result<(), DrillError> {
    let missing = || {
        groups.iter().find_map(|((group, readers), commits)| {
            readers.iter().find_map(|read| {
                let diary = locked(&read.diary);
                let what = if diary.given.is_empty() {
                    "reads nothing"
                } else if *commits && diary.committed.is_empty() {
                    "has not committed"
                } else {
                    return None;
                };
                drop(diary);
                Some(said(group, what, read))
            })
        })
    };
    until(limit, missing, not_steady)
}

/// Waits until everybody is connected to the target.
pub(super) fn until_opened(
    groups: &[Reading<'_>],
    written: &Written,
    limit: &Limit,
) -> Result<(), DrillError> {
    let missing = || {
        if !written.opened.is_set() {
            let refused = locked(&written.books)
                .refused
                .as_ref()
                .map(ToString::to_string);
            let why = refused.map_or(String::new(), |why| format!(" ({why})"));
            return Some(format!("the producer did not reach the target{why}"));
        }
        groups.iter().find_map(|(group, readers)| {
            let read = readers.iter().find(|read| !read.opened.is_set())?;
            Some(said(group, "did not reach the target", read))
        })
    };
    until(limit, missing, not_read)
}

/// Waits until every group has been given a record that was written after the switch, in every partition that has one.
pub(super) fn until_served(
    groups: &[Reading<'_>],
    written: &Written,
    limit: &Limit,
) -> Result<(), DrillError> {
    let missing = || {
        let books = locked(&written.books);
        let wanted: BTreeSet<i32> = books.acknowledged.iter().map(|one| one.partition).collect();
        drop(books);
        if wanted.is_empty() {
            return Some("nothing was acknowledged on the target".to_owned());
        }
        groups.iter().find_map(|(group, readers)| {
            let mut open = wanted.clone();
            for read in readers {
                let diary = locked(&read.diary);
                let new = diary.given.iter().filter(|given| given.era == Era::After);
                for given in new {
                    open.remove(&given.record.partition);
                }
            }
            let partition = open.first()?;
            Some(format!(
                "group {group} was given no new record of partition {partition}"
            ))
        })
    };
    until(limit, missing, not_read)
}

/// Waits until every reader of a topic has come to its end.
pub(super) fn until_read(
    groups: &[(&str, &Read, &BTreeMap<i32, i64>)],
    limit: &Limit,
) -> Result<(), DrillError> {
    let missing = || {
        groups.iter().find_map(|(group, read, ends)| {
            let has_all = locked(&read.diary).has_reached(ends);
            (!has_all).then(|| said(group, "did not read to the end", read))
        })
    };
    until(limit, missing, not_read)
}
