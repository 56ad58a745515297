//! Measures the lines of a lab through their relays, with kmk's own client.

use super::LinkError;
use super::look::look;
use super::shaped::{asked_line, of_connection, problems};
use crate::core::docker::{Container, Docker};
use crate::core::event::{Event, Observer, step};
use crate::core::judge::line::{self, MeasuredLine};
use crate::core::judge::link::{LinkState, LinkStatus};
use crate::core::lab::lock::{self, Lock};
use crate::core::lab::{Journal, Lab, State};
use crate::core::observe::{connect, side_by_side};
use crate::core::spec::LinkSpec;
use crate::core::topology::{Flow, Link, Relay, Topology};
use kmk_kafka::wait::{Limit, Stop};
use kmk_kafka::{
    Admin, Batch, Fetches, KafkaError, Line, NewTopic, Producer, ProducerOptions, RoundTrip, Tally,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many round trips are measured.
const ROUND_TRIPS: usize = 20;
/// On a longer line they are measured over several connections at once. That is sooner done, and makes each of them a
/// millisecond or two longer.
const SHORT: Duration = Duration::from_millis(50);
const CONNECTIONS: usize = 5;
/// What all this takes at most besides round trips.
const PATIENCE: Duration = Duration::from_secs(5);

/// For how long a rate is measured.
const LOAD: Duration = Duration::from_secs(2);
/// How long that may take in all: at 8 kbit/s two answers need 32 s.
const LOAD_PATIENCE: Duration = Duration::from_secs(60);
/// The topic of the records that are read again and again. By its name, MirrorMaker takes it for an internal topic, and does not
/// mirror it.
const TOPIC: &str = "kmk-link-load.internal";
/// Bytes of a batch there: the least that an answer has.
const BATCH: usize = 16 * 1024;
/// Batches of a partition.
const BATCHES: usize = 64;

/// Looks at the links of a lab, and measures the round trip of each that has relays, all at once.
pub fn measured(lab: &Lab, limit: &Limit) -> Vec<LinkStatus> {
    let mut links = look(lab);
    let flows = lab.topology.flows.iter().zip(&links);
    let measured = side_by_side(flows, |(flow, link)| round_trip(lab, flow, link, limit));
    for (link, measured) in links.iter_mut().zip(measured) {
        link.measured = Some(measured);
    }
    links
}

fn round_trip(lab: &Lab, flow: &Flow, link: &LinkStatus, limit: &Limit) -> MeasuredLine {
    let (Some(relays), Some(asked)) = (&flow.link, of_connection(flow, &lab.journal)) else {
        return MeasuredLine::unknown("no relay: the line is as fast as this machine");
    };
    let reason = match link.state {
        LinkState::HalfOpen => Some("the link is half-open: nothing comes through"),
        LinkState::Cut => Some("the link is cut"),
        LinkState::PartlyCut => Some("the link is partly cut"),
        _ if lab.state() == State::Stopped => Some("the lab is stopped"),
        _ => None,
    };
    if let Some(reason) = reason {
        return MeasuredLine::unknown(reason);
    }
    // 1,000 bytes of an answer take their time, too
    let answer = asked.rate.map_or(0, |rate| 8_000 / rate.0.max(1));
    let trip = asked.rtt_ms() + asked.jitter_ms() + answer;
    let trip = Duration::from_millis(u64::from(trip));
    let connections = if trip > SHORT { CONNECTIONS } else { 1 };
    // until the last, these take 7 long ones or 21 short ones
    let limit = Limit::new(PATIENCE + trip * 10, limit.interrupt());
    let tried = side_by_side(&relays.relays, |relay| {
        round_trips(lab, relay, connections, &limit)
    });
    let measured: Result<Vec<Vec<RoundTrip>>, String> = tried.into_iter().collect();
    let mut measured = match measured {
        Ok(trips) => MeasuredLine::of_round_trips(&link.flow, &asked, &trips),
        // the relay knows more than the client
        Err(error) => {
            let problem = problems(flow, &lab.journal, &limit).into_iter().next();
            MeasuredLine::unknown(problem.unwrap_or(error))
        }
    };
    if !measured.warnings.is_empty() {
        (measured.warnings).extend(problems(flow, &lab.journal, &limit));
    }
    if measured.rtt_ms.is_none() {
        return measured;
    }
    measured.connections = relays.connections;
    let whole = asked_line(flow, &lab.journal).unwrap_or_default();
    (measured.warnings).extend(line::window(flow, &lab.topology, &whole));
    measured
}

fn round_trips(
    lab: &Lab,
    relay: &Relay,
    connections: usize,
    limit: &Limit,
) -> Result<Vec<RoundTrip>, String> {
    // its port may be another lab's by now
    let container = lab.container(&relay.service);
    if !container.is_some_and(Container::is_running) {
        return Err(format!("relay {} is not running", relay.service));
    }
    let measured = side_by_side(0..connections, |_| {
        let mut line = Line::open(&relay.measure, limit)?;
        let trips = (0..ROUND_TRIPS / connections).map(|_| line.round_trip(limit));
        trips.collect::<Result<Vec<_>, KafkaError>>()
    });
    let trips: Result<Vec<Vec<RoundTrip>>, KafkaError> = measured.into_iter().collect();
    match trips {
        Ok(trips) => Ok(trips.concat()),
        Err(error) => Err(format!(
            "no answer comes through relay {}: {error}",
            relay.service
        )),
    }
}

/// Measures the rate, too, of each line whose round trip was measured, by reading a topic that is made for it and removed
/// again.
///
/// # Errors
/// [`LinkError::Lock`], as nothing else may change the lab meanwhile; docker; interrupted. What fails at a broker stands with
/// the link.
pub fn load(
    docker: &Docker,
    lab: &Lab,
    links: &mut [LinkStatus],
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<(), LinkError> {
    let engine = docker.engine(limit)?;
    let directory = lock::runtime_directory();
    let _lock = Lock::take(&directory, &engine.id, &lab.spec.lab, "link show --load")?;
    for link in links {
        let flow = lab.topology.flows.iter();
        let flow = flow
            .filter(|flow| flow.name() == link.flow)
            .find_map(|flow| {
                let asked = of_connection(flow, &lab.journal)?;
                Some((flow, flow.link.as_ref()?, asked))
            });
        let (Some((flow, line, asked)), Some(measured)) = (flow, link.measured.as_mut()) else {
            continue;
        };
        if measured.rtt_ms.is_none() {
            continue;
        }
        let limit = &limit.at_most(LOAD_PATIENCE);
        let what = format!("Measuring the rate of {}", link.flow);
        let done = format!("Measured the rate of {}", link.flow);
        let rate = step(observer, &what, &done, || {
            rate(&lab.topology, flow, line, &asked, limit, observer)
        });
        match rate {
            Ok(rate) => measured.add_rate(&link.flow, &asked, rate),
            Err(KafkaError::Stopped(Stop::Interrupted)) => return Err(Stop::Interrupted.into()),
            Err(error) => measured.unknown = Some(error.to_string()),
        }
    }
    Ok(())
}

/// What a connection carries through the slowest relay, in bytes a second.
fn rate(
    topology: &Topology,
    flow: &Flow,
    link: &Link,
    asked: &LinkSpec,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<f64, KafkaError> {
    let mut admin = connect(topology, &flow.spec.source, limit)?;
    let measured = filled(topology, flow, limit)
        .and_then(|leaders| rates(topology, link, asked, &leaders, limit));
    // also when interrupted
    let removal = Limit::new(PATIENCE, &kmk_kafka::wait::Interrupt::default());
    if let Err(error) = admin.delete_topic(TOPIC, &removal) {
        observer.on(Event::Note(format!(
            "topic {TOPIC} of {} is left behind: {error}",
            flow.spec.source
        )));
    }
    measured
}

/// Removes the topic of a measurement that was killed. If that fails, the next measurement removes it, or `kmk destroy`.
pub(in crate::core::lab) fn remove_leftovers(
    topology: &Topology,
    limit: &Limit,
    observer: &dyn Observer,
) {
    let limit = &limit.at_most(PATIENCE);
    let linked = topology.flows.iter().filter(|flow| flow.link.is_some());
    let sources: BTreeSet<&str> = linked.map(|flow| flow.spec.source.as_str()).collect();
    for source in sources {
        let removed = connect(topology, source, limit).and_then(|mut admin| {
            let is_there = admin.has_topic(TOPIC, limit)?;
            if is_there {
                admin.delete_topic(TOPIC, limit)?;
            }
            Ok(is_there)
        });
        if removed.is_ok_and(|removed| removed) {
            observer.on(Event::Note(format!(
                "removed topic {TOPIC} of {source}, left behind by a measurement that was killed"
            )));
        }
    }
}

fn rates(
    topology: &Topology,
    link: &Link,
    asked: &LinkSpec,
    leaders: &BTreeMap<i32, i32>,
    limit: &Limit,
) -> Result<f64, KafkaError> {
    let fetches = fetches(asked);
    let mut slowest = f64::INFINITY;
    for relay in &link.relays {
        let cluster = topology.cluster(&relay.cluster);
        let mut brokers = cluster.into_iter().flat_map(|cluster| &cluster.brokers);
        let broker = brokers.find(|broker| broker.service == relay.broker);
        let partition = broker.and_then(|broker| leaders.get(&i32::from(broker.node_id)));
        let Some(partition) = partition else {
            return Err(KafkaError::NoLeader {
                topic: TOPIC.to_owned(),
                partition: 0,
            });
        };
        let mut through = Line::open(&relay.measure, limit)?;
        slowest = slowest.min(through.rate((TOPIC, *partition), fetches, LOAD, limit)?);
    }
    Ok(slowest)
}

/// Each is what the line carries in a tenth of a second.
fn fetches(asked: &LinkSpec) -> Fetches {
    let all = i32::try_from(BATCH * BATCHES).unwrap_or(i32::MAX);
    let bytes = asked.rate.map_or(u32::MAX, |rate| rate.0 / 8 * 100);
    Fetches {
        bytes: i32::try_from(bytes).map_or(all, |bytes| bytes.clamp(1, all)),
        at_once: usize::try_from(asked.rtt_ms() / 100).unwrap_or(0) + 3,
    }
}

/// Makes the topic, with a partition for each broker and records in each. The partition that each broker leads.
fn filled(
    topology: &Topology,
    flow: &Flow,
    limit: &Limit,
) -> Result<BTreeMap<i32, i32>, KafkaError> {
    let cluster = topology.cluster(&flow.spec.source);
    let brokers = cluster.map_or(1, |cluster| cluster.brokers.len());
    let mut admin = connect(topology, &flow.spec.source, limit)?;
    if !admin.has_topic(TOPIC, limit)? {
        let topic = NewTopic {
            name: TOPIC.to_owned(),
            partitions: i32::try_from(brokers).ok(),
            replicas: Some(1),
            ..NewTopic::default()
        };
        admin.create_topic(&topic, limit)?;
    }
    let info = admin.topics(limit)?.remove(TOPIC).unwrap_or_default();
    let leaders = info.partitions.iter();
    let leaders: BTreeMap<i32, i32> = leaders
        .filter_map(|partition| Some((partition.leader?, partition.id)))
        .collect();
    fill(admin, leaders.values(), limit)?;
    Ok(leaders)
}

fn fill<'a>(
    admin: Admin,
    partitions: impl Iterator<Item = &'a i32>,
    limit: &Limit,
) -> Result<(), KafkaError> {
    let mut producer = Producer::open(admin, TOPIC, &ProducerOptions::default(), limit)?;
    let mut tally = Tally::default();
    let value = vec![b'.'; BATCH];
    for partition in partitions {
        for _ in 0..BATCHES {
            let mut batch = Batch::default();
            batch.push(*partition, None, Some(&value), 0);
            producer.send(batch, limit, &mut tally)?;
        }
    }
    producer.flush(limit, &mut tally)
}

/// What no relay shows of the lines of a lab, a sentence each.
pub(in crate::core::lab) fn notes(topology: &Topology, journal: &Journal) -> Vec<String> {
    let flows = topology.flows.iter();
    let notes = flows.filter_map(|flow| {
        let asked = asked_line(flow, journal)?;
        line::window(flow, topology, &asked)
    });
    notes.collect()
}
