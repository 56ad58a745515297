//! How far the mirrored topics of a lab are behind: what clusters and MirrorMaker say, and a look at the records that are left.
//! What each number means stands in `docs/lag.md`.

mod past;
mod remaining;
mod stall;

pub use past::note_removal;
pub(super) use past::{acknowledge, forget, remember};

use super::{Lab, culprit, link};
use crate::core::docker::Docker;
use crate::core::judge::lag::{
    Ends, Facts, FlowLag, Ids, PartitionLag, Replica, TopicLag, TopicState, seconds,
};
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::observe::{ClusterSnapshot, FlowSnapshot, Snapshots, Wanted, snapshots};
use crate::core::topology::{Access, Flow, TRANSACTIONS};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Limit, Stop};
use kmk_kafka::{KafkaError, TopicInfo};
use remaining::Remaining;
use serde::Serialize;
use std::time::{Duration, Instant, SystemTime};

/// So much time must be left for another look.
const AGAIN: Duration = Duration::from_secs(2);

/// The lag of a lab.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lag {
    /// The lab's name.
    pub lab: String,
    /// In the order of the spec.
    pub flows: Vec<FlowLag>,
}

/// Why nothing at all is known.
#[derive(Debug, thiserror::Error)]
pub enum LagError {
    /// Neither end of any flow answers.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// It was interrupted.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

/// Looks at all flows of a lab, and writes down in its journal what is new.
///
/// # Errors
/// When no cluster answers. One that does not, where others do, is part of the answer.
pub fn lag(docker: &Docker, lab: &Lab, limit: &Limit) -> Result<Lag, LagError> {
    let (views, mut flows) = look(lab, &|_, _| false, limit);
    let links = link::look(lab);
    for (flow, link) in flows.iter_mut().zip(links) {
        flow.link = Some(link);
    }
    if limit.interrupt().is_raised() {
        return Err(Stop::Interrupted.into());
    }
    if views.values().all(|view| view.brokers_up == 0)
        && let Some(error) = views.into_values().find_map(ClusterSnapshot::into_error)
    {
        return Err(error.into());
    }
    remember(docker, lab, &flows, limit);
    Ok(Lag {
        lab: lab.spec.lab.clone(),
        flows,
    })
}

/// As [`settled`], from the clusters as they are now.
pub(super) fn look<'a>(
    lab: &'a Lab,
    is_in_trouble: &dyn Fn(&Snapshots<'_>, &FlowLag) -> bool,
    limit: &Limit,
) -> (Snapshots<'a>, Vec<FlowLag>) {
    let wanted = Wanted::default();
    let views = snapshots(&lab.topology, &wanted, limit);
    settled((lab, &wanted), views, is_in_trouble, limit)
}

/// The lag of all flows by one look: a position may be a moment old.
pub(super) fn glance(lab: &Lab, limit: &Limit) -> Vec<FlowLag> {
    let views = snapshots(&lab.topology, &Wanted::default(), limit);
    of_all(lab, &views, limit)
}

/// The lag of all flows, and what blocks them: looked for where some topic is stalled, or `is_in_trouble` says that the whole
/// flow does.
pub(super) fn settled<'a>(
    (lab, wanted): (&'a Lab, &Wanted),
    views: Snapshots<'a>,
    is_in_trouble: &dyn Fn(&Snapshots<'_>, &FlowLag) -> bool,
    limit: &Limit,
) -> (Snapshots<'a>, Vec<FlowLag>) {
    let (views, mut flows) = looked_at((lab, wanted), views, limit);
    for (flow, lag) in lab.topology.flows.iter().zip(&mut flows) {
        let stands = is_in_trouble(&views, lag);
        if stands || lag.stalled.iter().any(|stall| !stall.is_beginning()) {
            let stands = stands || lag.stalled.iter().filter(|stall| stall.is_sure).count() > 1;
            lag.culprits = culprit::of(lab, flow, (&views, lag), stands, limit);
        }
        lag.keep_certain();
    }
    (views, flows)
}

/// MirrorMaker's committed position may be a moment old: where something seems to be left, clusters are looked at once more.
fn looked_at<'a>(
    (lab, wanted): (&'a Lab, &Wanted),
    views: Snapshots<'a>,
    limit: &Limit,
) -> (Snapshots<'a>, Vec<FlowLag>) {
    let looked = views.values().filter_map(|view| view.taken).min();
    let first = of_all(lab, &views, limit);
    if first.iter().any(is_in_doubt)
        && limit.remaining() > AGAIN
        && limit.pause(config::NOTED * 3 / 2).is_ok()
    {
        let views = snapshots(&lab.topology, wanted, limit);
        let flows = of_all(lab, &views, limit);
        let looked = looked.unwrap_or_else(Instant::now);
        return stall::look((lab, wanted), (&first, looked), (views, flows), limit);
    }
    (views, first)
}

/// Whether one look is not enough: a position that is merely late looks like lag, and behind a truncation like a loss.
pub(super) fn is_in_doubt(flow: &FlowLag) -> bool {
    flow.behind > Some(0) || !flow.losses().is_empty() || !flow.doubts().is_empty()
}

fn of_all(lab: &Lab, views: &Snapshots<'_>, limit: &Limit) -> Vec<FlowLag> {
    let flows = lab.topology.flows.iter();
    flows.map(|flow| of_flow(lab, flow, views, limit)).collect()
}

fn of_flow(lab: &Lab, flow: &Flow, views: &Snapshots<'_>, limit: &Limit) -> FlowLag {
    let spec = &flow.spec;
    let name = (spec.source.as_str(), spec.target.as_str());
    let (source, target) = (&views[name.0], &views[name.1]);
    for (cluster, view) in [(name.0, source), (name.1, target)] {
        if view.ends.is_none() {
            let why = match view.access {
                Access::Secured => format!("kmk cannot log in to cluster {cluster}"),
                Access::Open => format!("cluster {cluster} does not answer"),
            };
            let position = target
                .flows
                .get(name.0)
                .and_then(FlowSnapshot::committed_at);
            let now = to_millis(SystemTime::now());
            return FlowLag {
                position_age_seconds: position
                    .map(|position| seconds(now.saturating_sub(position))),
                ..FlowLag::unknown(name, why)
            };
        }
    }
    let Some(mirror) = target.flows.get(name.0) else {
        let why = format!(
            "cluster {} does not have MirrorMaker's internal topics",
            name.1
        );
        return FlowLag::unknown(name, why);
    };
    let sides = Sides {
        lab,
        flow,
        source,
        target,
        mirror,
    };
    let rules = Rules::of_flow(flow);
    let topics: Vec<Topic<'_>> = (source.topics.iter())
        .map(|(name, info)| sides.topic(&rules, name, info))
        .collect();
    let remaining = Remaining::look(lab, flow, &topics, limit);
    let now = to_millis(SystemTime::now());
    let topics = topics.into_iter().map(|topic| topic.lag(&remaining, now));
    let mut topics: Vec<TopicLag> = topics.collect();
    past::compare(lab, flow, source, &mut topics, limit);
    FlowLag::new(name, topics)
}

/// Both ends of a flow.
struct Sides<'a> {
    lab: &'a Lab,
    flow: &'a Flow,
    source: &'a ClusterSnapshot,
    target: &'a ClusterSnapshot,
    mirror: &'a FlowSnapshot,
}

/// A topic of the source, and what is known of its partitions.
struct Topic<'a> {
    source: &'a str,
    remote: String,
    ids: Ids,
    state: TopicState,
    partition_count: usize,
    partitions: Vec<(i32, Facts)>,
    /// Whether the flow begins with what comes after it, by a setting of its own: what was there before is not lost.
    starts_at_end: bool,
    /// Whether producers use transactions on the source.
    has_transactions: bool,
    /// Whether it is the one through which kmk verifies the flow.
    is_for_verify: bool,
}

impl Sides<'_> {
    fn topic<'a>(&self, rules: &Rules, name: &'a str, info: &'a TopicInfo) -> Topic<'a> {
        let remote = rules.remote(name);
        let known = info
            .partitions
            .iter()
            .filter_map(|partition| Some((partition.id, self.facts(name, &remote, partition.id)?)));
        let known: Vec<(i32, Facts)> = known.collect();
        let state = self.state(rules, name, &remote, &known);
        let copy = self.target.topics.get(&remote);
        Topic {
            source: name,
            ids: Ids {
                source: info.id.map(text),
                target: copy.and_then(|copy| copy.id).map(text),
            },
            remote,
            state,
            partition_count: info.partitions.len(),
            starts_at_end: self.flow.starts_at_end(&self.lab.topology),
            has_transactions: self.source.topics.contains_key(TRANSACTIONS),
            is_for_verify: name == self.flow.verify,
            partitions: if state.is_copied() { known } else { Vec::new() },
        }
    }

    fn facts(&self, topic: &str, remote: &str, partition: i32) -> Option<Facts> {
        let place = (topic.to_owned(), partition);
        let source = *self.source.ends.as_ref()?.get(&place)?;
        let there = self.target.topics.get(remote);
        let is_there = there.is_some_and(|info| info.partition(partition).is_some());
        let place_there = (remote.to_owned(), partition);
        let ends: Option<&Ends> = self.target.ends.as_ref()?.get(&place_there);
        Some(Facts {
            source,
            position: self.mirror.copied(&place),
            copy: match ends {
                Some(ends) => Replica::There(*ends),
                None if is_there => Replica::Unknown,
                None => Replica::Absent,
            },
        })
    }

    fn state(&self, rules: &Rules, name: &str, remote: &str, known: &[(i32, Facts)]) -> TopicState {
        if self.lab.topology.is_internal(name) {
            return TopicState::Internal;
        }
        let has_copy = self.target.topics.contains_key(remote);
        let was_copied = known.iter().any(|(_, facts)| facts.outlook().lost > 0);
        match rules.select(name) {
            Selection::Internal(_) => TopicState::Internal,
            Selection::Excluded(_) => TopicState::Excluded,
            Selection::NotListed => TopicState::NotListed,
            Selection::Cycle => TopicState::FromTarget,
            Selection::NameTooLong(_) => TopicState::NameTooLong,
            Selection::Included | Selection::NotEvaluated(_) if has_copy => TopicState::Mirrored,
            Selection::Included | Selection::NotEvaluated(_) if was_copied => {
                TopicState::MirroredTopicGone
            }
            Selection::Included => TopicState::NotCreatedYet,
            Selection::NotEvaluated(_) => TopicState::NoMirroredTopic,
        }
    }
}

/// An id of a topic as Kafka's tools print it.
fn text(id: u128) -> String {
    URL_SAFE_NO_PAD.encode(id.to_be_bytes())
}

impl Topic<'_> {
    fn lag(self, remaining: &Remaining, now: i64) -> TopicLag {
        let source = self.source;
        let partition = |(id, facts): (i32, Facts)| {
            let place = (source.to_owned(), id);
            let mut outlook = facts.outlook();
            let is_proven = !self.starts_at_end && remaining.is_confirmed(&place);
            if outlook.is_suspicion && !is_proven {
                outlook.lost = 0;
            }
            if self.is_for_verify {
                outlook.allow_for_removal();
            }
            let seen = remaining.seen(&place);
            let lag = PartitionLag::new(id, &facts, &outlook, seen, now);
            if self.has_transactions {
                lag.with_transactions()
            } else {
                lag
            }
        };
        let partitions = self.partitions.into_iter().map(partition).collect();
        let names = (source, self.remote.as_str());
        TopicLag {
            ids: self.ids,
            ..TopicLag::new(names, self.state, self.partition_count, partitions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a partition of a topic is told as lost, whether or not kmk sends its own records through it.
    fn lost(facts: Facts, is_for_verify: bool) -> Vec<String> {
        let topic = Topic {
            source: "t",
            remote: "a.t".to_owned(),
            ids: Ids::default(),
            state: TopicState::MirroredTopicGone,
            partition_count: 1,
            partitions: vec![(0, facts)],
            starts_at_end: false,
            has_transactions: false,
            is_for_verify,
        };
        FlowLag::new(("a", "b"), vec![topic.lag(&Remaining::default(), 0)]).losses()
    }

    #[test]
    fn nobody_misses_what_kmk_sent_and_removed_itself() {
        let ends = |first, end| Ends { first, end };
        let removed_at_the_source = Facts {
            source: ends(100, 100),
            position: Some(39),
            copy: Replica::There(ends(40, 40)),
        };
        let back_at_the_source = Facts {
            source: ends(0, 100),
            position: Some(99),
            copy: Replica::Absent,
        };
        for facts in [removed_at_the_source, back_at_the_source] {
            assert_eq!(lost(facts, false).len(), 1);
            assert_eq!(lost(facts, true), Vec::<String>::new());
        }
        let of_another = Facts {
            source: ends(0, 10),
            ..back_at_the_source
        };
        assert_eq!(
            lost(of_another, true).len(),
            1,
            "it keeps records from being copied"
        );
    }
}
