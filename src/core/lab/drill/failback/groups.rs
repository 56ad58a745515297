//! Groups that move back with the producer: what each was given on both sides, of what was written during the failback, and
//! what was predicted for it.

use super::run::Run;
use crate::core::judge::drill::failback::{GroupReturn, Moved, returned};
use crate::core::judge::drill::{Era, Given, GroupFacts, RecordId};
use crate::core::judge::ledger::RunId;
use crate::core::lab::drill::member::Member;
use crate::core::lab::drill::plan::{Side, group_sync};
use crate::core::lab::drill::predict::{Predictions, predict};
use crate::core::lab::drill::sides::Ends;
use crate::core::lab::drill::stage::{Read, Written};
use crate::core::lab::drill::{DrillError, drain, sides};
use crate::core::lab::verify::{Clock, locked, spawned};
use crate::core::topology::Topology;
use kmk_kafka::Admin;
use kmk_kafka::wait::Interrupt;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::{Scope, ScopedJoinHandle};

/// A group, and what it was given of two topics on each side.
#[derive(Debug, Default)]
pub(super) struct GroupReads {
    name: String,
    there: [Read; 2],
    home: [Read; 2],
}

/// What was known of the groups when they switched back.
#[derive(Debug)]
pub(super) struct AtSwitch {
    predictions: Predictions,
    /// Their committed offsets on the source, by their names.
    synced: BTreeMap<String, Ends>,
    /// Where the topic ended there that they read of the target.
    ends: Ends,
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
    /// The cluster, and the topics that a group reads there: two, or one where names stay. What is written during the failback
    /// and mirrored is in the last one.
    fn read_at(&self, side: At) -> (Side, Vec<String>) {
        let (state, topics) = (self.state, &self.state.topics);
        let (cluster, mut all) = match side {
            At::There => (
                &state.target,
                vec![topics.mirrored.clone(), topics.target.clone()],
            ),
            At::Home => (&state.source, vec![topics.source.clone(), self.came_home()]),
        };
        all.dedup();
        (Side::of(&self.way.topology, cluster), all)
    }

    /// The target's topic, as it is mirrored to the source.
    fn came_home(&self) -> String {
        self.way.back().remote_topic(&self.state.topics.target)
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

    /// Waits until MirrorMaker has synced back what the groups committed, and predicts what each is given again.
    pub(super) fn synced(&self) -> Result<AtSwitch, DrillError> {
        let (back, topic) = (self.way.back(), &self.state.topics.target);
        let time = group_sync(back);
        self.limit_of(time).pause(time)?;
        let limit = self.limit();
        let lab = Topology::new(&self.way.reverse);
        let predictions = predict(&lab, back, topic, &limit)?;
        let (cluster, topic) = (self.read_at(At::Home).0, self.came_home());
        let mut admin = Admin::connect_patiently(&cluster.endpoints, &limit)?;
        let mut synced = BTreeMap::new();
        for group in &self.state.groups {
            synced.insert(group.clone(), admin.group_offsets(group, &topic, &limit)?);
        }
        let ends = sides::ends(&mut admin, &topic, &limit)?;
        Ok(AtSwitch {
            predictions,
            synced,
            ends,
        })
    }
}

/// What each group was given, of what both sides acknowledged.
pub(super) fn outcomes(
    groups: &[GroupReads],
    at_switch: &AtSwitch,
    (there, home): (&Written, &Written),
) -> Vec<GroupReturn> {
    let written = |side: &Written| locked(&side.books).acknowledged.clone();
    let (there, home) = (written(there), written(home));
    let mut acknowledged = BTreeSet::new();
    for (era, written) in [(Era::Before, &there), (Era::After, &home)] {
        for one in written {
            let records = one.sequences.clone().map(|sequence| RecordId {
                partition: one.partition,
                sequence,
            });
            acknowledged.extend(records.map(|record| (era, record)));
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
        let facts = group.facts(at_switch);
        returned(&Moved {
            group: &facts,
            written: &there,
            acknowledged: &acknowledged,
            there: &given(&group.there),
            home: &given(&group.home),
        })
    };
    groups.iter().map(one).collect()
}

impl GroupReads {
    /// Of the topic that was written to during the failback: two where it has two names.
    fn facts(&self, at_switch: &AtSwitch) -> GroupFacts {
        let last = |reads: &[Read; 2]| {
            let used = reads.iter().rfind(|read| read.opened.is_set());
            locked(&used.unwrap_or(&reads[0]).diary).clone()
        };
        let (there, home) = (last(&self.there), last(&self.home));
        let was_there = |given: &Given| {
            // what MirrorMaker brings later was not there to be predicted
            let end = at_switch.ends.get(&given.record.partition);
            given.era == Era::Before && end.is_some_and(|end| given.offset < *end)
        };
        GroupFacts {
            name: self.name.clone(),
            before: there.given,
            after: home.given.into_iter().filter(was_there).collect(),
            committed: there.committed,
            asked: there.asked,
            predicted: at_switch
                .predictions
                .get(&self.name)
                .cloned()
                .unwrap_or_default(),
            synced: at_switch
                .synced
                .get(&self.name)
                .cloned()
                .unwrap_or_default(),
        }
    }
}
