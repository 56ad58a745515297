//! Removing the oldest records of a topic. Knows nothing of labs.

use super::{TopicError, find};
use crate::core::endpoint::Endpoint;
use crate::core::kafka::{Admin, At, KafkaError, Start, TopicInfo};
use crate::core::wait::Limit;
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

/// What became of one partition.
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
    /// Offsets that are there no more.
    pub fn removed(&self) -> u64 {
        u64::try_from(self.now.saturating_sub(self.was)).unwrap_or(0)
    }
}

/// Removes records.
///
/// # Errors
/// [`TopicError`]; nothing was removed where an offset lies beyond the end.
pub fn truncate(
    bootstrap: &[Endpoint],
    what: &Truncate,
    limit: &Limit,
) -> Result<Vec<Truncated>, TopicError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let info = find(&mut admin, &what.topic, limit)?;
    let partitions = partitions(&what.topic, &info, what.partition)?;
    let names = [what.topic.clone()];
    let first = admin.offsets(&names, At::Earliest, limit)?;
    let is_led = |partition: &&i32| first.contains_key(&(what.topic.clone(), **partition));
    if let Some(&partition) = partitions.iter().find(|partition| !is_led(partition)) {
        let topic = what.topic.clone();
        return Err(KafkaError::NoLeader { topic, partition }.into());
    }
    let before = match what.before {
        Start::Earliest => first.clone(),
        Start::Latest => admin.offsets(&names, At::Latest, limit)?,
        Start::Time(time) => admin.offsets(&names, At::Time(time), limit)?,
        Start::Offset(offset) => {
            let ends = admin.offsets(&names, At::Latest, limit)?;
            refuse_beyond_the_end(&what.topic, &partitions, offset, &ends)?;
            let places = first.keys().cloned();
            places.map(|place| (place, offset)).collect()
        }
    };
    let first_of = |place: &(String, i32)| first.get(place).copied().unwrap_or(0);
    // what lies before the first record is gone already
    let meant: BTreeMap<(String, i32), i64> = before
        .into_iter()
        .filter(|(place, _)| partitions.contains(&place.1))
        .map(|(place, offset)| {
            let offset = offset.max(first_of(&place));
            (place, offset)
        })
        .collect();
    let now = admin.delete_records(&meant, limit)?;
    let truncated = now.into_iter().map(|(place, now)| Truncated {
        partition: place.1,
        was: first_of(&place),
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
    partitions: &[i32],
    offset: i64,
    ends: &BTreeMap<(String, i32), i64>,
) -> Result<(), TopicError> {
    for &partition in partitions {
        match ends.get(&(topic.to_owned(), partition)) {
            Some(&end) if offset > end => {
                return Err(TopicError::BeyondTheEnd {
                    topic: topic.to_owned(),
                    partition,
                    offset,
                    end,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_behind_the_end_of_one_partition_is_refused() {
        let ends = BTreeMap::from([(("t".to_owned(), 0), 9), (("t".to_owned(), 1), 3)]);
        assert!(refuse_beyond_the_end("t", &[0, 1], 3, &ends).is_ok());
        assert!(refuse_beyond_the_end("t", &[0], 9, &ends).is_ok());
        let error = refuse_beyond_the_end("t", &[0, 1], 4, &ends).unwrap_err();
        assert_eq!(
            error.to_string(),
            "partition 1 of topic `t` ends at offset 3: 4 lies beyond it"
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
