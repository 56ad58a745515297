//! Which of the two flows runs when: first the one back alone, and the other one only after the switch back.

use super::By;
use super::run::Run;
use crate::core::docker::Container;
use crate::core::event::Event;
use crate::core::lab::Lab;
use crate::core::lab::deploy::ready::Readiness;
use crate::core::lab::deploy::{Request, deploy_locked};
use crate::core::lab::drill::sides::Ends;
use crate::core::lab::drill::state::Stage;
use crate::core::lab::drill::{DOCKER, DrillError};
use crate::core::lab::journal;
use crate::core::lab::positions::{Beginnings, begin_at};
use crate::core::observe::connect_patiently;
use crate::core::spec::Spec;
use crate::core::topology::{Flow, Topology};
use kmk_kafka::At;
use std::time::{Instant, SystemTime};

impl Run<'_> {
    /// Starts the flow back, alone. Under the same names, it begins behind these ends of the topic on the target.
    pub(super) fn start_back(&self, behind: &Ends) -> Result<(), DrillError> {
        let (forward, back) = (self.way.forward(), self.way.back());
        if !self.way.is_new {
            self.reached(Stage::Back)?;
            let mut topology = self.lab.topology.clone();
            let target = &forward.spec.target;
            topology.flows.retain(|flow| flow.spec.target != *target);
            return self.start_mirror(back, &topology);
        }
        let is_told = self.stage != Stage::Begun;
        if let Some(note) = self.way.ahead(self.lab).filter(|_| !is_told) {
            self.observer.on(Event::Note(note));
        }
        self.stop_mirror(back)?;
        // once it has run, it resumes from positions of its own
        if self.way.keeps_names() && !is_told {
            self.begin(back, &self.state.topics.target, behind)?;
        }
        self.reached(Stage::Back)?;
        self.make(&self.way.reverse)
    }

    /// Starts the flow again that had failed over. Under the same names, the flow back ends before. What came from the target
    /// is not copied back: this one begins behind these ends of the topic on the source.
    pub(super) fn start_forward(&self, behind: &Ends) -> Result<(), DrillError> {
        let (forward, back) = (self.way.forward(), self.way.back());
        self.observer.on(Event::Note(format!(
            "producer and groups start on {}; {} starts again",
            self.state.source,
            forward.name()
        )));
        if self.way.keeps_names() {
            self.stop_mirror(back)?;
        }
        if self.what.by != By::Prefix {
            self.stop_mirror(forward)?;
            self.begin(forward, &self.state.topics.source, behind)?;
        }
        if self.way.is_new {
            self.make(&self.way.home)
        } else {
            self.start_mirror(forward, &self.lab.topology)
        }
    }

    /// Notes how far it has come, for the case that kmk is killed.
    pub(super) fn reached(&self, stage: Stage) -> Result<(), DrillError> {
        let limit = self.limit_of(DOCKER);
        let noted = journal::change(self.docker, &self.lab.spec.lab, &limit, |journal| {
            let back = journal.drill.as_mut().and_then(|drill| drill.back.as_mut());
            if let Some(back) = back {
                back.stage = stage;
            }
        });
        Ok(noted?)
    }

    /// Writes MirrorMaker's positions of a topic, and those of the canary's too where that has the same name on both sides.
    fn begin(&self, flow: &Flow, topic: &str, behind: &Ends) -> Result<(), DrillError> {
        let limit = self.limit();
        let mut source = connect_patiently(&self.way.topology, &flow.spec.source, &limit)?;
        let canary = self.way.keeps_names() && source.topics(&limit)?.contains_key(&flow.canary);
        let canary = canary.then(|| flow.canary.clone());
        let canary = source.offsets(&canary.into_iter().collect::<Vec<_>>(), At::Latest, &limit)?;
        let behind = behind.iter();
        let mut beginnings: Beginnings = behind
            .map(|(partition, end)| ((topic.to_owned(), *partition), *end))
            .collect();
        beginnings.extend(canary);
        let lab = Lab {
            topology: self.way.topology.clone(),
            ..self.lab_now()?
        };
        begin_at(&lab, flow, &beginnings, &limit)?;
        Ok(())
    }

    fn make(&self, spec: &Spec) -> Result<(), DrillError> {
        let request = Request {
            wanted: Some(spec.clone()),
            ..Request::unchanged(&spec.lab)
        };
        let now = (Instant::now(), SystemTime::now());
        let both = (self.docker, self.engine);
        let made = deploy_locked(&request, now, both, &self.limit(), self.observer);
        made.map(drop).map_err(|failure| failure.cause.into())
    }

    fn start_mirror(&self, flow: &Flow, topology: &Topology) -> Result<(), DrillError> {
        let lab = self.lab_now()?;
        let mirror: Vec<&Container> = self.workers(&lab, flow).collect();
        let down = mirror.iter().filter(|one| !one.is_up());
        let down: Vec<String> = down.map(|one| one.id.clone()).collect();
        self.docker.start(&down, &self.limit_of(DOCKER))?;
        let readiness = Readiness {
            docker: self.docker,
            topology,
            existing: &lab.containers,
        };
        let ready = readiness.wait_for_flows(&self.limit(), self.observer);
        Ok(ready.map(drop).map_err(Box::new)?)
    }

    fn stop_mirror(&self, flow: &Flow) -> Result<(), DrillError> {
        let lab = self.lab_now()?;
        let up = self.workers(&lab, flow).filter(|one| one.is_up());
        let up: Vec<String> = up.map(|one| one.id.clone()).collect();
        if up.is_empty() {
            return Ok(());
        }
        Ok(self.docker.stop(&up, &self.limit_of(DOCKER))?)
    }

    fn workers<'l>(&self, lab: &'l Lab, flow: &Flow) -> impl Iterator<Item = &'l Container> {
        let mirror = self.way.topology.mirror_of(&flow.spec.target);
        let services = mirror.into_iter().flat_map(|mirror| &mirror.workers);
        services.filter_map(|service| lab.container(service))
    }

    fn lab_now(&self) -> Result<Lab, DrillError> {
        Ok(Lab::find(
            self.docker,
            &self.lab.spec.lab,
            &self.limit_of(DOCKER),
        )?)
    }
}
