//! Reads MirrorMaker's internal topics from beginning to end.

use kmk_kafka::message::{Record, RecordRef};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, TopicInfo};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// All records of `topic`, of those that are there; none where it is not.
pub(in crate::core) fn read(
    admin: &mut Admin,
    there: &BTreeMap<String, TopicInfo>,
    topic: &str,
    limit: &Limit,
) -> Result<Vec<Record>, KafkaError> {
    let mut records = Vec::new();
    let partitions = there.get(topic).map_or(&[][..], |info| &info.partitions);
    let first = admin.offsets(&[topic.to_owned()], At::Earliest, limit)?;
    for partition in partitions {
        let place = (topic.to_owned(), partition.id);
        let from = first.get(&place).copied().unwrap_or(0);
        records.extend(admin.read(topic, partition.id, from, usize::MAX, limit)?);
    }
    Ok(records)
}

/// Shows all records of `topic`, of those that are there, to `take`, and keeps none.
pub(in crate::core) fn each(
    admin: &mut Admin,
    there: &BTreeMap<String, TopicInfo>,
    topic: &str,
    limit: &Limit,
    mut take: impl FnMut(&RecordRef<'_>),
) -> Result<(), KafkaError> {
    let partitions = there.get(topic).map_or(&[][..], |info| &info.partitions);
    let first = admin.offsets(&[topic.to_owned()], At::Earliest, limit)?;
    for partition in partitions {
        let place = (topic.to_owned(), partition.id);
        let from = first.get(&place).copied().unwrap_or(0);
        admin.scan(topic, partition.id, from, limit, |record| {
            take(&record);
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}
