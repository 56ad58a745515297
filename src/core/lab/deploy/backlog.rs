//! Waits until flows run by the lists that they are asked to, and no topic of theirs stands still; finds out which topic
//! holds up a flow that does not replicate. Knows nothing of canaries.

use super::failure::DeployError;
use super::ready::{Ended, Readiness, Wait};
use crate::core::culprit::Why;
use crate::core::event::Observer;
use crate::core::kafka::{Admin, KafkaError};
use crate::core::lab::lag::{self, Views};
use crate::core::lab::status::{COPIES, view};
use crate::core::lab::{Lab, addresses, notes};
use crate::core::lag::FlowLag;
use crate::core::mirror_state;
use crate::core::mm2;
use crate::core::topology::{Access, Cluster, Flow};
use crate::core::wait::{Limit, Probe};
use std::time::Duration;

/// How long a backlog may take to move: MirrorMaker that was just made has to find it first.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);

impl Readiness<'_> {
    /// A MirrorMaker that is made anew begins with what was noted of the one before, and copies by that for a moment.
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
                what: format!("flow {} does not run as asked", flow.name()),
                services: self.workers(flow),
                flow: None,
            };
            self.wait_for(&wait, limit, observer, |limit| {
                Ok(if runs_by_its_lists(flow, target, limit)? {
                    Probe::Ready(())
                } else {
                    Probe::NotYet(format!("{} does not copy by its topics yet", flow.name()))
                })
            })?;
        }
        Ok(())
    }

    /// A canary that has crossed says nothing of other topics.
    pub(super) fn wait_for_backlog(
        &self,
        limit: &Limit,
        _: &dyn Observer,
    ) -> Result<(), DeployError> {
        let Some(lab) = Lab::look_for(self.docker, &self.topology.spec.lab, limit)? else {
            return Ok(());
        };
        let limit = limit.at_most(PATIENCE);
        let stands: Result<(), Ended> = limit.until(LOOK, || {
            let (_, flows) = lag::settled(&lab, view::of_all(&lab, &limit), &|_, _| false, &limit);
            let stands: Vec<String> = flows.iter().flat_map(standing).collect();
            Ok(if stands.is_empty() {
                Probe::Ready(())
            } else {
                Probe::NotYet(stands.join("; "))
            })
        });
        let flows = self.topology.flows.iter();
        let workers: Vec<&str> = flows.flat_map(|flow| self.workers(flow)).collect();
        let what = "not all topics replicate".to_owned();
        stands.map_err(|ended| self.not_ready(what, ended, &workers))
    }

    /// A topic that holds up all others will do so until somebody does something about it.
    pub(super) fn refuse_held_up(&self, flow: Option<&Flow>, limit: &Limit) -> Result<(), Ended> {
        let Some(flow) = flow else {
            return Ok(());
        };
        let lab = Lab::look_for(self.docker, &self.topology.spec.lab, limit);
        let Ok(Some(lab)) = lab else {
            return Ok(());
        };
        let stands = |_: &Views<'_>, lag: &FlowLag| lag.name == flow.name();
        let (_, lags) = lag::settled(&lab, view::of_all(&lab, limit), &stands, limit);
        let Some(lag) = lags.iter().find(|lag| lag.name == flow.name()) else {
            return Ok(());
        };
        // what was said may have been of a moment
        let certain = lag
            .culprits
            .iter()
            .filter(|one| !matches!(one.why, Why::Told { .. }));
        let certain: Vec<String> = certain.map(ToString::to_string).collect();
        if certain.is_empty() {
            Ok(())
        } else {
            Err(Ended::Because(certain.join("; ")))
        }
    }
}

/// What of a flow stands still, and because of what.
fn standing(flow: &FlowLag) -> Vec<String> {
    let stalled = flow.stalled.iter().map(ToString::to_string);
    let culprits = flow.culprits.iter().map(ToString::to_string);
    let all = culprits.chain(stalled);
    all.map(|what| format!("{}: {what}", flow.name)).collect()
}

fn runs_by_its_lists(flow: &Flow, target: &Cluster, limit: &Limit) -> Result<bool, KafkaError> {
    let source = &flow.spec.source;
    let mut admin = Admin::connect(&addresses(target)?, limit)?;
    let there = admin.topics(limit)?;
    let mut read = |topic: String| notes::read(&mut admin, &there, &topic, limit);
    let configs = read(mirror_state::configs_topic(source))?;
    let states = read(mirror_state::status_topic(source))?;
    let (topics, excluded) = (mm2::topics(flow), mm2::excluded(flow));
    let lists = [("topics", topics.as_str()), ("topics.exclude", &excluded)];
    Ok(mirror_state::config(&configs, COPIES).holds(COPIES, &lists, &states))
}
