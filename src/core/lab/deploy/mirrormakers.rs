//! When the MirrorMakers of a lab that was there are started: once what they read at their start was mended.

use super::failure::DeployError;
use super::plan::Plan;
use crate::core::docker::{Container, Recreate};
use crate::core::event::{Observer, step};
use kmk_kafka::wait::Limit;
use std::collections::BTreeSet;

impl Plan<'_> {
    /// The MirrorMakers that do not run and start only once the brokers answer: to reset a position after it was read does
    /// not help. One that runs has found out by itself that its topic was deleted.
    pub(super) fn held(&self) -> Vec<String> {
        let mirrors = self.rendered.topology.mirrors.iter();
        let workers = mirrors.flat_map(|mirror| &mirror.workers);
        let held = workers.filter(|service| self.was_there && !self.runs(service));
        held.cloned().collect()
    }

    /// All that does not run, but what is held.
    pub(super) fn due(&self, held: &[String]) -> Vec<String> {
        let mut due = self.rendered.topology.services();
        due.retain(|service| !held.contains(service) && !self.runs(service));
        due
    }

    fn runs(&self, service: &str) -> bool {
        let mut containers = self.existing.iter();
        containers.any(|one: &Container| one.service() == service && one.is_up())
    }

    /// Starts what was held; recreates what has changed of it, and these `others`.
    pub(super) fn up_mirrormakers(
        &self,
        held: &[String],
        others: &[String],
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let changed = self.changed();
        let changed = held.iter().filter(|service| changed.contains(service));
        let recreated: BTreeSet<&String> = changed.chain(others).collect();
        if !recreated.is_empty() {
            let recreated: Vec<String> = recreated.into_iter().cloned().collect();
            self.replace(&recreated, observer)?;
        }
        if held.is_empty() {
            return Ok(());
        }
        step(
            observer,
            "Starting MirrorMaker",
            "Started MirrorMaker",
            || self.compose_up(&Recreate::Nothing, limit, observer),
        )
    }
}
