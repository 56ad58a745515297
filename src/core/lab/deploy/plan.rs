//! What is known before anything is made, and the making of it.

use super::Outcome;
use super::added_flow::services_beyond;
use super::batch::{self, Fit};
use super::cleanup_policy;
use super::existing_clusters;
use super::failure::DeployError;
use super::lost_data;
use super::ready::Readiness;
use super::refusal::explain;
use super::relays::AskedSince;
use super::request::{Rendered, Request, default_directory};
use super::timeline::{Marks, Step};
use super::unmatched_patterns;
use crate::core::compose::{ClassCache, LABEL_LAB, LABEL_SPEC};
use crate::core::docker::{Container, Docker, Engine, EngineHost, Recreate};
use crate::core::event::{Event, Observer};
use crate::core::image::Images;
use crate::core::lab::destroy::Remains;
use crate::core::lab::link::{self, KeptCuts};
use crate::core::lab::preflight::Preflight;
use crate::core::lab::workdir::Workdir;
use crate::core::lab::{Lab, class_cache, is_original};
use crate::core::spec::Spec;
use crate::core::topology::{self, KafkaImage, Topology};
use kmk_kafka::wait::{Interrupt, Limit};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// How long recreating containers may take: each has 5 s to end by itself.
const REPLACE: Duration = Duration::from_secs(60);

/// Everything that is known before anything is made.
pub(super) struct Plan<'a> {
    pub(super) docker: &'a Docker,
    pub(super) rendered: Rendered,
    pub(super) workdir: Workdir,
    pub(super) overwrite: bool,
    pub(super) images: Images,
    pub(super) existing: Vec<Container>,
    /// What compose leaves behind when it is interrupted while it replaces a container.
    duplicates: Vec<Container>,
    pub(super) engine_host: EngineHost,
    /// Whether there was anything of this lab before: then nothing of it is ever removed.
    pub(super) was_there: bool,
    /// Services that are asked for, and that it did not have.
    pub(super) added: Vec<String>,
    /// Whether MirrorMaker's batches fit into all topics, as far as they were seen.
    fit: Fit,
    /// Clusters of it whose data is gone.
    pub(super) lost: Vec<String>,
    /// What was asked of relays since it was deployed.
    pub(super) asked_since: AskedSince,
    /// Whether there was a volume of class-data archives before.
    pub(super) class_cache_existed: bool,
    /// Links that stay cut.
    pub(super) cuts: KeptCuts,
    /// The lab without their flows: nobody waits for those.
    uncut: Topology,
}

impl<'a> Plan<'a> {
    pub(super) fn make(
        request: &Request,
        docker: &'a Docker,
        engine: &Engine,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Self, DeployError> {
        let engine_host = EngineHost::find(limit)?;
        let remains = Remains::find(docker, &request.lab, limit)?;
        let was_there = !remains.is_nothing();
        let volumes = remains.volumes();
        let lab = Lab::describe(&request.lab, remains.containers)?;
        if lab.is_none() && !request.change.flows.is_empty() {
            Lab::find(docker, &request.lab, limit)?;
        }
        let lost = lab
            .as_ref()
            .map(|lab| lost_data::clusters(&lab.topology, &volumes));
        let mut asked_since = if was_there {
            AskedSince::read(docker, &request.lab, lab.as_ref(), limit)?
        } else {
            AskedSince::default()
        };
        let mut base = request.base(lab.as_ref().map(|lab| &lab.topology))?;
        if let Some(lab) = &lab {
            asked_since.keep(&mut base, &lab.topology);
        }
        let (existing, duplicates) = match &lab {
            Some(lab) => lab.containers.iter().cloned().partition(is_original),
            None => (Vec::new(), Vec::new()),
        };
        let resolved = if request.any_port {
            // of an engine elsewhere nobody but itself tells which ports are taken
            let is_lab = (engine_host == EngineHost::Local).then(|| format!("label={LABEL_LAB}"));
            let filters: Vec<String> = is_lab.into_iter().collect();
            request.resolve(base, &docker.containers(&filters, limit)?, &engine_host)
        } else {
            request.resolve(base, &existing, &engine_host)
        };
        let mut topology = resolved.map_err(DeployError::Spec)?;
        let directory = request
            .directory
            .clone()
            .or_else(|| lab.as_ref().and_then(Lab::directory));
        let workdir = Workdir::new(directory.unwrap_or_else(|| default_directory(&request.lab)));
        if let Some(lab) = &lab {
            asked_since.compare(request, &lab.topology, &topology);
        }
        let fit = batch::fit(&mut topology, lab.as_ref(), limit);
        let rendered = Rendered::of(topology, &engine_host, ClassCache::Shared);
        let checks = Preflight {
            docker,
            engine,
            engine_host: &engine_host,
            topology: &rendered.topology,
            workdir: &workdir,
            overwrite: request.overwrite,
            existing: &existing,
            in_use: &in_use(&existing),
            relay_image: request.relay_image.as_deref(),
        };
        let found = existing_clusters::check(
            &rendered.topology,
            (&engine_host, engine),
            !was_there,
            limit,
            observer,
        );
        let added = services_beyond(lab.as_ref(), &rendered.topology);
        let images = checks.run(found, limit, observer).map_err(|problems| {
            if limit.interrupt().is_raised() {
                DeployError::Interrupted
            } else {
                DeployError::Preflight(problems)
            }
        })?;
        let cuts = if was_there {
            KeptCuts::read(docker, &rendered.topology, &existing, limit)?
        } else {
            KeptCuts::default()
        };
        Ok(Self {
            docker,
            uncut: cuts.uncut(&rendered.topology),
            cuts,
            rendered,
            workdir,
            overwrite: request.overwrite,
            images,
            existing,
            duplicates,
            engine_host,
            was_there,
            added,
            fit,
            lost: lost.unwrap_or_default(),
            asked_since,
            class_cache_existed: class_cache::exists(docker, limit)?,
        })
    }

    pub(super) fn lab(&self) -> &str {
        &self.rendered.topology.spec.lab
    }

    pub(super) fn carry_out(
        &mut self,
        marks: &mut Marks,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(Outcome, bool), DeployError> {
        for note in self.fit.notes.drain(..) {
            observer.on(Event::Note(note));
        }
        self.tell_asked_since(observer);
        self.cuts.tell(observer);
        self.write()?;
        let since = SystemTime::now();
        let held = self.held();
        let mut outcome = self.up(&held, limit, observer)?;
        if self.shape(limit, observer)? && outcome == Outcome::Unchanged {
            outcome = Outcome::Repaired;
        }
        if outcome != Outcome::Unchanged {
            marks.ended(Step::Compose, since);
        }
        self.readiness().wait_for_brokers(limit, observer)?;
        link::remove_leftovers(&self.rendered.topology, limit, observer);
        self.reset_stale_positions(limit, observer);
        let mut others = cleanup_policy::policies(&self.rendered.topology, limit, observer);
        // those that have not begun read the policy as it is now
        others.retain(|service| !held.contains(service));
        if !self.fit.is_whole {
            others.extend(self.fit_again(limit, observer)?);
        }
        self.up_mirrormakers(&held, &others, limit, observer)?;
        if !others.is_empty() {
            outcome.also(others);
        }
        let since = SystemTime::now();
        let flows = self.readiness().wait_for_flows(limit, observer)?;
        marks.ended(Step::Canary, since);
        let has_lost = self.report_losses(&flows, limit, observer);
        unmatched_patterns::warn(&self.rendered.topology, limit, observer);
        Ok((outcome, has_lost))
    }

    pub(super) fn write(&self) -> Result<(), DeployError> {
        let Rendered {
            compose,
            properties,
            ..
        } = &self.rendered;
        let owner = self.engine_host.owner(self.lab());
        self.workdir
            .write(&owner, &compose.text, properties, self.overwrite)?;
        Ok(())
    }

    fn readiness(&self) -> Readiness<'_> {
        Readiness {
            docker: self.docker,
            topology: &self.uncut,
            existing: &self.existing,
        }
    }

    /// Brings all up but MirrorMakers that are held.
    fn up(
        &self,
        held: &[String],
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Outcome, DeployError> {
        let changed = self.changed();
        let is_whole = self.rendered.topology.services().iter().all(|service| {
            self.existing
                .iter()
                .any(|c| c.service() == service && c.is_running())
        });
        let superfluous = self.superfluous();
        let cut = self.cut_off(&changed, &superfluous);
        let is_unchanged =
            is_whole && changed.is_empty() && superfluous.is_empty() && cut.is_empty();
        if !is_unchanged && !self.class_cache_existed && !self.rendered.topology.mirrors.is_empty()
        {
            // the file that is written wants it, also to bring back what ran before
            class_cache::ensure(self.docker, limit)?;
        }
        self.remove(&self.duplicates, limit)?;
        self.remove(&superfluous, limit)?;
        if is_unchanged {
            return Ok(Outcome::Unchanged);
        }
        let begun = Instant::now();
        let now = changed.iter().filter(|one| !held.contains(one));
        let now: Vec<String> = now.cloned().collect();
        let due = self.due(held);
        let only_held = !held.is_empty() && now.is_empty() && due.is_empty();
        if !only_held {
            observer.on(Event::Started("Starting the containers".to_owned()));
        }
        let paused = self.existing.iter().filter(|c| c.state.status == "paused");
        let paused: Vec<String> = paused.map(|container| container.id.clone()).collect();
        self.docker
            .unpause(&paused, limit)
            .map_err(|error| explain(error, self.docker, &self.rendered.topology, limit))?;
        self.stop_mirrors_of_lost_clusters(limit, observer)?;
        if self.was_there {
            self.up_relays(limit, observer)?;
        }
        if !now.is_empty() {
            self.replace(&now, observer)?;
        }
        if held.is_empty() {
            self.compose_up(&Recreate::Nothing, limit, observer)?;
        } else if !due.is_empty() {
            self.compose_up(&Recreate::NothingOf(due), limit, observer)?;
        }
        if !only_held {
            observer.on(Event::Done {
                what: "Started the containers".to_owned(),
                took: begun.elapsed(),
            });
        }
        self.reconnect(&cut, limit, observer)?;
        let removed: Vec<String> = (superfluous.iter())
            .map(|container| container.service().to_owned())
            .collect();
        let recreated = [changed, self.added.clone()].concat();
        Ok(match self.was_there {
            false => Outcome::Created,
            true if recreated.is_empty() && removed.is_empty() => Outcome::Repaired,
            true => Outcome::Changed { recreated, removed },
        })
    }

    /// Recreates services. Begun, it is not interrupted: the engine would still stop what it was told to stop, after
    /// what could start it again is gone.
    pub(super) fn replace(
        &self,
        services: &[String],
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let limit = Limit::new(REPLACE, &Interrupt::default());
        let recreate = Recreate::Services(services.to_vec());
        self.compose_up(&recreate, &limit, observer)
    }

    pub(super) fn remove(
        &self,
        containers: &[Container],
        limit: &Limit,
    ) -> Result<(), DeployError> {
        let ids: Vec<String> = containers.iter().map(|c| c.id.clone()).collect();
        let removed = self.docker.remove_containers(&ids, limit);
        removed.map_err(|error| explain(error, self.docker, &self.rendered.topology, limit))
    }

    /// Containers of services that are no longer wanted: a MirrorMaker whose last flow is gone.
    fn superfluous(&self) -> Vec<Container> {
        let wanted = self.rendered.topology.services();
        let existing = self.existing.iter();
        let superfluous =
            existing.filter(|container| !wanted.iter().any(|s| s == container.service()));
        superfluous.cloned().collect()
    }

    pub(super) fn compose_up(
        &self,
        recreate: &Recreate,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let variables = self.images.variables();
        let told = |line: String| observer.on(Event::Child(line));
        let file = self.workdir.compose_file();
        let project = topology::project(self.lab());
        let up = self
            .docker
            .up(&project, &file, &variables, recreate, limit, told);
        up.map_err(|error| explain(error, self.docker, &self.rendered.topology, limit))?;
        Ok(self.cuts.restore(self.docker, self.lab(), limit)?)
    }
}

/// What containers run, by the image that each was made for.
fn in_use(containers: &[Container]) -> BTreeMap<KafkaImage, String> {
    let one = |container: &Container| {
        let spec: Spec = serde_json::from_str(container.label(LABEL_SPEC)?).ok()?;
        let asked_for = Topology::new(&spec).image_of(container.service())?.clone();
        Some((asked_for, container.image().to_owned()))
    };
    containers.iter().filter_map(one).collect()
}
