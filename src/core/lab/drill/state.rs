//! What a drill has done to a lab, kept so that it can be taken back whatever becomes of kmk.

use super::plan::Plan;
use super::reached::Reached;
use super::sides::Ends;
use super::{By, Failback, Fault};
use crate::core::docker::Docker;
use crate::core::lab::journal::{self, JournalError};
use crate::core::spec::{LinkSpec, Spec, in_lab};
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::Limit;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A drill of a lab, from its first change until it is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillState {
    /// `source->target`.
    pub flow: String,
    /// The cluster that is left.
    pub source: String,
    /// The cluster that takes over.
    pub target: String,
    /// What was done to the source in a failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Which drill it is, where it is no failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it was around producers and consumers of a person's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
    /// How far it has come.
    pub phase: Phase,
    /// When it began, in milliseconds since the epoch.
    pub since: i64,
    /// The step that it began last; none in a journal of an older kmk, and once it is failed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// The drill's topics, as they are called on the source and on the target.
    pub topics: Topics,
    /// The drill's groups.
    pub groups: Vec<String>,
    /// The end of each partition of the mirrored topic once MirrorMaker had stopped; none in a journal of an older kmk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Ends>,
    /// What a failback has changed, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Back>,
    /// The setting of the flow that a drill of one fault has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// How the line of a flow with relays is to be again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// The line of a flow before a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What its relays had been told to be, if that was not what the lab was deployed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<LinkSpec>,
}

/// A setting of a flow before a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub key: String,
    /// Its value; none where the flow had none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A drill of a lab, in a few words. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillStatus {
    /// `failover`, `failback` once that has begun, or the name of another drill.
    pub what: String,
    /// `source->target`.
    pub flow: String,
    /// `failed_over`, or `begun`: it is running, has died, or has ended and was kept.
    pub phase: &'static str,
    /// When the failover began: RFC 3339, UTC.
    pub since: String,
    /// The step that it began last, if it is not failed over and that is known.
    pub step: Option<StepStatus>,
    /// The commands that end it, the usual one first.
    pub next: Vec<String>,
}

/// The step that a drill began last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepStatus {
    /// As it is told.
    pub name: String,
    /// When it began: RFC 3339, UTC.
    pub since: String,
    /// How long ago that was.
    #[serde(skip)]
    pub age: Duration,
}

/// What a failback changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// Whether it adds the flow from the target back to the source.
    pub is_added: bool,
    /// The drill's topic on the target, as it is mirrored to the source.
    pub topic: String,
    /// The lab before the failback; none in a journal of an older kmk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<Box<Spec>>,
    /// What was asked for; none in a journal of an older kmk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Failback>,
    /// How far it has come.
    #[serde(default)]
    pub stage: Stage,
}

/// How far a failback has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is about to change something.
    #[default]
    Begun,
    /// MirrorMaker of the flow back knows where it begins, and starts.
    Back,
    /// Producer and groups switch back to the source.
    SwitchedBack,
    /// It has ended, and its topics are kept.
    Kept,
}

/// The topics of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topics {
    /// What producers write to before the switch.
    pub source: String,
    /// The same as MirrorMaker calls it on the target.
    pub mirrored: String,
    /// What producers write to after the switch.
    pub target: String,
}

/// How far a drill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is under way, or died there.
    Running,
    /// It is over, and the lab is left failed over.
    FailedOver,
    /// It is over, and the lab is as it was, but for the drill's topics.
    Kept,
}

/// What `kmk drill failback` has to be told.
pub(super) fn way_home(keeps_names: bool, is_planned: bool) -> &'static str {
    match (keeps_names, is_planned) {
        (false, _) => "",
        (true, true) => " --by watermark",
        (true, false) => " --by rebuild",
    }
}

impl DrillState {
    /// Of a drill that is about to begin.
    pub(super) fn begin(plan: &Plan<'_>, fault: Fault) -> Self {
        Self {
            flow: plan.flow.name(),
            source: plan.source.name.clone(),
            target: plan.target.name.clone(),
            fault: Some(fault),
            name: None,
            observed: false,
            phase: Phase::Running,
            since: to_millis(SystemTime::now()),
            reached: None,
            topics: Topics {
                source: plan.topic.clone(),
                mirrored: plan.mirrored.clone(),
                target: plan.target_topic.clone(),
            },
            groups: plan.groups.iter().map(|(_, group)| group.clone()).collect(),
            watermark: None,
            back: None,
            setting: None,
            line: None,
        }
    }

    /// What `kmk drill failback` has to be told to bring it home: nothing with prefixed names.
    pub fn way_home(&self) -> &'static str {
        let keeps_names = self.topics.mirrored == self.topics.target;
        let is_planned = self.fault == Some(Fault::Planned) && self.watermark.is_some();
        way_home(keeps_names, is_planned)
    }

    /// Why it cannot be resumed, if it cannot.
    pub fn not_resumable(&self) -> Option<&'static str> {
        if self.name.is_some() {
            return Some("a drill of one fault can only be taken back");
        }
        let Some(back) = &self.back else {
            return (self.phase == Phase::FailedOver).then_some("it has come to its end");
        };
        match (back.stage, back.what.as_ref().map(|what| what.by)) {
            (Stage::Kept, _) => Some("its failback has ended"),
            (_, None) => Some("an older kmk began its failback"),
            (_, Some(By::Rebuild)) => Some(
                "its failback may have emptied the topic on the source, and can only be taken back",
            ),
            (Stage::SwitchedBack, Some(By::Watermark)) => {
                Some("its failback had switched back, and can only be taken back")
            }
            _ => None,
        }
    }

    /// Whether it has ended, and its topics were kept.
    pub fn is_kept(&self) -> bool {
        let stage = self.back.as_ref().map(|back| back.stage);
        self.phase == Phase::Kept || stage == Some(Stage::Kept)
    }

    /// What is reported of it for the lab of that name.
    pub fn status(&self, lab: &str) -> DrillStatus {
        let is_failed_over = self.phase == Phase::FailedOver && self.back.is_none();
        let lab = in_lab(lab);
        let failback = format!("kmk drill failback{}{lab}", self.way_home());
        let is_home_bound = is_failed_over && !self.observed;
        let resume = format!("kmk drill resume{lab}");
        let next = is_home_bound.then_some(failback);
        let next = next.or(self.not_resumable().is_none().then_some(resume));
        let time = |millis: i64| {
            let since = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
            humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
        };
        DrillStatus {
            what: match &self.name {
                Some(name) => name.clone(),
                None if self.back.is_some() => "failback".to_owned(),
                None => "failover".to_owned(),
            },
            flow: self.flow.clone(),
            phase: match self.phase {
                _ if is_failed_over => "failed_over",
                _ if self.is_kept() => "kept",
                _ => "begun",
            },
            since: time(self.since),
            step: self.reached().map(|reached| StepStatus {
                name: reached.step.clone(),
                since: time(reached.at),
                age: reached.age(SystemTime::now()),
            }),
            next: next
                .into_iter()
                .chain([format!("kmk drill abort{lab}")])
                .collect(),
        }
    }

    /// The step that it began last, if it has not come to its end.
    pub fn reached(&self) -> Option<&Reached> {
        let is_under_way = self.phase == Phase::Running || self.back.is_some() && !self.is_kept();
        self.reached.as_ref().filter(|_| is_under_way)
    }

    /// The failover is over.
    pub(super) fn failed_over(&self, watermark: Ends) -> Self {
        Self {
            phase: Phase::FailedOver,
            watermark: Some(watermark),
            reached: None,
            ..self.clone()
        }
    }

    /// It is over, and its topics stay.
    pub(super) fn kept(&self) -> Self {
        Self {
            phase: Phase::Kept,
            ..self.clone()
        }
    }

    /// The drill of a lab that was not taken back, if there is one.
    ///
    /// # Errors
    /// When the lab's journal cannot be read.
    pub fn load(docker: &Docker, lab: &str, limit: &Limit) -> Result<Option<Self>, JournalError> {
        Ok(journal::read(docker, lab, limit)?.drill)
    }

    pub(super) fn save(
        &self,
        docker: &Docker,
        lab: &str,
        limit: &Limit,
    ) -> Result<(), JournalError> {
        journal::change(docker, lab, limit, |journal| {
            journal.drill = Some(self.clone());
        })
    }

    pub(super) fn forget(docker: &Docker, lab: &str, limit: &Limit) -> Result<(), JournalError> {
        journal::change(docker, lab, limit, |journal| journal.drill = None)
    }
}
