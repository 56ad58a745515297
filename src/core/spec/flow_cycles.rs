//! Reports cycles among the flows of a spec.

use super::part::{Part, Subject};
use super::problem::{Finding, Problem};
use super::{CANARY, ClusterSpec, FlowSpec, Naming, Spec};
use crate::core::spec::ring::{self, Hop};

/// One problem for each ring, at the first of its flows that keeps names.
pub(super) fn findings(spec: &Spec) -> Vec<Finding> {
    // from a cluster to itself, or twice, is another problem
    let is_first = |(index, flow): &(usize, &FlowSpec)| {
        let mut earlier = spec.flows[..*index].iter();
        flow.source != flow.target
            && !earlier.any(|one| one.source == flow.source && one.target == flow.target)
    };
    let flows = spec.flows.iter().enumerate();
    let flows: Vec<(usize, &FlowSpec)> = flows.filter(is_first).collect();
    let hops: Vec<Hop<'_>> = flows.iter().map(|(_, flow)| hop(spec, flow)).collect();
    let finding = |ring: Vec<usize>| {
        let of_ring = |at: &usize| flows[*at];
        let keeps = |(_, flow): &(usize, &FlowSpec)| flow.naming == Naming::Same;
        let first = ring.iter().map(of_ring).find(keeps);
        let prefix = ring.iter().map(of_ring).find(|one| !keeps(one));
        Finding {
            subject: Subject::Flow(first.map_or(0, |(index, _)| index)),
            part: Part::Naming,
            problem: Problem::Loop {
                flows: ring
                    .iter()
                    .map(|at| format!("{}->{}", flows[*at].1.source, flows[*at].1.target))
                    .collect(),
                grows: prefix.map(|(_, flow)| format!("{0}.{0}.{0}.TOPIC", flow.source)),
            },
        }
    };
    ring::rings(&hops).into_iter().map(finding).collect()
}

fn hop<'a>(spec: &Spec, flow: &'a FlowSpec) -> Hop<'a> {
    let is_end = |cluster: &&ClusterSpec| [&flow.source, &flow.target].contains(&&cluster.name);
    let mut ends = spec.clusters.iter().filter(is_end);
    let has_canary = ends.all(|end| !end.is_existing() || end.canary);
    let mut topics = flow.topics.clone();
    if topics.is_empty() {
        topics.push(".*".to_owned());
    } else if has_canary {
        topics.push(flow.own(CANARY));
    }
    // as MirrorMaker is told it: of all that is left out, the canary goes through
    let exclude = flow.exclude.iter().map(|pattern| {
        if has_canary {
            flow.sparing_canary(pattern)
        } else {
            pattern.clone()
        }
    });
    let exclude = exclude.collect();
    Hop {
        source: &flow.source,
        target: &flow.target,
        separator: (flow.naming == Naming::Prefix).then_some("."),
        topics,
        exclude,
    }
}
