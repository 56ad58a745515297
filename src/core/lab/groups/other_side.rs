//! What becomes of groups at the other end of each flow. Changes nothing, and creates nothing.

use super::both_ends::{BothEnds, unknown};
use super::report::{ClusterGroups, FlowReport};
use crate::core::observe::connect_patiently;
use crate::core::observe::groups::{ByPartition, GroupSnapshot};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Limit;
use std::ops::ControlFlow;

/// Records of a compacted partition at most that are worth counting.
const COUNTED: usize = 10_000;

/// Tells the groups of a flow's source what would become of them on its target.
pub(super) fn add(
    topology: &Topology,
    flow: &Flow,
    cluster: &mut ClusterGroups,
    (source, target): (&GroupSnapshot, &Result<GroupSnapshot, KafkaError>),
    limit: &Limit,
) {
    let both = look(topology, flow, (source, target), limit);
    for group in &mut cluster.groups {
        let report: Option<FlowReport> = match &both {
            Ok(both) => both.report(&group.group),
            // one without a committed offset has nothing to continue from
            Err(_) if group.lag.is_none() => None,
            Err(problem) => Some(unknown(flow, problem.clone())),
        };
        group.flows.extend(report);
    }
}

fn look<'a>(
    topology: &Topology,
    flow: &'a Flow,
    (source, target): (&'a GroupSnapshot, &'a Result<GroupSnapshot, KafkaError>),
    limit: &Limit,
) -> Result<BothEnds<'a>, String> {
    let target = target.as_ref().map_err(ToString::to_string)?;
    let problem = source.problem(&flow.spec.target);
    if let Some(problem) = problem.or(target.problem(&flow.spec.source)) {
        return Err(problem.clone());
    }
    let mut both = BothEnds {
        flow,
        source,
        target,
        target_records: ByPartition::new(),
    };
    if !target.has_transactions() {
        let records = records(topology, &both, limit);
        both.target_records = records.map_err(|error| error.to_string())?;
    }
    Ok(both)
}

/// Which offsets of compacted mirrored topics have a record. Of one with many records that is not looked for.
fn records(
    topology: &Topology,
    both: &BothEnds<'_>,
    limit: &Limit,
) -> Result<ByPartition<Vec<i64>>, KafkaError> {
    let mut compacted = both.remote_topics();
    compacted.retain(|topic| both.target.is_compacted(topic));
    let mut records = ByPartition::new();
    if compacted.is_empty() {
        return Ok(records);
    }
    let mut admin = connect_patiently(topology, &both.flow.spec.target, limit)?;
    let firsts = both.target.as_target.first.iter();
    for (topic_partition, &first) in
        firsts.filter(|(topic_partition, _)| compacted.contains(&topic_partition.0))
    {
        let mut offsets = Vec::new();
        admin.scan(
            &topic_partition.0,
            topic_partition.1,
            first,
            limit,
            |record| {
                offsets.push(record.offset);
                if offsets.len() > COUNTED {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )?;
        if offsets.len() <= COUNTED {
            records.insert(topic_partition.clone(), offsets);
        }
    }
    Ok(records)
}
