//! What each group was given again, never, late, and out of order.

use super::facts::{Era, Facts, Given, GroupFacts, Micros, Predicted, RecordId};
use super::named::Offsets;
use super::seconds;
use crate::core::judge::failover::Amount;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// What came of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GroupOutcome {
    /// What the drill calls it.
    #[serde(rename = "group")]
    pub name: String,
    /// Where it went on.
    pub start: Start,
    /// Records that it had committed on the source and was given again; none where it had not committed an offset.
    pub again: Option<u64>,
    /// What was predicted.
    #[serde(serialize_with = "bound")]
    pub again_predicted: Option<Amount>,
    /// Records on the target that it had not committed, and was not given.
    pub skipped: u64,
    /// What was predicted.
    #[serde(serialize_with = "bound")]
    pub skipped_predicted: Option<Amount>,
    /// Whether both are as predicted, partition by partition.
    pub as_predicted: bool,
    /// From the fault to the first record written after the switch, in the slowest partition; none where one is not served.
    pub first_new_record_seconds: Option<f64>,
    /// From the fault to the last record written before it; none where there was none left to read.
    pub backlog_read_seconds: Option<f64>,
    /// Partitions whose new records it was not given.
    pub not_served: Vec<i32>,
    /// Records that it was given for the first time after a later one of the same key.
    pub inversions: u64,
    /// Partition by partition, where it was given something again, or skipped something, or was predicted to.
    pub partitions: Vec<GroupPartition>,
    /// Its offsets in each partition in which it had committed.
    pub offsets: Vec<GroupOffsets>,
    /// When and where that was.
    #[serde(skip)]
    pub served: Option<(Micros, i32)>,
}

/// The offsets of a group in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GroupOffsets {
    /// The partition.
    pub partition: i32,
    /// Its committed offset on the source.
    pub committed: i64,
    /// Its committed offset on the target when it was switched, if there was one.
    pub synced: Option<i64>,
}

/// What a group was given again and skipped in one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupPartition {
    /// The partition.
    pub partition: i32,
    /// Whether both are as predicted.
    pub as_predicted: bool,
    /// What it was given again.
    pub again: GroupCount,
    /// What it skipped.
    pub skipped: GroupCount,
}

/// Records of a partition beside what was predicted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupCount {
    /// How many.
    pub records: u64,
    /// What was predicted; none where the group had not committed an offset.
    #[serde(serialize_with = "bound")]
    pub predicted: Option<Amount>,
    /// Where they are on the target.
    #[serde(flatten)]
    pub at: Offsets,
}

impl GroupCount {
    fn of(at: Option<&Vec<i64>>, predicted: Option<Amount>) -> Self {
        let at = at.cloned().unwrap_or_default();
        Self {
            records: at.len() as u64,
            predicted,
            at: Offsets::of(at),
        }
    }

    /// Whether that many were predicted.
    pub fn is_as_predicted(&self) -> bool {
        match self.predicted {
            None => self.records == 0,
            Some(Amount::Exactly(number)) => self.records == number,
            Some(Amount::AtMost(most)) => self.records <= most,
        }
    }
}

/// Where a group went on, on the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the offsets that MirrorMaker had synced.
    #[default]
    SyncedOffsets,
    /// In some partitions no offset was synced: there it began where `auto.offset.reset` says.
    PartlySynced,
    /// At the beginning: no offset was synced, though it had committed some.
    NotSynced,
    /// At the beginning: it had no committed offset.
    NeverCommitted,
}

/// As JSON: `{"exactly": 3}`, or `{"at_most": 3}`.
#[allow(clippy::ref_option, reason = "serde passes it so")]
pub(super) fn bound<S: Serializer>(amount: &Option<Amount>, to: S) -> Result<S::Ok, S::Error> {
    let told = amount.map(|amount| match amount {
        Amount::Exactly(number) => BTreeMap::from([("exactly", number)]),
        Amount::AtMost(number) => BTreeMap::from([("at_most", number)]),
    });
    told.serialize(to)
}

/// What of the records a group had committed.
struct Committed<'a> {
    surely: BTreeSet<RecordId>,
    /// With those of a commit that got no answer.
    maybe: BTreeSet<RecordId>,
    facts: &'a GroupFacts,
}

impl<'a> Committed<'a> {
    fn of(facts: &'a GroupFacts) -> Self {
        let below = |offsets: &BTreeMap<i32, i64>| {
            let is_below = |given: &&Given| {
                let offset = offsets.get(&given.record.partition);
                offset.is_some_and(|offset| given.offset < *offset)
            };
            let given = facts.before.iter().filter(is_below);
            given.map(|given| given.record).collect()
        };
        let surely: BTreeSet<RecordId> = below(&facts.committed);
        let mut maybe: BTreeSet<RecordId> = below(&facts.asked);
        maybe.extend(&surely);
        Self {
            surely,
            maybe,
            facts,
        }
    }

    fn start(&self) -> Start {
        let facts = self.facts;
        let synced = |partition: &&i32| facts.synced.contains_key(partition);
        let partitions = facts.committed.keys();
        match (
            partitions.clone().count(),
            partitions.filter(synced).count(),
        ) {
            (0, _) => Start::NeverCommitted,
            (_, 0) => Start::NotSynced,
            (all, synced) if all > synced => Start::PartlySynced,
            _ => Start::SyncedOffsets,
        }
    }
}

pub(super) fn outcome(facts: &Facts, group: &GroupFacts) -> GroupOutcome {
    let committed = Committed::of(group);
    let old = group.after.iter().filter(|given| given.era == Era::Before);
    let given: BTreeSet<RecordId> = old.clone().map(|given| given.record).collect();
    // a copy has an offset of its own; one that a rebalance delivered once more does not
    let again = old
        .clone()
        .filter(|given| committed.surely.contains(&given.record));
    let again: BTreeSet<(RecordId, i64)> = again.map(|one| (one.record, one.offset)).collect();
    let skipped = facts.sides.target.iter().filter(|(record, _)| {
        facts.was_sent(**record) && !committed.maybe.contains(record) && !given.contains(record)
    });
    let skipped = skipped.filter_map(|(record, copies)| Some((*record, *copies.first()?)));
    let predicted = predicted(group);
    let partitions = partitions(&by_partition(again), &by_partition(skipped), &predicted);
    let count = |of: fn(&GroupPartition) -> &GroupCount| -> u64 {
        partitions.iter().map(|one| of(one).records).sum()
    };
    let sum = |amounts: &mut dyn Iterator<Item = Amount>| {
        let sum = amounts.reduce(Amount::plus);
        sum.unwrap_or(Amount::Exactly(0))
    };
    let has_committed = !group.committed.is_empty();
    let (served, not_served) = served(facts, group);
    let since = |at: Micros| seconds(at.saturating_sub(facts.times.fault.from));
    GroupOutcome {
        name: group.name.clone(),
        start: committed.start(),
        again: has_committed.then(|| count(|one| &one.again)),
        again_predicted: has_committed
            .then(|| sum(&mut predicted.values().map(|(again, _)| *again))),
        skipped: count(|one| &one.skipped),
        skipped_predicted: has_committed
            .then(|| sum(&mut predicted.values().map(|(_, skipped)| *skipped))),
        as_predicted: partitions.iter().all(|one| one.as_predicted),
        first_new_record_seconds: served.map(|(at, _)| since(at)),
        backlog_read_seconds: old.map(|given| given.at).max().map(since),
        not_served,
        inversions: inversions(group),
        partitions,
        offsets: offsets(group),
        served,
    }
}

fn offsets(group: &GroupFacts) -> Vec<GroupOffsets> {
    let committed = group.committed.iter();
    let of_partition = |(&partition, &committed)| GroupOffsets {
        partition,
        committed,
        synced: group.synced.get(&partition).copied(),
    };
    committed.map(of_partition).collect()
}

/// What the group was to be given again, and not, by partition: the prediction, and what may have changed from then to the
/// switch. What it committed meanwhile, and what was not copied by then, it may be given again too; an offset that was
/// synced meanwhile makes it less.
fn predicted(group: &GroupFacts) -> BTreeMap<i32, (Amount, Amount)> {
    let told = group.committed.iter().map(|(&partition, &committed)| {
        let Some(told) = group.predicted.get(&partition) else {
            let all = u64::try_from(committed).unwrap_or(0);
            return (partition, (Amount::AtMost(all), Amount::Exactly(0)));
        };
        let Predicted {
            again,
            skipped,
            committed: then,
            synced,
            target_end,
        } = *told;
        let more = u64::try_from(committed - then.min(target_end)).unwrap_or(0);
        let has_moved = more > 0 || group.synced.get(&partition).copied() != synced;
        let again = match again {
            Amount::Exactly(number) if !has_moved => Amount::Exactly(number),
            other => Amount::AtMost(other.most().saturating_add(more)),
        };
        (partition, (again, skipped))
    });
    told.collect()
}

/// Where nothing was given again or skipped, and nothing was to be, there is nothing to tell.
fn partitions(
    again: &BTreeMap<i32, Vec<i64>>,
    skipped: &BTreeMap<i32, Vec<i64>>,
    predicted: &BTreeMap<i32, (Amount, Amount)>,
) -> Vec<GroupPartition> {
    let seen = again.keys().chain(skipped.keys());
    let all: BTreeSet<i32> = seen.chain(predicted.keys()).copied().collect();
    let told = all.into_iter().map(|partition| {
        let (more, less) = predicted.get(&partition).copied().unzip();
        let again = GroupCount::of(again.get(&partition), more);
        let skipped = GroupCount::of(skipped.get(&partition), less);
        GroupPartition {
            partition,
            as_predicted: again.is_as_predicted() && skipped.is_as_predicted(),
            again,
            skipped,
        }
    });
    let most = |one: &GroupCount| one.predicted.map_or(0, Amount::most);
    let is_nothing = |one: &GroupCount| one.records == 0 && most(one) == 0;
    told.filter(|one| !is_nothing(&one.again) || !is_nothing(&one.skipped))
        .collect()
}

/// The offsets of records, by partition.
fn by_partition(records: impl IntoIterator<Item = (RecordId, i64)>) -> BTreeMap<i32, Vec<i64>> {
    let mut places: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for (record, offset) in records {
        places.entry(record.partition).or_default().push(offset);
    }
    places
}

/// When it was given the first new record in its slowest partition, and the partitions where it was given none.
fn served(facts: &Facts, group: &GroupFacts) -> (Option<(Micros, i32)>, Vec<i32>) {
    let mut first: BTreeMap<i32, Micros> = BTreeMap::new();
    for given in group.after.iter().filter(|given| given.era == Era::After) {
        let at = first.entry(given.record.partition).or_insert(given.at);
        *at = given.at.min(*at);
    }
    let written = facts.written_after.iter().map(|one| one.partition);
    let written: BTreeSet<i32> = written.collect();
    let not_served = written.into_iter().filter(|one| !first.contains_key(one));
    let not_served: Vec<i32> = not_served.collect();
    let slowest = first
        .into_iter()
        .map(|(partition, at)| (at, partition))
        .max();
    (slowest.filter(|_| not_served.is_empty()), not_served)
}

fn inversions(group: &GroupFacts) -> u64 {
    let (mut seen, mut latest) = (BTreeSet::new(), BTreeMap::new());
    let mut inversions = 0;
    for given in group.before.iter().chain(&group.after) {
        if !seen.insert((given.era, given.record)) {
            continue;
        }
        let this = (given.era, given.record.sequence);
        let latest = latest.entry(given.key).or_insert(this);
        if this < *latest {
            inversions += 1;
        }
        *latest = this.max(*latest);
    }
    inversions
}
