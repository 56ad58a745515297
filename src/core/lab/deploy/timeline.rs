//! Where the time of a deploy went, step by step: its own steps by its own clock, those inside the containers from
//! their logs.

use crate::core::docker::{Container, Docker};
use crate::core::lab::{Lab, LabError};
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;
use serde::{Serialize, Serializer};
use std::time::{Duration, SystemTime};

/// One step of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// What is asked of docker and of the machine before anything is made.
    Preflight,
    /// `docker compose up`.
    Compose,
    /// The engine makes a container, joins it to its networks and starts it.
    Container,
    /// An empty log directory is formatted.
    Formatter,
    /// From there until the broker says that it has started.
    Broker,
    /// From the container's start until MirrorMaker says that it has started.
    MirrorMaker,
    /// From there until the connector of the last flow says so.
    Connectors,
    /// From the answer of the last broker until a record has crossed every flow.
    Canary,
}

impl Step {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Compose => "compose",
            Self::Container => "container",
            Self::Formatter => "formatter",
            Self::Broker => "broker",
            Self::MirrorMaker => "mirror-maker",
            Self::Connectors => "connectors",
            Self::Canary => "canary",
        }
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// How long a step took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Which.
    pub step: Step,
    /// The service whose container it is about; none where it is about all of them.
    pub service: Option<String>,
    /// From the start of the deploy. What containers say is by the engine's clock, which in a virtual machine may be
    /// another.
    #[serde(rename = "from_seconds", serialize_with = "in_seconds")]
    pub from: Duration,
    /// Its length.
    #[serde(rename = "seconds", serialize_with = "in_seconds")]
    pub took: Duration,
}

/// To the millisecond.
fn in_seconds<S: Serializer>(time: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64((time.as_secs_f64() * 1e3).round() / 1e3)
}

/// When kmk did its own steps.
#[derive(Debug, Clone)]
pub struct Marks {
    pub(super) began: SystemTime,
    pub(super) own: Vec<Span>,
}

impl Marks {
    pub(super) fn of(began: SystemTime) -> Self {
        let own = Vec::new();
        Self { began, own }
    }

    /// A step of kmk's own that has just ended.
    pub(super) fn ended(&mut self, step: Step, since: SystemTime) {
        self.own.push(Span {
            step,
            service: None,
            from: since.duration_since(self.began).unwrap_or_default(),
            took: since.elapsed().unwrap_or_default(),
        });
    }

    /// All steps of a deploy, in the order in which they began; and why some are missing, if docker does not tell.
    pub fn timeline(
        &self,
        topology: &Topology,
        docker: &Docker,
        limit: &Limit,
    ) -> (Vec<Span>, Option<LabError>) {
        let mut spans = self.own.clone();
        let (containers, mut missing) = match Lab::look_for(docker, &topology.spec.lab, limit) {
            Ok(lab) => (lab.map(|lab| lab.containers).unwrap_or_default(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        for container in &containers {
            let Some(life) = Life::of(container, self.began) else {
                continue;
            };
            let log = docker.timed_log(&container.id, limit);
            let log = log.unwrap_or_else(|error| {
                missing = Some(error.into());
                Vec::new()
            });
            let is_mirror = topology.mirrors.iter().any(|mirror| {
                let mut workers = mirror.workers.iter();
                workers.any(|worker| worker == container.service())
            });
            let steps = if is_mirror {
                life.mirror(&log)
            } else {
                life.broker(&log)
            };
            spans.extend(steps.into_iter().map(|(step, from, to)| Span {
                step,
                service: Some(container.service().to_owned()),
                from: from.duration_since(self.began).unwrap_or_default(),
                took: to.duration_since(from).unwrap_or_default(),
            }));
        }
        spans.sort_by(|a, b| (a.from, a.step, &a.service).cmp(&(b.from, b.step, &b.service)));
        (spans, missing)
    }
}

/// A step, its beginning and its end.
type Lap = (Step, SystemTime, SystemTime);

/// The beginning of a container.
#[derive(Debug, Clone, Copy)]
struct Life {
    made: SystemTime,
    started: SystemTime,
}

impl Life {
    /// Of one that this deploy has started.
    fn of(container: &Container, began: SystemTime) -> Option<Self> {
        let started = humantime::parse_rfc3339(&container.state.started_at).ok()?;
        let made = humantime::parse_rfc3339(&container.created).ok()?;
        // one that existed before was only started
        let made = made.max(began);
        (started >= made).then_some(Self { made, started })
    }

    fn broker(self, log: &[String]) -> Vec<Lap> {
        // what the image's own formatter has left to say, it says before the broker's first word
        let formatted = log
            .iter()
            .map(|line| timed(line))
            .find(|(_, said)| said.starts_with("kmk: starting") || said.starts_with('['))
            .and_then(|(at, _)| at);
        let up = said(log, "Kafka Server started");
        let mut laps = vec![(Step::Container, self.made, self.started)];
        let formatted = formatted.map(|at| at.max(self.started));
        laps.extend(formatted.map(|at| (Step::Formatter, self.started, at)));
        laps.extend(up.map(|at| (Step::Broker, formatted.unwrap_or(self.started), at)));
        laps
    }

    fn mirror(self, log: &[String]) -> Vec<Lap> {
        let up = said(log, "Kafka MirrorMaker started");
        let connected = said(log, "Started MirrorSourceConnector");
        let mut laps = vec![(Step::Container, self.made, self.started)];
        laps.extend(up.map(|at| (Step::MirrorMaker, self.started, at)));
        laps.extend(connected.map(|at| (Step::Connectors, up.unwrap_or(self.started), at)));
        laps
    }
}

/// When a log last said so.
fn said(log: &[String], words: &str) -> Option<SystemTime> {
    let mut lines = log.iter().rev().map(|line| timed(line));
    lines.find(|(_, said)| said.contains(words))?.0
}

/// A line's time, and what stands after it.
fn timed(line: &str) -> (Option<SystemTime>, &str) {
    let (time, said) = line.split_once(' ').unwrap_or((line, ""));
    (humantime::parse_rfc3339(time).ok(), said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn log(lines: &[(u64, &str)]) -> Vec<String> {
        let line = |(second, said): &(u64, &str)| {
            format!("{} {said}", humantime::format_rfc3339_nanos(at(*second)))
        };
        lines.iter().map(line).collect()
    }

    const LIFE: fn() -> Life = || Life {
        made: at(1),
        started: at(3),
    };

    #[test]
    fn a_broker_is_formatted_until_its_script_starts_it_or_else_until_its_first_word() {
        let formatter = |lines: &[(u64, &str)]| LIFE().broker(&log(lines));
        let up = (
            9,
            "[2026] INFO [KafkaRaftServer nodeId=1] Kafka Server started (k)",
        );
        let here = [
            (4, "kmk: starting the broker"),
            (6, "[2026] INFO Registered (k)"),
            up,
        ];
        assert_eq!(
            formatter(&here),
            [
                (Step::Container, at(1), at(3)),
                (Step::Formatter, at(3), at(4)),
                (Step::Broker, at(4), at(9)),
            ]
        );
        let by_the_image = [
            (4, "===> Launching ..."),
            (6, "[2026] INFO Registered (k)"),
            up,
        ];
        assert_eq!(formatter(&by_the_image)[1], (Step::Formatter, at(3), at(6)));
        assert_eq!(formatter(&[]), [(Step::Container, at(1), at(3))]);
    }

    #[test]
    fn connectors_are_there_when_the_last_of_them_has_started() {
        let log = log(&[
            (5, "[2026] INFO Kafka MirrorMaker started (o)"),
            (
                6,
                "[2026] INFO Started MirrorSourceConnector with 1 topic-partitions. (o)",
            ),
            (
                8,
                "[2026] INFO Started MirrorSourceConnector with 2 topic-partitions. (o)",
            ),
        ]);
        let laps = LIFE().mirror(&log);
        assert_eq!(laps[1], (Step::MirrorMaker, at(3), at(5)));
        assert_eq!(laps[2], (Step::Connectors, at(5), at(8)));
    }
}
