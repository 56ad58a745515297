//! Looks for the topic that keeps records from being copied, where a flow or a part of it is stalled. Judges by
//! [`Evidence`].

use super::{Lab, addresses, batch_limits};
use crate::core::judge::culprit::{Culprit, Evidence};
use crate::core::judge::lag::FlowLag;
use crate::core::mirrormaker::patterns::Rules;
use crate::core::observe::Snapshots;
use crate::core::topology::{BATCH_LIMITS, FULL_BATCH, Flow};
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How long topics may take to tell what they take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The culprits of a flow. `stands` says whether more than single topics is stalled.
pub(super) fn of(
    lab: &Lab,
    flow: &Flow,
    (views, lag): (&Snapshots<'_>, &FlowLag),
    stands: bool,
    limit: &Limit,
) -> Vec<Culprit> {
    let ends = [&flow.spec.source, &flow.spec.target];
    let [Some(source), Some(target)] = ends.map(|name| views.get(name.as_str())) else {
        return Vec::new();
    };
    let mirror = lab.topology.mirror_of(&flow.spec.target);
    let said = target.flows.get(&flow.spec.source);
    let failed = said.map(|said| said.recent_failure()).unwrap_or_default();
    let addresses = ends.map(|name| {
        lab.topology
            .cluster(name)
            .and_then(|one| addresses(one).ok())
    });
    let rooms = batch_limits::of_flow(
        flow,
        (addresses[0].as_deref(), addresses[1].as_deref()),
        &limit.at_most(PATIENCE),
    );
    let ended = source.ends.iter().flatten();
    let with_records =
        ended.filter(|(place, ends)| ends.end > ends.first && !lab.topology.is_internal(&place.0));
    let evidence = Evidence {
        lab: &lab.spec.lab,
        rules: &Rules::of_flow(flow),
        with_records: with_records.map(|((topic, _), _)| topic.as_str()).collect(),
        behind: (lag.copied().filter(|topic| topic.behind > 0))
            .map(|topic| topic.source.as_str())
            .collect(),
        on_target: target.topics.keys().map(String::as_str).collect(),
        limits: &rooms.unwrap_or_default(),
        sends: mirror.map_or(FULL_BATCH, |mirror| mirror.batch).into(),
        halves: mirror.is_some_and(|mirror| !mirror.heeds(BATCH_LIMITS[0])),
        failures: failed.iter().map(|(_, _, cause)| *cause).collect(),
        stands,
    };
    evidence.culprits()
}
