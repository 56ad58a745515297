//! Chooses the routes of a run: which topic of which source is written to, and which flows carry it to which targets.

use super::{Refusal, SkippedFlow, Verify, VerifyError};
use crate::core::judge::ledger::RunId;
use crate::core::lab::addresses;
use crate::core::lab::topics::source_of;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::{Cluster, Flow, Proof, Topology};
use kmk_kafka::KafkaError;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use std::time::SystemTime;

/// A topic of a source, and the flows that carry it on.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The number of what is sent into it.
    pub(super) run: RunId,
    /// The source.
    pub(super) cluster: String,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) topic: String,
    /// How many partitions are written into, from 0 on.
    pub(super) partitions: i32,
    /// At least one.
    pub(super) targets: Vec<Target>,
}

/// A flow, as far as its target goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Its name.
    pub(super) flow: String,
    pub(super) cluster: String,
    pub(super) endpoints: Vec<Endpoint>,
    /// What the topic is called there.
    pub(super) remote: String,
}

/// The routes that are meant, and the flows that are left out of "all", with the reason.
///
/// # Errors
/// [`Refusal`] for a flow that was named; or where no flow is left. [`KafkaError::NoLogin`] where kmk cannot log in.
pub(super) fn routes(
    topology: &Topology,
    what: &Verify,
    limit: &Limit,
) -> Result<(Vec<Route>, Vec<SkippedFlow>), VerifyError> {
    if let Some(topic) = what
        .topic
        .as_ref()
        .filter(|topic| topology.is_internal(topic))
    {
        let topic = topic.clone();
        return Err(Refusal::Internal { topic }.into());
    }
    let mut routes: Vec<Route> = Vec::new();
    let mut refused: Vec<(String, Refusal)> = Vec::new();
    for flow in meant(topology, &what.flows)? {
        let topic = what.topic.as_ref().unwrap_or(&flow.verify);
        match refusal(topology, flow, topic, what, limit) {
            None => join(&mut routes, topology, flow, topic, what)?,
            Some(refusal) if what.flows.is_empty() => refused.push((flow.name(), refusal)),
            Some(refusal) => return Err(refusal.into()),
        }
    }
    if routes.is_empty() {
        let first = refused.into_iter().next();
        return Err(first
            .map_or(Refusal::NoFlows, |(_, refusal)| refusal)
            .into());
    }
    let left_out = refused.into_iter().map(|(flow, refusal)| SkippedFlow {
        flow,
        why: refusal.to_string(),
    });
    Ok((routes, left_out.collect()))
}

/// The flows of these names, in the order of the lab; all where none is named.
fn meant<'a>(topology: &'a Topology, names: &[String]) -> Result<Vec<&'a Flow>, Refusal> {
    let known: Vec<String> = topology.flows.iter().map(Flow::name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        let name = name.clone();
        return Err(Refusal::NoFlow { name, known });
    }
    let is_meant = |flow: &&Flow| names.is_empty() || names.contains(&flow.name());
    Ok(topology.flows.iter().filter(is_meant).collect())
}

/// Why a topic cannot be sent through a flow, if it cannot.
fn refusal(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    what: &Verify,
    limit: &Limit,
) -> Option<Refusal> {
    let name = flow.name();
    if what.topic.is_none() && flow.proof == Proof::ConnectorStatus {
        let is_end =
            |cluster: &&Cluster| [&flow.spec.source, &flow.spec.target].contains(&&cluster.name);
        let mut ends = topology.clusters.iter().filter(is_end);
        let cluster = ends.find(|cluster| cluster.existing().is_some());
        return Some(Refusal::Uninvited {
            flow: name,
            cluster: cluster.map_or_else(String::new, |cluster| cluster.name.clone()),
        });
    }
    let source = &flow.spec.source;
    if what.topic.is_some()
        && let Some(of) = source_of(topology, source, topic, limit)
    {
        return Some(Refusal::Copy {
            topic: topic.to_owned(),
            cluster: source.clone(),
            of: of.topic,
            source_cluster: of.cluster,
        });
    }
    let remote = flow.remote_topic(topic);
    let topic = topic.to_owned();
    match Rules::of_flow(flow).select(&topic) {
        // what only Java can tell, the flow itself shows
        Selection::Included | Selection::NotEvaluated(_) => None,
        Selection::Excluded(pattern) => Some(Refusal::Excluded {
            flow: name,
            topic,
            pattern,
        }),
        Selection::NotListed => Some(Refusal::NotIncluded {
            flow: name,
            topic,
            patterns: flow.spec.topics.clone(),
        }),
        Selection::Internal(_) => Some(Refusal::Internal { topic }),
        Selection::Cycle => Some(Refusal::Cycle {
            flow: name,
            topic,
            target: flow.spec.target.clone(),
        }),
        Selection::NameTooLong(_) => Some(Refusal::TooLong { flow: name, remote }),
    }
}

/// Adds a flow to the route of its source and topic.
fn join(
    routes: &mut Vec<Route>,
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    what: &Verify,
) -> Result<(), KafkaError> {
    let reach = |name: &str| topology.cluster(name).map_or(Ok(Vec::new()), addresses);
    let target = Target {
        flow: flow.name(),
        cluster: flow.spec.target.clone(),
        endpoints: reach(&flow.spec.target)?,
        remote: flow.remote_topic(topic),
    };
    let source = &flow.spec.source;
    let same = |route: &&mut Route| route.cluster == *source && route.topic == topic;
    if let Some(route) = routes.iter_mut().find(same) {
        route.targets.push(target);
        return Ok(());
    }
    let nth = u32::try_from(routes.len()).unwrap_or(u32::MAX);
    routes.push(Route {
        run: RunId::new(SystemTime::now(), std::process::id(), nth),
        cluster: source.clone(),
        endpoints: reach(source)?,
        topic: topic.to_owned(),
        partitions: what.partitions,
        targets: vec![target],
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Afterwards, Amount};
    use super::*;
    use crate::core::judge::ledger::Guarantee;
    use crate::core::spec::{ClusterSpec, FlowSpec, Naming, Spec};
    use kmk_kafka::wait::Interrupt;
    use std::time::Duration;

    fn what(flows: &[&str], topic: Option<&str>) -> Verify {
        Verify {
            flows: flows.iter().map(|&flow| flow.to_owned()).collect(),
            topic: topic.map(str::to_owned),
            partitions: 3,
            amount: Amount::Records(1),
            rate: None,
            size: 100,
            timeout: Duration::from_secs(1),
            afterwards: Afterwards::Remove,
            guarantee: Guarantee::AtLeastOnce,
        }
    }

    /// A lab with these flows.
    fn topology(flows: &[(&str, &str)], change: impl Fn(&mut Spec)) -> Topology {
        let mut spec = crate::core::spec::scenario::dr("demo");
        spec.clusters = ["a", "b", "c"].map(ClusterSpec::new).to_vec();
        let flows = flows.iter();
        spec.flows = flows.map(|(from, to)| FlowSpec::new(from, to)).collect();
        change(&mut spec);
        Topology::new(&spec)
    }

    fn of(
        topology: &Topology,
        what: &Verify,
    ) -> Result<(Vec<Route>, Vec<SkippedFlow>), VerifyError> {
        let limit = Limit::new(Duration::from_secs(1), &Interrupt::default());
        routes(topology, what, &limit)
    }

    /// Each route as `cluster/topic: target/topic ...`.
    fn lines(routes: &[Route]) -> Vec<String> {
        let line = |route: &Route| {
            let targets = route.targets.iter();
            let targets: Vec<String> = targets
                .map(|target| format!("{}/{}", target.cluster, target.remote))
                .collect();
            format!("{}/{}: {}", route.cluster, route.topic, targets.join(" "))
        };
        routes.iter().map(line).collect()
    }

    #[test]
    fn what_fans_out_is_sent_once() {
        let topology = topology(&[("a", "b"), ("a", "c"), ("b", "c")], |_| {});
        let (all, left_out) = of(&topology, &what(&[], None)).unwrap();
        let expected = [
            "a/kmk-verify: b/a.kmk-verify c/a.kmk-verify",
            "b/kmk-verify: c/b.kmk-verify",
        ];
        assert_eq!(lines(&all), expected);
        assert_eq!(left_out, []);
        assert_ne!(all[0].run, all[1].run);
        let (one, _) = of(&topology, &what(&["a->c"], None)).unwrap();
        assert_eq!(lines(&one), ["a/kmk-verify: c/a.kmk-verify"]);
    }

    #[test]
    fn with_unchanged_names_each_source_has_a_topic_of_its_own() {
        let topology = topology(&[("a", "c"), ("b", "c")], |spec| {
            for flow in &mut spec.flows {
                flow.naming = Naming::Same;
            }
        });
        let (all, _) = of(&topology, &what(&[], None)).unwrap();
        let expected = [
            "a/kmk-verify-a: c/kmk-verify-a",
            "b/kmk-verify-b: c/kmk-verify-b",
        ];
        assert_eq!(lines(&all), expected);
    }

    #[test]
    fn of_all_flows_those_that_do_not_take_the_topic_are_left_out() {
        let topology = topology(&[("a", "b"), ("a", "c")], |spec| {
            spec.flows[1].topics = vec!["orders".to_owned()];
        });
        let (some, left_out) = of(&topology, &what(&[], None)).unwrap();
        assert_eq!(lines(&some), ["a/kmk-verify: b/a.kmk-verify"]);
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].flow, "a->c");
        let named = of(&topology, &what(&["a->c"], None));
        assert!(
            matches!(
                named,
                Err(VerifyError::Refused(Refusal::NotIncluded { .. }))
            ),
            "{named:?}"
        );
        let (both, _) = of(&topology, &what(&[], Some("orders"))).unwrap();
        assert_eq!(lines(&both), ["a/orders: b/a.orders c/a.orders"]);
    }

    #[test]
    fn a_lab_without_flows_has_nothing_to_verify() {
        let none = of(&topology(&[], |_| {}), &what(&[], None));
        assert!(matches!(none, Err(VerifyError::Refused(Refusal::NoFlows))));
    }
}
