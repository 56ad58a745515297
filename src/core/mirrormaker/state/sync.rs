//! Decodes offset syncs: which offset of the target belongs to which offset of the source.
//!
//! The format is MirrorMaker's `OffsetSync`, read with a plain consumer from `mm2-offset-syncs.<target>.internal` on the
//! source (or, by `offset-syncs.topic.location`, from `mm2-offset-syncs.<source>.internal` on the target).

use super::binary::Fields;

/// A record of the source, and a copy of it: this one and no other offset was given to it when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct OffsetSync {
    /// The record's offset on the source.
    pub upstream: i64,
    /// The copy's offset on the target.
    pub downstream: i64,
}

/// The offset sync in one record: its topic (by its name on the source) and partition, and what it says.
pub fn offset_sync(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Option<((String, i32), OffsetSync)> {
    let (mut key, mut value) = (Fields(key?), Fields(value?));
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
    use crate::core::mirrormaker::state::tests::bytes;
    use proptest::prelude::*;

    /// Laid out as by MirrorMaker 3.9.2 in `mm2-offset-syncs.secondary.internal`.
    #[test]
    fn a_sync_as_mirrormaker_writes_it() {
        let key = b"\0\x06orders\0\0\0\x02";
        let value = [0, 0, 0, 0, 0, 0, 1, 0xfb, 0, 0, 0, 0, 0, 0, 1, 0x94];
        let sync = OffsetSync {
            upstream: 507,
            downstream: 404,
        };
        let place = ("orders".to_owned(), 2);
        assert_eq!(offset_sync(Some(key), Some(&value)), Some((place, sync)));
        assert_eq!(offset_sync(Some(key), None), None);
        assert_eq!(offset_sync(None, Some(&value)), None);
        assert_eq!(offset_sync(Some(b"\0\x99x"), Some(&value)), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(topic in "[a-z.]{1,30}", partition: i32, upstream: i64, downstream: i64) {
            let key = [bytes(&topic), partition.to_be_bytes().to_vec()].concat();
            let value = [upstream.to_be_bytes(), downstream.to_be_bytes()].concat();
            let sync = offset_sync(Some(&key), Some(&value));
            prop_assert_eq!(sync, Some(((topic, partition), OffsetSync { upstream, downstream })));
        }

        #[test]
        fn no_bytes_make_it_panic(key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
            offset_sync(key.as_deref(), value.as_deref());
        }
    }
}
