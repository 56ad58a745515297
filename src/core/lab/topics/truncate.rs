//! Deletes the oldest records of a topic.

use super::{TopicError, find};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Start, StartOffset, TopicInfo};
use std::collections::BTreeMap;

/// Which records to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    /// Of this topic.
    pub topic: String,
    /// Only of this partition; none for all.
    pub partition: Option<i32>,
    /// All records before this.
    pub before: Start,
}

/// What happened to one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Truncated {
    /// Its number.
    pub partition: i32,
    /// The offset of its first record, as it was.
    pub was: i64,
    /// The same, as it is now.
    pub now: i64,
}

impl Truncated {
    /// Offsets that are gone.
    pub fn removed(&self) -> u64 {
        u64::try_from(self.now.saturating_sub(self.was)).unwrap_or(0)
    }
}

/// Removes records. `before` is told which, before that.
///
/// # Errors
/// [`TopicError`]; nothing was removed where an offset is beyond the end.
pub fn truncate(
    bootstrap: &[Endpoint],
    what: &Truncate,
    before: impl FnOnce(&[Truncated]),
    limit: &Limit,
) -> Result<Vec<Truncated>, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let info = find(&mut admin, &what.topic, limit)?;
    let partitions = partitions(&what.topic, &info, what.partition)?;
    let places = admin.start_offsets(&what.topic, &partitions, what.before, limit)?;
    refuse_beyond_the_end(&what.topic, &places)?;
    // what is before the first record is gone already
    let meant = places.iter().map(|(partition, place)| Truncated {
        partition: *partition,
        was: place.first,
        now: place.meant.max(place.first),
    });
    let meant: Vec<Truncated> = meant.collect();
    before(&meant);
    let meant = meant.iter();
    let meant = meant.map(|one| ((what.topic.clone(), one.partition), one.now));
    let now = admin.delete_records(&meant.collect(), limit)?;
    let truncated = now.into_iter().map(|((_, partition), now)| Truncated {
        partition,
        was: places.get(&partition).map_or(0, |place| place.first),
        now,
    });
    Ok(truncated.collect())
}

/// The partitions that are meant.
pub(in crate::core::lab) fn partitions(
    topic: &str,
    info: &TopicInfo,
    only: Option<i32>,
) -> Result<Vec<i32>, KafkaError> {
    match only {
        None => Ok(info.partitions.iter().map(|one| one.id).collect()),
        Some(id) if info.partition(id).is_some() => Ok(vec![id]),
        Some(partition) => Err(KafkaError::UnknownPartition {
            topic: topic.to_owned(),
            partition,
            partitions: info.partitions.len(),
        }),
    }
}

fn refuse_beyond_the_end(
    topic: &str,
    places: &BTreeMap<i32, StartOffset>,
) -> Result<(), TopicError> {
    let mut places = places.iter();
    match places.find(|(_, place)| place.meant > place.end) {
        None => Ok(()),
        Some((partition, place)) => Err(TopicError::BeyondEnd {
            topic: topic.to_owned(),
            partition: *partition,
            offset: place.meant,
            end: place.end,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_behind_the_end_of_one_partition_is_refused() {
        let refused = |meant, ends: &[i64]| {
            let place = |end: &i64| StartOffset {
                first: 0,
                end: *end,
                meant,
            };
            let places = (0..).zip(ends.iter().map(place)).collect();
            refuse_beyond_the_end("t", &places)
        };
        assert!(refused(3, &[9, 3]).is_ok());
        assert!(refused(9, &[9]).is_ok());
        let error = refused(4, &[9, 3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "partition 1 of topic `t` ends at offset 3, before 4"
        );
    }

    #[test]
    fn what_was_gone_before_is_not_counted_again() {
        let one = |was, now| Truncated {
            partition: 0,
            was,
            now,
        };
        assert_eq!(one(3, 10).removed(), 7);
        assert_eq!(one(10, 10).removed(), 0);
        assert_eq!(one(10, 3).removed(), 0);
    }
}
