//! What was lost, and what is in doubt.

use super::facts::{Acknowledged, Facts, Micros, RecordId};
use super::named::{Located, Offsets};
use super::seconds;
use crate::core::judge::ledger::Span;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Records that the source had acknowledged and the target does not have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rpo {
    /// Acknowledged before the fault, absent on the target once MirrorMaker has ended.
    pub records: u64,
    /// The most of all partitions: their last acknowledgement before the fault minus that of their oldest missing record.
    pub seconds: f64,
    /// Partitions in which records are missing, in order.
    pub partitions: Vec<PartitionLoss>,
    /// Of the missing records, those that can still be read on the source; none where it was not read.
    pub stranded: Option<u64>,
    /// Of the missing records, those that the source does not have any more; none where it was not read.
    pub gone_for_good: Option<u64>,
    /// What the source acknowledged before the fault.
    pub acknowledged: u64,
    /// What it acknowledged to the drill's own producer after the fault.
    pub acknowledged_after_fault: u64,
    /// What was sent and not acknowledged.
    pub in_doubt: InDoubt,
    /// What the old side acknowledged to a producer that did not know of the switch; none where there was none.
    pub late_writes: Option<u64>,
    /// Copies of a record on the target beyond one.
    pub duplicates: u64,
    /// Where they are: copies behind the first.
    pub duplicates_at: Vec<Located>,
    /// Records on the target that were never sent, or not as they are there.
    pub never_sent: u64,
    /// Where they are.
    pub never_sent_at: Vec<Located>,
}

/// What is missing in one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionLoss {
    /// Which.
    pub partition: i32,
    /// How many records.
    pub records: u64,
    /// The last acknowledgement before the fault minus that of the oldest missing record.
    pub seconds: f64,
    /// Which: their offsets on the source, by its acknowledgements.
    #[serde(flatten)]
    pub at: Offsets,
    /// Those of which the source did not say where they are: their numbers.
    pub numbers: Vec<Span>,
}

/// Records that were sent and never acknowledged: whether they were written is unknown to the producer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InDoubt {
    /// All of them.
    pub records: u64,
    /// Those that are on the target.
    pub on_target: u64,
    /// Those that are only on the source; none where it was not read.
    pub only_on_source: Option<u64>,
}

#[derive(Default)]
struct Loss {
    records: u64,
    oldest: Option<Micros>,
    last: Micros,
    offsets: Vec<i64>,
    numbers: Vec<Range<u64>>,
}

impl Loss {
    fn add(&mut self, one: &Acknowledged, sequence: u64) {
        self.records += 1;
        self.oldest = Some(self.oldest.map_or(one.at, |oldest| oldest.min(one.at)));
        let nth = sequence - one.sequences.start;
        match one.offset {
            Some(first) => self.offsets.push(first.saturating_add_unsigned(nth)),
            None => self.numbers.push(sequence..sequence + 1),
        }
    }
}

pub(super) fn rpo(facts: &Facts) -> Rpo {
    let is_before = |one: &&Acknowledged| one.at <= facts.times.acknowledged_before;
    let (mut acknowledged, mut after) = (BTreeSet::new(), 0);
    let mut by_partition: BTreeMap<i32, Loss> = BTreeMap::new();
    let mut missing = Vec::new();
    for one in &facts.acknowledged {
        let records = one.sequences.clone().map(|sequence| RecordId {
            partition: one.partition,
            sequence,
        });
        acknowledged.extend(records.clone());
        if !is_before(&one) {
            after += one.sequences.end - one.sequences.start;
            continue;
        }
        let loss = by_partition.entry(one.partition).or_default();
        loss.last = loss.last.max(one.at);
        for record in records.filter(|record| !facts.is_on_target(*record)) {
            loss.add(one, record.sequence);
            missing.push(record);
        }
    }
    let partitions: Vec<PartitionLoss> = by_partition
        .into_iter()
        .filter_map(|(partition, loss)| {
            Some(PartitionLoss {
                partition,
                records: loss.records,
                seconds: seconds(loss.last - loss.oldest?),
                at: Offsets::of(loss.offsets),
                numbers: Span::joined(loss.numbers),
            })
        })
        .collect();
    let records = missing.len() as u64;
    let stranded = facts.sides.source.as_ref().map(|source| {
        let there = missing.iter().filter(|record| source.contains(record));
        there.count() as u64
    });
    let (duplicates_at, never_sent_at) = (duplicates(facts), never_sent(facts));
    let sum = |located: &[Located]| located.iter().map(|one| one.records).sum();
    Rpo {
        records,
        seconds: partitions.iter().map(|one| one.seconds).fold(0.0, f64::max),
        partitions,
        stranded,
        gone_for_good: stranded.map(|stranded| records - stranded),
        acknowledged: acknowledged.len() as u64 - after,
        acknowledged_after_fault: after,
        in_doubt: in_doubt(facts, &acknowledged),
        late_writes: facts.late_writes,
        duplicates: sum(&duplicates_at),
        duplicates_at,
        never_sent: sum(&never_sent_at),
        never_sent_at,
    }
}

/// Copies behind the first of a record that was sent.
fn duplicates(facts: &Facts) -> Vec<Located> {
    let mut places: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    let target = facts.sides.target.iter();
    for (record, copies) in target.filter(|(record, _)| facts.was_sent(**record)) {
        let surplus = copies.iter().skip(1);
        places.entry(record.partition).or_default().extend(surplus);
    }
    Located::all(places)
}

/// Whatever is on the target and was not sent.
fn never_sent(facts: &Facts) -> Vec<Located> {
    let mut places: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    let target = facts.sides.target.iter();
    for (record, copies) in target.filter(|(record, _)| !facts.was_sent(**record)) {
        places.entry(record.partition).or_default().extend(copies);
    }
    for one in &facts.sides.unknown {
        places.entry(one.partition).or_default().push(one.offset);
    }
    Located::all(places)
}

fn in_doubt(facts: &Facts, acknowledged: &BTreeSet<RecordId>) -> InDoubt {
    let mut doubt = InDoubt {
        only_on_source: facts.sides.source.as_ref().map(|_| 0),
        ..InDoubt::default()
    };
    for (&partition, &sent) in &facts.sent {
        let records = (0..sent).map(|sequence| RecordId {
            partition,
            sequence,
        });
        for record in records.filter(|record| !acknowledged.contains(record)) {
            doubt.records += 1;
            if facts.is_on_target(record) {
                doubt.on_target += 1;
            } else if let Some(source) = &facts.sides.source
                && source.contains(&record)
            {
                doubt.only_on_source = doubt.only_on_source.map(|there| there + 1);
            }
        }
    }
    doubt
}

impl Rpo {
    /// The partition that lost most.
    pub fn worst(&self) -> Option<&PartitionLoss> {
        let key = |one: &&PartitionLoss| (one.records, std::cmp::Reverse(one.partition));
        self.partitions.iter().max_by_key(key)
    }
}
