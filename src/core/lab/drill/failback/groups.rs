//! Groups that move home with the producer: what each was given on both sides, of what was written during the failback.

use super::run::Run;
use crate::core::judge::drill::failback::{GroupReturn, returned};
use crate::core::judge::drill::{Era, RecordId};
use crate::core::judge::ledger::RunId;
use crate::core::lab::drill::member::Member;
use crate::core::lab::drill::plan::{Side, group_sync};
use crate::core::lab::drill::stage::{Read, Written};
use crate::core::lab::drill::{DrillError, drain, sides};
use crate::core::lab::verify::{Clock, locked, spawned};
use kmk_kafka::Admin;
use kmk_kafka::wait::Interrupt;
use std::collections::BTreeSet;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// What MirrorMaker's own timers may be late by.
const LATE: Duration = Duration::from_millis(500);

/// A group, and what it was given of two topics on each side.
#[derive(Debug, Default)]
pub(super) struct GroupReads {
    name: String,
    there: [Read; 2],
    home: [Read; 2],
}

/// Either side of the switch back.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    There,
    Home,
}

impl GroupReads {
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    fn at(&self, side: At) -> &[Read; 2] {
        match side {
            At::There => &self.there,
            At::Home => &self.home,
        }
    }
}

impl Run<'_> {
    /// The cluster, and the two topics that a group reads there.
    fn read_at(&self, side: At) -> (Side, [String; 2]) {
        let (state, back) = (self.state, self.way.back());
        let topics = &state.topics;
        let (cluster, both) = match side {
            At::There => (
                &state.target,
                [topics.mirrored.clone(), topics.target.clone()],
            ),
            At::Home => {
                let mirrored = back.remote_topic(&topics.target);
                (&state.source, [topics.source.clone(), mirrored])
            }
        };
        (Side::of(&self.way.topology, cluster), both)
    }

    /// A member for each topic of each group.
    pub(super) fn members<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        groups: &'scope [GroupReads],
        (side, runs): (At, (RunId, RunId)),
        clock: Clock,
        (close, stop): (&'scope Interrupt, &'scope Interrupt),
    ) -> Result<Vec<ScopedJoinHandle<'scope, ()>>, DrillError> {
        let (cluster, topics) = self.read_at(side);
        let mut members = Vec::new();
        for group in groups {
            for (topic, read) in topics.iter().zip(group.at(side)) {
                let member = Member {
                    group: group.name.clone(),
                    endpoints: cluster.endpoints.clone(),
                    topic: topic.clone(),
                    runs,
                    stops_after: None,
                    commits: true,
                };
                let thread = spawned("kmk-consumer", scope, move || {
                    member.run(read, clock, close, stop);
                });
                members.push(thread.map_err(DrillError::Thread)?);
            }
        }
        Ok(members)
    }

    /// Waits until every group has read both topics to where they end now.
    pub(super) fn until_read(&self, groups: &[GroupReads], side: At) -> Result<(), DrillError> {
        let limit = self.limit();
        let (cluster, topics) = self.read_at(side);
        let mut admin = Admin::connect_patiently(&cluster.endpoints, &limit)?;
        for (nth, topic) in topics.iter().enumerate() {
            let ends = sides::ends(&mut admin, topic, &limit)?;
            let readers = groups.iter();
            let readers = readers.map(|group| (group.name.as_str(), &group.at(side)[nth], &ends));
            drain::until_read(&readers.collect::<Vec<_>>(), &limit)?;
        }
        Ok(())
    }

    /// Until MirrorMaker has brought home what the groups committed.
    pub(super) fn until_synced(&self) -> Result<(), DrillError> {
        let time = group_sync(self.way.back()) + LATE;
        Ok(self.limit_of(time).pause(time)?)
    }
}

/// What each group was given, of what both sides acknowledged.
pub(super) fn outcomes(groups: &[GroupReads], there: &Written, home: &Written) -> Vec<GroupReturn> {
    let mut written = BTreeSet::new();
    for (era, side) in [(Era::Before, there), (Era::After, home)] {
        for one in &locked(&side.books).acknowledged {
            let records = one.sequences.clone().map(|sequence| RecordId {
                partition: one.partition,
                sequence,
            });
            written.extend(records.map(|record| (era, record)));
        }
    }
    let given = |reads: &[Read; 2]| -> Vec<(Era, RecordId)> {
        let diaries = reads.iter().map(|read| locked(&read.diary));
        let given = diaries.flat_map(|diary| {
            let given = diary.given.iter();
            given.map(|one| (one.era, one.record)).collect::<Vec<_>>()
        });
        given.collect()
    };
    let one = |group: &GroupReads| {
        let (there, home) = (given(&group.there), given(&group.home));
        returned(&group.name, &written, &there, &home)
    };
    groups.iter().map(one).collect()
}
