//! Waits until a lab that is up also replicates, and finds out where it lies when it does not.

use super::failure::{DeployError, Suspect};
use super::plan::Plan;
use crate::core::event::{Event, Observer};
use crate::core::kafka::{Admin, KafkaError, NewTopic};
use crate::core::lab::Lab;
use crate::core::lab::canary::Canary;
use crate::core::mirror_state;
use crate::core::mm2::STATE_SEGMENT_BYTES;
use crate::core::topology::{Cluster, DATA_IS_NEWER, Flow};
use crate::core::wait::{Interrupt, Limit, Probe, Stop};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Lines of a container's log that a failure shows.
const LOG_LINES: usize = 20;
/// How often a cluster is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long one look at a cluster may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the container that it depends on is examined.
const EXAMINE: Duration = Duration::from_secs(1);

impl Plan<'_> {
    pub(super) fn wait_for_brokers(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let begun = Instant::now();
        observer.on(Event::Started("Waiting for the brokers".to_owned()));
        for cluster in &self.rendered.topology.clusters {
            for broker in &cluster.brokers {
                let wait = Wait {
                    what: format!(
                        "broker {} of cluster `{}` does not answer",
                        broker.service, cluster.name
                    ),
                    service: &broker.service,
                };
                self.wait_for(&wait, limit, observer, |limit| {
                    let endpoint = std::slice::from_ref(&broker.outside);
                    let answer =
                        Admin::connect(endpoint, limit).and_then(|mut admin| admin.topics(limit));
                    match answer {
                        Err(KafkaError::Unreachable { .. }) => {
                            let seen = format!("{} does not answer yet", broker.outside);
                            Ok(Probe::NotYet(seen))
                        }
                        other => other.map(Probe::Ready),
                    }
                })?;
            }
            self.prepare_state(cluster, limit);
        }
        observer.on(Event::Done {
            what: "All brokers answer".to_owned(),
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// Makes the topics in which MirrorMaker keeps its state, where there are several brokers: it would make each itself,
    /// ask a broker that has not heard of it yet, and look again only after 10 s (`KafkaBasedLog`, up to Kafka 4.0 brokers
    /// hear of a topic half a second late). That it does so all the same is no error.
    fn prepare_state(&self, cluster: &Cluster, limit: &Limit) {
        let flows = self.rendered.topology.flows.iter();
        let into =
            flows.filter(|flow| flow.spec.target == cluster.name && cluster.brokers.len() > 1);
        let topics = into.flat_map(|flow| mirror_state::topics(&flow.spec.source));
        let settings = BTreeMap::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("segment.bytes".to_owned(), STATE_SEGMENT_BYTES.to_string()),
        ]);
        let topics: Vec<NewTopic> = topics
            .map(|name| NewTopic {
                name,
                partitions: Some(1),
                replicas: i16::try_from(cluster.replication_factor).ok(),
                settings: settings.clone(),
            })
            .collect();
        let limit = limit.at_most(PATIENCE);
        if let (false, Ok(mut admin)) = (
            topics.is_empty(),
            Admin::connect(&cluster.endpoints(), &limit),
        ) {
            for topic in &topics {
                let _ = admin.create_topic(topic, &limit);
            }
        }
    }

    pub(super) fn wait_for_canaries(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let begun = Instant::now();
        let flows = &self.rendered.topology.flows;
        observer.on(Event::Started(
            "Waiting until a canary has crossed every flow".to_owned(),
        ));
        let wait = |flow: &Flow, service| Wait {
            what: format!("flow {} does not replicate", flow.name()),
            service,
        };
        // sent all at once: MirrorMaker finds their topics when it first looks
        let mut sent = Vec::new();
        for flow in flows {
            let source = self.service_of(&flow.spec.source);
            let canary = self.wait_for(&wait(flow, source), limit, observer, |limit| {
                Canary::send(&self.rendered.topology, flow, limit).map(Probe::Ready)
            })?;
            sent.push((flow, canary));
        }
        for (flow, mut canary) in sent {
            let mirror = self.mirror(flow);
            self.wait_for(&wait(flow, mirror), limit, observer, |limit| {
                Ok(if canary.has_arrived(limit)? {
                    Probe::Ready(())
                } else {
                    Probe::NotYet(format!("no canary on cluster `{}` yet", flow.spec.target))
                })
            })?;
            observer.on(Event::Progress(format!("{} replicates", flow.name())));
        }
        observer.on(Event::Done {
            what: "A canary has crossed every flow".to_owned(),
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// The service of the MirrorMaker that carries a flow.
    fn mirror(&self, flow: &Flow) -> &str {
        let mut mirrors = self.rendered.topology.mirrors.iter();
        let mirror = mirrors.find(|mirror| mirror.target == flow.spec.target);
        mirror.map_or("", |mirror| &mirror.service)
    }

    fn service_of(&self, cluster: &str) -> &str {
        let cluster = self.rendered.topology.cluster(cluster);
        let broker = cluster.and_then(|cluster| cluster.brokers.first());
        broker.map_or("", |broker| &broker.service)
    }

    /// Looks again and again until a look succeeds. Gives up early when the container that it depends on has died.
    fn wait_for<T>(
        &self,
        wait: &Wait,
        limit: &Limit,
        observer: &dyn Observer,
        mut look: impl FnMut(&Limit) -> Result<Probe<T>, KafkaError>,
    ) -> Result<T, DeployError> {
        let mut said = String::new();
        let mut examined = Instant::now();
        let waited = limit.until(LOOK, || {
            if examined.elapsed() > EXAMINE {
                self.refuse_dead(wait.service, limit)?;
                examined = Instant::now();
            }
            let seen = match look(&limit.at_most(PATIENCE)) {
                Ok(Probe::Ready(found)) => return Ok(Probe::Ready(found)),
                Ok(Probe::NotYet(seen)) => seen,
                Err(error) => error.to_string(),
            };
            if seen != said {
                observer.on(Event::Progress(seen.clone()));
                said.clone_from(&seen);
            }
            Ok(Probe::NotYet(seen))
        });
        waited.map_err(|ended| self.not_ready(wait.what.clone(), ended, wait.service))
    }

    fn refuse_dead(&self, service: &str, limit: &Limit) -> Result<(), Ended> {
        let Ok(Some(lab)) = Lab::look_for(self.docker, self.lab(), limit) else {
            return Ok(());
        };
        let Some(container) = lab.container(service) else {
            return Err(Ended::Because("its container is gone".to_owned()));
        };
        if ["exited", "dead"].contains(&container.state.status.as_str()) {
            let why = format!("its container {}", container.state.describe());
            return Err(Ended::Because(why));
        }
        Ok(())
    }

    fn not_ready(&self, what: String, ended: Ended, service: &str) -> DeployError {
        let why = match ended {
            Ended::Stop(Stop::Interrupted) => return DeployError::Interrupted,
            Ended::Stop(stop @ Stop::Deadline { .. }) => stop.to_string(),
            Ended::Because(why) => why,
        };
        let suspect = self.suspect(service).map(Box::new);
        match suspect {
            Some(suspect) if suspect.says(DATA_IS_NEWER) => self.data_is_newer(service, suspect),
            suspect => DeployError::NotReady { what, why, suspect },
        }
    }

    fn data_is_newer(&self, service: &str, suspect: Box<Suspect>) -> DeployError {
        let topology = &self.rendered.topology;
        let is_its = |cluster: &&Cluster| cluster.brokers.iter().any(|b| b.service == service);
        let cluster = topology.clusters.iter().find(is_its);
        let before = self.existing.iter().find(|c| c.service() == service);
        DeployError::DataIsNewer {
            cluster: cluster.map_or_else(String::new, |cluster| cluster.name.clone()),
            before: before
                .map(|container| container.image().to_owned())
                .filter(|before| *before != suspect.image),
            suspect,
        }
    }

    /// The container of the service, with the end of its log.
    fn suspect(&self, service: &str) -> Option<Suspect> {
        let limit = Limit::new(PATIENCE, &Interrupt::default());
        let lab = Lab::look_for(self.docker, self.lab(), &limit).ok()??;
        let container = lab.container(service)?;
        Some(Suspect {
            container: container.name().to_owned(),
            image: container.image().to_owned(),
            state: container.state.describe(),
            log: self
                .docker
                .log_tail(&container.id, LOG_LINES, &limit)
                .unwrap_or_default(),
        })
    }
}

/// What is waited for.
struct Wait<'a> {
    /// What is the matter while it has not come.
    what: String,
    /// The service that it depends on most.
    service: &'a str,
}

/// How a wait ended in vain.
enum Ended {
    Stop(Stop),
    Because(String),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
