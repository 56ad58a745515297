//! Carries a drill to its end whose process died. Of a failover, what it was about to do is done, and nothing is measured any
//! more: the ledger died with the process. A failback is run once more.

use super::fence::{self, Fence};
use super::plan::{Side, brokers_up, group_sync};
use super::sides::{self, Ends};
use super::state::DrillState;
use super::take_back::tell_where_it_died;
use super::{DOCKER, DrillError, Drilled, FailbackReport, Fault, drilled_lab, failback, link};
use crate::core::docker::{Container, Docker};
use crate::core::event::{Observer, step};
use crate::core::lab::Lab;
use crate::core::lab::deploy::ready::Readiness;
use crate::core::lab::link::{network, put_some, workers};
use crate::core::lab::state::ids;
use crate::core::topology::Flow;
use kmk_kafka::Admin;
use kmk_kafka::wait::{Interrupt, Limit};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What was completed.
#[derive(Debug)]
pub enum Resumed {
    /// A failover.
    Failover(Box<ResumedFailover>),
    /// A failback, which is as good as one that was not interrupted.
    Failback {
        /// What came of it.
        report: Box<FailbackReport>,
        /// Whether its topics were kept.
        is_kept: bool,
    },
}

/// A failover that was completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResumedFailover {
    /// The drill, failed over now.
    #[serde(flatten)]
    pub state: DrillState,
    /// Where its groups stand.
    pub offsets: Vec<GroupOffsets>,
    /// Topics that still grow on the source, with their rates.
    pub moving: Vec<String>,
    /// How long it took.
    #[serde(skip)]
    pub took: Duration,
}

/// Where a group stands in a partition of the drill's topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupOffsets {
    /// The group.
    pub group: String,
    /// The partition.
    pub partition: i32,
    /// Its committed offset on the source, if there is one.
    pub committed: Option<i64>,
    /// Its committed offset in the mirrored topic, if there is one.
    pub synced: Option<i64>,
}

/// Carries the drill of a lab to its end; a failover within the time.
///
/// # Errors
/// [`DrillError::NoDrill`] where there is none, [`DrillError::NothingToResume`] where it did not die before its end; else
/// whatever does not allow it. It may be tried again, or the drill taken back.
pub fn resume(
    docker: &Docker,
    name: &str,
    time: Duration,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<Resumed, DrillError> {
    let begun = Instant::now();
    let limit = &Limit::new(time, interrupt);
    let drilled = drilled_lab(docker, name, limit)?;
    let ended = drilled.state.not_resumable();
    let back = drilled.state.back.as_ref();
    let what = back.and_then(|back| back.what.clone());
    if let (Some(what), None) = (what, ended) {
        tell_where_it_died(&drilled.state, observer);
        let report = failback::again(docker, drilled, &what, interrupt, observer)?;
        return Ok(Resumed::Failback {
            report: Box::new(report),
            is_kept: what.keep,
        });
    }
    let Drilled {
        _lock, lab, state, ..
    } = drilled;
    let flow = lab.topology.flows.iter();
    let flow = flow.into_iter().find(|flow| flow.name() == state.flow);
    let (Some(flow), None) = (flow, ended) else {
        return Err(DrillError::NothingToResume {
            flow: state.flow,
            why: ended.unwrap_or("the flow is gone"),
        });
    };
    let resume = Resume {
        docker,
        lab: &lab,
        flow,
        state: &state,
        limit,
        observer,
    };
    if !resume.has_topics()? {
        return Err(DrillError::NothingToResume {
            flow: state.flow,
            why: "it died before its topic was mirrored",
        });
    }
    tell_where_it_died(&state, observer);
    let (offsets, moving, watermark) = resume.until_the_end()?;
    let state = state.failed_over(watermark);
    state.save(docker, name, limit)?;
    Ok(Resumed::Failover(Box::new(ResumedFailover {
        state,
        offsets,
        moving,
        took: begun.elapsed(),
    })))
}

struct Resume<'a> {
    docker: &'a Docker,
    lab: &'a Lab,
    flow: &'a Flow,
    state: &'a DrillState,
    limit: &'a Limit,
    observer: &'a dyn Observer,
}

impl Resume<'_> {
    /// Whether the target has the drill's topic: it is mirrored from the source, so both have it then. A source that was killed
    /// cannot be asked.
    fn has_topics(&self) -> Result<bool, DrillError> {
        let target = Side::of(&self.lab.topology, &self.state.target);
        let mut admin = Admin::connect_patiently(&target.endpoints, self.limit)?;
        Ok(admin.has_topic(&self.state.topics.mirrored, self.limit)?)
    }

    fn until_the_end(&self) -> Result<(Vec<GroupOffsets>, Vec<String>, Ends), DrillError> {
        let workers = workers(&self.lab.topology, self.flow, &self.lab.containers);
        let mirrors: Vec<&Container> = workers.into_iter().filter(|one| one.is_up()).collect();
        // MirrorMaker is stopped after the fault: where it does not run, there is none left to do
        if !mirrors.is_empty() {
            self.fault(&mirrors)?;
            self.step("Stopping MirrorMaker", "Stopped MirrorMaker", || {
                let mirrors = ids(mirrors.iter().copied());
                match self.state.fault {
                    Some(Fault::Planned) => self.docker.stop(&mirrors, &self.docker_limit())?,
                    _ => self.docker.kill(&mirrors, &self.docker_limit())?,
                }
                Ok(())
            })?;
        }
        let target = Side::of(&self.lab.topology, &self.state.target);
        let watermark = sides::frozen(&target, &self.state.topics.mirrored, self.limit)?;
        self.start_source()?;
        let source = Side::of(&self.lab.topology, &self.state.source);
        let moving = self.step(
            "Looking whether topics grow on the source",
            "Looked whether topics grow on the source",
            || match fence::verify(&self.lab.topology, self.flow, &source, self.limit) {
                Ok(_) => Ok(Vec::new()),
                Err(DrillError::NotFenced { moving }) => Ok(moving),
                Err(error) => Err(error),
            },
        )?;
        Ok((self.offsets(&source, &target)?, moving, watermark))
    }

    /// What happens to the source, where it has not happened.
    fn fault(&self, mirrors: &[&Container]) -> Result<(), DrillError> {
        let source = &self.state.source;
        match self.state.fault {
            Some(Fault::Kill) => {
                let brokers = brokers_up(self.lab, source);
                if brokers.is_empty() {
                    return Ok(());
                }
                self.step(
                    &format!("Killing the brokers of {source}"),
                    &format!("Killed the brokers of {source}"),
                    || Ok(self.docker.kill(&brokers, &self.docker_limit())?),
                )
            }
            Some(Fault::Cut) => self.cut(mirrors, false),
            Some(Fault::HalfOpen) => self.cut(mirrors, true),
            Some(Fault::Planned) | None => self.copied(),
        }
    }

    fn cut(&self, mirrors: &[&Container], half_open: bool) -> Result<(), DrillError> {
        let (lab, limit) = (self.lab, self.docker_limit());
        let flow = &self.state.flow;
        let mut asked = lab.journal.clone();
        if asked.cut(flow).is_none() {
            let cut = link::note_cut(self.docker, &lab.spec.lab, flow, half_open, &limit)?;
            asked.link(flow).cut = Some(cut);
        }
        if half_open {
            put_some(self.flow, &asked, |_| true, &limit, self.observer)?;
            return Ok(());
        }
        let network = network(&lab.topology, self.flow);
        let on = |one: &&&Container| one.networks().any(|one| Some(one) == network.as_deref());
        let on = ids(mirrors.iter().filter(on).copied());
        Ok(link::cut(self.docker, network.as_deref(), &on, &limit)?)
    }

    /// Nobody writes any more, and all of it is copied.
    fn copied(&self) -> Result<(), DrillError> {
        let source = Side::of(&self.lab.topology, &self.state.source);
        let fence: Fence = self.step(
            "Checking that no topic grows",
            "No mirrored topic grows",
            || fence::verify(&self.lab.topology, self.flow, &source, self.limit),
        )?;
        self.step(
            "Waiting for the copy",
            "Every partition is copied, and group offsets had their time to be synced",
            || {
                fence::copied(self.lab, self.flow, self.limit)?;
                self.limit.pause(group_sync(self.flow))?;
                fence.holds(&source, self.limit)
            },
        )
    }

    fn start_source(&self) -> Result<(), DrillError> {
        let lab = Lab::find(self.docker, &self.lab.spec.lab, self.limit)?;
        let up = brokers_up(&lab, &self.state.source);
        let cluster = lab.topology.cluster(&self.state.source);
        let services = cluster.iter().flat_map(|cluster| &cluster.brokers);
        let containers = services.filter_map(|broker| lab.container(&broker.service));
        let down = ids(containers.filter(|one| !up.contains(&one.id)));
        if down.is_empty() {
            return Ok(());
        }
        self.docker.start(&down, &self.docker_limit())?;
        let readiness = Readiness {
            docker: self.docker,
            topology: &lab.topology,
            existing: &lab.containers,
        };
        let ready = readiness.wait_for_brokers(self.limit, self.observer);
        Ok(ready.map_err(Box::new)?)
    }

    fn offsets(&self, source: &Side, target: &Side) -> Result<Vec<GroupOffsets>, DrillError> {
        let mut home = Admin::connect_patiently(&source.endpoints, self.limit)?;
        let mut away = Admin::connect_patiently(&target.endpoints, self.limit)?;
        let topics = &self.state.topics;
        let mut offsets = Vec::new();
        for group in &self.state.groups {
            let committed = home.group_offsets(group, &topics.source, self.limit)?;
            let synced = away.group_offsets(group, &topics.mirrored, self.limit)?;
            let mut partitions: Vec<i32> = committed.keys().chain(synced.keys()).copied().collect();
            partitions.sort_unstable();
            partitions.dedup();
            offsets.extend(partitions.into_iter().map(|partition| GroupOffsets {
                group: group.clone(),
                partition,
                committed: committed.get(&partition).copied(),
                synced: synced.get(&partition).copied(),
            }));
        }
        Ok(offsets)
    }

    fn docker_limit(&self) -> Limit {
        self.limit.at_most(DOCKER)
    }

    fn step<T>(
        &self,
        what: &str,
        done: &str,
        run: impl FnOnce() -> Result<T, DrillError>,
    ) -> Result<T, DrillError> {
        step(self.observer, what, done, run)
    }
}
