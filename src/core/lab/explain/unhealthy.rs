//! What of the status of a flow speaks against a topic.

use crate::core::judge::explain::Failure;
use crate::core::lab::status::{COPIES, CanaryStatus, FlowStatus};

/// What is wrong with a flow, without what is wrong with other topics only, and without losses: those are reported per topic.
pub(super) fn concerning(topic: &str, status: &FlowStatus) -> Vec<String> {
    let stalled = status.stalled.iter().filter(|one| one.topic != topic);
    let culprits = status.culprits.iter();
    let culprits = culprits.filter(|one| !one.stops_flow && one.topic != topic);
    let others = stalled
        .map(ToString::to_string)
        .chain(culprits.map(ToString::to_string));
    let lag = status.lag.iter();
    let losses = lag.flat_map(|lag| [lag.losses(), lag.doubts()].concat());
    let others: Vec<String> = others.chain(losses).collect();
    let problems = status.problems.iter();
    problems
        .filter(|problem| !others.contains(problem))
        .cloned()
        .collect()
}

/// That the topic was not seen to move, where nothing is known to be wrong.
pub(super) fn unmoved(topic: &str, status: &FlowStatus) -> Vec<String> {
    let stalled = status.stalled.iter().filter(|one| one.topic == topic);
    stalled.map(ToString::to_string).collect()
}

/// What copies records, and gave up: the others do not keep records from crossing. While none cross, a failure of a moment
/// ago counts too: what fails whenever it is started is seldom seen failed.
pub(super) fn failures(status: &FlowStatus) -> Vec<Failure> {
    let stands_still = matches!(status.canary, Some(CanaryStatus::Missing { .. }));
    let parts = status.parts.iter().filter(|part| part.connector == COPIES);
    let failed = parts.filter_map(|part| {
        let lately = part.recent_failure.as_ref().filter(|_| stands_still);
        let cause = match lately {
            _ if part.state == "FAILED" => part.cause.clone(),
            lately => Some(lately?.cause.clone()),
        };
        let part = match part.task {
            Some(task) => format!("{}-{task}", part.connector),
            None => part.connector.clone(),
        };
        Some(Failure { part, cause })
    });
    failed.collect()
}
