//! Waits until flows use the topic lists asked for and none of their topics is stalled, and finds out which topic holds
//! up a flow that does not replicate.

use super::failure::DeployError;
use super::ready::{Ended, Readiness, Wait};
use crate::core::event::Observer;
use crate::core::judge::culprit::Why;
use crate::core::judge::lag::FlowLag;
use crate::core::lab::journal;
use crate::core::lab::lag;
use crate::core::lab::link;
use crate::core::lab::status::COPIES;
use crate::core::lab::{Lab, addresses};
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::state;
use crate::core::observe::{Snapshots, internal};
use crate::core::topology::{Access, Cluster, Flow};
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError};
use std::time::Duration;

/// How long a backlog may take to move: MirrorMaker that was just made has to find it first.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);
/// How long a look takes that shows what is stalled.
const ENOUGH: Duration = Duration::from_secs(3);

impl Readiness<'_> {
    /// A MirrorMaker that is recreated begins with the settings stored by the one before, and copies by those for a moment.
    pub(super) fn wait_for_lists(
        &self,
        limit: &Limit,
        observer: &dyn Observer,
    ) -> Result<(), DeployError> {
        for flow in &self.topology.flows {
            let target = self.topology.cluster(&flow.spec.target);
            let Some(target) = target.filter(|one| one.access() == Access::Open) else {
                continue;
            };
            let wait = Wait {
                what: format!("flow {} does not use the requested topics", flow.name()),
                services: self.workers(flow),
                flow: None,
            };
            self.wait_for(&wait, limit, observer, |limit| {
                Ok(if runs_by_its_lists(flow, target, limit)? {
                    Probe::Ready(())
                } else {
                    Probe::NotYet(format!(
                        "{} does not use its new list of topics yet",
                        flow.name()
                    ))
                })
            })?;
        }
        Ok(())
    }

    /// A canary that has crossed says nothing of other topics. How far behind all are, as it was seen last.
    pub(in crate::core::lab) fn wait_for_backlog(
        &self,
        limit: &Limit,
        _: &dyn Observer,
    ) -> Result<Vec<FlowLag>, DeployError> {
        let Some(mut lab) = Lab::look_for(self.docker, &self.topology.spec.lab, limit)? else {
            return Ok(Vec::new());
        };
        // one that cannot be read is told where it is written
        lab.journal = journal::read(self.docker, &lab.spec.lab, limit).unwrap_or_default();
        // not of flows that nobody waits for
        let awaited = &self.topology.flows;
        lab.topology.flows.retain(|flow| awaited.contains(flow));
        let answer = awaited.iter().map(|flow| {
            let (topology, journal) = (self.topology, &lab.journal);
            link::longest_answer(flow, topology, journal, usize::MAX)
        });
        let patience = PATIENCE + answer.max().unwrap_or_default();
        let seen = until_none_stands(&limit.at_most(patience), |limit| {
            lag::look(&lab, &|_, _| false, limit).1
        });
        let flows = self.topology.flows.iter();
        let workers: Vec<&str> = flows.flat_map(|flow| self.workers(flow)).collect();
        let what = "not all topics replicate".to_owned();
        seen.map_err(|ended| self.not_ready(what, ended, &workers))
    }

    /// A topic that blocks all others will do so until somebody mends it.
    pub(super) fn refuse_held_up(&self, flow: Option<&Flow>, limit: &Limit) -> Result<(), Ended> {
        let Some(flow) = flow else {
            return Ok(());
        };
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, limit);
        let Ok(Some(lab)) = lab else {
            return Ok(());
        };
        let stands = |_: &Snapshots<'_>, lag: &FlowLag| lag.name == flow.name();
        let (_, lags) = lag::look(&lab, &stands, limit);
        let Some(lag) = lags.iter().find(|lag| lag.name == flow.name()) else {
            return Ok(());
        };
        // what was said may have been of a moment
        let certain = lag
            .culprits
            .iter()
            .filter(|one| !matches!(one.why, Why::Reported { .. }));
        let certain: Vec<String> = certain.map(ToString::to_string).collect();
        if certain.is_empty() {
            Ok(())
        } else {
            Err(Ended::Because(certain.join("; ")))
        }
    }
}

/// Looks until nothing is stalled; what was seen last. To a look that has too little time, what is stalled looks like what
/// moves: it counts only where nothing is in doubt.
fn until_none_stands(
    limit: &Limit,
    mut look: impl FnMut(&Limit) -> Vec<FlowLag>,
) -> Result<Vec<FlowLag>, Ended> {
    let mut stood = String::new();
    limit.until(LOOK, || {
        let is_hasty = limit.remaining() < ENOUGH;
        if is_hasty && !stood.is_empty() {
            return Err(Ended::Because(stood.clone()));
        }
        let flows = look(limit);
        if limit.interrupt().is_raised() {
            return Err(Stop::Interrupted.into());
        }
        let stands: Vec<String> = flows.iter().flat_map(standing).collect();
        if !stands.is_empty() {
            stood = stands.join("; ");
            return Ok(Probe::NotYet(stood.clone()));
        }
        let is_over = limit.remaining().is_zero();
        let is_open = |flow: &&FlowLag| {
            is_hasty && lag::is_in_doubt(flow) || is_over && flow.behind != Some(0)
        };
        Ok(match flows.iter().find(is_open) {
            Some(flow) => Probe::NotYet(format!(
                "{}: not enough time to see whether its records arrive",
                flow.name
            )),
            None => Probe::Ready(flows),
        })
    })
}

/// What of a flow is certainly stalled, and because of what.
fn standing(flow: &FlowLag) -> Vec<String> {
    let stalled = flow.stalled.iter().filter(|stall| stall.is_sure);
    let stalled = stalled.map(ToString::to_string);
    let culprits = flow.culprits.iter().map(ToString::to_string);
    let all = culprits.chain(stalled);
    all.map(|what| format!("{}: {what}", flow.name)).collect()
}

fn runs_by_its_lists(flow: &Flow, target: &Cluster, limit: &Limit) -> Result<bool, KafkaError> {
    let source = &flow.spec.source;
    let mut admin = Admin::connect(&addresses(target)?, limit)?;
    let there = admin.topics(limit)?;
    let mut read = |topic: String| internal::read(&mut admin, &there, &topic, limit);
    let configs = read(state::configs_topic(source))?;
    let states = read(state::status_topic(source))?;
    let (topics, excluded) = (config::topics(flow), config::excluded(flow));
    let lists = [("topics", topics.as_str()), ("topics.exclude", &excluded)];
    Ok(state::config(&configs, COPIES).holds(COPIES, &lists, &states))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::lag::Stall;
    use kmk_kafka::wait::Interrupt;
    use std::cell::Cell;

    const MILLI: Duration = Duration::from_millis(1);

    /// As a look sees a flow that is stalled: with little time, only that it is behind.
    fn look(limit: &Limit) -> Vec<FlowLag> {
        let stall = Stall {
            topic: "orders".to_owned(),
            partitions: vec![0],
            behind: 7,
            seconds: 12.0,
            began: None,
            is_sure: true,
        };
        let is_seen = limit.remaining() >= ENOUGH;
        vec![FlowLag {
            behind: Some(7),
            stalled: is_seen.then_some(stall).into_iter().collect(),
            ..FlowLag::new(("a", "b"), Vec::new())
        }]
    }

    fn ended(limit: &Limit, look: impl FnMut(&Limit) -> Vec<FlowLag>) -> String {
        match until_none_stands(limit, look) {
            Ok(_) => "nothing stands".to_owned(),
            Err(Ended::Because(why)) => why,
            Err(Ended::Stop(stop)) => stop.to_string(),
        }
    }

    #[test]
    fn what_stood_still_stands_when_time_is_over() {
        let limit = Limit::new(ENOUGH + 100 * MILLI, &Interrupt::default());
        assert_eq!(
            ended(&limit, look),
            "a->b: topic `orders`: 7 records behind, and MirrorMaker's position has not moved for 12.0 s"
        );
        let begun_late = ended(&Limit::new(10 * MILLI, &limit.interrupt().clone()), look);
        assert!(begun_late.contains("not enough time"), "{begun_late}");
    }

    #[test]
    fn what_moves_or_is_not_behind_does_not_stand() {
        let limit = Limit::new(2 * ENOUGH, &Interrupt::default());
        let looks = Cell::new(0);
        let moves_then = |limit: &Limit| {
            looks.set(looks.get() + 1);
            let mut flows = look(limit);
            flows[0].stalled.truncate(usize::from(looks.get() < 2));
            flows
        };
        let seen = until_none_stands(&limit, moves_then).ok().unwrap();
        assert_eq!((looks.get(), seen[0].behind), (2, Some(7)));
        let soon = Limit::new(10 * MILLI, &Interrupt::default());
        let all_there = |_: &Limit| vec![FlowLag::new(("a", "b"), Vec::new())];
        assert!(until_none_stands(&soon, all_there).is_ok());
    }
}
