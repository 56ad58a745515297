//! Decodes MirrorMaker's positions: the offset of the last copied record of each partition, as committed on its target.

use kmk_kafka::message::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the keys of positions begin with.
const CONNECTOR: &str = super::COPIES;

/// How far one partition of the source is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The offset of the last record that is written to the target and committed.
    pub offset: i64,
    /// The key under which it is stored, to the byte: a record without a value under it deletes the position.
    pub key: Vec<u8>,
    /// When it was committed, in milliseconds since the epoch, if that is told.
    pub time: Option<i64>,
    /// The partition of the offsets topic in which it is stored.
    pub kept_in: i32,
}

/// The position of each topic and partition of `source`, from the records of the [offsets topic](super::offsets_topic) in
/// order; those of MirrorMaker's other connectors (heartbeats, checkpoints) are skipped.
pub fn positions<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    source: &str,
) -> BTreeMap<(String, i32), Position> {
    let mut positions = BTreeMap::new();
    for record in records {
        let key = record.key.as_deref().unwrap_or_default();
        let Ok((connector, place)) = serde_json::from_slice::<(String, SourcePartition)>(key)
        else {
            continue;
        };
        if connector != CONNECTOR || place.cluster != source {
            continue;
        }
        let place = (place.topic, place.partition);
        match record
            .value
            .as_deref()
            .map(serde_json::from_slice::<StoredOffset>)
        {
            None => drop(positions.remove(&place)),
            Some(Ok(StoredOffset { offset })) => {
                let position = Position {
                    offset,
                    key: key.to_vec(),
                    time: record.time.filter(|time| *time >= 0),
                    kept_in: record.partition,
                };
                positions.insert(place, position);
            }
            Some(Err(_)) => {}
        }
    }
    positions
}

/// The key of a position that MirrorMaker has not stored yet, to the byte as it would write it (`MirrorUtils.wrapPartition`).
pub fn key_of(source: &str, topic: &str, partition: i32) -> Vec<u8> {
    let place = SourcePartition {
        cluster: source.to_owned(),
        partition,
        topic: topic.to_owned(),
    };
    json(&(CONNECTOR, place))
}

/// The value of a position: the offset of the last record that counts as copied.
pub fn value_of(offset: i64) -> Vec<u8> {
    json(&StoredOffset { offset })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain fields have no reason to fail")
}

#[derive(Deserialize, Serialize)]
struct SourcePartition {
    cluster: String,
    partition: i32,
    topic: String,
}

#[derive(Deserialize, Serialize)]
struct StoredOffset {
    offset: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_a_value_under_the_same_key_takes_a_position_back() {
        let key = br#"["MirrorSourceConnector",{"cluster":"a","partition":2,"topic":"orders"}]"#;
        let record = |value: Option<&str>| Record {
            partition: 0,
            offset: 0,
            time: None,
            key: Some(key.to_vec()),
            value: value.map(Into::into),
            headers: Vec::new(),
        };
        let committed = record(Some(r#"{"offset":999}"#));
        let found = positions([&committed], "a");
        let place = ("orders".to_owned(), 2);
        assert_eq!(found[&place].offset, 999);
        assert_eq!(found[&place].key, key);
        assert!(positions([&committed], "b").is_empty());
        assert!(positions([&committed, &record(None)], "a").is_empty());
        assert_eq!(key_of("a", "orders", 2), key);
        assert_eq!(value_of(999), br#"{"offset":999}"#);
    }
}
