//! Brings a lab up, or to what is asked of it, and waits until it replicates.

mod added_flow;
mod backlog;
mod batch;
mod cleanup_policy;
mod connector_status;
mod drift;
mod existing_clusters;
mod exposure;
mod failure;
mod lost_data;
mod mirrormakers;
mod plan;
mod ports;
pub(super) mod ready;
mod reconcile;
pub(super) mod refusal;
mod relays;
mod request;
mod roll_back;
mod same_cluster;
mod timeline;
mod unmatched_patterns;

pub(super) use added_flow::add_flow;
pub use exposure::exposure;
pub use failure::{Aftermath, DeployError, Failure, Suspect};
pub use request::{Change, Rendered, Request, default_directory, render};
pub use timeline::{Marks, Span, Step};

use crate::core::docker::{Docker, Engine, EngineHost};
use crate::core::event::{Event, Observer};
use crate::core::judge::link::LinkStatus;
use crate::core::lab::lock::{self, Lock};
use crate::core::lab::preflight;
use crate::core::lab::workdir::Workdir;
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;
use plan::Plan;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How often free ports are chosen: between the look and docker's taking them someone else may, such as another deploy.
const CHOICES: u32 = 3;

/// A lab that replicates.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// What runs.
    pub topology: Topology,
    /// What was done to get there.
    pub outcome: Outcome,
    /// Whether a cluster came back without its data, or records are known to be lost.
    pub has_lost: bool,
    /// Links that stay cut, as `kmk link cut` left them.
    pub cut: Vec<LinkStatus>,
    /// The names of the images that it runs, each once.
    pub images: Vec<String>,
    /// Where its files are.
    pub directory: PathBuf,
    /// From the first question to docker to the last canary.
    pub took: Duration,
    /// When what was done.
    pub marks: Marks,
}

/// What a deploy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Made the lab.
    Created,
    /// Nothing: it ran as asked.
    Unchanged,
    /// Made or started what was missing.
    Repaired,
    /// The same, and changed it.
    Changed {
        /// Services that were recreated, or that the lab did not have before.
        recreated: Vec<String>,
        /// Services that it no longer has.
        removed: Vec<String>,
    },
}

impl Outcome {
    /// These services were recreated, too.
    fn also(&mut self, services: Vec<String>) {
        match self {
            Self::Created => {}
            Self::Unchanged | Self::Repaired => {
                *self = Self::Changed {
                    recreated: services,
                    removed: Vec::new(),
                }
            }
            Self::Changed { recreated, .. } => {
                recreated.extend(services);
                recreated.sort();
                recreated.dedup();
            }
        }
    }
}

/// Makes the lab what is asked, and waits until a canary has crossed every flow. Does nothing to a lab that already is.
/// `limit` counts once before anything is made, and once more from then on.
///
/// # Errors
/// [`Failure`]. A lab that this deploy made is removed again, unless asked to keep it; one that existed before stays.
pub fn deploy(
    request: &Request,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Deployed, Failure> {
    let begun = (Instant::now(), SystemTime::now());
    let (docker, engine) = engine(request, limit).map_err(Failure::early)?;
    let directory = lock::runtime_directory();
    let lock = Lock::take(&directory, &engine.id, &request.lab, "deploy");
    let _lock = lock.map_err(|error| Failure::early(error.into()))?;
    deploy_locked(request, begun, (&docker, &engine), limit, observer)
}

/// The same for whoever has the lab's lock; `begun` is when it was asked for.
///
/// # Errors
/// As [`deploy`].
pub(super) fn deploy_locked(
    request: &Request,
    (begun, since): (Instant, SystemTime),
    (docker, engine): (&Docker, &Engine),
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Deployed, Failure> {
    let mut marks = Marks::of(since);
    let mut choices = CHOICES;
    let mut since = marks.began;
    loop {
        let plan = Plan::make(request, docker, engine, limit, observer);
        let mut plan = plan.map_err(Failure::early)?;
        if let Some(warning) = exposure(&plan.rendered.topology.spec, &plan.engine_host)
            && choices == CHOICES
        {
            observer.on(Event::Warning(warning));
        }
        marks.ended(Step::Preflight, since);
        if let Some(ahead) = plan.ahead(&request.change.flows) {
            observer.on(Event::Note(ahead));
        }
        // pulling an image takes as long as it takes
        let cause = match plan.carry_out(&mut marks, &limit.restarted(), observer) {
            Ok((outcome, has_lost)) => {
                return Ok(Deployed {
                    has_lost,
                    cut: plan.cuts.into_links(),
                    topology: plan.rendered.topology,
                    outcome,
                    images: plan.images.names(),
                    directory: plan.workdir.path().to_owned(),
                    took: begun.elapsed(),
                    marks,
                });
            }
            Err(cause) => cause,
        };
        choices -= 1;
        let chooses_again =
            request.any_port && !plan.was_there && cause.is_a_busy_port() && choices > 0;
        let aftermath = plan.clean_up(request.keep && !chooses_again, observer);
        if !chooses_again || !matches!(aftermath, Aftermath::RolledBack(_)) {
            return Err(Failure::new(cause, aftermath));
        }
        observer.on(Event::Started(format!("Choosing other ports: {cause}")));
        since = SystemTime::now();
    }
}

impl Request {
    /// That a lab is what it is.
    pub(super) fn unchanged(lab: &str) -> Self {
        Self {
            lab: lab.to_owned(),
            wanted: None,
            scenario: None,
            change: Change::default(),
            any_port: false,
            relay_image: None,
            directory: None,
            overwrite: false,
            keep: false,
        }
    }
}

/// The engine, unless it is not needed to know that there can be no such lab; where there is none to be had, everything
/// else that stands in the way too.
fn engine(request: &Request, limit: &Limit) -> Result<(Docker, Engine), DeployError> {
    // where it is does not matter to what is wrong with the spec
    let resolved = match request.resolve_new(&EngineHost::Local) {
        Err(problems) if !request.depends_on_the_lab(&problems) => {
            return Err(DeployError::Spec(problems));
        }
        resolved => resolved,
    };
    let mut problems: Vec<preflight::Problem> = Vec::new();
    let mut engine_host = EngineHost::Local;
    match Docker::find() {
        Err(error) => problems.push(error.into()),
        Ok(docker) => match docker.engine(limit) {
            Ok(engine) => return Ok((docker, engine)),
            Err(error) if error.is_interruption() => return Err(DeployError::Interrupted),
            Err(error) => {
                problems.push(error.into());
                engine_host = EngineHost::find(limit).unwrap_or(EngineHost::Local);
                problems.extend(preflight::compose(&docker, &engine_host, limit).err());
            }
        },
    }
    let topology = resolved.map_err(DeployError::Spec)?;
    let directory = request.directory.clone();
    let workdir = Workdir::new(directory.unwrap_or_else(|| default_directory(&request.lab)));
    problems.extend(preflight::reach(&engine_host, &topology.spec).err());
    problems.extend(preflight::missing_variables(&topology));
    if !request.any_port && engine_host == EngineHost::Local {
        problems.extend(preflight::busy_ports(&topology));
    }
    let files = workdir.check(&engine_host.owner(&request.lab), request.overwrite);
    problems.extend(files.into_iter().map(preflight::Problem::from));
    Err(DeployError::Preflight(problems))
}
