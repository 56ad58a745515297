//! Deletes a topic of a lab's cluster, and resets MirrorMaker's position for it: the next topic of that name is copied
//! from its first record.

use super::positions::{self, PositionError, Reset};
use super::topics::{self, RemoteTopic, TopicError};
use super::{Lab, addresses, lag};
use crate::core::docker::Docker;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::Flow;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, KafkaError};
use std::time::Duration;

/// How long another cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What happened to MirrorMaker's positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Targets on which its positions for the topic were reset.
    pub reset_on: Vec<String>,
    /// Where it was a mirrored topic: the topic that MirrorMaker copies again, from its first record.
    pub again: Option<RemoteTopic>,
}

/// Why a topic is not, or not wholly, gone.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It was not deleted.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// It was not deleted: MirrorMaker's position on a target could not have been reset.
    #[error("MirrorMaker's position for `{topic}` on {target} cannot be reset: {cause}")]
    OutOfReach {
        /// The topic.
        topic: String,
        /// The cluster that does not answer.
        target: String,
        /// Why not.
        cause: KafkaError,
    },
    /// It was not deleted: the MirrorMaker that writes it could not be restarted.
    #[error("MirrorMaker cannot be restarted, so `{topic}` was not deleted: {cause}")]
    NotRestarted {
        /// The mirrored topic.
        topic: String,
        /// Why not.
        cause: PositionError,
    },
    /// It was deleted, and MirrorMaker's position is still there.
    #[error(
        "the topic was deleted, but MirrorMaker's position for it on {target} was not reset: {cause}"
    )]
    NotReset {
        /// The cluster.
        target: String,
        /// Why not.
        cause: PositionError,
    },
}

/// Deletes `topic` of the lab's `cluster`. With `force`, also where MirrorMaker's positions are out of reach.
///
/// # Errors
/// [`DeleteError`].
pub fn delete(
    docker: &Docker,
    lab: &Lab,
    cluster: &str,
    topic: &str,
    force: bool,
    limit: &Limit,
) -> Result<Deleted, DeleteError> {
    let found = lab.topology.cluster(cluster);
    let endpoints = found.map_or(Ok(Vec::new()), addresses);
    let endpoints = endpoints.map_err(TopicError::from)?;
    let mut admin = Admin::connect_patiently(&endpoints, limit).map_err(TopicError::from)?;
    let found = topics::find(&mut admin, topic, limit);
    let out = out_of(lab, cluster, topic);
    if let Err(error) = found {
        if matches!(error, TopicError::NoTopic { .. }) {
            // deleted by others, or by one who was interrupted; what is left of it, `deploy` resets
            for flow in out {
                let patience = limit.at_most(PATIENCE);
                if positions::are_noted(&lab.topology, flow, topic, &patience).unwrap_or(false) {
                    let _ = reset(docker, lab, flow, topic, limit);
                }
            }
        }
        return Err(error.into());
    }
    let out = in_reach(lab, out, topic, force, limit)?;
    let again = mirrored(docker, lab, cluster, topic, &endpoints, limit)?;
    if again.is_none() {
        topics::delete(&endpoints, topic, limit)?;
    }
    match &again {
        None => lag::forget(docker, lab, out.iter().copied(), topic, limit),
        Some(RemoteTopic {
            cluster: from,
            topic,
        }) => {
            let flows = lab.topology.flows.iter();
            let into =
                flows.filter(|flow| flow.spec.source == *from && flow.spec.target == cluster);
            lag::forget(docker, lab, into, topic, limit);
        }
    }
    let mut deleted = Deleted {
        again,
        ..Deleted::default()
    };
    for flow in out {
        if reset(docker, lab, flow, topic, limit)? != Reset::NoneNoted {
            deleted.reset_on.push(flow.spec.target.clone());
        }
    }
    Ok(deleted)
}

fn reset(
    docker: &Docker,
    lab: &Lab,
    flow: &Flow,
    topic: &str,
    limit: &Limit,
) -> Result<Reset, DeleteError> {
    let reset = positions::after_deletion(docker, lab, flow, topic, limit);
    reset.map_err(|cause| DeleteError::NotReset {
        target: flow.spec.target.clone(),
        cause,
    })
}

/// The flows that may have copied a topic from a cluster.
fn out_of<'a>(lab: &'a Lab, cluster: &str, topic: &str) -> Vec<&'a Flow> {
    let flows = lab.topology.flows.iter();
    let may_copy = |flow: &&Flow| {
        let selection = Rules::of_flow(flow).select(topic);
        flow.spec.source == cluster
            && !matches!(selection, Selection::Internal(_) | Selection::Cycle)
    };
    flows.filter(may_copy).collect()
}

/// Those of the flows whose targets answer: all, unless insisted.
fn in_reach<'a>(
    lab: &Lab,
    mut flows: Vec<&'a Flow>,
    topic: &str,
    force: bool,
    limit: &Limit,
) -> Result<Vec<&'a Flow>, DeleteError> {
    let answers = |flow: &Flow| {
        let found = lab.topology.cluster(&flow.spec.target);
        let endpoints = found.map_or(Ok(Vec::new()), addresses)?;
        Admin::connect(&endpoints, &limit.at_most(PATIENCE)).map(drop)
    };
    if force {
        flows.retain(|flow| answers(flow).is_ok());
        return Ok(flows);
    }
    for flow in &flows {
        answers(flow).map_err(|cause| DeleteError::OutOfReach {
            topic: topic.to_owned(),
            target: flow.spec.target.clone(),
            cause,
        })?;
    }
    Ok(flows)
}

/// Deletes a mirrored topic while its MirrorMaker is stopped, which then copies the topic that it is made of again; that
/// topic. None where it is no mirrored topic, or its source is not there: nothing is deleted then.
fn mirrored(
    docker: &Docker,
    lab: &Lab,
    cluster: &str,
    topic: &str,
    endpoints: &[Endpoint],
    limit: &Limit,
) -> Result<Option<RemoteTopic>, DeleteError> {
    let patience = limit.at_most(PATIENCE);
    let Some(source) = topics::source_of(&lab.topology, cluster, topic, &patience) else {
        return Ok(None);
    };
    let mut flows = lab.topology.flows.iter();
    let flow = flows.find(|flow| flow.spec.source == source.cluster && flow.spec.target == cluster);
    let is_there = || {
        let found = lab.topology.cluster(&source.cluster)?;
        let mut admin = Admin::connect(&addresses(found).ok()?, &patience).ok()?;
        admin.has_topic(&source.topic, &patience).ok()
    };
    let Some(flow) = flow.filter(|_| is_there() == Some(true)) else {
        return Ok(None);
    };
    let mut deleted = None;
    let deed = || {
        let done = deleted.insert(topics::delete(endpoints, topic, limit));
        if done.is_err() && is_gone(endpoints, topic) {
            *done = Ok(());
        }
        done.is_ok()
    };
    let again = positions::again(docker, lab, flow, &source.topic, deed);
    match (again, deleted) {
        (Ok(_), deleted) => deleted.transpose()?,
        (Err(cause), Some(Ok(()))) => {
            let target = cluster.to_owned();
            return Err(DeleteError::NotReset { target, cause });
        }
        (Err(cause), _) => {
            let topic = topic.to_owned();
            return Err(DeleteError::NotRestarted { topic, cause });
        }
    };
    Ok(Some(source))
}

/// Whether a topic is seen to be gone, though what was asked for it has failed, or was interrupted.
fn is_gone(endpoints: &[Endpoint], topic: &str) -> bool {
    let limit = Limit::new(PATIENCE, &Interrupt::default());
    let there = Admin::connect(endpoints, &limit).and_then(|mut one| one.has_topic(topic, &limit));
    matches!(there, Ok(false))
}
