//! A record sent through a flow, to know that it really replicates.

use crate::core::endpoint::Endpoint;
use crate::core::kafka::{Admin, At, KafkaError, Producer, Writing};
use crate::core::topology::{Cluster, Flow, Topology};
use crate::core::wait::Limit;
use std::time::SystemTime;

/// A canary on its way.
pub(super) struct Canary {
    token: Vec<u8>,
    target: Vec<Endpoint>,
    /// What its topic is called on the target.
    topic: String,
    /// Where in that topic to look for it.
    from: i64,
    admin: Option<Admin>,
}

impl Canary {
    /// Sends a canary into the source of `flow`.
    pub(super) fn send(
        topology: &Topology,
        flow: &Flow,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let endpoints = |name: &str| {
            topology
                .cluster(name)
                .map_or_else(Vec::new, Cluster::endpoints)
        };
        let (source, target) = (endpoints(&flow.spec.source), endpoints(&flow.spec.target));
        let remote = flow.remote_topic(&flow.canary);
        let ends = Admin::connect(&target, limit)?.offsets(
            std::slice::from_ref(&remote),
            At::Latest,
            limit,
        )?;
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let token = format!("{} {} {}", flow.name(), std::process::id(), now.as_nanos());
        let canary = Self {
            token: token.into_bytes(),
            target,
            from: ends.get(&(remote.clone(), 0)).copied().unwrap_or(0),
            topic: remote,
            admin: None,
        };
        let admin = Admin::connect(&source, limit)?;
        Producer::open(admin, &flow.canary, &Writing::default(), limit)?.send_one(
            0,
            None,
            Some(&canary.token),
            limit,
        )?;
        Ok(canary)
    }

    /// Whether it has arrived at the target.
    ///
    /// # Errors
    /// Whatever keeps the target from being read; the next call connects anew.
    pub(super) fn has_arrived(&mut self, limit: &Limit) -> Result<bool, KafkaError> {
        let arrived = self.look(limit);
        if arrived.is_err() {
            self.admin = None;
        }
        arrived
    }

    fn look(&mut self, limit: &Limit) -> Result<bool, KafkaError> {
        let admin = match &mut self.admin {
            Some(admin) => admin,
            none => none.insert(Admin::connect(&self.target, limit)?),
        };
        let ends = admin.offsets(std::slice::from_ref(&self.topic), At::Latest, limit)?;
        let Some(end) = ends.get(&(self.topic.clone(), 0)) else {
            return Ok(false);
        };
        // the topic may have been made anew since
        self.from = self.from.min(*end);
        let records = admin.read(&self.topic, 0, self.from, usize::MAX, limit)?;
        Ok(records
            .iter()
            .any(|record| record.value.as_ref() == Some(&self.token)))
    }
}
