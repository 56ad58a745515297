//! Takes back what a failback changed: the flow back goes where it was added, and with it what it mirrored.

use crate::core::docker::Docker;
use crate::core::event::Observer;
use crate::core::lab::Lab;
use crate::core::lab::deploy::{Request, deploy_locked};
use crate::core::lab::drill::DrillError;
use crate::core::lab::drill::state::DrillState;
use crate::core::lab::drill::take_back::connect;
use crate::core::spec::Spec;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Limit;
use std::time::{Instant, SystemTime};

/// Once the lab replicates and the drill's own topics are gone: nothing is mirrored any more that is removed here.
///
/// # Errors
/// When docker or the source does not do what it is asked.
pub(in crate::core::lab::drill) fn undo(
    docker: &Docker,
    lab: &Lab,
    state: &DrillState,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), DrillError> {
    let Some(back) = &state.back else {
        return Ok(());
    };
    let without = without_flow_back(&lab.spec, state);
    if back.is_added && without != lab.spec {
        let request = Request {
            wanted: Some(without),
            ..Request::unchanged(&lab.spec.lab)
        };
        let engine = docker.engine(limit)?;
        let now = (Instant::now(), SystemTime::now());
        let deployed = deploy_locked(&request, now, (docker, &engine), limit, observer);
        deployed.map_err(|failure| DrillError::NotUp(failure.cause))?;
    }
    let mut admin = connect(lab, &state.source, limit)?;
    match admin.delete_topic(&back.topic, limit) {
        Err(KafkaError::UnknownTopic { .. }) => Ok(()),
        deleted => Ok(deleted?),
    }
}

fn without_flow_back(spec: &Spec, state: &DrillState) -> Spec {
    let mut spec = spec.clone();
    spec.flows
        .retain(|flow| (&flow.source, &flow.target) != (&state.target, &state.source));
    spec
}
