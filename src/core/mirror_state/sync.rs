//! Offset syncs, decoded: MirrorMaker's notes of which copy belongs to which record. Knows nothing of groups.
//!
//! The format is MirrorMaker's `OffsetSync`, read with a plain consumer from `mm2-offset-syncs.<target>.internal` on the
//! source (or, by `offset-syncs.topic.location`, from `mm2-offset-syncs.<source>.internal` on the target).

use super::binary::Fields;
use crate::core::message::Record;
use std::collections::BTreeMap;

/// The topic with the offset syncs of a flow: named for the cluster at the flow's `other` end, seen from where it lies.
pub fn offset_syncs_topic(other: &str) -> String {
    format!("mm2-offset-syncs.{other}.internal")
}

/// A record of the source, and a copy of it: this one and no other offset was given to it when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct OffsetSync {
    /// The record's offset on the source.
    pub upstream: i64,
    /// The copy's offset on the target.
    pub downstream: i64,
}

/// The offset syncs of each topic (by its name on the source) and partition, in the order in which they were written. The topic is
/// compacted: old ones may be missing.
pub fn offset_syncs<'a>(
    records: impl IntoIterator<Item = &'a Record>,
) -> BTreeMap<(String, i32), Vec<OffsetSync>> {
    let mut syncs: BTreeMap<_, Vec<OffsetSync>> = BTreeMap::new();
    for record in records {
        if let Some((place, sync)) = read(record) {
            syncs.entry(place).or_default().push(sync);
        }
    }
    syncs
}

fn read(record: &Record) -> Option<((String, i32), OffsetSync)> {
    let mut key = Fields(record.key.as_deref()?);
    let mut value = Fields(record.value.as_deref()?);
    let place = (key.string()?.to_owned(), key.int32()?);
    let sync = OffsetSync {
        upstream: value.int64()?,
        downstream: value.int64()?,
    };
    Some((place, sync))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirror_state::tests::{bytes, record_of};
    use proptest::prelude::*;

    /// As MirrorMaker 3.9.2 wrote it: `kcat -C -t mm2-offset-syncs.secondary.internal`.
    #[test]
    fn a_sync_as_mirrormaker_writes_it() {
        let key = b"\0\x06orders\0\0\0\x02";
        let value = [0, 0, 0, 0, 0, 0, 1, 0xfb, 0, 0, 0, 0, 0, 0, 1, 0x94];
        let records = [
            record_of(Some(key), Some(&value)),
            record_of(Some(key), None),
            record_of(None, Some(&value)),
            record_of(Some(b"\0\x99x"), Some(&value)),
        ];
        let sync = OffsetSync {
            upstream: 507,
            downstream: 404,
        };
        let expected = BTreeMap::from([(("orders".to_owned(), 2), vec![sync])]);
        assert_eq!(offset_syncs(&records), expected);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(topic in "[a-z.]{1,30}", partition: i32, upstream: i64, downstream: i64) {
            let key = [bytes(&topic), partition.to_be_bytes().to_vec()].concat();
            let value = [upstream.to_be_bytes(), downstream.to_be_bytes()].concat();
            let syncs = offset_syncs(&[record_of(Some(&key), Some(&value))]);
            prop_assert_eq!(syncs, BTreeMap::from([((topic, partition), vec![OffsetSync { upstream, downstream }])]));
        }

        #[test]
        fn no_bytes_make_it_panic(key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
            offset_syncs(&[record_of(key.as_deref(), value.as_deref())]);
        }
    }
}
