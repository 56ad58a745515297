//! What becomes of a lab whose deploy failed: a new one is taken back, another gets back what ran.

use super::failure::{Aftermath, DeployError};
use super::plan::Plan;
use crate::core::compose::LABEL_LAB;
use crate::core::docker::{Container, DockerError, Recreate};
use crate::core::event::{Event, Observer};
use crate::core::lab::destroy::{self, DestroyError, Remains};
use crate::core::lab::{Lab, class_cache, is_original, leftover};
use kmk_kafka::wait::{Interrupt, Limit};
use std::time::Duration;

/// How long a rollback may take.
const ROLLBACK: Duration = Duration::from_secs(60);

impl Plan<'_> {
    /// Starts again what ran before this deploy and no longer runs: compose may have been stopped between removing a
    /// container and starting the one in its place.
    fn bring_back(&self, observer: &dyn Observer) -> Result<(), DeployError> {
        let limit = Limit::new(ROLLBACK, &Interrupt::default());
        let Some(lab) = Lab::look_for(self.docker, self.lab(), &limit)? else {
            return Ok(());
        };
        let (now, duplicates): (Vec<Container>, Vec<Container>) =
            lab.containers.into_iter().partition(is_original);
        self.remove(&duplicates, &limit)?;
        let runs = |service: &str| now.iter().any(|c| c.service() == service && c.is_running());
        let before = self
            .existing
            .iter()
            .filter(|container| container.is_running());
        if before.map(Container::service).all(runs) {
            return Ok(());
        }
        observer.on(Event::Started("Restarting what ran before".to_owned()));
        self.compose_up(&Recreate::Nothing, &limit, observer)
    }

    pub(super) fn clean_up(&self, keep: bool, observer: &dyn Observer) -> Aftermath {
        if self.was_there {
            return match self.bring_back(observer) {
                Ok(()) => Aftermath::LabStays,
                Err(why) => Aftermath::LabIsLess(why.to_string()),
            };
        }
        if keep {
            return Aftermath::Kept;
        }
        observer.on(Event::Started("Rolling back".to_owned()));
        // not the limit that failed, nor the interrupt that brought us here
        let limit = Limit::new(ROLLBACK, &Interrupt::default());
        let removed = Remains::find(self.docker, self.lab(), &limit)
            .map_err(DestroyError::from)
            .and_then(|remains| destroy::remove(self.docker, self.lab(), remains, &limit))
            .map_err(|error| error.to_string())
            .and_then(|_| {
                self.forget_classes(&limit)
                    .map_err(|error| error.to_string())
            });
        let files = self
            .workdir
            .remove(&self.engine_host.owner(self.lab()))
            .map_err(|error| error.to_string());
        match removed.and(files) {
            Ok(_) => Aftermath::RolledBack(leftover::look(&self.rendered.topology, &limit)),
            Err(why) => Aftermath::RollbackFailed(why),
        }
    }
}

impl Plan<'_> {
    /// Removes the volume of class-data archives, where this deploy made it and there is no other lab by now, which may be
    /// about to use it.
    fn forget_classes(&self, limit: &Limit) -> Result<(), DockerError> {
        let labs = [format!("label={LABEL_LAB}")];
        if self.class_cache_existed || !self.docker.networks(&labs, limit)?.is_empty() {
            return Ok(());
        }
        match class_cache::remove(self.docker, limit) {
            Ok(_) | Err(DockerError::Failed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
