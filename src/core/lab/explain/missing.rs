//! Which records of a topic were mirrored once and are not on the target any more, so that exactly these can be brought
//! there.

use super::PATIENCE;
use crate::core::judge::explain::Missing;
use crate::core::judge::lag::{PartitionLag, TopicLag};
use crate::core::lab::Lab;
use crate::core::observe::{ClusterSnapshot, connect};
use crate::core::topology::Flow;
use kmk_kafka::message::Record;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError};

/// Partitions that are looked into, however many lack records.
const LOOKED_INTO: usize = 5;
/// Records of the source among which the mirrored topic's first one is looked for.
const ALIKE: usize = 1000;

/// Of each partition that lacks records; none where an end of the flow does not tell.
pub(super) fn records(
    lab: &Lab,
    flow: &Flow,
    topic: &TopicLag,
    target: &ClusterSnapshot,
    limit: &Limit,
) -> Vec<Missing> {
    let lacking = topic.partitions.iter().filter(|one| one.lost > 0);
    let lacking: Vec<&PartitionLag> = lacking.take(LOOKED_INTO).collect();
    if lacking.is_empty() {
        return Vec::new();
    }
    find(lab, flow, topic, &lacking, target, &limit.at_most(PATIENCE)).unwrap_or_default()
}

fn find(
    lab: &Lab,
    flow: &Flow,
    topic: &TopicLag,
    lacking: &[&PartitionLag],
    target: &ClusterSnapshot,
    limit: &Limit,
) -> Result<Vec<Missing>, KafkaError> {
    let mut here = connect(&lab.topology, &flow.spec.source, limit)?;
    let mut there = connect(&lab.topology, &flow.spec.target, limit)?;
    let mut missing = Vec::new();
    for one in lacking {
        let id = one.partition;
        let oldest = here.read(&topic.source, id, one.first, 1, limit)?;
        let bounds = target.bounds(&topic.remote).find(|bounds| bounds.0 == id);
        let copied = bounds.map_or(Ok(Vec::new()), |(_, ends)| {
            there.read(&topic.remote, id, ends.first, 1, limit)
        })?;
        let position = one
            .position
            .map_or(one.first, |position| position.saturating_add(1));
        let (until, is_exact) = match copied.first() {
            None => (position, true),
            Some(copy) => match original(&mut here, &topic.source, copy, limit)? {
                Some(offset) => (offset, true),
                None => (position, false),
            },
        };
        missing.push(Missing {
            partition: id,
            from: one.first,
            until,
            is_exact,
            has_keys: oldest.iter().any(|record| record.key.is_some()),
        });
    }
    missing.retain(|one| one.from < one.until);
    Ok(missing)
}

/// The offset on the source of a record of the target, if exactly one is like it: `MirrorMaker` keeps times.
fn original(
    source: &mut Admin,
    topic: &str,
    copy: &Record,
    limit: &Limit,
) -> Result<Option<i64>, KafkaError> {
    let Some(time) = copy.time.filter(|time| *time >= 0) else {
        return Ok(None);
    };
    let since = source.offsets(&[topic.to_owned()], At::Time(time), limit)?;
    let Some(&since) = since.get(&(topic.to_owned(), copy.partition)) else {
        return Ok(None);
    };
    let records = source.read(topic, copy.partition, since, ALIKE, limit)?;
    Ok(only_one_like(copy, &records))
}

/// The offset of the one record that is like another. None where several are, or may be behind these.
fn only_one_like(copy: &Record, records: &[Record]) -> Option<i64> {
    let is_alike = |one: &&Record| {
        let what = |one: &Record| (one.time, one.key.clone(), one.value.clone());
        what(one) == what(copy) && one.headers == copy.headers
    };
    let is_cut_off =
        records.len() >= ALIKE && records.last().is_some_and(|last| last.time <= copy.time);
    let mut alike = records.iter().filter(is_alike);
    let offset = alike.next()?.offset;
    (alike.next().is_none() && !is_cut_off).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_where_only_one_is_like_it() {
        let source = [
            Record::sample(90, 5, "a"),
            Record::sample(91, 5, "b"),
            Record::sample(92, 6, "a"),
        ];
        assert_eq!(only_one_like(&Record::sample(0, 5, "b"), &source), Some(91));
        assert_eq!(only_one_like(&Record::sample(0, 6, "a"), &source), Some(92));
        assert_eq!(only_one_like(&Record::sample(0, 6, "b"), &source), None);
        let twice = [
            Record::sample(90, 5, "a"),
            Record::sample(91, 5, "a"),
            Record::sample(92, 6, "b"),
        ];
        assert_eq!(only_one_like(&Record::sample(0, 5, "a"), &twice), None);
        // more of that time may come
        let offsets = 0..i64::try_from(ALIKE).unwrap();
        let many: Vec<Record> = offsets
            .map(|n| Record::sample(n, 5, &n.to_string()))
            .collect();
        assert_eq!(only_one_like(&Record::sample(0, 5, "7"), &many), None);
    }
}
