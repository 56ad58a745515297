//! Waits until a lab that is up also replicates, and finds out where it lies when it does not.

use super::failure::{DeployError, Suspect};
use super::plan::Plan;
use crate::core::event::{Event, Observer};
use crate::core::kafka::{Admin, KafkaError};
use crate::core::lab::Lab;
use crate::core::lab::canary::Canary;
use crate::core::topology::Flow;
use crate::core::wait::{Interrupt, Limit, Probe, Stop};
use std::time::{Duration, Instant};

/// Lines of a container's log that a failure shows.
const LOG_LINES: usize = 20;
/// How often a cluster is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long one look at a cluster may take.
const PATIENCE: Duration = Duration::from_secs(2);

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
                let what = format!(
                    "broker {} of cluster `{}` does not answer",
                    broker.service, cluster.name
                );
                let mut watch = Watch::new(self, &broker.service);
                let probe = || {
                    watch.look(limit)?;
                    let short = limit.at_most(PATIENCE);
                    let endpoint = std::slice::from_ref(&broker.outside);
                    match Admin::connect(endpoint, &short)
                        .and_then(|mut admin| admin.topics(&short))
                    {
                        Ok(_) => Ok(Probe::Ready(())),
                        Err(error) => {
                            observer.on(Event::Progress(error.to_string()));
                            Ok(Probe::NotYet(error.to_string()))
                        }
                    }
                };
                let waited = limit.until(LOOK, probe);
                waited.map_err(|ended: Ended| self.not_ready(what, ended, &broker.service))?;
            }
        }
        observer.on(Event::Done {
            what: "All brokers answer".to_owned(),
            took: begun.elapsed(),
        });
        Ok(())
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
        // sent all at once: MirrorMaker finds their topics when it first looks
        let sent: Vec<(&Flow, Canary)> = flows
            .iter()
            .map(|flow| {
                let canary = Canary::send(&self.rendered.topology, flow, limit);
                let canary = canary.map_err(|error| {
                    self.not_ready(does_not_replicate(flow), error.into(), &flow.spec.source)
                })?;
                Ok((flow, canary))
            })
            .collect::<Result<_, DeployError>>()?;
        for (flow, mut canary) in sent {
            let mut watch = Watch::new(self, self.mirror(flow));
            let probe = || {
                watch.look(limit)?;
                let seen = match canary.has_arrived(&limit.at_most(PATIENCE)) {
                    Ok(true) => return Ok(Probe::Ready(())),
                    Ok(false) => format!("no canary on cluster `{}` yet", flow.spec.target),
                    Err(error) => error.to_string(),
                };
                observer.on(Event::Progress(seen.clone()));
                Ok(Probe::NotYet(seen))
            };
            let arrived = limit.until(LOOK, probe);
            arrived.map_err(|ended| {
                self.not_ready(does_not_replicate(flow), ended, self.mirror(flow))
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

    fn not_ready(&self, what: String, ended: Ended, service: &str) -> DeployError {
        let why = match ended {
            Ended::Stop(Stop::Interrupted) => return DeployError::Interrupted,
            Ended::Stop(stop @ Stop::Deadline { .. }) => stop.to_string(),
            Ended::Because(why) => why,
        };
        DeployError::NotReady {
            what,
            why,
            suspect: self.suspect(service),
        }
    }

    /// The container of the service, with the end of its log.
    fn suspect(&self, service: &str) -> Option<Suspect> {
        let limit = Limit::new(PATIENCE, &Interrupt::default());
        let lab = Lab::look_for(self.docker, self.lab(), &limit).ok()??;
        let container = lab.container(service)?;
        Some(Suspect {
            container: container.name().to_owned(),
            state: container.state.describe(),
            log: self
                .docker
                .log_tail(&container.id, LOG_LINES, &limit)
                .unwrap_or_default(),
        })
    }
}

/// How a wait for a service ended.
enum Ended {
    Stop(Stop),
    Because(String),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<KafkaError> for Ended {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Stopped(stop) => Self::Stop(stop),
            other => Self::Because(other.to_string()),
        }
    }
}

fn does_not_replicate(flow: &Flow) -> String {
    format!("flow {} does not replicate", flow.name())
}

/// Looks now and then whether a container that is waited for has died.
struct Watch<'a> {
    plan: &'a Plan<'a>,
    service: &'a str,
    looked: Instant,
}

impl<'a> Watch<'a> {
    const EVERY: Duration = Duration::from_secs(1);

    fn new(plan: &'a Plan<'a>, service: &'a str) -> Self {
        Self {
            plan,
            service,
            looked: Instant::now(),
        }
    }

    fn look(&mut self, limit: &Limit) -> Result<(), Ended> {
        if self.looked.elapsed() < Self::EVERY {
            return Ok(());
        }
        self.looked = Instant::now();
        let Ok(Some(lab)) = Lab::look_for(self.plan.docker, self.plan.lab(), limit) else {
            return Ok(());
        };
        match lab.container(self.service) {
            None => Err(Ended::Because("its container is gone".to_owned())),
            Some(container) if ["exited", "dead"].contains(&container.state.status.as_str()) => {
                Err(Ended::Because(format!(
                    "its container {}",
                    container.state.describe()
                )))
            }
            Some(_) => Ok(()),
        }
    }
}
