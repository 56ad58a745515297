//! A second look at positions that seem stalled: one that is only late has advanced by then. Judges by
//! [`PartitionLag::stands`].

use super::of_all;
use crate::core::judge::lag::{FlowLag, PartitionLag, Since, Stall, Watch};
use crate::core::lab::{Lab, link};
use crate::core::mirrormaker::config;
use crate::core::mirrormaker::state;
use crate::core::observe::{FlowSnapshot, Snapshots, Wanted, connect, internal, snapshots};
use crate::core::topology::Flow;
use kmk_kafka::KafkaError;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

/// How long the looks are apart at most, and how often is looked in between: by times of the broker's, and by others.
const WINDOW: Duration = Duration::from_secs(2);
const LONG_WINDOW: Duration = Duration::from_millis(3_050);
const LOOK: Duration = Duration::from_millis(200);
/// How long MirrorMaker may have run and not have copied anything yet.
const BEGINNING: Duration = Duration::from_secs(10);
/// So much time must be left for a last look.
const LAST: Duration = Duration::from_secs(1);

/// A topic of the source and a partition of it.
type Place = (String, i32);

/// Positions that seem stalled, by the names of flows.
type Suspects = BTreeMap<String, BTreeSet<Place>>;

/// Looks again where a position seems stalled, and marks those that are. `first` is what was seen first, `at` when.
pub(super) fn look<'a>(
    (lab, wanted): (&'a Lab, &Wanted),
    (first, at): (&[FlowLag], Instant),
    (mut views, mut flows): (Snapshots<'a>, Vec<FlowLag>),
    limit: &Limit,
) -> (Snapshots<'a>, Vec<FlowLag>) {
    let mut suspects = suspects(lab, &views, &flows, limit);
    retain(&mut suspects, first, &flows);
    if suspects.is_empty() {
        return (views, flows);
    }
    let window = window(&suspects, &flows);
    let is_early = at.elapsed() < window;
    while !suspects.is_empty()
        && at.elapsed() < window
        && limit.remaining() > LAST + LOOK
        && limit.pause(LOOK).is_ok()
    {
        for flow in &lab.topology.flows {
            let Some(places) = suspects.get_mut(&flow.name()) else {
                continue;
            };
            // who cannot be asked now has not moved
            let now = positions(lab, flow, limit).unwrap_or_default();
            let before = known_positions(first, &flow.name());
            places.retain(|place| now.get(place) == before.get(place) || now.is_empty());
        }
        suspects.retain(|_, places| !places.is_empty());
    }
    if is_early && limit.remaining() > LAST {
        views = snapshots(&lab.topology, wanted, limit);
        flows = of_all(lab, &views, limit);
        retain(&mut suspects, first, &flows);
    }
    for (flow, lag) in lab.topology.flows.iter().zip(&mut flows) {
        let Some(places) = suspects.get(&lag.name) else {
            continue;
        };
        let mirror = mirror(&views, flow);
        lag.stalled = stalls((lab, flow), (first, at), lag, places, mirror);
    }
    (views, flows)
}

fn mirror<'a>(views: &'a Snapshots<'_>, flow: &Flow) -> Option<&'a FlowSnapshot> {
    let target = views.get(flow.spec.target.as_str())?;
    target.flows.get(&flow.spec.source)
}

fn partitions(flow: &FlowLag) -> impl Iterator<Item = (Place, &PartitionLag)> {
    flow.copied().flat_map(|topic| {
        let each = topic.partitions.iter();
        each.map(|one| ((topic.source.clone(), one.partition), one))
    })
}

/// How long it takes to see whether these are stalled.
fn window(suspects: &Suspects, flows: &[FlowLag]) -> Duration {
    let tell_their_age = flows.iter().all(|flow| {
        let places = suspects.get(&flow.name);
        let mut suspected = partitions(flow)
            .filter(|(place, _)| places.is_some_and(|places| places.contains(place)));
        suspected.all(|(_, one)| one.tells_its_age())
    });
    if tell_their_age { WINDOW } else { LONG_WINDOW }
}

/// Where records have waited for long. Of a link that was cut, it is known that nothing moves, and why.
fn suspects(lab: &Lab, views: &Snapshots<'_>, flows: &[FlowLag], limit: &Limit) -> Suspects {
    let mut suspects = Suspects::new();
    for (flow, lag) in lab.topology.flows.iter().zip(flows) {
        let Some(mirror) = mirror(views, flow).filter(|_| !link::is_cut(lab, flow)) else {
            continue;
        };
        let places = partitions(lag).filter(|(place, one)| {
            let patience = patience(lab, flow, lag, one);
            patience.is_some_and(|patience| one.is_suspicious(since(mirror, place), patience))
        });
        let mut places: BTreeMap<Place, &PartitionLag> = places.collect();
        if flow.reads_committed_only(&lab.topology) {
            // what a transaction has not committed is nothing to copy
            places
                .retain(|place, one| may_be_copied(lab, flow, place, one, limit).unwrap_or(false));
        }
        if !places.is_empty() {
            suspects.insert(lag.name.clone(), places.into_keys().collect());
        }
    }
    suspects
}

/// Drops those that have moved, or where nothing waits any more.
fn retain(suspects: &mut Suspects, first: &[FlowLag], flows: &[FlowLag]) {
    for flow in flows {
        let Some(places) = suspects.get_mut(&flow.name) else {
            continue;
        };
        let before = known_positions(first, &flow.name);
        let now: BTreeMap<Place, &PartitionLag> = partitions(flow).collect();
        places.retain(|place| {
            let now = now.get(place).filter(|one| one.behind > 0);
            now.is_some_and(|one| one.position == before.get(place).copied())
        });
    }
    suspects.retain(|_, places| !places.is_empty());
}

/// Positions as they were seen first.
fn known_positions(first: &[FlowLag], name: &str) -> BTreeMap<Place, i64> {
    let flow = first.iter().find(|flow| flow.name == name);
    let all = flow.into_iter().flat_map(partitions);
    all.filter_map(|(place, one)| Some((place, one.position?)))
        .collect()
}

/// Positions as they are now.
pub(super) fn positions(
    lab: &Lab,
    flow: &Flow,
    limit: &Limit,
) -> Result<BTreeMap<Place, i64>, KafkaError> {
    let source = &flow.spec.source;
    let limit = limit.at_most(LAST);
    let mut admin = connect(&lab.topology, &flow.spec.target, &limit)?;
    let there = admin.topics(&limit)?;
    let topic = state::offsets_topic(source);
    let records = internal::read(&mut admin, &there, &topic, &limit)?;
    Ok(state::copied(&records, source))
}

fn since(mirror: &FlowSnapshot, place: &Place) -> Since {
    let now = to_millis(SystemTime::now());
    let ago = |time: i64| {
        let millis = u64::try_from(now.saturating_sub(time)).unwrap_or(0);
        Duration::from_millis(millis)
    };
    Since {
        moved: mirror
            .positions
            .get(place)
            .and_then(|one| one.time)
            .map(ago),
        began: mirror.began.map(ago),
    }
}

/// What MirrorMaker may take to find a partition, to get records of it, and to note how far it is; none where it never looks for new ones.
fn patience(lab: &Lab, flow: &Flow, lag: &FlowLag, partition: &PartitionLag) -> Option<Duration> {
    let setting = |key: &str, usual: u64| {
        let said = flow.setting(key);
        said.map_or(Some(usual), |said| said.parse::<u64>().ok())
    };
    let noting = config::NOTED.as_millis().try_into().unwrap_or(0);
    let waiting = partitions(lag).filter(|(_, one)| one.behind > 0).count();
    let answer = link::longest_answer(flow, &lab.topology, &lab.journal, waiting);
    let noting = Duration::from_millis(setting("offset.flush.interval.ms", noting)?) * 2 + answer;
    if partition.position.is_some() {
        return Some(noting);
    }
    if flow.setting("refresh.topics.enabled") == Some("false") || flow.starts_at_end(&lab.topology)
    {
        return None;
    }
    let finding = setting("refresh.topics.interval.seconds", config::EVERY)?;
    Some(noting + Duration::from_secs(finding) * 2)
}

fn may_be_copied(
    lab: &Lab,
    flow: &Flow,
    (topic, partition): &Place,
    one: &PartitionLag,
    limit: &Limit,
) -> Result<bool, KafkaError> {
    let limit = limit.at_most(LAST);
    let mut admin = connect(&lab.topology, &flow.spec.source, &limit)?;
    let next = one
        .position
        .map_or(one.first, |position| (position + 1).max(one.first));
    admin.has_committed(topic, *partition, next, &limit)
}

/// Whether MirrorMaker works off other partitions of the flow.
fn is_busy(first: &[FlowLag], now: &FlowLag, places: &BTreeSet<Place>) -> bool {
    let before = known_positions(first, &now.name);
    let mut others =
        partitions(now).filter(|(place, one)| !places.contains(place) && one.behind > 0);
    others.any(|(place, one)| one.position != before.get(&place).copied())
}

/// What is stalled, topic by topic.
fn stalls(
    (lab, flow): (&Lab, &Flow),
    (first, at): (&[FlowLag], Instant),
    lag: &FlowLag,
    places: &BTreeSet<Place>,
    mirror: Option<&FlowSnapshot>,
) -> Vec<Stall> {
    let Some(mirror) = mirror else {
        return Vec::new();
    };
    let is_busy = is_busy(first, lag, places);
    let before = first.iter().find(|flow| flow.name == lag.name);
    let before = before.into_iter().flat_map(partitions);
    let waiting: BTreeSet<Place> = (before.filter(|(_, one)| one.behind > 0))
        .map(|(place, _)| place)
        .collect();
    let fails = !mirror.recent_failure().is_empty();
    let mut stalls: Vec<Stall> = Vec::new();
    for (place, one) in partitions(lag).filter(|(place, _)| places.contains(place)) {
        let since = since(mirror, &place);
        let watch = Watch {
            seen: if waiting.contains(&place) {
                at.elapsed()
            } else {
                Duration::ZERO
            },
            patience: patience(lab, flow, lag, one).unwrap_or_default(),
            is_busy,
        };
        let Some(standing) = one.stands(since, watch) else {
            continue;
        };
        let began = since.began.filter(|began| *began < BEGINNING && !fails);
        let known = stalls.iter().position(|stall| stall.topic == place.0);
        let at = known.unwrap_or(stalls.len());
        if known.is_none() {
            stalls.push(Stall {
                topic: place.0,
                partitions: Vec::new(),
                behind: 0,
                seconds: 0.0,
                began: began.map(|began| began.as_secs_f64()),
                is_sure: false,
            });
        }
        let stall = &mut stalls[at];
        stall.partitions.push(place.1);
        stall.behind += one.behind;
        stall.seconds = stall.seconds.max(standing.time.as_secs_f64());
        stall.is_sure |= standing.is_sure;
    }
    stalls
}
