//! Sees to it that MirrorMaker's batches fit into every topic that a flow takes, as far as topics can be seen. Changes
//! nothing but the topology.

use super::failure::DeployError;
use super::plan::Plan;
use super::request::Rendered;
use crate::core::compose::ClassCache;
use crate::core::docker::Container;
use crate::core::event::{Event, Observer};
use crate::core::judge::culprit::BatchLimit;
use crate::core::lab::batch_limits;
use crate::core::lab::{Lab, addresses};
use crate::core::topology::{Cluster, FULL_BATCH, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How long the ends of a flow may take to tell.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fit {
    /// Whether all was seen that there is.
    pub(super) is_whole: bool,
    /// What to tell of MirrorMakers whose batches differ from those that run now.
    pub(super) notes: Vec<String>,
}

/// Makes the batches of each MirrorMaker as small as the smallest topic of its flows wants them. `there` is the lab as it
/// runs, if there is one. What cannot be seen now is taken to be as it was.
pub(super) fn fit(topology: &mut Topology, there: Option<&Lab>, limit: &Limit) -> Fit {
    let mut fit = Fit {
        is_whole: true,
        notes: Vec::new(),
    };
    let mut found: Vec<(String, Option<Vec<BatchLimit>>)> = Vec::new();
    for flow in &topology.flows {
        let end = |name: &str| {
            topology
                .cluster(name)
                .map_or(End::Nothing, |c| End::of(c, there))
        };
        let (source, target) = (end(&flow.spec.source), end(&flow.spec.target));
        let limits = if source == End::Dark || target == End::Dark {
            None
        } else {
            batch_limits::of_flow(
                flow,
                (source.seen(), target.seen()),
                &limit.at_most(PATIENCE),
            )
            .ok()
        };
        found.push((flow.spec.target.clone(), limits));
    }
    for mirror in &mut topology.mirrors {
        let before = there.and_then(|lab| lab.topology.mirror_of(&mirror.target));
        let before = before.map(|mirror| mirror.batch);
        let mut least: Option<BatchLimit> = None;
        for (target, limits) in &found {
            if *target != mirror.target {
                continue;
            }
            let Some(limits) = limits else {
                fit.is_whole = false;
                mirror.narrow(before.unwrap_or(FULL_BATCH).into());
                continue;
            };
            let heeded = limits
                .iter()
                .filter(|batch_limit| mirror.heeds(batch_limit.setting));
            least = heeded
                .cloned()
                .chain(least)
                .min_by_key(|batch_limit| batch_limit.bytes);
        }
        if let Some(least) = &least {
            mirror.narrow(least.bytes);
        }
        if mirror.batch != before.unwrap_or(FULL_BATCH) {
            fit.notes
                .push(note(&mirror.target, mirror.batch, least.as_ref()));
        }
    }
    fit
}

fn note(target: &str, batch: u32, least: Option<&BatchLimit>) -> String {
    let why = match least.filter(|least| least.bytes == u64::from(batch)) {
        Some(BatchLimit {
            topic: Some(topic),
            setting,
            ..
        }) => format!("topic `{topic}` accepts no larger ones ({setting})"),
        Some(BatchLimit { setting, .. }) => format!("{target} accepts no larger ones ({setting})"),
        None if batch == FULL_BATCH => "every topic accepts them".to_owned(),
        None => "a topic accepted no larger ones".to_owned(),
    };
    format!("MirrorMaker sends batches of at most {batch} bytes to {target}: {why}")
}

/// One end of a flow, to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// It answers here.
    Seen(Vec<Endpoint>),
    /// There is nothing on it yet.
    Nothing,
    /// It cannot be asked now.
    Dark,
}

impl End {
    fn of(cluster: &Cluster, there: Option<&Lab>) -> Self {
        if cluster.existing().is_some() {
            return addresses(cluster).map_or(Self::Dark, Self::Seen);
        }
        let Some(lab) = there else {
            return Self::Nothing;
        };
        // its ports may change, and those of one that is stopped may be another lab's by now
        let Some(now) = lab.topology.cluster(&cluster.name) else {
            return Self::Dark;
        };
        let runs = |service: &str| lab.container(service).is_some_and(Container::is_running);
        let running = now.brokers.iter().filter(|broker| runs(&broker.service));
        let running: Vec<Endpoint> = running.map(|broker| broker.outside.clone()).collect();
        if running.is_empty() {
            Self::Dark
        } else {
            Self::Seen(running)
        }
    }

    fn seen(&self) -> Option<&[Endpoint]> {
        match self {
            Self::Seen(endpoints) => Some(endpoints),
            Self::Nothing | Self::Dark => None,
        }
    }
}

impl Plan<'_> {
    /// Looks at topics that could not be seen before their brokers ran; the MirrorMakers that would not get records into
    /// them as they are.
    pub(super) fn fit_again(
        &mut self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Vec<String>, DeployError> {
        let lab = Lab::look_for(self.docker, self.lab(), limit)?;
        let mut topology = Topology::new(&self.rendered.topology.spec);
        let mut fit = fit(&mut topology, lab.as_ref(), limit);
        if topology == self.rendered.topology {
            return Ok(Vec::new());
        }
        for note in fit.notes.drain(..) {
            observer.on(Event::Note(note));
        }
        let workers = other_batches(&self.rendered.topology, &topology);
        self.rendered = Rendered::of(topology, &self.engine_host, ClassCache::Shared);
        self.write()?;
        Ok(workers)
    }
}

/// The workers whose batches are not as they were.
fn other_batches(before: &Topology, now: &Topology) -> Vec<String> {
    let mirrors = now.mirrors.iter().filter(|mirror| {
        let before = before.mirror_of(&mirror.target);
        before.is_none_or(|before| before.batch != mirror.batch)
    });
    mirrors.flat_map(|mirror| mirror.workers.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lab::Journal;
    use crate::core::spec::scenario::{self, Scenario};

    #[test]
    fn only_a_mirrormaker_with_other_batches_is_recreated() {
        let before = Topology::new(&Scenario::ActiveActive.spec("demo"));
        let mut now = before.clone();
        assert!(other_batches(&before, &now).is_empty());
        now.mirrors[1].narrow(100_000);
        assert_eq!(other_batches(&before, &now), now.mirrors[1].workers);
    }

    #[test]
    fn a_new_lab_has_nothing_to_heed() {
        let mut topology = Topology::new(&scenario::dr("demo"));
        let limit = Limit::new(Duration::ZERO, &kmk_kafka::wait::Interrupt::default());
        let found = fit(&mut topology, None, &limit);
        assert!(found.is_whole && found.notes.is_empty());
        assert_eq!(topology.mirrors[0].batch, FULL_BATCH);
    }

    #[test]
    fn what_cannot_be_seen_is_as_it_was() {
        let spec = scenario::dr("demo");
        let mut lab = Lab {
            topology: Topology::new(&spec),
            spec: spec.clone(),
            containers: Vec::new(),
            journal: Journal::default(),
        };
        lab.topology.mirrors[0].narrow(100_000);
        let mut topology = Topology::new(&spec);
        let limit = Limit::new(Duration::ZERO, &kmk_kafka::wait::Interrupt::default());
        let found = fit(&mut topology, Some(&lab), &limit);
        assert!(!found.is_whole && found.notes.is_empty());
        assert_eq!(topology.mirrors[0].batch, 100_000);
    }

    #[test]
    fn the_topic_that_wants_it_is_named() {
        let batch_limit = BatchLimit {
            topic: Some("small".to_owned()),
            setting: "max.message.bytes",
            bytes: 100_000,
            original: None,
        };
        assert_eq!(
            note("b", 100_000, Some(&batch_limit)),
            "MirrorMaker sends batches of at most 100000 bytes to b: topic `small` accepts no larger ones (max.message.bytes)"
        );
        assert!(
            note(
                "b",
                FULL_BATCH,
                Some(&BatchLimit {
                    bytes: 1 << 30,
                    ..batch_limit
                })
            )
            .ends_with("every topic accepts them")
        );
    }
}
