//! What a journal holds, as JSON. Every field may be missing, so that each kmk reads what an older one wrote; what a newer one added
//! is kept.

use crate::core::judge::lag::FlowMemory;
use crate::core::lab::drill::DrillState;
use crate::core::spec::LinkSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What changes while a lab lives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// What was done to the line of a flow, by the flow's name (`source->target`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, LinkState>,
    /// What was seen last of the topics of a flow, by the flow's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, FlowMemory>,
    /// The failover that was drilled, until it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillState>,
    /// What a newer kmk added.
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

/// What was done to the line of a flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkState {
    /// That it was cut, until it is healed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// What its relays were told to be instead of what the lab was deployed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<LinkSpec>,
}

/// A line that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// When it is to be healed, if that was asked for; in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Whether connections stay open, and nothing comes through any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half_open: bool,
}

impl Journal {
    /// The cut of a flow's line, if it is cut.
    pub fn cut(&self, flow: &str) -> Option<&Cut> {
        self.links.get(flow)?.cut.as_ref()
    }

    /// What the relays of a flow were told to be, if that is not what the lab was deployed with.
    pub fn asked(&self, flow: &str) -> Option<LinkSpec> {
        self.links.get(flow)?.asked
    }

    /// What was done to the line of a flow, to be changed. It is dropped where nothing is left of it.
    pub fn link(&mut self, flow: &str) -> &mut LinkState {
        self.links.entry(flow.to_owned()).or_default()
    }

    /// Drops what says nothing, so that a journal of nothing is an empty one.
    pub(super) fn tidy(&mut self) {
        self.links.retain(|_, link| *link != LinkState::default());
    }
}
