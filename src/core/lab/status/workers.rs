//! The MirrorMakers that carry a flow, one or several, and which of them run. Knows nothing of records.

use crate::core::docker::Container;
use crate::core::lab::Lab;
use crate::core::lab::crew::Crew;
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

    /// Of several, those that do not share the work, while others do it.
    pub(super) fn absent(&self, crew: Option<&Crew>) -> Vec<String> {
        if !self.share() || !self.any_runs() {
            return Vec::new();
        }
        let why = |worker: &(&str, Option<&Container>)| {
            let has_joined = crew.is_none_or(|crew| crew.has(worker.0));
            match (Self::runs(worker), has_joined) {
                (true, true) => None,
                (true, false) => Some(format!("degraded: {} has not joined the others", worker.0)),
                (false, _) => Some(format!(
                    "degraded: {} does not run, and others do",
                    worker.0
                )),
            }
        };
        self.0.iter().filter_map(why).collect()
    }

    /// What a worker had that runs no more, and that no other has taken up: nobody is left to say that it stands still.
    pub(super) fn orphans(&self, crew: Option<&Crew>) -> Vec<String> {
        if self.share() && crew.is_none() {
            return vec!["its MirrorMakers are sharing out the work anew".to_owned()];
        }
        let absent = self.0.iter().filter(|worker| !Self::runs(worker));
        let orphaned = absent.filter_map(|(service, _)| {
            let parts = crew.into_iter().flat_map(|crew| crew.parts_of(service));
            let parts: Vec<String> = parts.map(ToString::to_string).collect();
            let what = parts.join(", ");
            (!parts.is_empty())
                .then(|| format!("the work of {service} is not taken up yet: {what}"))
        });
        orphaned.collect()
    }

    /// Networks that a worker should be on and is not: a link that was cut.
    pub(super) fn cut_links(&self, lab: &Lab, flow: &Flow) -> Vec<String> {
        let mut cut = Vec::new();
        let running = self.0.iter().filter(|worker| Self::runs(worker));
        for (service, container) in running {
            let who = if self.share() {
                format!("MirrorMaker {service}")
            } else {
                "MirrorMaker".to_owned()
            };
            let ends = [&flow.spec.source, &flow.spec.target];
            let has_network = |name: &&&String| {
                let cluster = lab.topology.cluster(name);
                cluster.is_some_and(|cluster| cluster.existing().is_none())
            };
            for cluster in ends.iter().filter(has_network) {
                let network = format!("{}_{cluster}", lab.topology.project());
                let mut networks = container.iter().flat_map(|container| container.networks());
                if !networks.any(|name| name == network) {
                    cut.push(format!(
                        "{who} is cut off from the network of cluster {cluster}"
                    ));
                }
            }
        }
        cut
    }
}
