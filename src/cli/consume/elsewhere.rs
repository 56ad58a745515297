//! Hints for a topic that is on another cluster of the lab than the one asked for.

use crate::cli::CliError;
use crate::cli::{Context, Place};
use kafka_mirror_kit::core::lab::topics::clusters_with_topic;
use kafka_mirror_kit::core::mirrormaker::patterns::{Rules, Selection};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::Naming;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::Flow;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How long the other clusters may take to say whether they have the topic.
const OTHERS: Duration = Duration::from_secs(2);

/// The topic from which a flow makes one of that name here, sooner or later.
pub(super) fn original<'t>(topic: &'t str, place: &Place) -> Option<&'t str> {
    let here = &place.cluster.name;
    let topology = &place.lab.topology;
    let mut flows = topology.flows.iter();
    let is_same = |flow: &Flow| {
        flow.spec.target == *here && flow.spec.naming == Naming::Same && takes(flow, topic)
    };
    topology
        .flow_into(here, topic)
        .and_then(|flow| flow.source_topic(topic))
        .or_else(|| flows.any(is_same).then_some(topic))
}

/// What tells why records do not come that a flow was to bring here.
pub(super) fn why_not(
    topics: &[String],
    place: Option<&Place>,
    context: &Context,
) -> Option<String> {
    let place = place?;
    let original = topics.iter().find_map(|topic| original(topic, place))?;
    let lab = in_lab(&context.lab);
    Some(format!(
        "`kmk explain{lab} {original}` shows whether more records will come, and why not"
    ))
}

fn takes(flow: &Flow, topic: &str) -> bool {
    let selection = Rules::of_flow(flow).select(topic);
    matches!(selection, Selection::Included | Selection::NotEvaluated(_))
}

/// Where the topic is instead, and the commands that read it, or its mirrored topic here.
pub(super) fn where_it_is(topic: &str, place: &Place, context: &Context) -> Option<CliError> {
    let here = &place.cluster.name;
    let topology = &place.lab.topology;
    let limit = Limit::new(OTHERS, &context.interrupt);
    let others = clusters_with_topic(topology, topic, here, &limit);
    let takes_it_here = |cluster: &&String| {
        let mut flows = topology.flows.iter();
        flows.any(|flow| is_between(flow, cluster, here) && takes(flow, topic))
    };
    let there = others.iter().find(takes_it_here).or(others.first())?;
    let lab = in_lab(&context.lab);
    let (on_source, on_target) = (
        shell::flag("--cluster", there),
        shell::flag("--cluster", here),
    );
    let mut flows = topology.flows.iter();
    let flow = flows.find(|flow| is_between(flow, there, here) && takes(flow, topic));
    let (name, hint) = match flow.map(|flow| flow.remote_topic(topic)) {
        Some(mirrored) => (
            format!("its mirrored topic here, on {here}, is `{mirrored}`"),
            format!(
                "`kmk consume{lab} {mirrored}{on_target}` reads the mirrored records, `kmk consume{lab} {topic}{on_source}` those on {there}"
            ),
        ),
        None => (
            format!("no flow mirrors it to {here}"),
            format!(
                "`kmk consume{lab} {topic}{on_source}` reads it there, `kmk explain{lab} {topic}` says why it is not mirrored"
            ),
        ),
    };
    let what = format!("`{topic}` is on {there} (`--cluster {there}`); {name}");
    Some(CliError::usage(what).hint(hint))
}

fn is_between(flow: &Flow, source: &str, target: &str) -> bool {
    flow.spec.source == source && flow.spec.target == target
}
