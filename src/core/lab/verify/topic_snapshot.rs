//! A flow's topic on its target at one moment, and whether more records of a run may still arrive.

use super::route::Target;

use crate::core::mirrormaker::state::{copied, offsets_topic};
use crate::core::observe::internal;
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, At, KafkaError, Written};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How soon after trouble it is looked again.
pub(super) const AGAIN: Duration = Duration::from_millis(100);

/// How long a topic must be missing before that is believed.
const SETTLE: Duration = Duration::from_secs(2);

/// Whose times the records on a target carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// The topic keeps those that MirrorMaker brings (`CreateTime`).
    Kept,
    /// The target's brokers replace them with their own (`LogAppendTime`).
    Overwritten,
    /// The target does not tell.
    Unknown,
}

/// A topic that is there.
#[derive(Debug, Clone)]
pub(super) struct TopicSnapshot {
    pub(super) id: Option<u128>,
    /// Where each partition begins.
    pub(super) first: BTreeMap<i32, i64>,
    /// Where each ends for a consumer with `read_committed`.
    pub(super) stable: BTreeMap<i32, i64>,
    /// Where each ends.
    latest: BTreeMap<i32, i64>,
    pub(super) times: Times,
}

impl TopicSnapshot {
    /// The topic as it is now; none where it is not there. What may heal is waited for.
    pub(super) fn of(target: &Target, limit: &Limit) -> Result<Option<Self>, KafkaError> {
        let mut missing_since = None;
        patiently(limit, || {
            let mut admin = Admin::connect(&target.endpoints, limit)?;
            let Some(info) = admin.topics(limit)?.remove(&target.remote) else {
                let since = *missing_since.get_or_insert_with(Instant::now);
                return Ok(if since.elapsed() < SETTLE {
                    Probe::NotYet(format!("topic `{}` is missing", target.remote))
                } else {
                    Probe::Ready(None)
                });
            };
            missing_since = None;
            let partitions: Vec<i32> = info.partitions.iter().map(|one| one.id).collect();
            let mut offsets = |at| admin.offsets_in(&target.remote, &partitions, at, limit);
            let (first, stable) = (offsets(At::Earliest)?, offsets(At::Stable)?);
            let latest = offsets(At::Latest)?;
            let times = match admin.keeps_time(&target.remote, limit) {
                Ok(true) => Times::Kept,
                Ok(false) => Times::Overwritten,
                Err(error) if error.is_retriable() => return Err(error),
                Err(_) => Times::Unknown,
            };
            Ok(Probe::Ready(Some(Self {
                id: info.id,
                first,
                stable,
                latest,
                times,
            })))
        })
    }

    /// Whether this is another topic than it was, or lacks something of what was read from there on.
    pub(super) fn has_lost(&self, id: Option<u128>, begun: &BTreeMap<i32, i64>) -> bool {
        let is_another = matches!((self.id, id), (Some(now), Some(then)) if now != then);
        let mut begun = begun.iter();
        is_another || begun.any(|(partition, begun)| self.first.get(partition) > Some(begun))
    }

    /// From where on each partition holds records of a run that began there in the topic of this id: what existed before is
    /// none of it, unless this is another topic.
    pub(super) fn begun(&self, id: Option<u128>, begun: &BTreeMap<i32, i64>) -> BTreeMap<i32, i64> {
        let begun = begun.iter().filter(|_| self.id == id);
        begun
            .map(|(partition, offset)| (*partition, *offset))
            .collect()
    }
}

/// Looks until there is something to see; what time may heal is no answer.
pub(super) fn patiently<T>(
    limit: &Limit,
    mut look: impl FnMut() -> Result<Probe<T>, KafkaError>,
) -> Result<T, KafkaError> {
    limit.until(AGAIN, || match look() {
        Err(error) if error.is_retriable() => Ok(Probe::NotYet(error.to_string())),
        settled => settled,
    })
}

/// Waits until nothing of what was written to `topic` of `source` can be copied once more: MirrorMaker has committed its
/// position behind the last record, wherever it begins again, and no transaction is open on the target. What may still
/// come, where time was up before.
pub(super) fn settled(
    target: &Target,
    source: &str,
    topic: &str,
    written: &BTreeMap<i32, Written>,
    limit: &Limit,
) -> Result<Option<String>, KafkaError> {
    let settled = patiently(limit, || {
        let mut admin = Admin::connect(&target.endpoints, limit)?;
        let topics = admin.topics(limit)?;
        let notes = internal::read(&mut admin, &topics, &offsets_topic(source), limit)?;
        let ahead = ahead(topic, written, &copied(&notes, source));
        let open = match ahead {
            Some(_) => None,
            None => TopicSnapshot::of(target, limit)?.and_then(|sight| open(&sight)),
        };
        Ok(ahead.or(open).map_or(Probe::Ready(()), Probe::NotYet))
    });
    match settled {
        Ok(()) => Ok(None),
        Err(KafkaError::Stopped(Stop::Deadline { last_seen, .. })) => Ok(Some(last_seen)),
        Err(error) => Err(error),
    }
}

/// Where MirrorMaker may still repeat records: its committed position is not behind the last one that was written.
fn ahead(
    topic: &str,
    written: &BTreeMap<i32, Written>,
    committed: &BTreeMap<(String, i32), i64>,
) -> Option<String> {
    written.iter().find_map(|(&partition, written)| {
        let last = written.last;
        let at = committed.get(&(topic.to_owned(), partition)).copied();
        if last < 0 {
            return Some(format!(
                "the source does not report the last record of partition {partition}"
            ));
        }
        (at < Some(last)).then(|| {
            let at = at.map_or_else(|| "none".to_owned(), |at| at.to_string());
            format!("the last offset of partition {partition} is {last}, and MirrorMaker's committed position is {at}")
        })
    })
}

/// Where a transaction has not ended.
fn open(sight: &TopicSnapshot) -> Option<String> {
    let mut latest = sight.latest.iter();
    let open = latest.find(|&(partition, end)| sight.stable.get(partition) < Some(end));
    open.map(|(partition, _)| format!("a transaction is open in partition {partition}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(id: u128, first: i64, stable: i64, latest: i64) -> TopicSnapshot {
        let at = |offset| BTreeMap::from([(0, offset)]);
        TopicSnapshot {
            id: Some(id),
            first: at(first),
            stable: at(stable),
            latest: at(latest),
            times: Times::Kept,
        }
    }

    fn written(last: i64) -> BTreeMap<i32, Written> {
        let written = Written {
            first: 0,
            last,
            records: 10,
        };
        BTreeMap::from([(0, written)])
    }

    #[test]
    fn more_may_come_until_the_last_record_is_committed() {
        let committed = |offset| BTreeMap::from([(("t".to_owned(), 0), offset)]);
        assert_eq!(ahead("t", &written(9), &committed(9)), None);
        assert_eq!(ahead("t", &written(9), &committed(12)), None);
        let said = "the last offset of partition 0 is 9, and MirrorMaker's committed position is 8";
        assert_eq!(ahead("t", &written(9), &committed(8)).unwrap(), said);
        assert!(ahead("t", &written(9), &BTreeMap::new()).is_some());
        assert!(ahead("u", &written(9), &committed(9)).is_some());
        assert!(ahead("t", &written(-1), &committed(9)).is_some());
    }

    #[test]
    fn more_may_come_while_a_transaction_is_open() {
        assert_eq!(open(&sight(1, 0, 9, 9)), None);
        let said = "a transaction is open in partition 0";
        assert_eq!(open(&sight(1, 0, 7, 9)).unwrap(), said);
    }

    #[test]
    fn a_topic_made_again_or_cut_off_has_lost_something() {
        let begun = BTreeMap::from([(0, 5)]);
        assert!(!sight(1, 5, 9, 9).has_lost(Some(1), &begun));
        assert!(!sight(1, 0, 9, 9).has_lost(None, &begun));
        assert!(sight(1, 6, 9, 9).has_lost(Some(1), &begun));
        assert!(sight(2, 0, 9, 9).has_lost(Some(1), &begun));
    }

    #[test]
    fn what_was_there_before_is_none_of_the_run_unless_the_topic_is_another() {
        let begun = BTreeMap::from([(0, 5)]);
        assert_eq!(sight(1, 6, 9, 9).begun(Some(1), &begun), begun);
        assert_eq!(sight(2, 6, 9, 9).begun(Some(1), &begun), BTreeMap::new());
    }
}
