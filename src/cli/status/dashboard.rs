//! `kmk status --watch`: a dashboard for a terminal, plain lines elsewhere.

use super::super::lag::tables::last_words;
use super::super::output::styled;
use super::super::quantity::{grouped, or_dash};
use super::super::table::{row, table};
use super::{canary, health, problems, state};
use clap::builder::styling::{AnsiColor, Style};
use kafka_mirror_kit::core::judge::lag::{FlowLag, Pace, TopicLag, pace};
use kafka_mirror_kit::core::lab::status::{CanaryStatus, FlowState, FlowStatus, Status};
use kmk_kafka::printable;
use std::cmp::Reverse;
use std::time::{Instant, SystemTime};

const HEALTHY: Style = AnsiColor::Green.on_default().bold();
const UNHEALTHY: Style = AnsiColor::Red.on_default().bold();
const HEADING: Style = Style::new().dimmed();

/// Lines that the rest of the picture takes beside the topics that are behind.
const FRAME: usize = 4;

/// A look, and how fast records move since the one before.
pub(super) struct Look {
    status: Status,
    at: Instant,
    paces: Vec<Option<Pace>>,
}

impl Look {
    pub(super) fn new(mut status: Status, before: Option<&Self>) -> Self {
        let at = Instant::now();
        if let Some(before) = before {
            status.flows.iter_mut().for_each(|flow| {
                let mut flows = before.status.flows.iter();
                let was = flows.find(|was| was.name == flow.name);
                let was = was.and_then(|was| was.lag.as_ref());
                if let (Some(was), Some(lag)) = (was, &mut flow.lag) {
                    lag.remember(was, at - before.at);
                    flow.last_known = lag.last_known;
                }
            });
        }
        let pace = |flow: &FlowStatus| {
            let before = before?;
            let mut flows = before.status.flows.iter();
            let was = flows.find(|was| was.name == flow.name)?;
            // of what is not known nothing moves
            was.behind.and(flow.behind)?;
            Some(pace(was.lag.as_ref()?, flow.lag.as_ref()?, at - before.at))
        };
        let paces = status.flows.iter().map(pace).collect();
        Self { status, at, paces }
    }

    /// About this many lines.
    pub(super) fn picture(&self, lines: usize) -> String {
        let status = &self.status;
        let style = if status.healthy { HEALTHY } else { UNHEALTHY };
        let health = health(status).to_uppercase();
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        let mut parts = vec![format!(
            "Lab {}: {}   {}",
            styled(Style::new().bold(), &status.lab),
            styled(style, &health),
            styled(HEADING, &time.to_string())
        )];
        parts.extend(problems(status).iter().map(|line| styled(UNHEALTHY, line)));
        parts.push(String::new());
        parts.push(self.clusters());
        parts.push(String::new());
        parts.push(self.flows());
        let used: usize = parts.iter().map(|part| part.lines().count().max(1)).sum();
        parts.extend(self.topics(lines.saturating_sub(used + FRAME)));
        parts.join("\n")
    }

    fn clusters(&self) -> String {
        let heading = row(["CLUSTER", "BROKERS", "TOPICS", "ADDRESS"]);
        let rows = self.status.clusters.iter().map(|cluster| {
            let brokers = format!("{}/{}", cluster.brokers_up, cluster.brokers);
            let topics = or_dash(cluster.topics);
            row([&cluster.name, &brokers, &topics, &cluster.bootstrap])
        });
        let is_healthy = self.status.clusters.iter().map(|cluster| cluster.healthy);
        colored(heading, rows, is_healthy)
    }

    fn flows(&self) -> String {
        let heading = row([
            "FLOW", "STATE", "IN/s", "OUT/s", "BEHIND", "SECONDS", "CANARY", "TASKS",
        ]);
        let rows = self.flows_with_pace().map(|(flow, pace)| {
            row([
                &flow.name,
                state(&self.status, flow),
                &or_dash(pace.map(|pace| grouped(rounded(pace.inward)))),
                &or_dash(pace.map(|pace| grouped(rounded(pace.outward)))),
                &behind(flow),
                &seconds_or_before(flow),
                &flow.canary.as_ref().map_or_else(|| "-".to_owned(), canary),
                &tasks(flow),
            ])
        });
        let is_healthy = self.status.flows.iter().map(|flow| flow.healthy);
        colored(heading, rows, is_healthy)
    }

    /// The worst topics, as many as there is room for.
    fn topics(&self, room: usize) -> Option<String> {
        let flows = self.status.flows.iter();
        let each = flows.flat_map(|flow| {
            let topics = flow.lag.iter().flat_map(FlowLag::copied);
            topics.map(|topic| (flow.name.as_str(), topic))
        });
        let is_behind = |(_, topic): &(&str, &TopicLag)| topic.behind > 0 || topic.lost > 0;
        let mut worst: Vec<(&str, &TopicLag)> = each.filter(is_behind).collect();
        if worst.is_empty() || room == 0 {
            return None;
        }
        worst.sort_by_key(|(_, topic)| Reverse((topic.behind, topic.lost)));
        let heading = row(["FLOW", "TOPIC", "BEHIND", "SECONDS", "LOST"]);
        let rows = worst.iter().take(room).map(|(flow, topic)| {
            let age = topic.seconds_behind;
            row([
                flow,
                &topic.source,
                &grouped(topic.behind),
                &or_dash(age.map(|age| format!("{age:.1}"))),
                &grouped(topic.lost),
            ])
        });
        let text = colored(heading, rows, std::iter::repeat(true));
        let more = worst.len().saturating_sub(room);
        let more = (more > 0).then(|| format!("\n… and {more} more"));
        Some(format!("\n{text}{}", more.unwrap_or_default()))
    }

    /// One line for each flow.
    pub(super) fn lines(&self) -> String {
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        let line = |(flow, pace): (&FlowStatus, Option<Pace>)| {
            let canary = match &flow.canary {
                Some(CanaryStatus::Arrived { micros }) => Some(micros.div_ceil(1000)),
                _ => None,
            };
            let words = [
                ("time", time.to_string()),
                ("flow", flow.name.clone()),
                ("state", state(&self.status, flow).to_owned()),
                ("in", or_dash(pace.map(|pace| rounded(pace.inward)))),
                ("out", or_dash(pace.map(|pace| rounded(pace.outward)))),
                ("behind", or_dash(flow.behind)),
                ("seconds", seconds(flow)),
                ("lost", flow.lost.to_string()),
                ("canary_ms", or_dash(canary)),
                ("tasks", tasks(flow)),
            ];
            let mut words: Vec<String> = (words.iter())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let last = last_words(flow.last_known);
            words.extend(last.split_whitespace().map(str::to_owned));
            // to the end of the line, as it has spaces
            words.extend(
                flow.problems
                    .first()
                    .map(|it| format!("problem={}", printable::line(it))),
            );
            words.join(" ")
        };
        self.flows_with_pace()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The status, for scripts.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.status)
    }

    fn flows_with_pace(&self) -> impl Iterator<Item = (&FlowStatus, Option<Pace>)> {
        let paces = self.paces.iter().copied();
        self.status.flows.iter().zip(paces)
    }
}

/// What is not known any more is shown with its age.
fn behind(flow: &FlowStatus) -> String {
    match (flow.behind, flow.last_known) {
        (None, Some(known)) => format!("{} {:.0} s ago", grouped(known.behind), known.age),
        (behind, _) => or_dash(behind.map(grouped)),
    }
}

fn seconds_or_before(flow: &FlowStatus) -> String {
    let known = flow.last_known.filter(|_| flow.behind.is_none());
    match known.and_then(|known| Some((known.seconds_behind?, known.age))) {
        Some((seconds, age)) => format!("{seconds:.1} {age:.0} s ago"),
        None => seconds(flow),
    }
}

fn seconds(flow: &FlowStatus) -> String {
    or_dash(flow.seconds_behind.map(|seconds| format!("{seconds:.1}")))
}

/// How many of all are running: as MirrorMaker reports it, which counts only while all is well, or while it complains.
fn tasks(flow: &FlowStatus) -> String {
    let tasks = || flow.parts.iter().filter(|part| part.task.is_some());
    let (running, all) = (
        tasks().filter(|part| part.state == "RUNNING").count(),
        tasks().count(),
    );
    match flow.state {
        _ if flow.down => format!("0/{all}"),
        FlowState::Unhealthy if running == all => "-".to_owned(),
        _ => format!("{running}/{all}"),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never less than 0, and the cast stops at the greatest number"
)]
fn rounded(pace: f64) -> u64 {
    pace.round() as u64
}

/// A table in which the rows of what is not well stand out.
fn colored(
    heading: Vec<String>,
    rows: impl Iterator<Item = Vec<String>>,
    is_healthy: impl Iterator<Item = bool>,
) -> String {
    let text = table(&[heading].into_iter().chain(rows).collect::<Vec<_>>());
    let mut lines = text.lines();
    let heading = lines.next().map(|line| styled(HEADING, line));
    let rows = lines.zip(is_healthy).map(|(line, is_healthy)| {
        if is_healthy {
            line.to_owned()
        } else {
            styled(UNHEALTHY, line)
        }
    });
    heading
        .into_iter()
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::judge::link::{LinkState, LinkStatus};
    use kafka_mirror_kit::core::lab::status::{COPIES, ConnectorStatus};
    use kafka_mirror_kit::core::topology::Proof;

    #[test]
    fn tasks_of_whoever_is_dead_do_not_run() {
        let part = |task, state: &str| ConnectorStatus {
            connector: COPIES.to_owned(),
            task,
            state: state.to_owned(),
            worker: None,
            cause: None,
            recent_failure: None,
        };
        let told = |down, state, second: &str| {
            tasks(&FlowStatus {
                name: "a->b".to_owned(),
                proof: Proof::Canary,
                source: "a".to_owned(),
                target: "b".to_owned(),
                healthy: state == FlowState::Running,
                state,
                canary: None,
                heartbeat_age_ms: None,
                down,
                parts: vec![
                    part(None, "RUNNING"),
                    part(Some(0), "RUNNING"),
                    part(Some(1), second),
                ],
                topics: Vec::new(),
                behind: None,
                seconds_behind: None,
                lost: 0,
                never_copied: 0,
                last_known: None,
                position_age_seconds: None,
                lag: None,
                stalled: Vec::new(),
                culprits: Vec::new(),
                ended: None,
                link: LinkStatus {
                    flow: "a->b".to_owned(),
                    state: LinkState::Connected,
                    cut_off: Vec::new(),
                    cut: None,
                    asked: None,
                    measured: None,
                    lab: "demo".to_owned(),
                },
                problems: Vec::new(),
                doubts: Vec::new(),
            })
        };
        assert_eq!(told(false, FlowState::Running, "RUNNING"), "2/2");
        assert_eq!(told(true, FlowState::Unhealthy, "RUNNING"), "0/2");
        assert_eq!(told(false, FlowState::Unhealthy, "FAILED"), "1/2");
        let not_vouched_for = told(false, FlowState::Unhealthy, "RUNNING");
        assert_eq!(not_vouched_for, "-");
    }

    #[test]
    fn what_is_not_well_stands_out() {
        let text = colored(
            row(["A", "B"]),
            [row(["x", "1"]), row(["y", "2"])].into_iter(),
            [true, false].into_iter(),
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "x  1");
        assert_eq!(lines[2], styled(UNHEALTHY, "y  2"));
    }
}
