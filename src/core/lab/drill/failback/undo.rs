//! Takes back what a failback changed: the flow back goes where it was added.

use crate::core::docker::{Container, Docker, DockerError};
use crate::core::event::Observer;
use crate::core::lab::Lab;
use crate::core::lab::deploy::{Request, deploy_locked};
use crate::core::lab::drill::DrillError;
use crate::core::lab::drill::state::DrillState;
use crate::core::spec::Spec;
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

/// Removes the flow back, and waits until the lab replicates without it.
pub(in crate::core::lab::drill) fn remove_flow(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    // also where its containers do not have it: the lab's files may
    let request = Request {
        wanted: Some(without_flow_back(&lab.spec, state)),
        ..Request::unchanged(&lab.spec.lab)
    };
    let engine = docker.engine(limit)?;
    let now = (Instant::now(), SystemTime::now());
    let deployed = deploy_locked(&request, now, (docker, &engine), limit, observer);
    deployed
        .map(drop)
        .map_err(|failure| DrillError::NotUp(failure.cause))
}

fn without_flow_back(spec: &Spec, state: &DrillState) -> Spec {
    let mut spec = spec.clone();
    spec.flows
        .retain(|flow| (&flow.source, &flow.target) != (&state.target, &state.source));
    spec
}
