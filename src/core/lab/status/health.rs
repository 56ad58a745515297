//! What is wrong with a flow, from what was seen of it: causes before what follows from them. Pure; knows nothing of how
//! it was seen.

use super::COPIES;
use super::report::{CanaryStatus, FlowState};
use crate::core::judge::culprit::Culprit;
use crate::core::judge::lag::Stall;
use crate::core::lab::policy::Wrong;
use crate::core::mirrormaker::state::{self, Part};
use std::collections::BTreeMap;
use std::time::Duration;

/// A canary takes 10 to 30 ms where all is well; one that takes longer than this has met a `MirrorMaker` that starves, or
/// one bad moment.
const SLOW: Duration = Duration::from_millis(250);

/// Whether a canary took longer than it should.
pub(super) fn is_slow(micros: u64) -> bool {
    Duration::from_micros(micros) > SLOW
}

/// Whether a MirrorMaker gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Life {
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
pub(super) struct Seen<'a> {
    /// Why no `MirrorMaker` runs, if so: nothing else matters then.
    pub(super) down: Option<String>,
    /// Of several `MirrorMaker`s, those that others do the work of.
    pub(super) absent: Vec<String>,
    /// Links that are cut.
    pub(super) cut: Vec<String>,
    /// Ends of the flow none of whose brokers answers.
    pub(super) out_of_reach: Vec<&'a str>,
    /// What `MirrorMaker` says of its parts, where that can be read.
    pub(super) parts: Option<&'a BTreeMap<Part, state::Status>>,
    /// Parts that failed a moment ago, each with how long ago, and why: what fails again and again is seldom seen failed.
    pub(super) failed: Vec<(&'a Part, Duration, &'a str)>,
    /// Work that is with nobody.
    pub(super) orphans: Vec<String>,
    /// Containers that it needs and that may use only so much of a CPU.
    pub(super) throttled: Vec<String>,
    pub(super) canary: Option<&'a CanaryStatus>,
    pub(super) life: Life,
    /// Topics of MirrorMaker's that are not compacted, and should be.
    pub(super) policies: Vec<&'a Wrong>,
    /// Why MirrorMaker has ended, in a container that runs.
    pub(super) ended: Option<&'a str>,
    /// Topics that hold up others, or themselves.
    pub(super) culprits: &'a [Culprit],
    /// Topics in which records wait, and MirrorMaker does not come to them.
    pub(super) stalled: &'a [Stall],
    /// Whether a slow canary means anything: not where other records wait, or where someone chose another pace.
    pub(super) pace: Pace,
}

/// How fast a canary should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pace {
    /// There is nothing to hold it up.
    #[default]
    Free,
    /// Records before it, settings of a person's own, or a cluster far away may hold it up.
    Blocked,
}

/// How a flow is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: FlowState,
    /// Where it is [`FlowState::Running`], only what is unknown.
    pub(super) problems: Vec<String>,
    /// Of these, what is only unknown.
    pub(super) doubts: Vec<String>,
}

/// Judges a flow.
pub(super) fn judge(seen: &Seen<'_>) -> Verdict {
    let ill = ill(seen);
    let mut degraded = seen.absent.clone();
    // it harms what goes on as well: positions that were noted there are gone
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
        return vec![down.clone()];
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
            "MirrorMaker has ended, in a container that runs, and is started again: {cause}"
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
            "MirrorMaker has given no sign of life for {}: it hangs, starves, or has only begun to run",
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
            format!("{part} failed {ago} ago, and is started anew: {cause}")
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

/// What may stand still, where nothing else explains that.
fn doubts(seen: &Seen<'_>, ill: &[String]) -> Vec<String> {
    let doubtful = seen.stalled.iter().filter(|stall| !stall.is_sure);
    let doubts = doubtful.map(ToString::to_string);
    doubts.filter(|_| ill.is_empty()).collect()
}

fn slow(seen: &Seen<'_>) -> Vec<String> {
    match seen.canary {
        Some(CanaryStatus::Arrived { micros }) if is_slow(*micros) && seen.pace == Pace::Free => {
            let took = seconds(Duration::from_micros(*micros));
            let mut problems = seen.throttled.clone();
            problems.push(format!(
                "records cross slowly: one took {took}, where 10 to 30 ms are usual"
            ));
            problems
        }
        _ => Vec::new(),
    }
}

/// What is wrong with `MirrorMaker`'s parts by its own word: those with the same fate in one line.
pub(in crate::core::lab) fn ailing(parts: &BTreeMap<Part, state::Status>) -> Vec<String> {
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
pub(super) fn brokers<'a>(
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
