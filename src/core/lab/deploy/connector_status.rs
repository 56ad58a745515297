//! Waits until MirrorMaker reports a flow as running, for flows through which no canary may be sent.

use super::failure::DeployError;
use super::ready::{Readiness, Wait, names};
use crate::core::event::{Event, Observer};
use crate::core::judge::health::ailing;
use crate::core::lab::Lab;
use crate::core::lab::addresses;
use crate::core::lab::status::COPIES;
use crate::core::mirrormaker::state::{self, Part, Status};
use crate::core::observe::internal;
use crate::core::topology::{Access, Cluster, Flow, Proof, Topology};
use kmk_kafka::message::Record;
use kmk_kafka::wait::{Limit, Probe};
use kmk_kafka::{Admin, KafkaError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// How long all must have been well: tasks begin a moment after their connector, and may end in the next one.
const SETTLED: Duration = Duration::from_secs(1);
/// How long a task is waited for that copies something. Connect calls a connector `RUNNING` that has never reached its
/// source, wrong password and all: only a task is a sign of that.
const TASKLESS: Duration = Duration::from_secs(10);

/// What MirrorMaker's report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyingStatus {
    /// It has found something to copy, or there is nothing.
    Copies,
    /// It runs, and has found nothing, where something may be.
    FoundNothing,
}

/// Checks again and again what MirrorMaker reports of one flow.
struct StatusCheck<'a> {
    topology: &'a Topology,
    flow: &'a Flow,
    source: Option<&'a Cluster>,
    target: &'a Cluster,
    /// When its MirrorMaker was started, in milliseconds since the epoch: a status from before belongs to another one.
    since: i64,
    well: Option<Instant>,
}

impl<'a> StatusCheck<'a> {
    fn new(topology: &'a Topology, flow: &'a Flow, target: &'a Cluster, since: i64) -> Self {
        Self {
            topology,
            flow,
            source: topology.cluster(&flow.spec.source),
            target,
            since,
            well: None,
        }
    }

    /// Whether it says, for long enough, that it runs.
    fn ask(&mut self, limit: &Limit) -> Result<Probe<CopyingStatus>, KafkaError> {
        let mut admin = Admin::connect(&addresses(self.target)?, limit)?;
        let there = admin.topics(limit)?;
        let topic = state::status_topic(&self.flow.spec.source);
        let records = internal::read(&mut admin, &there, &topic, limit)?;
        let parts = parts(&records, self.since);
        if let Some(trouble) = trouble(&parts) {
            self.well = None;
            return Ok(Probe::NotYet(trouble));
        }
        let well = self.well.get_or_insert_with(Instant::now).elapsed();
        let copies = |part: &Part| part.connector == COPIES && part.task.is_some();
        Ok(if well < SETTLED {
            Probe::NotYet("MirrorMaker has only just started".to_owned())
        } else if parts.keys().any(copies) || self.is_nothing_to_copy(limit) {
            Probe::Ready(CopyingStatus::Copies)
        } else if well < TASKLESS {
            let source = &self.flow.spec.source;
            Probe::NotYet(format!(
                "MirrorMaker has found nothing to mirror on {source} yet"
            ))
        } else {
            Probe::Ready(CopyingStatus::FoundNothing)
        })
    }

    /// Whether the source is seen to have nothing but topics that are never mirrored, MirrorMaker's among them.
    fn is_nothing_to_copy(&self, limit: &Limit) -> bool {
        let look = |source: &Cluster| {
            let bootstrap = addresses(source).ok()?;
            Admin::connect(&bootstrap, limit).ok()?.topics(limit).ok()
        };
        let syncs = state::offset_syncs_topic(&self.flow.spec.target);
        let there = self.source.and_then(look);
        there.is_some_and(|there| {
            there.contains_key(&syncs) && there.keys().all(|name| self.topology.is_internal(name))
        })
    }
}

/// What was stored since.
fn parts(records: &[Record], since: i64) -> BTreeMap<Part, Status> {
    let is_new = |record: &&Record| record.time.is_none_or(|time| time >= since);
    state::statuses(records.iter().filter(is_new))
}

impl Readiness<'_> {
    /// Where no canary may be sent, MirrorMaker's own report has to do.
    pub(super) fn wait_for_connector_status(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let flows = self.topology.flows.iter();
        let flows: Vec<&Flow> = flows
            .filter(|flow| flow.proof == Proof::ConnectorStatus)
            .collect();
        if flows.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        observer.on(Event::Started(format!(
            "Waiting until MirrorMaker reports {} running",
            names(&flows)
        )));
        let mut running = Vec::new();
        for flow in flows {
            let workers = self.workers(flow);
            let wait = Wait {
                what: format!("flow {} does not run", flow.name()),
                services: workers.clone(),
                flow: None,
            };
            let target = self.topology.cluster(&flow.spec.target);
            let Some(target) = target.filter(|target| target.access() == Access::Open) else {
                self.refuse_dead(&workers, limit)
                    .map_err(|ended| self.not_ready(wait.what.clone(), ended, &workers))?;
                observer.on(Event::Note(format!(
                    "whether {} runs is recorded on {}, where kmk cannot log in: see the log of {}",
                    flow.name(),
                    flow.spec.target,
                    workers.join(" and ")
                )));
                continue;
            };
            let mut check =
                StatusCheck::new(self.topology, flow, target, self.started(&workers, limit));
            let seen = self.wait_for(&wait, limit, observer, |limit| check.ask(limit))?;
            if seen == CopyingStatus::FoundNothing {
                observer.on(Event::Warning(format!(
                    "MirrorMaker runs {} but mirrors nothing: the flow matches no topic of {}, or it cannot be reached from {}",
                    flow.name(),
                    flow.spec.source,
                    workers.join(" and ")
                )));
            }
            running.push(flow);
        }
        if !running.is_empty() {
            observer.on(Event::Done {
                what: format!("MirrorMaker reports {} running", names(&running)),
                took: begun.elapsed(),
            });
        }
        Ok(())
    }

    /// When the first of these services was started that runs, in milliseconds since the epoch; the epoch where that is not
    /// known.
    fn started(&self, services: &[&str], limit: &Limit) -> i64 {
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, limit);
        let lab = lab.ok().flatten();
        let containers = services
            .iter()
            .filter_map(|one| lab.as_ref()?.container(one));
        let running = containers.filter(|container| container.is_running());
        let since = running.filter_map(|container| {
            let started = humantime::parse_rfc3339(&container.state.started_at).ok()?;
            started.duration_since(SystemTime::UNIX_EPOCH).ok()
        });
        since
            .min()
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
    }
}

/// Why it cannot be said to run: by the judgement of a status.
fn trouble(parts: &BTreeMap<Part, Status>) -> Option<String> {
    let problems = ailing(parts);
    (!problems.is_empty()).then(|| problems.join("; "))
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
