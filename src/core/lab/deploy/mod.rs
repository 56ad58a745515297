//! Brings a lab up, or to what is asked of it, and waits until it replicates.

mod failure;
mod plan;
mod ready;
mod request;

pub use failure::{Aftermath, DeployError, Failure, Suspect};
pub use request::{Change, Rendered, Request, default_directory, render};

use crate::core::docker::{Docker, DockerError, Engine};
use crate::core::event::Observer;
use crate::core::lock::{self, Lock};
use crate::core::preflight;
use crate::core::topology::Topology;
use crate::core::wait::{Limit, Stop};
use plan::Plan;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A lab that replicates.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What runs.
    pub topology: Topology,
    /// What was done to get there.
    pub outcome: Outcome,
    /// The image that it runs.
    pub image: String,
    /// Where its files are.
    pub directory: PathBuf,
    /// From the first question to docker to the last canary.
    pub took: Duration,
}

/// What a deploy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Made the lab.
    Created,
    /// Nothing: it ran as asked.
    Unchanged,
    /// Made or started what was missing, and made these services anew.
    Changed(Vec<String>),
}

/// Makes the lab what is asked, and waits until a canary has crossed every flow. Does nothing to a lab that already is.
///
/// # Errors
/// [`Failure`]. A lab that this deploy made is taken back, unless asked to keep it; one that was there before stays.
pub fn deploy(
    request: &Request,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Deployed, Failure> {
    let begun = Instant::now();
    let nothing_made = |cause: DeployError| Failure {
        cause,
        aftermath: Aftermath::NothingMade,
    };
    render(request).map_err(|problems| nothing_made(DeployError::Spec(problems)))?;
    let (docker, engine) = engine(limit).map_err(nothing_made)?;
    let lock = Lock::take(
        &lock::runtime_directory(),
        &engine.id,
        &request.lab,
        "deploy",
    );
    let _lock = lock.map_err(|error| nothing_made(error.into()))?;
    let plan = Plan::make(request, &docker, &engine, limit, observer).map_err(nothing_made)?;
    match plan.carry_out(limit, observer) {
        Ok(outcome) => Ok(Deployed {
            topology: plan.rendered.topology,
            outcome,
            image: plan.image,
            directory: plan.workdir.path().to_owned(),
            took: begun.elapsed(),
        }),
        Err(cause) => {
            let aftermath = plan.clean_up(request.keep, observer);
            Err(Failure { cause, aftermath })
        }
    }
}

fn engine(limit: &Limit) -> Result<(Docker, Engine), DeployError> {
    let docker = Docker::find().map_err(one_problem)?;
    match docker.engine(limit) {
        Ok(engine) => Ok((docker, engine)),
        Err(DockerError::Stopped {
            stop: Stop::Interrupted,
            ..
        }) => Err(DeployError::Interrupted),
        Err(error) => {
            // the plugin is asked too: both problems in one go
            let problems = [Some(error.into()), preflight::compose(&docker, limit).err()];
            Err(DeployError::Preflight(
                problems.into_iter().flatten().collect(),
            ))
        }
    }
}

fn one_problem(error: DockerError) -> DeployError {
    DeployError::Preflight(vec![error.into()])
}
