//! Restores links, and waits until records cross them again.

use super::cut::flow_of;
use super::look::{look, network, workers};
use super::shaped::put_some;
use super::{LinkError, RelayError, uninterrupted};
use crate::core::docker::{Container, Docker, Engine};
use crate::core::event::{Event, Observer};
use crate::core::judge::link::LinkStatus;
use crate::core::lab::deploy::DeployError;
use crate::core::lab::deploy::ready::Readiness;
use crate::core::lab::journal::{self, Cut, Journal};
use crate::core::lab::lock::{self, Lock, LockError};
use crate::core::lab::{Lab, LabError};
use crate::core::topology::{Flow, Proof, Relay, Topology};
use kmk_kafka::wait::{Interrupt, Limit, Probe, Stop};
use std::time::{Duration, Instant};

/// How long the relays of a flow may take to answer.
const RELAYS: Duration = Duration::from_secs(10);

/// Which links are to be restored.
#[derive(Debug, Clone, Default)]
pub struct Heal {
    /// That of this flow only.
    pub flow: Option<String>,
    /// Only if this is still what [stands in the journal](super::CutLink::cut): nobody has restored it since, or cut it for another
    /// time. Then whoever else is at the lab is waited for.
    pub only: Option<Cut>,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct HealedLinks {
    /// The links as they were before; none where there was nothing to restore.
    pub links: Vec<LinkStatus>,
    /// Flows that were not seen to carry records again: their MirrorMaker does not run.
    pub asleep: Vec<String>,
    /// Flows of which only MirrorMaker says that they run: no canary may be sent through them.
    pub unproved: Vec<String>,
    /// From the first question to docker to the last canary.
    pub took: Duration,
}

/// Puts MirrorMaker back on the networks of sources, whoever took it off, makes relays that are half-open pass records on, and
/// waits until a canary has crossed.
///
/// # Errors
/// [`LinkError`].
pub fn heal(
    docker: &Docker,
    name: &str,
    what: &Heal,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<HealedLinks, LinkError> {
    let begun = Instant::now();
    let engine = docker.engine(limit)?;
    let _lock = match what.only {
        None => Lock::take(&lock::runtime_directory(), &engine.id, name, "link heal")?,
        Some(_) => lock_in_turn(&engine, name, limit, observer)?,
    };
    let lab = Lab::find(docker, name, limit)?;
    let links = meant(&lab, what)?;
    let unproved = lab.topology.flows.iter();
    let unproved = unproved.filter(|flow| flow.proof == Proof::ConnectorStatus);
    let unproved: Vec<String> = unproved.map(Flow::name).collect();
    let done = |asleep| HealedLinks {
        asleep,
        unproved: unproved.clone(),
        took: begun.elapsed(),
        links: links.clone(),
    };
    if links.is_empty() {
        return Ok(done(Vec::new()));
    }
    let flows: Vec<String> = links.iter().map(|link| link.flow.clone()).collect();
    let restore = |journal: &mut Journal| {
        for flow in &flows {
            journal.link(flow).cut = None;
        }
    };
    let mut restored = lab.journal.clone();
    restore(&mut restored);
    for link in &links {
        connect(docker, &lab, link, observer)?;
        pass_on(&lab, &link.flow, &restored, observer)?;
    }
    // last: what is only half restored is still known as cut
    let written = journal::change(docker, name, &uninterrupted(), restore);
    written.map_err(LabError::from)?;
    let lab = Lab::find(docker, name, limit)?;
    let (awake, asleep): (Vec<_>, _) = flows.iter().cloned().partition(|flow| runs(&lab, flow));
    for flow in &awake {
        refuse_without_relay(&lab, flow)?;
    }
    wait(docker, &lab, awake, limit, observer)?;
    Ok(done(asleep))
}

/// The lock of a lab, once its holder is done.
fn lock_in_turn(
    engine: &Engine,
    name: &str,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Lock, LinkError> {
    const LOOK: Duration = Duration::from_millis(100);
    limit.until(LOOK, || {
        match Lock::take(&lock::runtime_directory(), &engine.id, name, "link heal") {
            Ok(lock) => Ok(Probe::Ready(lock)),
            Err(held @ LockError::Held { .. }) => {
                observer.on(Event::Progress(held.to_string()));
                Ok(Probe::NotYet(held.to_string()))
            }
            Err(other) => Err(other.into()),
        }
    })
}

/// Links that are asked for and have something to restore.
fn meant(lab: &Lab, what: &Heal) -> Result<Vec<LinkStatus>, LinkError> {
    if let Some(flow) = &what.flow {
        flow_of(lab, flow)?;
    }
    let mut links = look(lab);
    links.retain(|link| {
        let cut = lab.journal.cut(&link.flow);
        let is_named = what.flow.as_ref().is_none_or(|flow| *flow == link.flow);
        let is_its = what.only.is_none_or(|only| cut == Some(&only));
        is_named && is_its && (cut.is_some() || !link.cut_off.is_empty())
    });
    Ok(links)
}

/// Puts MirrorMaker back, and asks docker whether it is there.
fn connect(
    docker: &Docker,
    lab: &Lab,
    link: &LinkStatus,
    observer: &dyn Observer,
) -> Result<(), LinkError> {
    let limit = &uninterrupted();
    let flow = flow_of(lab, &link.flow)?;
    let Some(network) = network(&lab.topology, flow) else {
        return Ok(());
    };
    for worker in workers(&lab.topology, flow, &lab.containers) {
        let begun = Instant::now();
        if worker.networks().any(|one| one == network) {
            continue;
        }
        docker.connect(&network, &worker.id, worker.service(), limit)?;
        observer.on(Event::Done {
            what: format!("Connected {} to network {network}", worker.service()),
            took: begun.elapsed(),
        });
    }
    let now = Lab::find(docker, &lab.spec.lab, limit)?;
    let mut seen = look(&now).into_iter().filter(|one| one.flow == link.flow);
    match seen.next() {
        Some(seen) if !seen.cut_off.is_empty() => Err(LinkError::NotDone {
            services: seen.cut_off,
            cluster: flow.spec.source.clone(),
            is_on: false,
        }),
        _ => Ok(()),
    }
}

/// Makes relays pass records on again, and asks them whether they do. Those that are down remember nothing; one that is paused
/// does.
fn pass_on(
    lab: &Lab,
    flow: &str,
    restored: &Journal,
    observer: &dyn Observer,
) -> Result<(), LinkError> {
    let limit = Limit::new(RELAYS, &Interrupt::default());
    let flow = flow_of(lab, flow)?;
    put_some(flow, restored, |relay| is_up(lab, relay), &limit, observer)?;
    Ok(())
}

fn is_up(lab: &Lab, relay: &Relay) -> bool {
    let container = lab.container(&relay.service);
    container.is_some_and(Container::is_up)
}

/// Nothing crosses a relay that does not run, however long one waits.
fn refuse_without_relay(lab: &Lab, flow: &str) -> Result<(), LinkError> {
    let link = flow_of(lab, flow)?.link.as_ref();
    let mut relays = link.into_iter().flat_map(|link| &link.relays);
    relays
        .find(|relay| !is_up(lab, relay))
        .map_or(Ok(()), |relay| Err(RelayError::not_running(relay).into()))
}

/// Whether there is a MirrorMaker to carry the flow.
fn runs(lab: &Lab, flow: &str) -> bool {
    let flow = flow_of(lab, flow);
    flow.is_ok_and(|flow| {
        let workers = workers(&lab.topology, flow, &lab.containers);
        workers.iter().any(|worker| worker.is_running())
    })
}

/// Waits until records cross these flows.
fn wait(
    docker: &Docker,
    lab: &Lab,
    flows: Vec<String>,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), LinkError> {
    if flows.is_empty() {
        return Ok(());
    }
    let mut topology: Topology = lab.topology.clone();
    topology.flows.retain(|flow| flows.contains(&flow.name()));
    let ends = topology.flows.iter();
    let ends: Vec<&String> = ends
        .flat_map(|Flow { spec, .. }| [&spec.source, &spec.target])
        .collect();
    // other clusters may be down
    topology
        .clusters
        .retain(|cluster| ends.contains(&&cluster.name));
    let readiness = Readiness {
        docker,
        topology: &topology,
        existing: &lab.containers,
    };
    let crossed = readiness
        .wait_for_brokers(limit, observer)
        .and_then(|()| readiness.wait_for_records(limit, observer));
    let has_crossed = crossed.is_ok();
    let up = crossed.and_then(|()| readiness.wait_for_backlog(limit, observer));
    up.map(drop).map_err(|cause| match cause {
        DeployError::Interrupted => Stop::Interrupted.into(),
        cause => LinkError::NotUp {
            flows,
            has_crossed,
            cause: Box::new(cause),
        },
    })
}
