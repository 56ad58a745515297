//! Flows that are added to a lab that is there, and what this leads to.

use super::plan::Plan;
use crate::core::lab::Lab;
use crate::core::spec::{FlowSpec, Naming, Problem, Spec};
use crate::core::topology::Topology;
use std::fmt::Write as _;

/// Adds flows; what cannot be told from the spec that comes of it: those that it has already.
pub(super) fn add(spec: &mut Spec, flows: &[(String, String)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (source, target) in flows {
        let mut there = spec.flows.iter();
        if there.any(|flow| flow.source == *source && flow.target == *target) {
            problems.push(Problem::FlowExists {
                source_cluster: source.clone(),
                target: target.clone(),
            });
        } else {
            add_flow(spec, source, target);
        }
    }
    problems
}

/// Adds a flow that is not there, like its siblings.
pub(in crate::core::lab) fn add_flow(spec: &mut Spec, source: &str, target: &str) {
    let flow = like_its_siblings(&spec.flows, source, target);
    spec.flows.push(flow);
}

/// A flow with the topics, groups and naming of the one in the other direction; without one, those that all flows agree on.
fn like_its_siblings(flows: &[FlowSpec], source: &str, target: &str) -> FlowSpec {
    let back = |flow: &&FlowSpec| flow.source == target && flow.target == source;
    let siblings: Vec<&FlowSpec> = match flows.iter().find(back) {
        Some(back) => vec![back],
        None => flows.iter().collect(),
    };
    FlowSpec {
        topics: agreed(&siblings, |flow| &flow.topics).unwrap_or_default(),
        exclude: agreed(&siblings, |flow| &flow.exclude).unwrap_or_default(),
        groups: agreed(&siblings, |flow| &flow.groups).unwrap_or_default(),
        naming: agreed(&siblings, |flow| &flow.naming).unwrap_or(Naming::Prefix),
        ..FlowSpec::new(source, target)
    }
}

/// What all flows have, if it is the same.
fn agreed<T: Clone + PartialEq>(flows: &[&FlowSpec], part: impl Fn(&FlowSpec) -> &T) -> Option<T> {
    let mut parts = flows.iter().map(|flow| part(flow));
    let first = parts.next()?;
    parts.all(|one| one == first).then(|| first.clone())
}

/// The services that a lab, if it is there, is to have and did not have before.
pub(super) fn services_beyond(before: Option<&Lab>, wanted: &Topology) -> Vec<String> {
    let Some(before) = before else {
        return Vec::new();
    };
    let (had, mut wanted) = (before.topology.services(), wanted.services());
    wanted.retain(|service| !had.contains(service));
    wanted
}

impl Plan<'_> {
    /// What adding flows starts and recreates, in a sentence; nothing where none is added.
    pub(super) fn ahead(&self, flows: &[(String, String)]) -> Option<String> {
        if flows.is_empty() {
            return None;
        }
        let names = flows.iter().map(|(from, to)| format!("{from}->{to}"));
        let names: Vec<String> = names.collect();
        let recreated = self.changed();
        let clusters = self.rendered.topology.clusters.iter();
        let restarted = clusters.filter(|cluster| {
            let mut brokers = cluster.brokers.iter();
            brokers.any(|broker| recreated.contains(&broker.service))
        });
        let restarted: Vec<&str> = restarted.map(|cluster| cluster.name.as_str()).collect();
        let what = [("starts", &self.added), ("recreates", &recreated)];
        let what = what
            .into_iter()
            .filter(|(_, services)| !services.is_empty());
        let what = what.map(|(verb, services)| format!("{verb} {}", services.join(", ")));
        let what: Vec<String> = what.collect();
        let mut told = format!(
            "adding {} {}; records are kept",
            names.join(", "),
            what.join(" and ")
        );
        if !restarted.is_empty() {
            let names = restarted.join(", ");
            let _ = write!(
                told,
                "; {names} becomes a target, where a record keeps the time that its producer gave it: its brokers restart"
            );
        }
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario::Scenario;

    fn pair(source: &str, target: &str) -> (String, String) {
        (source.to_owned(), target.to_owned())
    }

    /// The spec of a scenario with a flow added, and all that is wrong with it.
    fn with(scenario: Scenario, flow: (String, String)) -> (Spec, Vec<Problem>) {
        let mut spec = scenario.spec("demo");
        let mut problems = add(&mut spec, &[flow]);
        problems.extend(spec.validate().err().unwrap_or_default());
        (spec, problems)
    }

    #[test]
    fn a_flow_back_is_like_the_one_that_is_there() {
        let mut spec = Scenario::Dr.spec("demo");
        spec.flows[0].topics = vec!["orders".to_owned()];
        spec.flows[0].groups = vec!["billing".to_owned()];
        let before = spec.flows[0].clone();
        assert_eq!(add(&mut spec, &[pair("secondary", "primary")]), []);
        assert_eq!(spec.validate(), Ok(()));
        let expected = FlowSpec {
            source: "secondary".to_owned(),
            target: "primary".to_owned(),
            ..before.clone()
        };
        assert_eq!(spec.flows, [before, expected]);
    }

    #[test]
    fn where_flows_differ_a_new_one_has_the_defaults() {
        let mut spec = Scenario::Aggregate.spec("demo");
        for (flow, topic) in spec.flows.iter_mut().zip(["orders", "payments"]) {
            flow.topics = vec![topic.to_owned()];
            flow.exclude = vec!["test.*".to_owned()];
        }
        assert_eq!(add(&mut spec, &[pair("emea", "apac")]), []);
        assert_eq!(spec.flows[2].topics, [""; 0]);
        assert_eq!(spec.flows[2].exclude, ["test.*"]);
    }

    #[test]
    fn what_is_there_what_leads_nowhere_and_what_loops_is_refused() {
        let (spec, problems) = with(Scenario::Dr, pair("primary", "secondary"));
        assert!(
            matches!(problems[..], [Problem::FlowExists { .. }]),
            "{problems:?}"
        );
        assert_eq!(spec.flows.len(), 1);
        let twice = [pair("secondary", "primary"), pair("secondary", "primary")];
        let problems = add(&mut Scenario::Dr.spec("demo"), &twice);
        assert!(
            matches!(problems[..], [Problem::FlowExists { .. }]),
            "{problems:?}"
        );
        let (_, problems) = with(Scenario::Dr, pair("secondary", "third"));
        assert!(
            matches!(problems[..], [Problem::UnknownCluster { .. }]),
            "{problems:?}"
        );
        let (_, problems) = with(Scenario::Dr, pair("primary", "primary"));
        assert!(
            matches!(problems[..], [Problem::SelfFlow(_)]),
            "{problems:?}"
        );
        // under the same names every record would go round
        let (_, problems) = with(Scenario::Migrate, pair("cloud", "legacy"));
        assert!(
            matches!(problems[..], [Problem::Loop { .. }]),
            "{problems:?}"
        );
    }
}
