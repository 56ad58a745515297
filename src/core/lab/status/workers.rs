//! The MirrorMakers of a flow, one or several, and which of them run.

use crate::core::docker::Container;
use crate::core::judge::link::LinkStatus;
use crate::core::lab::{Lab, link};
use crate::core::observe::assignment::Assignment;
use crate::core::topology::Flow;

/// The workers of a flow's MirrorMaker, each with its container, if there is one.
pub(super) struct Workers<'a>(Vec<(&'a str, Option<&'a Container>)>);

impl<'a> Workers<'a> {
    pub(super) fn of(lab: &'a Lab, flow: &Flow) -> Self {
        let mirror = lab.topology.mirror_of(&flow.spec.target);
        let services = mirror.into_iter().flat_map(|mirror| &mirror.workers);
        let worker = |service: &'a String| (service.as_str(), lab.container(service));
        Self(services.map(worker).collect())
    }

    fn share(&self) -> bool {
        self.0.len() > 1
    }

    fn runs((_, container): &(&str, Option<&Container>)) -> bool {
        container.is_some_and(Container::is_running)
    }

    pub(super) fn any_runs(&self) -> bool {
        self.0.iter().any(Self::runs)
    }

    /// Whether one of them runs and is on the networks that it needs.
    pub(super) fn can_carry(&self, lab: &Lab, flow: &Flow) -> bool {
        let mut running = self.0.iter().filter(|worker| Self::runs(worker));
        running.any(|worker| Self::lacks(worker, lab, flow).is_empty())
    }

    /// Why none of them runs, if so.
    pub(super) fn down(&self) -> Option<String> {
        let is_paused = |(_, container): &(&str, Option<&Container>)| {
            container.is_some_and(|container| container.state.status == "paused")
        };
        match self.0.as_slice() {
            _ if self.any_runs() => None,
            all if !all.is_empty() && all.iter().all(is_paused) => {
                Some("MirrorMaker is paused".to_owned())
            }
            _ => Some("MirrorMaker does not run".to_owned()),
        }
    }

    /// Those that run and may use only so much of a CPU.
    pub(super) fn throttled(&self) -> Vec<String> {
        let running = self.0.iter().filter(|worker| Self::runs(worker));
        let told = running.filter_map(|(service, container)| throttle(service, (*container)?));
        told.collect()
    }

    /// Of several, those that do not share the work, while others do it.
    pub(super) fn absent(&self, assignment: Option<&Assignment>) -> Vec<String> {
        if !self.share() || !self.any_runs() {
            return Vec::new();
        }
        let why = |worker: &(&str, Option<&Container>)| {
            let has_joined = assignment.is_none_or(|assignment| assignment.has(worker.0));
            match (Self::runs(worker), has_joined) {
                (true, true) => None,
                (true, false) => Some(format!(
                    "degraded: {} has not joined the other workers",
                    worker.0
                )),
                (false, _) => Some(format!(
                    "degraded: {} is not running; the others are",
                    worker.0
                )),
            }
        };
        self.0.iter().filter_map(why).collect()
    }

    /// What a worker had that no longer runs, and that no other has taken over: no worker is left to report that it is stalled.
    pub(super) fn orphans(&self, assignment: Option<&Assignment>) -> Vec<String> {
        if self.share() && assignment.is_none() {
            return vec!["its MirrorMakers are rebalancing".to_owned()];
        }
        let absent = self.0.iter().filter(|worker| !Self::runs(worker));
        let orphaned = absent.filter_map(|(service, _)| {
            let parts = assignment
                .into_iter()
                .flat_map(|assignment| assignment.parts_of(service));
            let parts: Vec<String> = parts.map(ToString::to_string).collect();
            let what = parts.join(", ");
            (!parts.is_empty())
                .then(|| format!("the work of {service} has not been reassigned yet: {what}"))
        });
        orphaned.collect()
    }

    /// Networks that a worker should be on and is not: a link that was cut, by `kmk link cut` or by others.
    pub(super) fn cut_links(&self, lab: &Lab, flow: &Flow, link: &LinkStatus) -> Vec<String> {
        let mut cut: Vec<String> = link.problem().into_iter().collect();
        let is_told = |cluster: &&str| {
            let is_off = link.cut.is_some() && !link.is_half_open();
            is_off && *cluster == flow.spec.source
        };
        for worker in self.0.iter().filter(|worker| Self::runs(worker)) {
            let who = if self.share() {
                format!("MirrorMaker {}", worker.0)
            } else {
                "MirrorMaker".to_owned()
            };
            let lacks = Self::lacks(worker, lab, flow).into_iter();
            cut.extend(lacks.filter(|lacks| !is_told(lacks)).map(|cluster| {
                format!("the link is cut: {who} is cut off from the network of cluster {cluster}")
            }));
        }
        cut
    }

    /// The ends of a flow whose networks a worker is not on.
    fn lacks<'b>(
        (_, container): &(&str, Option<&Container>),
        lab: &Lab,
        flow: &'b Flow,
    ) -> Vec<&'b str> {
        let is_off = |network: &String| {
            let mut networks = container.iter().flat_map(|container| container.networks());
            !networks.any(|name| name == network)
        };
        link::networks(&lab.topology, flow)
            .filter(|(_, network)| is_off(network))
            .map(|(end, _)| end.as_str())
            .collect()
    }
}

/// With less of a CPU than this, a JVM is late with everything.
const ENOUGH_CPU: f64 = 0.5;

/// What a container's CPUs are limited to, in words, where that is too little.
pub(in crate::core::lab) fn throttle(service: &str, container: &Container) -> Option<String> {
    let cpus = container.cpus().filter(|cpus| *cpus < ENOUGH_CPU)?;
    Some(format!("{service} may use only {cpus} of a CPU"))
}
