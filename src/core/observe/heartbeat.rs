//! MirrorMaker's heartbeats, looked for on the target of a flow.

use crate::core::mirrormaker::state::last_heartbeat;
use crate::core::topology::Flow;
use crate::core::topology::HEARTBEATS;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError};
use std::time::{Duration, SystemTime};

/// How often MirrorMaker gives one unless it is told otherwise (`emit.heartbeats.interval.seconds`).
const EVERY: Duration = Duration::from_secs(1);
/// This many of the topic's last records are read: those of other flows to the same target are among them.
const LAST: i64 = 100;

/// How often MirrorMaker gives a sign of life for a flow; none where its settings forbid it.
pub(in crate::core) fn interval(flow: &Flow) -> Option<Duration> {
    if flow.setting("emit.heartbeats.enabled") == Some("false") {
        return None;
    }
    match flow.setting("emit.heartbeats.interval.seconds") {
        None => Some(EVERY),
        Some(seconds) => seconds.parse().ok().map(Duration::from_secs),
    }
}

/// The signs of life of one flow.
pub(in crate::core) struct Heartbeats {
    /// Where the next one will be.
    next: Option<i64>,
    /// When the last one was given by MirrorMaker's clock, in milliseconds since the epoch.
    last: Option<i64>,
}

impl Heartbeats {
    pub(in crate::core) fn new() -> Self {
        Self {
            next: None,
            last: None,
        }
    }

    /// Looks for signs that came since the last look, and at the first look for those before; whether there is any.
    ///
    /// # Errors
    /// Whatever keeps the target from being read.
    pub(in crate::core) fn look(
        &mut self,
        admin: &mut Admin,
        flow: &Flow,
        limit: &Limit,
    ) -> Result<bool, KafkaError> {
        let topic = HEARTBEATS.to_owned();
        let mut place = |at| {
            let offsets = admin.offsets(std::slice::from_ref(&topic), at, limit)?;
            Ok::<_, KafkaError>(offsets.get(&(topic.clone(), 0)).copied())
        };
        let Some(end) = place(At::Latest)? else {
            return Ok(false);
        };
        let from = match self.next {
            Some(next) => next.min(end),
            None => (end - LAST).max(place(At::Earliest)?.unwrap_or(0)).min(end),
        };
        self.next = Some(end);
        if from == end {
            return Ok(false);
        }
        let records = admin.read(HEARTBEATS, 0, from, usize::MAX, limit)?;
        let (source, target) = (&flow.spec.source, &flow.spec.target);
        let heard = last_heartbeat(&records, source, target);
        self.last = self.last.max(heard);
        Ok(heard.is_some())
    }

    /// How long ago the last sign was given, by this machine's clock: the two may differ where the engine is elsewhere.
    pub(in crate::core) fn age(&self) -> Option<Duration> {
        let last = Duration::from_millis(u64::try_from(self.last?).ok()?);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Some(now.ok()?.saturating_sub(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    #[test]
    fn a_flow_may_have_other_signs_or_none() {
        let interval_with = |settings: &[(&str, &str)]| {
            let mut spec = scenario::dr("demo");
            let owned = settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            spec.flows[0].settings = owned.collect();
            interval(&Topology::new(&spec).flows[0])
        };
        assert_eq!(interval_with(&[]), Some(EVERY));
        let slower = interval_with(&[("emit.heartbeats.interval.seconds", "5")]);
        assert_eq!(slower, Some(Duration::from_secs(5)));
        assert_eq!(interval_with(&[("emit.heartbeats.enabled", "false")]), None);
    }
}
