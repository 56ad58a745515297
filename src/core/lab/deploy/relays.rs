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
#[derive(Default)]
pub(super) struct AskedSince {
    pub(super) journal: Journal,
    /// Flows of which something else is asked for now.
    outdated: Vec<String>,
    /// Flows that were half-open, and have no relays any more.
    without_relays: Vec<String>,
}

impl AskedSince {
    /// Of a lab that is there; a lab without relays was asked for none.
    pub(super) fn read(
        docker: &Docker,
        name: &str,
        lab: Option<&Lab>,
        limit: &Limit,
    ) -> Result<Self, DeployError> {
        let has_relays = |lab: &Lab| lab.topology.relays().next().is_some();
        let mut read = Self {
            // whether a lab without containers had any, nobody knows
            journal: if lab.is_none_or(has_relays) {
                journal::read(docker, name, limit).map_err(LabError::from)?
            } else {
                Journal::default()
            },
            ..Self::default()
        };
        if lab.is_none() {
            read.outdate(|_| true);
        }
        Ok(read)
    }

    /// What is asked for now counts, of flows of which it is new.
    fn outdate(&mut self, is_new: impl Fn(&str) -> bool) {
        let asked = self.journal.links.iter();
        let asked = asked.filter(|(name, link)| link.asked.is_some() && is_new(name));
        self.outdated = asked.map(|(name, _)| name.clone()).collect();
        for name in &self.outdated {
            self.journal.link(name).asked = None;
        }
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
        self.outdate(is_new);
        let has_relays = |name: &str| {
            let mut flows = now.flows.iter();
            flows.any(|flow| flow.name() == name && flow.link.is_some())
        };
        let links = self.journal.links.iter();
        let half_open = links.filter(|(_, link)| link.cut.is_some_and(|cut| cut.half_open));
        let without = half_open.filter(|(name, _)| !has_relays(name));
        self.without_relays = without.map(|(name, _)| name.clone()).collect();
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
        if !asked.outdated.is_empty() || !asked.without_relays.is_empty() {
            let changed = journal::change(self.docker, self.lab(), limit, |journal| {
                for name in &asked.outdated {
                    journal.link(name).asked = None;
                }
                for name in &asked.without_relays {
                    journal.link(name).cut = None;
                }
            });
            changed.map_err(LabError::from)?;
        }
        Ok(link::put_all(topology, &asked.journal, limit, observer)?)
    }

    /// What stays as `kmk link set` asked for it, and not as the lab was deployed; what cannot stay half-open; and what no
    /// relay shows of a line.
    pub(super) fn tell_asked_since(&self, observer: &dyn Observer) {
        for name in &self.asked_since.without_relays {
            observer.on(Event::Note(format!(
                "{name} is not half-open any more: its relays are removed"
            )));
        }
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
