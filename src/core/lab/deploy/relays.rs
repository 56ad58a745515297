//! The relays of a lab that is brought up: they run before MirrorMaker looks for them, and do what is asked of them.

use super::failure::DeployError;
use super::plan::Plan;
use super::request::Request;
use crate::core::docker::{Docker, Recreate};
use crate::core::event::{Event, Observer};
use crate::core::lab::{Journal, Lab, LabError, journal, link};
use crate::core::spec::Spec;
use crate::core::topology::Topology;
use kmk_kafka::wait::Limit;

/// What `kmk link set` asked for since the lab was deployed.
pub(super) struct AskedSince {
    pub(super) journal: Journal,
    /// Flows of which something else is asked for now.
    outdated: Vec<String>,
}

impl AskedSince {
    /// Of a lab that is there; a lab without relays was asked for none.
    pub(super) fn read(
        docker: &Docker,
        lab: Option<&Lab>,
        limit: &Limit,
    ) -> Result<Self, DeployError> {
        let lab = lab.filter(|lab| lab.topology.relays().next().is_some());
        let journal = match lab {
            Some(lab) => journal::read(docker, &lab.spec.lab, limit).map_err(LabError::from)?,
            None => Journal::default(),
        };
        let outdated = Vec::new();
        Ok(Self { journal, outdated })
    }

    /// A file that says nothing of a flow's line leaves what `kmk link set` asked for.
    pub(super) fn keep(&self, wanted: &mut Spec, there: &Topology) {
        for flow in &there.flows {
            let mut wanted = wanted.flows.iter_mut();
            let same =
                wanted.find(|one| one.source == flow.spec.source && one.target == flow.spec.target);
            if let Some(same) = same.filter(|one| one.link.is_none())
                && self.journal.asked(&flow.name()).is_some()
            {
                same.link = flow.spec.link;
            }
        }
    }

    /// What is asked for now counts from here on, where it is new.
    pub(super) fn compare(&mut self, request: &Request, there: &Topology, now: &Topology) {
        let is_new = |name: &str| {
            let of = |topology: &Topology| {
                let mut flows = topology.flows.iter();
                flows.find(|flow| flow.name() == name)?.spec.link
            };
            request.change.link.is_some() || of(there) != of(now)
        };
        let asked = self
            .journal
            .links
            .iter()
            .filter(|(_, link)| link.asked.is_some());
        let outdated = asked.map(|(name, _)| name).filter(|name| is_new(name));
        self.outdated = outdated.cloned().collect();
        for name in &self.outdated {
            self.journal.link(name).asked = None;
        }
    }
}

impl Plan<'_> {
    /// Starts those that do not run, and puts them right, before a MirrorMaker is recreated that is to use them.
    pub(super) fn up_relays(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let mut due = self.due(&[]);
        due.retain(|service| {
            let mut relays = self.rendered.topology.relays();
            relays.any(|relay| relay.service == *service)
        });
        if due.is_empty() {
            return Ok(());
        }
        self.compose_up(&Recreate::NothingOf(due), limit, observer)?;
        self.shape(limit, observer).map(drop)
    }

    /// Makes every relay do what is asked of it. Whether one did not.
    pub(super) fn shape(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<bool, DeployError> {
        let (topology, asked) = (&self.rendered.topology, &self.asked_since);
        if !asked.outdated.is_empty() {
            let changed = journal::change(self.docker, self.lab(), limit, |journal| {
                for name in &asked.outdated {
                    journal.link(name).asked = None;
                }
            });
            changed.map_err(LabError::from)?;
        }
        Ok(link::put_all(topology, &asked.journal, limit, observer)?)
    }

    /// What stays as `kmk link set` asked for it, and not as the lab was deployed; and what no relay shows of it.
    pub(super) fn tell_asked_since(&self, observer: &dyn Observer) {
        for flow in &self.rendered.topology.flows {
            let asked = self.asked_since.journal.asked(&flow.name());
            if let Some(asked) = asked.filter(|asked| flow.spec.link != Some(*asked)) {
                observer.on(Event::Note(format!(
                    "{} stays as `kmk link set` asked for it: {asked}",
                    flow.name()
                )));
            }
        }
        for note in link::notes(&self.rendered.topology, &self.asked_since.journal) {
            observer.on(Event::Note(note));
        }
    }
}
