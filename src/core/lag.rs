//! How far a copy is behind, from plain offsets. Knows nothing of where they come from.

/// Records of one partition that MirrorMaker has not yet noted as copied.
///
/// `first` and `end` are the source's: the offset of its first record, and the one that its next record will get.
/// `copied` is the offset of the last record that was copied, if any was.
///
/// Never negative: a topic that was deleted and made anew has an end below what was copied of the old one.
/// Offsets that hold no record (transaction markers, compacted ones) count too: Kafka does not tell them apart.
pub fn behind(first: i64, end: i64, copied: Option<i64>) -> u64 {
    let next = copied.map_or(first, |offset| offset.saturating_add(1).max(first));
    u64::try_from(end.saturating_sub(next)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_what_is_not_copied() {
        for (first, end, copied, expected) in [
            (0, 0, None, 0),
            (0, 10, None, 10),
            (0, 10, Some(9), 0),
            (0, 10, Some(0), 9),
            (5, 10, None, 5),
            (5, 10, Some(2), 5),
            (0, 3, Some(99), 0),
        ] {
            assert_eq!(
                behind(first, end, copied),
                expected,
                "{first} {end} {copied:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn is_never_more_than_there_is(first in 0i64.., length in 0i64..1000, copied in proptest::option::of(-1i64..)) {
            let end = first.saturating_add(length);
            prop_assert!(behind(first, end, copied) <= length.unsigned_abs());
        }
    }
}
