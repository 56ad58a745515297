//! What MirrorMaker writes down about itself on its target, decoded: the state of its tasks and how far it has read.
//!
//! The formats are Kafka Connect's (`KafkaStatusBackingStore`, `MirrorUtils`), read with a plain consumer from
//! `mm2-status.<source>.internal` and `mm2-offsets.<source>.internal`. Both topics are compacted: the latest record of
//! a key wins, and one without a value deletes it.

mod binary;
mod checkpoint;
mod config;
mod failure;
mod heartbeat;
mod position;
mod sync;

pub use checkpoint::{Checkpoint, GroupPlace, checkpoints};
pub use config::{Config, began, config, has_let_go};
pub use failure::{Failure, failures};
pub use heartbeat::last_heartbeat;
pub use position::{Position, key_of, positions, value_of};
pub use sync::{OffsetSync, offset_sync};

pub use crate::core::topology::{
    checkpoints_topic, configs_topic, offset_syncs_topic, offsets_topic, status_topic,
};

use kmk_kafka::message::Record;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The connector that copies records; without it a flow is dead.
pub const COPIES: &str = "MirrorSourceConnector";

/// The group in which the workers that copy from `source` share that work, on their target. Who has which part stands
/// only there: in the status topic all workers of a MirrorMaker call themselves `source->target`.
pub fn group(source: &str) -> String {
    format!("{source}-mm2")
}

/// The topics that MirrorMaker keeps its own state of `source` in, on its target: compacted, of one partition each.
pub fn topics(source: &str) -> [String; 3] {
    [offsets_topic, status_topic, configs_topic].map(|topic| topic(source))
}

/// A connector of MirrorMaker, or one of its tasks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Such as `MirrorSourceConnector`.
    pub connector: String,
    /// The task's number; none for the connector itself.
    pub task: Option<u32>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(task) => write!(f, "{}-{task}", self.connector),
            None => f.write_str(&self.connector),
        }
    }
}

/// What Connect says of a part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// `RUNNING`, `FAILED`, `UNASSIGNED`, `PAUSED`, `RESTARTING`, …
    pub state: String,
    /// The Java stack trace of a failure.
    #[serde(default)]
    pub trace: Option<String>,
}

impl Status {
    /// Whether it does its work.
    pub fn is_running(&self) -> bool {
        self.state == "RUNNING"
    }

    /// The most telling line of the trace: its last cause.
    pub fn cause(&self) -> Option<&str> {
        let trace = self.trace.as_deref()?;
        let mut causes = trace
            .lines()
            .filter_map(|line| line.strip_prefix("Caused by: "));
        causes
            .next_back()
            .or_else(|| trace.lines().next())
            .map(str::trim)
    }
}

/// The present state of every part, from the records of the [status topic](status_topic) in order. Records that are
/// not about parts (Connect keeps topics in use there too) are passed over.
pub fn statuses<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<Part, Status> {
    let mut statuses = BTreeMap::new();
    for record in records {
        let Some(part) = record.key.as_deref().and_then(part) else {
            continue;
        };
        match record.value.as_deref().map(serde_json::from_slice) {
            None => drop(statuses.remove(&part)),
            Some(Ok(status)) => drop(statuses.insert(part, status)),
            Some(Err(_)) => {}
        }
    }
    statuses
}

/// `status-connector-NAME` or `status-task-NAME-N`.
fn part(key: &[u8]) -> Option<Part> {
    let key = std::str::from_utf8(key).ok()?;
    if let Some(connector) = key.strip_prefix("status-connector-") {
        return Some(Part {
            connector: connector.to_owned(),
            task: None,
        });
    }
    let (connector, task) = key.strip_prefix("status-task-")?.rsplit_once('-')?;
    Some(Part {
        connector: connector.to_owned(),
        task: Some(task.parse().ok()?),
    })
}

/// How far MirrorMaker has copied: for each topic and partition of the source, the offset of the last record it has
/// written to the target and committed. Taken from the records of the [offsets topic](offsets_topic) in order; those of its
/// other connectors (heartbeats, checkpoints) are passed over.
pub fn copied<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    source: &str,
) -> BTreeMap<(String, i32), i64> {
    let positions = positions(records, source).into_iter();
    positions
        .map(|(place, position)| (place, position.offset))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn record_of(key: Option<&[u8]>, value: Option<&[u8]>) -> Record {
        Record {
            partition: 0,
            offset: 0,
            time: None,
            key: key.map(Into::into),
            value: value.map(Into::into),
            headers: Vec::new(),
        }
    }

    /// A string as Kafka's `protocol.types` writes it.
    pub(super) fn bytes(text: &str) -> Vec<u8> {
        let length = i16::try_from(text.len()).unwrap();
        [&length.to_be_bytes(), text.as_bytes()].concat()
    }

    fn record(key: &str, value: Option<&str>) -> Record {
        Record {
            partition: 0,
            offset: 0,
            time: None,
            key: Some(key.into()),
            value: value.map(Into::into),
            headers: Vec::new(),
        }
    }

    fn source(task: Option<u32>) -> Part {
        Part {
            connector: "MirrorSourceConnector".to_owned(),
            task,
        }
    }

    #[test]
    fn the_latest_state_of_a_part_wins_and_none_deletes_it() {
        let running =
            r#"{"state":"RUNNING","trace":null,"worker_id":"secondary->primary","generation":3}"#;
        let records = [
            record("status-connector-MirrorSourceConnector", Some(running)),
            record("status-task-MirrorSourceConnector-0", Some(running)),
            record("status-task-MirrorSourceConnector-1", Some(running)),
            record("status-task-MirrorSourceConnector-1", None),
            record(
                "status-topic-x:connector-MirrorSourceConnector",
                Some(r#"{"topic":{}}"#),
            ),
            record(
                "status-task-MirrorSourceConnector-0",
                Some(r#"{"state":"FAILED","trace":"a.B: c\n\tat d\nCaused by: e.F: g\n\tat h"}"#),
            ),
        ];
        let statuses = statuses(&records);
        assert_eq!(
            statuses.keys().collect::<Vec<_>>(),
            [&source(None), &source(Some(0))]
        );
        assert!(statuses[&source(None)].is_running());
        assert!(!statuses[&source(Some(0))].is_running());
        assert_eq!(statuses[&source(Some(0))].cause(), Some("e.F: g"));
        assert_eq!(source(Some(0)).to_string(), "MirrorSourceConnector-0");
    }

    #[test]
    fn only_the_source_connector_of_this_source_counts() {
        let key = |connector: &str, cluster: &str| {
            format!(r#"["{connector}",{{"cluster":"{cluster}","partition":2,"topic":"orders"}}]"#)
        };
        let records = [
            record(
                &key("MirrorSourceConnector", "primary"),
                Some(r#"{"offset":7}"#),
            ),
            record(
                &key("MirrorSourceConnector", "primary"),
                Some(r#"{"offset":9}"#),
            ),
            record(
                &key("MirrorSourceConnector", "other"),
                Some(r#"{"offset":1}"#),
            ),
            record(
                &key("MirrorCheckpointConnector", "primary"),
                Some(r#"{"offset":0}"#),
            ),
            record(
                r#"["MirrorHeartbeatConnector",{"sourceClusterAlias":"primary"}]"#,
                None,
            ),
        ];
        let copied = copied(&records, "primary");
        assert_eq!(copied, BTreeMap::from([(("orders".to_owned(), 2), 9)]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            pairs in proptest::collection::vec(
                (proptest::option::of("(status-(task|connector)-)?.{0,20}"), proptest::option::of(".{0,20}")), 0..8)
        ) {
            let records: Vec<Record> = pairs
                .into_iter()
                .map(|(key, value)| Record {
                    partition: 0,
                    offset: 0,
                    time: None,
                    key: key.map(String::into_bytes),
                    value: value.map(String::into_bytes),
                    headers: Vec::new(),
                })
                .collect();
            statuses(&records);
            copied(&records, "primary");
        }

        #[test]
        fn a_key_is_read_as_it_was_written(connector in "[A-Za-z][A-Za-z-]{0,20}", task in 0u32..) {
            let key = format!("status-task-{connector}-{task}");
            prop_assert_eq!(part(key.as_bytes()), Some(Part { connector, task: Some(task) }));
        }
    }
}
