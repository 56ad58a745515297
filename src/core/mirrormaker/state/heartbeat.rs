//! Decodes MirrorMaker's heartbeats on its target.
//!
//! The format is MirrorMaker's (`Heartbeat`): the key is the names of source and target, each after its length in two
//! bytes; the value a version in two bytes, and milliseconds since the epoch in eight.

use kmk_kafka::message::Record;

/// When MirrorMaker last gave a sign of life for the flow between these two, in milliseconds since the epoch by its own
/// clock, as these records of the [topic](crate::core::topology::HEARTBEATS) say.
pub fn last_heartbeat<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    source: &str,
    target: &str,
) -> Option<i64> {
    let of_flow = records.into_iter().filter(|record| {
        let key = record.key.as_deref().and_then(names);
        key == Some((source.as_bytes(), target.as_bytes()))
    });
    let times = of_flow.filter_map(|record| time(record.value.as_deref()?));
    times.max()
}

fn names(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (source, rest) = name(key)?;
    let (target, rest) = name(rest)?;
    rest.is_empty().then_some((source, target))
}

fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn time(value: &[u8]) -> Option<i64> {
    let (_version, rest) = value.split_first_chunk::<2>()?;
    Some(i64::from_be_bytes(*rest.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn beat(source: &str, target: &str, time: i64) -> Record {
        let name = |name: &str| {
            let length = u16::try_from(name.len()).unwrap().to_be_bytes();
            [&length[..], name.as_bytes()].concat()
        };
        Record {
            partition: 0,
            offset: 0,
            time: None,
            key: Some([name(source), name(target)].concat()),
            value: Some([&[0, 0][..], &time.to_be_bytes()].concat()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn the_latest_of_the_flow_counts() {
        let records = [
            beat("a", "b", 7),
            beat("a", "b", 5),
            beat("a", "c", 9),
            beat("ab", "", 9),
        ];
        assert_eq!(last_heartbeat(&records, "a", "b"), Some(7));
        assert_eq!(last_heartbeat(&records, "b", "a"), None);
    }

    #[test]
    fn it_reads_what_mirrormaker_wrote() {
        let key = b"\0\x07primary\0\x09secondary".to_vec();
        let value = b"\0\0\0\0\x01\xa2\x06\x9a\x25\xbf".to_vec();
        let seen = Record {
            key: Some(key),
            value: Some(value),
            ..beat("", "", 0)
        };
        let time = last_heartbeat([&seen], "primary", "secondary");
        assert_eq!(time, Some(1_795_407_095_231));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(key in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..12)),
                                  value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..12))) {
            let record = Record { key, value, ..beat("", "", 0) };
            last_heartbeat([&record], "", "");
        }

        #[test]
        fn it_is_read_as_it_was_written(source in "[a-z-]{1,20}", target in "[a-z-]{1,20}", time in 0i64..) {
            let beat = beat(&source, &target, time);
            prop_assert_eq!(last_heartbeat([&beat], &source, &target), Some(time));
        }
    }
}
