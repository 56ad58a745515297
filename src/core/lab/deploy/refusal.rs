//! Explains docker's reasons for not starting a lab.

use super::failure::DeployError;
use crate::core::docker::{Docker, DockerError};
use crate::core::lab::preflight;
use crate::core::topology::{self, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Limit, Stop};

/// What docker's words mean, where that is known.
pub(in crate::core::lab) fn explain(
    error: DockerError,
    docker: &Docker,
    topology: &Topology,
    limit: &Limit,
) -> DeployError {
    let said = match &error {
        DockerError::Failed { said, .. } => said,
        DockerError::Stopped {
            stop: Stop::Interrupted,
            ..
        } => return DeployError::Interrupted,
        _ => return error.into(),
    };
    if said.contains("address pool") || said.contains("fully subnetted") {
        return DeployError::NoNetworkLeft;
    }
    if said.contains("cannot assign requested address") {
        let address = topology::address(&topology.spec);
        let problem = preflight::Problem::NotItsAddress { address };
        return DeployError::Preflight(vec![problem]);
    }
    let taken = [
        "already allocated",
        "already in use",
        "orts are not available",
    ];
    if taken.iter().any(|words| said.contains(words)) {
        for cluster in &topology.clusters {
            let port = cluster.published().find(|endpoint| names(said, endpoint));
            if let Some(endpoint) = port {
                let problem = preflight::busy(docker, &cluster.name, endpoint.port, limit);
                return DeployError::Preflight(vec![problem]);
            }
        }
    }
    error.into()
}

/// Whether docker's words name the address, and not one that merely begins with it.
fn names(said: &str, endpoint: &Endpoint) -> bool {
    let address = endpoint.to_string();
    said.match_indices(&address)
        .any(|(at, _)| !said[at + address.len()..].starts_with(|c: char| c.is_ascii_digit()))
}
