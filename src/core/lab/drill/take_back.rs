//! Takes a drill back: what it stopped runs again, and what it made is removed.

use super::state::{DrillState, Phase, Setting};
use super::{DrillError, Drilled, drilled_lab, failback, link, setting, siblings};
use crate::core::docker::Container;
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer, step};
use crate::core::lab::deploy::ready::Readiness;
use crate::core::lab::{Lab, addresses, lag};
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::Topology;
use kmk_kafka::wait::{Interrupt, Limit, Probe, Stop, seconds};
use kmk_kafka::{Admin, KafkaError};
use std::time::{Duration, Instant, SystemTime};

/// How long members that are gone may still count as members: their session has to time out.
const SESSION: Duration = Duration::from_secs(20);
/// How often it is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// What a coordinator answers of a group that has members (`NON_EMPTY_GROUP`), and of one that is not there
/// (`GROUP_ID_NOT_FOUND`).
const NON_EMPTY: i16 = 68;
const NO_GROUP: i16 = 69;

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The drill.
    pub state: DrillState,
    /// Other flows of the same MirrorMaker: records cross them too.
    pub siblings: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Brings a lab back to how it was before its drill.
///
/// # Errors
/// [`DrillError::NoDrill`] where there is none; whatever keeps the lab from running again.
pub fn abort(
    docker: &Docker,
    name: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<TakenBack, DrillError> {
    let begun = Instant::now();
    let Drilled {
        _lock, lab, state, ..
    } = drilled_lab(docker, name, limit)?;
    tell_where_it_died(&state, observer);
    take_back(docker, &lab, &state, limit, observer)?;
    Ok(TakenBack {
        siblings: siblings::names(&lab.topology, &state.target, &state.flow),
        state,
        took: begun.elapsed(),
    })
}

/// The lab is locked, so no drill is running any more.
pub(super) fn tell_where_it_died(state: &DrillState, observer: &dyn Observer) {
    if let Some(reached) = state.reached() {
        let age = seconds(reached.age(SystemTime::now()));
        observer.on(Event::Note(format!(
            "the drill did not end: the last step noted is `{}`, which began {age} ago",
            reached.step
        )));
    }
}

/// After a drill that did not come to its end: what happened, with the lab as it was, or why it is not.
pub(super) fn after(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    cause: DrillError,
    patience: Duration,
    observer: &dyn Observer,
) -> DrillError {
    // an interruption has ended the drill, and must not end this
    let limit = Limit::new(
        patience.max(Duration::from_secs(120)),
        &Interrupt::default(),
    );
    observer.on(Event::Note("the drill is taken back".to_owned()));
    // its containers are not as they were
    let now = Lab::find(docker, &lab.spec.lab, &limit);
    let taken_back = now
        .map_err(DrillError::from)
        .and_then(|lab| take_back(docker, &lab, state, &limit, observer));
    DrillError::TakenBack {
        cause: Box::new(cause),
        problem: taken_back.err().map(|error| error.to_string()),
    }
}

pub(super) fn take_back(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let mirrors = start_brokers(docker, lab, state, limit, observer)?;
    // MirrorMaker resumes no topic that it does not find when it starts; records on their way would create the topic again
    let mirrors = if state.back.is_some() || state.phase == Phase::Running {
        failback::stop_mirrors(docker, lab, limit)?
    } else {
        mirrors
    };
    remove(lab, state, limit, observer)?;
    let flows = lab.topology.flows.iter();
    let readers = flows.filter(|flow| flow.spec.source == state.source);
    lag::forget(docker, lab, readers, &state.topics.source, limit);
    if state.back.as_ref().is_some_and(|back| back.is_added) {
        failback::remove_flow(docker, lab, state, limit, observer)?;
    } else {
        start_mirrors(docker, lab, state, &mirrors, limit, observer)?;
    }
    remove_groups(lab, state, &state.source, limit)?;
    Ok(DrillState::forget(docker, &lab.spec.lab, limit)?)
}

/// Repairs a lab after a drill of one fault, and leaves the drill's topics where they are.
pub(super) fn repair(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let mirrors = start_brokers(docker, lab, state, limit, observer)?;
    start_mirrors(docker, lab, state, &mirrors, limit, observer)
}

/// Starts the brokers that are down, and restores the link. The MirrorMakers that are down are left to start.
fn start_brokers(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Vec<String>, DrillError> {
    let down = lab.containers.iter().filter(|container| !container.is_up());
    let (mirrors, brokers) = lab.mirrors_and_brokers(down.collect::<Vec<&Container>>());
    docker.start(&brokers, limit)?;
    let ready = readiness(docker, lab).wait_for_brokers(limit, observer);
    ready.map_err(Box::new)?;
    // of a drill whose topics were kept, the link was restored when it ended: a cut since then is a person's
    if !state.is_kept() {
        link::reconnect(docker, lab, &state.flow, limit, observer)?;
    }
    if let Some(line) = &state.line {
        link::shape(docker, lab, &state.flow, line.asked, limit)?;
    }
    Ok(mirrors)
}

/// Starts them with the settings that they had before the drill, and waits until every flow replicates.
fn start_mirrors(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    mirrors: &[String],
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    if let Some(Setting { key, value }) = &state.setting {
        let words = (
            "Restoring MirrorMaker's settings",
            "Restored MirrorMaker's settings",
        );
        return step(observer, words.0, words.1, || {
            let setting = (key.as_str(), value.as_deref());
            setting::set(docker, lab, &state.flow, setting, limit)
                .map_err(|failure| DrillError::NotUp(failure.cause))
        });
    }
    docker.start(mirrors, limit)?;
    let ready = readiness(docker, lab).wait_for_flows(limit, observer);
    Ok(ready.map(drop).map_err(Box::new)?)
}

fn readiness<'a>(docker: &'a Docker, lab: &'a Lab) -> Readiness<'a> {
    Readiness {
        docker,
        topology: &lab.topology,
        existing: &lab.containers,
    }
}

/// Removes the topics on both sides, the source first: what is gone there is not copied. Groups of the target have no
/// members any more, or lose them with the topics.
fn remove(
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let begun = Instant::now();
    observer.on(Event::Started(
        "Removing the drill's topics and groups".to_owned(),
    ));
    let topics = topics(&lab.topology, state);
    let mut clusters: Vec<&str> = Vec::new();
    for (cluster, topic) in &topics {
        let mut admin = match connect(lab, cluster, limit) {
            // what a flow brought to a cluster that kmk cannot log in to stays there
            Err(KafkaError::NoLogin { .. }) => continue,
            connected => connected?,
        };
        match admin.delete_topic(topic, limit) {
            Err(KafkaError::UnknownTopic { .. }) => {}
            deleted => deleted?,
        }
        if *cluster != state.source && !clusters.contains(&cluster.as_str()) {
            clusters.push(cluster);
        }
    }
    for cluster in clusters {
        remove_groups(lab, state, cluster, limit)?;
    }
    observer.on(Event::Done {
        what: "Removed the drill's topics and groups".to_owned(),
        took: begun.elapsed(),
    });
    Ok(())
}

/// The topics of a drill, by their clusters, and their copies wherever flows have brought them; what is copied comes before
/// its copies.
fn topics(topology: &Topology, state: &DrillState) -> Vec<(String, String)> {
    let (source, target) = (&state.source, &state.target);
    let mut found = vec![
        (source.clone(), state.topics.source.clone()),
        (target.clone(), state.topics.target.clone()),
    ];
    // mirrored by a flow that a failback may have stopped
    let mirrored = (target.clone(), state.topics.mirrored.clone());
    if !found.contains(&mirrored) {
        found.push(mirrored);
    }
    // mirrored by a flow back that may be gone by now
    let back = state.back.as_ref();
    let back = back.map(|back| (source.clone(), back.topic.clone()));
    found.extend(
        back.filter(|back| !found.contains(back))
            .into_iter()
            .collect::<Vec<_>>(),
    );
    let mut next = 0;
    while let Some((cluster, topic)) = found.get(next).cloned() {
        next += 1;
        for flow in topology
            .flows
            .iter()
            .filter(|flow| flow.spec.source == cluster)
        {
            let is_copied = matches!(
                Rules::of_flow(flow).select(&topic),
                Selection::Included | Selection::NotEvaluated(_)
            );
            let copy = (flow.spec.target.clone(), flow.remote_topic(&topic));
            if is_copied && !found.contains(&copy) {
                found.push(copy);
            }
        }
    }
    found
}

/// Removes the groups of one side. Members that were killed have to time out first.
fn remove_groups(
    lab: &Lab,
    state: &DrillState,
    cluster: &str,
    limit: &Limit,
) -> Result<(), DrillError> {
    let mut admin = connect(lab, cluster, limit)?;
    let patience = limit.at_most(SESSION);
    for group in &state.groups {
        let removed = patience.until(AGAIN, || match admin.delete_group(group, limit) {
            Err(error) if is(&error, NO_GROUP) => Ok(Probe::Ready(())),
            Err(error) if is(&error, NON_EMPTY) => Ok(Probe::NotYet(error.to_string())),
            deleted => deleted.map(Probe::Ready),
        });
        match removed {
            // a group without topics does no harm
            Err(KafkaError::Stopped(Stop::Deadline { .. })) => {}
            other => other?,
        }
    }
    Ok(())
}

fn is(error: &KafkaError, number: i16) -> bool {
    error.code().is_some_and(|code| code.number() == number)
}

fn connect(lab: &Lab, cluster: &str, limit: &Limit) -> Result<Admin, KafkaError> {
    let cluster = lab.topology.cluster(cluster);
    Admin::connect_patiently(&cluster.map_or(Ok(Vec::new()), addresses)?, limit)
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::super::state::Topics;
    use super::*;
    use crate::core::spec::scenario::Scenario;

    /// What is removed of a drill, in order, as `cluster/topic`.
    fn removed(scenario: Scenario, source: &str, target: &str) -> Vec<String> {
        let topology = Topology::new(&scenario.spec("demo"));
        let mut flows = topology.flows.iter();
        let flow = flows.find(|flow| {
            (flow.spec.source.as_str(), flow.spec.target.as_str()) == (source, target)
        });
        let state = DrillState {
            watermark: None,
            back: None,
            setting: None,
            line: None,
            flow: format!("{source}->{target}"),
            source: source.to_owned(),
            target: target.to_owned(),
            fault: Some(Fault::Kill),
            observed: false,
            name: None,
            phase: Phase::FailedOver,
            since: 0,
            reached: None,
            topics: Topics {
                source: "t".to_owned(),
                mirrored: flow.unwrap().remote_topic("t"),
                target: "t".to_owned(),
            },
            groups: Vec::new(),
        };
        let topics = topics(&topology, &state).into_iter();
        topics
            .map(|(cluster, topic)| format!("{cluster}/{topic}"))
            .collect()
    }

    #[test]
    fn copies_are_removed_wherever_flows_have_brought_them() {
        assert_eq!(
            removed(Scenario::Dr, "primary", "secondary"),
            ["primary/t", "secondary/t", "secondary/primary.t"]
        );
        assert_eq!(
            removed(Scenario::ActiveActive, "east", "west"),
            ["east/t", "west/t", "west/east.t", "east/west.t"]
        );
        assert_eq!(
            removed(Scenario::FanOut, "hub", "edge-1"),
            ["hub/t", "edge-1/t", "edge-1/hub.t", "edge-2/hub.t"]
        );
        assert_eq!(
            removed(Scenario::Migrate, "legacy", "cloud"),
            ["legacy/t", "cloud/t"]
        );
    }
}
