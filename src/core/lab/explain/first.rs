//! Whether the first records of a topic are on the target: a position alone cannot tell whether it belongs to this
//! topic, or of one of the same name that was there before.

use crate::core::judge::lag::{Ends, PartitionLag, may_have_expired};
use crate::core::lab::Lab;
use crate::core::lab::status::FlowStatus;
use crate::core::observe::connect;
use crate::core::topology::Flow;
use kmk_kafka::message::{Record, to_millis};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, Setting, Subject};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Partitions that are compared at most.
const PARTITIONS: usize = 32;
/// Records of the same time among which one is looked for.
const ALIKE: usize = 10_000;

/// Whether each partition of which something was copied begins with a record that is on the target too; none where that
/// cannot be seen: records without a time, compaction, retention, a target that stamps times of its own.
pub(super) fn is_there(
    lab: &Lab,
    flow: &Flow,
    topic: &str,
    status: &FlowStatus,
    limit: &Limit,
) -> Option<bool> {
    let mut topics = status.lag.iter().flat_map(|lag| &lag.topics);
    let lag = topics.find(|lag| lag.source == topic)?;
    let is_begun = |one: &&PartitionLag| {
        one.position.is_some_and(|position| position >= one.first) && !one.recreated
    };
    let begun: Vec<&PartitionLag> = lag.partitions.iter().filter(is_begun).collect();
    if begun.is_empty() || begun.len() > PARTITIONS {
        return None;
    }
    let limit = limit.at_most(PATIENCE);
    let mut both = Both::open(lab, flow, (topic, &lag.remote), &limit).ok()??;
    let mut all = true;
    for one in begun {
        all &= both.has_first(one, &limit).ok()??;
    }
    Some(all)
}

/// A topic and its mirrored topic.
struct Both<'a> {
    topic: &'a str,
    remote: &'a str,
    source: Admin,
    target: Admin,
    committed_only: bool,
    settings: BTreeMap<String, String>,
}

impl<'a> Both<'a> {
    /// None where the settings of one of them make times or first records mean nothing.
    fn open(
        lab: &Lab,
        flow: &Flow,
        (topic, remote): (&'a str, &'a str),
        limit: &Limit,
    ) -> Result<Option<Self>, KafkaError> {
        let admin = |cluster: &str| connect(&lab.topology, cluster, limit);
        let (mut source, mut target) = (admin(&flow.spec.source)?, admin(&flow.spec.target)?);
        let here = settings(&mut source, topic, limit)?;
        let there = settings(&mut target, remote, limit)?;
        let is_compacted = |of: &BTreeMap<String, String>| {
            let policy = of.get("cleanup.policy");
            policy.is_none_or(|policy| policy.contains("compact"))
        };
        let stamps = there.get("message.timestamp.type");
        let keeps_time = stamps.is_some_and(|stamps| stamps == "CreateTime");
        Ok(
            (!is_compacted(&here) && !is_compacted(&there) && keeps_time).then_some(Self {
                topic,
                remote,
                source,
                target,
                committed_only: flow.reads_committed_only(&lab.topology),
                settings: there,
            }),
        )
    }

    fn has_first(&mut self, one: &PartitionLag, limit: &Limit) -> Result<Option<bool>, KafkaError> {
        let place = (self.topic.to_owned(), one.partition);
        let whole = BTreeMap::from([(place.clone(), one.first..one.end)]);
        let mut seen = self.source.peek(&whole, self.committed_only, limit)?;
        let first = seen.remove(&place).and_then(|peek| peek.first);
        let Some((first, time)) =
            first.and_then(|first| Some((first.clone(), first.time.filter(|time| *time >= 0)?)))
        else {
            return Ok(None);
        };
        let Some(remote) = one.remote else {
            return Ok(None);
        };
        if self.finds(&first, time, one.partition, remote, limit)? {
            return Ok(Some(true));
        }
        let setting = |name: &str| self.settings.get(name).cloned();
        let now = to_millis(SystemTime::now());
        let dropped = remote.first > 0 && may_have_expired(Some(time), setting, now);
        Ok((!dropped).then_some(false))
    }

    /// Looks for a record among those of its time.
    fn finds(
        &mut self,
        first: &Record,
        time: i64,
        partition: i32,
        remote: Ends,
        limit: &Limit,
    ) -> Result<bool, KafkaError> {
        let topics = [self.remote.to_owned()];
        let from = self.target.offsets(&topics, At::Time(time), limit)?;
        let from = from.get(&(self.remote.to_owned(), partition)).copied();
        let Some(from) = from.filter(|from| (remote.first..remote.end).contains(from)) else {
            return Ok(false);
        };
        let (mut found, mut seen) = (false, 0);
        self.target
            .scan(self.remote, partition, from, limit, |record| {
                let record = record.to_record();
                seen += 1;
                found = (record.time, &record.key, &record.value)
                    == (first.time, &first.key, &first.value);
                // times need not be in order: a later one is no end
                if found || seen == ALIKE {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
        Ok(found)
    }
}

fn settings(
    admin: &mut Admin,
    topic: &str,
    limit: &Limit,
) -> Result<BTreeMap<String, String>, KafkaError> {
    let subject = Subject::Topic(topic.to_owned());
    let mut found = admin.settings(std::slice::from_ref(&subject), limit)?;
    let settings = found.remove(&subject).unwrap_or_default().into_iter();
    let pair = |setting: Setting| Some((setting.name, setting.value?));
    Ok(settings.filter_map(pair).collect())
}
