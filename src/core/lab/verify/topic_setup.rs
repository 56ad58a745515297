//! Creates the topic of a run and waits for its mirrored topics; removes the run's records afterwards.

use super::report::VerifyEnd;
use super::route::{Route, Target};
use super::run::RunResult;
use super::{NotShown, Verify, VerifyError};
use crate::core::event::{Event, Observer};
use crate::core::lab::lock::{Lock, LockError, runtime_directory};
use crate::core::nearest::by_nearness;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError, NewTopic, TopicInfo};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a flow is looked at for the topic.
const LOOK: Duration = Duration::from_millis(50);

/// What a broker answers where the topic already exists (`TOPIC_ALREADY_EXISTS`).
const EXISTS: i16 = 36;

/// How long removing the records may take on each cluster.
const CLEAR: Duration = Duration::from_secs(5);

/// Makes sure that the topic is there on the source, with its partitions, and that each flow shows it on its target. As long
/// as the lock is held, kmk's own topic is this run's alone.
///
/// # Errors
/// [`VerifyError::Busy`]; [`VerifyError::NoTopic`] where it is not kmk's own, and missing; [`VerifyError::NotShown`]; [`KafkaError`].
pub(super) fn prepare(
    route: &mut Route,
    what: &Verify,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<Option<Lock>, VerifyError> {
    let mut admin = Admin::connect_patiently(&route.endpoints, limit)?;
    let found = admin.describe_patiently(limit)?;
    let lock = match &what.topic {
        Some(_) => None,
        None => Some(lock(route, found.id.as_deref())?),
    };
    let topics = found.topics;
    match (topics.get(&route.topic), &what.topic) {
        (Some(info), Some(_)) => route.partitions = count(info),
        (None, Some(topic)) => {
            let names = by_nearness(topic, topics.keys().map(String::as_str));
            return Err(VerifyError::NoTopic {
                topic: topic.clone(),
                cluster: route.cluster.clone(),
                topics: names.into_iter().map(str::to_owned).collect(),
            });
        }
        (Some(info), None) if count(info) < route.partitions => {
            admin.add_partitions(&route.topic, route.partitions, limit)?;
        }
        (Some(_), None) => {}
        (None, None) => {
            let topic = NewTopic {
                name: route.topic.clone(),
                partitions: Some(route.partitions),
                ..NewTopic::default()
            };
            match admin.create_topic(&topic, limit) {
                // by a run on another machine: `shown` waits for its partitions
                Err(error) if error.code().is_some_and(|code| code.number() == EXISTS) => {}
                made => drop(made?),
            }
        }
    }
    for target in &route.targets {
        shown(route, target, limit, observer)?;
    }
    Ok(lock)
}

/// Keeps other runs of this machine out of kmk's own topic: it is emptied in the end, also of what is theirs.
fn lock(route: &Route, cluster: Option<&str>) -> Result<Lock, VerifyError> {
    let place = place(cluster, &route.endpoints);
    let taken = Lock::take(&runtime_directory(), &place, &route.topic, "verify");
    taken.map_err(|error| match error {
        LockError::Held { holder, .. } => VerifyError::Busy {
            topic: route.topic.clone(),
            cluster: route.cluster.clone(),
            holder,
        },
        error @ LockError::Io { .. } => VerifyError::Lock(error),
    })
}

/// A cluster by its id, under whatever addresses; by these where it does not tell.
fn place(cluster: Option<&str>, endpoints: &[Endpoint]) -> String {
    let addresses = || endpoints.iter().map(ToString::to_string);
    cluster.map_or_else(|| addresses().collect::<Vec<_>>().join(","), str::to_owned)
}

fn count(info: &TopicInfo) -> i32 {
    i32::try_from(info.partitions.len()).unwrap_or(i32::MAX)
}

/// Waits until a flow shows the topic on its target, with all partitions that are written into.
fn shown(
    route: &Route,
    target: &Target,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), VerifyError> {
    let begun = Instant::now();
    let mut admin = Admin::connect_patiently(&target.endpoints, limit)?;
    let mut told = false;
    let seen = limit.until(LOOK, || {
        let seen = match admin.topics(&limit.at_most(CLEAR)) {
            Ok(topics) => look(topics.get(&target.remote), route.partitions),
            Err(error) if error.is_retriable() => Some(format!("not visible ({error})")),
            Err(error) => return Err(error),
        };
        let Some(reason) = seen else {
            return Ok(Probe::Ready(()));
        };
        if !told {
            told = true;
            let (flow, remote, target) = (&target.flow, &target.remote, &target.cluster);
            let what = format!("waiting for `{remote}` on {target}, from flow {flow}");
            observer.on(Event::Started(what));
        }
        Ok(Probe::NotYet(reason))
    });
    match seen {
        Ok(()) if told => observer.on(Event::Done {
            what: format!(
                "`{}` is on {}, from flow {}",
                target.remote, target.cluster, target.flow
            ),
            took: begun.elapsed(),
        }),
        Ok(()) => {}
        Err(KafkaError::Stopped(Stop::Deadline { allowed, last_seen })) => {
            return Err(VerifyError::NotShown(Box::new(NotShown {
                flow: target.flow.clone(),
                topic: route.topic.clone(),
                target: target.cluster.clone(),
                remote: target.remote.clone(),
                seen: last_seen,
                waited: allowed,
            })));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What keeps a topic from being read with this many partitions, if anything does.
pub(in crate::core::lab) fn look(info: Option<&TopicInfo>, partitions: i32) -> Option<String> {
    match info {
        None => Some("missing".to_owned()),
        Some(info) if count(info) < partitions => Some(format!(
            "there with {} partitions instead of {partitions}",
            count(info)
        )),
        Some(info) if !info.is_ready() => Some("without a leader".to_owned()),
        Some(_) => None,
    }
}

/// Removes the run's records on both sides, the source first: what is not copied yet is not copied any more. The topic
/// stays: recreated, MirrorMaker would look in it for the offsets of the old one, and copy nothing until it has as many
/// records. Where another run goes on in the same topic, its records are left alone, and so are ours.
pub(super) fn clear(routes: &[Route], done: &RunResult, observer: &dyn Observer) {
    for (route, result) in routes.iter().zip(&done.routes) {
        let is_shared = result
            .targets
            .iter()
            .any(|target| target.account.unrelated.other_runs > 0 || target.account.impossible > 0);
        if is_shared {
            let topic = &route.topic;
            observer.on(Event::Note(format!(
                "`{topic}` has records of other runs: it is left as it is, and the next run empties it"
            )));
            continue;
        }
        let mine = result
            .written
            .iter()
            .filter(|(_, written)| written.last >= 0);
        let ends = mine.map(|(&partition, written)| (partition, written.last + 1));
        remove(
            &route.cluster,
            &route.endpoints,
            &route.topic,
            ends.collect(),
            observer,
        );
        // what was on its way when it ended
        if done.end == VerifyEnd::Interrupted {
            let topic = &route.topic;
            observer.on(Event::Note(format!(
                "records that were not yet acknowledged, or not yet read on the target, may remain in `{topic}`: the next run removes them"
            )));
        }
        for (target, result) in route.targets.iter().zip(&result.targets) {
            let reached = result.seen.reached.clone();
            remove(
                &target.cluster,
                &target.endpoints,
                &target.remote,
                reached,
                observer,
            );
        }
    }
}

/// Removes all records before these offsets. What cannot be removed is told, and is no failure.
fn remove(
    cluster: &str,
    endpoints: &[Endpoint],
    topic: &str,
    before: BTreeMap<i32, i64>,
    observer: &dyn Observer,
) {
    let limit = Limit::new(CLEAR, &Interrupt::default());
    let before = before
        .into_iter()
        .map(|(partition, offset)| ((topic.to_owned(), partition), offset))
        .collect();
    let removed = Admin::connect(endpoints, &limit)
        .and_then(|mut admin| admin.delete_records(&before, &limit));
    if let Err(error) = removed {
        observer.on(Event::Warning(format!(
            "the records remain in topic `{topic}` on {cluster}: {error}"
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cluster_is_one_place_whatever_it_is_called() {
        let at = |address: &str| [address.parse::<Endpoint>().unwrap()];
        let (one, other) = (at("localhost:9092"), at("127.0.0.1:9092"));
        assert_eq!(place(Some("id"), &one), place(Some("id"), &other));
        assert_ne!(place(Some("id"), &one), place(Some("di"), &one));
        assert_ne!(place(None, &one), place(None, &other));
    }
}
