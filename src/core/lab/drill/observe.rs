//! A failover around producers and consumers of a person's own: kmk looks at ends and committed offsets, and says when to
//! switch. What an application notices, a small producer of kmk's notices for them.

mod fit;

use super::fence::{self, Fence};
use super::plan::Side;
use super::run::{Run, steps};
use super::siblings::{self, Sibling};
use super::stage::{Scene, Signals, Stopping};
use super::steps::FailoverStep;
use super::{DrillError, Fault, Step, sides};
use crate::core::event::Event;
use crate::core::judge::drill::observed::{
    CommitFacts, Observed, ObservedFacts, Offsets, PartitionOffsets, TopicFacts, observed,
};
use crate::core::judge::drill::{Micros, Times};
use crate::core::lab::positions;
use crate::core::lab::verify::Clock;
use crate::core::spec::Naming;
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, At, KafkaError};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

/// Records a second that are written to notice the fault.
pub(super) const PROBE_RATE: u64 = 20;
/// How often it is looked whether somebody has switched.
const LOOK: Duration = Duration::from_millis(50);
/// How often a broker that starts is looked at.
const AGAIN: Duration = Duration::from_millis(100);

/// Ends of topics, by topic and partition.
type Ends = BTreeMap<(String, i32), i64>;

/// Whose failover is drilled.
#[derive(Debug, Clone)]
pub struct Observe {
    /// Topics, as they are called on the source.
    pub topics: Vec<String>,
    /// Consumer groups.
    pub groups: Vec<String>,
    /// How long a person may take to switch.
    pub within: Duration,
}

/// A drill that came to its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObservedReport {
    /// The lab.
    pub lab: String,
    /// `source->target`.
    pub flow: String,
    /// The cluster that was left.
    pub source: String,
    /// The cluster that took over.
    pub target: String,
    /// What was done to the source.
    pub fault: Fault,
    /// The whole drill, from the first topic on.
    pub seconds: f64,
    /// What happened when.
    pub steps: Vec<Step>,
    /// The verdict.
    #[serde(flatten)]
    pub observed: Observed,
    /// Other flows of the same MirrorMaker, as they were found after the switch.
    pub siblings: Vec<Sibling>,
    /// Worth knowing.
    pub notes: Vec<String>,
}

/// What the target says of topics and groups.
#[derive(Debug, Default)]
struct Look {
    ends: Ends,
    /// By group, topic and partition.
    committed: BTreeMap<String, Ends>,
}

impl Look {
    fn at(
        side: &Side,
        topics: &[String],
        groups: &[String],
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut admin = Admin::connect_patiently(&side.endpoints, limit)?;
        let ends = admin.offsets(topics, At::Latest, limit)?;
        let mut committed = BTreeMap::new();
        for group in groups {
            let mut of_group = Ends::new();
            for topic in topics {
                let offsets = admin.group_offsets(group, topic, limit)?;
                let places = offsets.into_iter();
                of_group.extend(places.map(|(partition, at)| ((topic.clone(), partition), at)));
            }
            committed.insert(group.clone(), of_group);
        }
        Ok(Self { ends, committed })
    }
}

fn has_grown(before: &Ends, now: &Ends, is_its: impl Fn(&str) -> bool) -> bool {
    let mut its = now.iter().filter(|((topic, _), _)| is_its(topic));
    its.any(|(place, at)| *at > before.get(place).copied().unwrap_or(0))
}

fn of_topic(offsets: &Ends, topic: &str) -> Offsets {
    let its = offsets.iter().filter(|((of, _), _)| of == topic);
    its.map(|((_, partition), at)| (*partition, *at)).collect()
}

/// What was seen up to the end of the drill.
struct Seen {
    times: Times,
    frozen: Look,
    written: BTreeMap<String, Micros>,
    committed: BTreeMap<String, Micros>,
}

impl Run<'_> {
    /// With where the mirrored topic of the drill ended once MirrorMaker had.
    pub(super) fn observe(
        &self,
        observe: &Observe,
    ) -> Result<(ObservedReport, sides::Ends), DrillError> {
        let clock = Clock::start();
        let plan = self.plan;
        self.prepare()?;
        let (scene, signals) = (Scene::default(), Signals::new());
        // of a source that was killed, replaced by those that it has once it is back
        let ends = RefCell::new(self.source_ends(observe, At::Latest)?);
        let note_ends = || {
            if self.what.fault != Fault::Kill {
                *ends.borrow_mut() = self.source_ends(observe, At::Latest)?;
            }
            Ok(())
        };
        let (seen, watermark) = thread::scope(|scope| {
            let _stop = Stopping(&signals);
            let workers = self.begin(scope, &scene, &signals, clock)?;
            self.steady(&scene, clock)?;
            let left = match self.what.fault {
                Fault::Planned => {
                    let left = self.planned(workers, &signals, clock)?;
                    note_ends()?;
                    left
                }
                _ => self.unplanned(&scene, &signals, clock, &note_ends)?,
            };
            let watermark = sides::frozen(&plan.target, &plan.mirrored, &self.limit())?;
            for topic in &observe.topics {
                sides::frozen(&plan.target, &plan.flow.remote_topic(topic), &self.limit())?;
            }
            let fenced = clock.now();
            let frozen = Look::at(
                &plan.target,
                &self.on_target(observe),
                &observe.groups,
                &self.limit(),
            )?;
            let times = Times {
                fault: left.fault,
                acknowledged_before: left.acknowledged_before,
                detected: left.detected,
                decided: left.decided,
                fenced,
                ..Times::default()
            };
            let seen = self.until_switched(observe, times, frozen, clock)?;
            Ok::<_, DrillError>((seen, watermark))
        })?;
        let facts = self.step(FailoverStep::ReadBothSides, || {
            if self.what.fault == Fault::Kill {
                self.docker.start(&plan.brokers, &self.docker_limit())?;
                let now = self.ends_once_back(observe, &ends.borrow())?;
                *ends.borrow_mut() = now;
            }
            self.facts(observe, &seen, &ends.borrow())
        })?;
        let siblings = siblings::look(self.docker, &self.lab.spec.lab, plan.flow, self.interrupt)?;
        let report = ObservedReport {
            lab: self.lab.spec.lab.clone(),
            flow: plan.flow.name(),
            source: plan.source.name.clone(),
            target: plan.target.name.clone(),
            fault: self.what.fault,
            seconds: clock.elapsed().as_secs_f64(),
            steps: steps(&seen.times),
            observed: observed(&facts, &self.what.budget),
            siblings,
            notes: plan.notes.clone(),
        };
        Ok((report, watermark))
    }

    /// What is written to, and read from, on the target: mirrored topics, and those that producers continue with.
    fn on_target(&self, observe: &Observe) -> Vec<String> {
        let flow = self.plan.flow;
        let names = observe.topics.iter();
        let names = names.flat_map(|topic| [flow.remote_topic(topic), self.written_to(topic)]);
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What producers of a topic write to after the switch.
    fn written_to(&self, topic: &str) -> String {
        match self.plan.flow.spec.naming {
            Naming::Prefix => topic.to_owned(),
            Naming::Same => self.plan.flow.remote_topic(topic),
        }
    }

    fn source_ends(&self, observe: &Observe, at: At) -> Result<Ends, KafkaError> {
        let limit = self.limit();
        let mut admin = Admin::connect_patiently(&self.plan.source.endpoints, &limit)?;
        admin.offsets(&observe.topics, at, &limit)
    }

    /// Of all partitions that were there `before`: one that has no leader yet would count as nothing lost.
    fn ends_once_back(&self, observe: &Observe, before: &Ends) -> Result<Ends, KafkaError> {
        let limit = self.limit();
        limit.until(AGAIN, || match self.source_ends(observe, At::Latest) {
            Ok(ends) if before.keys().all(|place| ends.contains_key(place)) => {
                Ok(Probe::Ready(ends))
            }
            Ok(_) => Ok(Probe::NotYet("a partition has no leader".to_owned())),
            Err(KafkaError::Stopped(Stop::Interrupted)) => Err(Stop::Interrupted.into()),
            Err(error) => Ok(Probe::NotYet(error.to_string())),
        })
    }

    /// Nobody writes to the source any more. A person who has been told so may take a while.
    pub(super) fn fenced(&self) -> Result<Fence, DrillError> {
        let plan = self.plan;
        let verify = || {
            let limit = self.limit();
            fence::verify(&self.lab.topology, plan.flow, &plan.source, &limit)
        };
        let Some(observe) = &self.what.observe else {
            return verify();
        };
        let topics = listed(observe.topics.iter().cloned());
        self.observer.on(Event::Warning(format!(
            "stop your producers of {topics} on {} now",
            plan.source.name
        )));
        let limit = self.limit_of(observe.within);
        loop {
            match verify() {
                Err(DrillError::NotFenced { .. }) if !limit.remaining().is_zero() => {}
                verified => return verified,
            }
        }
    }

    /// Says when to switch, and waits until everybody has.
    fn until_switched(
        &self,
        observe: &Observe,
        times: Times,
        frozen: Look,
        clock: Clock,
    ) -> Result<Seen, DrillError> {
        let target = &self.plan.target;
        let addresses: Vec<String> = target.endpoints.iter().map(ToString::to_string).collect();
        self.observer.on(Event::Warning(format!(
            "switch your producers and consumers to {} now: producers to {}{}",
            addresses.join(","),
            listed(observe.topics.iter().map(|topic| self.written_to(topic))),
            if observe.groups.is_empty() {
                String::new()
            } else {
                format!(
                    ", groups {} to {}",
                    observe.groups.join(", "),
                    listed(self.on_target(observe))
                )
            },
        )));
        let (mut written, mut committed) = (BTreeMap::new(), BTreeMap::new());
        let topics = self.on_target(observe);
        self.step(FailoverStep::Observe, || {
            let limit = self.limit_of(observe.within);
            while written.len() < observe.topics.len() || committed.len() < observe.groups.len() {
                let looked = Look::at(target, &topics, &observe.groups, &self.limit());
                let at = clock.now();
                if let Ok(now) = looked {
                    for topic in &observe.topics {
                        let (mirrored, own) =
                            (self.plan.flow.remote_topic(topic), self.written_to(topic));
                        let is_its = |name: &str| name == mirrored || name == own;
                        if has_grown(&frozen.ends, &now.ends, is_its) {
                            written.entry(topic.clone()).or_insert(at);
                        }
                    }
                    for group in &observe.groups {
                        let nothing = Ends::new();
                        let before = frozen.committed.get(group).unwrap_or(&nothing);
                        let now = now.committed.get(group).unwrap_or(&nothing);
                        if now.iter().any(|(place, at)| before.get(place) != Some(at)) {
                            committed.entry(group.clone()).or_insert(at);
                        }
                    }
                }
                match limit.pause(LOOK) {
                    Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                    // who has not switched by now is named
                    _ if limit.remaining().is_zero() => break,
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(Seen {
            times,
            frozen,
            written,
            committed,
        })
    }

    fn facts(
        &self,
        observe: &Observe,
        seen: &Seen,
        ends: &Ends,
    ) -> Result<ObservedFacts, DrillError> {
        let limit = self.limit();
        let plan = self.plan;
        let first = self.source_ends(observe, At::Earliest)?;
        let positions = positions::of_flow(&self.lab.topology, plan.flow, &limit)?;
        let home = Look::at(&plan.source, &observe.topics, &observe.groups, &limit)?;
        let away = Look::at(
            &plan.target,
            &self.on_target(observe),
            &observe.groups,
            &limit,
        )?;
        let topics = observe.topics.iter().map(|topic| TopicFacts {
            topic: topic.clone(),
            mirrored: plan.flow.remote_topic(topic),
            first: of_topic(&first, topic),
            ends: of_topic(ends, topic),
            positions: of_topic(&positions, topic),
            written: seen.written.get(topic).copied(),
        });
        let at = |look: &Look, group: &str, topic: &str, partition: i32| {
            let place = (topic.to_owned(), partition);
            look.committed.get(group)?.get(&place).copied()
        };
        let groups = observe.groups.iter().map(|group| CommitFacts {
            group: group.clone(),
            offsets: (ends.keys())
                .map(|(topic, partition)| {
                    let mirrored = plan.flow.remote_topic(topic);
                    PartitionOffsets {
                        topic: topic.clone(),
                        partition: *partition,
                        committed: at(&home, group, topic, *partition),
                        synced: at(&seen.frozen, group, &mirrored, *partition),
                        after: at(&away, group, &mirrored, *partition),
                    }
                })
                .collect(),
            committed: seen.committed.get(group).copied(),
        });
        Ok(ObservedFacts {
            times: seen.times,
            is_planned: self.what.fault == Fault::Planned,
            topics: topics.collect(),
            groups: groups.collect(),
        })
    }
}

fn listed(names: impl IntoIterator<Item = String>) -> String {
    let names: BTreeSet<String> = names.into_iter().collect();
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
