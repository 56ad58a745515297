//! Takes back what a failback changed: the lab has the flows that it had before.

use crate::core::docker::{Container, Docker, DockerError};
use crate::core::event::Observer;
use crate::core::lab::Lab;
use crate::core::lab::deploy::{Failure, Request, deploy_locked};
use crate::core::lab::drill::DrillError;
use crate::core::lab::drill::state::DrillState;
use crate::core::spec::{FlowSpec, Spec};
use kmk_kafka::wait::Limit;
use std::time::{Instant, SystemTime};

/// Stops every MirrorMaker, so that nothing is mirrored while topics are removed; all there are.
pub(in crate::core::lab::drill) fn stop_mirrors(
    docker: &Docker,
    lab: &Lab,
    limit: &Limit,
) -> Result<Vec<String>, DockerError> {
    let up = lab.containers.iter().filter(|one| one.is_up());
    let (up, _) = lab.mirrors_and_brokers(up.collect::<Vec<&Container>>());
    if !up.is_empty() {
        docker.stop(&up, limit)?;
    }
    let (all, _) = lab.mirrors_and_brokers(lab.containers.iter().collect::<Vec<_>>());
    Ok(all)
}

/// Gives the lab the flows that it had before, and waits until it replicates.
pub(in crate::core::lab::drill) fn remove_flow(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    // also where its containers do not have it: the lab's files may
    redeploy(docker, &lab_before(&lab.spec, state), limit, observer)
        .map_err(|failure| DrillError::NotUp(failure.cause))
}

/// Makes a lab that is locked another one, and waits until it replicates.
pub(in crate::core::lab::drill) fn redeploy(
    docker: &Docker,
    wanted: &Spec,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), Failure> {
    let request = Request {
        wanted: Some(wanted.clone()),
        ..Request::unchanged(&wanted.lab)
    };
    let engine = docker.engine(limit);
    let engine = engine.map_err(|error| Failure::early(error.into()))?;
    let now = (Instant::now(), SystemTime::now());
    deploy_locked(&request, now, (docker, &engine), limit, observer).map(drop)
}

/// The lab without what the failback has changed. After one that was kept, a person may have changed it too.
fn lab_before(now: &Spec, state: &DrillState) -> Spec {
    let before = state.back.as_ref().and_then(|back| back.lab.as_deref());
    let before = before.filter(|_| !state.is_kept());
    let mut spec = before.unwrap_or(now).clone();
    // an older kmk only added one too
    if before.is_none() {
        let is_back =
            |flow: &FlowSpec| (&flow.source, &flow.target) == (&state.target, &state.source);
        spec.flows.retain(|flow| !is_back(flow));
    }
    spec
}
