//! Reads what each side holds of a drill once nothing moves any more.

use super::plan::{Plan, Side};
use crate::core::judge::drill::{RecordId, Sides};
use crate::core::judge::ledger::{RecordPosition, RunId, Stamp};
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, At, KafkaError};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

/// Ends that are the same after this do not move.
const STILL: Duration = Duration::from_millis(100);
/// How often a broker that starts is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Ends of a topic, by partition.
pub(super) type Ends = BTreeMap<i32, i64>;

/// The ends of a topic once it no longer grows: what MirrorMaker had sent before it ended may still be on its way.
pub(super) fn frozen(side: &Side, topic: &str, limit: &Limit) -> Result<Ends, KafkaError> {
    let mut admin = Admin::connect_patiently(&side.endpoints, limit)?;
    let mut before = ends(&mut admin, topic, limit)?;
    loop {
        limit.check(|| format!("topic `{topic}` on {} still grows", side.name))?;
        limit.pause(STILL)?;
        let now = ends(&mut admin, topic, limit)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

pub(super) fn ends(admin: &mut Admin, topic: &str, limit: &Limit) -> Result<Ends, KafkaError> {
    let found = admin.offsets(&[topic.to_owned()], At::Latest, limit)?;
    let ends = found
        .into_iter()
        .map(|((_, partition), end)| (partition, end));
    Ok(ends.collect())
}

/// The mirrored records on the target, up to these ends.
pub(super) fn target(plan: &Plan<'_>, ends: &Ends, limit: &Limit) -> Result<Sides, KafkaError> {
    let mut sides = Sides::default();
    each(&plan.target, &plan.mirrored, ends, limit, |place, stamp| {
        match of_run(place, stamp, plan.runs.0) {
            Some(record) => sides.target.entry(record).or_default().push(place.offset),
            // written after the switch, to a topic of the same name
            None if of_run(place, stamp, plan.runs.1).is_some() => {}
            None => sides.unknown.push(place),
        }
    })?;
    Ok(sides)
}

/// The drill's records on the source, once it answers.
pub(super) fn source(
    plan: &Plan<'_>,
    partitions: usize,
    limit: &Limit,
) -> Result<BTreeSet<RecordId>, KafkaError> {
    let ends = limit.until(LOOK, || -> Result<Probe<Ends>, KafkaError> {
        let found = Admin::connect(&plan.source.endpoints, limit)
            .and_then(|mut admin| ends(&mut admin, &plan.topic, limit));
        match found {
            Ok(ends) if ends.len() == partitions => Ok(Probe::Ready(ends)),
            Ok(_) => {
                let seen = format!("a partition of `{}` has no leader", plan.topic);
                Ok(Probe::NotYet(seen))
            }
            Err(KafkaError::Stopped(Stop::Interrupted)) => Err(Stop::Interrupted.into()),
            Err(error) => Ok(Probe::NotYet(error.to_string())),
        }
    });
    let mut records = BTreeSet::new();
    each(&plan.source, &plan.topic, &ends?, limit, |place, stamp| {
        records.extend(of_run(place, stamp, plan.runs.0));
    })?;
    Ok(records)
}

/// The record, if it is of that run and where it was sent to.
fn of_run(place: RecordPosition, stamp: Option<Stamp>, run: RunId) -> Option<RecordId> {
    let stamp = stamp.filter(|stamp| (stamp.run, stamp.partition) == (run, place.partition))?;
    Some(RecordId {
        partition: stamp.partition,
        sequence: stamp.sequence,
    })
}

/// Shows where each record before these ends is, and its stamp. The first ones of a partition may have been deleted.
pub(super) fn each(
    side: &Side,
    topic: &str,
    ends: &Ends,
    limit: &Limit,
    mut show: impl FnMut(RecordPosition, Option<Stamp>),
) -> Result<(), KafkaError> {
    let mut admin = Admin::connect_patiently(&side.endpoints, limit)?;
    let firsts = admin.offsets(&[topic.to_owned()], At::Earliest, limit)?;
    for ((_, partition), first) in firsts {
        let end = ends.get(&partition).copied().unwrap_or(0);
        if first >= end {
            continue;
        }
        admin.scan(topic, partition, first, limit, |record| {
            if record.offset >= end {
                return ControlFlow::Break(());
            }
            let place = RecordPosition {
                partition,
                offset: record.offset,
            };
            show(place, Stamp::of(record.value.unwrap_or_default()));
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}
