//! What is wrong with a flow, from what was seen of it: causes before what follows from them.

use crate::core::judge::culprit::Culprit;
use crate::core::judge::lag::Stall;
use crate::core::mirrormaker::state::{self, COPIES, Part};
use crate::core::spec::in_lab;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A canary takes 10 to 30 ms where all is well; one that takes longer than this has met a `MirrorMaker` that starves, or
/// one bad moment.
const SLOW: Duration = Duration::from_millis(250);

/// Whether a canary took longer than it should, through a line that was asked to be so slow.
pub(in crate::core) fn is_slow(micros: u64, line: Duration) -> bool {
    Duration::from_micros(micros) > SLOW + line
}

/// The setting, and what it has to be.
pub(in crate::core) const POLICY: &str = "cleanup.policy";
pub(in crate::core) const COMPACT: &str = "compact";

/// What happened to a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CanaryStatus {
    /// It is on the target.
    Arrived {
        /// Microseconds from its sending until it was seen there.
        micros: u64,
    },
    /// It is on the source, and not on the target.
    Missing {
        /// Milliseconds that it was waited for.
        millis: u64,
    },
    /// The source did not take it.
    NotSent {
        /// Why not.
        cause: String,
    },
    /// The target could not be looked at, before it was sent or while it was waited for.
    Unknown {
        /// Why not.
        cause: String,
    },
}

impl CanaryStatus {
    /// What is the matter, unless it has crossed.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Arrived { .. } => None,
            Self::Missing { millis } => Some(format!(
                "a record sent {}.{} s ago has not arrived",
                millis / 1000,
                millis % 1000 / 100
            )),
            Self::NotSent { cause } => Some(format!("a record could not be sent: {cause}")),
            Self::Unknown { cause } => Some(format!("cannot see whether records arrive: {cause}")),
        }
    }
}

/// A flow in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowState {
    /// All is well.
    Running,
    /// Some of its MirrorMakers do not run, and the others do their work.
    Degraded,
    /// It may be stalled.
    Unhealthy,
}

/// An internal topic of MirrorMaker's that is not compacted, and should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct NotCompacted {
    pub(in crate::core) topic: String,
    /// What its policy is.
    pub(in crate::core) policy: String,
    /// Whether MirrorMaker does not start with it.
    pub(in crate::core) is_vital: bool,
    /// The flow that it belongs to, by its ends.
    pub(in crate::core) flow: (String, String),
    /// The lab, for commands to type.
    pub(in crate::core) lab: String,
}

impl NotCompacted {
    /// In words.
    pub(in crate::core) fn describe(&self) -> String {
        let Self { topic, policy, .. } = self;
        let lab = in_lab(&self.lab);
        let effect = if self.is_vital {
            "with it MirrorMaker does not start"
        } else {
            "MirrorMaker loses what it keeps there"
        };
        format!(
            "topic `{topic}` has {POLICY}={policy} instead of {COMPACT}, and {effect}: `kmk deploy{lab}` repairs it"
        )
    }
}

/// Whether a MirrorMaker gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::core) enum Life {
    /// Not looked for, or not to be seen.
    #[default]
    Unknown,
    /// So long ago.
    Heard(Duration),
    /// None came when one was due; the last one was so long ago.
    Silent(Duration),
}

/// What was seen of a flow.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Seen<'a> {
    /// Why no `MirrorMaker` runs, if so: nothing else matters then, but that the link was cut.
    pub(in crate::core) down: Option<String>,
    /// Of several `MirrorMaker`s, those that others do the work of.
    pub(in crate::core) absent: Vec<String>,
    /// Links that are cut.
    pub(in crate::core) cut: Vec<String>,
    /// Ends of the flow none of whose brokers answers.
    pub(in crate::core) out_of_reach: Vec<&'a str>,
    /// What `MirrorMaker` says of its parts, where that can be read.
    pub(in crate::core) parts: Option<&'a BTreeMap<Part, state::Status>>,
    /// Parts that failed a moment ago, each with how long ago, and why: what fails again and again is seldom seen failed.
    pub(in crate::core) failed: Vec<(&'a Part, Duration, &'a str)>,
    /// Tasks that are assigned to no worker.
    pub(in crate::core) orphans: Vec<String>,
    /// Containers that it needs and that may use only so much of a CPU.
    pub(in crate::core) throttled: Vec<String>,
    pub(in crate::core) canary: Option<&'a CanaryStatus>,
    pub(in crate::core) life: Life,
    /// Topics of MirrorMaker's that are not compacted, and should be.
    pub(in crate::core) policies: Vec<&'a NotCompacted>,
    /// Why MirrorMaker has ended, in a container that runs.
    pub(in crate::core) ended: Option<&'a str>,
    /// Topics that block others, or themselves.
    pub(in crate::core) culprits: &'a [Culprit],
    /// Topics in which records wait, and MirrorMaker does not come to them.
    pub(in crate::core) stalled: &'a [Stall],
    /// Relays that do not do what is asked of them.
    pub(in crate::core) relays: Vec<String>,
    /// How much later records come because the line was asked to be slow.
    pub(in crate::core) line: Duration,
    /// Whether a slow canary means anything: not where other records wait, or where someone chose another pace.
    pub(in crate::core) pace: Pace,
}

/// How fast a canary should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::core) enum Pace {
    /// There is nothing to hold it up.
    #[default]
    Free,
    /// Records before it, settings of a person's own, or a cluster far away may hold it up.
    Blocked,
}

/// How a flow is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Verdict {
    pub(in crate::core) state: FlowState,
    /// Where it is [`FlowState::Running`], only what is unknown.
    pub(in crate::core) problems: Vec<String>,
    /// Of these, what is only unknown.
    pub(in crate::core) doubts: Vec<String>,
}

/// Judges a flow.
pub(in crate::core) fn judge(seen: &Seen<'_>) -> Verdict {
    let ill = ill(seen);
    let mut degraded = [seen.absent.clone(), seen.relays.clone()].concat();
    // it harms what goes on as well: positions that were stored there are gone
    let policies = seen.policies.iter().map(|wrong| wrong.describe());
    degraded.extend(policies.filter(|told| !ill.contains(told)));
    if ill.is_empty() {
        degraded.extend(slow(seen));
    }
    let state = match (ill.is_empty(), degraded.is_empty()) {
        (true, true) => FlowState::Running,
        (true, false) => FlowState::Degraded,
        (false, _) => FlowState::Unhealthy,
    };
    let doubts = doubts(seen, &ill);
    let problems = [degraded, ill, doubts.clone()].concat();
    Verdict {
        state,
        problems,
        doubts,
    }
}

/// What keeps records from being copied.
fn ill(seen: &Seen<'_>) -> Vec<String> {
    if let Some(down) = &seen.down {
        return [vec![down.clone()], seen.cut.clone()].concat();
    }
    let mut problems = seen.cut.clone();
    let out_of_reach = seen.out_of_reach.iter();
    problems.extend(out_of_reach.map(|end| format!("cluster {end} cannot be reached")));
    let is_explained = !problems.is_empty();
    let is_missing = matches!(seen.canary, Some(CanaryStatus::Missing { .. }));
    let stops = seen.culprits.iter().any(|culprit| culprit.stops_flow);
    let vital = seen.policies.iter().filter(|wrong| wrong.is_vital);
    let vital: Vec<String> = vital.map(|wrong| wrong.describe()).collect();
    let does_not_start = !vital.is_empty() && (is_missing || seen.ended.is_some());
    if does_not_start {
        problems.extend(vital);
    }
    if let Some(cause) = seen.ended.filter(|_| !does_not_start) {
        problems.push(format!(
            "MirrorMaker exited in a running container and is restarting: {cause}"
        ));
    }
    if !is_explained {
        problems.extend(seen.culprits.iter().map(ToString::to_string));
    }
    let has_ended = does_not_start || seen.ended.is_some();
    if let Life::Silent(age) = seen.life
        && !is_explained
        && !has_ended
        // a task that fails again and again is started again and again
        && !stops
    {
        problems.push(format!(
            "MirrorMaker has sent no heartbeat for {}: it hangs, lacks CPU, or has only just started",
            seconds(age)
        ));
    }
    let symptom = seen.canary.and_then(CanaryStatus::problem);
    if symptom.is_some() && !is_explained {
        problems.extend(seen.throttled.clone());
    }
    if !has_ended {
        problems.extend(seen.parts.map(ailing).unwrap_or_default());
    }
    if is_missing && !is_explained && !has_ended && !stops {
        let failed = seen.failed.iter().filter(|(part, ..)| {
            let now = seen.parts.and_then(|parts| parts.get(part));
            now.is_none_or(|status| status.state != "FAILED")
        });
        problems.extend(failed.map(|(part, age, cause)| {
            let ago = seconds(*age);
            format!("{part} failed {ago} ago, and is restarting: {cause}")
        }));
    }
    problems.extend(seen.orphans.clone());
    if !is_explained {
        let stalled = seen.stalled.iter().filter(|stall| stall.is_sure);
        problems.extend(stalled.map(ToString::to_string));
    }
    // that it could not be sent to a cluster that cannot be reached says nothing new
    problems.extend(symptom.filter(|_| is_missing || !is_explained));
    problems
}

/// What may be stalled, where nothing else explains that.
fn doubts(seen: &Seen<'_>, ill: &[String]) -> Vec<String> {
    let doubtful = seen.stalled.iter().filter(|stall| !stall.is_sure);
    let doubts = doubtful.map(ToString::to_string);
    doubts.filter(|_| ill.is_empty()).collect()
}

fn slow(seen: &Seen<'_>) -> Vec<String> {
    match seen.canary {
        Some(CanaryStatus::Arrived { micros })
            if is_slow(*micros, seen.line) && seen.pace == Pace::Free =>
        {
            let took = seconds(Duration::from_micros(*micros));
            let mut problems = seen.throttled.clone();
            let link = match seen.line.as_millis() {
                0 => String::new(),
                line => format!(", and a link as asked for adds {line} ms at most"),
            };
            problems.push(format!(
                "records arrive slowly: one took {took}, where 10 to 30 ms are usual{link}"
            ));
            problems
        }
        _ => Vec::new(),
    }
}

/// What is wrong with `MirrorMaker`'s parts by its own word: those with the same fate in one line.
pub(in crate::core) fn ailing(parts: &BTreeMap<Part, state::Status>) -> Vec<String> {
    let copies = |part: &Part| part.connector == COPIES && part.task.is_none();
    if !parts.keys().any(copies) {
        return vec![format!("MirrorMaker has not reported its {COPIES} yet")];
    }
    let mut fates: Vec<(String, Vec<String>)> = Vec::new();
    for (part, status) in parts.iter().filter(|(_, status)| !status.is_running()) {
        let fate = match status.cause() {
            Some(cause) => format!("{}: {cause}", status.state),
            None => status.state.clone(),
        };
        match fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, parts)) => parts.push(part.to_string()),
            None => fates.push((fate, vec![part.to_string()])),
        }
    }
    let told = fates.into_iter().map(|(fate, parts)| {
        let verb = if parts.len() == 1 { "is" } else { "are" };
        format!("{} {verb} {fate}", parts.join(", "))
    });
    told.collect()
}

/// What is wrong with the brokers of a cluster: each that does not answer, whether it runs, and why not.
pub(in crate::core) fn brokers<'a>(
    silent: impl IntoIterator<Item = (&'a str, Option<String>, String)>,
) -> Option<String> {
    let told = silent.into_iter().map(|(service, seat, why)| match seat {
        Some(seat) => format!("broker {service} {seat}"),
        None => format!("broker {service} does not answer: {why}"),
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests;
