//! A broker of each side dies in mid-load, and is started again.

use super::load::{Crossing, crossed};
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::broker_crash::{self, Crash};
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::Lab;
use crate::core::lab::drill::plan::Side;
use crate::core::lab::drill::{DrillError, Finding, uncut};
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, PartitionInfo, TopicInfo};
use std::time::Instant;

/// With fewer, the rest of the brokers have no quorum once one is dead.
const QUORUM: usize = 3;

pub(super) static DRILL: Experiment = Experiment {
    name: "broker-crash",
    lab: "three brokers per cluster (`ha`)",
    shows: "a broker of each side is killed in mid-load: others take over, and nothing is lost",
    teaches: "With replication factor 3, min.insync.replicas=2 and acks=all, an acknowledged record is on two brokers at least, \
              and survives the death of one. The partitions that it led stand still until the controller misses its heartbeats \
              (broker.session.timeout.ms: 2 s in labs of kmk, 9 s by default) and has another broker lead them; the other partitions \
              go on. Producers and MirrorMaker then retry by themselves. What they retry may arrive twice, unless the producer \
              is idempotent. A second broker lost in that time would stop writes: min.insync.replicas is not met any more.",
    restarts: false,
    unfit,
    run,
};

fn unfit(lab: &Lab, flow: &Flow) -> Vec<Finding> {
    let sides = [&flow.spec.source, &flow.spec.target].into_iter();
    let clusters = sides.filter_map(|name| lab.topology.cluster(name));
    let few = clusters.filter(|one| one.existing().is_none() && one.brokers.len() < QUORUM);
    few.map(|one| Finding::FewBrokers {
        cluster: one.name.clone(),
        brokers: one.brokers.len(),
        needed: QUORUM,
    })
    .collect()
}

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let (crash, report) =
        run.under_load(Guarantee::AtLeastOnce, |crossing| crash(run, crossing))?;
    Ok(broker_crash::judge(&crossed(&report), &crash))
}

fn crash(run: &Run<'_>, crossing: &Crossing) -> Result<Crash, DrillError> {
    crossing.warm_up(run)?;
    let sides = [
        Half::of(run, &run.source, &run.topic)?,
        Half::of(run, &run.target, &run.mirrored)?,
    ];
    let brokers: Vec<String> = sides.iter().map(|one| one.container.clone()).collect();
    let named = sides
        .each_ref()
        .map(|one| one.service.as_str())
        .join(" and ");
    run.mark("killed");
    let killed = Instant::now();
    run.step(
        &format!("Killing {named}"),
        &format!("Killed {named}"),
        || Ok(run.docker.kill(&brokers, &uncut())?),
    )?;
    let words = (
        "Waiting until other brokers lead every partition",
        "Other brokers lead every partition",
    );
    let elected = until(run, words, &sides, |one, dead| {
        one.leader.is_some_and(|leader| leader != dead)
    })?;
    let elected = elected.then(|| killed.elapsed());
    let then = crossing.counts().acknowledged;
    let words = (
        "Waiting until the target catches up",
        "The target caught up",
    );
    let caught_up = crossing.until(run, words, |counts| counts.arrived >= then)?;
    let recovered = elected.and(caught_up).map(|_| killed.elapsed());
    let (begins, done) = (format!("Starting {named}"), format!("Started {named}"));
    run.step(&begins, &done, || {
        Ok(run.docker.start(&brokers, &run.docker_limit())?)
    })?;
    run.mark("started");
    let started = Instant::now();
    let words = (
        "Waiting until all replicas are in sync",
        "All replicas are in sync",
    );
    let in_sync = until(run, words, &sides, |one, _| {
        one.in_sync.len() == one.replicas.len()
    })?;
    Ok(Crash {
        elected,
        recovered,
        in_sync: in_sync.then(|| started.elapsed()),
        allowed: run.choice.timeout,
    })
}

/// One side: the topic there, and the broker that leads its first partition.
struct Half<'a> {
    side: &'a Side,
    topic: &'a str,
    leader: i32,
    service: String,
    container: String,
}

impl<'a> Half<'a> {
    fn of(run: &Run<'_>, side: &'a Side, topic: &'a str) -> Result<Self, DrillError> {
        let leader = look(side, topic, &run.limit())?
            .partition(0)
            .and_then(|one| one.leader);
        let mut brokers =
            (run.lab.topology.cluster(&side.name).into_iter()).flat_map(|cluster| &cluster.brokers);
        let broker = brokers.find(|broker| Some(i32::from(broker.node_id)) == leader);
        let found = broker.and_then(|one| Some((one, run.lab.container(&one.service)?)));
        let (Some(leader), Some((broker, container))) = (leader, found) else {
            return Err(DrillError::NotSteady {
                seen: format!("partition 0 of `{topic}` on {} has no leader", side.name),
                waited: run.choice.timeout,
            });
        };
        Ok(Self {
            side,
            topic,
            leader,
            service: broker.service.clone(),
            container: container.id.clone(),
        })
    }
}

fn look(side: &Side, topic: &str, limit: &Limit) -> Result<TopicInfo, KafkaError> {
    let mut admin = Admin::connect_patiently(&side.endpoints, limit)?;
    Ok(admin.topics(limit)?.remove(topic).unwrap_or_default())
}

/// Waits until every partition on both sides is so; whether they are in the time that a step may take.
fn until(
    run: &Run<'_>,
    words: (&str, &'static str),
    sides: &[Half<'_>; 2],
    is_so: impl Fn(&PartitionInfo, i32) -> bool,
) -> Result<bool, DrillError> {
    let seen = run.until(words, |limit| {
        for one in sides {
            let partitions = look(one.side, one.topic, limit)?.partitions;
            if partitions.is_empty() || !partitions.iter().all(|part| is_so(part, one.leader)) {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    Ok(seen.is_some())
}
