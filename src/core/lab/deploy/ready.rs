//! Waits until a lab that is up also replicates, and finds out where it lies when it does not.

use super::failure::{DeployError, Suspect};
use super::word::{Heard, Word};
use crate::core::docker::{Container, Docker};
use crate::core::event::{Event, Observer};
use crate::core::kafka::{Admin, KafkaError, NewTopic};
use crate::core::lab::Lab;
use crate::core::lab::canary::Canary;
use crate::core::mirror_state;
use crate::core::mm2::STATE_SEGMENT_BYTES;
use crate::core::topology::{Access, Cluster, DATA_IS_NEWER, Flow, Proof, Topology};
use crate::core::wait::{Interrupt, Limit, Probe, Stop};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// Lines of a container's log that a failure shows.
const LOG_LINES: usize = 20;
/// How often a cluster is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long one look at a cluster may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the container that it depends on is examined.
const EXAMINE: Duration = Duration::from_secs(1);

/// A lab whose containers were started.
pub(in crate::core::lab) struct Readiness<'a> {
    pub(in crate::core::lab) docker: &'a Docker,
    pub(in crate::core::lab) topology: &'a Topology,
    /// Its containers as they were before.
    pub(in crate::core::lab) existing: &'a [Container],
}

impl Readiness<'_> {
    /// Waits until every broker answers, and every flow is known to replicate.
    pub(in crate::core::lab) fn wait(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        self.wait_for_brokers(limit, observer)?;
        self.wait_for_canaries(limit, observer)?;
        self.wait_for_words(limit, observer)
    }

    fn wait_for_brokers(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
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
                    service: Some(&broker.service),
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

    /// One that was there before may have gone since.
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
            what: format!(
                "cluster `{}`, which is not kmk's, does not answer",
                cluster.name
            ),
            service: None,
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

    fn wait_for_canaries(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let begun = Instant::now();
        let flows = self.topology.flows.iter();
        let flows: Vec<&Flow> = flows.filter(|flow| flow.proof == Proof::Canary).collect();
        let are_all = flows.len() == self.topology.flows.len();
        if flows.is_empty() && !are_all {
            return Ok(());
        }
        observer.on(Event::Started(if are_all {
            "Waiting until a canary has crossed every flow".to_owned()
        } else {
            format!("Waiting until a canary has crossed {}", names(&flows))
        }));
        let wait = |flow: &Flow, service| Wait {
            what: format!("flow {} does not replicate", flow.name()),
            service,
        };
        // sent all at once: MirrorMaker finds their topics when it first looks
        let mut sent = Vec::new();
        for flow in &flows {
            let source = self.service_of(&flow.spec.source);
            let canary = self.wait_for(&wait(flow, source), limit, observer, |limit| {
                Canary::send(self.topology, flow, limit).map(Probe::Ready)
            })?;
            sent.push((*flow, canary));
        }
        for (flow, mut canary) in sent {
            let mirror = Some(self.mirror(flow));
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
            what: if are_all {
                "A canary has crossed every flow".to_owned()
            } else {
                format!("A canary has crossed {}", names(&flows))
            },
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// Where no canary may be sent, MirrorMaker's own word has to do.
    fn wait_for_words(&self, limit: &Limit, observer: &dyn Observer) -> Result<(), DeployError> {
        let flows = self.topology.flows.iter();
        let flows: Vec<&Flow> = flows.filter(|flow| flow.proof == Proof::Word).collect();
        if flows.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        observer.on(Event::Started(format!(
            "Waiting until MirrorMaker says that it runs {}",
            names(&flows)
        )));
        let mut heard = Vec::new();
        for flow in flows {
            let service = self.mirror(flow);
            let wait = Wait {
                what: format!("flow {} does not run", flow.name()),
                service: Some(service),
            };
            let target = self.topology.cluster(&flow.spec.target);
            let Some(target) = target.filter(|target| target.access() == Access::Open) else {
                self.refuse_dead(service, limit)
                    .map_err(|ended| self.not_ready(wait.what.clone(), ended, wait.service))?;
                observer.on(Event::Note(format!(
                    "whether {} runs stands on {}, where kmk cannot log in: the log of {service} says it",
                    flow.name(),
                    flow.spec.target
                )));
                continue;
            };
            let mut word = Word::new(self.topology, flow, target, self.started(service, limit));
            let word = self.wait_for(&wait, limit, observer, |limit| word.ask(limit))?;
            if word == Heard::FoundNothing {
                observer.on(Event::Warning(format!(
                    "MirrorMaker runs {}, and copies nothing: no topic of {} is one that the flow takes, or it cannot be reached from {service}",
                    flow.name(),
                    flow.spec.source
                )));
            }
            heard.push(flow);
        }
        if !heard.is_empty() {
            observer.on(Event::Done {
                what: format!("MirrorMaker says that it runs {}", names(&heard)),
                took: begun.elapsed(),
            });
        }
        Ok(())
    }

    /// When the container of a service was started, in milliseconds since the epoch; the epoch where that is not known.
    fn started(&self, service: &str, limit: &Limit) -> i64 {
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, limit);
        let since = lab.ok().flatten().and_then(|lab| {
            let started = &lab.container(service)?.state.started_at;
            let started = humantime::parse_rfc3339(started).ok()?;
            started.duration_since(SystemTime::UNIX_EPOCH).ok()
        });
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
    }

    /// The service of the MirrorMaker that carries a flow.
    fn mirror(&self, flow: &Flow) -> &str {
        let mut mirrors = self.topology.mirrors.iter();
        let mirror = mirrors.find(|mirror| mirror.target == flow.spec.target);
        mirror.map_or("", |mirror| &mirror.service)
    }

    /// A broker of a cluster that kmk made.
    fn service_of(&self, cluster: &str) -> Option<&str> {
        let broker = self.topology.cluster(cluster)?.brokers.first()?;
        Some(&broker.service)
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
                if let Some(service) = wait.service {
                    self.refuse_dead(service, limit)?;
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
        waited.map_err(|ended| self.not_ready(wait.what.clone(), ended, wait.service))
    }

    fn refuse_dead(&self, service: &str, limit: &Limit) -> Result<(), Ended> {
        let Ok(Some(lab)) = Lab::look_for(self.docker, &self.topology.spec.lab, limit) else {
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

    fn not_ready(&self, what: String, ended: Ended, service: Option<&str>) -> DeployError {
        let why = match ended {
            Ended::Stop(Stop::Interrupted) => return DeployError::Interrupted,
            Ended::Stop(stop @ Stop::Deadline { .. }) => stop.to_string(),
            Ended::Because(why) => why,
        };
        let suspect = service.and_then(|service| self.suspect(service));
        match (suspect.map(Box::new), service) {
            (Some(suspect), Some(service)) if suspect.says(DATA_IS_NEWER) => {
                self.data_is_newer(service, suspect)
            }
            (suspect, _) => DeployError::NotReady { what, why, suspect },
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

    /// The container of the service, with the end of its log.
    fn suspect(&self, service: &str) -> Option<Suspect> {
        let limit = Limit::new(PATIENCE, &Interrupt::default());
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, &limit).ok()??;
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
    /// The service that it depends on most, if it is one of the lab's.
    service: Option<&'a str>,
}

fn names(flows: &[&Flow]) -> String {
    let names: Vec<String> = flows.iter().map(|flow| flow.name()).collect();
    names.join(", ")
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
