//! What happens after a cluster has lost all its volumes: MirrorMaker does not know of it, and would continue at positions of
//! the cluster that was.

use super::failure::DeployError;
use super::plan::Plan;
use super::refusal::explain;
use crate::core::docker::{Container, Recreate};
use crate::core::event::{Event, Observer, step};
use crate::core::judge::lag::FlowLag;
use crate::core::lab::{Lab, LabError, lag, positions};
use crate::core::topology::{Access, Flow, Topology, project};
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Limit;
use std::thread;

/// Clusters of a lab that existed before, none of whose volumes is there any more.
pub(super) fn clusters(there: &Topology, volumes: &[String]) -> Vec<String> {
    let project = project(&there.spec.lab);
    let is_there = |volume: &str| {
        let name = format!("{project}_{volume}");
        volumes.contains(&name)
    };
    let clusters = there.clusters.iter().filter(|cluster| {
        let mut brokers = cluster.brokers.iter();
        !cluster.brokers.is_empty() && !brokers.any(|broker| is_there(&broker.volume))
    });
    clusters.map(|cluster| cluster.name.clone()).collect()
}

impl Plan<'_> {
    fn is_lost(&self, cluster: &str) -> bool {
        self.lost.iter().any(|lost| lost == cluster)
    }

    fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.rendered.topology.flows.iter()
    }

    /// Before the containers come up: stops each MirrorMaker with an end at a cluster that has lost its data, and resets its
    /// positions of a source that has.
    pub(super) fn stop_mirrors_of_lost_clusters(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        if self.lost.is_empty() {
            return Ok(());
        }
        let topology = &self.rendered.topology;
        let touched = self
            .flows()
            .filter(|flow| self.is_lost(&flow.spec.source) || self.is_lost(&flow.spec.target));
        let mirrors = touched.filter_map(|flow| topology.mirror_of(&flow.spec.target));
        let workers: Vec<&String> = mirrors.flat_map(|mirror| &mirror.workers).collect();
        let running = self.existing.iter().filter(|container| {
            container.is_running() && workers.iter().any(|one| *one == container.service())
        });
        let ids: Vec<String> = running.map(|container| container.id.clone()).collect();
        let why = "Stopping MirrorMaker because a cluster has lost its data";
        step(observer, why, "Stopped MirrorMaker", || {
            let stopped = self.docker.stop(&ids, limit);
            stopped.map_err(|error| explain(error, self.docker, topology, limit))
        })?;
        for cluster in &self.lost {
            observer.on(Event::Warning(format!(
                "{cluster} lost its data: its topics, records and consumer groups are gone"
            )));
        }
        for flow in self.flows().filter(|flow| self.is_lost(&flow.spec.source)) {
            self.reset_positions(flow, limit, observer)?;
        }
        Ok(())
    }

    /// Resets all positions of a flow whose source has lost its data.
    fn reset_positions(
        &self,
        flow: &Flow,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let (source, target) = (&flow.spec.source, &flow.spec.target);
        let cluster = self.rendered.topology.cluster(target);
        if self.is_lost(target) || cluster.is_none_or(|one| one.access() == Access::Secured) {
            // its positions are gone with it; or we cannot reach them
            return Ok(());
        }
        let runs = |service: &str| {
            let mut existing = self.existing.iter();
            existing.any(|container: &Container| {
                container.service() == service && container.is_running()
            })
        };
        let brokers = cluster.iter().flat_map(|cluster| &cluster.brokers);
        let down = brokers.filter(|broker| !runs(&broker.service));
        let down: Vec<String> = down.map(|broker| broker.service.clone()).collect();
        if !down.is_empty() {
            self.compose_up(&Recreate::Services(down), limit, observer)?;
        }
        match positions::forget_all(&self.rendered.topology, flow, limit) {
            Ok(0) => {}
            Ok(_) => observer.on(Event::Note(format!(
                "MirrorMaker's positions for {source} on {target} were reset: new topics there are mirrored from their first record"
            ))),
            Err(_) if limit.interrupt().is_raised() => return Err(DeployError::Interrupted),
            Err(error) => {
                return Err(DeployError::NotReady {
                    what: format!(
                        "MirrorMaker's positions for {source} on {target} cannot be reset, and new records would be skipped"
                    ),
                    why: error.to_string(),
                    suspect: None,
                });
            }
        }
        Ok(())
    }

    /// Once the brokers answer: resets positions of topics that somebody has deleted.
    pub(super) fn reset_stale_positions(&self, limit: &Limit, observer: &dyn Observer) {
        if !self.was_there {
            return;
        }
        let topology = &self.rendered.topology;
        let looks: Vec<(String, Result<Vec<String>, KafkaError>)> = thread::scope(|scope| {
            let look = |flow| move || positions::forget_stale(topology, flow, limit);
            let looks: Vec<_> = self
                .flows()
                .map(|flow| (flow.name(), scope.spawn(look(flow))))
                .collect();
            let looks = looks.into_iter();
            looks
                .map(|(name, look)| (name, look.join().expect("a look at a flow does not panic")))
                .collect()
        });
        for (name, stale) in looks {
            match stale {
                Ok(topics) if topics.is_empty() => {}
                Ok(topics) => observer.on(Event::Note(format!(
                    "{name}: MirrorMaker's positions for {} were reset because those topics were deleted: new topics of these names are mirrored from their first record",
                    topics.join(", ")
                ))),
                Err(error) => observer.on(Event::Warning(format!(
                    "{name}: cannot check whether MirrorMaker's positions are for topics that still exist: {error}"
                ))),
            }
        }
    }

    /// Once it replicates: what is lost all the same, or may be, by what was seen last of its flows; whether anything is.
    pub(super) fn report_losses(
        &self,
        flows: &[FlowLag],
        limit: &Limit,
        observer: &dyn Observer,
    ) -> bool {
        if !self.was_there {
            return false;
        }
        let mut has_lost = !self.lost.is_empty();
        for flow in flows {
            for loss in [flow.losses(), flow.doubts()].concat() {
                has_lost = true;
                observer.on(Event::Warning(format!("{}: {loss}", flow.name)));
            }
            if !self.is_lost(&flow.target) {
                continue;
            }
            observer.on(Event::Note(format!(
                "MirrorMaker mirrors to {} again everything that {} still has",
                flow.target, flow.source
            )));
            let partitions = flow.copied().flat_map(|topic| &topic.partitions);
            let gone: i64 = partitions.map(|one| one.first).sum();
            if gone > 0 {
                observer.on(Event::Warning(format!(
                    "{}: up to {gone} records are lost: {} had already removed them, and only {} still had them",
                    flow.name, flow.source, flow.target
                )));
            }
        }
        if has_lost {
            observer.on(match self.take_note(flows, limit) {
                Ok(()) => Event::Note(
                    "the loss is noted, and not reported again once it can no longer be seen"
                        .to_owned(),
                ),
                Err(error) => Event::Warning(error.to_string()),
            });
        }
        has_lost
    }

    /// What was reported now is not reported again, once it can no longer be seen.
    fn take_note(&self, flows: &[FlowLag], limit: &Limit) -> Result<(), LabError> {
        let lab = Lab::find(self.docker, self.lab(), limit)?;
        let restarts = |flow: &FlowLag| self.is_lost(&flow.source) || self.is_lost(&flow.target);
        Ok(lag::acknowledge(
            self.docker,
            &lab,
            flows,
            &restarts,
            limit,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    #[test]
    fn a_cluster_is_lost_with_the_last_of_its_volumes() {
        let mut spec = scenario::dr("demo");
        spec.clusters[0].brokers = 3;
        let topology = Topology::new(&spec);
        let names = |which: &[&str]| {
            let names = which.iter().map(|name| format!("kmk-demo_{name}-data"));
            names.collect::<Vec<_>>()
        };
        let all = ["primary-1", "primary-2", "primary-3", "secondary"];
        assert!(clusters(&topology, &names(&all)).is_empty());
        assert!(clusters(&topology, &names(&all[2..])).is_empty());
        assert_eq!(clusters(&topology, &names(&all[3..])), ["primary"]);
        assert_eq!(clusters(&topology, &names(&all[..3])), ["secondary"]);
    }
}
