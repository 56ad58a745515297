//! Runs a failback from the old side's return to the last comparison.

use super::groups::{self, At, AtSwitch, GroupReads};
use super::rebuild::Copied;
use super::report::{BothWays, FailbackReport, sum};
use super::{By, Failback, Salvage, Way, copied};
use crate::core::docker::{Container, Docker, Engine};
use crate::core::event::{Observer, step};
use crate::core::judge::drill::failback::promises;
use crate::core::judge::ledger::RunId;
use crate::core::lab::Lab;
use crate::core::lab::compare::{self, ExportError, Stranded};
use crate::core::lab::deploy::ready::Readiness;
use crate::core::lab::drill::load::Load;
use crate::core::lab::drill::plan::Side;
use crate::core::lab::drill::sides::{self, Ends};
use crate::core::lab::drill::stage::{Signals, Stopping, Written};
use crate::core::lab::drill::state::{DrillState, Stage};
use crate::core::lab::drill::workload::joined;
use crate::core::lab::drill::{DOCKER, DrillError, fence, link};
use crate::core::lab::verify::{Clock, locked, spawned};
use crate::core::observe::connect_patiently;
use crate::core::topology::Flow;
use kmk_kafka::wait::{Interrupt, Limit};
use std::thread::{self, Scope};
use std::time::{Duration, SystemTime};

/// A failback under way.
pub(super) struct Run<'a> {
    pub(super) docker: &'a Docker,
    pub(super) engine: &'a Engine,
    pub(super) lab: &'a Lab,
    pub(super) way: &'a Way,
    pub(super) state: &'a DrillState,
    /// How far a kmk had come that was killed.
    pub(super) stage: Stage,
    pub(super) what: &'a Failback,
    pub(super) interrupt: &'a Interrupt,
    pub(super) observer: &'a dyn Observer,
}

/// What was found on the old side.
pub(super) struct Found {
    /// Records of the drill's topic.
    records: u64,
    stranded: Vec<Stranded>,
    exported: Option<u64>,
}

/// What was done to the old side before it was filled from the target.
#[derive(Default)]
struct Prepared {
    /// Stranded records that were written to the target.
    replayed: Option<u64>,
    /// Records that were deleted on the source.
    deleted: Option<u64>,
    /// What kmk itself has copied to it.
    refilled: Option<Copied>,
}

/// Both comparisons, with what was known of the groups between them.
struct Compared {
    at_switch: BothWays,
    groups: AtSwitch,
    afterwards: BothWays,
}

impl Run<'_> {
    /// Looks at the old side, and changes nothing: whether somebody writes to it, and what never crossed.
    pub(super) fn look(&self, salvage: Option<&mut dyn Salvage>) -> Result<Found, DrillError> {
        let source = &self.state.source;
        self.start_source()?;
        // MirrorMaker is not started until nothing is written there
        let limit = self.limit_of(DOCKER);
        link::reconnect(
            self.docker,
            self.lab,
            &self.state.flow,
            &limit,
            self.observer,
        )?;
        self.step(
            &format!("Checking that nobody writes to {source}"),
            &format!("Nobody writes to {source}"),
            || self.fenced(self.way.forward()),
        )?;
        let (records, stranded) = self.stranded()?;
        self.what.fits(self.state, &stranded)?;
        let exported = salvage.map(|salvage| self.export(&stranded, salvage));
        let exported = exported.transpose()?;
        Ok(Found {
            records,
            stranded,
            exported,
        })
    }

    /// Empties the old side for a rebuild.
    fn prepare(&self, found: &Found) -> Result<Prepared, DrillError> {
        if self.what.by != By::Rebuild {
            return Ok(Prepared::default());
        }
        let stranded = &found.stranded;
        let replayed = self.what.replay.then(|| self.replay(stranded));
        let replayed = replayed.transpose()?;
        let kept = match (replayed, found.exported) {
            (None, None) => "they are lost (--salvage keeps them)".to_owned(),
            (Some(_), _) => format!("they were written to {}", self.state.target),
            (None, Some(_)) => "they were exported".to_owned(),
        };
        self.empty(found.records, stranded, &kept)?;
        let refilled = (!self.way.keeps_names()).then(|| self.refill());
        Ok(Prepared {
            replayed,
            deleted: Some(found.records),
            refilled: refilled.transpose()?,
        })
    }

    pub(super) fn until_the_end(&self, found: Found) -> Result<FailbackReport, DrillError> {
        let clock = Clock::start();
        let (source, target) = (&self.state.source, &self.state.target);
        let (forward, back) = (self.way.forward(), self.way.back());
        let prepared = self.prepare(&found)?;
        let (there, here) = (Written::default(), Written::default());
        let signals = Signals::new();
        let groups = self.state.groups.iter();
        let groups: Vec<GroupReads> = groups.map(|name| GroupReads::of(name)).collect();
        let compared = thread::scope(|scope| {
            let _stop = Stopping(&signals);
            self.play(
                scope,
                (&there, &here),
                (&groups, prepared.refilled),
                &signals,
                clock,
            )
        })?;
        let (at_switch, afterwards) = (compared.at_switch, compared.afterwards);
        let (written_on_target, written_on_source) = (acknowledged(&there), acknowledged(&here));
        let groups = groups::outcomes(&groups, &compared.groups, (&there, &here));
        let flows = [
            (&afterwards.forward, written_on_source),
            (&afterwards.back, written_on_target),
        ];
        let checks = promises(&flows, &groups);
        let Found {
            stranded, exported, ..
        } = found;
        let (before, after) = (&at_switch.forward, &afterwards.forward);
        Ok(FailbackReport {
            lab: self.lab.spec.lab.clone(),
            flow: forward.name(),
            back: back.name(),
            by: self.what.by,
            back_was_added: self.way.is_new,
            source: source.clone(),
            target: target.clone(),
            stranded_records: stranded.iter().map(Stranded::records).sum(),
            stranded,
            exported,
            replayed: prepared.replayed,
            deleted: prepared.deleted,
            written_on_target,
            written_on_source,
            mirrored_late: before.missing.saturating_sub(after.missing),
            repeated: after.surplus.saturating_sub(before.surplus),
            at_switch,
            afterwards,
            groups,
            checks,
            millis: 0,
            steps: Vec::new(),
        })
    }

    fn play<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        (there, here): (&'scope Written, &'scope Written),
        (groups, refilled): (&'scope [GroupReads], Option<Copied>),
        signals: &'scope Signals,
        clock: Clock,
    ) -> Result<Compared, DrillError> {
        let (source, target) = (&self.state.source, &self.state.target);
        let (forward, back) = (self.way.forward(), self.way.back());
        let away_load = self.load(target, &self.state.topics.target, 0);
        let home_load = self.load(source, &self.state.topics.source, 1);
        let runs = (away_load.run, home_load.run);
        let ends = (&signals.close_target, &signals.stop);
        let members = self.members(scope, groups, (At::There, runs), clock, ends)?;
        let producer = spawned("kmk-producer", scope, move || {
            away_load.run(there, clock, &signals.finish_target, &signals.stop);
        });
        let producer = producer.map_err(DrillError::Thread)?;
        let mut behind = self.state.watermark.clone().unwrap_or_default();
        if self.what.by == By::Rebuild {
            for end in behind.values_mut() {
                *end = 0;
            }
        }
        self.start_back(&behind)?;
        self.write_for(self.what.load, target)?;
        signals.finish_target.raise();
        joined(producer);
        there.check(target)?;
        let (what, done) = (
            format!("Switching back to {source}"),
            format!(
                "Nobody writes to {target}, and `{}` is mirrored to {source}",
                self.state.topics.target
            ),
        );
        let at_switch = self.step(&what, &done, || {
            self.fenced(back)?;
            self.copied(back, &self.state.topics.target)?;
            self.until_read(groups, At::There)?;
            signals.close_target.raise();
            members.into_iter().for_each(joined);
            self.synced()
        })?;
        let compared = self.compared("Comparing both sides")?;
        let behind = match &refilled {
            Some(copied) => {
                self.commit_offsets(copied)?;
                copied.ends()
            }
            None => self.source_ends()?,
        };
        self.reached(Stage::SwitchedBack)?;
        let producer = spawned("kmk-producer", scope, move || {
            home_load.run(here, clock, &signals.finish_source, &signals.leave);
        });
        let producer = producer.map_err(DrillError::Thread)?;
        let ends = (&signals.close_source, &signals.leave);
        let members = self.members(scope, groups, (At::Home, runs), clock, ends)?;
        self.start_forward(&behind)?;
        self.write_for(self.what.load, source)?;
        signals.finish_source.raise();
        joined(producer);
        here.check(source)?;
        self.copied(forward, &self.state.topics.source)?;
        self.until_read(groups, At::Home)?;
        signals.close_source.raise();
        members.into_iter().for_each(joined);
        Ok(Compared {
            at_switch: compared,
            groups: at_switch,
            afterwards: self.compared("Comparing both sides once more")?,
        })
    }

    /// Where the drill's topic on the source ends now.
    fn source_ends(&self) -> Result<Ends, DrillError> {
        let (source, topic) = (&self.state.source, &self.state.topics.source);
        let mut admin = connect_patiently(&self.way.topology, source, &self.limit())?;
        Ok(sides::ends(&mut admin, topic, &self.limit())?)
    }

    /// The brokers of the old side, as far as they do not run.
    fn start_source(&self) -> Result<(), DrillError> {
        let down = self.lab.containers.iter().filter(|one| !one.is_up());
        let (_, brokers) = self
            .lab
            .mirrors_and_brokers(down.collect::<Vec<&Container>>());
        if brokers.is_empty() {
            return Ok(());
        }
        self.docker.start(&brokers, &self.limit_of(DOCKER))?;
        let readiness = Readiness {
            docker: self.docker,
            topology: &self.lab.topology,
            existing: &self.lab.containers,
        };
        let ready = readiness.wait_for_brokers(&self.limit(), self.observer);
        Ok(ready.map_err(Box::new)?)
    }

    /// Nothing is written to what a flow mirrors.
    fn fenced(&self, flow: &Flow) -> Result<(), DrillError> {
        let topology = &self.way.topology;
        let side = Side::of(topology, &flow.spec.source);
        fence::verify(topology, flow, &side, &self.limit()).map(drop)
    }

    /// With how many records there are.
    fn stranded(&self) -> Result<(u64, Vec<Stranded>), DrillError> {
        let (source, flow) = (&self.state.source, self.way.forward());
        let topics = [self.state.topics.source.clone()];
        let compared = self.step(
            &format!("Looking for records that are only on {source}"),
            &format!("Looked for records that are only on {source}"),
            || {
                Ok(compare::topics(
                    &self.way.topology,
                    flow,
                    &topics,
                    &self.limit(),
                )?)
            },
        )?;
        let sum = sum(&flow.name(), &compared);
        if !sum.unknown.is_empty() {
            let unknown = sum.unknown;
            return Err(DrillError::StrandedUnknown { unknown });
        }
        Ok((sum.source, Stranded::of(&compared)))
    }

    fn export(&self, stranded: &[Stranded], salvage: &mut dyn Salvage) -> Result<u64, DrillError> {
        let (topology, source) = (&self.way.topology, &self.state.source);
        let exported = compare::export(
            topology,
            source,
            stranded,
            &self.limit(),
            |topic, record| salvage.take(topic, record),
        );
        let exported = exported.map_err(|error| match error {
            ExportError::Kafka(error) => error.into(),
            ExportError::Write(error) => DrillError::Salvage(error),
        })?;
        let wanted = stranded.iter().map(Stranded::records).sum();
        if exported < wanted {
            return Err(DrillError::NotSalvaged { exported, wanted });
        }
        salvage.finish().map_err(DrillError::Salvage)?;
        Ok(exported)
    }

    fn write_for(&self, time: Duration, cluster: &str) -> Result<(), DrillError> {
        let what = format!("Writing to {cluster}");
        self.step(&what, &format!("Wrote to {cluster}"), || {
            Ok(Limit::endless(self.interrupt).pause(time)?)
        })
    }

    fn copied(&self, flow: &Flow, topic: &str) -> Result<(), DrillError> {
        copied::wait(&self.way.topology, flow, topic, &self.limit())
    }

    fn compared(&self, what: &str) -> Result<BothWays, DrillError> {
        let (forward, back) = (self.way.forward(), self.way.back());
        let topics = &self.state.topics;
        let of = |flow: &Flow, topic: &String| {
            let topic = std::slice::from_ref(topic);
            compare::topics(&self.way.topology, flow, topic, &self.limit())
        };
        self.step(what, "Compared both sides", || {
            let there = of(forward, &topics.source)?;
            let home = of(back, &topics.target)?;
            Ok(BothWays {
                forward: sum(&forward.name(), &there),
                back: sum(&back.name(), &home),
                partitions: [there, home].concat(),
            })
        })
    }

    fn load(&self, cluster: &str, topic: &str, nth: u32) -> Load {
        Load {
            endpoints: Side::of(&self.way.topology, cluster).endpoints,
            topic: topic.to_owned(),
            run: RunId::new(SystemTime::now(), std::process::id(), nth),
            keys: self.what.keys,
            rate: self.what.rate,
            backlog: 0,
        }
    }

    pub(super) fn limit(&self) -> Limit {
        self.limit_of(self.what.timeout)
    }

    pub(super) fn limit_of(&self, time: Duration) -> Limit {
        Limit::new(time, self.interrupt)
    }

    pub(super) fn step<T>(
        &self,
        what: &str,
        done: &str,
        run: impl FnOnce() -> Result<T, DrillError>,
    ) -> Result<T, DrillError> {
        step(self.observer, what, done, run)
    }
}

fn acknowledged(written: &Written) -> u64 {
    let books = locked(&written.books);
    let acknowledged = books.acknowledged.iter();
    acknowledged
        .map(|one| one.sequences.end - one.sequences.start)
        .sum()
}
