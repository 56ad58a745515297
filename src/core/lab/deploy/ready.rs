//! Waits until a lab that is up also replicates, and finds the cause when it does not.

use super::failure::{DeployError, Suspect};
use crate::core::docker::{Container, Docker};
use crate::core::event::{Event, Observer};
use crate::core::judge::lag::FlowLag;
use crate::core::lab::Lab;

use crate::core::mirrormaker::config::STATE_SEGMENT_BYTES;
use crate::core::mirrormaker::state;
use crate::core::observe::assignment::Assignment;
use crate::core::observe::canary::Canary;
use crate::core::topology::{Access, Cluster, DATA_IS_NEWER, Flow, Proof, Topology};
use kmk_kafka::wait::{Interrupt, Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError, NewTopic};
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

/// How long to wait for a flow before looking for a topic that blocks it: a start takes less.
const BLAME: Duration = Duration::from_secs(12);

/// A lab whose containers were started.
pub(in crate::core::lab) struct Readiness<'a> {
    pub(in crate::core::lab) docker: &'a Docker,
    pub(in crate::core::lab) topology: &'a Topology,
    /// Its containers as they were before.
    pub(in crate::core::lab) existing: &'a [Container],
}

impl Readiness<'_> {
    /// Waits until every broker answers, every flow is known to replicate, and all MirrorMakers share the work.
    pub(in crate::core::lab) fn wait(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        self.wait_for_brokers(limit, observer)?;
        self.wait_for_flows(limit, observer).map(drop)
    }

    /// Waits until every flow is known to replicate, and all MirrorMakers share the work. How far behind they are then.
    pub(in crate::core::lab) fn wait_for_flows(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<Vec<FlowLag>, DeployError> {
        self.wait_for_records(limit, observer)?;
        self.wait_for_backlog(limit, observer)
    }

    /// The same, of one record of each flow.
    pub(in crate::core::lab) fn wait_for_records(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        self.wait_for_canaries(limit, observer)?;
        self.wait_for_connector_status(limit, observer)?;
        self.wait_for_workers(limit, observer)?;
        self.wait_for_lists(limit, observer)
    }

    pub(in crate::core::lab) fn wait_for_brokers(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let begun = Instant::now();
        observer.on(Event::Started("Waiting for the brokers".to_owned()));
        for cluster in &self.topology.clusters {
            self.wait_for_existing(cluster, limit, observer)?;
            for broker in &cluster.brokers {
                let wait = Wait {
                    what: format!(
                        "broker {} of cluster `{}` does not answer",
                        broker.service, cluster.name
                    ),
                    services: vec![&broker.service],
                    flow: None,
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

    /// One that existed before may have gone since.
    fn wait_for_existing(
        &self,
        cluster: &Cluster,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        let Some(there) = cluster.existing().filter(|it| it.access == Access::Open) else {
            return Ok(());
        };
        let wait = Wait {
            what: format!("existing cluster `{}` does not answer", cluster.name),
            services: Vec::new(),
            flow: None,
        };
        self.wait_for(&wait, limit, observer, |limit| {
            Admin::connect(&there.endpoints, limit)
                .and_then(|mut admin| admin.topics(limit))
                .map(|_| Probe::Ready(()))
        })
    }

    /// Makes the topics in which MirrorMaker keeps its state, where there are several brokers: it would make each itself,
    /// ask a broker that has not heard of it yet, and look again only after 10 s (`KafkaBasedLog`, up to Kafka 4.0 brokers
    /// hear of a topic half a second late). That it does so all the same is no error.
    fn prepare_state(&self, cluster: &Cluster, limit: &Limit) {
        let flows = self.topology.flows.iter();
        let into =
            flows.filter(|flow| flow.spec.target == cluster.name && cluster.brokers.len() > 1);
        let topics = into.flat_map(|flow| state::topics(&flow.spec.source));
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

    fn wait_for_canaries(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let begun = Instant::now();
        let flows = self.topology.flows.iter();
        let flows: Vec<&Flow> = flows.filter(|flow| flow.proof == Proof::Canary).collect();
        // of the lab: some may not be waited for
        let are_all = flows.len() == self.topology.spec.flows.len();
        if flows.is_empty() {
            return Ok(());
        }
        observer.on(Event::Started(if are_all {
            "Waiting until a canary has crossed every flow".to_owned()
        } else {
            format!("Waiting until a canary has crossed {}", names(&flows))
        }));
        let wait = |flow: &Flow, services| Wait {
            what: format!("flow {} does not replicate", flow.name()),
            services,
            flow: Some(flow.clone()),
        };
        // sent all at once: MirrorMaker finds their topics when it first looks
        let mut sent = Vec::new();
        for flow in &flows {
            let source: Vec<&str> = self.service_of(&flow.spec.source).into_iter().collect();
            let canary = self.wait_for(&wait(flow, source), limit, observer, |limit| {
                Ok(Probe::Ready(Canary::send(self.topology, flow, limit)?))
            })?;
            sent.push((*flow, canary));
        }
        for (flow, mut canary) in sent {
            let workers = self.workers(flow);
            self.wait_for(&wait(flow, workers), limit, observer, |limit| {
                Ok(if canary.has_arrived(limit)? {
                    Probe::Ready(())
                } else {
                    Probe::NotYet(format!("no canary on cluster `{}` yet", flow.spec.target))
                })
            })?;
            observer.on(Event::Progress(format!("{} replicates", flow.name())));
        }
        observer.on(Event::Done {
            what: if are_all {
                "A canary has crossed every flow".to_owned()
            } else {
                format!("A canary has crossed {}", names(&flows))
            },
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// Where several share the work of a flow, waits until each has joined the others.
    fn wait_for_workers(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        for flow in &self.topology.flows {
            let (workers, target) = (self.workers(flow), self.topology.cluster(&flow.spec.target));
            let Some(target) =
                target.filter(|one| workers.len() > 1 && one.access() == Access::Open)
            else {
                continue;
            };
            for worker in workers {
                let wait = Wait {
                    what: format!("{worker} does not share the work of flow {}", flow.name()),
                    services: vec![worker],
                    flow: None,
                };
                self.wait_for(&wait, limit, observer, |limit| {
                    let groups = Admin::connect(&target.endpoints(), limit)?.groups(limit)?;
                    let assignment = Assignment::of(&groups, &flow.spec.source);
                    Ok(
                        if assignment.is_some_and(|assignment| assignment.has(worker)) {
                            Probe::Ready(())
                        } else {
                            Probe::NotYet(format!("{worker} has not joined the other workers yet"))
                        },
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The services of the MirrorMaker that carries a flow.
    pub(super) fn workers(&self, flow: &Flow) -> Vec<&str> {
        let mirror = self.topology.mirror_of(&flow.spec.target);
        let workers = mirror.into_iter().flat_map(|mirror| &mirror.workers);
        workers.map(String::as_str).collect()
    }

    /// A broker of a cluster that kmk made.
    fn service_of(&self, cluster: &str) -> Option<&str> {
        let broker = self.topology.cluster(cluster)?.brokers.first()?;
        Some(&broker.service)
    }

    /// Looks again and again until a look succeeds. Gives up early when the container that it depends on has died.
    pub(super) fn wait_for<T>(
        &self,
        wait: &Wait,
        limit: &Limit,
        observer: &dyn Observer,
        mut look: impl FnMut(&Limit) -> Result<Probe<T>, KafkaError>,
    ) -> Result<T, DeployError> {
        let mut said = String::new();
        let begun = Instant::now();
        let mut examined = begun;
        let waited = limit.until(LOOK, || {
            if examined.elapsed() > EXAMINE {
                self.refuse_dead(&wait.services, limit)?;
                if begun.elapsed() > BLAME {
                    self.refuse_held_up(wait.flow.as_ref(), limit)?;
                }
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
        waited.map_err(|ended| self.not_ready(wait.what.clone(), ended, &wait.services))
    }

    /// None of several is left when the last of them has died.
    pub(super) fn refuse_dead(&self, services: &[&str], limit: &Limit) -> Result<(), Ended> {
        let Ok(Some(lab)) = Lab::look_for(self.docker, &self.topology.spec.lab, limit) else {
            return Ok(());
        };
        let mut why = Ok(());
        for service in services {
            why = match lab.container(service) {
                None => Err(Ended::Because("its container is gone".to_owned())),
                Some(container) => {
                    if !["exited", "dead"].contains(&container.state.status.as_str()) {
                        return Ok(());
                    }
                    let why = format!("its container {}", container.state.describe());
                    Err(Ended::Because(why))
                }
            };
        }
        why
    }

    pub(super) fn not_ready(&self, what: String, ended: Ended, services: &[&str]) -> DeployError {
        let why = match ended {
            Ended::Stop(Stop::Interrupted) => return DeployError::Interrupted,
            Ended::Stop(stop @ Stop::Deadline { .. }) => stop.to_string(),
            Ended::Because(why) => why,
        };
        let suspect = self.suspect(services).map(Box::new);
        match suspect {
            Some(suspect) if suspect.says(DATA_IS_NEWER) => {
                self.data_is_newer(services.first().copied().unwrap_or_default(), suspect)
            }
            suspect => DeployError::NotReady { what, why, suspect },
        }
    }

    fn data_is_newer(&self, service: &str, suspect: Box<Suspect>) -> DeployError {
        let is_its = |cluster: &&Cluster| cluster.brokers.iter().any(|b| b.service == service);
        let cluster = self.topology.clusters.iter().find(is_its);
        let before = self.existing.iter().find(|c| c.service() == service);
        DeployError::DataIsNewer {
            cluster: cluster.map_or_else(String::new, |cluster| cluster.name.clone()),
            before: before
                .map(|container| container.image().to_owned())
                .filter(|before| *before != suspect.image),
            suspect,
        }
    }

    /// The container of the services that most likely is to blame, with the end of its log: one that does not run, if any.
    fn suspect(&self, services: &[&str]) -> Option<Suspect> {
        let limit = Limit::new(PATIENCE, &Interrupt::default());
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, &limit).ok()??;
        let containers = services.iter().filter_map(|service| lab.container(service));
        let container = containers.min_by_key(|container| container.is_running())?;
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
pub(super) struct Wait<'a> {
    /// What is the matter while it has not come.
    pub(super) what: String,
    /// The services that it depends on most: one of them is enough. None where it depends on nothing of the lab's.
    pub(super) services: Vec<&'a str>,
    /// The flow that a single topic may block.
    pub(super) flow: Option<Flow>,
}

pub(super) fn names(flows: &[&Flow]) -> String {
    let names: Vec<String> = flows.iter().map(|flow| flow.name()).collect();
    names.join(", ")
}

/// How a wait ended in vain.
pub(super) enum Ended {
    Stop(Stop),
    Because(String),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
