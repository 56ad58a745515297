//! What MirrorMaker says of a flow that no canary may cross. Knows nothing of containers.

use crate::core::kafka::{Admin, KafkaError};
use crate::core::lab::status::COPIES;
use crate::core::lab::{addresses, notes};
use crate::core::message::Record;
use crate::core::mirror_state::{self, Part, Status};
use crate::core::topology::{Cluster, Flow, Topology, is_internal};
use crate::core::wait::{Limit, Probe};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long all must have been well: tasks begin a moment after their connector, and may end in the next one.
const SETTLED: Duration = Duration::from_secs(1);
/// How long a task is waited for that copies something. Connect calls a connector `RUNNING` that has never reached its
/// source, wrong password and all: only a task is a sign of that.
const TASKLESS: Duration = Duration::from_secs(10);

/// What MirrorMaker's word is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It has found something to copy, or there is nothing.
    Copies,
    /// It runs, and has found nothing, where something may be.
    FoundNothing,
}

/// MirrorMaker's word on one flow, asked for again and again.
pub(super) struct Word<'a> {
    flow: &'a Flow,
    source: Option<&'a Cluster>,
    target: &'a Cluster,
    /// When its MirrorMaker was started, in milliseconds since the epoch: what was noted before is of another one.
    since: i64,
    well: Option<Instant>,
}

impl<'a> Word<'a> {
    pub(super) fn new(
        topology: &'a Topology,
        flow: &'a Flow,
        target: &'a Cluster,
        since: i64,
    ) -> Self {
        Self {
            flow,
            source: topology.cluster(&flow.spec.source),
            target,
            since,
            well: None,
        }
    }

    /// Whether it says, for long enough, that it runs.
    pub(super) fn ask(&mut self, limit: &Limit) -> Result<Probe<Heard>, KafkaError> {
        let mut admin = Admin::connect(&addresses(self.target)?, limit)?;
        let there = admin.topics(limit)?;
        let topic = mirror_state::status_topic(&self.flow.spec.source);
        let records = notes::read(&mut admin, &there, &topic, limit)?;
        let parts = parts(&records, self.since);
        if let Some(trouble) = trouble(&parts) {
            self.well = None;
            return Ok(Probe::NotYet(trouble));
        }
        let well = self.well.get_or_insert_with(Instant::now).elapsed();
        let copies = |part: &Part| part.connector == COPIES && part.task.is_some();
        Ok(if well < SETTLED {
            Probe::NotYet("MirrorMaker has only begun to run".to_owned())
        } else if parts.keys().any(copies) || self.is_nothing_to_copy(limit) {
            Probe::Ready(Heard::Copies)
        } else if well < TASKLESS {
            let source = &self.flow.spec.source;
            Probe::NotYet(format!(
                "MirrorMaker has found nothing to copy on {source} yet"
            ))
        } else {
            Probe::Ready(Heard::FoundNothing)
        })
    }

    /// Whether the source is seen to have nothing but topics that are never copied, MirrorMaker's among them.
    fn is_nothing_to_copy(&self, limit: &Limit) -> bool {
        let look = |source: &Cluster| {
            let bootstrap = addresses(source).ok()?;
            Admin::connect(&bootstrap, limit).ok()?.topics(limit).ok()
        };
        let syncs = format!("mm2-offset-syncs.{}.internal", self.flow.spec.target);
        let there = self.source.and_then(look);
        there.is_some_and(|there| {
            there.contains_key(&syncs) && there.keys().all(|name| is_internal(name))
        })
    }
}

/// What was noted since.
fn parts(records: &[Record], since: i64) -> BTreeMap<Part, Status> {
    let is_new = |record: &&Record| record.time.is_none_or(|time| time >= since);
    mirror_state::statuses(records.iter().filter(is_new))
}

/// Why it cannot be said to run.
fn trouble(parts: &BTreeMap<Part, Status>) -> Option<String> {
    let ill = parts.iter().find(|(_, status)| !status.is_running());
    if let Some((part, status)) = ill {
        return Some(match status.cause() {
            Some(cause) => format!("{part} is {}: {cause}", status.state),
            None => format!("{part} is {}", status.state),
        });
    }
    let copies = |part: &Part| part.connector == COPIES && part.task.is_none();
    (!parts.keys().any(copies)).then(|| format!("MirrorMaker has not reported its {COPIES} yet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(part: &str, state: &str, time: i64) -> Record {
        let value = format!(r#"{{"state":"{state}","trace":"a.B: c\nCaused by: d.E: f"}}"#);
        Record {
            partition: 0,
            offset: 0,
            time: Some(time),
            key: Some(format!("status-{part}").into_bytes()),
            value: Some(value.into_bytes()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn only_what_this_mirrormaker_says_counts() {
        let connector = "connector-MirrorSourceConnector";
        let old = [says(connector, "RUNNING", 5)];
        assert!(
            trouble(&parts(&old, 6))
                .unwrap()
                .contains("has not reported")
        );
        assert_eq!(trouble(&parts(&old, 5)), None);
        assert!(trouble(&parts(&[], 0)).is_some());
    }

    #[test]
    fn one_failed_task_is_trouble_until_it_runs() {
        let connector = says("connector-MirrorSourceConnector", "RUNNING", 5);
        let task = |state| says("task-MirrorSourceConnector-0", state, 6);
        let failed = [connector.clone(), task("FAILED")];
        assert_eq!(
            trouble(&parts(&failed, 0)).unwrap(),
            "MirrorSourceConnector-0 is FAILED: d.E: f"
        );
        let mended = [connector, task("FAILED"), task("RUNNING")];
        assert_eq!(trouble(&parts(&mended, 0)), None);
    }
}
