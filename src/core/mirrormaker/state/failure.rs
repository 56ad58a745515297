//! Finds the last failure of each of MirrorMaker's connectors and tasks, even if they have been restarted since.

use super::{Part, Status, part};
use kmk_kafka::message::Record;
use std::collections::BTreeMap;

/// A failure of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In milliseconds since the epoch, by MirrorMaker's clock.
    pub time: i64,
    /// The most telling line of its trace.
    pub cause: String,
}

/// The last failure of every part that stands in the records of the [status topic](super::status_topic): it is compacted
/// only in the long run.
pub fn failures<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<Part, Failure> {
    let failure = |record: &Record| {
        let part = part(record.key.as_deref()?)?;
        let status: Status = serde_json::from_slice(record.value.as_deref()?).ok()?;
        let cause = status.cause().filter(|_| status.state == "FAILED")?;
        let failure = Failure {
            time: record.time?,
            cause: cause.to_owned(),
        };
        Some((part, failure))
    };
    records.into_iter().filter_map(failure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(key: &str, value: &str, time: i64) -> Record {
        Record {
            partition: 0,
            offset: 0,
            time: Some(time),
            key: Some(key.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_failure_is_known_after_the_part_runs_again() {
        let task = "status-task-MirrorSourceConnector-0";
        let failed = |cause: &str| format!(r#"{{"state":"FAILED","trace":"{cause}"}}"#);
        let records = [
            says(task, &failed("a"), 1),
            says(task, &failed("b"), 2),
            says(task, r#"{"state":"RUNNING","trace":null}"#, 3),
            says("status-topic-x", &failed("c"), 4),
            says("status-connector-x", r#"{"state":"RUNNING"}"#, 5),
        ];
        let failures: Vec<(String, Failure)> = failures(&records)
            .into_iter()
            .map(|(part, failure)| (part.to_string(), failure))
            .collect();
        let last = Failure {
            time: 2,
            cause: "b".to_owned(),
        };
        assert_eq!(failures, [("MirrorSourceConnector-0".to_owned(), last)]);
    }
}
