//! A setting of a flow that a drill changes, and restores.

use super::failback::redeploy;
use crate::core::docker::Docker;
use crate::core::event::Silent;
use crate::core::lab::Lab;
use crate::core::lab::deploy::Failure;
use kmk_kafka::wait::Limit;

/// Recreates MirrorMaker with a value of a setting of one of its flows, or without the setting, and waits until every flow
/// replicates. All else of the lab stays as it is.
pub(super) fn set(
    docker: &Docker,
    lab: &Lab,
    flow: &str,
    (key, value): (&str, Option<&str>),
    limit: &Limit,
) -> Result<(), Failure> {
    let mut spec = lab.spec.clone();
    let flows = spec.flows.iter_mut().zip(&lab.topology.flows);
    for (one, _) in flows.filter(|(_, resolved)| resolved.name() == flow) {
        match value {
            Some(value) => one.settings.insert(key.to_owned(), value.to_owned()),
            None => one.settings.remove(key),
        };
    }
    redeploy(docker, &spec, limit, &Silent)
}
