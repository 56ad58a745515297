//! Decodes checkpoints: MirrorMaker's translated offsets of a consumer group.
//!
//! The format is MirrorMaker's `Checkpoint`, read with a plain consumer from `<source>.checkpoints.internal` on the
//! target. The topic is compacted: the latest record of a key wins, and one without a value deletes it.

use super::binary::Fields;
use kmk_kafka::message::Record;
use std::collections::BTreeMap;

/// A group, and a topic (by its name on the target) and partition in which it has a committed offset.
pub type GroupPlace = (String, (String, i32));

/// A committed offset of a group on the source, translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Checkpoint {
    /// The offset that the group had committed on the source.
    pub upstream: i64,
    /// The offset at which it resumes on the target.
    pub downstream: i64,
    /// When that was written down, in milliseconds since the epoch.
    pub time: Option<i64>,
}

/// The latest checkpoint of each group in each partition, from the records of the [topic](crate::core::topology::checkpoints_topic) in order.
pub fn checkpoints<'a>(
    records: impl IntoIterator<Item = &'a Record>,
) -> BTreeMap<GroupPlace, Checkpoint> {
    let mut checkpoints = BTreeMap::new();
    for record in records {
        let Some(place) = record.key.as_deref().and_then(place) else {
            continue;
        };
        match record.value.as_deref().map(value) {
            None => drop(checkpoints.remove(&place)),
            Some(Some((upstream, downstream))) => {
                let checkpoint = Checkpoint {
                    upstream,
                    downstream,
                    time: record.time.filter(|time| *time >= 0),
                };
                checkpoints.insert(place, checkpoint);
            }
            Some(None) => {}
        }
    }
    checkpoints
}

fn place(key: &[u8]) -> Option<GroupPlace> {
    let mut key = Fields(key);
    let group = key.string()?.to_owned();
    let topic = key.string()?.to_owned();
    Some((group, (topic, key.int32()?)))
}

/// Of version 0, the only one there is. The group's metadata at its end is of no use here.
fn value(value: &[u8]) -> Option<(i64, i64)> {
    let mut value = Fields(value);
    (value.int16()? == 0).then_some(())?;
    Some((value.int64()?, value.int64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirrormaker::state::tests::{bytes, record_of};
    use proptest::prelude::*;

    #[test]
    fn the_latest_checkpoint_wins_and_none_deletes_it() {
        let key = b"\0\x07billing\0\x0eprimary.orders\0\0\0\0".as_slice();
        let other = b"\0\x07billing\0\x0eprimary.orders\0\0\0\x01".as_slice();
        let value = |upstream: u8, downstream: u8| {
            let mut value = vec![0; 20];
            (value[9], value[17]) = (upstream, downstream);
            value
        };
        let mut of_version_1 = value(9, 9);
        of_version_1[1] = 1;
        let mut records = [
            record_of(Some(key), Some(&value(5, 4))),
            record_of(Some(other), Some(&value(1, 1))),
            record_of(Some(key), Some(&value(8, 7))),
            record_of(Some(key), Some(&of_version_1)),
            record_of(Some(other), None),
        ];
        records[2].time = Some(1_000);
        let place = ("billing".to_owned(), ("primary.orders".to_owned(), 0));
        let checkpoint = Checkpoint {
            upstream: 8,
            downstream: 7,
            time: Some(1_000),
        };
        assert_eq!(checkpoints(&records), BTreeMap::from([(place, checkpoint)]));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            group in ".{1,30}", topic in "[a-z.]{1,30}", partition: i32, upstream: i64, downstream: i64, metadata in ".{0,9}"
        ) {
            let key = [bytes(&group), bytes(&topic), partition.to_be_bytes().to_vec()].concat();
            let value = [
                0i16.to_be_bytes().to_vec(),
                upstream.to_be_bytes().to_vec(),
                downstream.to_be_bytes().to_vec(),
                bytes(&metadata),
            ]
            .concat();
            let read = checkpoints(&[record_of(Some(&key), Some(&value))]);
            let checkpoint = Checkpoint { upstream, downstream, time: None };
            prop_assert_eq!(read, BTreeMap::from([((group, (topic, partition)), checkpoint)]));
        }

        #[test]
        fn no_bytes_make_it_panic(key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
            checkpoints(&[record_of(key.as_deref(), value.as_deref())]);
        }
    }
}
